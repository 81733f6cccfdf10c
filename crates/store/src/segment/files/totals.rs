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

/// When a time begins and ends, and a hash of the rollups that are of it.
pub(super) type AddedUpKey = (u64, u64, u64);

/// Totals of some rollups.
#[derive(Debug)]
pub(super) struct AddedUp {
    /// Which rollups.
    of: Vec<SegmentId>,
    /// None if there are too many.
    rows: Option<RecordBatch>,
}

impl SegmentFiles {
    /// The totals of these rollups as one, which are of a time that others will ask about too. None if there are too
    /// many rows, or if one of them cannot be read.
    pub(crate) fn added_up(
        &self,
        time: &Range<UnixNanos>,
        rollups: &[&RollupMeta],
    ) -> Option<RecordBatch> {
        let of: Vec<SegmentId> = rollups.iter().map(|rollup| rollup.id).collect();
        let mut hasher = DefaultHasher::new();
        of.hash(&mut hasher);
        let key = (time.start.0, time.end.0, hasher.finish());
        let known = self.added_up.get(key).filter(|known| known.of == of);
        if let Some(known) = known {
            return known.rows.clone();
        }
        // Whoever reads them one by one says which cannot be read.
        let rows = self.add_up(rollups).ok()?;
        let bytes = rows.as_ref().map_or(0, RecordBatch::get_array_memory_size);
        let bytes = bytes + of.len() * size_of::<SegmentId>();
        self.added_up
            .put(key, AddedUp { of, rows }, bytes)
            .rows
            .clone()
    }

    fn add_up(&self, rollups: &[&RollupMeta]) -> Result<Option<RecordBatch>, ReadError> {
        let mut totals = Vec::with_capacity(rollups.len());
        for meta in rollups {
            // Past the cache: what is asked for next is their sum.
            let known = self.rollups.get((meta.id, Grain::Totals));
            totals.push(match known.as_deref() {
                Some(Some(rows)) => rows.clone(),
                _ => rollup::load(&self.layout, meta, Grain::Totals)?,
            });
        }
        let added = rollup::add_up(&totals, ADDED_UP_ROWS_MAX);
        added.map_err(|damage| ReadError::corrupt(&self.layout.rollup_directory(), damage))
    }
}
