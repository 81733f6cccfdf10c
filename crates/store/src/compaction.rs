//! Compaction: many small segments of a window become few large ones, and old ones none.
//!
//! The order of steps is what makes a crash at any moment harmless:
//!
//! 1. Inputs are checked against their checksums and merged into new files, which are synced and named
//!    like those of a seal. The catalog does not know them: the next start removes them.
//! 2. One catalog transaction takes the inputs out, puts the new segments in, and notes that the
//!    files of the inputs are to be deleted. From here on those are the leftovers.
//! 3. Readers get the new segments. Those that began before go on with the old ones, whose files are
//!    deleted when the last of them is gone, and forgotten by the catalog then.
//!
//! What retention drops ([`drops`]) goes the same way from step 2 on, with nothing new.
//!
//! **Invariant**: a row is in exactly one segment that counts, whichever of them a reader sees.

mod drops;
mod failing;
mod policy;

use std::collections::HashSet;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use throughline_telemetry::{Signal, UnixNanos};

use crate::disk::{self, sync_directory};
use crate::limits::{
    COMPACTION_ALONE_AFTER, COMPACTION_HURRY_FROM, COMPACTION_INTERVAL, COMPACTION_REST_MAX,
    MERGE_FAILURES_MAX,
};
use crate::probe::Step;
use crate::segment::{self, Interrupted, SegmentId, SegmentMeta, Target};
use crate::snapshot::Segments;
use crate::store::Shared;
use failing::Failing;

/// What compaction keeps between its rounds.
#[derive(Debug, Default)]
pub(crate) struct Compaction {
    /// Of the segment that was made last.
    last_number: u64,
    /// Replaced segments that a reader may still look at.
    retired: Vec<Arc<SegmentMeta>>,
    /// Segments that could not be read. They stay as they are.
    damaged: HashSet<SegmentId>,
    /// Segments whose merge failed, for a while.
    failing: Failing,
    /// When was last looked for environments to forget.
    pruned: Option<UnixNanos>,
    /// Nothing is merged any more, because it is not known what the catalog says. The next start asks.
    is_stopped: bool,
}

impl Compaction {
    /// Goes on after the segment of this number.
    pub(crate) fn after(last_number: u64) -> Self {
        Compaction {
            last_number,
            ..Compaction::default()
        }
    }

    fn next_id(&mut self) -> SegmentId {
        self.last_number += 1;
        SegmentId::compacted(self.last_number)
    }
}

/// Runs until the sealer, which wakes it after each seal, is gone.
pub(crate) fn run(shared: &Shared, wakes: &Receiver<()>) {
    loop {
        match wakes.recv_timeout(COMPACTION_INTERVAL) {
            Err(RecvTimeoutError::Disconnected) => return,
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
        }
        let mut batch_begun = now();
        let mut others = Others::of(shared);
        let outcome = compact(shared, &wall_clock, &mut || {
            let rest = rest(
                batch_begun.elapsed(),
                others.are_there(shared),
                shared.pressure.unmerged_segments(),
            );
            let waited = wait(wakes, rest);
            batch_begun = now();
            waited
        });
        if let Err(Interrupted::Closing) = outcome {
            return;
        }
    }
}

/// How long to rest after a batch that took so long: as long again while others are there, because seals
/// and queries go first. Not where so many segments wait that they slow queries more than a merge does.
fn rest(worked: Duration, others_are_there: bool, unmerged: u64) -> Duration {
    match others_are_there && unmerged < COMPACTION_HURRY_FROM {
        true => worked.min(COMPACTION_REST_MAX),
        false => Duration::ZERO,
    }
}

/// Waits unless the store is being closed.
fn wait(wakes: &Receiver<()>, time: Duration) -> Result<(), Interrupted> {
    let begun = now();
    loop {
        match wakes.recv_timeout(time.saturating_sub(begun.elapsed())) {
            Err(RecvTimeoutError::Disconnected) => return Err(Interrupted::Closing),
            Err(RecvTimeoutError::Timeout) => return Ok(()),
            // Woken for what is being done already.
            Ok(()) => {}
        }
    }
}

/// Whoever else uses the store.
struct Others {
    /// How often somebody sent or asked something.
    count: u64,
    since: Instant,
}

impl Others {
    /// As if somebody had done so just now.
    fn of(shared: &Shared) -> Self {
        Others {
            count: Self::count(shared),
            since: now(),
        }
    }

    fn are_there(&mut self, shared: &Shared) -> bool {
        let count = Self::count(shared);
        if count != self.count {
            *self = Self::of(shared);
        }
        self.since.elapsed() < COMPACTION_ALONE_AFTER
    }

    fn count(shared: &Shared) -> u64 {
        shared.counters.requests.total() + shared.counters.reads.total()
    }
}

/// Drops what is not to be kept, merges what is worth merging, until nothing is, and deletes what nobody
/// looks at any more. `pace` is called before each batch of rows; it may wait.
pub(crate) fn compact(
    shared: &Shared,
    clock: &dyn Fn() -> UnixNanos,
    pace: &mut dyn FnMut() -> Result<(), Interrupted>,
) -> Result<(), Interrupted> {
    let state = shared.compaction.lock();
    let mut state = state.unwrap_or_else(PoisonError::into_inner);
    let outcome = drop_and_merge_all(shared, &mut state, clock, pace);
    delete_retired(shared, &mut state);
    shared.note_unmerged(clock());
    outcome
}

/// Goes on until nothing is worth merging, or too much fails. Returns the first failure.
fn drop_and_merge_all(
    shared: &Shared,
    state: &mut Compaction,
    clock: &dyn Fn() -> UnixNanos,
    pace: &mut dyn FnMut() -> Result<(), Interrupted>,
) -> Result<(), Interrupted> {
    let (mut outcome, mut failures) = (Ok(()), 0);
    loop {
        // Before each merge: where as much is sealed as can be merged, there is always one more to do.
        let now = clock();
        outcome = outcome.and(drops::drop_old(shared, state, now));
        if state.is_stopped || failures >= MERGE_FAILURES_MAX {
            break;
        }
        let segments = shared.live.segments();
        let untouched = |id| state.damaged.contains(&id) || state.failing.rests(id, now);
        let Some(inputs) = policy::choose(&segments, now, &untouched) else {
            break;
        };
        match merge(shared, state, &inputs, pace) {
            Ok(()) => {
                state.failing.forget(&inputs);
                shared.counters.compactions.add(1);
                // Not at the end of the round: when there is much to do, everything would be on the disk twice.
                drop((inputs, segments));
                delete_retired(shared, state);
                shared.note_unmerged(now);
            }
            Err(Interrupted::Closing) => return Err(Interrupted::Closing),
            Err(error) => {
                shared.counters.compaction_failures.add(1);
                if let Some(id) = damaged_input(shared, &inputs) {
                    tracing::error!(%error, "a damaged segment is not merged");
                    state.damaged.insert(id);
                    continue;
                }
                let again_after = state.failing.note(&inputs, &segments, now);
                let segments = inputs.len();
                tracing::error!(%error, segments, ?again_after, "compaction failed");
                failures += 1;
                outcome = outcome.and(Err(error));
            }
        }
    }
    outcome
}

/// The segments that are worth merging now.
pub(crate) fn unmerged(segments: &Segments, now: UnixNanos) -> Vec<Arc<SegmentMeta>> {
    policy::waiting(segments, now).collect()
}

/// Replaces segments by what they are merged into.
fn merge(
    shared: &Shared,
    state: &mut Compaction,
    inputs: &[Arc<SegmentMeta>],
    pace: &mut dyn FnMut() -> Result<(), Interrupted>,
) -> Result<(), Interrupted> {
    for input in inputs {
        shared.files.verify(input)?;
    }
    let mut named = Vec::new();
    let made = segment::merge(
        &shared.files,
        inputs,
        &mut Target {
            layout: &shared.layout,
            probe: &shared.options.probe,
            next_id: &mut || {
                named.push(state.next_id());
                named[named.len() - 1]
            },
            pace,
            rows_max: shared.options.segment_rows_max,
        },
    );
    let made = made.and_then(|made| {
        shared.options.probe.at(Step::MergedNamed)?;
        Ok(made)
    });
    match (made, inputs.first()) {
        (Ok(made), _) => {
            let [before, after] = [rows(inputs.iter().map(Arc::as_ref)), rows(&made)];
            swap(shared, state, inputs, made)?;
            shared.counters.merged_rows.add(after);
            let duplicates = before.saturating_sub(after);
            shared.counters.duplicate_rows.add(duplicates);
            Ok(())
        }
        (Err(why), input) => {
            let begun = named.iter().zip(input.into_iter().cycle());
            begun.for_each(|(id, input)| remove(shared, input, *id));
            Err(why)
        }
    }
}

/// Replaces segments by others that have the same rows, or by none.
fn swap(
    shared: &Shared,
    state: &mut Compaction,
    old: &[Arc<SegmentMeta>],
    new: Vec<SegmentMeta>,
) -> Result<(), Interrupted> {
    let catalog = shared.catalog.lock();
    let mut catalog = catalog.unwrap_or_else(PoisonError::into_inner);
    catalog.swap(old, &new).map_err(|error| {
        // It may have happened all the same, and must not happen twice.
        state.is_stopped = true;
        io::Error::other(error)
    })?;
    shared.live.swap(old, new);
    drop(catalog);
    state.retired.extend(old.iter().map(Arc::clone));
    shared.options.probe.at(Step::Swapped)?;
    Ok(())
}

fn rows<'a>(segments: impl IntoIterator<Item = &'a SegmentMeta>) -> u64 {
    let rows = segments.into_iter().map(|segment| u64::from(segment.rows));
    rows.sum()
}

/// Deletes the files of replaced segments that no reader has any more.
fn delete_retired(shared: &Shared, state: &mut Compaction) {
    let retired = std::mem::take(&mut state.retired);
    for segment in retired {
        // A reader holds the segments of its snapshot, and only what counts gets new readers.
        if Arc::strong_count(&segment) > 1 {
            state.retired.push(segment);
            continue;
        }
        shared.files.forget(segment.id);
        remove(shared, &segment, segment.id);
        let deleted = sync_directory(&shared.layout.segment_directory())
            .and_then(|()| shared.options.probe.at(Step::RetiredDeleted));
        let catalog = shared.catalog.lock();
        let catalog = catalog.unwrap_or_else(PoisonError::into_inner);
        let forgotten = deleted.and_then(|()| catalog.forget(segment.id).map_err(io::Error::other));
        if let Err(error) = forgotten {
            // The next start does it again.
            tracing::warn!(%error, "replaced segment not forgotten");
        }
    }
}

/// Removes the files of a segment of the same signal as another, whole or begun, and what lies beside
/// them.
fn remove(shared: &Shared, like: &SegmentMeta, id: SegmentId) {
    let mut paths = segment::paths(&shared.layout, like.signal, id).to_vec();
    match like.signal {
        Signal::Traces => {
            let layout = &shared.layout;
            paths.extend([layout.rollup(id), layout.edges(id), layout.links(id)]);
        }
        Signal::Logs => paths.push(shared.layout.costs(id)),
        Signal::Metrics => {}
    }
    paths.push(shared.layout.census(like.signal, id));
    for path in paths {
        for path in [path.with_added_extension("new"), path] {
            match disk::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(%error, path = %path.display(), "file not removed");
                }
                _ => {}
            }
        }
    }
}

/// The first of some segments that is not as it was written.
fn damaged_input(shared: &Shared, inputs: &[Arc<SegmentMeta>]) -> Option<SegmentId> {
    let mut inputs = inputs.iter();
    let damaged = inputs.find(|input| shared.files.verify(input).is_err());
    damaged.map(|input| input.id)
}

#[allow(clippy::disallowed_methods)] // the edge that measures how long a batch takes
fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods)] // the edge that knows which windows are over
pub(crate) fn wall_clock() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    UnixNanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests;
