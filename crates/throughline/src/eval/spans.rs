//! What the components would have sent.
//!
//! The data has numbers of components, and neither traces nor numbers of calls between two of them. So every call
//! is a span that stands alone, and no trace is made up:
//!
//! - a component that tells of itself answers with a server's span;
//! - what only clients tell of is in clients' spans of those who call it, in turn; a client that nobody calls tells
//!   of its own calls;
//! - who calls whom, where that is not told yet, is told once an hour, by one client's span that says nothing else.
//!
//! The calls of five minutes are spread over them, and so are those that fail. How long they take follows the
//! percentiles, with the mean that the data has.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use throughline_insight::rootcause::View;
use throughline_telemetry::{
    Attributes, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

use super::petshop::{Measured, Metrics, view};

/// Makes spans of the numbers of an application.
pub(super) struct Sender {
    /// Who calls whom, past those that nobody heard of.
    calls: BTreeSet<(String, String)>,
    resources: BTreeMap<String, Arc<Resource>>,
    scope: Arc<Scope>,
    /// Calls that are told, by the hour.
    told: BTreeSet<(u64, String, String)>,
}

/// One call of a component.
struct Call {
    start: UnixNanos,
    took: Duration,
    failed: bool,
}

/// Who tells of a call, and whom it calls by name.
type Teller<'a> = (&'a str, Option<&'a str>);

impl Sender {
    /// Of an application in which these calls are made, when the components of these metrics were heard of.
    pub(super) fn new(calls: &[(String, String)], metrics: &[&Metrics]) -> Self {
        let all = metrics.iter().flat_map(|metrics| metrics.iter());
        let heard = all.filter(|(_, steps)| steps.iter().any(|it| it.step.count > 0.0));
        let heard: BTreeSet<&str> = heard.map(|(name, _)| name.as_str()).collect();
        let calls = past_unheard(calls, &heard);
        let resource = |name: &&str| {
            let attributes = [("service.name", *name)].into_iter().collect();
            ((*name).to_owned(), Arc::new(Resource { attributes }))
        };
        Sender {
            calls,
            resources: heard.iter().map(resource).collect(),
            scope: Arc::new(Scope::default()),
            told: BTreeSet::new(),
        }
    }

    /// What is sent of one step of the metrics, which begins then: those of one component together.
    pub(super) fn spans(&mut self, metrics: &Metrics, step: usize, begin: UnixNanos) -> Vec<Span> {
        let of_step = metrics
            .iter()
            .filter_map(|(name, steps)| Some((name.as_str(), steps.get(step)?)));
        let active: BTreeMap<&str, &Measured> =
            of_step.filter(|(_, it)| it.step.count > 0.0).collect();
        let mut spans = Vec::new();
        for (name, measured) in &active {
            let (kind, tellers) = self.tellers(name);
            for (call, teller) in calls(measured, begin).zip(tellers.iter().cycle()) {
                spans.push(self.span(begin, spans.len(), name, kind, *teller, &call));
            }
        }
        for (from, to) in self.untold(&active, begin) {
            let call = Call {
                start: begin,
                took: millis(active[to.as_str()].step.mean_ms.unwrap_or(0.0)),
                failed: false,
            };
            let teller = (from.as_str(), Some(to.as_str()));
            spans.push(self.span(begin, spans.len(), &to, SpanKind::Client, teller, &call));
        }
        spans.sort_by(|a, b| a.service().cmp(b.service()));
        spans
    }

    /// Who tells of the calls of a component.
    fn tellers<'a>(&'a self, name: &'a str) -> (SpanKind, Vec<Teller<'a>>) {
        if view(name) == View::Own {
            return (SpanKind::Server, vec![(name, None)]);
        }
        let callers = self.calls.iter().filter(|(_, to)| to == name);
        let callees = self.calls.iter().filter(|(from, _)| from == name);
        let mut tellers: Vec<Teller<'a>> = callers
            .map(|(from, _)| (from.as_str(), Some(name)))
            .collect();
        if tellers.is_empty() {
            tellers.extend(callees.map(|(_, to)| (name, Some(to.as_str()))));
        }
        if tellers.is_empty() {
            tellers.push((name, None));
        }
        (SpanKind::Client, tellers)
    }

    /// Calls between two that were active, of which nobody told in this hour.
    fn untold(
        &mut self,
        active: &BTreeMap<&str, &Measured>,
        begin: UnixNanos,
    ) -> Vec<(String, String)> {
        let hour = begin.0 / HOUR_NANOS;
        let is_called = |name: &str| self.calls.iter().any(|(_, to)| to == name);
        let tells_itself = |from: &str| view(from) == View::Client && !is_called(from);
        let mut untold: Vec<(String, String)> = Vec::new();
        for (from, to) in &self.calls {
            let both = active.contains_key(from.as_str()) && active.contains_key(to.as_str());
            let is_told = view(to) == View::Client || tells_itself(from);
            if both && !is_told && !self.told.contains(&(hour, from.clone(), to.clone())) {
                untold.push((from.clone(), to.clone()));
            }
        }
        let now = untold.iter().cloned();
        self.told.extend(now.map(|(from, to)| (hour, from, to)));
        untold
    }

    fn span(
        &self,
        begin: UnixNanos,
        number: usize,
        name: &str,
        kind: SpanKind,
        (service, peer): Teller<'_>,
        call: &Call,
    ) -> Span {
        // Steps are further apart than they have spans, so no two spans have one number.
        let number = begin.0.wrapping_add(number as u64);
        let [one, other] = [mixed(number), mixed(!number)];
        let mut trace_id = [0; 16];
        trace_id[..8].copy_from_slice(&one.to_be_bytes());
        trace_id[8..].copy_from_slice(&other.max(1).to_be_bytes());
        let peer = peer.map(|peer| ("service.peer.name", peer));
        Span {
            trace_id: TraceId::new(trace_id).expect("its end is not zero"),
            span_id: SpanId::new(one.max(1).to_be_bytes()).expect("not zero"),
            parent_id: None,
            trace_state: String::new(),
            name: name.to_owned(),
            kind,
            start: call.start,
            end: call.start.plus(call.took),
            status: match call.failed {
                true => SpanStatus::Error,
                false => SpanStatus::Unset,
            },
            status_message: String::new(),
            attributes: peer.into_iter().collect::<Attributes>(),
            events: Vec::new(),
            links: Vec::new(),
            resource: Arc::clone(&self.resources[service]),
            scope: Arc::clone(&self.scope),
        }
    }
}

/// Who calls whom, where a hop that nobody heard of is left out: its callers call whom it calls.
fn past_unheard(calls: &[(String, String)], heard: &BTreeSet<&str>) -> BTreeSet<(String, String)> {
    let mut direct: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (from, to) in calls {
        direct.entry(from).or_default().push(to);
    }
    let mut found = BTreeSet::new();
    for from in heard {
        let mut next = direct.get(from).cloned().unwrap_or_default();
        let mut passed = BTreeSet::new();
        while let Some(to) = next.pop() {
            if heard.contains(to) {
                found.insert(((*from).to_owned(), to.to_owned()));
            } else if passed.insert(to) {
                next.extend(direct.get(to).into_iter().flatten());
            }
        }
    }
    found.retain(|(from, to)| from != to);
    found
}

/// The calls of a step that begins then.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss
)] // calls of five minutes
fn calls(measured: &Measured, begin: UnixNanos) -> impl Iterator<Item = Call> {
    let count = measured.step.count.round().max(0.0) as u64;
    let failed = (measured.step.errors.round().max(0.0) as u64).min(count);
    let within = measured.within_ms;
    let place = |number: u64| (number as f64 * GOLDEN + 0.5).fract();
    let sum: f64 = (0..count).map(|it| took_ms(&within, place(it))).sum();
    let mean = measured.step.mean_ms.unwrap_or(0.0);
    // Where no percentile is told, all take the same.
    let scale = match sum > 0.0 {
        true => mean * count as f64 / sum,
        false => 0.0,
    };
    (0..count).map(move |number| {
        let part = (number as f64 + 0.5) / count as f64;
        Call {
            start: begin.plus(STEP.mul_f64(part)),
            took: millis(took_ms(&within, place(number)) * scale),
            failed: (number + 1) * failed / count > number * failed / count,
        }
    })
}

/// How long the part of the calls that is as quick or quicker took at most; between two percentiles on the line
/// between them. The quickest take half as long as the median.
fn took_ms(within_ms: &[Option<f64>; 4], part: f64) -> f64 {
    let [Some(half), Some(most), Some(nearly), Some(all)] = *within_ms else {
        return 1.0;
    };
    let points = [
        (0.0, half / 2.0),
        (0.5, half),
        (0.9, most),
        (0.95, nearly),
        (0.99, all),
        (1.0, all),
    ];
    let pair = points.windows(2).find(|pair| part <= pair[1].0);
    pair.map_or(all, |pair| {
        let [(from, low), (to, high)] = [pair[0], pair[1]];
        low + (high - low) * (part - from) / (to - from)
    })
}

fn millis(millis: f64) -> Duration {
    Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default()
}

/// Another number for each number, without order (the finaliser of SplitMix64).
fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// What a row of the metrics is about.
pub(super) const STEP: Duration = Duration::from_secs(300);
const HOUR_NANOS: u64 = 3600 * 1_000_000_000;
/// Multiples of it are spread evenly between whole numbers, however many there are.
const GOLDEN: f64 = 0.618_033_988_749_895;

#[cfg(test)]
mod tests;
