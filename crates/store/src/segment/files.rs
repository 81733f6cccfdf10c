//! The segments on disk, as readers use them: through caches with byte budgets.

mod linked;
mod totals;
mod verify;

use std::convert::Infallible;
use std::fs;
use std::hash::Hash;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch};
use throughline_telemetry::{MetricPoint, Signal, Span, TraceId};

use self::totals::{AddedUp, AddedUpKey};
use super::copies;
use super::form::{ATTRIBUTES, ORDINAL, PARENT};
use super::index::{Access, TraceIndex, TraceRange, load_checks, runs};
use super::kinds::Kinds;
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::parents::from_ordinals;
use super::projection::{Projected, Projection};
use super::promotion::Counts;
use super::reader::{Footer, SegmentReader};
use super::spans::SpanTable;
use super::table::{Damage, Table};
use super::{SegmentId, SegmentMeta, index_path, rows_path};
use crate::cache::Cache;
use crate::census::{self, Census};
use crate::costs::{self, CostsMeta};
use crate::directory::Layout;
use crate::edges::{self, EdgesMeta};
use crate::error::ReadError;
use crate::limits::{
    ADDED_UP_CACHE_BYTES, BLOCK_ROWS, CENSUS_CACHE_BYTES, COPIES_CACHE_BYTES, COSTS_CACHE_BYTES,
    EDGES_CACHE_BYTES, FOOTER_CACHE_BYTES, INDEX_CACHE_BYTES, KINDS_CACHE_BYTES, LINKS_CACHE_BYTES,
    LOOKUP_CACHE_BYTES, ROLLUP_CACHE_BYTES, SCAN_ROWS, SPLIT_TRACE_ROWS, TRACE_CACHE_BYTES,
};
use crate::links::LinkIndex;
use crate::rollup::{self, Grain, RollupMeta};
use crate::rows::{LogRow, span_bytes};

/// Reads segments.
#[derive(Debug)]
pub(crate) struct SegmentFiles {
    layout: Layout,
    indexes: Cache<SegmentId, TraceIndex>,
    lookups: Cache<SegmentId, Access>,
    footers: Cache<SegmentId, Footer>,
    /// By segment and first row of the trace.
    traces: Cache<(SegmentId, u32), Vec<Arc<Span>>>,
    kinds: Cache<SegmentId, Kinds>,
    copies: Cache<(SegmentId, SegmentId), [Vec<u32>; 2]>,
    /// None of those that cannot be read.
    rollups: Cache<(SegmentId, Grain), Option<RecordBatch>>,
    added_up: Cache<AddedUpKey, AddedUp>,
    /// The same of edges.
    edges: Cache<SegmentId, Option<RecordBatch>>,
    links: Cache<SegmentId, LinkIndex>,
    /// The same of costs.
    costs: Cache<SegmentId, Option<RecordBatch>>,
    censuses: Cache<SegmentId, Census>,
}

/// What was read, some rows at a time.
pub(crate) type ProjectedBatches = Box<dyn Iterator<Item = Result<Projected, ReadError>> + Send>;

impl SegmentFiles {
    pub(crate) fn new(layout: Layout) -> Self {
        SegmentFiles {
            layout,
            indexes: Cache::new(INDEX_CACHE_BYTES),
            lookups: Cache::new(LOOKUP_CACHE_BYTES),
            footers: Cache::new(FOOTER_CACHE_BYTES),
            traces: Cache::new(TRACE_CACHE_BYTES),
            kinds: Cache::new(KINDS_CACHE_BYTES),
            copies: Cache::new(COPIES_CACHE_BYTES),
            rollups: Cache::new(ROLLUP_CACHE_BYTES),
            added_up: Cache::new(ADDED_UP_CACHE_BYTES),
            edges: Cache::new(EDGES_CACHE_BYTES),
            links: Cache::new(LINKS_CACHE_BYTES),
            costs: Cache::new(COSTS_CACHE_BYTES),
            censuses: Cache::new(CENSUS_CACHE_BYTES),
        }
    }

    /// Keeps nothing in memory of a segment that is gone: it would take the room of those that are asked for until it
    /// is the oldest of all.
    pub(crate) fn forget(&self, gone: SegmentId) {
        self.indexes.forget(|id| *id == gone);
        self.lookups.forget(|id| *id == gone);
        self.footers.forget(|id| *id == gone);
        self.traces.forget(|(id, _)| *id == gone);
        self.kinds.forget(|id| *id == gone);
        self.copies.forget(|ids| ids.0 == gone || ids.1 == gone);
        self.rollups.forget(|(id, _)| *id == gone);
        self.edges.forget(|id| *id == gone);
        self.links.forget(|id| *id == gone);
        self.costs.forget(|id| *id == gone);
        self.censuses.forget(|id| *id == gone);
    }

    /// Whether something of a segment is in memory.
    #[cfg(test)]
    pub(crate) fn remembers(&self, id: SegmentId) -> bool {
        self.indexes.get(id).is_some() || self.footers.get(id).is_some()
    }

    #[cfg(test)]
    pub(super) fn layout(&self) -> &Layout {
        &self.layout
    }

    pub(crate) fn index(&self, segment: &SegmentMeta) -> Result<Arc<TraceIndex>, ReadError> {
        self.indexes.get_or_load(segment.id, || {
            let index = self.load_index(segment)?;
            let bytes = index.memory_bytes();
            Ok((index, bytes))
        })
    }

    /// The index, past the cache.
    pub(super) fn load_index(&self, segment: &SegmentMeta) -> Result<TraceIndex, ReadError> {
        let path = index_path(&self.layout, segment.signal, segment.id);
        let bytes = fs::read(&path).map_err(ReadError::io(&path))?;
        TraceIndex::read(&bytes).map_err(|damage| ReadError::corrupt(&path, damage))
    }

    /// Rows as a canonical batch.
    pub(super) fn batch<T: Table>(
        &self,
        segment: &SegmentMeta,
        rows: Range<u32>,
    ) -> Result<RecordBatch, ReadError> {
        self.with_reader::<T, _>(segment, |reader| reader.batch(places(rows)))
    }

    /// That the index does not say where a row is that its file has.
    pub(crate) fn wrong_index(&self, segment: &SegmentMeta) -> ReadError {
        let path = index_path(&self.layout, segment.signal, segment.id);
        ReadError::corrupt(&path, "it does not know a trace of the segment")
    }

    /// That the rows are not what was written.
    pub(crate) fn damage(&self, segment: &SegmentMeta, damage: Damage) -> ReadError {
        let path = rows_path(&self.layout, segment.signal, segment.id);
        ReadError::corrupt(&path, damage)
    }

    /// Counts the attributes of a segment.
    pub(super) fn count<T: Table>(
        &self,
        segment: &SegmentMeta,
        into: &mut Counts,
    ) -> Result<(), ReadError> {
        self.with_reader::<T, _>(segment, |reader| reader.count(into))
    }

    /// The spans of a trace and no other row of the file. They fit into memory, because they did
    /// when they were in one buffer.
    pub(crate) fn trace_spans(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Vec<Span>, ReadError> {
        self.trace_rows::<SpanTable>(segment, id)
    }

    /// The log records of a trace and no other row of the file.
    pub(crate) fn trace_logs(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Vec<LogRow>, ReadError> {
        self.trace_rows::<LogTable>(segment, id)
    }

    fn trace_rows<T: Table>(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Vec<T::Row>, ReadError> {
        match self.rows_of_trace(segment, id)? {
            None => Ok(Vec::new()),
            Some(rows) => {
                let rows: Vec<Range<usize>> = rows.into_iter().map(places).collect();
                self.rows::<T>(segment, &rows)
            }
        }
    }

    fn access(&self, segment: &SegmentMeta, path: &Path) -> Result<Arc<Access>, ReadError> {
        self.lookups.get_or_load(segment.id, || {
            let access = Access::load(path)?;
            let bytes = access.memory_bytes();
            Ok((access, bytes))
        })
    }

    /// The rows that may have all of these words and attributes, in order; none if it is not known.
    /// The ranges begin and end where traces do.
    pub(crate) fn rows_with(
        &self,
        segment: &SegmentMeta,
        hashes: &[u64],
    ) -> Result<Option<Vec<Range<u32>>>, ReadError> {
        let path = index_path(&self.layout, segment.signal, segment.id);
        match &*self.access(segment, &path)? {
            Access::Parts(lookup) => lookup.rows_with(&path, hashes),
            Access::Whole => Ok(None),
        }
    }

    /// What the index knows of a trace. A segment that does not have it is hardly ever opened for that.
    pub(crate) fn trace(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Option<TraceRange>, ReadError> {
        let path = index_path(&self.layout, segment.signal, segment.id);
        match &*self.access(segment, &path)? {
            Access::Parts(lookup) => Ok(lookup.trace(&path, id)?.map(|(trace, _)| trace)),
            Access::Whole => Ok(self.index(segment)?.trace(id).copied()),
        }
    }

    /// Where the rows of a trace are, if there are any. A segment that does not have the trace is hardly
    /// ever opened for that.
    pub(crate) fn rows_of_trace(
        &self,
        segment: &SegmentMeta,
        id: TraceId,
    ) -> Result<Option<Vec<Range<u32>>>, ReadError> {
        let path = index_path(&self.layout, segment.signal, segment.id);
        if let Access::Parts(lookup) = &*self.access(segment, &path)? {
            return lookup.find(&path, id);
        }
        let index = self.index(segment)?;
        let rows = index.trace(id).map(|trace| match segment.signal {
            Signal::Traces => vec![index.adjacent_rows(trace)],
            Signal::Logs | Signal::Metrics => runs(index.scattered_rows(trace)),
        });
        Ok(rows)
    }

    /// What is asked for of rows in order, and nothing else of the file.
    pub(crate) fn project(
        &self,
        segment: &SegmentMeta,
        projection: &Projection<'_>,
        rows: &[Range<u32>],
    ) -> Result<Projected, ReadError> {
        let ranges: Vec<Range<usize>> = rows.iter().cloned().map(places).collect();
        match segment.signal {
            Signal::Traces => self
                .with_reader::<SpanTable, _>(segment, |reader| reader.project(projection, &ranges)),
            Signal::Logs => self
                .with_reader::<LogTable, _>(segment, |reader| reader.project(projection, &ranges)),
            Signal::Metrics => self.with_reader::<MetricTable, _>(segment, |reader| {
                reader.project(projection, &ranges)
            }),
        }
    }

    /// The same of many rows, some at a time.
    pub(crate) fn stream(
        &self,
        segment: &SegmentMeta,
        projection: &Projection<'_>,
        rows: &[Range<u32>],
    ) -> Result<ProjectedBatches, ReadError> {
        let ranges: Vec<Range<usize>> = rows.iter().cloned().map(places).collect();
        Ok(match segment.signal {
            Signal::Traces => self.with_reader::<SpanTable, _>(segment, |reader| {
                Ok(Box::new(reader.stream(projection, &ranges, SCAN_ROWS)?) as _)
            })?,
            Signal::Logs => self.with_reader::<LogTable, _>(segment, |reader| {
                Ok(Box::new(reader.stream(projection, &ranges, SCAN_ROWS)?) as _)
            })?,
            Signal::Metrics => self.with_reader::<MetricTable, _>(segment, |reader| {
                Ok(Box::new(reader.stream(projection, &ranges, SCAN_ROWS)?) as _)
            })?,
        })
    }

    /// The ids of the parents of rows in order. The ranges begin and end where traces do.
    pub(crate) fn parents(
        &self,
        segment: &SegmentMeta,
        rows: &[Range<u32>],
    ) -> Result<ArrayRef, ReadError> {
        let columns = vec!["trace_id", "span_id", ORDINAL, PARENT];
        let attributes = Vec::new();
        let projection = Projection {
            columns,
            attributes,
        };
        let read = self.project(segment, &projection, rows)?;
        let ordinals = (read.get("trace_id")?, read.get("span_id")?);
        let parents = from_ordinals(
            ordinals.0,
            ordinals.1,
            read.get(ORDINAL)?,
            read.get(PARENT)?,
        );
        parents.map_err(|damage| read.damage(damage))
    }

    /// The spans of two segments, the older one first, of which the other has a copy that counts
    /// instead; of one segment with itself, its own copies. Looked for once.
    pub(crate) fn copies(
        &self,
        older: &SegmentMeta,
        newer: &SegmentMeta,
    ) -> Result<Arc<[Vec<u32>; 2]>, ReadError> {
        self.copies.get_or_load((older.id, newer.id), || {
            let copies = if older.id == newer.id {
                [copies::within(self, older)?, Vec::new()]
            } else {
                copies::between(self, older, newer)?
            };
            let rows = copies[0].len() + copies[1].len();
            Ok((copies, COPIES_ENTRY_BYTES + rows * size_of::<u32>()))
        })
    }

    /// A rollup. None if it cannot be read, which is said once.
    pub(crate) fn rollup(&self, meta: &RollupMeta, grain: Grain) -> Arc<Option<RecordBatch>> {
        loaded_once(&self.rollups, (meta.id, grain), || {
            rollup::load(&self.layout, meta, grain)
        })
    }

    /// What calls what in a segment. None if it cannot be read, which is said once.
    pub(crate) fn edges(&self, segment: &SegmentMeta, meta: EdgesMeta) -> Arc<Option<RecordBatch>> {
        loaded_once(&self.edges, segment.id, || {
            edges::load(&self.layout, segment.id, meta)
        })
    }

    /// What functions cost by a segment. None if it cannot be read, which is said once.
    pub(crate) fn costs(&self, segment: &SegmentMeta, meta: CostsMeta) -> Arc<Option<RecordBatch>> {
        loaded_once(&self.costs, segment.id, || {
            costs::load(&self.layout, segment.id, meta)
        })
    }

    /// Which attributes a segment has, with their values. None of a segment that is older than censuses,
    /// or whose census cannot be read, which is said.
    pub(crate) fn census(&self, segment: &SegmentMeta) -> Option<Arc<Census>> {
        let meta = segment.census?;
        let loaded = self.censuses.get_or_load(segment.id, || {
            let census = census::load(&self.layout, segment, meta)?;
            let bytes = census.memory_bytes();
            Ok::<_, ReadError>((census, bytes))
        });
        match loaded {
            Ok(census) => Some(census),
            Err(error) => {
                tracing::error!(%error, "the attributes of a segment are not known");
                None
            }
        }
    }

    /// Which attributes a segment has, and of which kinds.
    pub(crate) fn kinds(&self, segment: &SegmentMeta) -> Result<Arc<Kinds>, ReadError> {
        self.kinds.get_or_load(segment.id, || {
            let census = self.census(segment);
            if let Some(kinds) = census.as_deref().and_then(Kinds::of_census) {
                let bytes = kinds.memory_bytes();
                return Ok((kinds, bytes));
            }
            let columns = vec![ATTRIBUTES, "resource"];
            let attributes = Vec::new();
            let projection = Projection {
                columns,
                attributes,
            };
            let mut kinds = Kinds::default();
            for read in self.stream(
                segment,
                &projection,
                std::slice::from_ref(&(0..segment.rows)),
            )? {
                kinds.add(&read?)?;
            }
            let bytes = kinds.memory_bytes();
            Ok((kinds, bytes))
        })
    }

    /// The spans of a trace that are in these rows.
    pub(crate) fn spans_at(
        &self,
        segment: &SegmentMeta,
        rows: Range<u32>,
    ) -> Result<Arc<Vec<Arc<Span>>>, ReadError> {
        let mut spans = self.spans_of(segment, std::slice::from_ref(&rows))?;
        Ok(spans.pop().unwrap_or_default())
    }

    /// The spans of traces, each in its rows, which are in order. Those that are not in memory are read
    /// at once.
    pub(crate) fn spans_of(
        &self,
        segment: &SegmentMeta,
        traces: &[Range<u32>],
    ) -> Result<Vec<Arc<Vec<Arc<Span>>>>, ReadError> {
        let known = traces.iter();
        let known = known.map(|rows| self.traces.get((segment.id, rows.start)));
        let known: Vec<Option<_>> = known.collect();
        let missing = traces.iter().zip(&known);
        let missing = missing.filter(|(_, known)| known.is_none());
        let missing: Vec<_> = missing.map(|(rows, _)| places(rows.clone())).collect();
        let mut read = match missing.is_empty() {
            true => Vec::new(),
            false => self.rows::<SpanTable>(segment, &missing)?,
        }
        .into_iter()
        .map(Arc::new);
        let spans = traces.iter().zip(known).map(|(rows, known)| {
            known.unwrap_or_else(|| {
                let spans: Vec<Arc<Span>> = read.by_ref().take(rows.len()).collect();
                let bytes = spans.iter().map(|span| span_bytes(span)).sum();
                self.traces.put((segment.id, rows.start), spans, bytes)
            })
        });
        Ok(spans.collect())
    }

    /// Calls with the spans at these places, which are in order. The traces that they are in are read with
    /// them, some at a time, and none is kept.
    pub(crate) fn each_span(
        &self,
        segment: &SegmentMeta,
        rows: &[u32],
        mut each: impl FnMut(&Span),
    ) -> Result<(), ReadError> {
        let index = self.index(segment)?;
        let mut left = rows;
        while !left.is_empty() {
            let mut traces: Vec<Range<usize>> = Vec::new();
            let mut room = SPLIT_TRACE_ROWS;
            let mut wanted = 0;
            for row in left {
                let known = traces.last().map_or(0, |trace| trace.end);
                if *row as usize >= known {
                    let trace = places(index.trace_around(*row));
                    if wanted > 0 && trace.len() > room {
                        break;
                    }
                    room = room.saturating_sub(trace.len());
                    traces.push(trace);
                }
                wanted += 1;
            }
            let spans = self.rows::<SpanTable>(segment, &traces)?;
            let rows_read = traces.into_iter().flatten();
            let mut spans = rows_read.zip(spans);
            let (now, later) = left.split_at(wanted);
            for row in now {
                let span = spans.find(|(at, _)| *at == *row as usize);
                each(&span.ok_or_else(|| self.wrong_index(segment))?.1);
            }
            left = later;
        }
        Ok(())
    }

    /// Log records at these places, which are in order.
    pub(crate) fn log_rows(
        &self,
        segment: &SegmentMeta,
        rows: &[u32],
    ) -> Result<Vec<LogRow>, ReadError> {
        let rows: Vec<Range<usize>> = runs(rows).into_iter().map(places).collect();
        self.rows::<LogTable>(segment, &rows)
    }

    /// Metric points at these places, which are in order.
    pub(crate) fn metric_rows(
        &self,
        segment: &SegmentMeta,
        rows: &[Range<u32>],
    ) -> Result<Vec<MetricPoint>, ReadError> {
        let rows: Vec<Range<usize>> = rows.iter().cloned().map(places).collect();
        self.rows::<MetricTable>(segment, &rows)
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
        self.with_reader::<T, _>(segment, |reader| reader.rows(ranges))
    }

    fn with_reader<T: Table, R>(
        &self,
        segment: &SegmentMeta,
        read: impl FnOnce(SegmentReader<'_, T>) -> Result<R, ReadError>,
    ) -> Result<R, ReadError> {
        let path = rows_path(&self.layout, segment.signal, segment.id);
        let footer = self.footers.get_or_load(segment.id, || {
            let checks = load_checks(&index_path(&self.layout, segment.signal, segment.id))?;
            let footer = Footer::load(&path, &T::schema(), checks)?;
            let bytes = footer.memory_bytes();
            Ok::<_, ReadError>((footer, bytes))
        })?;
        read(SegmentReader::<T>::new(path, &footer))
    }
}

/// What can be had from the rows as well, if it can be read.
fn loaded_once<K: Copy + Eq + Hash>(
    cache: &Cache<K, Option<RecordBatch>>,
    key: K,
    load: impl FnOnce() -> Result<RecordBatch, ReadError>,
) -> Arc<Option<RecordBatch>> {
    let loaded = cache.get_or_load(key, || {
        let loaded = load();
        if let Err(error) = &loaded {
            tracing::error!(%error, "rollup cannot be read; its rows are summed up instead");
        }
        let loaded = loaded.ok();
        let bytes = loaded
            .as_ref()
            .map_or(0, RecordBatch::get_array_memory_size);
        Ok::<_, Infallible>((loaded, bytes + COPIES_ENTRY_BYTES))
    });
    match loaded {
        Ok(loaded) => loaded,
    }
}

/// What an entry without copies takes.
const COPIES_ENTRY_BYTES: usize = 128;

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
