use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::{
    Attributes, Event, Link, LogRecord, MetricPoint, Resource, Scope, Span, SpanId, SpanKind,
    SpanStatus, TraceId, UnixNanos, Value,
};

use super::form::{Form, ToFile, from_file};
use super::promotion::{Counts, Kind, Promoted};
use super::spans::SpanTable;
use super::table::Table;
use super::*;
use crate::buffer::{Buffer, Entry};
use crate::directory::Directory;
use crate::probe::Probe;
use crate::rows::{LogRow, Rows};
use crate::testing::TestDirectory;

/// A directory with the segments of these rows.
struct Written {
    _directory: TestDirectory,
    files: SegmentFiles,
    segments: Vec<SegmentMeta>,
}

fn write(rows: Rows) -> Written {
    let directory = TestDirectory::new();
    let layout = Directory::open(directory.path()).unwrap().layout();
    let buffer = Buffer::new(3);
    buffer.insert([Entry {
        rows,
        received: UnixNanos(77),
        cost: 0,
        items: 0,
        origin: None,
    }]);
    let segments = write_all(&layout, &Probe::default(), 3, &buffer.rows()).unwrap();
    Written {
        _directory: directory,
        files: SegmentFiles::new(layout),
        segments,
    }
}

#[test]
fn file_names_name_their_segment() {
    let directory = TestDirectory::new();
    let layout = Directory::open(directory.path()).unwrap().layout();
    let id = SegmentId::new(7, 12);
    for path in paths(&layout, Signal::Logs, id) {
        assert_eq!(id_of_file(&path), Some(id));
        assert_eq!(id_of_file(&path.with_added_extension("new")), Some(id));
    }
    for other in [
        "",
        "notes.txt",
        "spans-1.parquet",
        "spans-x-001.parquet",
        "spans-1-2-3.index",
    ] {
        assert_eq!(id_of_file(Path::new(other)), None, "{other}");
    }
}

#[test]
fn parents_are_ordinals_where_they_can_be() {
    use throughline_testkit::{span, span_id};
    let root = span("a").id(1).at(0).lasting(50).build();
    let child = span("a").child_of(&root).id(2).at(5).build();
    let orphan = span("a").parent(99).id(3).at(6).build();
    let early = span("a").child_of(&child).id(4).at(1).build();
    let spans = vec![orphan, early, child, root];
    let written = write(Rows::Spans(spans.clone()));
    let read = written
        .files
        .trace_spans(&written.segments[0], spans[0].trace_id)
        .unwrap();
    let parents: Vec<_> = read.iter().map(|span| span.parent_id).collect();
    assert_eq!(
        parents,
        [None, Some(span_id(2)), Some(span_id(1)), Some(span_id(99))]
    );
}

#[test]
fn a_trace_larger_than_a_batch_and_a_block_is_whole() {
    use throughline_testkit::span;
    let mut spans: Vec<Span> = Vec::new();
    for number in 0..20_000_u64 {
        let parent = number.checked_sub(1);
        let next = span("a").in_trace(5).id(number).at(number / 100);
        let next = parent.map_or(next.clone(), |parent| next.parent(parent));
        spans.push(next.build());
        if number % 1000 == 0 {
            spans.push(span("b").in_trace(1000 + number).at(number / 100).build());
        }
    }
    let written = write(Rows::Spans(spans.clone()));
    let [segment] = written.segments.as_slice() else {
        panic!("one window makes one segment")
    };
    let index = written.files.index(segment).unwrap();
    for id in [5, 1000, 8000].map(throughline_testkit::trace_id) {
        let want: Vec<&Span> = spans.iter().filter(|span| span.trace_id == id).collect();
        let read = written.files.trace_spans(segment, id).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), want);
        let trace = index.trace(id).unwrap();
        let block = written.files.block_spans(segment, &index, trace).unwrap();
        assert_eq!(block.iter().map(|span| &**span).collect::<Vec<_>>(), want);
    }
    let unknown = throughline_testkit::trace_id(4);
    assert_eq!(written.files.trace_spans(segment, unknown).unwrap(), []);
}

#[test]
fn a_damaged_index_is_told_from_a_good_one() {
    let mut index = index::IndexSerializer::default();
    index.push(None, UnixNanos(1), UnixNanos(1));
    index.push(
        Some(TraceId::new([1; 16]).unwrap()),
        UnixNanos(2),
        UnixNanos(9),
    );
    let bytes = index.finish(index::Layout::Scattered);
    assert_eq!(bytes.len(), 4 + 12 + 40 + 4 + 4);
    TraceIndex::read(&bytes).unwrap();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        TraceIndex::read(&flipped).unwrap_err();
    }
    for cut in 0..bytes.len() {
        TraceIndex::read(&bytes[..cut]).unwrap_err();
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("not equal to itself", |n| !n.is_nan())
            .prop_map(Value::Double),
        ".{0,12}".prop_map(Value::String),
        vec(any::<u8>(), 0..6).prop_map(Value::Bytes),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let pairs = vec((key(), inner.clone()), 0..4);
        prop_oneof![
            vec(inner, 0..4).prop_map(Value::Array),
            pairs.prop_map(|pairs| Value::Map(Attributes(pairs))),
        ]
    })
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-c]".prop_map(String::from),
        "\\$(bytes|double|map|x)".prop_map(String::from),
        ".{0,6}".prop_map(String::from),
    ]
}

fn any_attributes() -> impl Strategy<Value = Attributes> {
    vec((key(), any_value()), 0..4).prop_map(Attributes)
}

fn any_time() -> impl Strategy<Value = UnixNanos> {
    let usual = 1_700_000_000_000_000_000..1_700_000_000_100_000_000_u64;
    prop_oneof![8 => usual, 1 => Just(0), 1 => any::<u64>()].prop_map(UnixNanos)
}

fn any_trace_id() -> impl Strategy<Value = TraceId> {
    (1..4_u8).prop_map(|number| TraceId::new([number; 16]).unwrap())
}

fn any_span_id() -> impl Strategy<Value = SpanId> {
    (1..9_u8).prop_map(|number| SpanId::new([number; 8]).unwrap())
}

fn any_resource() -> impl Strategy<Value = Arc<Resource>> {
    any_attributes().prop_map(|attributes| Arc::new(Resource { attributes }))
}

fn any_scope() -> impl Strategy<Value = Arc<Scope>> {
    ("[ab]{0,2}", "[12]{0,2}").prop_map(|(name, version)| Arc::new(Scope { name, version }))
}

fn any_event() -> impl Strategy<Value = Event> {
    (any_time(), ".{0,8}", any_attributes()).prop_map(|(time, name, attributes)| Event {
        time,
        name,
        attributes,
    })
}

fn any_link() -> impl Strategy<Value = Link> {
    let parts = (any_trace_id(), any_span_id(), ".{0,4}", any_attributes());
    parts.prop_map(|(trace_id, span_id, trace_state, attributes)| Link {
        trace_id,
        span_id,
        trace_state,
        attributes,
    })
}

prop_compose! {
    fn any_span()(
        (trace_id, span_id) in (any_trace_id(), any_span_id()),
        parent_id in proptest::option::of(any_span_id()),
        (trace_state, name, status_message) in (".{0,4}", ".{0,8}", ".{0,8}"),
        (kind, status) in (0..6_i32, 0..3_i32),
        (start, end) in (any_time(), any_time()),
        attributes in any_attributes(),
        events in vec(any_event(), 0..3),
        links in vec(any_link(), 0..3),
        (resource, scope) in (any_resource(), any_scope()),
    ) -> Span {
        Span {
            trace_id, span_id, parent_id, trace_state, name,
            kind: SpanKind::from_number(kind),
            start, end,
            status: SpanStatus::from_number(status),
            status_message, attributes, events, links, resource, scope,
        }
    }
}

prop_compose! {
    fn any_log()(
        (time, observed_time) in (any_time(), any_time()),
        severity_number in 0..25_u8,
        (severity_text, event_name) in (".{0,8}", ".{0,8}"),
        body in any_value(),
        attributes in any_attributes(),
        trace_id in proptest::option::of(any_trace_id()),
        span_id in proptest::option::of(any_span_id()),
        (resource, scope) in (any_resource(), any_scope()),
    ) -> LogRecord {
        LogRecord {
            time, observed_time, severity_number, severity_text, body, attributes,
            trace_id, span_id, event_name, resource, scope,
        }
    }
}

prop_compose! {
    fn any_point()(
        (name, unit) in (".{0,8}", ".{0,3}"),
        kind in 1..6_u8,
        (time, start) in (any_time(), any_time()),
        attributes in any_attributes(),
        value in any::<f64>().prop_filter("not equal to itself", |n| !n.is_nan()),
        count in any::<u64>(),
        otlp in vec(any::<u8>(), 0..9),
        (resource, scope) in (any_resource(), any_scope()),
    ) -> MetricPoint {
        MetricPoint {
            name, unit,
            kind: MetricKind::from_number(kind).unwrap(),
            time, start, attributes, value, count, otlp, resource, scope,
        }
    }
}

/// Attributes as a file gives them back: sorted by key, values of one key in their order.
fn sorted(attributes: &mut Attributes) {
    attributes.0.sort_by(|a, b| a.0.cmp(&b.0));
}

/// The same rows, whatever their order.
fn assert_same<T: std::fmt::Debug>(written: &[T], read: &[T]) {
    let text = |rows: &[T]| {
        let mut lines: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        lines.sort();
        lines.join("\n")
    };
    assert_eq!(text(written), text(read));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn values_come_back(value in any_value()) {
        let (tag, text) = value::to_text(&value);
        prop_assert_eq!(value::from_text(tag, &text).unwrap(), value);
    }

    #[test]
    fn attributes_come_back(attributes in any_attributes()) {
        let json = value::attributes_to_json(&attributes);
        prop_assert_eq!(value::attributes_from_json(&json).unwrap(), attributes);
    }

    #[test]
    fn spans_come_back(spans in vec(any_span(), 1..24)) {
        let written = write(Rows::Spans(spans.clone()));
        let mut read = Vec::new();
        for segment in &written.segments {
            let index = written.files.index(segment).unwrap();
            for trace in (0..).map_while(|place| index.nth_newest(place)) {
                let spans = written.files.trace_spans(segment, trace.trace_id).unwrap();
                let block = written.files.block_spans(segment, &index, trace).unwrap();
                prop_assert_eq!(spans.iter().collect::<Vec<_>>(), block.iter().map(|span| &**span).collect::<Vec<_>>());
                prop_assert_eq!(spans.iter().map(|span| span.start).min(), Some(trace.start));
                prop_assert_eq!(spans.iter().map(|span| span.end).max(), Some(trace.end));
                read.extend(spans);
            }
        }
        let mut spans = spans;
        spans.iter_mut().for_each(|span| sorted(&mut span.attributes));
        assert_same(&spans, &read);
    }

    #[test]
    fn logs_come_back(logs in vec(any_log(), 1..24)) {
        let written = write(Rows::Logs(logs.clone()));
        let mut read: Vec<LogRow> = Vec::new();
        for segment in &written.segments {
            for number in 0..blocks(segment) {
                let block = written.files.log_block(segment, number).unwrap();
                read.extend(block.iter().map(|row| LogRow::clone(row)));
            }
            for number in 1..4 {
                let id = TraceId::new([number; 16]).unwrap();
                for row in written.files.trace_logs(segment, id).unwrap() {
                    prop_assert_eq!(row.record.trace_id, Some(id));
                    prop_assert!(read.contains(&row));
                }
            }
        }
        prop_assert!(read.is_sorted_by_key(|row| (row.time, row.sequence)));
        let records: Vec<LogRecord> = read.into_iter().map(|row| row.record).collect();
        let mut logs = logs;
        logs.iter_mut().for_each(|log| sorted(&mut log.attributes));
        assert_same(&logs, &records);
    }

    #[test]
    fn metric_points_come_back(points in vec(any_point(), 1..24)) {
        let written = write(Rows::Metrics(points.clone()));
        let mut read = Vec::new();
        for segment in &written.segments {
            for number in 0..blocks(segment) {
                read.extend(written.files.metric_block(segment, number).unwrap());
            }
        }
        let mut points = points;
        points.iter_mut().for_each(|point| sorted(&mut point.attributes));
        assert_same(&points, &read);
    }

    /// Whatever has a column: canonical to file and back gives equal rows.
    #[test]
    fn a_form_keeps_rows(
        spans in vec(any_span(), 1..24),
        chosen in vec((key(), 0..4_usize), 0..12),
    ) {
        let mut spans = spans;
        spans.sort_by_key(|span| span.trace_id);
        let mut promoted: Vec<Promoted> = chosen
            .into_iter()
            .map(|(key, kind)| Promoted { key, kind: Kind::ALL[kind] })
            .collect();
        promoted.sort();
        promoted.dedup();
        let form = Form { promoted };
        let rows: Vec<Arc<Span>> = spans.iter().cloned().map(Arc::new).collect();
        let canonical = SpanTable::encode(&rows).unwrap();
        let to_file = ToFile::new(&form, &SpanTable::schema());
        let file = to_file.batch(&canonical).unwrap();
        let back = from_file(&form, &file).unwrap();
        prop_assert_eq!(back.schema(), canonical.schema());
        let read = SpanTable::decode(&back).unwrap();
        spans.iter_mut().for_each(|span| sorted(&mut span.attributes));
        prop_assert_eq!(read, spans);
        // What is sorted already stays as it is.
        let again = from_file(&form, &to_file.batch(&back).unwrap()).unwrap();
        prop_assert_eq!(SpanTable::decode(&again).unwrap(), SpanTable::decode(&back).unwrap());
    }
}

#[test]
fn columns_are_for_what_many_rows_have_or_people_ask_for() {
    use throughline_testkit::span;
    let rows: Vec<Arc<Span>> = (0..1000_u64)
        .map(|number| {
            let mut row = span("a").id(number).attribute("app.common", "x");
            if number % 50 == 0 {
                row = row.attribute(
                    "app.mixed",
                    if number == 0 {
                        "a".into()
                    } else {
                        Value::Int(1)
                    },
                );
            }
            if number == 7 {
                row = row.attribute("http.route", "/").attribute("app.rare", 1);
                row = row
                    .attribute("app.common#int", "x")
                    .attribute("app.list", Value::Array(vec![]));
            }
            Arc::new(row.build())
        })
        .collect();
    let mut counts = Counts::default();
    counts.add(&SpanTable::encode(&rows).unwrap()).unwrap();
    let columns: Vec<String> = counts.promoted().iter().map(Promoted::column).collect();
    assert_eq!(columns, ["a.app.common", "a.app.mixed#int", "a.http.route"]);
}
