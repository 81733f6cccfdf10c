//! What somebody has set to be watched, and whether it holds together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use throughline_insight::alert::{Bound, Compare};
use throughline_insight::detect::Severity;
use throughline_insight::slo::Goal;
use throughline_notify::settings::Problems;
use throughline_query::{Direction, Filter as Condition, Operation, Order, Spec};
use throughline_telemetry::UnixNanos;

use super::check::Checker;
use super::saved::SavedQueries;
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

/// Settings that hold together, and the saved queries that alerts follow.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    raw: RawSettings,
    saved: Arc<SavedQueries>,
    /// With what the saved queries ask that they follow.
    alerts: Vec<Alert>,
    /// Why an alert cannot follow its saved query, by the alert's name.
    unfollowed: BTreeMap<String, String>,
}

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
    /// Or the name of a saved query, which is asked as it is when it is asked. Of settings that were checked the alert has
    /// what that asks besides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) saved: Option<String>,
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

/// What an alert or a saved query asks.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks<'a> {
    Query(&'a Spec),
    Sql(&'a str),
    Graph(&'a str),
}

impl Settings {
    /// Checks all of it, and says all that is wrong.
    pub(crate) fn try_new(
        raw: RawSettings,
        saved: Arc<SavedQueries>,
        now: UnixNanos,
    ) -> Result<Settings, Problems> {
        let mut checker = Checker::of(&raw, now);
        let settings = Settings::follow(raw, saved, now);
        for (at, alert) in settings.alerts.iter().enumerate() {
            if let Some(why) = settings.unfollowed(&alert.name) {
                checker.that(false, &format!("alerts[{at}].saved"), || why.to_owned());
            }
        }
        checker.finish(settings)
    }

    /// The same of settings that were kept: an alert that cannot follow its saved query any more says so when it is asked,
    /// and the others go on.
    pub(super) fn reopened(
        raw: RawSettings,
        saved: Arc<SavedQueries>,
        now: UnixNanos,
    ) -> Result<Settings, Problems> {
        Checker::of(&raw, now).finish(())?;
        Ok(Settings::follow(raw, saved, now))
    }

    /// Nothing is watched.
    pub(super) fn none(saved: Arc<SavedQueries>) -> Settings {
        Settings {
            saved,
            ..Settings::default()
        }
    }

    /// The same with other saved queries, if each alert that follows one still can.
    pub(super) fn following(
        &self,
        saved: Arc<SavedQueries>,
        now: UnixNanos,
    ) -> Result<Settings, Problems> {
        let next = Settings::follow(self.raw.clone(), saved, now);
        let mut checker = Checker::default();
        for alert in &next.alerts {
            let Some(why) = next.unfollowed(&alert.name) else {
                continue;
            };
            let (alert, name) = (&alert.name, alert.saved.as_deref().unwrap_or_default());
            // What could not be followed before is no reason against what may help it.
            if self.unfollowed(alert).is_some() {
                continue;
            }
            match next.saved.place(name) {
                Some(at) => checker.that(false, &format!("queries[{at}]"), || {
                    format!("the alert {alert:?} follows {name:?}: {why}")
                }),
                None => checker.that(false, "queries", || {
                    format!(
                        "the alert {alert:?} follows {name:?}: change or remove the alert first"
                    )
                }),
            }
        }
        checker.finish(next)
    }

    fn follow(raw: RawSettings, saved: Arc<SavedQueries>, now: UnixNanos) -> Settings {
        let mut unfollowed = BTreeMap::new();
        let alerts = raw.alerts.iter().map(|alert| {
            alert.followed(&saved, now).unwrap_or_else(|why| {
                unfollowed.insert(alert.name.clone(), why);
                alert.clone()
            })
        });
        let alerts = alerts.collect();
        Settings {
            raw,
            saved,
            alerts,
            unfollowed,
        }
    }

    /// As they were written.
    pub(crate) fn raw(&self) -> &RawSettings {
        &self.raw
    }

    pub(crate) fn saved(&self) -> &Arc<SavedQueries> {
        &self.saved
    }

    pub(crate) fn objectives(&self) -> &[Objective] {
        &self.raw.objectives
    }

    /// Each with what it asks, also where it follows a saved query.
    pub(crate) fn alerts(&self) -> &[Alert] {
        &self.alerts
    }

    /// Why an alert cannot follow its saved query, if that is so.
    pub(super) fn unfollowed(&self, alert: &str) -> Option<&str> {
        self.unfollowed.get(alert).map(String::as_str)
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

    /// What is asked; none of settings that were not checked, and where a saved query cannot be followed.
    pub(crate) fn asks(&self) -> Option<Asks<'_>> {
        Asks::one(&self.query, &self.sql, &self.graph)
    }

    /// The same without what its saved query asks.
    pub(super) fn unasked(&self) -> Alert {
        Alert {
            query: None,
            sql: None,
            graph: None,
            ..self.clone()
        }
    }

    /// With what its saved query asks, if it follows one.
    fn followed(&self, saved: &SavedQueries, now: UnixNanos) -> Result<Alert, String> {
        let Some(name) = &self.saved else {
            return Ok(self.clone());
        };
        let followed = saved.find(name);
        let followed = followed.ok_or_else(|| format!("there is no saved query {name:?}"))?;
        let alert = Alert {
            query: followed.query.as_ref().map(watchable),
            sql: followed.sql.clone(),
            graph: followed.graph.clone(),
            ..self.clone()
        };
        let mut checker = Checker::default();
        checker.asked(|_| String::new(), &alert, now);
        match checker.first() {
            Some(why) => Err(why),
            None => Ok(alert),
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

impl<'a> Asks<'a> {
    /// The one of these that is there.
    pub(super) fn one(
        query: &'a Option<Spec>,
        sql: &'a Option<String>,
        graph: &'a Option<String>,
    ) -> Option<Self> {
        match (query, sql, graph) {
            (Some(query), None, None) => Some(Asks::Query(query)),
            (None, Some(sql), None) => Some(Asks::Sql(sql)),
            (None, None, Some(graph)) => Some(Asks::Graph(graph)),
            _ => None,
        }
    }
}

/// A saved query as an alert asks it: without the heat map that is drawn beside its number, and of a time where it says none.
fn watchable(query: &Spec) -> Spec {
    let mut numbers = query.calculations.clone();
    numbers.retain(|it| it.op != Operation::Heatmap);
    Spec {
        calculations: match numbers.is_empty() {
            true => query.calculations.clone(),
            false => numbers,
        },
        time_range: query.time_range.or(Some(FOLLOWED_SECONDS)),
        ..query.clone()
    }
}

/// Whole minutes in seconds are exact.
#[allow(clippy::cast_precision_loss)]
pub(super) fn seconds(at: UnixNanos) -> f64 {
    (at.0 / 1_000_000_000) as f64
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
pub(super) fn without_nulls<S: Serializer>(spec: &Option<Spec>, to: S) -> Result<S::Ok, S::Error> {
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

/// Groups of an answer that are looked at, the worst first.
pub(super) const GROUPS_MAX: usize = 10;
/// Over which time a saved query is asked that says none, as those of Explore do not.
const FOLLOWED_SECONDS: f64 = 300.0;
/// Following actions reads their traces, which takes long.
const ACTIONS_BACK: Duration = Duration::from_secs(6 * 3600);

#[cfg(test)]
mod tests;
