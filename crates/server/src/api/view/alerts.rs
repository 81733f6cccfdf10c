//! Objectives and alerts.

use serde::Serialize;
use throughline_insight::slo::{Rule, Standing};
use throughline_telemetry::UnixNanos;

use super::Text;
use crate::alerts::{Kept, RawSettings, Settings};
use crate::detection::OuterCounts;

/// What came of alerts that others told.
#[derive(Serialize)]
pub(in crate::api) struct AlertsTaken {
    taken: u64,
    own: u64,
    ignored: u64,
    no_room: u64,
}

impl AlertsTaken {
    pub(in crate::api) fn new(counts: OuterCounts) -> Self {
        AlertsTaken {
            taken: counts.taken,
            own: counts.own,
            ignored: counts.ignored,
            no_room: counts.no_room,
        }
    }
}

/// What is set, and how it does, in the same order.
#[derive(Serialize)]
pub(in crate::api) struct AlertList<'a> {
    settings: &'a RawSettings,
    objectives: Vec<ObjectiveNow>,
    alerts: Vec<AlertNow>,
}

/// How an objective does.
#[derive(Default, Serialize)]
struct ObjectiveNow {
    name: String,
    /// `counting`, until the past is counted; `ok` or `firing`.
    state: &'static str,
    severity: Option<&'static str>,
    since_unix_nanos: Option<Text<UnixNanos>>,
    until_unix_nanos: Option<Text<UnixNanos>>,
    good: u64,
    bad: u64,
    left: Option<f64>,
    burn: Option<f64>,
    lasts_seconds: Option<u64>,
    rules: Vec<RuleNow>,
    left_out: u64,
    late: Vec<String>,
    error: Option<String>,
}

#[derive(Serialize)]
struct RuleNow {
    short_seconds: u64,
    long_seconds: u64,
    burn: f64,
    severity: &'static str,
    short: Option<f64>,
    long: Option<f64>,
    holds: bool,
}

/// How an alert does.
#[derive(Default, Serialize)]
struct AlertNow {
    name: String,
    state: &'static str,
    severity: &'static str,
    since_unix_nanos: Option<Text<UnixNanos>>,
    until_unix_nanos: Option<Text<UnixNanos>>,
    value: Option<f64>,
    groups: Vec<String>,
    error: Option<String>,
}

impl<'a> AlertList<'a> {
    pub(in crate::api) fn new(settings: &'a Settings, kept: &Kept) -> Self {
        AlertList {
            settings: settings.raw(),
            objectives: objectives(settings, kept),
            alerts: alerts(settings, kept),
        }
    }
}

fn objectives(settings: &Settings, kept: &Kept) -> Vec<ObjectiveNow> {
    let objectives = settings.objectives().iter().map(|objective| {
        let fresh = ObjectiveNow {
            name: objective.name.clone(),
            state: "counting",
            ..ObjectiveNow::default()
        };
        let Some(watched) = kept.objective(&objective.name) else {
            return fresh;
        };
        let burning = &watched.burning;
        let state = match burning.severity() {
            _ if !watched.is_complete => "counting",
            Some(_) => "firing",
            None => "ok",
        };
        let fresh = ObjectiveNow {
            state,
            severity: burning.severity().map(|severity| severity.name()),
            since_unix_nanos: burning.since().map(Text),
            until_unix_nanos: watched.until().map(Text),
            left_out: watched.left_out,
            late: watched.late.clone(),
            error: watched.error.clone(),
            ..fresh
        };
        let Some(standing) = watched.standing(objective) else {
            return fresh;
        };
        let holds = |rule: &Rule| burning.holding().any(|(holding, _)| holding == rule);
        ObjectiveNow {
            good: standing.counts.good,
            bad: standing.counts.bad,
            left: Some(standing.left),
            burn: standing.burn,
            lasts_seconds: standing.lasts.map(|lasts| lasts.as_secs()),
            rules: rules(&standing, holds, objective.goal()),
            ..fresh
        }
    });
    objectives.collect()
}

fn rules(
    standing: &Standing,
    holds: impl Fn(&Rule) -> bool,
    goal: Option<throughline_insight::slo::Goal>,
) -> Vec<RuleNow> {
    let rules = standing.rules.iter().map(|(rule, [short, long])| RuleNow {
        short_seconds: rule.short.as_secs(),
        long_seconds: rule.long.as_secs(),
        burn: goal.map_or(rule.burn, |goal| rule.bound(goal)),
        severity: rule.severity.name(),
        short: *short,
        long: *long,
        holds: holds(rule),
    });
    rules.collect()
}

fn alerts(settings: &Settings, kept: &Kept) -> Vec<AlertNow> {
    let alerts = settings.alerts().iter().map(|alert| {
        let fresh = AlertNow {
            name: alert.name.clone(),
            state: "no_data",
            severity: alert.severity.name(),
            ..AlertNow::default()
        };
        match kept.alert(&alert.name) {
            None => fresh,
            Some(asked) => AlertNow {
                state: asked.state.name(),
                since_unix_nanos: asked.state.since().map(Text),
                until_unix_nanos: asked.until().map(Text),
                value: asked.value,
                groups: asked.groups.clone(),
                error: asked.error.clone(),
                ..fresh
            },
        }
    });
    alerts.collect()
}
