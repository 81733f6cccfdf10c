//! The services that have sent spans.

use throughline_telemetry::UnixNanos;

use super::Reader;

/// What is known of one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceRow {
    /// Its name.
    pub name: String,
    /// How many spans it sent; one sent twice may count twice.
    pub span_count: u64,
    /// How many of them failed.
    pub error_count: u64,
    /// Names of its spans in order, a hundred of them at most.
    pub operations: Vec<String>,
    /// End of its latest span.
    pub last_seen: UnixNanos,
}

impl Reader<'_> {
    pub(crate) fn services(&self) -> Vec<ServiceRow> {
        let mut services = self.snapshot.segments.services.clone();
        for buffer in &self.snapshot.buffers {
            buffer.add_services(&mut services);
        }
        let rows = services.iter().map(|(name, stats)| ServiceRow {
            name: name.to_owned(),
            span_count: stats.spans,
            error_count: stats.errors,
            operations: stats.operations.iter().cloned().collect(),
            last_seen: stats.last_seen,
        });
        rows.collect()
    }
}
