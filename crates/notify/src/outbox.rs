//! What was told to whom, what waits, and what comes of each attempt. It has no clock and sends nothing: the edge
//! takes what is [due](Outbox::due), sends it, and says [how that went](Outbox::done).
//!
//! - **Once**: of one incident a receiver hears that it began, that it became worse, that it is about something else as
//!   well ([`Concern`](crate::Concern)), and that it has ended. Which of these was told is kept for a month, so a
//!   restart tells nothing twice.
//! - **In order**: of the messages to one address the first goes before the second is tried.
//! - **At least once**: a message that was sent when the server was killed is sent again, with the id and the
//!   `Message-ID` that it had, by which whoever takes it can know it.

mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_telemetry::UnixNanos;

pub use told::{Record, Thread, Told, ToldAll};

use crate::decide::{Decision, Fate, Reason, decide};
use crate::letter::{Letter, digest};
use crate::noise;
use crate::notice::{Notice, Phase};
use crate::settings::{Receiver, Settings, last_monday};

/// What was told and what waits. Serialised, it goes on where it was.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Outbox {
    told: ToldAll,
    jobs: Vec<Job>,
    held: BTreeMap<String, Vec<Held>>,
    /// When the last weekly report was made; zero before the first start.
    reported: u64,
    next: u64,
    #[serde(skip)]
    counters: Counters,
}

/// A message that waits to be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Job {
    /// Its number.
    pub id: u64,
    /// To which receiver.
    pub receiver: String,
    /// To which address of it, if it has several.
    pub address: Option<String>,
    /// What it says.
    pub content: Content,
    /// Why it comes to this receiver.
    pub why: String,
    made: u64,
    due: u64,
    attempts: u32,
}

/// What a message says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(clippy::large_enum_variant)] // few of them wait
pub enum Content {
    /// One notice, in a thread with those of the same before.
    Notice(Notice, Thread),
    /// Several, or a report.
    Letter(Letter),
}

impl Job {
    /// A test of a receiver, that nobody remembers.
    pub(crate) fn of_test(
        id: u64,
        receiver: &str,
        address: Option<String>,
        sample: &Notice,
    ) -> Self {
        Job {
            id,
            receiver: receiver.to_owned(),
            address,
            content: Content::of_test(sample),
            why: "somebody pressed the test button".to_owned(),
            made: sample.at.0,
            due: sample.at.0,
            attempts: 0,
        }
    }
}

impl Content {
    /// A notice that is sent to test a receiver, and that nobody remembers.
    pub fn of_test(notice: &Notice) -> Self {
        let thread = ToldAll::default().tell("", notice, notice.at);
        Content::Notice(notice.clone(), thread)
    }
}

/// A notice that waits to be told with others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Held {
    notice: Notice,
    until: u64,
    why: String,
}

/// How an attempt to send went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was taken.
    Sent,
    /// It was not; later it may be. After that time, if they say so.
    Later(String, Option<Duration>),
    /// It was not, and never will be as it is.
    Refused(String),
}

/// What has come of everything since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages that were taken.
    pub sent: u64,
    /// Attempts after which another one follows.
    pub retried: u64,
    /// Messages that were refused.
    pub refused: u64,
    /// Messages that were tried for a day.
    pub given_up: u64,
    /// Messages that there was no room for.
    pub no_room: u64,
    /// Notices that waited to be told with others.
    pub held: u64,
    /// Notices that were not told, by reason.
    pub dropped: BTreeMap<&'static str, u64>,
}

impl Outbox {
    /// Takes a notice, and says what becomes of it at each receiver that it concerns.
    pub fn take(&mut self, settings: &Settings, notice: &Notice, now: UnixNanos) -> Vec<Decision> {
        let decisions = decide(settings, notice, now, &self.told);
        for Decision {
            receiver,
            fate,
            why,
        } in &decisions
        {
            let Some(receiver) = settings.receiver(receiver) else {
                continue;
            };
            match fate {
                Fate::Drop(reason) => {
                    self.count(*reason);
                    self.refresh(&receiver.name, notice);
                }
                Fate::Hold(until) => self.hold(receiver, notice, *until, why),
                Fate::Deliver => {
                    self.unhold(&receiver.name, &notice.about);
                    self.deliver(settings, receiver, notice, why, now);
                }
            }
        }
        decisions
    }

    /// What is to be sent now: of each address the first message, if its time has come.
    pub fn due(&mut self, settings: &Settings, now: UnixNanos) -> Vec<Job> {
        self.release(settings, now);
        self.report(settings, now);
        let mut seen: BTreeSet<(&str, Option<&str>)> = BTreeSet::new();
        let first = self
            .jobs
            .iter()
            .filter(|job| seen.insert((&job.receiver, job.address.as_deref())));
        first.filter(|job| job.due <= now.0).cloned().collect()
    }

    /// Takes how an attempt went.
    pub fn done(&mut self, id: u64, outcome: &Outcome, now: UnixNanos) {
        let Some(at) = self.jobs.iter().position(|job| job.id == id) else {
            return;
        };
        let job = &mut self.jobs[at];
        let counter = match outcome {
            Outcome::Sent => &mut self.counters.sent,
            Outcome::Refused(_) => &mut self.counters.refused,
            Outcome::Later(..) if UnixNanos(job.made).plus(TRIED_FOR) <= now => {
                &mut self.counters.given_up
            }
            Outcome::Later(_, after) => {
                job.attempts += 1;
                let pause = after.unwrap_or_default().max(pause(job.id, job.attempts));
                job.due = now.plus(pause.min(PAUSE_MAX)).0;
                self.counters.retried += 1;
                return;
            }
        };
        *counter += 1;
        self.jobs.remove(at);
    }

    /// Takes that somebody has looked after what notices were about, and says whether that is news.
    pub fn acted(&mut self, about: &str) -> bool {
        self.told.acted(about)
    }

    /// Notices that things have ended of which somebody was told and nobody knows any more: what is about them begins
    /// so, and is none of what is known.
    pub fn lost(
        &self,
        begins_with: &str,
        known: &BTreeSet<String>,
        settings: &Settings,
        now: UnixNanos,
    ) -> Vec<Notice> {
        let is_lost = |about: &str| about.starts_with(begins_with) && !known.contains(about);
        let open = self.told.open().into_iter();
        open.filter(|(about, _)| is_lost(about))
            .map(|(about, told)| told.lost(about, settings, now))
            .collect()
    }

    /// Takes messages to receivers away that are no longer there.
    pub fn settle(&mut self, settings: &Settings) {
        let wants = |job: &Job| {
            let receiver = settings.receiver(&job.receiver);
            receiver.is_some_and(|receiver| addresses(settings, receiver).contains(&job.address))
        };
        let before = self.jobs.len();
        self.jobs.retain(wants);
        self.held
            .retain(|receiver, _| settings.receiver(receiver).is_some());
        let gone = u64::try_from(before - self.jobs.len()).unwrap_or_default();
        if gone > 0 {
            let reason = Reason::ReceiverGone.name();
            *self.counters.dropped.entry(reason).or_default() += gone;
        }
    }

    /// How everything has gone since the start.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Messages that wait to be sent, and notices that wait to be told with others.
    pub fn waiting(&self) -> (usize, usize) {
        (self.jobs.len(), self.held.values().map(Vec::len).sum())
    }

    /// What was told, for the report.
    pub fn told(&self) -> &ToldAll {
        &self.told
    }

    fn hold(&mut self, receiver: &Receiver, notice: &Notice, until: UnixNanos, why: &str) {
        self.counters.held += 1;
        let held = self.held.entry(receiver.name.clone()).or_default();
        // Everybody waits for whoever waits shortest.
        let until = held
            .iter()
            .map(|it| it.until)
            .min()
            .unwrap_or(until.0)
            .min(until.0);
        let is_same = |it: &Held| it.notice.about == notice.about;
        let fresh = Held {
            notice: notice.clone(),
            until,
            why: why.to_owned(),
        };
        match held.iter().position(is_same) {
            Some(at) => held[at] = fresh,
            None if held.len() < HELD_MAX => held.push(fresh),
            None => self.counters.no_room += 1,
        }
        self.told.hold(&receiver.name, notice, until);
    }

    /// What waits says what is so now: it may have changed, or go on after it had ended.
    fn refresh(&mut self, receiver: &str, notice: &Notice) {
        let goes_on = matches!(notice.phase, Phase::Opened | Phase::Grew);
        let known = self.told.of(receiver, &notice.about);
        let (true, Some(known)) = (goes_on, known) else {
            return;
        };
        let was_told = known.messages > 0;
        let held = self.held.entry(receiver.to_owned()).or_default();
        let Some(at) = held.iter().position(|it| it.notice.about == notice.about) else {
            return;
        };
        match was_told {
            // It is as it was told: it has not ended after all, or is no worse any more.
            true => {
                held.remove(at);
                self.told.unhold(receiver, &notice.about);
            }
            false => held[at].notice = notice.clone(),
        }
    }

    fn unhold(&mut self, receiver: &str, about: &str) {
        if let Some(held) = self.held.get_mut(receiver) {
            held.retain(|it| it.notice.about != about);
        }
    }

    fn deliver(
        &mut self,
        settings: &Settings,
        receiver: &Receiver,
        notice: &Notice,
        why: &str,
        now: UnixNanos,
    ) {
        let known = self.told.of(&receiver.name, &notice.about);
        let grown = known.and_then(|told| told.grown(notice));
        let thread = self.told.tell(&receiver.name, notice, now);
        let content = Content::Notice(grown.unwrap_or_else(|| notice.clone()), thread);
        for address in addresses_for(settings, receiver, notice, now) {
            self.push(receiver, address, content.clone(), why, now);
        }
    }

    fn push(
        &mut self,
        receiver: &Receiver,
        address: Option<String>,
        content: Content,
        why: &str,
        now: UnixNanos,
    ) {
        if self.jobs.len() >= JOBS_MAX {
            self.counters.no_room += 1;
            return;
        }
        self.next += 1;
        self.jobs.push(Job {
            id: self.next,
            receiver: receiver.name.clone(),
            address,
            content,
            why: why.to_owned(),
            made: now.0,
            due: now.0,
            attempts: 0,
        });
    }

    /// Makes messages of what has waited long enough.
    fn release(&mut self, settings: &Settings, now: UnixNanos) {
        let is_due = |held: &&Vec<Held>| held.iter().any(|it| it.until <= now.0);
        let due: Vec<String> = self
            .held
            .iter()
            .filter(|(_, held)| is_due(held))
            .map(|(it, _)| it.clone())
            .collect();
        for name in due {
            let held = self.held.remove(&name).unwrap_or_default();
            let Some(receiver) = settings.receiver(&name) else {
                continue;
            };
            match held.as_slice() {
                [] => {}
                [one] => self.deliver(settings, receiver, &one.notice, &one.why, now),
                several => self.deliver_together(settings, receiver, several, now),
            }
        }
    }

    fn deliver_together(
        &mut self,
        settings: &Settings,
        receiver: &Receiver,
        held: &[Held],
        now: UnixNanos,
    ) {
        for Held { notice, .. } in held {
            self.told.tell(&receiver.name, notice, now);
        }
        for address in addresses(settings, receiver) {
            let is_for = |notice: &&Notice| {
                addresses_for(settings, receiver, notice, now).contains(&address)
            };
            let notices: Vec<&Notice> = held.iter().map(|it| &it.notice).filter(is_for).collect();
            if !notices.is_empty() {
                let letter = digest(&notices, receiver.utc_offset_minutes);
                self.push(
                    receiver,
                    address,
                    Content::Letter(letter),
                    &held[0].why,
                    now,
                );
            }
        }
    }

    /// Makes the weekly report, on Mondays.
    fn report(&mut self, settings: &Settings, now: UnixNanos) {
        if self.reported == 0 {
            self.reported = now.0;
        }
        let mut is_new = false;
        for name in &settings.raw().weekly_report {
            let Some(receiver) = settings.receiver(name) else {
                continue;
            };
            if last_monday(now, receiver.utc_offset_minutes).0 <= self.reported {
                continue;
            }
            is_new = true;
            let letter = noise::letter(&noise::report(&self.told, now), settings, now);
            let why = "the weekly report is sent here";
            for address in addresses(settings, receiver) {
                self.push(receiver, address, Content::Letter(letter.clone()), why, now);
            }
        }
        if is_new {
            self.reported = now.0;
        }
        self.told.forget(now);
    }

    fn count(&mut self, reason: Reason) {
        *self.counters.dropped.entry(reason.name()).or_default() += 1;
    }
}

/// Where messages to a receiver go, one by one: to each of its mail addresses, or to itself.
pub(crate) fn addresses(settings: &Settings, receiver: &Receiver) -> Vec<Option<String>> {
    match receiver.channel.is_mail() {
        true => settings.addresses(receiver).into_iter().map(Some).collect(),
        false => vec![None],
    }
}

/// Those of them that a notice is told.
fn addresses_for(
    settings: &Settings,
    receiver: &Receiver,
    notice: &Notice,
    now: UnixNanos,
) -> Vec<Option<String>> {
    match receiver.channel.is_mail() {
        true => {
            let all = settings.addresses_for(receiver, notice, now);
            all.into_iter().map(Some).collect()
        }
        false => vec![None],
    }
}

/// How long to wait before the next attempt: twice as long as before the last, up to ten minutes; a quarter of it
/// differs from message to message, so that they do not come back all at once.
fn pause(id: u64, attempts: u32) -> Duration {
    let doubled = FIRST_PAUSE.saturating_mul(1 << attempts.saturating_sub(1).min(10));
    let pause = doubled.min(LAST_PAUSE);
    let part = u32::try_from(id.wrapping_mul(0x9e37_79b9) % 64).unwrap_or_default();
    pause + pause * part / 256
}

/// How long a message is tried.
const TRIED_FOR: Duration = Duration::from_secs(24 * 3600);
const FIRST_PAUSE: Duration = Duration::from_secs(5);
const LAST_PAUSE: Duration = Duration::from_secs(600);
/// Whatever they ask for.
const PAUSE_MAX: Duration = Duration::from_secs(3600);
/// Messages that wait to be sent.
const JOBS_MAX: usize = 1000;
/// Notices of one receiver that wait to be told with others.
const HELD_MAX: usize = 200;

#[cfg(test)]
mod tests;
