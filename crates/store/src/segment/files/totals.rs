//! Totals of rollups that are asked about together.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use arrow::array::RecordBatch;
use throughline_telemetry::UnixNanos;

use super::SegmentFiles;
use crate::error::ReadError;
use crate::limits::ADDED_UP_ROWS_MAX;
use crate::rollup::{self, Grain, RollupMeta};
use crate::segment::SegmentId;

/// When a time begins and ends, a hash of the rollups that are of it, and what is known of them.
pub(super) type AddedUpKey = (u64, u64, u64, Grain);

/// Totals of some rollups.
#[derive(Debug)]
pub(super) struct AddedUp {
    /// Which rollups.
    of: Vec<SegmentId>,
    /// None if there are too many.
    rows: Option<RecordBatch>,
}

impl SegmentFiles {
    /// The totals of these rollups as one, or their counts, which are of a time that others will ask about too. None
    /// if there are too many rows, or if one of them cannot be read.
    pub(crate) fn added_up(
        &self,
        time: &Range<UnixNanos>,
        rollups: &[&RollupMeta],
        totals: Grain,
    ) -> Option<RecordBatch> {
        let of: Vec<SegmentId> = rollups.iter().map(|rollup| rollup.id).collect();
        let mut hasher = DefaultHasher::new();
        of.hash(&mut hasher);
        let hash = hasher.finish();
        let key = |grain| (time.start.0, time.end.0, hash, grain);
        // Totals have the counts.
        let known = [Grain::Totals, totals].map(|grain| self.added_up.get(key(grain)));
        let mut known = known.into_iter().flatten();
        if let Some(known) = known.find(|known| known.of == of) {
            return known.rows.clone();
        }
        // Whoever reads them one by one says which cannot be read.
        let rows = self.add_up(rollups, totals).ok()?;
        let bytes = rows.as_ref().map_or(0, RecordBatch::get_array_memory_size);
        let bytes = bytes + of.len() * size_of::<SegmentId>();
        self.added_up
            .put(key(totals), AddedUp { of, rows }, bytes)
            .rows
            .clone()
    }

    fn add_up(
        &self,
        rollups: &[&RollupMeta],
        totals: Grain,
    ) -> Result<Option<RecordBatch>, ReadError> {
        let mut parts = Vec::with_capacity(rollups.len());
        for meta in rollups {
            // Past the cache: what is asked for next is their sum.
            let known = self.rollups.get((meta.id, totals));
            parts.push(match known.as_deref() {
                Some(Some(rows)) => rows.clone(),
                _ => rollup::load(&self.layout, meta, totals)?,
            });
        }
        let added = rollup::add_up(&parts, ADDED_UP_ROWS_MAX);
        added.map_err(|damage| ReadError::corrupt(&self.layout.rollup_directory(), damage))
    }
}
