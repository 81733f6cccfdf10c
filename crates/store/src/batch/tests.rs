use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use proptest::collection::vec;
use proptest::prelude::*;
use throughline_telemetry::{LogRecord, MetricPoint, Signal, Span, UnixNanos};

use super::*;
use crate::rows::LogRow;
use crate::testing::arbitrary::{any_log, any_point, any_span};
use crate::testing::sort_by_key;

fn spans_batch(spans: &[Span]) -> RecordBatch {
    let mut builder = SpanBuilder::default();
    spans.iter().for_each(|span| builder.push(span));
    assert_eq!(builder.len(), spans.len());
    builder.finish()
}

fn logs_batch(logs: &[LogRecord]) -> RecordBatch {
    let mut builder = LogBuilder::default();
    logs.iter().for_each(|log| builder.push(log, UnixNanos(77)));
    assert_eq!(builder.len(), logs.len());
    builder.finish()
}

fn points_batch(points: &[MetricPoint]) -> RecordBatch {
    let mut builder = PointBuilder::default();
    points.iter().for_each(|point| builder.push(point));
    assert_eq!(builder.len(), points.len());
    builder.finish()
}

fn spans_of(batch: &RecordBatch) -> Vec<Span> {
    let (rows, owners) = (SpanRows::new(batch).unwrap(), Owners::read(batch).unwrap());
    (0..rows.len())
        .map(|row| rows.at(&owners, row).unwrap())
        .collect()
}

fn logs_of(batch: &RecordBatch) -> Vec<LogRow> {
    let (rows, owners) = (LogRows::new(batch).unwrap(), Owners::read(batch).unwrap());
    (0..rows.len())
        .map(|row| rows.at(&owners, row).unwrap())
        .collect()
}

fn points_of(batch: &RecordBatch) -> Vec<MetricPoint> {
    let (rows, owners) = (PointRows::new(batch).unwrap(), Owners::read(batch).unwrap());
    (0..rows.len())
        .map(|row| rows.at(&owners, row).unwrap())
        .collect()
}

/// Each text is once in its dictionary, so that keys can be compared instead of texts.
fn assert_distinct(batch: &RecordBatch) {
    for name in ["service", "resource", "scope_name", "scope_version"] {
        let column = batch.column_by_name(name).unwrap();
        assert_distinct_texts(column.as_dictionary::<Int32Type>().values().as_ref());
    }
    let attributes = batch.column_by_name("attributes").unwrap();
    let items = attributes.as_list::<i32>().values().as_struct();
    let keys = items.column_by_name("key").unwrap();
    assert_distinct_texts(keys.as_dictionary::<Int32Type>().values().as_ref());
}

fn assert_distinct_texts(texts: &dyn Array) {
    let texts: Vec<_> = texts.as_string::<i32>().iter().collect();
    let distinct: std::collections::BTreeSet<_> = texts.iter().collect();
    assert_eq!(distinct.len(), texts.len(), "{texts:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn spans_come_back(parts in vec(vec(any_span(), 0..6), 0..4)) {
        let batches: Vec<RecordBatch> = parts.iter().map(|spans| spans_batch(spans)).collect();
        let mut parts = parts;
        parts.iter_mut().flatten().for_each(|span| sort_by_key(&mut span.attributes));
        for (batch, spans) in batches.iter().zip(&parts) {
            prop_assert_eq!(&spans_of(batch), spans);
        }
        let all = concat(Signal::Traces, &batches);
        prop_assert_eq!(spans_of(&all), parts.concat());
        assert_distinct(&all);
        let sorted = sort(Signal::Traces, &all).unwrap();
        let spans = parts.concat();
        let trace_start = |span: &Span| {
            let trace = spans.iter().filter(|other| other.trace_id == span.trace_id);
            trace.map(|span| span.start).min().unwrap()
        };
        let mut expected = spans.clone();
        expected.sort_by_key(|span| (trace_start(span), span.trace_id, span.start));
        prop_assert_eq!(sorted.times, expected.iter().map(trace_start).collect::<Vec<_>>());
        prop_assert_eq!(spans_of(&sorted.batch), expected);
        assert_distinct(&sorted.batch);
    }

    #[test]
    fn logs_come_back(parts in vec(vec(any_log(), 0..6), 0..4)) {
        let batches: Vec<RecordBatch> = parts.iter().map(|logs| logs_batch(logs)).collect();
        let mut parts = parts;
        parts.iter_mut().flatten().for_each(|log| sort_by_key(&mut log.attributes));
        let all = concat(Signal::Logs, &batches);
        let expected: Vec<LogRow> = parts
            .concat()
            .into_iter()
            .map(|log| LogRow::new(log, UnixNanos(77), 0))
            .collect();
        prop_assert_eq!(&logs_of(&all), &expected);
        assert_distinct(&all);
        // A row that has its sequence keeps it.
        let mut numbered = LogBuilder::default();
        let rows: Vec<LogRow> = (0..).zip(expected).map(|(sequence, row)| LogRow { sequence, ..row }).collect();
        rows.iter().rev().for_each(|row| numbered.push_row(row));
        let mut expected = rows;
        expected.sort_by_key(|row| (row.time, row.sequence));
        let sorted = sort(Signal::Logs, &numbered.finish()).unwrap();
        prop_assert_eq!(logs_of(&sorted.batch), expected);
    }

    #[test]
    fn points_come_back(parts in vec(vec(any_point(), 0..6), 0..4)) {
        let batches: Vec<RecordBatch> = parts.iter().map(|points| points_batch(points)).collect();
        let mut parts = parts;
        parts.iter_mut().flatten().for_each(|point| sort_by_key(&mut point.attributes));
        let all = concat(Signal::Metrics, &batches);
        prop_assert_eq!(&points_of(&all), &parts.concat());
        assert_distinct(&all);
        let sorted = sort(Signal::Metrics, &all).unwrap();
        let mut expected = parts.concat();
        expected.sort_by_key(|point| point.time);
        prop_assert_eq!(points_of(&sorted.batch), expected);
    }
}
