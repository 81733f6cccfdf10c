//! Buffers to files that survive a crash.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterVersion};
use throughline_telemetry::{MetricPoint, Signal, Span, SpanStatus, TraceId, UnixNanos};

use super::index::{IndexSerializer, Layout as RowLayout};
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::spans::SpanTable;
use super::table::Table;
use super::window::windows;
use super::{SegmentId, SegmentMeta, index_path, rows_path};
use crate::buffer::{BufferRows, Chunked, Services};
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
            self.span_segment(&times[window.clone()], &spans[window])?;
        }
        Ok(())
    }

    fn span_segment(&mut self, times: &[UnixNanos], spans: &[Arc<Span>]) -> io::Result<()> {
        let mut index = IndexSerializer::default();
        let mut services = Services::default();
        for span in spans {
            index.push(Some(span.trace_id), span.start, span.end);
            services.span(span);
        }
        let failed = spans.iter().filter(|span| span.status == SpanStatus::Error);
        let durations = spans.iter().map(|span| span.duration().as_nanos());
        let longest = durations.max().unwrap_or_default();
        let meta = SegmentMeta {
            end: spans.iter().map(|span| span.end).max().unwrap_or_default(),
            errors: u32::try_from(failed.count()).unwrap_or(u32::MAX),
            max_duration_nanos: u64::try_from(longest).unwrap_or(u64::MAX),
            services,
            ..self.meta(Signal::Traces, times, &index)
        };
        self.write::<SpanTable>(meta, spans, index.finish(RowLayout::Adjacent))
    }

    fn logs(&mut self, rows: &Chunked<LogRow>) -> io::Result<()> {
        let mut logs: Vec<Arc<LogRow>> = rows.iter().cloned().collect();
        logs.sort_by_key(|row| (row.time, row.sequence));
        let times: Vec<UnixNanos> = logs.iter().map(|row| row.time).collect();
        for window in windows(&times) {
            self.log_segment(&times[window.clone()], &logs[window])?;
        }
        Ok(())
    }

    fn log_segment(&mut self, times: &[UnixNanos], logs: &[Arc<LogRow>]) -> io::Result<()> {
        let mut index = IndexSerializer::default();
        let mut services = Services::default();
        for row in logs {
            index.push(row.record.trace_id, row.time, row.time);
            services.log(row);
        }
        let severities = logs.iter().map(|row| row.record.severity_number);
        let meta = SegmentMeta {
            max_severity: severities.max().unwrap_or_default(),
            services,
            ..self.meta(Signal::Logs, times, &index)
        };
        self.write::<LogTable>(meta, logs, index.finish(RowLayout::Scattered))
    }

    fn metrics(&mut self, rows: &Chunked<MetricPoint>) -> io::Result<()> {
        let mut points: Vec<Arc<MetricPoint>> = rows.iter().cloned().collect();
        points.sort_by_key(|point| point.time);
        let times: Vec<UnixNanos> = points.iter().map(|point| point.time).collect();
        for window in windows(&times) {
            let points = &mut points[window.clone()];
            points.sort_by(|a, b| (&a.name, a.time).cmp(&(&b.name, b.time)));
            let mut index = IndexSerializer::default();
            for point in points.iter() {
                index.push(None, point.time, point.time);
            }
            let meta = self.meta(Signal::Metrics, &times[window], &index);
            self.write::<MetricTable>(meta, points, index.finish(RowLayout::Scattered))?;
        }
        Ok(())
    }

    /// What is known of a segment by its sorted times and its index.
    fn meta(&self, signal: Signal, times: &[UnixNanos], index: &IndexSerializer) -> SegmentMeta {
        let number = u16::try_from(self.made.len()).expect("the number of windows is limited");
        assert_eq!(
            index.rows() as usize,
            times.len(),
            "an index leaves out a row"
        );
        let last = times.last().copied().unwrap_or_default();
        SegmentMeta {
            id: SegmentId::new(self.generation, number),
            signal,
            rows: index.rows(),
            bytes: 0,
            traces: index.traces(),
            first: times.first().copied().unwrap_or_default(),
            last,
            end: last,
            max_duration_nanos: 0,
            errors: 0,
            max_severity: 0,
            services: Services::default(),
        }
    }

    fn write<T: Table>(
        &mut self,
        mut meta: SegmentMeta,
        rows: &[Arc<T::Row>],
        index: Vec<u8>,
    ) -> io::Result<()> {
        self.probe.at(Step::SegmentWrite)?;
        let path = rows_path(self.layout, meta.signal, meta.id);
        let rows_bytes = self.durably(&path, |file| {
            let mut serializer = SegmentSerializer::<T, _>::new(file)?;
            serializer.push(rows)?;
            serializer.finish()
        })?;
        let path = index_path(self.layout, meta.signal, meta.id);
        let index_bytes = self.durably(&path, |mut file| {
            file.write_all(&index)?;
            Ok(file)
        })?;
        meta.bytes = rows_bytes + index_bytes;
        self.made.push(meta);
        Ok(())
    }

    /// Writes a file under a temporary name, syncs it and gives it its name. Its bytes.
    fn durably(
        &self,
        path: &Path,
        write: impl FnOnce(BufWriter<File>) -> io::Result<BufWriter<File>>,
    ) -> io::Result<u64> {
        let mut new = path.as_os_str().to_owned();
        new.push(".new");
        let file = write(BufWriter::new(File::create(&new)?))?;
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        self.probe.at(Step::SegmentSynced)?;
        fs::rename(&new, path)?;
        Ok(file.metadata()?.len())
    }
}

/// Turns sorted rows into the bytes of a Parquet file.
struct SegmentSerializer<T, W: Write + Send> {
    writer: ArrowWriter<W>,
    table: std::marker::PhantomData<T>,
}

impl<T: Table, W: Write + Send> SegmentSerializer<T, W> {
    fn new(into: W) -> io::Result<Self> {
        let level = ZstdLevel::try_new(ZSTD_LEVEL).map_err(io::Error::other)?;
        let properties = WriterProperties::builder()
            .set_writer_version(WriterVersion::PARQUET_1_0)
            .set_created_by(concat!("throughline ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(Compression::ZSTD(level))
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
            .set_data_page_row_count_limit(PAGE_ROWS)
            .set_statistics_enabled(EnabledStatistics::Page);
        let properties = T::tune(properties).build();
        let writer = ArrowWriter::try_new(into, T::schema(), Some(properties));
        Ok(SegmentSerializer {
            writer: writer.map_err(io::Error::other)?,
            table: std::marker::PhantomData,
        })
    }

    /// Adds rows in pieces, so that their columns are not in memory all at once.
    fn push(&mut self, mut rows: &[Arc<T::Row>]) -> io::Result<()> {
        while !rows.is_empty() {
            let mut end = BATCH_ROWS.min(rows.len());
            while end < rows.len() && !T::may_split(&rows[end - 1], &rows[end]) {
                end += 1;
            }
            let (piece, rest) = rows.split_at(end);
            let batch = T::encode(piece).map_err(io::Error::other)?;
            self.writer.write(&batch).map_err(io::Error::other)?;
            rows = rest;
        }
        Ok(())
    }

    fn finish(self) -> io::Result<W> {
        self.writer.into_inner().map_err(io::Error::other)
    }
}

/// Level 9 would save 2 % more and is several times slower.
const ZSTD_LEVEL: i32 = 3;

/// Rows whose columns are in memory at once.
const BATCH_ROWS: usize = 8192;

/// Small enough that a search can skip, large enough for dictionaries to pay.
const ROW_GROUP_ROWS: usize = 128 << 10;

/// A trace is read by decoding the pages it is in.
const PAGE_ROWS: usize = 4096;
