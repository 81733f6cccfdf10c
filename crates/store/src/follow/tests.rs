use std::sync::Arc;

use throughline_telemetry::Scope;
use throughline_telemetry::wire::{Request, logs_request, traces_request};
use throughline_testkit::{log, span};

use super::*;
use crate::Store;
use crate::testing::{TestDirectory, try_put};

async fn put(store: &Store, spans: &[Span]) {
    let request = Request::Traces(traces_request(spans));
    try_put(store, request).await.unwrap();
}

#[tokio::test]
async fn invocations_calls_and_reports_arrive_and_nothing_else_does() {
    let directory = TestDirectory::in_memory();
    let store = directory.open();
    let platform = Arc::new(Scope {
        name: PLATFORM_SCOPE.to_owned(),
        version: String::new(),
    });
    let told = |name: &str, kind| Span {
        scope: Arc::clone(&platform),
        ..span("checkout").named(name).kind(kind).build()
    };
    let said = |text: &str, is_platforms: bool| {
        let mut record = log("checkout").says(text).build();
        if is_platforms {
            record.scope = Arc::clone(&platform);
        }
        record
    };
    put(&store, &[told("before", SpanKind::Server)]).await;
    let mut follower = store.follow();
    let spans = [
        span("checkout")
            .named("handler")
            .kind(SpanKind::Server)
            .build(),
        told("checkout", SpanKind::Server),
        told("response latency", SpanKind::Internal),
        span("cart")
            .kind(SpanKind::Client)
            .attribute("faas.invoked_name", "checkout")
            .build(),
        span("cart").kind(SpanKind::Client).build(),
    ];
    put(&store, &spans).await;
    let fresh = follower.next().await.unwrap();
    assert_eq!((&fresh.spans[..], fresh.missed), (&spans[1..2], 0));
    assert_eq!(fresh.calls, &spans[3..4]);
    let others = [said("REPORT RequestId: r-1", false), said("START", true)];
    try_put(&store, Request::Logs(logs_request(&others)))
        .await
        .unwrap();
    assert_eq!(follower.next().await, Some(Fresh::default()));
    let report = [said("REPORT RequestId: r-2", true)];
    try_put(&store, Request::Logs(logs_request(&report)))
        .await
        .unwrap();
    let fresh = follower.next().await.unwrap();
    assert_eq!(fresh.reports.len(), 1);

    for _ in 0..GROUPS_MAX + 10 {
        put(&store, &spans).await;
    }
    let fresh = follower.next().await.unwrap();
    assert_eq!((fresh.missed, fresh.spans.len()), (10, 1));
    drop(store);
    let mut rest = 0;
    while follower.next().await.is_some() {
        rest += 1;
    }
    assert_eq!(rest, GROUPS_MAX - 1);
}
