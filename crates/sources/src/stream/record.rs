//! A record of a stream, of either kind.

use serde_json::Value;
use throughline_sandbox::UnixNanos;

use super::lane::Item;
use crate::pattern::Pattern;

/// A record as Lambda tells it, and what the poller must know of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) sequence: String,
    pub(super) arrived: UnixNanos,
    /// Records with one key keep their order, whatever else runs beside them.
    pub(super) key: String,
    pub(super) event: Value,
    /// What filters see.
    pub(super) seen: Value,
    pub(super) bytes: usize,
}

impl Item for Record {
    fn arrived(&self) -> UnixNanos {
        self.arrived
    }

    fn bytes(&self) -> usize {
        self.bytes
    }
}

impl Record {
    pub(super) fn passes(&self, filters: &[Pattern]) -> bool {
        filters.is_empty() || filters.iter().any(|filter| filter.matches(&self.seen))
    }
}
