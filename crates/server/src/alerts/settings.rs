//! What somebody has set to be watched, and whether it holds together.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use throughline_insight::alert::{Bound, Compare};
use throughline_insight::detect::Severity;
use throughline_insight::graph;
use throughline_insight::slo::{DAYS_MAX, Goal, TARGET_MAX, TARGET_MIN};
use throughline_notify::settings::{Problem, Problems};
use throughline_query::{Direction, Engine, Filter as Condition, Operation, Order, Spec};
use throughline_telemetry::UnixNanos;

use crate::detection::complete;

/// Settings as they were written. [`Settings`] are those that were checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawSettings {
    /// What share of something must be good.
    pub(crate) objectives: Vec<Objective>,
    /// Numbers that must not cross a bound.
    pub(crate) alerts: Vec<Alert>,
}

/// Settings that hold together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings(RawSettings);

/// What share of something must be good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Objective {
    /// What people call it.
    pub(crate) name: String,
    /// The share that must be good: 0.999.
    pub(crate) target: f64,
    /// Over how many days.
    #[serde(default = "thirty")]
    pub(crate) days: u32,
    /// What is counted, and what of it is good.
    pub(crate) measure: Measure,
}

/// What is counted, and what of it is good.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Measure {
    /// Spans: calls of a function or of an operation.
    Spans {
        /// Which spans count. All must hold.
        filters: Vec<Condition>,
        /// Which of them are good. All must hold.
        good: Vec<Condition>,
    },
    /// Whole user actions, across every hop.
    Actions {
        /// The spans that they begin with. All must hold.
        begin: Vec<Condition>,
        /// What they must reach, without an error.
        end: EndOf,
        /// In how many milliseconds after they began.
        within_ms: u64,
    },
}

/// An operation of a service.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndOf {
    /// The service.
    pub(crate) service: String,
    /// The name of its spans.
    pub(crate) name: String,
}

/// A number that must not cross a bound.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alert {
    /// What people call it.
    pub(crate) name: String,
    /// What is asked: one calculation over a time up to now.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "without_nulls"
    )]
    pub(crate) query: Option<Spec>,
    /// Or a statement, whose last column is the number; those before it say of which group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) sql: Option<String>,
    /// Or a question to the graph, the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) graph: Option<String>,
    /// How its answer is compared.
    pub(crate) op: Compare,
    /// With what.
    pub(crate) value: f64,
    /// For how many minutes it must be so.
    #[serde(default)]
    pub(crate) for_minutes: u32,
    /// Every how many minutes it is asked.
    #[serde(default = "one")]
    pub(crate) every_minutes: u32,
    /// How much it matters.
    #[serde(default = "warning", with = "SeverityName")]
    pub(crate) severity: Severity,
}

/// What an alert asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks<'a> {
    Query(&'a Spec),
    Sql(&'a str),
    Graph(&'a str),
}

impl Settings {
    /// Checks all of it, and says all that is wrong.
    pub(crate) fn try_new(raw: RawSettings, now: UnixNanos) -> Result<Settings, Problems> {
        let mut checker = Checker(Vec::new());
        let names: Vec<&str> = raw.objectives.iter().map(|it| it.name.as_str()).collect();
        checker.names("objectives", &names, OBJECTIVES_MAX);
        let names: Vec<&str> = raw.alerts.iter().map(|it| it.name.as_str()).collect();
        checker.names("alerts", &names, ALERTS_MAX);
        for (at, objective) in raw.objectives.iter().enumerate() {
            checker.objective(&format!("objectives[{at}]"), objective, now);
        }
        for (at, alert) in raw.alerts.iter().enumerate() {
            checker.alert(&format!("alerts[{at}]"), alert, now);
        }
        match checker.0.is_empty() {
            true => Ok(Settings(raw)),
            false => Err(Problems(checker.0)),
        }
    }

    pub(crate) fn raw(&self) -> &RawSettings {
        &self.0
    }

    pub(crate) fn objectives(&self) -> &[Objective] {
        &self.0.objectives
    }

    pub(crate) fn alerts(&self) -> &[Alert] {
        &self.0.alerts
    }
}

impl Objective {
    /// What share over which time; none of settings that were not checked.
    pub(crate) fn goal(&self) -> Option<Goal> {
        Goal::try_new(self.target, self.days).ok()
    }
}

impl Measure {
    /// The end of the last minute of which everything is known: actions need the time in which they may end.
    pub(crate) fn complete(&self, now: UnixNanos) -> UnixNanos {
        match self {
            Measure::Spans { .. } => complete(now),
            Measure::Actions { within_ms, .. } => {
                complete(now.minus(Duration::from_millis(*within_ms)))
            }
        }
    }

    /// How far back minutes are counted that were not counted in their time.
    pub(crate) fn reaches_back(&self, goal: Goal) -> Duration {
        match self {
            Measure::Spans { .. } => goal.window(),
            Measure::Actions { .. } => ACTIONS_BACK,
        }
    }

    /// Which spans count: calls, or the beginnings of actions.
    pub(crate) fn filters(&self) -> &[Condition] {
        match self {
            Measure::Spans { filters, .. } => filters,
            Measure::Actions { begin, .. } => begin,
        }
    }
}

impl Alert {
    pub(crate) fn bound(&self) -> Bound {
        Bound {
            compare: self.op,
            value: self.value,
            lasting: minutes(self.for_minutes),
        }
    }

    pub(crate) fn every(&self) -> Duration {
        minutes(self.every_minutes)
    }

    /// What is asked; none of settings that were not checked.
    pub(crate) fn asks(&self) -> Option<Asks<'_>> {
        match (&self.query, &self.sql, &self.graph) {
            (Some(query), None, None) => Some(Asks::Query(query)),
            (None, Some(sql), None) => Some(Asks::Sql(sql)),
            (None, None, Some(graph)) => Some(Asks::Graph(graph)),
            _ => None,
        }
    }

    /// A query at a moment: the groups that are worst first.
    pub(crate) fn spec(&self, query: &Spec, end: UnixNanos) -> Spec {
        let calculation = query.calculations.first();
        let order = Order {
            op: Some(calculation.map_or(Operation::Count, |it| it.op)),
            column: calculation.and_then(|it| it.column.clone()),
            order: match self.op.is_upwards() {
                true => Direction::Descending,
                false => Direction::Ascending,
            },
        };
        Spec {
            orders: vec![order],
            limit: Some(GROUPS_MAX),
            granularity: None,
            start_time: None,
            end_time: Some(seconds(end)),
            ..query.clone()
        }
    }
}

/// Whole minutes in seconds are exact.
#[allow(clippy::cast_precision_loss)]
pub(super) fn seconds(at: UnixNanos) -> f64 {
    (at.0 / 1_000_000_000) as f64
}

struct Checker(Vec<Problem>);

impl Checker {
    fn that(&mut self, holds: bool, place: &str, why: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Problem {
                place: place.to_owned(),
                why: why(),
            });
        }
    }

    fn names(&mut self, place: &str, names: &[&str], max: usize) {
        self.that(names.len() <= max, place, || {
            format!("there are {} of them, and {max} at most", names.len())
        });
        let mut known = BTreeSet::new();
        for (at, name) in names.iter().enumerate() {
            let place = format!("{place}[{at}].name");
            let is_plain = |it: char| !it.is_control() && it != '"' && it != '\\';
            let length = name.chars().count();
            self.that((1..=NAME_MAX).contains(&length), &place, || {
                format!("a name has 1 to {NAME_MAX} characters")
            });
            self.that(name.chars().all(is_plain), &place, || {
                "a name has no quotes, backslashes or control characters".to_owned()
            });
            self.that(known.insert(*name), &place, || {
                format!("there is another one of the name {name:?}")
            });
        }
    }

    fn objective(&mut self, place: &str, objective: &Objective, now: UnixNanos) {
        self.that(
            (TARGET_MIN..=TARGET_MAX).contains(&objective.target),
            &format!("{place}.target"),
            || {
                format!(
                    "it must be from {TARGET_MIN} to {TARGET_MAX}, not {}",
                    objective.target
                )
            },
        );
        self.that(
            (1..=DAYS_MAX).contains(&objective.days),
            &format!("{place}.days"),
            || format!("it must be from 1 to {DAYS_MAX}, not {}", objective.days),
        );
        let measure = &objective.measure;
        self.conditions(&format!("{place}.measure"), measure.filters(), now);
        match measure {
            Measure::Spans { good, .. } => {
                self.conditions(&format!("{place}.measure.spans.good"), good, now);
            }
            Measure::Actions { end, within_ms, .. } => {
                let place = format!("{place}.measure.actions");
                self.that(
                    !end.service.is_empty() && !end.name.is_empty(),
                    &place,
                    || "`end` needs a service and a name".to_owned(),
                );
                self.that((1..=WITHIN_MS_MAX).contains(within_ms), &place, || {
                    format!("`within_ms` must be from 1 to {WITHIN_MS_MAX}, a day, not {within_ms}")
                });
            }
        }
    }

    /// Some are needed: what holds for everything is no objective.
    fn conditions(&mut self, place: &str, conditions: &[Condition], now: UnixNanos) {
        self.that(
            (1..=CONDITIONS_MAX).contains(&conditions.len()),
            place,
            || {
                format!(
                    "it needs 1 to {CONDITIONS_MAX} conditions, not {}",
                    conditions.len()
                )
            },
        );
        let spec = Spec {
            filters: conditions.to_vec(),
            ..Spec::default()
        };
        self.query(place, &spec, now);
    }

    fn alert(&mut self, place: &str, alert: &Alert, now: UnixNanos) {
        match alert.asks() {
            Some(Asks::Query(query)) => self.watched(&format!("{place}.query"), alert, query, now),
            Some(Asks::Sql(sql)) => self.text(&format!("{place}.sql"), sql),
            Some(Asks::Graph(graph)) => {
                let place = format!("{place}.graph");
                self.text(&place, graph);
                if let Err(mistake) = graph::Query::parse(graph) {
                    self.that(false, &place, || mistake.to_string());
                }
            }
            None => self.that(false, &format!("{place}.query"), || {
                "it asks one thing: `query`, `sql` or `graph`".to_owned()
            }),
        }
        self.that(alert.value.is_finite(), &format!("{place}.value"), || {
            "it must be a number".to_owned()
        });
        self.that(
            alert.for_minutes <= MINUTES_MAX,
            &format!("{place}.for_minutes"),
            || format!("it must be at most {MINUTES_MAX}, a day"),
        );
        self.that(
            (1..=MINUTES_MAX).contains(&alert.every_minutes),
            &format!("{place}.every_minutes"),
            || format!("it must be from 1 to {MINUTES_MAX}, a day"),
        );
    }

    fn watched(&mut self, place: &str, alert: &Alert, query: &Spec, now: UnixNanos) {
        self.that(query.calculations.len() <= 1, place, || {
            "it must have one calculation".to_owned()
        });
        let mut calculations = query.calculations.iter();
        let is_number = calculations.all(|it| it.op != Operation::Heatmap);
        self.that(is_number, place, || "a heat map is no number".to_owned());
        self.that(query.start_time.is_none() && query.end_time.is_none(), place, || {
            "it is asked of the time up to now: `time_range`, without `start_time` and `end_time`".to_owned()
        });
        let range = query.time_range.unwrap_or(60.0);
        self.that((60.0..=RANGE_SECONDS_MAX).contains(&range), place, || {
            format!("`time_range` must be from 60 to {RANGE_SECONDS_MAX} seconds, not {range}")
        });
        self.query(place, &alert.spec(query, now), now);
    }

    fn text(&mut self, place: &str, text: &str) {
        let length = text.chars().count();
        self.that(!text.trim().is_empty() && length <= TEXT_MAX, place, || {
            format!("it has 1 to {TEXT_MAX} characters, not {length}")
        });
    }

    fn query(&mut self, place: &str, spec: &Spec, now: UnixNanos) {
        if let Err(error) = Engine::check(spec, now) {
            self.that(false, place, || error.to_string());
        }
    }
}

/// How severities are written: `note`, `warning`, `critical`.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Severity", rename_all = "lowercase")]
enum SeverityName {
    Note,
    Warning,
    Critical,
}

/// As people write it: what is not said is left out.
fn without_nulls<S: Serializer>(spec: &Option<Spec>, to: S) -> Result<S::Ok, S::Error> {
    let mut json = serde_json::to_value(spec).map_err(S::Error::custom)?;
    if let Some(fields) = json.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    json.serialize(to)
}

fn minutes(minutes: u32) -> Duration {
    Duration::from_secs(60) * minutes
}

fn thirty() -> u32 {
    30
}

fn one() -> u32 {
    1
}

fn warning() -> Severity {
    Severity::Warning
}

const OBJECTIVES_MAX: usize = 50;
const ALERTS_MAX: usize = 100;
const NAME_MAX: usize = 80;
/// Of a statement, or of a question to the graph.
const TEXT_MAX: usize = 10_000;
const CONDITIONS_MAX: usize = 20;
/// Groups of an answer that are looked at, the worst first.
pub(super) const GROUPS_MAX: usize = 10;
/// A week, so that a question stays one that can be asked every minute.
const RANGE_SECONDS_MAX: f64 = 7.0 * 86_400.0;
const MINUTES_MAX: u32 = 24 * 60;
const WITHIN_MS_MAX: u64 = 86_400_000;
/// Following actions reads their traces, which takes long.
const ACTIONS_BACK: Duration = Duration::from_secs(6 * 3600);

#[cfg(test)]
mod tests;
