//! The kinds of rows that can be searched.

use std::collections::HashMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::UInt64Type;
use throughline_telemetry::{LogRecord, Span, TraceId};

use super::order::RowId;
use crate::batch::{LogRows, SpanRows};
use crate::buffer::Chunks;
use crate::dataset::Dataset;
use crate::error::ReadError;
use crate::scan::{Part, Place};

/// A row that can be searched. Only the store can say how.
pub trait Searched: private::Read {
    /// What it is found in.
    const DATASET: Dataset;
}

impl Searched for Span {
    const DATASET: Dataset = Dataset::Spans;
}

impl Searched for LogRecord {
    const DATASET: Dataset = Dataset::Logs;
}

pub(super) mod private {
    use super::{ReadError, RecordBatch, RowId};
    use crate::scan::Part;

    pub trait Read: Sized + Send {
        /// The columns that tell rows of the same time apart.
        const ID: &'static [&'static str];

        /// What they say of each row.
        fn ids(batch: &RecordBatch) -> Vec<RowId>;

        /// Calls with the rows at these places, which are in order.
        fn each(part: &Part, rows: &[u32], each: impl FnMut(&Self)) -> Result<(), ReadError>;

        /// The rows at these places, in their order.
        fn read(part: &Part, rows: &[(u32, RowId)]) -> Result<Vec<Self>, ReadError>;
    }
}

impl private::Read for Span {
    const ID: &'static [&'static str] = &["trace_id", "span_id"];

    fn ids(batch: &RecordBatch) -> Vec<RowId> {
        let (traces, spans) = (
            batch.column(0).as_fixed_size_binary(),
            batch.column(1).as_fixed_size_binary(),
        );
        let ids = (0..batch.num_rows()).map(|row| {
            let mut id = [0; 24];
            id[..16].copy_from_slice(traces.value(row));
            id[16..].copy_from_slice(spans.value(row));
            id
        });
        ids.collect()
    }

    fn each(part: &Part, rows: &[u32], mut each: impl FnMut(&Self)) -> Result<(), ReadError> {
        match part.place() {
            Place::Buffer(chunks) => {
                let spans = rows.iter().filter_map(|row| buffered_span(chunks, *row));
                spans.for_each(|span| each(&span));
                Ok(())
            }
            Place::Segment { segment, .. } => part.files().each_span(segment, rows, each),
        }
    }

    /// A span is read with its trace: its parent is a place in it.
    fn read(part: &Part, rows: &[(u32, RowId)]) -> Result<Vec<Self>, ReadError> {
        match part.place() {
            Place::Buffer(chunks) => {
                let spans = rows.iter();
                let spans = spans.filter_map(|(row, _)| buffered_span(chunks, *row));
                Ok(spans.collect())
            }
            Place::Segment { segment, .. } => {
                let mut spans = Vec::with_capacity(rows.len());
                for (row, id) in rows {
                    let id = id.first_chunk::<16>().expect("it has more");
                    let wrong = || part.files().wrong_index(segment);
                    let id = TraceId::new(*id).map_err(|_| wrong())?;
                    let trace = part.files().rows_of_trace(segment, id)?;
                    let trace = trace.as_ref().and_then(|rows| rows.first());
                    let trace = trace.cloned().ok_or_else(wrong)?;
                    let place = row.checked_sub(trace.start).ok_or_else(wrong)?;
                    let whole = part.files().spans_at(segment, trace)?;
                    let span = whole.get(place as usize).ok_or_else(wrong)?;
                    spans.push(Span::clone(span));
                }
                Ok(spans)
            }
        }
    }
}

impl private::Read for LogRecord {
    const ID: &'static [&'static str] = &["sequence"];

    fn ids(batch: &RecordBatch) -> Vec<RowId> {
        let sequences = batch.column(0).as_primitive::<UInt64Type>().values();
        let ids = sequences.iter().map(|sequence| {
            let mut id = [0; 24];
            id[..8].copy_from_slice(&sequence.to_be_bytes());
            id
        });
        ids.collect()
    }

    fn each(part: &Part, rows: &[u32], mut each: impl FnMut(&Self)) -> Result<(), ReadError> {
        match part.place() {
            Place::Buffer(chunks) => {
                let logs = rows.iter().filter_map(|row| buffered_log(chunks, *row));
                logs.for_each(|log| each(&log));
            }
            Place::Segment { segment, .. } => {
                let logs = part.files().log_rows(segment, rows)?;
                logs.iter().for_each(|log| each(&log.record));
            }
        }
        Ok(())
    }

    fn read(part: &Part, rows: &[(u32, RowId)]) -> Result<Vec<Self>, ReadError> {
        match part.place() {
            Place::Buffer(chunks) => {
                let logs = rows.iter();
                let logs = logs.filter_map(|(row, _)| buffered_log(chunks, *row));
                Ok(logs.collect())
            }
            Place::Segment { segment, .. } => {
                let mut places: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
                places.sort_unstable();
                let read = part.files().log_rows(segment, &places)?;
                let mut of_place: HashMap<u32, LogRecord> = places
                    .into_iter()
                    .zip(read.into_iter().map(|row| row.record))
                    .collect();
                let logs = rows.iter().filter_map(|(row, _)| of_place.remove(row));
                Ok(logs.collect())
            }
        }
    }
}

fn buffered_span(chunks: &Chunks, row: u32) -> Option<Span> {
    let chunk = chunks.chunk_of(row as usize)?;
    let read = SpanRows::new(&chunk.batch).expect(BUILT);
    let span = read.at(chunk.owners(), row as usize - chunk.first);
    Some(span.expect(BUILT))
}

fn buffered_log(chunks: &Chunks, row: u32) -> Option<LogRecord> {
    let chunk = chunks.chunk_of(row as usize)?;
    let read = LogRows::new(&chunk.batch).expect(BUILT);
    let log = read.at(chunk.owners(), row as usize - chunk.first);
    Some(log.expect(BUILT).record)
}

const BUILT: &str = "the batch was built from rows and never left memory";
