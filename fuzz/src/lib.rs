//! What the fuzz targets call. `make fuzz` runs them; `docs/fuzzing.md` says how.

#[allow(dead_code)] // The server uses more of it.
pub mod cloudwatch;
#[allow(dead_code)] // So does the store.
pub mod completeness;
pub mod extension;
pub mod graph;
pub mod walk;

#[allow(dead_code)]
mod ingest;

/// What the store's ledger knows of its batches.
mod origin {
    /// The same as the store's.
    pub(crate) const SEQUENCE_MAX: u64 = 1 << 62;
}
