//! Does what each event's "do" says, as the functions of the other languages beside it.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use futures_util::stream::{self, BoxStream, StreamExt};
use lambda_runtime::{
    Diagnostic, Error, FunctionResponse, LambdaEvent, MetadataPrelude, StreamResponse, service_fn,
    tracing,
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    r#do: Option<String>,
    wait: Option<String>,
    #[serde(default)]
    fail: bool,
    raw_path: Option<String>,
}

type Parts = BoxStream<'static, Result<Bytes, Error>>;

/// Its name is the error type that callers see.
#[derive(Debug)]
struct OnPurpose(&'static str);

impl From<OnPurpose> for Diagnostic {
    fn from(error: OnPurpose) -> Self {
        Self {
            error_type: "OnPurpose".to_owned(),
            error_message: error.0.to_owned(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    #[allow(clippy::disallowed_methods)] // a function is told by its variables what to do
    if std::env::var_os("FAIL_INIT").is_some() {
        return Err("no init today".into());
    }
    lambda_runtime::run(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Event>) -> Result<FunctionResponse<Value, Parts>, OnPurpose> {
    let (event, context) = event.into_parts();
    let value = match event.r#do.as_deref() {
        Some("throw") => return Err(OnPurpose("on purpose")),
        Some("panic") => panic!("on purpose"),
        Some("log") => log(),
        Some("big") => json!("x".repeat(7 * 1024 * 1024)),
        Some("memory") => memory(),
        Some("kill") => kill(),
        Some("hang") => std::future::pending().await,
        Some("stream") => return Ok(FunctionResponse::StreamingResponse(stream(event))),
        _ if event.raw_path.is_some() => {
            return Ok(FunctionResponse::StreamingResponse(stream(event)));
        }
        _ => report(&context),
    };
    Ok(FunctionResponse::BufferedResponse(value))
}

fn report(context: &lambda_runtime::Context) -> Value {
    println!("two\nlines");
    #[allow(clippy::disallowed_methods)] // the edge: how much time the platform left
    let now = SystemTime::now();
    let remaining = context.deadline().duration_since(now).unwrap_or_default();
    #[allow(clippy::disallowed_methods)] // where the runtime client puts it
    let trace = std::env::var("_X_AMZN_TRACE_ID").ok();
    assert_eq!(trace, context.xray_trace_id);
    json!({
        "request": context.request_id,
        "arn": context.invoked_function_arn,
        "function": context.env_config.function_name,
        "memory_mb": context.env_config.memory,
        "remaining_ms": u64::try_from(remaining.as_millis()).unwrap_or(u64::MAX),
        "trace": trace,
        "custom": context.client_context.as_ref().map(|client| &client.custom),
    })
}

fn log() -> Value {
    tracing::debug!("a detail");
    tracing::info!(cart = 7, "for the record");
    tracing::error!("it broke");
    Value::Null
}

fn memory() -> Value {
    let mut hog = Vec::new();
    for _ in 0..HOG_MB {
        hog.push(vec![1_u8; 1024 * 1024]);
    }
    json!(hog.len())
}

fn kill() -> Value {
    let _ = nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL);
    Value::Null
}

/// The second half waits for a file, so that whoever reads can tell a stream from an answer in one piece.
fn stream(event: Event) -> StreamResponse<Parts> {
    let first = stream::once(async { Ok(Bytes::from("first half, ")) });
    let second = stream::once(async move {
        while let Some(wait) = &event.wait
            && !std::path::Path::new(wait).exists()
        {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        if event.fail {
            return Err("too late".into());
        }
        Ok(Bytes::from("second half"))
    });
    StreamResponse {
        metadata_prelude: head(),
        stream: first.chain(second).boxed(),
    }
}

fn head() -> MetadataPrelude {
    let mut head = MetadataPrelude {
        status_code: http::StatusCode::CREATED,
        cookies: vec!["a=1".to_owned()],
        ..MetadataPrelude::default()
    };
    head.headers
        .insert("x-own", http::HeaderValue::from_static("yes"));
    head
}

/// Four times what the function may have, and no danger to a machine that does not stop it.
const HOG_MB: usize = 512;
