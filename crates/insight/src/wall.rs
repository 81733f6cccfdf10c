//! What each function does right now: a rolling window of its invocations, and how far that is from
//! what is normal for it.
//!
//! An invocation counts in the second in which it ended. What comes late counts where it belongs, as
//! long as that second is remembered; what comes from the future counts now.

mod card;

use std::collections::{HashMap, VecDeque};

pub use card::{Card, Deviation, Normal, WINDOW, Window};

use throughline_telemetry::{LogRecord, Resource, Span, SpanStatus, UnixNanos, Value};

/// What functions do right now. Bounded: see [`FUNCTIONS_MAX`].
#[derive(Debug, Default)]
pub struct Wall {
    functions: HashMap<String, Function>,
    normals: HashMap<String, Normal>,
    /// From when on everything that arrived was seen.
    since: Option<u64>,
    left_out: u64,
}

/// What became of a call of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// It was refused because there were too many.
    Throttled,
    /// Anything else.
    Taken,
}

/// One function's last two minutes.
#[derive(Debug, Default)]
struct Function {
    service: String,
    /// By second, modulo how many are remembered.
    seconds: Vec<Second>,
    /// The last minute's durations, with the second in which each ended, at most [`DURATIONS_MAX`].
    durations: VecDeque<(u64, f64)>,
    last_seen: u64,
    /// When somebody was last seen calling it, by their own word.
    last_called: Option<u64>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    /// Which one this is; what is older is forgotten when another takes its place.
    at: u64,
    counts: Counts,
}

/// What is counted of invocations.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Counts {
    invocations: u64,
    errors: u64,
    cold_starts: u64,
    timeouts: u64,
    throttles: u64,
    busy_ms: f64,
    reports: u64,
    cost_usd: f64,
}

impl Wall {
    /// Counts the platform's span of an invocation.
    pub fn take(&mut self, span: &Span, now: UnixNanos) {
        let Some((name, at)) = self.place(of(&span.resource), span.end, now) else {
            return;
        };
        let is = |key: &str| span.attributes.get(key) == Some(&Value::Bool(true));
        let took = span.duration().as_secs_f64() * 1e3;
        let service = span.resource.service();
        let function = self.functions.entry(name).or_default();
        service.clone_into(&mut function.service);
        function.last_seen = function.last_seen.max(at);
        let counts = function.at(at);
        counts.invocations += 1;
        counts.errors += u64::from(span.status == SpanStatus::Error);
        counts.cold_starts += u64::from(is("faas.coldstart"));
        counts.timeouts += u64::from(is("throughline.timeout"));
        counts.busy_ms += took;
        if function.durations.len() == DURATIONS_MAX {
            function.durations.pop_front();
        }
        function.durations.push_back((at, took));
    }

    /// Counts a call of a function, told by who called. One that was refused because there were too many
    /// reaches no environment, so that its caller is the only one to tell.
    pub fn take_call(&mut self, function: &str, at: UnixNanos, call: Call, now: UnixNanos) {
        let Some((name, at)) = self.place(Some(function), at, now) else {
            return;
        };
        let function = self.functions.entry(name).or_default();
        function.last_seen = function.last_seen.max(at);
        function.last_called = function.last_called.max(Some(at));
        function.at(at).throttles += u64::from(call == Call::Throttled);
    }

    /// Counts what the platform's report of an invocation says that it cost.
    pub fn take_report(&mut self, report: &LogRecord, now: UnixNanos) {
        let Some(Value::Double(cost)) = report.attributes.get("throughline.cost.usd") else {
            return;
        };
        let when = report.sort_time();
        let Some((name, at)) = self.place(of(&report.resource), when, now) else {
            return;
        };
        let counts = self.functions.entry(name).or_default().at(at);
        counts.reports += 1;
        counts.cost_usd += cost;
    }

    /// What is normal for each function, by its name.
    pub fn learn(&mut self, normals: HashMap<String, Normal>) {
        self.normals = normals;
    }

    /// Everything that arrived from then on was seen.
    pub fn seen_since(&mut self, since: UnixNanos) {
        self.since = Some(second_of(since));
    }

    /// How many invocations were left out, because there were too many functions or nobody kept up.
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// So many were not seen.
    pub fn missed(&mut self, invocations: u64) {
        self.left_out += invocations;
    }

    /// A card for each function that was called within the last hour, by name.
    pub fn cards(&self, now: UnixNanos) -> Vec<Card> {
        let now = second_of(now);
        let functions = self.functions.iter();
        let mut cards: Vec<Card> = functions
            .map(|(name, function)| {
                Card::new(name, function, self.normals.get(name), self.since, now)
            })
            .collect();
        cards.sort_by(|one, other| one.name.cmp(&other.name));
        cards
    }

    /// Forgets functions that were not called for an hour.
    pub fn forget(&mut self, now: UnixNanos) {
        let oldest = second_of(now).saturating_sub(FORGOTTEN_AFTER);
        self.functions
            .retain(|_, function| function.last_seen >= oldest);
    }

    /// Whose it is and when it counts; `None` if it is too old or there is no room for the function.
    fn place(
        &mut self,
        function: Option<&str>,
        when: UnixNanos,
        now: UnixNanos,
    ) -> Option<(String, u64)> {
        let name = function?;
        let now = second_of(now);
        let at = second_of(when).min(now);
        if now - at >= SECONDS as u64 {
            return None;
        }
        if self.functions.len() >= FUNCTIONS_MAX && !self.functions.contains_key(name) {
            self.left_out += 1;
            return None;
        }
        Some((name.to_owned(), at))
    }
}

impl Function {
    fn at(&mut self, at: u64) -> &mut Counts {
        if self.seconds.is_empty() {
            self.seconds = vec![Second::default(); SECONDS];
        }
        let place = usize::try_from(at).unwrap_or(0) % SECONDS;
        let second = &mut self.seconds[place];
        if second.at < at {
            *second = Second {
                at,
                counts: Counts::default(),
            };
        }
        &mut second.counts
    }

    /// The seconds that are remembered of the last `count` before and with `now`.
    fn last(&self, now: u64, count: u64) -> impl Iterator<Item = &Second> {
        let from = (now + 1).saturating_sub(count);
        self.seconds
            .iter()
            .filter(move |second| second.at >= from && second.at <= now)
    }
}

/// The function that something is of.
fn of(resource: &Resource) -> Option<&str> {
    resource.attributes.text("faas.name")
}

fn second_of(at: UnixNanos) -> u64 {
    at.0 / 1_000_000_000
}

/// Functions that have a card.
pub const FUNCTIONS_MAX: usize = 1000;
/// Seconds that are remembered.
pub const SECONDS: usize = 120;
/// Durations that percentiles are taken of: the newest ones of the last minute.
const DURATIONS_MAX: usize = 2048;
/// Seconds after which a function that is not called has no card any more.
const FORGOTTEN_AFTER: u64 = 3600;

#[cfg(test)]
mod tests;
