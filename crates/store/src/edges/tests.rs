use std::collections::BTreeMap;

use throughline_telemetry::{HistogramSum, Span, SpanKind, SpanStatus, TraceId, UnixNanos};
use throughline_testkit::builders::span;

use super::*;
use crate::limits::EDGES_A_MINUTE_MAX;
use crate::testing::{TestDirectory, put};
use crate::{OTHER, Store, SumFilter};

const SECOND: u64 = 1_000_000_000;
const MINUTE: u64 = 60 * SECOND;

fn late() -> UnixNanos {
    UnixNanos(u64::MAX / 2)
}

fn all() -> SumFilter {
    SumFilter {
        from: UnixNanos(0),
        to: UnixNanos(3000 * MINUTE),
        limit: usize::MAX,
        ..SumFilter::default()
    }
}

/// Every edge as a line: from whom to whom, what for, how many, how many failed and were throttled.
fn show(found: &EdgeList) -> Vec<String> {
    let mut lines: Vec<String> = found.edges.iter().map(line).collect();
    lines.sort();
    lines
}

fn line(edge: &Edge) -> String {
    let caller = match edge.caller.function.as_str() {
        "" => edge.caller.service.clone(),
        function => format!("{}/{function}", edge.caller.service),
    };
    let arrow = if edge.is_async { "~>" } else { "->" };
    let Callee { kind, name, .. } = &edge.callee;
    assert_eq!(edge.durations.total(), edge.count);
    format!(
        "{caller} {arrow} {kind} {name}: {} {} {} {}",
        edge.operation, edge.count, edge.errors, edge.throttles
    )
}

fn at(second: u64, span: Span) -> Span {
    let start = UnixNanos(second * SECOND);
    Span {
        start,
        end: UnixNanos(start.0 + 5_000_000),
        ..span
    }
}

/// A click: checkout calls inventory and a host that nobody knows, writes a table, and tells notify.
fn click(trace: u64, second: u64) -> Vec<Span> {
    let of = |service: &str| {
        let span = span(service).in_trace(trace);
        span.resource_attribute("faas.name", service)
    };
    let handler = of("checkout")
        .named("checkout")
        .id(1)
        .kind(SpanKind::Server);
    let handler = at(second, handler.build());
    let going_out = |id: u64, name: &str| {
        let span = of("checkout").named(name).id(id).kind(SpanKind::Client);
        span.child_of(&handler)
    };
    let invoke = going_out(2, "Lambda.Invoke").attribute("faas.invoked_name", "inventory");
    let invoke = at(second, invoke.attribute("rpc.method", "Invoke").build());
    let table = going_out(3, "DynamoDB.PutItem").attribute("aws.dynamodb.table_names", "orders");
    let mut table = at(
        second,
        table.attribute("error.type", "ThrottlingException").build(),
    );
    table.status = SpanStatus::Error;
    let bank = going_out(4, "POST").attribute("server.address", "bank.example");
    let bank = at(
        second,
        bank.attribute("http.request.method", "POST").build(),
    );
    let tell = going_out(5, "send orders").kind(SpanKind::Producer);
    let tell = tell.attribute("messaging.system", "aws_sqs");
    let tell = at(
        second,
        tell.attribute("messaging.destination.name", "orders")
            .build(),
    );
    let reserve = of("inventory")
        .named("inventory")
        .id(6)
        .kind(SpanKind::Server);
    let mut reserve = at(second, reserve.child_of(&invoke).build());
    reserve.status = SpanStatus::Error;
    // A library of the function that says nothing of it: not another one.
    let inner = span("inventory").named("SELECT").in_trace(trace).id(7);
    let inner = at(second, inner.child_of(&reserve).build());
    let notify = of("notify").named("process orders").id(8);
    let notify = notify.kind(SpanKind::Consumer).child_of(&tell);
    let notify = at(second + 90, notify.build());
    vec![handler, invoke, table, bank, tell, reserve, inner, notify]
}

const OF_A_CLICK: [&str; 5] = [
    "checkout/checkout -> function inventory: inventory 1 1 0",
    "checkout/checkout -> host bank.example: POST 1 0 0",
    "checkout/checkout -> table orders: DynamoDB.PutItem 1 1 1",
    "checkout/checkout ~> function notify: process orders 1 0 0",
    "checkout/checkout ~> queue orders: send orders 1 0 0",
];

#[tokio::test]
async fn a_click_is_five_edges_wherever_its_spans_are() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let spans = click(1, 100);
    put(&store, &spans[5..]).await;
    put(&store, &spans[..5]).await;
    let buffered = store.edges(&all(), None).unwrap();
    assert_eq!(
        (show(&buffered), buffered.looked.rollups),
        (OF_A_CLICK.map(String::from).to_vec(), 0)
    );
    store.seal().unwrap();
    let sealed = store.edges(&all(), None).unwrap();
    assert_eq!((show(&sealed), sealed.looked.rollups), (show(&buffered), 1));
    store.close().await.unwrap();
    let store = directory.open();
    assert_eq!(store.edges(&all(), None).unwrap(), sealed);
    let path = directory
        .path()
        .join("rollups/spans-0000000001-000.edges.parquet");
    drop(store);
    std::fs::write(&path, "not what was written").unwrap();
    let store = directory.open();
    let made_again = store.edges(&all(), None).unwrap();
    assert_eq!(
        (show(&made_again), made_again.looked.rollups),
        (show(&sealed), 0)
    );
}

#[tokio::test]
async fn what_came_in_two_parts_is_whole_when_they_are_merged() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let spans = click(1, 100);
    put(&store, &spans[..5]).await;
    store.seal().unwrap();
    put(&store, &spans[5..]).await;
    store.seal().unwrap();
    let apart = show(&store.edges(&all(), None).unwrap());
    assert!(
        apart.contains(&"checkout/checkout -> function inventory: Invoke 1 0 0".to_owned()),
        "from the caller's side alone: {apart:?}"
    );
    store.compact(late()).unwrap();
    let merged = store.edges(&all(), None).unwrap();
    assert_eq!(
        (show(&merged), merged.looked.rollups),
        (OF_A_CLICK.map(String::from).to_vec(), 1)
    );
}

#[tokio::test]
async fn only_what_is_asked_for_is_listed() {
    let directory = TestDirectory::new();
    let store = directory.open();
    put(&store, &click(1, 100)).await;
    put(&store, &click(2, 130)).await;
    let ask = |filter: SumFilter| show(&store.edges(&filter, None).unwrap());
    let of_notify = ["checkout/checkout ~> function notify: process orders 2 0 0"];
    let service = Some("notify".to_owned());
    let by_service = SumFilter { service, ..all() };
    assert_eq!(ask(by_service), of_notify);
    let function = Some("notify".to_owned());
    let by_function = SumFilter { function, ..all() };
    assert_eq!(ask(by_function), of_notify);
    // Minutes 1 and 2 began at 60 s and 120 s.
    let minute = |from: u64, to: u64| {
        let filter = SumFilter {
            from: UnixNanos(from * SECOND),
            to: UnixNanos(to * SECOND),
            ..all()
        };
        let found = store.edges(&filter, None).unwrap();
        let count = found.edges.iter().map(|edge| edge.count).sum::<u64>();
        (found.from.0 / SECOND, found.to.0 / SECOND, count)
    };
    assert_eq!(minute(60, 120), (60, 120, 4));
    assert_eq!(minute(70, 100), (60, 120, 4));
    assert_eq!(minute(70, 121), (60, 180, 8));
    let most = store.edges(&SumFilter { limit: 2, ..all() }, None).unwrap();
    assert_eq!((most.edges.len(), most.total), (2, 5));
}

#[tokio::test]
async fn edges_beyond_the_limit_are_counted_together() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let many = EDGES_A_MINUTE_MAX as u64 + 30;
    let spans: Vec<Span> = (1..=many)
        .map(|n| {
            let span = span("shop").named("GET").in_trace(n).kind(SpanKind::Client);
            let host = format!("shard-{n:04}.example");
            at(1, span.attribute("server.address", host).build())
        })
        .collect();
    put(&store, &spans).await;
    store.seal().unwrap();
    let found = store.edges(&all(), None).unwrap();
    let count: u64 = found.edges.iter().map(|edge| edge.count).sum();
    assert_eq!(
        (found.others, found.total, count),
        (30, EDGES_A_MINUTE_MAX + 1, many)
    );
    let other = &found.edges[0];
    assert_eq!(
        (other.callee.kind, other.callee.name.as_str()),
        (NodeKind::Other, OTHER)
    );
    assert_eq!(other.count, 30);
}

/// A span that may call, or be called, or both.
fn random_span(random: &mut fastrand::Rng, sent: &[Span]) -> Span {
    let services = ["cart", "pay", "mail"];
    let kinds = [
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ];
    let service = services[random.usize(..3)];
    let mut made = span(service)
        .named(["a", "b"][random.usize(..2)])
        .in_trace(1 + random.u64(..40))
        .id(random.u64(1..1 << 40))
        .kind(kinds[random.usize(..5)]);
    if random.bool() {
        made = made.resource_attribute("faas.name", service);
    }
    if let Some(environment) = random
        .choice(["prod", "test", ""])
        .filter(|it| !it.is_empty())
    {
        made = made.resource_attribute("deployment.environment.name", environment);
    }
    for (key, value) in [
        ("server.address", "x.example"),
        ("peer.service", "pay"),
        ("aws.s3.bucket", "photos"),
        ("messaging.destination.name", "jobs"),
        ("http.response.status_code", "429"),
    ] {
        if random.u32(..4) == 0 {
            made = made.attribute(key, value);
        }
    }
    let mut made = made.build();
    if let Some(parent) = random.choice(sent).filter(|_| random.u32(..4) > 0) {
        made.trace_id = parent.trace_id;
        made.parent_id = Some(parent.span_id);
    }
    made.status = [SpanStatus::Ok, SpanStatus::Error][random.usize(..2)];
    made.start = UnixNanos(random.u64(..600 * SECOND));
    made.end = UnixNanos(made.start.0 + random.u64(1..SECOND));
    made
}

/// The same rules once more, over whole spans and without a thought for speed.
fn model(
    spans: &BTreeMap<(TraceId, [u8; 8]), Span>,
    (from, to): (u64, u64),
    environment: Option<&str>,
) -> Vec<String> {
    let place = |span: &Span| {
        let environment = span.resource.attributes.text("deployment.environment.name");
        environment.unwrap_or_default().to_owned()
    };
    let caller = |span: &Span| {
        let function = span.resource.attributes.text("faas.name");
        (
            span.service().to_owned(),
            function.unwrap_or_default().to_owned(),
        )
    };
    let goes_out = |span: &Span| matches!(span.kind, SpanKind::Client | SpanKind::Producer);
    let goes_in = |span: &Span| matches!(span.kind, SpanKind::Server | SpanKind::Consumer);
    let mut sums: BTreeMap<String, [u64; 3]> = BTreeMap::new();
    let mut count =
        |counted: &Span, from_whom: &Span, to_whom: String, failed: bool, many: bool| {
            if !(from * SECOND..to * SECOND).contains(&counted.start.0) {
                return;
            }
            let places = [place(from_whom), place(counted)];
            let place = places.iter().find(|place| !place.is_empty());
            if environment.is_some_and(|only| place.is_none_or(|place| place != only)) {
                return;
            }
            let (service, function) = caller(from_whom);
            let slash = if function.is_empty() { "" } else { "/" };
            let sum = sums
                .entry(format!("{service}{slash}{function} {to_whom}"))
                .or_default();
            sum[0] += 1;
            sum[1] += u64::from(failed);
            sum[2] += u64::from(many);
        };
    let mut answered = Vec::new();
    for child in spans.values() {
        let parent = child.parent_id.map(|id| (child.trace_id, *id.as_bytes()));
        let Some(parent) = parent.and_then(|id| spans.get(&id)) else {
            continue;
        };
        let (a, b) = (caller(parent), caller(child));
        let same = match a.1.is_empty() || b.1.is_empty() {
            true => a.0 == b.0,
            false => a.1 == b.1,
        };
        if child.span_id == parent.span_id || (same && !(goes_out(parent) && goes_in(child))) {
            continue;
        }
        answered.push((parent.trace_id, parent.span_id));
        let to_whom = match b.1.as_str() {
            "" => format!("service {}", b.0),
            function => format!("function {function}"),
        };
        let is_async = parent.kind == SpanKind::Producer || child.kind == SpanKind::Consumer;
        let arrow = if is_async { "~>" } else { "->" };
        let failed = child.status == SpanStatus::Error
            || (goes_out(parent) && parent.status == SpanStatus::Error);
        count(
            child,
            parent,
            format!("{arrow} {to_whom}: {}", child.name),
            failed,
            false,
        );
    }
    for span in spans.values().filter(|span| goes_out(span)) {
        let said = |key| span.attributes.text(key).is_some();
        let is_answered = answered.contains(&(span.trace_id, span.span_id));
        let to_whom = match () {
            () if said("aws.s3.bucket") => "bucket photos",
            () if said("messaging.destination.name") => "queue jobs",
            () if is_answered => continue,
            () if said("peer.service") => "service pay",
            () if said("server.address") => "host x.example",
            () => continue,
        };
        let is_async = span.kind == SpanKind::Producer || to_whom == "queue jobs";
        let arrow = if is_async { "~>" } else { "->" };
        let many = said("http.response.status_code");
        let failed = span.status == SpanStatus::Error;
        count(
            span,
            span,
            format!("{arrow} {to_whom}: {}", span.name),
            failed,
            many,
        );
    }
    let lines = sums
        .into_iter()
        .map(|(edge, [count, errors, throttles])| format!("{edge} {count} {errors} {throttles}"));
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    lines
}

fn check(store: &Store, spans: &BTreeMap<(TraceId, [u8; 8]), Span>, context: &str) {
    for (from, to) in [(0, 1000), (60, 300), (300, 360)] {
        let filter = SumFilter {
            from: UnixNanos(from * SECOND),
            to: UnixNanos(to * SECOND),
            limit: usize::MAX,
            ..SumFilter::default()
        };
        let to = to.next_multiple_of(60);
        for environment in [None, Some("prod"), Some("test"), Some("nowhere")] {
            let found = store.edges(&filter, environment).unwrap();
            assert_eq!(
                show(&found),
                model(spans, (from, to), environment),
                "{context}: {from} to {to} in {environment:?}"
            );
        }
    }
}

/// Random spans, some sent twice: whether they are in a buffer, in a segment or in one that was merged,
/// the edges are those of the spans.
#[tokio::test]
async fn edges_are_those_of_the_spans() {
    for _ in 0..8 {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let mut store = directory.open();
        let mut sent: Vec<Span> = Vec::new();
        let mut known = BTreeMap::new();
        for _ in 0..6 {
            let mut spans: Vec<Span> = Vec::new();
            for _ in 0..60 {
                spans.push(random_span(&mut random, &sent));
                sent.push(spans[spans.len() - 1].clone());
            }
            let mut again = random
                .choose_multiple(&sent, 5)
                .into_iter()
                .cloned()
                .collect();
            spans.append(&mut again);
            for span in &spans {
                known.insert((span.trace_id, *span.span_id.as_bytes()), span.clone());
            }
            random.shuffle(&mut spans);
            put(&store, &spans).await;
        }
        check(&store, &known, &format!("buffered, seed {seed}"));
        store.seal().unwrap();
        check(&store, &known, &format!("sealed, seed {seed}"));
        let again = random.choose_multiple(&sent, 150).into_iter().cloned();
        put(&store, &again.collect::<Vec<_>>()).await;
        store.seal().unwrap();
        store.compact(late()).unwrap();
        check(&store, &known, &format!("merged, seed {seed}"));
        store.close().await.unwrap();
        store = directory.open();
        let found = store.edges(&all(), None).unwrap();
        assert!(
            found.looked.rollups > 0 && found.looked.rollups == found.looked.parts,
            "seed {seed}"
        );
        let mut total = HistogramSum::default();
        found
            .edges
            .iter()
            .for_each(|edge| total.add(&edge.durations.to_bytes()));
        assert_eq!(
            total.total(),
            found.edges.iter().map(|edge| edge.count).sum::<u64>()
        );
    }
}
