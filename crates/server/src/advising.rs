//! Whoever hears of notes is told of memory sizes: that a function should have another one, and what came of it.
//!
//! One function is looked at every few seconds, each soon after it is first known, then ever more rarely, and four times a
//! day once enough is known of it. Of all functions only a few are told a day, so that the first day with many of them
//! brings no flood; the others have their turn on the next days, and every function's page has its advice at once.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use throughline_act::{Action, Standing, State, Verdict};
use throughline_insight::detect::Severity;
use throughline_insight::rightsize::Advice;
use throughline_notify::settings::Settings;
use throughline_notify::{Fate, Line, Link, Matter, Notice, Phase, Teller, Whose};
use throughline_telemetry::UnixNanos;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::actions::Actions;
use crate::api::{Queries, of_last_week};
use crate::detection::Detection;
use crate::telling::function_page;

/// Looks for what there is to advise until the server stops.
pub(crate) struct Advising {
    pub(crate) actions: Actions,
    pub(crate) detection: Detection,
    pub(crate) queries: Queries,
    pub(crate) teller: Teller,
}

/// What was looked at, and when somebody was told of it.
#[derive(Default)]
struct Looked {
    /// When a function's turn comes next, and how long it was until then.
    next: BTreeMap<String, (UnixNanos, Duration)>,
    told: VecDeque<UnixNanos>,
}

impl Advising {
    /// Looks until the server stops.
    pub(crate) async fn run(self, mut stopped: watch::Receiver<bool>) {
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut looked = Looked::default();
        loop {
            let look = async {
                looks.tick().await;
                self.look(&mut looked).await;
            };
            tokio::select! {
                () = look => {}
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    async fn look(&self, looked: &mut Looked) {
        if self.teller.settings().raw().receivers.is_empty() {
            return;
        }
        let now = self.detection.now();
        let names = self.detection.names().into_iter();
        let functions = names.filter_map(|it| Some(it.node.strip_prefix("function:")?.to_owned()));
        let Some(function) = looked.turn(functions.collect(), now) else {
            return;
        };
        let advice = match of_last_week(&self.queries, &function, now).await {
            Ok(Some(advice)) => advice,
            Ok(None) => return self.take_back(&function, None),
            Err(error) => {
                tracing::warn!(%error, function, "which memory a function should have is not known");
                return;
            }
        };
        looked.is_known(&function, now);
        let is_told = self.teller.is_open(&about(&function));
        match advice.recommendation {
            Some(ref advised) if !is_told && looked.has_room(now) => {
                self.actions.advised(&function, advised.point.memory_mb);
                let title = format!("function:{function} {advised}");
                let notice = notice(&function, &title, &self.teller.settings(), now);
                let decisions = self.teller.tell(&notice);
                // Whoever wants to hear nothing of one function still hears of the others.
                if decisions.iter().any(|it| !matches!(it.fate, Fate::Drop(_))) {
                    looked.told.push_back(now);
                }
            }
            Some(_) => {}
            None => self.take_back(&function, Some(&advice)),
        }
    }

    /// What was told of a function ends when the size that it has is right, or somebody has undone the one that it was
    /// given.
    fn take_back(&self, function: &str, right: Option<&Advice>) {
        if !self.teller.is_open(&about(function)) {
            return;
        }
        let last = self.actions.with(|record, _| {
            let mut newest = record.actions().rev();
            let last = newest.find(|it| match &it.action {
                Action::Memory { function: of, .. } => *of.to_string() == *function,
                _ => false,
            });
            last.map(|it| it.state)
        });
        let title = match (last, right) {
            // What comes of it is told, and whoever reads that decides.
            (Some(State::Begun | State::Done), _) => return,
            (_, Some(advice)) => format!("function:{function} has memory enough: {advice}"),
            (Some(State::Undone), None) => {
                format!("function:{function} has again the memory that it had")
            }
            (_, None) => return,
        };
        let notice = notice(
            function,
            &title,
            &self.teller.settings(),
            self.detection.now(),
        );
        self.teller.tell(&Notice {
            phase: Phase::Closed,
            ..notice
        });
    }
}

impl Looked {
    /// The function whose turn it is, if it is any's.
    fn turn(&mut self, functions: BTreeSet<String>, now: UnixNanos) -> Option<String> {
        self.next.retain(|name, _| functions.contains(name));
        for function in functions {
            self.next.entry(function).or_insert((now, FIRST_PAUSE));
        }
        let due = self.next.iter_mut().filter(|(_, (at, _))| *at <= now);
        let (function, (at, pause)) = due.min_by_key(|(_, (at, _))| *at)?;
        (*at, *pause) = (now.plus(*pause), (*pause * 2).min(LAST_PAUSE));
        Some(function.clone())
    }

    /// Nothing new is soon to be known of a function.
    fn is_known(&mut self, function: &str, now: UnixNanos) {
        let next = (now.plus(LAST_PAUSE), LAST_PAUSE);
        self.next.insert(function.to_owned(), next);
    }

    fn has_room(&mut self, now: UnixNanos) -> bool {
        let is_old = |at: &UnixNanos| at.plus(DAY) <= now;
        while self.told.front().is_some_and(is_old) {
            self.told.pop_front();
        }
        self.told.len() < TOLD_A_DAY
    }
}

/// By what it is known that a function should have another size.
fn about(function: &str) -> String {
    format!("{ADVICE}{function}")
}

/// What came of another size, and how that stands since: the end of what was advised or, where it is worse, something
/// that somebody should see.
pub(crate) fn came_of(
    function: &str,
    (verdict, sentence): (Verdict, &str),
    standing: &Standing,
    settings: &Settings,
    now: UnixNanos,
) -> Notice {
    let (phase, severity) = match verdict {
        Verdict::Slower => (Phase::Opened, Severity::Warning),
        Verdict::AsPredicted | Verdict::Unknown => (Phase::Closed, Severity::Note),
    };
    let more = match (verdict, standing.until) {
        (Verdict::Slower, _) => "; undo it?".to_owned(),
        (_, Some(until)) => format!("; it is put back at {until} unless somebody keeps it"),
        (_, None) if standing.kept.is_some() => "; it is kept".to_owned(),
        (_, None) => String::new(),
    };
    let title = format!("function:{function} has another size of memory, {sentence}{more}");
    let mut notice = notice(function, &title, settings, now);
    (notice.phase, notice.severity) = (phase, severity);
    notice.matters[0].severity = severity;
    notice
}

/// `function:pay can run 2.1x faster for 4 % less with 1,024 MB`, or whatever else there is to tell of its memory.
fn notice(function: &str, title: &str, settings: &Settings, now: UnixNanos) -> Notice {
    let base = settings.base();
    let node = format!("function:{function}");
    let page = function_page(base, function);
    let mute = form_urlencoded::Serializer::new(String::new())
        .append_pair("mute", &node)
        .append_pair("kind", KIND)
        .finish();
    Notice {
        about: about(function),
        phase: Phase::Opened,
        severity: Severity::Note,
        title: Line::new(title),
        matters: vec![Matter {
            kind: KIND.to_owned(),
            nodes: vec![node],
            title: Line::new(title),
            severity: Severity::Note,
        }],
        environment: settings.raw().environment.clone(),
        whose: Whose::default(),
        since: now,
        at: now,
        cause: None,
        affected: Vec::new(),
        evidence: Vec::new(),
        actions: vec![Link {
            text: "Don't bother me again".into(),
            href: format!("{base}/notifications?{mute}"),
        }],
        page,
    }
}

/// How what is about advice begins; the name of the function follows.
pub(crate) const ADVICE: &str = "advice-";
/// As mutes name it.
const KIND: &str = "advice";
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Until a function is looked at again of which too little is known; twice as long each time.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LAST_PAUSE: Duration = Duration::from_secs(6 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Functions of which somebody is told that they should have another size.
const TOLD_A_DAY: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> UnixNanos {
        UnixNanos(1_000_000_000 * seconds)
    }

    #[test]
    fn each_has_its_turn_and_ever_more_rarely() {
        let mut looked = Looked::default();
        let all = || BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        let mut turns = Vec::new();
        for second in (0..2000).step_by(5) {
            if let Some(name) = looked.turn(all(), at(second)) {
                turns.push(format!("{name}{second}"));
            }
        }
        assert_eq!(
            turns.join(" "),
            "a0 b5 a60 b65 a180 b185 a420 b425 a900 b905 a1860 b1865"
        );
        looked.is_known("a", at(2000));
        let day = 2000..2000 + 24 * 3600;
        let of_a = day.filter(|second| looked.turn(all(), at(*second)).as_deref() == Some("a"));
        assert_eq!(of_a.count(), 3);
        looked.turn(BTreeSet::new(), at(0));
        assert!(looked.next.is_empty());
    }

    #[test]
    fn a_few_are_told_a_day() {
        let mut looked = Looked::default();
        let told = (0..100).filter(|hour| {
            let now = at(hour * 3600);
            let has_room = looked.has_room(now);
            if has_room {
                looked.told.push_back(now);
            }
            has_room
        });
        // Four days, and four hours.
        assert_eq!(told.count(), 4 * TOLD_A_DAY + 4);
    }
}
