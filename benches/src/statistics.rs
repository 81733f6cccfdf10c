//! What a corpus looks like, counted on its bodies as anyone would read them.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use throughline_telemetry::wire::{self, Request, WireError};
use throughline_telemetry::{Attributes, Signal, TraceId};

/// Counts of one signal.
#[derive(Debug, Default)]
pub struct Statistics {
    /// Bytes of all bodies.
    pub bytes: u64,
    /// Spans, log records or points.
    pub items: u64,
    /// Those that failed: spans with an error, records from ERROR on.
    pub errors: u64,
    /// Attributes of all items, without those of resources.
    pub attributes: u64,
    /// The fewest and the most attributes of an item.
    pub attributes_range: Option<(usize, usize)>,
    /// Items by trace.
    pub traces: HashMap<TraceId, u32>,
    /// Items by service.
    pub services: BTreeMap<String, u64>,
    /// Names of spans.
    pub names: HashSet<String>,
    /// By key of an attribute, those of resources with `resource.` before them.
    pub keys: BTreeMap<String, Key>,
}

/// Counts of one attribute.
#[derive(Debug, Default)]
pub struct Key {
    /// Items that have it, or resources.
    pub seen: u64,
    /// Its values, hashed; not more than a million are told apart.
    values: HashSet<u64>,
    /// Bytes of all its values as text.
    pub bytes: u64,
}

impl Key {
    /// How many values it has.
    pub fn distinct(&self) -> usize {
        self.values.len()
    }
}

impl Statistics {
    /// Counts one body.
    pub fn add(&mut self, signal: Signal, body: &[u8]) -> Result<(), WireError> {
        self.bytes += body.len() as u64;
        match Request::from_protobuf(signal, body)? {
            Request::Traces(request) => {
                for span in wire::spans(request)? {
                    self.item(span.service(), &span.attributes);
                    self.errors += u64::from(span.status as u8 == 2);
                    *self.traces.entry(span.trace_id).or_default() += 1;
                    self.resource(&span.resource.attributes);
                    if !self.names.contains(&span.name) {
                        self.names.insert(span.name);
                    }
                }
            }
            Request::Logs(request) => {
                for record in wire::logs(request)? {
                    self.item(record.resource.service(), &record.attributes);
                    self.errors += u64::from(record.severity_number >= 17);
                    if let Some(trace) = record.trace_id {
                        *self.traces.entry(trace).or_default() += 1;
                    }
                    self.resource(&record.resource.attributes);
                }
            }
            Request::Metrics(request) => {
                for point in wire::metric_points(request) {
                    self.item(point.resource.service(), &point.attributes);
                    self.resource(&point.resource.attributes);
                }
            }
        }
        Ok(())
    }

    fn item(&mut self, service: &str, attributes: &Attributes) {
        self.items += 1;
        self.attributes += attributes.0.len() as u64;
        let count = attributes.0.len();
        let (least, most) = self.attributes_range.unwrap_or((count, count));
        self.attributes_range = Some((least.min(count), most.max(count)));
        match self.services.get_mut(service) {
            Some(items) => *items += 1,
            None => drop(self.services.insert(service.to_owned(), 1)),
        }
        for (key, value) in &attributes.0 {
            self.key(key, &value.to_text());
        }
    }

    fn resource(&mut self, attributes: &Attributes) {
        // That of a function is known by its first item; what changes is the environment.
        for (key, value) in &attributes.0 {
            if key == "faas.instance" || key == "service.name" {
                self.key(&format!("resource.{key}"), &value.to_text());
            }
        }
    }

    fn key(&mut self, key: &str, value: &str) {
        if !self.keys.contains_key(key) {
            self.keys.insert(key.to_owned(), Key::default());
        }
        let Some(counts) = self.keys.get_mut(key) else {
            return;
        };
        counts.seen += 1;
        counts.bytes += value.len() as u64;
        if counts.values.len() < DISTINCT_MAX {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            counts.values.insert(hasher.finish());
        }
    }
}

impl fmt::Display for Statistics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_all = |count: u64| count as f64 / self.items.max(1) as f64;
        let (least, most) = self.attributes_range.unwrap_or_default();
        writeln!(f, "{} items, {} bytes", self.items, self.bytes)?;
        writeln!(f, "{:.1} bytes an item on the wire", of_all(self.bytes))?;
        writeln!(
            f,
            "{:.2} attributes an item ({least} to {most})",
            of_all(self.attributes)
        )?;
        writeln!(f, "{:.2} % errors", 100.0 * of_all(self.errors))?;
        let mut sizes: Vec<u32> = self.traces.values().copied().collect();
        sizes.sort_unstable();
        if let (Some(least), Some(most)) = (sizes.first(), sizes.last()) {
            let mean = of_all(0) + self.items as f64 / sizes.len() as f64;
            let median = sizes[sizes.len() / 2];
            writeln!(
                f,
                "{} traces of {least} to {most} items, {mean:.1} on average, median {median}",
                sizes.len()
            )?;
        }
        let top = self.services.values().max().copied().unwrap_or_default();
        writeln!(
            f,
            "{} services, the busiest has {:.1} %; {} names",
            self.services.len(),
            100.0 * of_all(top),
            self.names.len()
        )?;
        let head = ["attribute", "in % of items", "values", "bytes a value"];
        writeln!(
            f,
            "\n{:<38} {:>13} {:>9} {:>13}",
            head[0], head[1], head[2], head[3]
        )?;
        for (key, counts) in &self.keys {
            writeln!(
                f,
                "{key:<38} {:>13.2} {:>9} {:>13.1}",
                100.0 * of_all(counts.seen),
                counts.distinct(),
                counts.bytes as f64 / counts.seen as f64
            )?;
        }
        Ok(())
    }
}

const DISTINCT_MAX: usize = 1_000_000;
