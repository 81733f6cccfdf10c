//! What is told of queues: metrics of CloudWatch, and what functions say of what they took.

mod statement;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde_json::{Value as Json, json};
use throughline_insight::detect::{Detector, Lying, Node, Subject};
use throughline_insight::facts::Facts;
use throughline_insight::{came_again, is_retry};
use throughline_query::{Engine, QueryError};
use throughline_store::{Count, Filter, Operator, SearchQuery, Store};
use throughline_telemetry::correlation::IN_AGAIN;
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::{Attributes, MetricPoint, Span, UnixNanos, Value};

use super::{MINUTE, Names, minute_of};
pub(crate) use statement::{quoted, statement};

/// What is told of some minutes.
#[derive(Default)]
pub(super) struct Queues {
    /// By minute and node, also of some minutes before: CloudWatch is late.
    pub(super) lying: BTreeMap<(UnixNanos, Node), Lying>,
    /// Queues, with where what they give up goes, and when that was last said.
    pub(super) dead: BTreeMap<(Node, Node), UnixNanos>,
    /// Invocations that were given what had been received before.
    pub(super) again: Vec<Span>,
}

/// What is told of the minutes from one time up to another.
pub(super) async fn read(
    engine: &Engine,
    store: &Store,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Queues, QueryError> {
    let mut queues = Queues::default();
    let (begin, max) = (from.minus(LATE), POINTS_MAX);
    let found = engine
        .background_points(store, named(|_| true), begin, to, max)
        .await?;
    queues.told(&found.points);
    let again = SearchQuery {
        filter: Filter::is(IN_AGAIN, Operator::Exists, Json::Null),
        from: Some(from),
        to: Some(to),
        limit: Some(AGAIN_OF),
        count: Count::Page,
        ..SearchQuery::default()
    };
    let page = engine.background_search::<Span>(store, again).await?;
    queues.again = page.rows;
    Ok(queues)
}

/// By queue, or by the function for which it waits.
pub(crate) type ByPlace = BTreeMap<Node, BTreeMap<UnixNanos, Lying>>;

/// What lies in queues in some times, for somebody who waits for it, and whether that is all of it.
pub(super) async fn lying(
    engine: &Engine,
    store: &Store,
    times: &[Range<UnixNanos>],
) -> Result<(ByPlace, bool), QueryError> {
    let mut places = ByPlace::new();
    let mut is_whole = true;
    for times in times.iter().filter(|times| times.start < times.end) {
        // A period of CloudWatch ends after the minute that it is of.
        let to = times.end.plus(MINUTE);
        let points = engine.points(store, named(waits), times.start, to, ASKED_MAX);
        let (found, _) = points.await?;
        is_whole &= !found.truncated;
        let mut queues = Queues::default();
        queues.told(&found.points);
        for ((minute, node), lying) in queues.lying {
            if times.contains(&minute) {
                places.entry(node).or_default().insert(minute, lying);
            }
        }
    }
    Ok((places, is_whole))
}

/// Points of the metrics that tell this.
fn named(of: impl Fn(Tells) -> bool) -> Filter {
    let metrics = METRICS.iter().filter(|(_, _, tells)| of(*tells));
    let names = metrics.flat_map(|(namespace, name, _)| spellings(namespace, name));
    let names: Vec<String> = names.collect();
    Filter::is("name", Operator::In, json!(names))
}

/// By its own name, and by that of a metric stream.
fn spellings(namespace: &str, name: &str) -> [String; 2] {
    [name.to_owned(), format!("{PREFIX}{namespace}/{name}")]
}

/// Whether it tells what waits, and not what came or was given up.
fn waits(tells: Tells) -> bool {
    !is_counted(tells)
}

fn is_counted(tells: Tells) -> bool {
    matches!(tells, Tells::Sent | Tells::GivenUp | Tells::Lost)
}

impl Queues {
    /// What was told up to now of queues, which replaces what was told before of the same minutes.
    pub(super) fn tell(&self, detector: &mut Detector) {
        for ((minute, node), lying) in &self.lying {
            detector.take_lying(node, *minute, *lying);
        }
        for ((from, to), minute) in &self.dead {
            detector.gives_up_to(from, to, *minute);
        }
    }

    /// Learns which services are functions from invocations that were given something again.
    pub(super) fn name(&self, names: &mut Names) {
        for span in &self.again {
            let text = |key: &str| span.resource.attributes.text(key).unwrap_or_default();
            names.learn(text("service.name"), text("faas.name"));
        }
    }

    /// What functions were given again in a minute.
    pub(super) fn end(&self, detector: &mut Detector, minute: UnixNanos) {
        let of_minute = |span: &&Span| minute_of(span.start) == minute;
        for span in self.again.iter().filter(of_minute) {
            let Some(function) = function_of(span) else {
                continue;
            };
            for came in came_again(span) {
                detector.take_again(&function, minute, came);
            }
        }
    }

    /// Counts the invocations that were nothing but another attempt.
    pub(super) fn retries(&self, done: &mut Facts) {
        for span in self.again.iter().filter(|span| is_retry(span)) {
            if let Some(function) = function_of(span) {
                let did = done.at(minute_of(span.start), Subject::Node(function));
                did.counts.retries += 1;
            }
        }
    }

    fn told(&mut self, points: &[MetricPoint]) {
        let mut told: BTreeMap<(UnixNanos, Node), BTreeMap<Tells, f64>> = BTreeMap::new();
        for point in points {
            let Some((node, tells)) = told_by(point) else {
                continue;
            };
            // A period of CloudWatch has its end for a time.
            let at = match point.kind {
                MetricKind::Summary if point.start.0 > 0 => point.start,
                _ => point.time,
            };
            let minute = minute_of(at);
            if let Some(dead) = point.attributes.text(DEAD_LETTER_QUEUE) {
                let pair = (node.clone(), format!("queue:{dead}"));
                let said = self.dead.entry(pair).or_insert(minute);
                *said = minute.max(*said);
            }
            let known = told.entry((minute, node)).or_default();
            let known = known.entry(tells).or_insert(0.0);
            *known = known.max(value(point, tells));
        }
        for (of, told) in told {
            let get = |tells: Tells| told.get(&tells).copied();
            let beside = [Tells::InWork, Tells::Delayed].map(|tells| get(tells).unwrap_or(0.0));
            let lying = Lying {
                messages: get(Tells::Visible).map(|visible| visible + beside[0] + beside[1]),
                sent: get(Tells::Sent),
                oldest_ms: get(Tells::OldestSeconds)
                    .map(|seconds| seconds * 1e3)
                    .or(get(Tells::OldestMillis)),
                given_up: get(Tells::GivenUp),
                lost: get(Tells::Lost),
            };
            self.lying.insert(of, lying);
        }
    }
}

/// What a metric tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tells {
    Visible,
    InWork,
    Delayed,
    Sent,
    OldestSeconds,
    OldestMillis,
    GivenUp,
    Lost,
}

/// Of which node a point tells what, if it is one of those that are known.
fn told_by(point: &MetricPoint) -> Option<(Node, Tells)> {
    let name = point.name.rsplit('/').next()?;
    let (namespace, _, tells) = METRICS.iter().find(|(_, known, _)| *known == name)?;
    let (kind, dimension) = match *namespace {
        SQS => ("queue", "QueueName"),
        _ => ("function", "FunctionName"),
    };
    let attributes = &point.attributes;
    let nested: Option<&Attributes> = match attributes.get("Dimensions") {
        Some(Value::Map(dimensions)) => Some(dimensions),
        _ => None,
    };
    let of = nested.unwrap_or(attributes).text(dimension)?;
    (!of.is_empty()).then(|| (format!("{kind}:{of}"), *tells))
}

/// What was measured: of a period its sum where something is counted, else its mean.
#[allow(clippy::cast_precision_loss)] // measurements of a minute
fn value(point: &MetricPoint, tells: Tells) -> f64 {
    match point.kind {
        MetricKind::Summary if !is_counted(tells) => point.value / point.count.max(1) as f64,
        _ => point.value,
    }
}

fn function_of(span: &Span) -> Option<Node> {
    let name = span.resource.attributes.text("faas.name")?;
    Some(format!("function:{name}"))
}

const SQS: &str = "AWS/SQS";
const LAMBDA: &str = "AWS/Lambda";
/// What stands before a namespace in the names of a metric stream.
const PREFIX: &str = "amazonaws.com/";
const METRICS: [(&str, &str, Tells); 8] = [
    (SQS, "ApproximateNumberOfMessagesVisible", Tells::Visible),
    (SQS, "ApproximateNumberOfMessagesNotVisible", Tells::InWork),
    (SQS, "ApproximateNumberOfMessagesDelayed", Tells::Delayed),
    (SQS, "NumberOfMessagesSent", Tells::Sent),
    (SQS, "ApproximateAgeOfOldestMessage", Tells::OldestSeconds),
    (LAMBDA, "IteratorAge", Tells::OldestMillis),
    (LAMBDA, "AsyncEventsDropped", Tells::GivenUp),
    (LAMBDA, "DeadLetterErrors", Tells::Lost),
];
/// Whoever knows which queue gets what this one gives up says so with its points.
const DEAD_LETTER_QUEUE: &str = "throughline.queue.gives_up_to";
/// CloudWatch tells of a minute two to three minutes after it, and sometimes later.
const LATE: Duration = Duration::from_secs(10 * 60);
/// Points that are read at once: five of each of 150 queues in 25 minutes.
const POINTS_MAX: usize = 20_000;
/// Points that are read for a question: four of each of 50 queues in eight hours.
const ASKED_MAX: usize = 100_000;
/// Invocations: the most that a search gives at once.
const AGAIN_OF: usize = 1000;

#[cfg(test)]
mod tests;
