//! Which segments to merge next.

use std::collections::BTreeMap;
use std::sync::Arc;

use throughline_telemetry::{Signal, UnixNanos};

use crate::limits::{MERGED_MAX, MERGED_MIN, QUIET_AFTER, SEGMENT_ROWS_MAX, WINDOW_NANOS};
use crate::segment::{SegmentId, SegmentMeta};
use crate::snapshot::Segments;

/// Segments of one signal and window that are worth merging, those with the older rows first. Some
/// are not to be touched.
pub(super) fn choose(
    segments: &Segments,
    now: UnixNanos,
    untouched: &dyn Fn(SegmentId) -> bool,
) -> Option<Vec<Arc<SegmentMeta>>> {
    let mut windows = candidates(segments, now, untouched);
    windows.find_map(|(candidates, at_least)| {
        let count = worthwhile(&candidates, at_least, MERGED_MAX, MERGED_ROWS_MAX);
        let mut chosen: Vec<_> = candidates[..count].iter().copied().cloned().collect();
        // What was merged before is older than what was not.
        chosen.sort_by_key(|segment| segment.age());
        (count > 0).then_some(chosen)
    })
}

/// The segments of all signals and windows that are worth merging, however many merges that takes.
pub(super) fn waiting(
    segments: &Segments,
    now: UnixNanos,
) -> impl Iterator<Item = Arc<SegmentMeta>> {
    let windows = candidates(segments, now, &|_| false);
    windows.flat_map(|(mut candidates, at_least)| {
        let count = worthwhile(&candidates, at_least, usize::MAX, u64::MAX);
        candidates.truncate(count);
        candidates.into_iter().cloned()
    })
}

/// Of each signal and window what may be merged, the smallest first, and from how many on.
fn candidates<'a>(
    segments: &'a Segments,
    now: UnixNanos,
    untouched: &'a dyn Fn(SegmentId) -> bool,
) -> impl Iterator<Item = (Vec<&'a Arc<SegmentMeta>>, usize)> {
    Signal::ALL.into_iter().flat_map(move |signal| {
        let mut windows: BTreeMap<u64, Vec<&Arc<SegmentMeta>>> = BTreeMap::new();
        for segment in segments.of(signal) {
            let small = segment.rows <= SEGMENT_ROWS_MAX / 2;
            if let Some(window) = window(segment)
                && small
                && !untouched(segment.id)
            {
                windows.entry(window).or_default().push(segment);
            }
        }
        windows.into_iter().map(move |(window, mut candidates)| {
            candidates.sort_by_key(|segment| (segment.rows, segment.id));
            let is_quiet = quiet_from(window) <= now.0;
            (candidates, if is_quiet { 2 } else { MERGED_MIN })
        })
    })
}

/// The window that all rows of a segment are in, if there is one.
fn window(segment: &SegmentMeta) -> Option<u64> {
    let [first, last] = [segment.first, segment.last].map(|time| time.0 / WINDOW_NANOS);
    (first == last).then_some(first)
}

/// When hardly anything more will come for a window.
fn quiet_from(window: u64) -> u64 {
    let quiet = u64::try_from(QUIET_AFTER.as_nanos()).unwrap_or(u64::MAX);
    (window + 1)
        .saturating_mul(WINDOW_NANOS)
        .saturating_add(quiet)
}

/// How many of the smallest are worth merging, none or at least so many. The largest of them must not be
/// so much larger than the others that it would be written again for next to nothing.
fn worthwhile(
    candidates: &[&Arc<SegmentMeta>],
    at_least: usize,
    at_most: usize,
    rows_max: u64,
) -> usize {
    let (mut rows, mut count) = (0, 0);
    for (place, segment) in candidates.iter().enumerate().take(at_most) {
        let largest = u64::from(segment.rows);
        if place + 1 >= at_least && rows * GROWTH >= largest {
            count = place + 1;
        }
        rows += largest;
        if rows > rows_max {
            break;
        }
    }
    count
}

/// Rows after which no further segment is added to a merge.
const MERGED_ROWS_MAX: u64 = 2 * SEGMENT_ROWS_MAX as u64;

/// A segment is written again for at least this part of its rows.
const GROWTH: u64 = 4;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::buffer::Services;

    const MINUTE: u64 = 60_000_000_000;

    fn segment(number: u64, rows: u32, minutes: std::ops::Range<u64>) -> SegmentMeta {
        SegmentMeta {
            id: SegmentId::new(number, 0),
            signal: Signal::Logs,
            rows,
            bytes: 1,
            traces: 0,
            first: UnixNanos(minutes.start * MINUTE),
            last: UnixNanos(minutes.end * MINUTE),
            end: UnixNanos(minutes.end * MINUTE),
            max_duration_nanos: 0,
            errors: 0,
            max_severity: 0,
            services: Services::default(),
            level: 0,
            crc: None,
            rollup: None,
            edges: None,
            costs: None,
            links: None,
            census: None,
        }
    }

    fn check(made: Vec<SegmentMeta>, at_minute: u64, expect: &[u64]) {
        let mut segments = Segments::default();
        made.into_iter().for_each(|segment| segments.add(segment));
        let chosen = choose(&segments, UnixNanos(at_minute * MINUTE), &|_| false);
        let chosen = chosen.unwrap_or_default();
        let ids: Vec<u64> = chosen.iter().map(|it| it.id.generation()).collect();
        assert_eq!(ids, expect);
    }

    #[test]
    fn a_window_that_grows_is_merged_when_it_has_many() {
        let some = |count: u64| (1..=count).map(|n| segment(n, 100, 1..2)).collect();
        check(some(7), 5, &[]);
        check(some(8), 5, &[1, 2, 3, 4, 5, 6, 7, 8]);
        check(some(2), 60, &[1, 2]);
        check(some(1), 60, &[]);
    }

    #[test]
    fn a_large_segment_is_not_written_again_for_a_few_rows() {
        let late = vec![segment(1, 1000, 1..2), segment(2, 10, 1..2)];
        check(late, 60, &[]);
        let late = vec![
            segment(1, 1000, 1..2),
            segment(2, 10, 1..2),
            segment(3, 5, 1..2),
        ];
        check(late, 60, &[2, 3]);
        let late = vec![segment(1, 1000, 1..2), segment(2, 250, 1..2)];
        check(late, 60, &[1, 2]);
        let full = vec![segment(1, SEGMENT_ROWS_MAX, 1..2), segment(2, 9, 1..2)];
        check(full, 60, &[]);
    }

    #[test]
    fn all_that_wait_are_counted_and_not_the_next_merge_alone() {
        let mut segments = Segments::default();
        for number in 1..=100 {
            segments.add(segment(number, 100, 1..2));
            segments.add(segment(1000 + number, 100, 11..12));
        }
        (1..=7).for_each(|number| segments.add(segment(2000 + number, 100, 21..22)));
        let ids = |waiting: Vec<Arc<SegmentMeta>>| waiting.len();
        let at = |minute| UnixNanos(minute * MINUTE);
        assert_eq!(ids(waiting(&segments, at(25)).collect()), 200);
        assert_eq!(ids(waiting(&segments, at(60)).collect()), 207);
        segments.add(segment(3000, SEGMENT_ROWS_MAX / 2, 1..2));
        let none_more = waiting(&segments, at(60)).count();
        assert_eq!(none_more, 207, "it would be written again for a few rows");
    }

    #[test]
    fn windows_are_not_mixed() {
        check(vec![segment(1, 9, 1..2), segment(2, 9, 11..12)], 60, &[]);
        check(vec![segment(1, 9, 1..2), segment(2, 9, 1..12)], 60, &[]);
    }
}
