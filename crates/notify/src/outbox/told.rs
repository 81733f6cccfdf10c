//! What was told to whom.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_insight::detect::Severity;
use throughline_telemetry::UnixNanos;

use crate::notice::{Concern, Line, Matter, Notice, Phase, SeverityName, Whose};
use crate::settings::Settings;

/// What every receiver was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ToldAll {
    /// By receiver, then by what it was about.
    by: BTreeMap<String, BTreeMap<String, Told>>,
    log: VecDeque<Record>,
    acted: BTreeSet<String>,
}

/// What one receiver was told of one thing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Told {
    /// How much it mattered.
    #[serde(with = "SeverityName")]
    pub severity: Severity,
    /// Whether it was told that it has ended.
    pub is_open: bool,
    /// Until when it waits to be told, if it does.
    pub held_until: Option<u64>,
    /// What it was about; nothing is known of what was told before that was kept.
    #[serde(default)]
    pub concerns: BTreeSet<Concern>,
    /// Whether it was told where it comes from; nothing is known of what was told before that was kept.
    #[serde(default = "yes")]
    has_cause: bool,
    /// How many messages there were of it.
    pub messages: u32,
    /// What the first said.
    title: Line,
    /// What it was of, then.
    node: String,
    kind: String,
    #[serde(default)]
    whose: Whose,
    at: u64,
}

/// How a message goes with those before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Thread {
    /// How many there were before.
    pub before: u32,
    /// What the first said.
    pub title: Line,
    /// What the first was of.
    pub node: String,
    /// What was unusual then.
    pub kind: String,
    /// Where it was then, and whose.
    #[serde(default)]
    pub whose: Whose,
    /// How much it mattered when it was told last, if that was another severity.
    pub was: Option<String>,
}

/// One message, for the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When.
    pub at: u64,
    /// To whom.
    pub receiver: String,
    /// What about.
    pub about: String,
    /// Of which node.
    pub node: String,
    /// What was unusual.
    pub kind: String,
}

impl Told {
    /// Whether somebody who hears of what matters this much was never told of what this makes them worry about.
    pub fn is_news(&self, matter: &Matter, least: Severity) -> bool {
        let is_known = |concern| self.concerns.is_empty() || self.concerns.contains(&concern);
        matter.severity >= least && !is_known(matter.concern())
    }

    /// Whether it is known now where it comes from, and that was never told. Of what is only good to know nobody waits for
    /// it.
    pub fn is_explained_by(&self, notice: &Notice) -> bool {
        !self.has_cause && notice.cause.is_some() && notice.severity > Severity::Note
    }

    /// The same notice with what is new at its head, if somebody who was told of it worries about something else now, or
    /// learns where it comes from, and it is no worse.
    pub(super) fn grown(&self, notice: &Notice) -> Option<Notice> {
        let goes_on = matches!(notice.phase, Phase::Opened | Phase::Grew);
        if !goes_on || !self.is_open || self.messages == 0 || notice.severity > self.severity {
            return None;
        }
        let is_news = |it: &Matter| self.is_news(it, Severity::Note);
        let at = notice.matters.iter().position(is_news);
        let at = at.or_else(|| self.is_explained_by(notice).then_some(0))?;
        let mut grown = notice.clone();
        grown.matters[..=at].rotate_right(1);
        grown.title = grown.matters[0].title.clone();
        grown.phase = Phase::Grew;
        Some(grown)
    }

    /// That it has ended as far as anybody knows.
    pub(super) fn lost(&self, about: &str, settings: &Settings, now: UnixNanos) -> Notice {
        let title = format!("nothing more is known of it: {}", self.title);
        Notice {
            about: about.to_owned(),
            phase: Phase::Closed,
            severity: self.severity,
            title: Line::new(&title),
            matters: vec![Matter {
                kind: self.kind.clone(),
                nodes: vec![self.node.clone()],
                title: self.title.clone(),
                severity: self.severity,
            }],
            environment: settings.raw().environment.clone(),
            whose: self.whose.clone(),
            since: UnixNanos(self.at),
            at: now,
            cause: None,
            affected: Vec::new(),
            evidence: Vec::new(),
            actions: Vec::new(),
            page: format!("{}/incidents", settings.base()),
        }
    }
}

impl ToldAll {
    /// What a receiver was told of something.
    pub fn of(&self, receiver: &str, about: &str) -> Option<&Told> {
        self.by.get(receiver)?.get(about)
    }

    /// Whether some receiver was told of it, or is to be, and not yet that it has ended.
    pub fn is_open(&self, about: &str) -> bool {
        let mut all = self.by.values();
        all.any(|it| it.get(about).is_some_and(|told| told.is_open))
    }

    /// Messages within some time, oldest first.
    pub fn since(&self, from: UnixNanos) -> impl Iterator<Item = &Record> {
        self.log.iter().filter(move |record| record.at >= from.0)
    }

    /// Whether somebody has looked after it.
    pub fn is_acted(&self, about: &str) -> bool {
        self.acted.contains(about)
    }

    /// What somebody was told of, and not yet that it has ended, unless that waits; of each what one of them was told.
    pub(super) fn open(&self) -> BTreeMap<&str, &Told> {
        let all = self.by.values().flatten();
        let open = all.filter(|(_, told)| told.is_open && told.held_until.is_none());
        open.map(|(about, told)| (about.as_str(), told)).collect()
    }

    /// Whether that is news.
    pub(super) fn acted(&mut self, about: &str) -> bool {
        let is_told = self.log.iter().any(|record| record.about == about);
        is_told && self.acted.insert(about.to_owned())
    }

    pub(super) fn hold(&mut self, receiver: &str, notice: &Notice, until: u64) {
        let told = self.entry(receiver, notice);
        told.held_until = Some(until);
        // What waits is not told yet: neither that it has ended, nor that it is worse.
        if notice.phase != Phase::Closed {
            if told.messages == 0 {
                told.severity = notice.severity;
            }
            told.is_open = true;
        }
    }

    pub(super) fn unhold(&mut self, receiver: &str, about: &str) {
        let known = self.by.get_mut(receiver).and_then(|it| it.get_mut(about));
        if let Some(told) = known {
            told.held_until = None;
        }
    }

    pub(super) fn tell(&mut self, receiver: &str, notice: &Notice, now: UnixNanos) -> Thread {
        let told = self.entry(receiver, notice);
        let was = (told.messages > 0 && told.severity != notice.severity)
            .then(|| told.severity.name().to_owned());
        let thread = Thread {
            before: told.messages,
            title: told.title.clone(),
            node: told.node.clone(),
            kind: told.kind.clone(),
            whose: told.whose.clone(),
            was,
        };
        told.messages += 1;
        told.held_until = None;
        told.severity = notice.severity;
        if !told.is_open {
            // What comes back is told anew.
            told.concerns.clear();
            told.has_cause = false;
        }
        told.concerns.extend(notice.concerns());
        told.has_cause |= notice.cause.is_some();
        told.is_open = notice.phase != Phase::Closed;
        told.at = now.0;
        self.log.push_back(Record {
            at: now.0,
            receiver: receiver.to_owned(),
            about: notice.about.clone(),
            node: notice.node().to_owned(),
            kind: notice.kind().to_owned(),
        });
        if self.log.len() > LOG_MAX {
            self.log.pop_front();
        }
        thread
    }

    /// Forgets what nobody needs any more.
    pub(super) fn forget(&mut self, now: UnixNanos) {
        let old = now.minus(REMEMBERED).0;
        for told in self.by.values_mut() {
            told.retain(|_, told| told.at >= old);
            while told.len() > TOLD_MAX {
                let oldest = told.iter().min_by_key(|(_, it)| it.at);
                let Some(oldest) = oldest.map(|(about, _)| about.clone()) else {
                    break;
                };
                told.remove(&oldest);
            }
        }
        while self.log.front().is_some_and(|first| first.at < old) {
            self.log.pop_front();
        }
        if self.acted.len() > TOLD_MAX {
            let known: BTreeSet<&String> = self.log.iter().map(|it| &it.about).collect();
            self.acted.retain(|about| known.contains(about));
        }
    }

    fn entry(&mut self, receiver: &str, notice: &Notice) -> &mut Told {
        let of = self.by.entry(receiver.to_owned()).or_default();
        of.entry(notice.about.clone()).or_insert_with(|| Told {
            severity: notice.severity,
            is_open: true,
            held_until: None,
            concerns: BTreeSet::new(),
            has_cause: false,
            messages: 0,
            title: notice.title.clone(),
            node: notice.node().to_owned(),
            kind: notice.kind().to_owned(),
            whose: notice.whose.clone(),
            at: notice.at.0,
        })
    }
}

fn yes() -> bool {
    true
}

/// What is told again is no news within a month.
const REMEMBERED: Duration = Duration::from_secs(30 * 24 * 3600);
/// Of each receiver; incidents that are remembered are fewer.
const TOLD_MAX: usize = 2000;
const LOG_MAX: usize = 10_000;
