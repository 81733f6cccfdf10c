//! Reading by columns gives what reading by rows gives, whatever is sealed.
#![allow(clippy::unwrap_used)]

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, TimestampNanosecondType};
use tempfile::TempDir;
use throughline_store::{Body, Bounds, Kind, Options, ScanColumn, Store};
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{Signal, Span, Value};
use throughline_testkit::builders::{moment, span, trace_id};

fn open() -> (Store, TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    (store, directory)
}

async fn put(store: &Store, spans: &[Span]) {
    let request = Request::Traces(traces_request(spans));
    let body = Body::check(Signal::Traces, request.to_protobuf().into(), usize::MAX).unwrap();
    store.append(body, moment(0), None).await.unwrap();
}

fn read(store: &Store, bounds: &Bounds, columns: &[ScanColumn]) -> Vec<RecordBatch> {
    let parts = store.scan().parts(Signal::Traces, bounds).unwrap();
    let batches = parts.iter().flat_map(|part| {
        let batches: Result<Vec<_>, _> = part.read(columns).unwrap().collect();
        let batches = batches.unwrap();
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        assert_eq!(rows, part.rows());
        batches
    });
    batches.collect()
}

/// Ids, parent, start and duration of a span.
type Row = (Vec<u8>, Vec<u8>, Option<Vec<u8>>, i64, i64);

fn rows(store: &Store, bounds: &Bounds) -> Vec<Row> {
    let columns = ["trace_id", "span_id", "parent_span_id", "start", "duration"];
    let batches = read(store, bounds, &columns.map(ScanColumn::Stored));
    let mut rows = Vec::new();
    for batch in batches {
        let ids = |column: usize| batch.column(column).as_fixed_size_binary();
        let starts = batch.column(3).as_primitive::<TimestampNanosecondType>();
        let durations = batch.column(4).as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            rows.push((
                ids(0).value(row).to_vec(),
                ids(1).value(row).to_vec(),
                ids(2).is_valid(row).then(|| ids(2).value(row).to_vec()),
                starts.value(row),
                durations.value(row),
            ));
        }
    }
    rows.sort();
    rows
}

fn row(span: &Span) -> Row {
    (
        span.trace_id.as_bytes().to_vec(),
        span.span_id.as_bytes().to_vec(),
        span.parent_id.map(|id| id.as_bytes().to_vec()),
        span.start.0.cast_signed(),
        (span.end.0 - span.start.0).cast_signed(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scan_has_what_traces_have() {
    for seed in 0..12 {
        println!("seed {seed}");
        let mut random = fastrand::Rng::with_seed(seed);
        let (store, _directory) = open();
        for _ in 0..6 {
            let spans: Vec<Span> = (0..random.u64(1..40))
                .map(|_| {
                    let (trace, id) = (random.u64(1..5), random.u64(1..30));
                    let mut made = span("shop").in_trace(trace).id(id).at(id * 60_000);
                    if id > 1 {
                        made = made.parent(id / 2);
                    }
                    made.lasting(random.u64(1..4)).build()
                })
                .collect();
            put(&store, &spans).await;
            if random.bool() {
                tokio::task::block_in_place(|| store.seal()).unwrap();
            }
        }
        let mut all = Vec::new();
        for number in 1..5 {
            let trace = store.trace(trace_id(number)).unwrap();
            let mut expect: Vec<Row> = trace.spans.iter().map(row).collect();
            expect.sort();
            let bounds = Bounds {
                trace_id: Some(trace_id(number)),
                ..Bounds::default()
            };
            let mut found = rows(&store, &bounds);
            found.retain(|row| row.0 == trace_id(number).as_bytes());
            assert_eq!(found, expect, "trace {number} with seed {seed}");
            all.extend(expect);
        }
        all.sort();
        assert_eq!(rows(&store, &Bounds::default()), all, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn values_become_what_is_asked_for_without_loss_or_null() {
    let (store, _directory) = open();
    let values = [
        Value::Int(3),
        Value::Double(2.5),
        Value::Double(4.0),
        Value::Bool(true),
        Value::String("5".to_owned()),
        Value::Int(i64::MAX),
        Value::Null,
    ];
    let spans = values.iter().zip(1..).map(|(value, id)| {
        let span = span("shop").id(id).at(id * 10);
        let span = span.attribute("mixed", value.clone());
        span.attribute("ints", 7_i64)
            .resource_attribute("of", "all")
            .build()
    });
    put(&store, &spans.collect::<Vec<_>>()).await;
    for sealed in [false, true] {
        if sealed {
            tokio::task::block_in_place(|| store.seal()).unwrap();
        }
        let scan = store.scan();
        let kind = |key: &str| scan.kind(Signal::Traces, key).unwrap();
        assert_eq!(kind("mixed"), Some(Kind::String));
        assert_eq!(kind("ints"), Some(Kind::Int));
        assert_eq!(kind("of"), Some(Kind::String));
        assert_eq!(kind("none"), None);
        let column = |kind| ScanColumn::Attribute {
            key: "mixed".to_owned(),
            kind,
        };
        let kinds = [Kind::String, Kind::Int, Kind::Double, Kind::Bool].map(column);
        let batches = read(&store, &Bounds::default(), &kinds);
        assert_eq!(batches.len(), 1);
        let texts: Vec<Option<&str>> = batches[0].column(0).as_string::<i32>().iter().collect();
        let max = i64::MAX.to_string();
        let expect = ["3", "2.5", "4.0", "true", "5", &max].map(Some);
        assert_eq!(texts[..6], expect);
        assert_eq!(texts[6], None);
        let ints: Vec<_> = batches[0]
            .column(1)
            .as_primitive::<Int64Type>()
            .iter()
            .collect();
        assert_eq!(
            ints,
            [Some(3), None, Some(4), None, None, Some(i64::MAX), None]
        );
        let doubles: Vec<_> = batches[0]
            .column(2)
            .as_primitive::<Float64Type>()
            .iter()
            .collect();
        assert_eq!(
            doubles,
            [Some(3.0), Some(2.5), Some(4.0), None, None, None, None]
        );
        let bools: Vec<_> = batches[0].column(3).as_boolean().iter().collect();
        assert_eq!(bools[3], Some(true));
        assert_eq!(bools.iter().flatten().count(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn segments_out_of_bounds_are_not_read() {
    let (store, _directory) = open();
    for (number, service) in [(1, "old"), (2, "new")] {
        let span = span(service)
            .in_trace(number)
            .at(number * 3_600_000)
            .build();
        put(&store, &[span]).await;
        tokio::task::block_in_place(|| store.seal()).unwrap();
    }
    let at = |hours: u64| Some(moment(hours * 3_600_000));
    let none = Bounds::default;
    let cases = [
        (none(), 2),
        (
            Bounds {
                from: at(2),
                ..none()
            },
            1,
        ),
        (
            Bounds {
                to: at(1),
                ..none()
            },
            1,
        ),
        (
            Bounds {
                from: at(3),
                ..none()
            },
            0,
        ),
        (
            Bounds {
                service: Some("old".to_owned()),
                ..none()
            },
            1,
        ),
        (
            Bounds {
                name: Some("nobody".to_owned()),
                ..none()
            },
            0,
        ),
        (
            Bounds {
                trace_id: Some(trace_id(2)),
                ..none()
            },
            1,
        ),
    ];
    for (bounds, expect) in cases {
        let parts = store.scan().parts(Signal::Traces, &bounds).unwrap();
        assert_eq!(parts.len(), expect, "{bounds:?}");
    }
}
