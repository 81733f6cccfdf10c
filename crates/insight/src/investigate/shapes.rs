//! Which steps traces have that they had not, or have more often: a call for each row instead of one for all.

use std::collections::{BTreeMap, HashMap};

use throughline_telemetry::{Span, SpanKind, Value};

use super::patterns::Seen;
use crate::tree::{in_order, parents};

/// A step that traces have more often than before, or that came or went.
#[derive(Clone, Debug, PartialEq)]
pub struct Shape {
    /// The service whose it is.
    pub service: String,
    /// Its name.
    pub name: String,
    /// Of a call, what is called, if the name does not say it.
    pub target: Option<Target>,
    /// What became of it.
    pub seen: Seen,
    /// How often a trace has it in the mean, before and now.
    pub often: [f64; 2],
    /// How many traces were looked at, before and now.
    pub traces: [usize; 2],
}

/// What a call is made to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    /// The attribute that says it.
    pub column: &'static str,
    /// Its name.
    pub name: String,
}

/// The steps that occur in traces of now at least twice as often as in those of before, and once more in the mean; or
/// that occur in those of one time alone. Those that differ most first.
///
/// A step is told if so many traces have it more often than any of the other time that chance would bring that in at
/// most one of twenty such comparisons, all steps together, were there no difference (Rosenbaum's test, with
/// Bonferroni's correction); and of fewer than five traces of either time nothing is. What is below a step that is told
/// and goes with it is not told again.
pub fn shapes(before: &[Vec<Span>], now: &[Vec<Span>]) -> Vec<Shape> {
    let traces = [before.len(), now.len()];
    if traces.iter().any(|count| *count < TRACES_MIN) {
        return Vec::new();
    }
    let steps = Steps::of([before, now]);
    let seen: Vec<Option<Seen>> = steps
        .all
        .iter()
        .map(|step| step.seen(steps.all.len()))
        .collect();
    let told = steps.all.iter().zip(&seen).enumerate();
    let told = told.filter_map(|(place, (step, is))| {
        let is = (*is)?;
        (!steps.follows(place, is, &seen)).then(|| Shape {
            service: step.key.service.to_owned(),
            name: step.key.name.to_owned(),
            target: step.key.target.clone(),
            seen: is,
            often: step.often(),
            traces,
        })
    });
    let mut told: Vec<Shape> = told.collect();
    let differs = |it: &Shape| (it.often[1] - it.often[0]).abs();
    told.sort_by(|a, b| differs(b).total_cmp(&differs(a)));
    told.truncate(TOLD_MAX);
    told
}

/// What spans have in common that are one step.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Key<'a> {
    service: &'a str,
    name: &'a str,
    target: Option<Target>,
}

struct Step<'a> {
    key: Key<'a>,
    /// How often each trace has it, before and now.
    counts: [Vec<u32>; 2],
    /// Below which steps it is, by their places, and how often.
    above: BTreeMap<usize, [u32; 2]>,
}

/// In the order in which they begin, those of the first trace first.
struct Steps<'a> {
    all: Vec<Step<'a>>,
}

impl<'a> Steps<'a> {
    fn of(sides: [&'a [Vec<Span>]; 2]) -> Self {
        let mut all: Vec<Step<'a>> = Vec::new();
        let mut places: HashMap<Key<'a>, usize> = HashMap::new();
        for (side, traces) in sides.into_iter().enumerate() {
            for (trace, spans) in traces.iter().enumerate() {
                let mut spans: Vec<&Span> = spans.iter().collect();
                spans.sort_by_key(|span| in_order(span));
                let steps: Vec<usize> = spans
                    .iter()
                    .map(|span| {
                        let key = Key::of(span);
                        *places.entry(key.clone()).or_insert_with(|| {
                            let counts = sides.map(|traces| vec![0; traces.len()]);
                            let above = BTreeMap::new();
                            all.push(Step { key, counts, above });
                            all.len() - 1
                        })
                    })
                    .collect();
                for (step, parent) in steps.iter().zip(parents(&spans)) {
                    let step = &mut all[*step];
                    step.counts[side][trace] += 1;
                    if let Some(parent) = parent {
                        step.above.entry(steps[parent]).or_default()[side] += 1;
                    }
                }
            }
        }
        Steps { all }
    }

    /// Whether it is mostly below a step that became the same, and no more often below it than it was.
    fn follows(&self, place: usize, is: Seen, seen: &[Option<Seen>]) -> bool {
        let step = &self.all[place];
        let side = usize::from(is != Seen::Vanished);
        let above = step.above.iter().max_by_key(|(_, often)| often[side]);
        // What begins later is no reason: two that call each other would hide each other.
        let above = above.map(|(above, _)| *above);
        let Some(above) = above.filter(|above| *above < place && seen[*above] == Some(is)) else {
            return false;
        };
        let ([before, now], [above_before, above_now]) = (step.often(), self.all[above].often());
        is != Seen::More || now / above_now <= before / above_before * SAME
    }
}

impl<'a> Key<'a> {
    fn of(span: &'a Span) -> Self {
        Key {
            service: span.service(),
            name: &span.name,
            target: target(span).filter(|it| !span.name.contains(&it.name)),
        }
    }
}

impl Step<'_> {
    #[allow(clippy::cast_precision_loss)] // some traces
    fn often(&self) -> [f64; 2] {
        let mean = |counts: &Vec<u32>| {
            let all: f64 = counts.iter().copied().map(f64::from).sum();
            all / (counts.len() as f64).max(1.0)
        };
        self.counts.each_ref().map(mean)
    }

    /// What became of it, if that is no chance among so many steps.
    #[allow(clippy::cast_precision_loss)] // steps of some traces
    fn seen(&self, steps: usize) -> Option<Seen> {
        let [before, now] = self.often();
        let (seen, side) = match (before > 0.0, now > 0.0) {
            (false, _) => (Seen::Appeared, 1),
            (_, false) => (Seen::Vanished, 0),
            _ if now >= before * 2.0 && now >= before + 1.0 => (Seen::More, 1),
            _ => return None,
        };
        let (those, others) = (&self.counts[side], &self.counts[1 - side]);
        let most = others.iter().max().copied().unwrap_or(0);
        let beyond = those.iter().filter(|count| **count > most).count();
        let is_sure = chance(beyond, those.len(), others.len()) * steps as f64 <= CHANCE_MAX;
        is_sure.then_some(seen)
    }
}

/// How probable it is that at least so many of some are beyond all of some others, if all are alike.
#[allow(clippy::cast_precision_loss)] // some traces
fn chance(beyond: usize, of: usize, others: usize) -> f64 {
    let drawn = (0..beyond).map(|at| (of - at) as f64 / (of + others - at) as f64);
    drawn.product()
}

/// What a call is made to, if an attribute names it. Of several tables the first.
fn target(span: &Span) -> Option<Target> {
    if !matches!(span.kind, SpanKind::Client | SpanKind::Producer) {
        return None;
    }
    TARGETS.into_iter().find_map(|column| {
        let said = match span.attributes.get(column)? {
            Value::Array(all) => all.first()?.as_str()?,
            said => said.as_str()?,
        };
        let name = match said.starts_with("arn:") || said.contains("://") {
            true => said.rsplit(['/', ':']).next()?,
            false => said,
        };
        (!name.is_empty()).then(|| Target {
            column,
            name: name.to_owned(),
        })
    })
}

/// Attributes that name what is called, the most exact first.
const TARGETS: [&str; 8] = [
    "faas.invoked_name",
    "aws.dynamodb.table_names",
    "db.collection.name",
    "aws.s3.bucket",
    "aws.kinesis.stream_name",
    "messaging.destination.name",
    "service.peer.name",
    "server.address",
];
/// Of fewer traces nothing is said.
const TRACES_MIN: usize = 5;
/// Of twenty comparisons without a difference one may tell of some.
const CHANCE_MAX: f64 = 0.05;
/// A step goes with the one above it if it is at most so many times as often below it as it was.
const SAME: f64 = 1.5;
const TOLD_MAX: usize = 5;

#[cfg(test)]
mod tests;
