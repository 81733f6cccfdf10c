//! The segments on disk, as readers use them: through caches with byte budgets.

use std::fs;
use std::ops::Range;
use std::sync::Arc;

use throughline_telemetry::{MetricPoint, Signal, Span, TraceId};

use super::index::{TraceIndex, TraceRange};
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::reader::{Footer, SegmentReader};
use super::spans::SpanTable;
use super::table::Table;
use super::{SegmentId, SegmentMeta, index_path, rows_path};
use crate::cache::Cache;
use crate::directory::Layout;
use crate::error::ReadError;
use crate::limits::{BLOCK_CACHE_BYTES, BLOCK_ROWS, FOOTER_CACHE_BYTES, INDEX_CACHE_BYTES};
use crate::rows::{LogRow, log_bytes, span_bytes};

/// Reads segments.
#[derive(Debug)]
pub(crate) struct SegmentFiles {
    layout: Layout,
    indexes: Cache<SegmentId, TraceIndex>,
    footers: Cache<SegmentId, Footer>,
    span_blocks: Cache<(SegmentId, u32), Vec<Arc<Span>>>,
    log_blocks: Cache<(SegmentId, u32), Vec<Arc<LogRow>>>,
}

impl SegmentFiles {
    pub(crate) fn new(layout: Layout) -> Self {
        SegmentFiles {
            layout,
            indexes: Cache::new(INDEX_CACHE_BYTES),
            footers: Cache::new(FOOTER_CACHE_BYTES),
            span_blocks: Cache::new(BLOCK_CACHE_BYTES / 2),
            log_blocks: Cache::new(BLOCK_CACHE_BYTES / 2),
        }
    }

    pub(crate) fn index(&self, segment: &SegmentMeta) -> Result<Arc<TraceIndex>, ReadError> {
        self.indexes.get_or_load(segment.id, || {
            let path = index_path(&self.layout, segment.signal, segment.id);
            let bytes = fs::read(&path).map_err(ReadError::io(&path))?;
            let index = TraceIndex::read(&bytes);
            let index = index.map_err(|damage| ReadError::corrupt(&path, damage))?;
            let bytes = index.memory_bytes();
            Ok((index, bytes))
        })
    }

    /// The spans of a trace and no other row of the file. They fit into memory, because they did
    /// when they were in one buffer.
    pub(crate) fn trace_spans(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Vec<Span>, ReadError> {
        let index = self.index(segment)?;
        let Some(trace) = index.trace(id) else {
            return Ok(Vec::new());
        };
        self.rows::<SpanTable>(segment, &[places(index.adjacent_rows(trace))])
    }

    /// The log records of a trace and no other row of the file.
    pub(crate) fn trace_logs(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Vec<LogRow>, ReadError> {
        let index = self.index(segment)?;
        let Some(trace) = index.trace(id) else {
            return Ok(Vec::new());
        };
        let runs = index.scattered_rows(trace).chunk_by(|a, b| a + 1 == *b);
        let ranges: Vec<_> = runs
            .map(|run| places(run[0]..run[run.len() - 1] + 1))
            .collect();
        self.rows::<LogTable>(segment, &ranges)
    }

    /// The spans of a trace, through the block that it is in: for searches, which look at many.
    pub(crate) fn block_spans(
        &self,
        segment: &SegmentMeta,
        index: &TraceIndex,
        trace: &TraceRange,
    ) -> Result<Vec<Arc<Span>>, ReadError> {
        let range = index.block(trace);
        let block = self
            .span_blocks
            .get_or_load((segment.id, range.start), || {
                let rows = self.rows::<SpanTable>(segment, &[places(range.clone())])?;
                let bytes = rows.iter().map(span_bytes).sum();
                Ok::<_, ReadError>((rows.into_iter().map(Arc::new).collect(), bytes))
            })?;
        let rows = index.adjacent_rows(trace);
        let rows = places(rows.start - range.start..rows.end - range.start);
        Ok(block.get(rows).unwrap_or_default().to_vec())
    }

    /// The log records of one block; block 0 has the oldest.
    pub(crate) fn log_block(
        &self,
        segment: &SegmentMeta,
        number: u32,
    ) -> Result<Arc<Vec<Arc<LogRow>>>, ReadError> {
        self.log_blocks.get_or_load((segment.id, number), || {
            let rows = self.rows::<LogTable>(segment, &[places(block_range(segment, number))])?;
            let bytes = rows.iter().map(|row| log_bytes(&row.record)).sum();
            Ok((rows.into_iter().map(Arc::new).collect(), bytes))
        })
    }

    /// The metric points of one block.
    pub(crate) fn metric_block(
        &self,
        segment: &SegmentMeta,
        number: u32,
    ) -> Result<Vec<MetricPoint>, ReadError> {
        self.rows::<MetricTable>(segment, &[places(block_range(segment, number))])
    }

    fn rows<T: Table>(
        &self,
        segment: &SegmentMeta,
        ranges: &[Range<usize>],
    ) -> Result<Vec<T::Row>, ReadError> {
        let path = rows_path(&self.layout, segment.signal, segment.id);
        let footer = self.footers.get_or_load(segment.id, || {
            let footer = Footer::load(&path, &T::schema())?;
            let bytes = footer.memory_bytes();
            Ok::<_, ReadError>((footer, bytes))
        })?;
        SegmentReader::<T>::new(path, &footer).rows(ranges)
    }
}

/// How many blocks a segment has whose rows need not stay together.
pub(crate) fn blocks(segment: &SegmentMeta) -> u32 {
    debug_assert_ne!(segment.signal, Signal::Traces);
    segment.rows.div_ceil(BLOCK_ROWS)
}

fn block_range(segment: &SegmentMeta, number: u32) -> Range<u32> {
    let start = number * BLOCK_ROWS;
    start..segment.rows.min(start + BLOCK_ROWS)
}

fn places(rows: Range<u32>) -> Range<usize> {
    rows.start as usize..rows.end as usize
}
