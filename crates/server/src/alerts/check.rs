//! Whether what somebody has set holds together, said of every place where it does not.

use std::collections::BTreeSet;

use throughline_insight::graph;
use throughline_insight::slo::{DAYS_MAX, TARGET_MAX, TARGET_MIN};
use throughline_notify::settings::{Problem, Problems};
use throughline_query::{Engine, Filter as Condition, Operation, Spec};
use throughline_telemetry::UnixNanos;

use super::settings::{Alert, Asks, Measure, Objective, RawSettings};

/// Takes down what is wrong, each with its place.
#[derive(Default)]
pub(super) struct Checker(Vec<Problem>);

impl Checker {
    /// What is wrong with settings, but for what alerts follow.
    pub(super) fn of(raw: &RawSettings, now: UnixNanos) -> Self {
        let mut checker = Checker::default();
        let names: Vec<&str> = raw.objectives.iter().map(|it| it.name.as_str()).collect();
        checker.plain_names("objectives", &names, OBJECTIVES_MAX);
        let names: Vec<&str> = raw.alerts.iter().map(|it| it.name.as_str()).collect();
        checker.plain_names("alerts", &names, ALERTS_MAX);
        for (at, objective) in raw.objectives.iter().enumerate() {
            checker.objective(&format!("objectives[{at}]"), objective, now);
        }
        for (at, alert) in raw.alerts.iter().enumerate() {
            checker.alert(&format!("alerts[{at}]"), alert, now);
        }
        checker
    }

    pub(super) fn finish<T>(self, checked: T) -> Result<T, Problems> {
        match self.0.is_empty() {
            true => Ok(checked),
            false => Err(Problems(self.0)),
        }
    }

    /// Why the first thing is wrong, if one is.
    pub(super) fn first(self) -> Option<String> {
        self.0.into_iter().next().map(|problem| problem.why)
    }

    pub(super) fn that(&mut self, holds: bool, place: &str, why: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Problem {
                place: place.to_owned(),
                why: why(),
            });
        }
    }

    /// Names that stand in the subjects of mails.
    fn plain_names(&mut self, place: &str, names: &[&str], most: usize) {
        self.names(place, names, most, NAME_MAX);
        for (at, name) in names.iter().enumerate() {
            self.that(
                !name.contains(['"', '\\']),
                &format!("{place}[{at}].name"),
                || "a name has no quotes or backslashes".to_owned(),
            );
        }
    }

    pub(super) fn names(&mut self, place: &str, names: &[&str], most: usize, length_max: usize) {
        self.that(names.len() <= most, place, || {
            format!("there are {} of them, and {most} at most", names.len())
        });
        let mut known = BTreeSet::new();
        for (at, name) in names.iter().enumerate() {
            let place = format!("{place}[{at}].name");
            let length = name.chars().count();
            self.that((1..=length_max).contains(&length), &place, || {
                format!("a name has 1 to {length_max} characters")
            });
            self.that(!name.contains(char::is_control), &place, || {
                "a name has no control characters".to_owned()
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
        match (&alert.saved, alert.asks()) {
            (None, Some(_)) => self.asked(|field| format!("{place}.{field}"), alert, now),
            (Some(_), None) if *alert == alert.unasked() => {}
            _ => self.that(false, &format!("{place}.query"), || {
                "it asks one thing: `query`, `sql`, `graph` or `saved`".to_owned()
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

    /// What an alert requires of what it asks.
    pub(super) fn asked(&mut self, place: impl Fn(&str) -> String, alert: &Alert, now: UnixNanos) {
        match alert.asks() {
            Some(Asks::Query(query)) => self.watched(&place("query"), alert, query, now),
            Some(Asks::Sql(sql)) => self.text(&place("sql"), sql),
            Some(Asks::Graph(graph)) => self.graph(&place("graph"), graph),
            None => {}
        }
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

    pub(super) fn graph(&mut self, place: &str, graph: &str) {
        self.text(place, graph);
        if let Err(mistake) = graph::Query::parse(graph) {
            self.that(false, place, || mistake.to_string());
        }
    }

    pub(super) fn text(&mut self, place: &str, text: &str) {
        let length = text.chars().count();
        self.that(!text.trim().is_empty() && length <= TEXT_MAX, place, || {
            format!("it has 1 to {TEXT_MAX} characters, not {length}")
        });
    }

    pub(super) fn query(&mut self, place: &str, spec: &Spec, now: UnixNanos) {
        if let Err(error) = Engine::check(spec, now) {
            self.that(false, place, || error.to_string());
        }
    }
}

const OBJECTIVES_MAX: usize = 50;
const ALERTS_MAX: usize = 100;
const NAME_MAX: usize = 80;
/// Of a statement, or of a question to the graph.
const TEXT_MAX: usize = 10_000;
const CONDITIONS_MAX: usize = 20;
/// A week, so that a question stays one that can be asked every minute.
const RANGE_SECONDS_MAX: f64 = 7.0 * 86_400.0;
const MINUTES_MAX: u32 = 24 * 60;
const WITHIN_MS_MAX: u64 = 86_400_000;
