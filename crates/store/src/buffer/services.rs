//! Which services there are, counted as their spans arrive.

use std::collections::{BTreeMap, BTreeSet};

use throughline_telemetry::{SpanStatus, UnixNanos};

use crate::batch::SpanRows;
use crate::hash::{HashMap, HashSet};
use crate::limits::{OPERATIONS_MAX, SERVICES_MAX};

/// Counts by service.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Services(BTreeMap<String, ServiceStats>);

/// What is known of one service. A span sent twice counts twice until it is compacted away.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct ServiceStats {
    pub(crate) spans: u64,
    pub(crate) errors: u64,
    /// End of the latest span.
    pub(crate) last_seen: UnixNanos,
    /// Names of its spans, the first hundred of them.
    pub(crate) operations: BTreeSet<String>,
}

impl Services {
    /// Counts the spans of a batch.
    pub(crate) fn spans(&mut self, rows: &SpanRows<'_>) {
        let mut counted: HashMap<i32, (&str, ServiceStats)> = HashMap::default();
        let mut operations: HashSet<(i32, &str)> = HashSet::default();
        for row in 0..rows.len() {
            let key = rows.service_key(row);
            let entry = counted.entry(key);
            let (_, stats) = entry.or_insert_with(|| (rows.service(row), ServiceStats::default()));
            stats.spans += 1;
            stats.errors += u64::from(rows.status(row) == SpanStatus::Error);
            stats.last_seen = stats.last_seen.max(rows.end(row));
            if operations.insert((key, rows.name(row))) {
                stats.operation(rows.name(row));
            }
        }
        for (name, stats) in counted.values() {
            self.add(name, stats);
        }
    }

    pub(crate) fn merge(&mut self, other: &Services) {
        for (name, stats) in &other.0 {
            self.add(name, stats);
        }
    }

    pub(crate) fn add(&mut self, name: &str, other: &ServiceStats) {
        let Some(stats) = self.stats(name) else {
            return;
        };
        stats.spans += other.spans;
        stats.errors += other.errors;
        stats.last_seen = stats.last_seen.max(other.last_seen);
        for operation in &other.operations {
            stats.operation(operation);
        }
    }

    /// End of the latest span of a service.
    pub(crate) fn last_seen(&self, name: &str) -> Option<UnixNanos> {
        self.0.get(name).map(|stats| stats.last_seen)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &ServiceStats)> {
        self.0.iter().map(|(name, stats)| (name.as_str(), stats))
    }

    /// Whether a span of this service and name may be among those counted. Lists that are full
    /// may lack what is there.
    pub(crate) fn may_have(&self, service: Option<&str>, operation: Option<&str>) -> bool {
        let full = self.0.len() >= SERVICES_MAX;
        let has = |stats: &ServiceStats| operation.is_none_or(|name| stats.may_have(name));
        match service {
            Some(service) => self.0.get(service).map_or(full, has),
            None => full || self.0.values().any(has),
        }
    }

    /// The counts of a service, unless there are too many services already.
    fn stats(&mut self, name: &str) -> Option<&mut ServiceStats> {
        if !self.0.contains_key(name) {
            if self.0.len() >= SERVICES_MAX {
                return None;
            }
            self.0.insert(name.to_owned(), ServiceStats::default());
        }
        self.0.get_mut(name)
    }
}

impl ServiceStats {
    fn may_have(&self, operation: &str) -> bool {
        self.operations.len() >= OPERATIONS_MAX || self.operations.contains(operation)
    }

    fn operation(&mut self, name: &str) {
        if self.operations.len() < OPERATIONS_MAX && !self.operations.contains(name) {
            self.operations.insert(name.to_owned());
        }
    }
}
