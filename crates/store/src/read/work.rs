//! How much a search may still do.

use crate::limits::{COLUMN_STEPS, COUNT_WORK_MAX, ROW_STEPS};

/// Steps left.
#[derive(Debug)]
pub(super) struct Work {
    left: u64,
}

impl Work {
    pub(super) fn new(steps: u64) -> Self {
        Work { left: steps }
    }

    /// So many looks into indexes.
    pub(super) fn looks(&mut self, looks: usize) {
        self.left = self.left.saturating_sub(looks as u64);
    }

    /// So many rows of which some columns were read and checked.
    pub(super) fn columns(&mut self, rows: u64) {
        self.left = self.left.saturating_sub(rows * COLUMN_STEPS);
    }

    /// So many rows read and checked.
    pub(super) fn rows(&mut self, rows: usize) {
        self.left = self.left.saturating_sub(rows as u64 * ROW_STEPS);
    }

    /// The page is full; what follows only counts.
    pub(super) fn only_count(&mut self) {
        self.left = self.left.min(COUNT_WORK_MAX);
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0
    }
}
