//! Buffers to files that survive a crash.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use throughline_telemetry::{MetricPoint, Span, TraceId, UnixNanos};

use super::form::Form;
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::promotion::Counts;
use super::serializer::SegmentSerializer;
use super::spans::SpanTable;
use super::table::Table;
use super::window::windows;
use super::{SegmentId, SegmentMeta, index_path, rows_path};
use crate::buffer::{BufferRows, Chunked};
use crate::directory::{Layout, sync_directory};
use crate::probe::{Probe, Step};
use crate::rows::LogRow;

/// Writes the segments of a generation. When it returns, their files are on disk; nothing points
/// to them yet.
pub(crate) fn write_all(
    layout: &Layout,
    probe: &Probe,
    generation: u64,
    rows: &BufferRows,
) -> io::Result<Vec<SegmentMeta>> {
    let mut writer = SegmentWriter {
        layout,
        probe,
        generation,
        made: Vec::new(),
    };
    writer.spans(&rows.spans)?;
    writer.logs(&rows.logs)?;
    writer.metrics(&rows.metrics)?;
    if !writer.made.is_empty() {
        sync_directory(&layout.segment_directory())?;
    }
    Ok(writer.made)
}

/// Writes the files of segments.
struct SegmentWriter<'a> {
    layout: &'a Layout,
    probe: &'a Probe,
    generation: u64,
    made: Vec<SegmentMeta>,
}

impl SegmentWriter<'_> {
    fn spans(&mut self, rows: &Chunked<Span>) -> io::Result<()> {
        let mut starts: HashMap<TraceId, UnixNanos> = HashMap::new();
        for span in rows.iter() {
            let start = starts.entry(span.trace_id).or_insert(span.start);
            *start = span.start.min(*start);
        }
        let mut sorted: Vec<(UnixNanos, Arc<Span>)> = rows
            .iter()
            .map(|span| (starts[&span.trace_id], Arc::clone(span)))
            .collect();
        // Stable, so that of two spans with the same id the one received last stays the last.
        sorted.sort_by_key(|(trace_start, span)| (*trace_start, span.trace_id, span.start));
        let (times, spans): (Vec<UnixNanos>, Vec<Arc<Span>>) = sorted.into_iter().unzip();
        for window in windows(&times) {
            self.segment::<SpanTable>(&spans[window])?;
        }
        Ok(())
    }

    fn logs(&mut self, rows: &Chunked<LogRow>) -> io::Result<()> {
        let mut logs: Vec<Arc<LogRow>> = rows.iter().cloned().collect();
        logs.sort_by_key(|row| (row.time, row.sequence));
        let times: Vec<UnixNanos> = logs.iter().map(|row| row.time).collect();
        for window in windows(&times) {
            self.segment::<LogTable>(&logs[window])?;
        }
        Ok(())
    }

    fn metrics(&mut self, rows: &Chunked<MetricPoint>) -> io::Result<()> {
        let mut points: Vec<Arc<MetricPoint>> = rows.iter().cloned().collect();
        points.sort_by_key(|point| point.time);
        let times: Vec<UnixNanos> = points.iter().map(|point| point.time).collect();
        for window in windows(&times) {
            let points = &mut points[window];
            points.sort_by(|a, b| (&a.name, a.time).cmp(&(&b.name, b.time)));
            self.segment::<MetricTable>(points)?;
        }
        Ok(())
    }

    /// Writes the segment of one window.
    fn segment<T: Table>(&mut self, rows: &[Arc<T::Row>]) -> io::Result<()> {
        let batches = pieces::<T>(rows)?;
        let mut counts = Counts::default();
        for batch in &batches {
            counts.add(batch).map_err(io::Error::other)?;
        }
        let number = u16::try_from(self.made.len()).expect("the number of windows is limited");
        let id = SegmentId::new(self.generation, number);
        let form = Form {
            promoted: counts.promoted(),
        };
        let meta = write_segment::<T>(self.layout, self.probe, id, &form, |serializer| {
            batches.iter().try_for_each(|batch| serializer.push(batch))
        })?;
        assert_eq!(meta.rows as usize, rows.len(), "a segment leaves out a row");
        self.made.push(meta);
        Ok(())
    }
}

/// Writes the files of a segment, whose rows `push` gives in their order.
pub(super) fn write_segment<T: Table>(
    layout: &Layout,
    probe: &Probe,
    id: SegmentId,
    form: &Form,
    push: impl FnOnce(&mut SegmentSerializer<BufWriter<File>>) -> io::Result<()>,
) -> io::Result<SegmentMeta> {
    probe.at(Step::SegmentWrite)?;
    let path = rows_path(layout, T::SIGNAL, id);
    let mut summary = None;
    let rows_bytes = durably(probe, &path, |file| {
        let mut serializer = SegmentSerializer::new::<T>(file, form)?;
        push(&mut serializer)?;
        let (file, collected) = serializer.finish()?;
        summary = Some(collected);
        Ok(file)
    })?;
    let summary = summary.expect("it was written");
    let (mut meta, index) = summary.finish(id);
    let path = index_path(layout, T::SIGNAL, id);
    let index_bytes = durably(probe, &path, |mut file| {
        file.write_all(&index)?;
        Ok(file)
    })?;
    meta.bytes = rows_bytes + index_bytes;
    Ok(meta)
}

/// Writes a file under a temporary name, syncs it and gives it its name. Its bytes.
fn durably(
    probe: &Probe,
    path: &Path,
    write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
) -> io::Result<u64> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let file = write(BufWriter::new(File::create(&new)?))?;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    probe.at(Step::SegmentSynced)?;
    fs::rename(&new, path)?;
    Ok(file.metadata()?.len())
}

/// Sorted rows as canonical batches that can each be turned into columns of a file on its own.
fn pieces<T: Table>(mut rows: &[Arc<T::Row>]) -> io::Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    while !rows.is_empty() {
        let mut end = BATCH_ROWS.min(rows.len());
        while end < rows.len() && !T::may_split(&rows[end - 1], &rows[end]) {
            end += 1;
        }
        let (piece, rest) = rows.split_at(end);
        batches.push(T::encode(piece).map_err(io::Error::other)?);
        rows = rest;
    }
    Ok(batches)
}

/// Rows of one batch, unless a trace needs more.
const BATCH_ROWS: usize = 8192;
