//! Data directories of every released format must open and read the same for ever.
//!
//! `tests/compat/v1` to `v5` were written by [`write_sample`] when the formats were new, and so was
//! `catalog5` and `catalog6` when a catalog had seen five and six migrations. A sample is never written a second
//! time.

#![allow(clippy::unwrap_used)] // the helpers of a test are tests too

use std::fs;
use std::path::{Path, PathBuf};

use throughline_store::{
    Body, CompletenessFilter, EnvironmentId, Ledger, MetricFilter, OperationFilter, Options,
    Origin, Search, SearchQuery, Sequence, ServiceFilter, Store, Stored, SumFilter, TraceFilter,
};
use throughline_telemetry::correlation::End;
use throughline_telemetry::wire::{Request, logs_request, otlp, traces_request};
use throughline_telemetry::{Attributes, LogRecord, Signal, Span, UnixNanos, Value};
use throughline_testkit::{log, moment, span};

#[tokio::test]
async fn format_1_reads_as_it_was_written() {
    let (_directory, store) = open("v1", 2);
    check(&store, "v1");
    assert_eq!(completeness(&store), "");
    store.seal().unwrap();
    check(&store, "v1");
    // From now on it is one of the newest format.
    let numbered = put_from(&store, metric(), origin(1)).await;
    assert_eq!(numbered, Stored::New);
}

/// Besides what is in format 1: who sent the bodies, in the catalog and in the WAL.
#[tokio::test]
async fn format_2_reads_as_it_was_written() {
    with_origins("v2").await;
}

/// The same in segments whose attributes have columns.
#[tokio::test]
async fn format_3_reads_as_it_was_written() {
    with_origins("v3").await;
}

/// The same with indexes that have parts.
#[tokio::test]
async fn format_4_reads_as_it_was_written() {
    with_origins("v4").await;
}

/// The same with the ids of environments in a column of their own, and sums less what follows from others.
#[tokio::test]
async fn format_5_reads_as_it_was_written() {
    if !sample("v5").exists() {
        write_sample("v5").await;
        panic!("the sample was missing and has been written");
    }
    with_origins("v5").await;
    let (_directory, store) = open("v5", 3);
    let filter = OperationFilter {
        from: UnixNanos(0),
        to: UnixNanos(moment(0).0.next_multiple_of(60_000_000_000) + 60_000_000_000),
        service: None,
        environment: None,
        limit: 10,
    };
    let found = store.operations(&filter).unwrap();
    assert_eq!((found.looked.parts, found.looked.rollups), (2, 1));
    // Which environments there were, only the rows say.
    let of_one = OperationFilter {
        environment: Some("prod".to_owned()),
        ..filter.clone()
    };
    let of_one = store.operations(&of_one).unwrap();
    assert_eq!(
        (of_one.looked.parts, of_one.looked.rollups, of_one.total),
        (2, 0, 0)
    );
    let sums = found.operations.iter().map(|sums| {
        let name = sums.name.as_str();
        (name, sums.count, sums.sum_ms, sums.durations.total())
    });
    let mut sums: Vec<_> = sums.collect();
    sums.sort_by(|one, other| one.0.cmp(other.0));
    let (root, child, late) = (("GET /", 1, 120.0, 1), ("reserve", 1, 80.0, 1), "retry");
    assert_eq!((sums[0], sums[1], sums[2].0), (root, child, late));
}

/// The same with what was summed up beside the rows: rollups, edges and censuses.
#[tokio::test]
async fn catalog_5_reads_as_it_was_written() {
    if !sample("catalog5").exists() {
        write_sample("catalog5").await;
        panic!("the sample was missing and has been written");
    }
    with_origins("catalog5").await;
    let (_directory, store) = open("catalog5", 3);
    let filter = SumFilter {
        from: moment(0),
        to: moment(1000),
        limit: 10,
        ..SumFilter::default()
    };
    let found = store.edges(&filter, None).unwrap();
    let of_one = store.edges(&filter, Some("prod")).unwrap();
    assert_eq!(
        (of_one.looked.parts, of_one.looked.rollups, of_one.total),
        (2, 0, 0)
    );
    // The span that is in a buffer is another half.
    assert_eq!(
        (found.looked.parts, found.looked.rollups, found.total),
        (2, 1, 1)
    );
    let edge = &found.edges[0];
    let ends = (edge.caller.function.as_str(), edge.callee.name.as_str());
    assert_eq!(ends, ("checkout", "inventory"));
    let sums = (
        edge.operation.as_str(),
        edge.count,
        edge.errors,
        edge.sum_ms,
    );
    assert_eq!(sums, ("reserve", 1, 1, 80.0));
    assert_eq!(edge.durations.total(), 1);
}

/// The same with indexes of links. One of before is looked through instead.
#[tokio::test]
async fn catalog_6_reads_as_it_was_written() {
    if !sample("catalog6").exists() {
        write_sample("catalog6").await;
        panic!("the sample was missing and has been written");
    }
    with_origins("catalog6").await;
    let [sealed, _] = spans("catalog6");
    let end = End::LinkTo(sealed[0].trace_id);
    let ends = [end, End::In("sqs:1".to_owned())];
    for version in ["catalog5", "catalog6"] {
        let (_directory, store) = open(version, 3);
        let found = store.traces(|traces| traces.linked(&ends)).unwrap();
        assert_eq!(found.traces, [vec![sealed[0].trace_id], vec![]]);
    }
    let links = sample("catalog6/rollups/spans-0000000001-000.links");
    assert_eq!(fs::read(links).unwrap()[0], 1, "its version");
}

/// A new index need not be as long as the old one was.
#[tokio::test]
async fn an_old_index_that_was_made_again_is_taken_for_good() {
    let directory = tempfile::tempdir().unwrap();
    copy(&sample("v3"), directory.path());
    let index = directory.path().join("segments/spans-0000000001-000.index");
    fs::write(&index, "").unwrap();
    let made_again = {
        let (store, recovery) = Store::open(Options::new(directory.path())).unwrap();
        assert_eq!((store.damaged().len(), recovery.frames), (1, 3));
        check(&store, "v3");
        fs::read(&index).unwrap()
    };
    let directory = tempfile::tempdir().unwrap();
    copy(&sample("v3"), directory.path());
    let index = directory.path().join("segments/spans-0000000001-000.index");
    assert_ne!(fs::read(&index).unwrap().len(), made_again.len());
    fs::write(&index, made_again).unwrap();
    let (store, recovery) = Store::open(Options::new(directory.path())).unwrap();
    assert_eq!((store.damaged(), recovery.frames), (Vec::new(), 3));
    check(&store, "v3");
}

async fn with_origins(version: &str) {
    let (_directory, store) = open(version, 3);
    for _ in 0..2 {
        check(&store, version);
        let said = "checkout: 5 of 10; 2-2 Some(3) rejected; 6-6 Some(2) unknown; rejected 3";
        assert_eq!(completeness(&store), said);
        for number in [1, 3, 4, 5] {
            let again = put_from(&store, metric(), origin(number)).await;
            assert_eq!(again, Stored::Already, "{number}");
        }
        store.seal().unwrap();
    }
}

fn open(version: &str, frames: u64) -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    copy(&sample(version), directory.path());
    let (store, recovery) = Store::open(Options::new(directory.path())).unwrap();
    assert_eq!((recovery.frames, recovery.skipped_bytes), (frames, 0));
    assert_eq!(recovery.notes, Vec::<String>::new());
    (directory, store)
}

fn completeness(store: &Store) -> String {
    let report = store.completeness(&CompletenessFilter::default()).unwrap();
    let functions = report.functions.iter().map(|function| {
        let (received, accepted) = (function.received, function.accepted);
        let mut said = format!("{}: {received} of {accepted}", function.function);
        for (_, _, missing) in &function.missing {
            let (first, last) = missing.numbers.unwrap();
            let (items, why) = (missing.items, missing.why.name());
            said += &format!("; {first}-{last} {items:?} {why}");
        }
        for (reason, items) in &function.dropped {
            said += &format!("; {reason} {items}");
        }
        said
    });
    functions.collect()
}

fn origin(number: u64) -> Origin {
    let ledger = format!(
        r#"{{"v":1,"revision":{number},"sealed":6,"accepted":10,"delivered":7,"dropped":{{"rejected":3}},"gone":[[2,2,"rejected",3]],"final":true}}"#
    );
    let environment = EnvironmentId::try_new("0192d4e0-7f1a-7c3b-9a55-0f6f2f0f9b11").unwrap();
    Origin {
        environment,
        sequence: Sequence::try_new(number),
        function: "checkout".to_owned(),
        ledger: Some(Ledger::parse(&ledger).unwrap()),
    }
}

fn check(store: &Store, version: &str) {
    let [sealed, buffered] = spans(version);
    let mut trace = store.trace(sealed[0].trace_id).unwrap();
    let mut spans = [sealed, buffered].concat();
    for span in spans.iter_mut().chain(&mut trace.spans) {
        sort(&mut span.attributes);
    }
    assert_eq!(trace.spans, spans);
    let mut logs = logs(version).concat();
    for log in logs.iter_mut().chain(&mut trace.logs) {
        sort(&mut log.attributes);
    }
    assert_eq!(trace.logs, logs);
    let page = store.find_traces(&TraceFilter::default()).unwrap();
    assert_eq!((page.total, page.traces[0].1.len()), (1, 3));
    let search: Search<LogRecord> = Search::new(&store.scan(), SearchQuery::default()).unwrap();
    search.work().unwrap();
    assert_eq!(search.finish().unwrap().unwrap().total, 2);
    let page = store.find_metrics(&MetricFilter::default()).unwrap();
    let points: Vec<(&str, f64)> = page
        .points
        .iter()
        .map(|p| (p.name.as_str(), p.value))
        .collect();
    assert_eq!(points, [("queue.length", 7.0)]);
    let services = store.services(&ServiceFilter::default()).unwrap().services;
    let counts: Vec<_> = services
        .iter()
        .map(|row| (row.name.as_str(), row.span_count))
        .collect();
    assert_eq!(counts, [("checkout", 2), ("inventory", 1)]);
}

/// The order of attributes means nothing, and is not kept.
fn sort(attributes: &mut Attributes) {
    attributes.0.sort_by(|a, b| a.0.cmp(&b.0));
}

/// Writes the sample of the present format.
async fn write_sample(name: &str) {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    let [sealed, buffered] = spans(name);
    let [sealed_logs, buffered_logs] = logs(name);
    put_from(&store, Request::Traces(traces_request(&sealed)), origin(1)).await;
    put_from(&store, Request::Logs(logs_request(&sealed_logs)), origin(3)).await;
    put(&store, metric()).await;
    store.seal().unwrap();
    put_from(
        &store,
        Request::Traces(traces_request(&buffered)),
        origin(4),
    )
    .await;
    put_from(
        &store,
        Request::Logs(logs_request(&buffered_logs)),
        origin(5),
    )
    .await;
    let empty = Request::from_protobuf(Signal::Traces, b"").unwrap();
    let unnumbered = Origin {
        sequence: None,
        ..origin(7)
    };
    put_from(&store, empty, unnumbered).await;
    drop(store);
    let sample = sample(name);
    assert!(!sample.exists(), "a sample is never written a second time");
    copy(directory.path(), &sample);
}

/// Samples whose resources have no ids of environments.
const OLDER: [&str; 6] = ["v1", "v2", "v3", "v4", "catalog5", "catalog6"];

/// Spans with something in every field: what is sealed, and what is still in the WAL.
fn spans(version: &str) -> [Vec<Span>; 2] {
    let mut nested = Attributes::default();
    nested.set("$bytes", Value::Bytes(vec![0, 255]));
    let values = [
        Value::Null,
        Value::Bool(true),
        Value::Double(0.1),
        Value::Map(nested),
    ];
    let mut root = span("checkout")
        .named("GET /")
        .at(0)
        .lasting(120)
        .attribute("http.response.status_code", 200)
        .attribute("list", Value::Array(values.to_vec()))
        .resource_attribute("faas.name", "checkout")
        .scope("library", "1.2");
    if !OLDER.contains(&version) {
        root = root.resource_attribute("faas.instance", "2026/11/22/[$LATEST]ab12");
    }
    let mut root = root.build();
    root.trace_state = "a=b".to_owned();
    let child = span("inventory")
        .named("reserve")
        .child_of(&root)
        .at(10)
        .lasting(80);
    let mut child = child.error().event("exception", 50).link(&root).build();
    child.status_message = "sold out".to_owned();
    child.events[0]
        .attributes
        .set("exception.message", "sold out");
    let late = span("checkout")
        .named("retry")
        .child_of(&child)
        .parent(99)
        .at(100)
        .build();
    [vec![root, child], vec![late]]
}

fn logs(version: &str) -> [Vec<LogRecord>; 2] {
    let [sealed, _] = spans(version);
    let line = log("checkout").says("hello").during(&sealed[0]).at(5);
    let line = line.attribute("attempt", 1).scope("console", "").build();
    let mut body = Attributes::default();
    body.set("sku", "book-1");
    let structured = log("inventory")
        .says(Value::Map(body))
        .severity(17, "ERROR");
    let mut structured = structured.during(&sealed[1]).at(60).build();
    structured.event_name = "stock.empty".to_owned();
    structured.observed_time = UnixNanos(0);
    [vec![line], vec![structured]]
}

fn metric() -> Request {
    use otlp::metrics::v1::{
        Gauge, Metric, NumberDataPoint, ResourceMetrics, ScopeMetrics, metric::Data,
        number_data_point::Value as Number,
    };
    let point = NumberDataPoint {
        time_unix_nano: moment(7).0,
        value: Some(Number::AsInt(7)),
        ..Default::default()
    };
    let metric = Metric {
        name: "queue.length".to_owned(),
        data: Some(Data::Gauge(Gauge {
            data_points: vec![point],
        })),
        ..Default::default()
    };
    let scope_metrics = vec![ScopeMetrics {
        metrics: vec![metric],
        ..Default::default()
    }];
    let resource_metrics = vec![ResourceMetrics {
        scope_metrics,
        ..Default::default()
    }];
    Request::Metrics(otlp::ExportMetricsServiceRequest { resource_metrics })
}

fn body(request: Request) -> Body {
    Body::check(request.signal(), request.to_protobuf().into(), 1 << 20).unwrap()
}

async fn put(store: &Store, request: Request) {
    store.append(body(request), moment(1), None).await.unwrap();
}

async fn put_from(store: &Store, request: Request, origin: Origin) -> Stored {
    let stored = store.append(body(request), moment(1), Some(origin));
    stored.await.unwrap()
}

fn sample(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/compat")
        .join(version)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else if entry.file_name() != "lock" {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
