//! Segments whose merge failed are left alone for a while, longer after each failure, so that a merge
//! that cannot succeed neither is tried without end nor keeps others from being done.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

use crate::limits::{MERGE_RETRY_MAX, MERGE_RETRY_MIN};
use crate::segment::{SegmentId, SegmentMeta};
use crate::snapshot::Segments;

/// How often the merge of a segment failed, and until when it is not tried again.
#[derive(Debug, Default)]
pub(super) struct Failing(HashMap<SegmentId, (u32, UnixNanos)>);

impl Failing {
    /// Whether a segment is to be left alone.
    pub(super) fn rests(&self, id: SegmentId, now: UnixNanos) -> bool {
        self.0.get(&id).is_some_and(|(_, until)| now < *until)
    }

    /// Notes that the merge of some segments failed. For how long they are left alone; others of those
    /// that there are now are not.
    pub(super) fn note(
        &mut self,
        inputs: &[Arc<SegmentMeta>],
        segments: &Segments,
        now: UnixNanos,
    ) -> Duration {
        let there: HashSet<SegmentId> = segments.all().map(|segment| segment.id).collect();
        self.0.retain(|id, _| there.contains(id));
        let failures = inputs.iter().filter_map(|input| self.0.get(&input.id));
        let failures = 1 + failures.map(|(failures, _)| *failures).max().unwrap_or(0);
        let rest = MERGE_RETRY_MIN.saturating_mul(2_u32.saturating_pow(failures - 1));
        let rest = rest.min(MERGE_RETRY_MAX);
        for input in inputs {
            self.0.insert(input.id, (failures, now.plus(rest)));
        }
        rest
    }

    /// Notes that these are gone.
    pub(super) fn forget(&mut self, inputs: &[Arc<SegmentMeta>]) {
        for input in inputs {
            self.0.remove(&input.id);
        }
    }
}
