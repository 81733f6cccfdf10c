//! The two services around a handler, without a runtime.

use std::collections::HashMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use lambda_runtime::tower::Layer;
use lambda_runtime::{LambdaInvocation, service_fn};
use serde_json::{Value, json};
use throughline_testkit::FakeIntake;

use super::*;
use crate::settings::Settings;

/// Stands for what is between the two: makes an event of what came.
#[derive(Clone)]
struct Between<H>(H);

impl<H> Service<LambdaInvocation> for Between<H>
where
    H: Service<LambdaEvent<Value>>,
    H::Future: Send + 'static,
{
    type Response = ();
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: LambdaInvocation) -> Self::Future {
        let payload = serde_json::from_slice(&request.body).unwrap();
        let handled = self.0.call(LambdaEvent::new(payload, request.context));
        Box::pin(async move {
            drop(handled.await);
            Ok(())
        })
    }
}

fn invocation(number: usize) -> LambdaInvocation {
    let (parts, ()) = http::Response::new(()).into_parts();
    let mut context = lambda_runtime::Context::default();
    context.request_id = format!("request-{number}");
    let root = format!(
        "Root=1-5759e988-{:024x};Parent=00000000000000aa",
        number + 1
    );
    context.xray_trace_id = Some(root);
    let body = json!({ "number": number }).to_string().into();
    LambdaInvocation {
        parts,
        body,
        context,
    }
}

/// Calls another service over HTTP, which is a function here, and says what the request carried.
async fn call_out(number: usize) -> String {
    let other = service_fn(async |request: http::Request<()>| {
        tokio::task::yield_now().await;
        let header = request.headers()["traceparent"]
            .to_str()
            .unwrap()
            .to_owned();
        Ok::<_, std::convert::Infallible>(http::Response::new(header))
    });
    let mut client = crate::http_layer().layer(other);
    let url = format!("http://pay.example.com/{number}");
    let request = http::Request::get(url).body(()).unwrap();
    client.call(request).await.unwrap().into_body()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousand_invocations_at_once_keep_to_themselves() {
    let intake = FakeIntake::start().await;
    let sdk = Settings::from_source(|name| match name {
        "THROUGHLINE_OTLP_LISTEN" => intake.endpoint().replace("http://", ""),
        "AWS_LAMBDA_MAX_CONCURRENCY" => "1000".to_owned(),
        _ => String::new(),
    });
    let handler = service_fn(async |event: LambdaEvent<Value>| {
        let number = usize::try_from(event.payload["number"].as_u64().unwrap()).unwrap();
        let header = event.context.xray_trace_id.unwrap();
        crate::in_span("child", async move {
            crate::attribute("number", i64::try_from(number).unwrap());
            tokio::task::yield_now().await;
            let carried = call_out(number).await;
            crate::attribute("carried", carried);
        })
        .await;
        Ok::<_, Error>(Value::String(header))
    });
    let between = Between(Handler::new(handler));
    let service = InvocationsLayer::new(sdk.map(Sdk::new)).layer(between);
    let calls = (0..COUNT).map(|number| {
        let mut service = service.clone();
        tokio::spawn(async move { service.call(invocation(number)).await.unwrap() })
    });
    for call in calls.collect::<Vec<_>>() {
        call.await.unwrap();
    }
    let received = intake
        .wait_for("all spans", |received| received.spans.len() >= 3 * COUNT)
        .await;
    let mut traces: HashMap<String, Vec<_>> = HashMap::new();
    for span in &received.spans {
        traces
            .entry(span.trace_id.to_string())
            .or_default()
            .push(span);
    }
    assert_eq!(traces.len(), COUNT);
    for (trace, spans) in traces {
        let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
        let (root, child, call) = (named("invocation"), named("child"), named("GET"));
        assert_eq!(child.parent_id, Some(root.span_id));
        assert_eq!(call.parent_id, Some(child.span_id));
        let number = child.attributes.get("number").unwrap().to_text();
        assert_eq!(
            root.attributes.text("faas.invocation_id"),
            Some(format!("request-{number}").as_str())
        );
        let carried = child.attributes.text("carried").unwrap();
        assert_eq!(carried, format!("00-{trace}-{}-01", call.span_id));
        assert_eq!(
            call.attributes.text("url.full"),
            Some(format!("http://pay.example.com/{number}").as_str())
        );
    }
}

const COUNT: usize = 1_000;
