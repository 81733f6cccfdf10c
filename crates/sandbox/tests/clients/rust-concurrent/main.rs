//! Does what each event's "do" says, several at once, as the functions of the other languages beside it.

use std::time::Duration;

use lambda_runtime::{Diagnostic, Error, LambdaEvent, service_fn};
use serde_json::{Value, json};

/// Its name is the error type that callers see.
#[derive(Debug)]
struct OnPurpose;

impl From<OnPurpose> for Diagnostic {
    fn from(OnPurpose: OnPurpose) -> Self {
        Self {
            error_type: "OnPurpose".to_owned(),
            error_message: "on purpose".to_owned(),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::tracing::init_default_subscriber();
    lambda_runtime::run_concurrent(service_fn(handle)).await
}

async fn handle(event: LambdaEvent<Value>) -> Result<Value, OnPurpose> {
    let (event, context) = event.into_parts();
    match event["do"].as_str() {
        Some("throw") => Err(OnPurpose),
        Some("hang") => std::future::pending().await,
        Some("kill") => std::process::abort(),
        Some("meet") => Ok(meet(&event, &context.request_id).await),
        _ => Ok(json!({"request": context.request_id, "trace": context.xray_trace_id})),
    }
}

/// Ends when as many invocations as asked for are in it.
async fn meet(event: &Value, request_id: &str) -> Value {
    let folder = std::path::Path::new(event["folder"].as_str().expect("a folder"));
    std::fs::write(folder.join(request_id), "").expect("a folder that can be written");
    let met = || std::fs::read_dir(folder).map_or(0, Iterator::count);
    while met() < event["count"].as_u64().map_or(0, |count| count as usize) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    json!(std::env::var("AWS_LAMBDA_LOG_STREAM_NAME").unwrap_or_default())
}
