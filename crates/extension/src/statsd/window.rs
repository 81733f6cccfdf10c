//! What came since the last time that somebody asked, added up by series.

use std::collections::BTreeMap;

use throughline_telemetry::wire::Request;
use throughline_telemetry::{LogRecord, UnixNanos};

use super::distinct::Distinct;
use super::export;
use super::line::{About, Check, Gauge, Line, Metric, Values, lines};
use super::sketch::Sketch;

/// Adds up metrics, and keeps events, until it is drained.
#[derive(Debug, Default)]
pub struct Window {
    series: BTreeMap<Key, State>,
    logs: Vec<LogRecord>,
    /// When the first line came.
    start: UnixNanos,
    /// About what all of it takes.
    bytes: usize,
    /// The last values of gauges, for those that are told as changes. Outlives the window.
    gauges: BTreeMap<Key, f64>,
}

/// What became of a datagram.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Lines that are none.
    pub bad_lines: u64,
    /// Changes of gauges whose last value could not be remembered, because there are too many.
    pub forgotten_gauges: u64,
}

/// What tells one series from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// Sorted.
    pub(super) tags: Vec<String>,
    pub(super) container: Option<String>,
    /// Of values that say when they were measured: those stay apart.
    pub(super) time: Option<UnixNanos>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    Count,
    Gauge,
    Timing,
    Histogram,
    Set,
    Check,
}

/// What is known of a series.
#[derive(Clone, Debug)]
pub(super) enum State {
    Sum { sum: f64, only_grew: bool },
    Value(f64),
    Sketch(Sketch),
    Distinct(Distinct),
}

impl Window {
    /// Takes the lines of a datagram. Whenever the window is full it is drained into `full`.
    pub fn take(&mut self, datagram: &[u8], now: UnixNanos, full: &mut Vec<Request>) -> Taken {
        let mut taken = Taken::default();
        for line in lines(datagram) {
            if self.is_empty() {
                self.start = now;
            }
            match line {
                Ok(Line::Metric(metric)) => taken.forgotten_gauges += self.metric(&metric),
                Ok(Line::Event(event)) => self.keep(export::event(&event, now)),
                Ok(Line::Check(check)) => self.check(&check, now),
                Err(_) => taken.bad_lines += 1,
            }
            if self.bytes > BYTES_MAX || self.series.len() >= SERIES_MAX {
                full.extend(self.drain(now));
            }
        }
        taken
    }

    /// Whether there is nothing to drain.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty() && self.logs.is_empty()
    }

    /// All that came since the last time: at most one request of metrics and one of log records.
    pub fn drain(&mut self, now: UnixNanos) -> Vec<Request> {
        let series = std::mem::take(&mut self.series);
        let logs = std::mem::take(&mut self.logs);
        self.bytes = 0;
        export::requests(series, &logs, self.start, now)
    }

    /// Says how many gauges could not be remembered.
    fn metric(&mut self, metric: &Metric<'_>) -> u64 {
        let kind = match metric.values {
            Values::Count(_) => Kind::Count,
            Values::Gauge(_) => Kind::Gauge,
            Values::Timing(_) => Kind::Timing,
            Values::Histogram(_) => Kind::Histogram,
            Values::Set(_) => Kind::Set,
        };
        let key = Key::new(metric.name, kind, &metric.about);
        let key_bytes = key.bytes();
        let mut forgotten = 0;
        let gauge = match &metric.values {
            Values::Gauge(values) => {
                let (value, is_known) = self.gauge(&key, values);
                forgotten += u64::from(!is_known);
                value
            }
            _ => 0.0,
        };
        let before = self.series.len();
        let state = self.series.entry(key).or_insert_with(|| State::new(kind));
        self.bytes += state.add(&metric.values, metric.rate, gauge);
        if self.series.len() > before {
            self.bytes += key_bytes + SERIES_BYTES;
        }
        forgotten
    }

    /// The new value of a gauge, and whether its last value was known where it matters.
    fn gauge(&mut self, key: &Key, values: &[Gauge]) -> (f64, bool) {
        let known = self.gauges.get(key).copied();
        let mut value = known.unwrap_or_default();
        for change in values {
            value = match change {
                Gauge::Is(is) => *is,
                Gauge::By(by) => (value + by).clamp(f64::MIN, f64::MAX),
            };
        }
        let is_remembered = known.is_some() || self.gauges.len() < GAUGES_MAX;
        if is_remembered {
            self.gauges.insert(key.clone(), value);
        }
        let is_change = matches!(values.first(), Some(Gauge::By(_)));
        (value, is_remembered || !is_change)
    }

    fn check(&mut self, check: &Check<'_>, now: UnixNanos) {
        let key = Key::new(check.name, Kind::Check, &check.about);
        self.bytes += key.bytes() + SERIES_BYTES;
        self.series
            .insert(key, State::Value(f64::from(check.status)));
        self.keep(export::check(check, now));
    }

    fn keep(&mut self, log: LogRecord) {
        let texts = log
            .attributes
            .iter()
            .map(|(key, value)| key.len() + value.as_str().map_or(8, str::len));
        self.bytes += texts.sum::<usize>() + log.body.as_str().map_or(0, str::len) + SERIES_BYTES;
        self.logs.push(log);
    }
}

impl Key {
    fn new(name: &str, kind: Kind, about: &About<'_>) -> Self {
        let mut tags: Vec<String> = about.tags.iter().map(|tag| (*tag).to_owned()).collect();
        tags.sort_unstable();
        tags.dedup();
        Key {
            name: name.to_owned(),
            kind,
            tags,
            container: about.container.map(str::to_owned),
            time: about.time,
        }
    }

    fn bytes(&self) -> usize {
        let tags: usize = self.tags.iter().map(|tag| tag.len() + TAG_BYTES).sum();
        self.name.len() + tags + self.container.as_ref().map_or(0, String::len)
    }
}

impl State {
    fn new(kind: Kind) -> Self {
        match kind {
            Kind::Count => State::Sum {
                sum: 0.0,
                only_grew: true,
            },
            Kind::Gauge | Kind::Check => State::Value(0.0),
            Kind::Timing | Kind::Histogram => State::Sketch(Sketch::default()),
            Kind::Set => State::Distinct(Distinct::default()),
        }
    }

    /// Adds values, and says how many bytes more that takes, about.
    fn add(&mut self, values: &Values<'_>, rate: f64, gauge: f64) -> usize {
        match (self, values) {
            (State::Sum { sum, only_grew }, Values::Count(values)) => {
                for value in values {
                    *sum = (*sum + value / rate).clamp(f64::MIN, f64::MAX);
                    *only_grew &= *value >= 0.0;
                }
                0
            }
            (State::Sketch(sketch), Values::Timing(values) | Values::Histogram(values)) => {
                let new: usize = values
                    .iter()
                    .map(|value| sketch.add(*value, 1.0 / rate))
                    .sum();
                new * BUCKET_BYTES
            }
            (State::Distinct(distinct), Values::Set(value)) => {
                distinct.add(value);
                BUCKET_BYTES
            }
            (State::Value(value), _) => {
                *value = gauge;
                0
            }
            // The kind is part of the key, so that no state is of another.
            _ => 0,
        }
    }
}

/// A function that has more is drained more often.
const SERIES_MAX: usize = 1000;
const BYTES_MAX: usize = 512 << 10;
const GAUGES_MAX: usize = 1000;
/// A series without its texts.
const SERIES_BYTES: usize = 200;
const TAG_BYTES: usize = 24;
const BUCKET_BYTES: usize = 24;
