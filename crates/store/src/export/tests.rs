use std::collections::BTreeSet;

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampNanosecondType};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use throughline_telemetry::{SpanId, TraceId, Value};
use throughline_testkit::{log, moment, span};

use super::*;
use crate::Store;
use crate::testing::{TestDirectory, point, put, put_logs, try_put};

fn all(signal: Signal) -> ExportFilter {
    ExportFilter {
        signal,
        from: None,
        to: None,
        service: None,
    }
}

/// The rows of an export, and what it says of itself.
fn exported(store: &Store, filter: &ExportFilter) -> (Vec<RecordBatch>, Exported) {
    let mut file = Vec::new();
    let mut last = Exported::default();
    let done = store
        .scan()
        .export(filter, &mut file, &mut |now| last = now);
    let done = done.unwrap();
    assert_eq!(last.rows, done.rows);
    assert_eq!(done.read_rows, done.all_rows);
    let reader = ParquetRecordBatchReaderBuilder::try_new(Bytes::from(file)).unwrap();
    let batches: Vec<RecordBatch> = reader.build().unwrap().map(Result::unwrap).collect();
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(rows as u64, done.rows);
    (batches, done)
}

/// Each row as `column=value`, those that are null left out, sorted.
fn texts(batches: &[RecordBatch]) -> Vec<String> {
    let options = FormatOptions::default();
    let mut rows = Vec::new();
    for batch in batches {
        for row in 0..batch.num_rows() {
            let mut text = Vec::new();
            for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
                if column.is_valid(row) && field.name() != "otlp" {
                    let shown = ArrayFormatter::try_new(column, &options).unwrap();
                    text.push(format!("{}={}", field.name(), shown.value(row)));
                }
            }
            rows.push(text.join(" "));
        }
    }
    rows.sort();
    rows
}

#[tokio::test]
async fn every_column_of_every_signal() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let root = span("shop").named("GET /").at(0).lasting(5);
    let root = root
        .attribute("n", Value::Int(7))
        .attribute("ok", Value::Bool(true))
        .build();
    let mut child = span("shop")
        .child_of(&root)
        .at(1)
        .lasting(2)
        .error()
        .build();
    child.attributes.0 = vec![
        ("b".to_owned(), Value::String("1".to_owned())),
        ("a".to_owned(), Value::Null),
        ("b".to_owned(), Value::Double(2.5)),
    ];
    child.events = vec![throughline_telemetry::Event {
        time: moment(2),
        name: "exception".to_owned(),
        attributes: child.attributes.clone(),
    }];
    child.links = vec![throughline_telemetry::Link {
        trace_id: TraceId::new([1; 16]).unwrap(),
        span_id: SpanId::new([2; 8]).unwrap(),
        trace_state: String::new(),
        attributes: throughline_telemetry::Attributes::default(),
    }];
    put(&store, &[root.clone(), child]).await;
    put_logs(
        &store,
        &[log("shop").says("hello").during(&root).at(3).build()],
    )
    .await;
    try_put(&store, point("queue.depth", moment(4)))
        .await
        .unwrap();
    let unsealed = Signal::ALL.map(|signal| texts(&exported(&store, &all(signal)).0));
    store.seal().unwrap();
    let sealed = Signal::ALL.map(|signal| texts(&exported(&store, &all(signal)).0));
    assert_eq!(sealed[1..], unsealed[1..]);
    expect_test::expect_file!["tests/columns.txt"].assert_eq(&format!("{sealed:#?}\n"));
}

#[tokio::test]
async fn each_row_once_whether_sealed_merged_or_neither() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let mut ids = BTreeSet::new();
    for round in 0..4_u64 {
        let spans: Vec<_> = (0..50)
            .map(|n| {
                let id = round * 40 + n; // ten of each round were sent before
                ids.insert(id);
                let span = span(["shop", "mail"][usize::from(id % 2 == 0)]);
                span.in_trace(id % 7)
                    .id(id + 1)
                    .at(id)
                    .lasting(1 + round)
                    .build()
            })
            .collect();
        put(&store, &spans).await;
        if round < 3 {
            store.seal().unwrap();
        }
        if round == 1 {
            store.compact(moment(1 << 30)).unwrap();
        }
    }
    let (batches, done) = exported(&store, &all(Signal::Traces));
    assert_eq!(done.rows, ids.len() as u64);
    let sum = |name: &str| -> i64 {
        let columns = batches
            .iter()
            .map(|batch| batch.column_by_name(name).unwrap());
        columns
            .flat_map(|column| column.as_primitive::<Int64Type>().values().to_vec())
            .sum()
    };
    // Of a span that was sent twice the one that ended last.
    let expected: i64 = (0..4)
        .map(|round| (1 + round) * if round == 3 { 50 } else { 40 })
        .sum();
    assert_eq!(sum("duration_ns"), expected * 1_000_000);
    // What is asked for, and nothing else.
    let filter = ExportFilter {
        from: Some(moment(20)),
        to: Some(moment(30)),
        service: Some("mail".to_owned()),
        ..all(Signal::Traces)
    };
    let (batches, done) = exported(&store, &filter);
    assert_eq!(done.rows, 5);
    let times = batches.iter().flat_map(|batch| {
        let times = batch.column_by_name("time").unwrap();
        times
            .as_primitive::<TimestampNanosecondType>()
            .values()
            .to_vec()
    });
    let times: Vec<u64> = times.map(i64::cast_unsigned).collect();
    assert_eq!(times.len(), 5);
    assert!(
        times
            .iter()
            .all(|time| (moment(20).0..moment(30).0).contains(time))
    );
    let none = ExportFilter {
        service: Some("nobody".to_owned()),
        ..all(Signal::Logs)
    };
    assert_eq!(exported(&store, &none).1.rows, 0);
}

#[test]
fn times_as_people_write_them() {
    let zero = moment(0).0;
    for (text, nanos) in [
        ("2026-01-01", zero),
        ("2026-01-01T00:00:01Z", zero + 1_000_000_000),
        ("2026-01-01 00:00:00.5", zero + 500_000_000),
        ("2026-01-01T01:00:00+01:00", zero),
    ] {
        assert_eq!(parse_time(text), Ok(UnixNanos(nanos)), "{text}");
    }
    for wrong in ["", "yesterday", "2026", "1969-12-31", "2026-13-01"] {
        assert!(parse_time(wrong).is_err(), "{wrong}");
    }
}
