//! The thread that turns frozen buffers into segments.
//!
//! The order of steps is what makes a crash at any moment harmless:
//!
//! 1. Each segment and its index are written under a temporary name, synced, renamed; then the
//!    directory is synced. Before the catalog knows them they are orphans, and the WAL file has
//!    the rows: the next start removes the orphans and replays the file.
//! 2. One catalog transaction adds the segments, notes which batches of which environments they
//!    hold, and moves the checkpoint to this generation.
//!    From here on the WAL file is the orphan, and the next start removes it.
//! 3. Readers get the segments in place of the buffer, and the WAL file is deleted.
//!
//! **Invariant**: generations are sealed in order, so that one number is the whole checkpoint.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use crate::buffer::Buffer;
use crate::compaction::wall_clock;
use crate::disk;
use crate::error::SealError;
use crate::limits::SEAL_RETRY;
use crate::probe::Step;
use crate::segment;
use crate::store::Shared;

/// Told when a seal is done or has failed.
pub(crate) type Reply = Box<dyn FnOnce(Result<(), SealError>) + Send>;

/// A frozen buffer, if there is one, and who waits for everything up to it.
pub(crate) struct SealJob {
    pub(crate) buffer: Option<Arc<Buffer>>,
    pub(crate) replies: Vec<Reply>,
}

/// The state of the sealer's thread.
pub(crate) struct Sealer {
    shared: Arc<Shared>,
    jobs: Receiver<SealJob>,
    /// Frozen and not yet sealed, oldest first.
    waiting: VecDeque<Arc<Buffer>>,
    /// Wakes the compactor.
    sealed: Sender<()>,
}

impl Sealer {
    pub(crate) fn new(
        shared: Arc<Shared>,
        jobs: Receiver<SealJob>,
        waiting: VecDeque<Arc<Buffer>>,
        sealed: Sender<()>,
    ) -> Self {
        Sealer {
            shared,
            jobs,
            waiting,
            sealed,
        }
    }

    /// Runs until the writer is gone.
    pub(crate) fn run(mut self) {
        let mut outcome = self.drain();
        while let Some(job) = self.next(outcome.is_err()) {
            self.waiting.extend(job.buffer);
            outcome = self.drain();
            for reply in job.replies {
                reply(outcome.clone());
            }
        }
    }

    /// The next job; after a failure an empty one when it is time to try again.
    fn next(&self, failed: bool) -> Option<SealJob> {
        if !failed {
            return self.jobs.recv().ok();
        }
        match self.jobs.recv_timeout(SEAL_RETRY) {
            Ok(job) => Some(job),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => Some(SealJob {
                buffer: None,
                replies: Vec::new(),
            }),
        }
    }

    fn drain(&mut self) -> Result<(), SealError> {
        while let Some(buffer) = self.waiting.front() {
            seal(&self.shared, buffer)?;
            self.waiting.pop_front();
            let _ = self.sealed.send(()); // nobody listens where nothing is compacted
        }
        Ok(())
    }
}

/// Makes segments of a frozen buffer and lets its WAL file go.
pub(crate) fn seal(shared: &Shared, buffer: &Buffer) -> Result<(), SealError> {
    let generation = buffer.generation();
    let begun = now();
    publish(shared, buffer).map_err(|error| {
        shared.counters.seal_failures.add(1);
        tracing::error!(%error, generation, "seal failed");
        SealError::Failed {
            generation,
            what: error.to_string(),
        }
    })?;
    shared.counters.seals.add(1);
    shared.note_unmerged(wall_clock());
    shared.pressure.note_seal(begun.elapsed());
    shared.pressure.release(buffer.cost());
    remove_wal(shared, generation);
    Ok(())
}

fn publish(shared: &Shared, buffer: &Buffer) -> Result<(), PublishError> {
    let generation = buffer.generation();
    let probe = &shared.options.probe;
    let made = segment::write_all(&shared.layout, probe, generation, &buffer.rows())?;
    probe.at(Step::SegmentsNamed)?;
    let catalog = shared.catalog.lock();
    let mut catalog = catalog.unwrap_or_else(PoisonError::into_inner);
    catalog.publish(generation, &made, &buffer.activities())?;
    shared.live.publish(generation, made);
    Ok(())
}

/// A WAL file that stays is below the checkpoint, and the next start removes it.
fn remove_wal(shared: &Shared, generation: u64) {
    let probe = &shared.options.probe;
    let removed = probe
        .at(Step::CatalogCommitted)
        .and_then(|()| disk::remove_file(&shared.layout.wal(generation)))
        .and_then(|()| probe.at(Step::WalDeleted));
    if let Err(error) = removed {
        tracing::warn!(%error, generation, "wal file not removed");
    }
}

#[derive(Debug, thiserror::Error)]
enum PublishError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error("catalog: {0}")]
    Catalog(#[from] rusqlite::Error),
}

#[allow(clippy::disallowed_methods)] // the edge that measures how long a seal takes
fn now() -> Instant {
    Instant::now()
}
