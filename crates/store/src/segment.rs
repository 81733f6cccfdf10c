//! Segments: immutable Parquet files, each with an index of its traces beside it.
//!
//! ```text
//! segments/spans-0000000007-000.parquet     rows of generation 7, the first of its windows
//! segments/spans-0000000007-000.index       trace id -> rows, checksums
//! segments/spans-merged-0000000003.parquet  made from others by compaction
//! ```
//!
//! Any Parquet reader can read them. What is ours is the order of the rows and a few columns:
//!
//! - **Order**: spans by start of their trace, trace id, own start; log records by time and
//!   sequence; metric points by name and time. Grouping by trace puts ids, users and hosts that
//!   repeat next to each other: on synthetic spans it took 30 % less than grouping by service.
//! - **Parents**: `parent_ordinal` counts from the first row of the trace in the file; a parent
//!   that is not in the file is in `parent_span_id` instead. A root has neither.
//! - **Times**: `start` and the like are nanoseconds since 1970, delta-packed. `duration` is end
//!   minus start, negative for a clock that ran backwards.
//! - **Attributes**: those that many rows have, or that people filter by, have a typed column of their
//!   own, `a.KEY`, `a.KEY#int`, `a.KEY#double` or `a.KEY#bool` ([`promotion`]). What else there is
//!   stays in the list `attributes` of `{key, type, value}`, sorted by key; how a value becomes text,
//!   [`value`] says. The order of different keys is not kept: OTLP gives it no meaning.
//! - **Resources**: the `resource` column is a dictionary of JSON texts, so that each is stored
//!   once per row group; what tells the environments of a function apart is in `resource_environment`
//!   ([`resources`]). `service` repeats its `service.name` for those who filter by it.
//!
//! Rows come and go as *canonical batches* with a fixed schema; [`form`] turns them into the columns of
//! a file and back, and says how a file tells which form it has. Files of the first form, in which all
//! attributes are in the list, stay readable.
//!
//! A generation is cut into windows of ten minutes by trace start, log time or point time, so that
//! old data can be dropped by deleting files. [`index`] has the grammar of the index.

mod absent;
mod attributes;
mod checks;
mod columns;
mod conventions;
mod copies;
mod files;
pub(crate) mod filter;
mod form;
mod index;
mod kinds;
mod logs;
mod merge;
mod metrics;
mod pages;
mod parents;
mod pread;
mod projection;
mod promotion;
mod reader;
mod resources;
mod serializer;
mod spans;
mod summary;
mod table;
pub(crate) mod value;
mod whole;
mod window;
mod words;
mod writer;

pub(crate) use attributes::Column;
pub(crate) use columns::{AttributeLists, Texts, attribute_lists, texts_of};
pub(crate) use copies::{SpanKey, losers, read_keys, settle, span_keys};
pub(crate) use files::{SegmentFiles, blocks};
pub(crate) use index::runs;
pub(crate) use kinds::{KindSet, Kinds};
pub(crate) use merge::{Interrupted, Target, merge};
pub(crate) use projection::{AttributeCells, Projected, Projection};
pub use promotion::Kind;
pub(crate) use table::Damage;
pub(crate) use value::attributes_from_json;
pub(crate) use words::attribute_hash;
pub(crate) use writer::{durably, write_all, write_index};

use std::path::{Path, PathBuf};
use std::sync::Arc;

use throughline_telemetry::{Signal, UnixNanos};

use crate::buffer::Services;
use crate::census::CensusMeta;
use crate::costs::CostsMeta;
use crate::directory::Layout;
use crate::edges::EdgesMeta;
use crate::links::LinksMeta;
use crate::rollup::RollupMeta;

/// Names a segment: its generation and its number in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct SegmentId(pub(crate) u64);

impl SegmentId {
    pub(crate) fn new(generation: u64, number: u16) -> Self {
        assert!(generation < 1 << 46, "more generations than an id can name");
        SegmentId(generation << 16 | u64::from(number))
    }

    /// Names a segment that was made from others.
    pub(crate) fn compacted(number: u64) -> Self {
        assert!(number < COMPACTED, "more segments than an id can name");
        SegmentId(COMPACTED | number)
    }

    /// The number of a segment that was made from others.
    pub(crate) fn compacted_number(self) -> Option<u64> {
        (self.0 & COMPACTED != 0).then_some(self.0 & !COMPACTED)
    }

    pub(crate) fn generation(self) -> u64 {
        self.0 >> 16
    }

    fn number(self) -> u64 {
        self.0 & 0xffff
    }
}

/// What the catalog knows of a segment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct SegmentMeta {
    pub(crate) id: SegmentId,
    pub(crate) signal: Signal,
    pub(crate) rows: u32,
    /// On disk, with the index.
    pub(crate) bytes: u64,
    pub(crate) traces: u32,
    /// Start of the oldest trace, or time of the oldest record or point.
    pub(crate) first: UnixNanos,
    /// The same of the newest.
    pub(crate) last: UnixNanos,
    /// End of the span that ended last.
    pub(crate) end: UnixNanos,
    /// Of the longest span.
    pub(crate) max_duration_nanos: u64,
    /// Spans that failed.
    pub(crate) errors: u32,
    /// Of the gravest log record.
    pub(crate) max_severity: u8,
    pub(crate) services: Services,
    /// 0 as it was sealed, 1 made from others.
    pub(crate) level: u8,
    /// CRC-32C of the file of rows, unless it is older than these.
    pub(crate) crc: Option<u32>,
    /// What spans sum up to; older segments have none.
    pub(crate) rollup: Option<Arc<RollupMeta>>,
    /// What calls what in spans; older segments have none.
    pub(crate) edges: Option<EdgesMeta>,
    /// What joins traces, of spans; older segments have none.
    pub(crate) links: Option<LinksMeta>,
    /// What functions cost, as log records say it; older segments have none.
    pub(crate) costs: Option<CostsMeta>,
    /// Which attributes there are; older segments have none.
    pub(crate) census: Option<CensusMeta>,
}

impl SegmentMeta {
    /// Bytes on disk, with what lies beside the rows.
    pub(crate) fn disk_bytes(&self) -> u64 {
        let rollup = self.rollup.as_ref().map_or(0, |rollup| rollup.bytes);
        let edges = self.edges.map_or(0, |edges| edges.bytes);
        let census = self.census.map_or(0, |census| census.bytes);
        let costs = self.costs.map_or(0, |costs| costs.bytes);
        let links = self.links.map_or(0, |links| links.bytes);
        self.bytes + rollup + edges + links + costs + census
    }

    /// What segments with older rows have less of: what was merged was there before what was not.
    pub(crate) fn age(&self) -> impl Ord + use<> {
        (std::cmp::Reverse(self.level), self.id)
    }
}

/// The files of a segment.
pub(crate) fn paths(layout: &Layout, signal: Signal, id: SegmentId) -> [PathBuf; 2] {
    [
        rows_path(layout, signal, id),
        index_path(layout, signal, id),
    ]
}

/// What the file of an index consists of, by name, in bytes; nothing of one that is damaged or older.
pub(crate) fn index_parts(file: &std::fs::File) -> std::io::Result<Vec<(&'static str, u64)>> {
    index::part_sizes(file)
}

/// The segment that a file belongs to, whole or left over from a seal that did not finish.
pub(crate) fn id_of_file(path: &Path) -> Option<SegmentId> {
    of_file(path).map(|(_, id)| id)
}

/// The same, with the signal that the segment is of.
pub(crate) fn of_file(path: &Path) -> Option<(Signal, SegmentId)> {
    let name = path.file_name()?.to_str()?;
    let mut parts = name.split('.').next()?.split('-');
    let prefix = parts.next()?;
    let signal = Signal::ALL
        .into_iter()
        .find(|known| file_prefix(*known) == prefix)?;
    let generation = parts.next()?;
    let number = parts.next()?;
    let id = match generation {
        "merged" => SegmentId::compacted(number.parse().ok()?),
        generation => SegmentId::new(generation.parse().ok()?, number.parse().ok()?),
    };
    parts.next().is_none().then_some((signal, id))
}

fn rows_path(layout: &Layout, signal: Signal, id: SegmentId) -> PathBuf {
    layout
        .segment_directory()
        .join(file_name(signal, id, "parquet"))
}

fn index_path(layout: &Layout, signal: Signal, id: SegmentId) -> PathBuf {
    layout
        .segment_directory()
        .join(file_name(signal, id, "index"))
}

pub(crate) fn file_name(signal: Signal, id: SegmentId, extension: &str) -> String {
    let prefix = file_prefix(signal);
    if let Some(number) = id.compacted_number() {
        return format!("{prefix}-merged-{number:010}.{extension}");
    }
    let (generation, number) = (id.generation(), id.number());
    format!("{prefix}-{generation:010}-{number:03}.{extension}")
}

fn file_prefix(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "spans",
        Signal::Logs => "logs",
        Signal::Metrics => "metrics",
    }
}

/// The bit that tells the ids of segments made from others.
const COMPACTED: u64 = 1 << 62;

#[cfg(test)]
mod tests;
