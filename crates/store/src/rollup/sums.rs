//! Everything that is summed up of spans while they are written.

use std::io;
use std::ops::Range;

use arrow::array::RecordBatch;
use throughline_telemetry::UnixNanos;

use super::Fold;
use super::copies::Copies;
use crate::edges::EdgeFold;
use crate::links::LinkFold;
use crate::scan::Shaper;
use crate::segment::Projected;

/// Sums up spans of which each counts once.
pub(crate) struct SpanSums {
    shaper: Shaper,
    copies: Copies,
    pub(crate) rollup: Fold,
    pub(crate) edges: EdgeFold,
    pub(crate) links: LinkFold,
}

impl SpanSums {
    pub(crate) fn new() -> Self {
        SpanSums {
            shaper: Shaper::new(&Fold::columns()),
            copies: Copies::default(),
            rollup: Fold::default(),
            edges: EdgeFold::default(),
            links: LinkFold::default(),
        }
    }

    /// Adds whole traces of a canonical batch; of copies of a span the one that counts.
    pub(crate) fn add(&mut self, canonical: &RecordBatch) -> io::Result<()> {
        self.copies.find(canonical).map_err(io::Error::other)?;
        let left_out = &self.copies.left_out;
        let rows = Projected::of_canonical(canonical.clone());
        let columns = self.shaper.shape(&rows, None).map_err(io::Error::other)?;
        let added = self.rollup.add_without(&columns, left_out);
        added.map_err(io::Error::other)?;
        self.links.add(canonical).map_err(io::Error::other)?;
        let added = self.edges.add(canonical, left_out, &ALWAYS);
        added.map_err(io::Error::other)
    }
}

const ALWAYS: Range<UnixNanos> = UnixNanos(0)..UnixNanos(u64::MAX);
