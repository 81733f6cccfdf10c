//! Data directories of every released format must open and read the same for ever.
//!
//! `tests/compat/v1` was written by [`write_sample`] when the format was new. A sample is never
//! written a second time.

#![allow(clippy::unwrap_used)] // the helpers of a test are tests too

use std::fs;
use std::path::{Path, PathBuf};

use throughline_store::{LogFilter, MetricFilter, Options, Store, TraceFilter};
use throughline_telemetry::wire::{Request, logs_request, otlp, traces_request};
use throughline_telemetry::{Attributes, LogRecord, Span, UnixNanos, Value};
use throughline_testkit::{log, moment, span};

#[tokio::test]
async fn format_1_reads_as_it_was_written() {
    if !sample().exists() {
        write_sample().await;
        panic!("{} was missing and has been written", sample().display());
    }
    let directory = tempfile::tempdir().unwrap();
    copy(&sample(), directory.path());
    let (store, recovery) = Store::open(Options::new(directory.path())).unwrap();
    assert_eq!((recovery.frames, recovery.skipped_bytes), (2, 0));
    assert_eq!(recovery.notes, Vec::<String>::new());
    check(&store);
    store.seal().unwrap();
    check(&store);
}

fn check(store: &Store) {
    let [sealed, buffered] = spans();
    let trace = store.trace(sealed[0].trace_id).unwrap();
    assert_eq!(
        trace.spans,
        [sealed.as_slice(), buffered.as_slice()].concat()
    );
    assert_eq!(trace.logs, logs().concat());
    let page = store.find_traces(&TraceFilter::default()).unwrap();
    assert_eq!((page.total, page.traces[0].1.len()), (1, 3));
    let page = store.find_logs(&LogFilter::default()).unwrap();
    assert_eq!(page.total, 2);
    let page = store.find_metrics(&MetricFilter::default()).unwrap();
    let points: Vec<(&str, f64)> = page
        .points
        .iter()
        .map(|p| (p.name.as_str(), p.value))
        .collect();
    assert_eq!(points, [("queue.length", 7.0)]);
    let services = store.services().unwrap();
    let counts: Vec<_> = services
        .iter()
        .map(|row| (row.name.as_str(), row.span_count))
        .collect();
    assert_eq!(counts, [("checkout", 2), ("inventory", 1)]);
}

/// Writes the sample of the present format.
async fn write_sample() {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    let [sealed, buffered] = spans();
    let [sealed_logs, buffered_logs] = logs();
    put(&store, Request::Traces(traces_request(&sealed))).await;
    put(&store, Request::Logs(logs_request(&sealed_logs))).await;
    put(&store, metric()).await;
    store.seal().unwrap();
    put(&store, Request::Traces(traces_request(&buffered))).await;
    put(&store, Request::Logs(logs_request(&buffered_logs))).await;
    drop(store);
    assert!(
        !sample().exists(),
        "a sample is never written a second time"
    );
    copy(directory.path(), &sample());
}

/// Spans with something in every field: what is sealed, and what is still in the WAL.
fn spans() -> [Vec<Span>; 2] {
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
        .scope("library", "1.2")
        .build();
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

fn logs() -> [Vec<LogRecord>; 2] {
    let [sealed, _] = spans();
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

async fn put(store: &Store, request: Request) {
    let body = request.to_protobuf().into();
    let stored = store.append(request.signal(), body, request, moment(1));
    stored.await.unwrap();
}

fn sample() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compat/v1")
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
