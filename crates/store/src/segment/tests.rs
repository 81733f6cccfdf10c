use proptest::collection::vec;
use proptest::prelude::*;
use throughline_telemetry::{LogRecord, Span, TraceId, UnixNanos, Value};

use super::form::{Form, ToFile, from_file};
use super::promotion::{Counts, Kind, Promoted};
use super::spans::SpanTable;
use super::table::Table;
use super::*;
use crate::buffer::{Buffer, Entry, Group};
use crate::directory::Directory;
use crate::probe::Probe;
use crate::rows::{LogRow, Rows};
use crate::testing::arbitrary::{any_attributes, any_log, any_point, any_span, any_value, key};
use crate::testing::{TestDirectory, log_rows, point_rows, sort_by_key, span_batch, span_rows};

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
    buffer.insert(Group::new([Entry {
        rows,
        received: UnixNanos(77),
        cost: 0,
        items: 0,
        origin: None,
    }]));
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
    let written = write(span_rows(&spans));
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
    let written = write(span_rows(&spans));
    let [segment] = written.segments.as_slice() else {
        panic!("one window makes one segment")
    };
    let index = written.files.index(segment).unwrap();
    for id in [5, 1000, 8000].map(throughline_testkit::trace_id) {
        let want: Vec<&Span> = spans.iter().filter(|span| span.trace_id == id).collect();
        let read = written.files.trace_spans(segment, id).unwrap();
        assert_eq!(read.iter().collect::<Vec<_>>(), want);
        let trace = index.trace(id).unwrap();
        assert_eq!(written.files.trace(segment, id).unwrap(), Some(*trace));
        let spans = written.files.spans_at(segment, trace.rows()).unwrap();
        assert_eq!(spans.iter().map(|span| &**span).collect::<Vec<_>>(), want);
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
    let mut file = checks::Checks::default();
    file.add(b"rows");
    let bytes = index.finish(index::Layout::Scattered, &file, Some(vec![7; 9]));
    index::TraceIndex::read(&bytes).unwrap();
    for bit in 0..8 * bytes.len() {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        index::TraceIndex::read(&flipped).unwrap_err();
    }
    for cut in 0..bytes.len() {
        index::TraceIndex::read(&bytes[..cut]).unwrap_err();
    }
}

/// What is read is what was written, or the damage is named.
#[test]
fn a_flipped_byte_is_found_wherever_it_is_read() {
    use throughline_testkit::span;
    let spans: Vec<Span> = (0..400_u64)
        .map(|number| {
            let span = span("a").in_trace(number / 8 + 1).id(number + 1);
            span.attribute("order", number.to_string()).build()
        })
        .collect();
    let written = write(span_rows(&spans));
    let segment = &written.segments[0];
    let ids: Vec<TraceId> = (1..=50).map(throughline_testkit::trace_id).collect();
    let good: Vec<Vec<Span>> = ids
        .iter()
        .map(|id| written.files.trace_spans(segment, *id).unwrap())
        .collect();
    let mut found = 0;
    for path in paths(written.files.layout(), Signal::Traces, segment.id) {
        let bytes = std::fs::read(&path).unwrap();
        for at in (0..bytes.len()).step_by(97) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 0x20;
            std::fs::write(&path, flipped).unwrap();
            // Whatever was read before is forgotten.
            let files = SegmentFiles::new(written.files.layout().clone());
            for (id, good) in ids.iter().zip(&good).step_by(7) {
                match files.trace_spans(segment, *id) {
                    Ok(spans) => assert_eq!(&spans, good, "byte {at} of {path:?}"),
                    Err(error) => {
                        assert!(error.is_damage(), "{error}");
                        found += 1;
                    }
                }
            }
            assert!(files.verify(segment).is_err(), "byte {at} of {path:?}");
        }
        std::fs::write(&path, bytes).unwrap();
    }
    assert!(found > 100, "{found} reads were refused");
}

#[test]
fn unknown_traces_are_told_without_looking() {
    use throughline_testkit::{log, span, trace_id};
    let spans: Vec<Span> = (1..=500_u64)
        .map(|number| span("a").in_trace(number).id(number).build())
        .collect();
    let logs: Vec<LogRecord> = (1..=500_u64)
        .map(|number| log("a").in_trace(number).build())
        .collect();
    for written in [
        write(span_rows(&spans)),
        write(log_rows(&logs, UnixNanos(77))),
    ] {
        let segment = &written.segments[0];
        let find = |number| written.files.rows_of_trace(segment, trace_id(number));
        for number in 1..=500 {
            let rows = find(number).unwrap().unwrap();
            assert_eq!(rows.iter().map(ExactSizeIterator::len).sum::<usize>(), 1);
        }
        for path in paths(written.files.layout(), segment.signal, segment.id) {
            std::fs::remove_file(path).unwrap();
        }
        let looked = (501..=1500).filter(|number| find(*number).is_err()).count();
        assert!(looked < 50, "{looked} of a thousand");
        find(1).unwrap_err();
    }
}

#[test]
fn rare_words_are_found_without_reading_the_rest() {
    use throughline_testkit::log;
    let orders = 40_000_u64;
    let logs: Vec<LogRecord> = (0..orders)
        .map(|number| {
            let log = log("shop")
                .at(number)
                .says(format!("order ord-{number:05} accepted"));
            log.attribute("session", format!("s{number}")).build()
        })
        .collect();
    let written = write(log_rows(&logs, UnixNanos(77)));
    let segment = &written.segments[0];
    let rows = |hashes: &[u64]| written.files.rows_with(segment, hashes).unwrap().unwrap();
    let words = |text: &str| -> Vec<u64> {
        let phrase = crate::token::Phrase::new(text);
        phrase.hashes().map(|hash| hash.0).collect()
    };
    let all = std::iter::once(0..segment.rows).collect::<Vec<_>>();
    for common in [
        words("ACCEPTED order"),
        vec![attribute_hash("service.name", "shop")],
    ] {
        assert_eq!(rows(&common), all);
    }
    let mut read = 0;
    for number in (0..orders).step_by(400) {
        let row = u32::try_from(number).unwrap();
        for rare in [
            words(&format!("ord-{number:05}")),
            vec![attribute_hash("session", &format!("s{number}"))],
        ] {
            let found = rows(&rare);
            assert!(
                found.iter().any(|rows| rows.contains(&row)),
                "{row}: {found:?}"
            );
            read += found.iter().map(ExactSizeIterator::len).sum::<usize>();
        }
    }
    // Of three ranges one is read.
    assert!(read < 200 * 17_000, "{read}");
    let unknown = (0..1000_u64).filter(|number| {
        !rows(&words(&format!("ord{number}"))).is_empty() || !rows(&words("ord-40000")).is_empty()
    });
    assert!(unknown.count() < 50);
    let index = std::fs::read(index_path(written.files.layout(), Signal::Logs, segment.id));
    let again = written.files.index_from_rows(segment).unwrap();
    assert!(index.unwrap() == again, "another index comes from the rows");
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
        let written = write(span_rows(&spans));
        let mut read = Vec::new();
        for segment in &written.segments {
            let index = written.files.index(segment).unwrap();
            let mut all: Vec<_> = index.iter().map(|trace| trace.rows()).collect();
            all.sort_by_key(|rows| rows.start);
            let all = all.iter().zip(written.files.spans_of(segment, &all).unwrap());
            let all: std::collections::HashMap<u32, _> = all.map(|(rows, spans)| (rows.start, spans)).collect();
            for trace in index.iter() {
                let rows = index.adjacent_rows(trace);
                let whole = written.files.trace_spans(segment, trace.trace_id).unwrap();
                for key in ["a", "b", "$x", "none"] {
                    let wanted = Projection { columns: vec!["name"], attributes: vec![key] };
                    let some = written.files.project(segment, &wanted, std::slice::from_ref(&rows)).unwrap();
                    let names: &arrow::array::StringArray = some.get("name").unwrap();
                    prop_assert_eq!(arrow::array::Array::len(names), whole.len());
                    let cells = some.attribute(key).unwrap();
                    for (row, span) in whole.iter().enumerate() {
                        let value = span.attributes.get(key);
                        prop_assert_eq!(names.value(row), &span.name);
                        let text = value.map(|value| value.to_text()).unwrap_or_default();
                        prop_assert_eq!(cells.is(row, &text).unwrap(), value.is_some());
                    }
                }
                let spans = written.files.trace_spans(segment, trace.trace_id).unwrap();
                let together = &all[&trace.rows().start];
                prop_assert_eq!(spans.iter().collect::<Vec<_>>(), together.iter().map(|span| &**span).collect::<Vec<_>>());
                prop_assert_eq!(spans.iter().map(|span| span.start).min(), Some(trace.start));
                prop_assert_eq!(spans.iter().map(|span| span.end).max(), Some(trace.end));
                read.extend(spans);
            }
        }
        let mut spans = spans;
        spans.iter_mut().for_each(|span| sort_by_key(&mut span.attributes));
        assert_same(&spans, &read);
    }

    #[test]
    fn logs_come_back(logs in vec(any_log(), 1..24)) {
        let written = write(log_rows(&logs, UnixNanos(77)));
        let mut read: Vec<LogRow> = Vec::new();
        for segment in &written.segments {
            let places: Vec<u32> = (0..segment.rows).collect();
            read.extend(written.files.log_rows(segment, &places).unwrap());
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
        logs.iter_mut().for_each(|log| sort_by_key(&mut log.attributes));
        assert_same(&logs, &records);
    }

    #[test]
    fn metric_points_come_back(points in vec(any_point(), 1..24)) {
        let written = write(point_rows(&points));
        let mut read = Vec::new();
        for segment in &written.segments {
            for number in 0..blocks(segment) {
                read.extend(written.files.metric_block(segment, number).unwrap());
            }
        }
        let mut points = points;
        points.iter_mut().for_each(|point| sort_by_key(&mut point.attributes));
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
        let form = Form::with(promoted);
        let canonical = span_batch(&spans);
        let mut to_file = ToFile::new(&form, &SpanTable::schema());
        let file = to_file.batch(&canonical).unwrap();
        let back = from_file(&form, &file).unwrap();
        prop_assert_eq!(back.schema(), canonical.schema());
        let read = SpanTable::decode(&back).unwrap();
        spans.iter_mut().for_each(|span| sort_by_key(&mut span.attributes));
        prop_assert_eq!(read, spans);
        // What is sorted already stays as it is.
        let again = from_file(&form, &to_file.batch(&back).unwrap()).unwrap();
        prop_assert_eq!(SpanTable::decode(&again).unwrap(), SpanTable::decode(&back).unwrap());
    }
}

#[test]
fn columns_are_for_what_many_rows_have_or_people_ask_for() {
    use throughline_testkit::span;
    let rows: Vec<Span> = (0..1000_u64)
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
            row.build()
        })
        .collect();
    let mut counts = Counts::default();
    counts.add(&span_batch(&rows)).unwrap();
    let columns: Vec<String> = counts.promoted().iter().map(Promoted::column).collect();
    assert_eq!(columns, ["a.app.common", "a.app.mixed#int", "a.http.route"]);
}
