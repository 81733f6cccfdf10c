//! Objectives and alerts as notices.

use std::fmt::Write;

use throughline_insight::alert::State;
use throughline_insight::detect::Severity;
use throughline_notify::settings::Settings as Receivers;
use throughline_notify::{Line, Link, Matter, Notice, Phase, Whose};
use throughline_query::{Combination, Filter as Condition, Operator};
use throughline_telemetry::UnixNanos;

use super::kept::{Asked, Watched};
use super::settings::{Alert, Asks, Measure, Objective, RawSettings};
use crate::detection::Names;

/// What there is to tell of an objective or of an alert.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Told {
    kind: Kind,
    name: String,
    /// How grave it is and since when, if somebody should know.
    pub(super) firing: Option<(Severity, UnixNanos)>,
    /// The same of when it was so last.
    last: Option<(Severity, UnixNanos)>,
    title: String,
    nodes: Vec<String>,
    /// Traces to look at.
    traces: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Objective,
    Alert,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Objective => "objective",
            Kind::Alert => "alert",
        }
    }
}

impl Told {
    /// None before all minutes that there are were counted.
    pub(super) fn of_objective(
        objective: &Objective,
        watched: &Watched,
        names: &Names,
    ) -> Option<Told> {
        let standing = watched.standing(objective)?;
        let burning = &watched.burning;
        let mut nodes = nodes(objective.measure.filters(), names);
        if let Measure::Actions { end, .. } = &objective.measure {
            nodes.push(names.node(&end.service));
        }
        watched.is_complete.then(|| Told {
            firing: burning.severity().zip(burning.since()),
            last: watched.last(),
            title: standing.title(&objective.name, burning),
            traces: watched.late.clone(),
            ..Told::new(Kind::Objective, &objective.name, nodes)
        })
    }

    /// None before its query was asked.
    pub(super) fn of_alert(alert: &Alert, asked: &Asked, names: &Names) -> Option<Told> {
        asked.until()?;
        let since = asked.state.since();
        let is_firing = matches!(asked.state, State::Firing { .. });
        let nodes = match &alert.query {
            Some(query) if query.filter_combination == Combination::And => {
                nodes(&query.filters, names)
            }
            _ => Vec::new(),
        };
        Some(Told {
            firing: since
                .filter(|_| is_firing)
                .map(|since| (alert.severity, since)),
            last: asked.last().map(|since| (alert.severity, since)),
            title: title(alert, asked),
            ..Told::new(Kind::Alert, &alert.name, nodes)
        })
    }

    fn new(kind: Kind, name: &str, mut nodes: Vec<String>) -> Told {
        nodes.dedup();
        if nodes.is_empty() {
            nodes.push(format!("{}:{name}", kind.name()));
        }
        Told {
            kind,
            name: name.to_owned(),
            firing: None,
            last: None,
            title: format!("\"{name}\" is no longer watched"),
            nodes,
            traces: Vec::new(),
        }
    }

    pub(super) fn is_firing(&self) -> bool {
        self.firing.is_some()
    }

    /// By what it is known: the same each time that it begins, so that mails of it are one thread.
    pub(super) fn about(&self) -> String {
        format!("{}-{}", self.kind.name(), self.name)
    }

    pub(super) fn notice(&self, phase: Phase, receivers: &Receivers, now: UnixNanos) -> Notice {
        let base = receivers.base();
        let title = Line::new(&self.title);
        let known = self.firing.or(self.last);
        let (severity, since) = known.unwrap_or((Severity::Warning, now));
        let traces = self.traces.iter().rev();
        let evidence = traces.map(|id| Link {
            text: "An action that did not end in time".into(),
            href: format!("{base}/traces/{id}"),
        });
        Notice {
            about: self.about(),
            phase,
            severity,
            title: title.clone(),
            matters: vec![Matter {
                kind: self.kind.name().to_owned(),
                nodes: self.nodes.clone(),
                title,
                severity,
            }],
            environment: receivers.raw().environment.clone(),
            whose: Whose::default(),
            since,
            at: now,
            cause: None,
            affected: Vec::new(),
            evidence: evidence.collect(),
            actions: Vec::new(),
            page: format!("{base}/alerts"),
        }
    }
}

/// What was set before and is not any more.
pub(super) fn gone(before: &RawSettings, after: &RawSettings) -> Vec<Told> {
    let objectives = before.objectives.iter().map(|it| &it.name);
    let objectives = objectives.filter(|name| after.objectives.iter().all(|it| it.name != **name));
    let alerts = before.alerts.iter().map(|it| &it.name);
    let alerts = alerts.filter(|name| after.alerts.iter().all(|it| it.name != **name));
    let objectives = objectives.map(|name| Told::new(Kind::Objective, name, Vec::new()));
    let alerts = alerts.map(|name| Told::new(Kind::Alert, name, Vec::new()));
    objectives.chain(alerts).collect()
}

/// `"many orders fail": COUNT is 34, > 20: service orders; service pay`.
fn title(alert: &Alert, asked: &Asked) -> String {
    let what = match alert.asks() {
        Some(Asks::Query(query)) => match query.calculations.first() {
            Some(calculation) => calculation.to_string(),
            None => "COUNT".to_owned(),
        },
        _ => "the answer".to_owned(),
    };
    let mut title = format!("\"{}\": {what} is ", alert.name);
    let _ = match asked.value {
        // Not more digits than anybody reads.
        Some(value) => write!(title, "{}", (value * 1000.0).round() / 1000.0),
        None => write!(title, "not known"),
    };
    if matches!(asked.state, State::Firing { eased: None, .. }) {
        let _ = write!(title, ", {} {}", alert.op.name(), alert.value);
    }
    if !asked.groups.is_empty() {
        let _ = write!(title, ": {}", asked.groups.join("; "));
    }
    title
}

/// What is watched, as on the map, where conditions name it.
fn nodes(conditions: &[Condition], names: &Names) -> Vec<String> {
    let nodes = conditions.iter().filter(|it| it.op == Operator::Eq);
    let nodes = nodes.filter_map(|it| {
        let name = it.value.as_str()?;
        match it.column.as_str() {
            "service" => Some(names.node(name)),
            "faas.name" => Some(format!("function:{name}")),
            _ => None,
        }
    });
    nodes.collect()
}
