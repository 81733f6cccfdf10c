//! What the fuzz targets call. `make fuzz` runs them; `docs/fuzzing.md` says how.

pub mod extension;
