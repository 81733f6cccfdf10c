//! What is known of objectives and alerts, and written down.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_insight::alert::State;
use throughline_insight::detect::Severity;
use throughline_insight::slo::{Burning, Series, Standing};
use throughline_telemetry::UnixNanos;

use super::AskError;
use super::ask::{Counted, Number};
use super::settings::{Alert, Measure, Objective, Settings};

/// What is known, by name.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Kept {
    objectives: BTreeMap<String, Watched>,
    alerts: BTreeMap<String, Asked>,
    /// When it was written last, in nanoseconds since 1970.
    saved: u64,
}

/// What is known of an objective.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Watched {
    /// What was counted; of something else it is worth nothing.
    measure: Measure,
    series: Series,
    pub(crate) burning: Burning,
    /// How grave it was when it was told last, and since when, in nanoseconds since 1970.
    last: Option<(Severity, u64)>,
    /// Minutes before this time are counted; zero if none is.
    until: u64,
    /// Whether all minutes were counted that there were, once.
    pub(crate) is_complete: bool,
    /// Actions that began, and were not followed.
    pub(crate) left_out: u64,
    /// Traces of actions that did not end in time, the newest last.
    pub(crate) late: Vec<String>,
    /// Why minutes could not be counted, if that is so.
    #[serde(skip)]
    pub(crate) error: Option<String>,
    /// Minutes that are asked for at once, fewer after a question that had no answer.
    #[serde(skip)]
    at_once: Option<u64>,
    /// What was due when there was no answer: it is asked again when more is.
    #[serde(skip)]
    failed: Option<UnixNanos>,
}

/// What is known of an alert.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// What was asked; the answer to something else is worth nothing.
    of: Alert,
    pub(crate) state: State,
    /// When it began to fire the last time, in nanoseconds since 1970.
    last: Option<u64>,
    /// The last answer: that of the worst group.
    pub(crate) value: Option<f64>,
    /// The groups that are beyond the bound, the worst first.
    pub(crate) groups: Vec<String>,
    /// Up to which minute was asked.
    until: u64,
    /// Why there is no answer, if that is so.
    #[serde(skip)]
    pub(crate) error: Option<String>,
}

impl Watched {
    fn new(measure: &Measure) -> Self {
        Watched {
            measure: measure.clone(),
            series: Series::default(),
            burning: Burning::default(),
            last: None,
            until: 0,
            is_complete: false,
            left_out: 0,
            late: Vec::new(),
            error: None,
            at_once: None,
            failed: None,
        }
    }

    /// Minutes that are asked for at once.
    fn at_once(&self) -> u64 {
        self.at_once.unwrap_or(match self.measure {
            Measure::Spans { .. } => SPANS_AT_ONCE,
            Measure::Actions { .. } => ACTIONS_AT_ONCE,
        })
    }

    /// Up to when minutes are counted, if any is.
    pub(crate) fn until(&self) -> Option<UnixNanos> {
        (self.until > 0).then_some(UnixNanos(self.until))
    }

    /// How grave it was when it was told last, and since when.
    pub(crate) fn last(&self) -> Option<(Severity, UnixNanos)> {
        self.last
            .map(|(severity, since)| (severity, UnixNanos(since)))
    }

    /// How the objective does; none before anything was counted.
    pub(crate) fn standing(&self, objective: &Objective) -> Option<Standing> {
        Some(Standing::of(objective.goal()?, &self.series, self.until()?))
    }
}

impl Asked {
    fn new(alert: &Alert) -> Self {
        Asked {
            of: alert.clone(),
            state: State::default(),
            last: None,
            value: None,
            groups: Vec::new(),
            until: 0,
            error: None,
        }
    }

    /// Whether it is known of this alert. One that cannot follow its saved query now is not asked otherwise.
    fn is_of(&self, alert: &Alert) -> bool {
        self.of == *alert || alert.asks().is_none() && self.of.unasked() == *alert
    }

    /// Up to when was asked, if that was ever done.
    pub(crate) fn until(&self) -> Option<UnixNanos> {
        (self.until > 0).then_some(UnixNanos(self.until))
    }

    /// When it began to fire the last time.
    pub(crate) fn last(&self) -> Option<UnixNanos> {
        self.last.map(UnixNanos)
    }
}

impl Kept {
    pub(crate) fn objective(&self, name: &str) -> Option<&Watched> {
        self.objectives.get(name)
    }

    pub(crate) fn alert(&self, name: &str) -> Option<&Asked> {
        self.alerts.get(name)
    }

    /// Forgets what is of something else than what is set. Another target or another number of days keeps the counts.
    /// An alert whose saved query was changed is one that asks something else.
    pub(super) fn settle(&mut self, settings: &Settings) {
        self.objectives.retain(|name, watched| {
            let mut set = settings.objectives().iter();
            set.any(|it| it.name == *name && it.measure == watched.measure)
        });
        self.alerts.retain(|name, asked| {
            let mut set = settings.alerts().iter();
            set.any(|it| it.name == *name && asked.is_of(it))
        });
    }

    /// Which minutes of an objective are to be counted next, if there are any.
    pub(super) fn next_minutes(
        &mut self,
        objective: &Objective,
        due: UnixNanos,
    ) -> Option<Range<UnixNanos>> {
        let (name, measure) = (&objective.name, &objective.measure);
        let back = measure.reaches_back(objective.goal()?);
        let watched = self.objectives.entry(name.clone());
        let watched = watched.or_insert_with(|| Watched::new(measure));
        let from = UnixNanos(watched.until).max(minute_of(due.minus(back)));
        let to = due.min(from.plus(Duration::from_secs(60 * watched.at_once())));
        (from < to && watched.failed != Some(due)).then_some(from..to)
    }

    /// Takes what was counted. Where there was no answer, less is asked for the next time.
    pub(super) fn count(
        &mut self,
        objective: &Objective,
        counted: Result<Counted, AskError>,
        due: UnixNanos,
    ) {
        let Some(goal) = objective.goal() else {
            return;
        };
        let Some(watched) = self.objectives.get_mut(&objective.name) else {
            return; // somebody has set something else meanwhile
        };
        if watched.measure != objective.measure {
            return;
        }
        let counted = match counted {
            Ok(counted) => counted,
            Err(error) => {
                watched.error = Some(error.to_string());
                watched.at_once = Some(watched.at_once().div_ceil(4));
                watched.failed = Some(due);
                return;
            }
        };
        (watched.error, watched.at_once, watched.failed) = (None, None, None);
        for (minute, counts) in counted.minutes {
            watched.series.add(minute, counts);
        }
        watched.left_out = watched.left_out.saturating_add(counted.left_out);
        for trace in counted.late.iter().map(ToString::to_string) {
            // Several actions may begin in one.
            watched.late.retain(|known| *known != trace);
            watched.late.push(trace);
        }
        let too_many = watched.late.len().saturating_sub(LATE_MAX);
        watched.late.drain(..too_many);
        watched.until = counted.until.0;
        watched.series.forget(goal.window(), counted.until);
        // Of the past nobody is told.
        if counted.until == due {
            watched.is_complete = true;
            watched.burning.tick(goal, &watched.series, counted.until);
            let burning = &watched.burning;
            let now = burning.severity().zip(burning.since());
            watched.last = now
                .map(|(severity, since)| (severity, since.0))
                .or(watched.last);
        }
    }

    /// Whether it is an alert's turn.
    pub(super) fn is_due(&mut self, alert: &Alert, complete: UnixNanos) -> bool {
        let asked = self.alerts.entry(alert.name.clone());
        let asked = asked.or_insert_with(|| Asked::new(alert));
        UnixNanos(asked.until).plus(alert.every()) <= complete
    }

    /// Takes what a query has answered.
    pub(super) fn answer(
        &mut self,
        alert: &Alert,
        number: Result<Number, AskError>,
        complete: UnixNanos,
    ) {
        let asked = self.alerts.get_mut(&alert.name);
        let Some(asked) = asked.filter(|asked| asked.is_of(alert)) else {
            return; // somebody has set something else meanwhile
        };
        asked.until = complete.0;
        match number {
            Ok(number) => {
                asked.error = None;
                asked.state = alert.bound().step(asked.state, number.value, complete);
                (asked.value, asked.groups) = (number.value, number.groups);
                if let State::Firing { since, .. } = asked.state {
                    asked.last = Some(since);
                }
            }
            // What goes on goes on: that nobody could look says nothing.
            Err(error) => asked.error = Some(error.to_string()),
        }
    }

    /// Whether what was written is so old that it is to be written again.
    pub(super) fn is_old(&self, now: UnixNanos) -> bool {
        UnixNanos(self.saved).plus(SAVE_EVERY) <= now
    }

    /// What is to be written.
    pub(super) fn saved(&mut self, now: UnixNanos) -> Kept {
        self.saved = now.0;
        self.clone()
    }
}

fn minute_of(time: UnixNanos) -> UnixNanos {
    UnixNanos(time.0 - time.0 % MINUTE_NANOS)
}

pub(super) const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
/// Six hours.
const SPANS_AT_ONCE: u64 = 360;
/// As many of them as there is time for.
const ACTIONS_AT_ONCE: u64 = 60;
/// Traces of actions that are shown.
const LATE_MAX: usize = 3;
const SAVE_EVERY: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests;
