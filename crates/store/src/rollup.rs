//! Rollups: what the spans of a segment sum up to, by the minute.
//!
//! ```text
//! rollups/spans-0000000007-000.parquet   of segments/spans-0000000007-000.parquet
//! ```
//!
//! What calls what lies beside it: [`edges`](crate::edges). A rollup has a row for each minute, service, name, kind and status: how many spans began then, how
//! long they took (sum, least, greatest, [`Histogram`](throughline_telemetry::Histogram)), and how many
//! of them were cold starts. [`schema`] has the columns, [`packed`] how they lie in the file. The last row group of the file has the same less the
//! minutes ([`Grain::Totals`]); files of before it have none. It is made while the rows are written
//! ([`Fold`]), from spans of which each counts once, and published with them. It goes with them, too.
//!
//! What a rollup says can be had from the rows. So one that is gone or damaged is said in the log and done
//! without.
//!
//! **Invariant**: for every minute, what a segment's rollup counts is what its rows count.

mod copies;
mod file;
mod fold;
mod packed;
mod schema;
mod sums;
mod totals;

use throughline_telemetry::UnixNanos;

pub(crate) use file::{clear, load, load_batch, write, write_batch, write_sums};
pub(crate) use fold::Fold;
pub(crate) use schema::{environment_field, schema, tells_environments};
pub(crate) use sums::SpanSums;
pub(crate) use totals::add_up;

use crate::segment::SegmentId;

/// The name, or the service and the name, of spans beyond the names that a rollup has room for.
pub const OTHER: &str = "(other)";

/// The attribute that says in which environment spans were made.
pub(crate) const ENVIRONMENT_KEY: &str = "deployment.environment.name";

/// Which rows of a rollup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Grain {
    /// A row for each minute.
    Minutes,
    /// One for all minutes, with the last of them as its time: fewer to read where minutes do not matter.
    Totals,
    /// The same for those who do not ask about durations, which are most of the bytes: what that column has is not to
    /// be read.
    Counts,
}

/// What the catalog knows of a rollup.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RollupMeta {
    /// Of the segment whose rows it sums up.
    pub(crate) id: SegmentId,
    pub(crate) rows: u32,
    /// On disk.
    pub(crate) bytes: u64,
    /// Spans that are counted in it: those of the segment but copies.
    pub(crate) spans: u32,
    /// Spans whose names did not fit.
    pub(crate) others: u32,
    /// The first minute.
    pub(crate) first: UnixNanos,
    /// The last one.
    pub(crate) last: UnixNanos,
    /// CRC-32C of the file.
    pub(crate) crc: u32,
}

/// The minute that a time is in.
pub(crate) fn minute_of(time: UnixNanos) -> UnixNanos {
    UnixNanos(time.0 - time.0 % MINUTE_NANOS)
}

/// The first minute that begins then or later.
pub(crate) fn minute_from(time: UnixNanos) -> UnixNanos {
    UnixNanos(time.0.div_ceil(MINUTE_NANOS).saturating_mul(MINUTE_NANOS))
}

/// What a rollup sums up over.
pub(crate) const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
