//! What the catalog and the index say of a segment, collected while its rows are written.

use arrow::array::{
    FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray, TimestampNanosecondArray,
    UInt8Array,
};
use throughline_telemetry::{Signal, SpanStatus, TraceId, UnixNanos};

use super::checks::Checks;
use super::columns::{Columns, Texts};
use super::index::{IndexSerializer, Layout as RowLayout};
use super::table::Damage;
use super::words::WordsSerializer;
use super::{SegmentId, SegmentMeta};
use crate::batch::{id_at, required_id_at};
use crate::buffer::{ServiceStats, Services};
use crate::hash::HashSet;

/// The columns that are looked at.
pub(super) fn columns(signal: Signal) -> &'static [&'static str] {
    match signal {
        Signal::Traces => &[
            "trace_id",
            "start",
            "duration",
            "status",
            "name",
            "service",
            "resource",
            "attributes",
        ],
        Signal::Logs => &[
            "time",
            "trace_id",
            "severity_number",
            "body",
            "service",
            "resource",
            "attributes",
        ],
        Signal::Metrics => &["time"],
    }
}

/// What is known of the rows so far.
#[derive(Debug)]
pub(super) struct Summary {
    signal: Signal,
    index: IndexSerializer,
    words: WordsSerializer,
    first: UnixNanos,
    last: UnixNanos,
    end: UnixNanos,
    max_duration_nanos: u64,
    errors: u32,
    max_severity: u8,
    services: Services,
}

impl Summary {
    pub(super) fn new(signal: Signal) -> Self {
        Summary {
            signal,
            index: IndexSerializer::default(),
            words: WordsSerializer::new(signal),
            first: UnixNanos(u64::MAX),
            last: UnixNanos(0),
            end: UnixNanos(0),
            max_duration_nanos: 0,
            errors: 0,
            max_severity: 0,
            services: Services::default(),
        }
    }

    /// Adds the rows of a canonical batch, which come after those before.
    pub(super) fn add(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        self.words.add(batch)?;
        match self.signal {
            Signal::Traces => self.spans(batch),
            Signal::Logs => self.logs(batch),
            Signal::Metrics => self.metrics(batch),
        }
    }

    /// What there is to say, and the bytes of the index of this file of rows.
    pub(super) fn finish(self, id: SegmentId, file: &Checks) -> (SegmentMeta, Vec<u8>) {
        let (rows, traces) = (self.index.rows(), self.index.traces());
        let (layout, first, last) = match self.signal {
            Signal::Traces => {
                let starts = self.index.starts();
                let (first, last) = (starts.clone().min(), starts.max());
                (RowLayout::Adjacent, first, last)
            }
            _ => (RowLayout::Scattered, Some(self.first), Some(self.last)),
        };
        let meta = SegmentMeta {
            id,
            signal: self.signal,
            rows,
            bytes: 0,
            traces,
            first: first.unwrap_or_default(),
            last: last.unwrap_or_default(),
            end: self.end,
            max_duration_nanos: self.max_duration_nanos,
            errors: self.errors,
            max_severity: self.max_severity,
            services: self.services,
            level: u8::from(id.compacted_number().is_some()),
            crc: None,
            rollup: None,
            edges: None,
            costs: None,
            links: None,
            census: None,
        };
        (meta, self.index.finish(layout, file, self.words.finish()))
    }

    fn spans(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        let columns = Columns(batch);
        let trace_ids: &FixedSizeBinaryArray = columns.get("trace_id")?;
        let starts: &TimestampNanosecondArray = columns.get("start")?;
        let durations: &Int64Array = columns.get("duration")?;
        let statuses: &UInt8Array = columns.get("status")?;
        let names: &StringArray = columns.get("name")?;
        let services = columns.texts("service")?;
        let mut counted = Counted::new(services);
        for row in 0..batch.num_rows() {
            let trace_id = required_id_at(trace_ids, row, TraceId::from_slice)?;
            let start = UnixNanos(starts.value(row).cast_unsigned());
            let duration = durations.value(row);
            let end = UnixNanos(start.0.wrapping_add(duration.cast_unsigned()));
            let failed = statuses.value(row) == SpanStatus::Error as u8;
            self.index.push(Some(trace_id), start, end);
            let lasted = u64::try_from(duration).unwrap_or_default();
            self.max_duration_nanos = self.max_duration_nanos.max(lasted);
            self.errors = self.errors.saturating_add(u32::from(failed));
            // Of a clock that ran backwards the start is later, and is what rows are found by.
            self.end = self.end.max(end).max(start);
            counted.add(row, Some(names.value(row)), failed, end);
        }
        counted.finish(&mut self.services);
        Ok(())
    }

    fn logs(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        let columns = Columns(batch);
        let times: &TimestampNanosecondArray = columns.get("time")?;
        let trace_ids: &FixedSizeBinaryArray = columns.get("trace_id")?;
        let severities: &UInt8Array = columns.get("severity_number")?;
        let mut counted = Counted::new(columns.texts("service")?);
        for row in 0..batch.num_rows() {
            let time = UnixNanos(times.value(row).cast_unsigned());
            let trace_id = id_at(trace_ids, row, TraceId::from_slice)?;
            self.index.push(trace_id, time, time);
            self.time(time);
            self.max_severity = self.max_severity.max(severities.value(row));
            counted.add(row, None, false, time);
        }
        counted.finish(&mut self.services);
        Ok(())
    }

    fn metrics(&mut self, batch: &RecordBatch) -> Result<(), Damage> {
        let times: &TimestampNanosecondArray = Columns(batch).get("time")?;
        for row in 0..batch.num_rows() {
            let time = UnixNanos(times.value(row).cast_unsigned());
            self.index.push(None, time, time);
            self.time(time);
        }
        Ok(())
    }

    fn time(&mut self, time: UnixNanos) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
        self.end = self.last;
    }
}

/// The services of one batch, counted by their place in its dictionary.
struct Counted<'a> {
    services: Texts<'a>,
    stats: Vec<ServiceStats>,
    operations: HashSet<(usize, &'a str)>,
}

impl<'a> Counted<'a> {
    fn new(services: Texts<'a>) -> Self {
        Counted {
            stats: vec![ServiceStats::default(); services.distinct().len()],
            services,
            operations: HashSet::default(),
        }
    }

    fn add(&mut self, row: usize, operation: Option<&'a str>, failed: bool, seen: UnixNanos) {
        let code = self.services.code(row);
        let stats = &mut self.stats[code];
        stats.spans += 1;
        stats.errors += u64::from(failed);
        stats.last_seen = stats.last_seen.max(seen);
        self.operations
            .extend(operation.map(|operation| (code, operation)));
    }

    fn finish(mut self, into: &mut Services) {
        for (code, operation) in self.operations {
            self.stats[code].operations.insert(operation.to_owned());
        }
        let counted = self.services.distinct().zip(&self.stats);
        for (name, stats) in counted.filter(|(_, stats)| stats.spans > 0) {
            into.add(name, stats);
        }
    }
}
