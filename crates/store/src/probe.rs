//! Places where a test may look at the directory, or let the disk fail.

use std::io;
use std::sync::Arc;

/// A step towards durability. What is on disk between two of them is what a crash leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A group is about to be written to the WAL.
    WalWrite,
    /// A group is written and about to be synced.
    WalSync,
    /// A group is synced but not yet acknowledged.
    WalSynced,
    /// The next WAL file is about to be made.
    WalRoll,
    /// A segment file is about to be written.
    SegmentWrite,
    /// A segment file is synced under its temporary name.
    SegmentSynced,
    /// All segments of a generation have their names; the catalog does not know them.
    SegmentsNamed,
    /// The catalog knows the segments; the WAL file is still there.
    CatalogCommitted,
    /// The WAL file is gone.
    WalDeleted,
    /// The segments that others were merged into have their names; the catalog does not know them.
    MergedNamed,
    /// The catalog knows them instead of those that they were made from, whose files are still there.
    Swapped,
    /// The files of a replaced segment are gone; the catalog has not forgotten it.
    RetiredDeleted,
}

/// Called before each step; an error is treated as the disk's. Does nothing outside tests.
#[derive(Clone, Default)]
pub(crate) struct Probe(Option<Arc<Hook>>);

type Hook = dyn Fn(Step) -> io::Result<()> + Send + Sync;

impl Probe {
    #[cfg(test)]
    pub(crate) fn new(hook: impl Fn(Step) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Probe(Some(Arc::new(hook)))
    }

    pub(crate) fn at(&self, step: Step) -> io::Result<()> {
        self.0.as_ref().map_or(Ok(()), |hook| hook(step))
    }
}

impl std::fmt::Debug for Probe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Probe")
    }
}
