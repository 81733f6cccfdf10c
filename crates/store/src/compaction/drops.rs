//! What retention drops: segments as a whole, and what is known of environments.

use std::io;
use std::sync::PoisonError;

use throughline_telemetry::{Signal, UnixNanos};

use super::{Compaction, rows, swap};
use crate::catalog;
use crate::catalog::environments;
use crate::limits::{PRUNE_INTERVAL, PRUNED_ENVIRONMENTS_MAX};
use crate::retention::{self, Why};
use crate::segment::{Interrupted, SegmentMeta};
use crate::store::Shared;

/// Drops segments that are too old or too many, and forgets environments as old.
pub(super) fn drop_old(
    shared: &Shared,
    state: &mut Compaction,
    now: UnixNanos,
) -> Result<(), Interrupted> {
    for signal in Signal::ALL {
        while !state.is_stopped {
            let keep = shared.options.retention.of(signal);
            let segments = shared.live.segments();
            let Some((why, old)) = retention::choose(&segments, signal, keep, now) else {
                break;
            };
            drop(segments);
            swap(shared, state, &old, Vec::new())?;
            state.failing.forget(&old);
            old.iter().for_each(|segment| {
                state.damaged.remove(&segment.id);
            });
            tell(shared, signal, why, old.iter().map(AsRef::as_ref));
        }
    }
    forget_environments(shared, state, now)
}

fn tell<'a>(
    shared: &Shared,
    signal: Signal,
    why: Why,
    dropped: impl Iterator<Item = &'a SegmentMeta> + Clone,
) {
    let count = dropped.clone().count() as u64;
    let rows = rows(dropped.clone());
    let bytes: u64 = dropped.clone().map(SegmentMeta::disk_bytes).sum();
    let counters = shared.counters.of(signal);
    counters.dropped_segments.add(count);
    counters.dropped_rows.add(rows);
    counters.dropped_bytes.add(bytes);
    let from = dropped.clone().map(|segment| segment.first).min();
    let to = dropped.map(|segment| segment.last.max(segment.end)).max();
    tracing::info!(
        signal = signal.name(),
        why = why.name(),
        segments = count,
        rows,
        bytes,
        from_nanos = from.unwrap_or_default().0,
        to_nanos = to.unwrap_or_default().0,
        "dropped by retention"
    );
}

/// Once in a while, because it takes reading all that are known.
fn forget_environments(
    shared: &Shared,
    state: &mut Compaction,
    now: UnixNanos,
) -> Result<(), Interrupted> {
    let Some(from) = shared.options.retention.environments_from(now) else {
        return Ok(());
    };
    if state
        .pruned
        .is_some_and(|last| now.since(last) < PRUNE_INTERVAL && now >= last)
    {
        return Ok(());
    }
    state.pruned = Some(now);
    let failed = |error: rusqlite::Error| Interrupted::Write(io::Error::other(error));
    // A connection of its own, so that no seal waits for the search.
    let reader = catalog::open_to_read(&shared.layout.catalog()).map_err(failed)?;
    let mut forgotten = 0;
    loop {
        let keys = environments::last_seen_before(&reader, from, PRUNED_ENVIRONMENTS_MAX);
        let keys = keys.map_err(failed)?;
        let catalog = shared.catalog.lock();
        let mut catalog = catalog.unwrap_or_else(PoisonError::into_inner);
        match catalog.forget_environments(&keys, from).map_err(failed)? {
            0 => break,
            more => forgotten += more,
        }
    }
    if forgotten > 0 {
        shared.counters.pruned_environments.add(forgotten);
        tracing::info!(environments = forgotten, "forgotten by retention");
    }
    Ok(())
}
