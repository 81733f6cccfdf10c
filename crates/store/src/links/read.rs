//! Traces by what joins them.

use std::collections::BTreeSet;

use arrow::array::FixedSizeBinaryArray;
use throughline_telemetry::correlation::End;
use throughline_telemetry::{Signal, TraceId};

use super::end_hash;
use crate::error::ReadError;
use crate::limits::{LINKED_TRACES_MAX, LINKS_ROWS_READ_MAX};
use crate::read::Reader;
use crate::segment::{Damage, runs};

/// Which traces have some ends.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Linked {
    /// The traces of each end, in the order in which they were asked for; each trace once.
    pub traces: Vec<Vec<TraceId>>,
    /// Whether there may be others: more than are given here, or in segments that have no index of links
    /// and too many rows to look through at once.
    pub truncated: bool,
}

impl Reader<'_> {
    /// The traces that have these ends.
    pub(crate) fn linked(&self, ends: &[End]) -> Result<Linked, ReadError> {
        let hashes: Vec<u64> = ends.iter().map(end_hash).collect();
        let mut found: Vec<BTreeSet<TraceId>> = vec![BTreeSet::new(); ends.len()];
        let mut truncated = false;
        let mut rows_left = LINKS_ROWS_READ_MAX;
        for segment in self.snapshot.segments.of(Signal::Traces) {
            if !self.files.has_links(segment) {
                match rows_left.checked_sub(segment.rows) {
                    Some(left) => rows_left = left,
                    None => {
                        truncated = true;
                        continue;
                    }
                }
            }
            let (rows, is_partial) = self.files.linked_rows(segment, &hashes)?;
            truncated |= is_partial;
            if rows.is_empty() {
                continue;
            }
            let mut places: Vec<u32> = rows.iter().map(|(row, _)| *row).collect();
            places.sort_unstable();
            places.dedup();
            let read = self.files.trace_ids(segment, &runs(&places))?;
            let ids: &FixedSizeBinaryArray = read.get("trace_id")?;
            for (row, end) in rows {
                let place = places.binary_search(&row).unwrap_or_default();
                let id = TraceId::from_slice(ids.value(place));
                let id = id.map_err(|_| read.damage(Damage::new("a trace id is zero")))?;
                found[end].insert(id);
            }
        }
        for buffer in &self.snapshot.buffers {
            let linked = buffer.linked(&hashes).into_iter().enumerate();
            for (end, (traces, is_partial)) in linked {
                truncated |= is_partial;
                found[end].extend(traces);
            }
        }
        let traces = found.into_iter().map(|traces| {
            truncated |= traces.len() > LINKED_TRACES_MAX;
            traces.into_iter().take(LINKED_TRACES_MAX).collect()
        });
        let traces = traces.collect();
        Ok(Linked { traces, truncated })
    }
}
