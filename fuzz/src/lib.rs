//! What the fuzz targets call. `make fuzz` runs them; `docs/fuzzing.md` says how.

#[allow(dead_code)] // The server uses more of it.
pub mod cloudwatch;
pub mod extension;
pub mod walk;

#[allow(dead_code)]
mod ingest;
