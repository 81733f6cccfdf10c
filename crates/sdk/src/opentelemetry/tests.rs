//! Both ways, in one invocation.

use std::collections::HashMap;

use opentelemetry::propagation::TextMapPropagator;
use opentelemetry::trace::{FutureExt, SpanKind, Status, TraceContextExt, Tracer as _};
use opentelemetry::{Array, KeyValue, Value};
use throughline_telemetry::{SpanKind as Kind, SpanStatus};

use super::*;
use crate::trial::Trial;

fn tracer() -> Tracer {
    trace::TracerProvider::tracer(&TracerProvider::default(), "shop")
}

/// What a request would carry that is made here.
fn carried() -> String {
    let mut headers: HashMap<String, String> = HashMap::new();
    global::get_text_map_propagator(|propagator| propagator.inject(&mut headers));
    headers.remove("traceparent").unwrap_or_default()
}

#[tokio::test]
async fn spans_of_both_are_in_each_other() {
    install();
    let trial = Trial::start(&[]).await;
    let header = trial.invocation(async {
        let work = async {
            let span = tracer().span_builder("theirs").with_kind(SpanKind::Client);
            let sizes = Value::Array(Array::I64(vec![1, 2]));
            let span = span.with_attributes([KeyValue::new("sizes", sizes)]);
            let context = Context::current_with_span(span.start(&tracer()));
            let inner = async {
                tokio::task::yield_now().await;
                crate::attribute("said", "by us");
                crate::in_span("ours again", async { carried() }).await
            };
            inner.with_context(context).await
        };
        let header = crate::in_span("ours", work).await;
        opentelemetry::trace::get_active_span(|active| {
            active.set_attribute(KeyValue::new("of", "the handler"));
            active.end();
        });
        crate::attribute("still", true);
        header
    });
    let header = header.await;
    let spans = trial.spans().await;
    let (root, again, theirs) = (&spans["invocation"], &spans["ours again"], &spans["theirs"]);
    assert_eq!(spans["ours"].parent_id, Some(root.span_id));
    assert_eq!(theirs.parent_id, Some(spans["ours"].span_id));
    assert_eq!(again.parent_id, Some(theirs.span_id));
    let named = format!("00-{}-{}-01", again.trace_id, again.span_id);
    assert_eq!(header, named);
    let scope = theirs.scope.name.as_str();
    assert_eq!((theirs.kind, scope), (Kind::Client, "shop"));
    assert_eq!(theirs.attributes.text("said"), Some("by us"));
    let sizes = theirs.attributes.get("sizes").map(|sizes| sizes.to_text());
    assert_eq!(sizes.as_deref(), Some("[1,2]"));
    assert_eq!(root.attributes.text("of"), Some("the handler"));
    assert!(root.attributes.get("still").is_some());
}

#[tokio::test]
async fn span_below_what_a_message_carried_leaves_with_the_invocation() {
    install();
    let trial = Trial::start(&[]).await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    trial
        .invocation(async {
            let header = format!("00-{trace}-b7ad6b7169203331-01");
            let message = HashMap::from([("traceparent".to_owned(), header)]);
            let context = Propagator::default().extract(&message);
            // Another thread knows of the invocation through the context alone.
            let work = async {
                let mut span = tracer().start("process");
                trace::Span::add_event(&mut span, "taken", vec![KeyValue::new("size", 3)]);
                trace::Span::set_status(&mut span, Status::error("sour"));
                trace::Span::update_name(&mut span, "process message");
            };
            tokio::spawn(work.with_context(context)).await.unwrap();
        })
        .await;
    let spans = trial.spans().await;
    let span = &spans["process message"];
    assert_eq!(span.trace_id.to_string(), trace);
    assert_eq!(span.parent_id.unwrap().to_string(), "b7ad6b7169203331");
    assert_eq!(
        (span.status, span.status_message.as_str()),
        (SpanStatus::Error, "sour")
    );
    assert_eq!(span.events[0].name, "taken");
}

#[tokio::test]
async fn what_is_switched_off_or_outside_records_nothing() {
    install();
    let outside = tracer().start("outside");
    assert!(!trace::Span::is_recording(&outside));
    let trial = Trial::start(&[("THROUGHLINE_HOOKS_OFF", "opentelemetry")]).await;
    trial
        .invocation(async {
            let span = tracer().start("theirs");
            assert!(!trace::Span::is_recording(&span));
        })
        .await;
    assert!(!trial.spans().await.contains_key("theirs"));
}
