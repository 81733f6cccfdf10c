//! What was proposed, done and undone: the entries of the audit log, and what follows from all of them.
//!
//! An entry is never changed. What is so now is folded from them, so a log that is read again gives the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::{Action, ActionId};
use crate::before::Before;
use crate::gate::{Gate, Refused};
use crate::link::LINK_LIFE_SECONDS;
use crate::order::Done;
use crate::time::UnixSeconds;

/// One line of the audit log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// When.
    pub at: UnixSeconds,
    /// Who, as they said of themselves; `throughline` for what happens by itself.
    pub who: String,
    /// For whom the link was made that they used, if they used one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_link_for: Option<String>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// It may be done, if somebody confirms it within a day.
    Proposed {
        /// Its name.
        id: ActionId,
        /// What.
        action: Action,
        /// About which incident.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        incident: Option<u64>,
    },
    /// Somebody confirmed it. What follows is written down before it is begun, so that a crash in between shows.
    Began {
        /// Its name.
        id: ActionId,
        /// How things were.
        before: Box<Before>,
        /// Whether it does not end by itself, because whoever confirmed it keeps it.
        #[serde(default, skip_serializing_if = "is_false")]
        keep: bool,
    },
    /// It was done.
    Did {
        /// Its name.
        id: ActionId,
        /// When it ends by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<UnixSeconds>,
        /// What was called.
        done: Vec<Done>,
    },
    /// It was not done, or not whole.
    Failed {
        /// Its name.
        id: ActionId,
        /// Why.
        why: String,
        /// What was called all the same.
        done: Vec<Done>,
        /// Whether something may have been changed: then it is undone as if it had been done.
        unsure: bool,
    },
    /// It was undone.
    Undid {
        /// Its name.
        id: ActionId,
        /// What was called; nothing where it was so already.
        done: Vec<Done>,
    },
    /// It was not undone; who can be told again.
    UndoFailed {
        /// Its name.
        id: ActionId,
        /// Why.
        why: String,
        /// Whether trying again is of no use, because somebody has changed it since.
        drifted: bool,
    },
    /// It does not end by itself any more.
    Kept {
        /// Its name.
        id: ActionId,
    },
    /// What came of another memory size is known. Where it is as was predicted it is kept.
    Verified {
        /// The action's name.
        id: ActionId,
        /// Whether it is as was predicted.
        verdict: Verdict,
        /// In words, with the numbers.
        sentence: String,
    },
    /// All actions are stopped.
    Stopped {
        /// Why.
        why: String,
    },
    /// Actions are done again.
    Resumed,
}

/// How an action stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nobody has confirmed it yet.
    Proposed,
    /// It is being done, or nobody knows whether it was.
    Begun,
    /// It was done and is so.
    Done,
    /// It was not done.
    Failed,
    /// It was undone.
    Undone,
    /// Somebody has changed it since: it is theirs.
    Drifted,
}

/// What came of another memory size, held against what was predicted of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is as was predicted, or better.
    AsPredicted,
    /// It is slower than the change is worth: whoever reads it may want to undo it.
    Slower,
    /// Nothing could be predicted.
    Unknown,
}

/// What came of an action.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// When it was known.
    pub at: UnixSeconds,
    /// Whether it is as was predicted.
    pub verdict: Verdict,
    /// In words, with the numbers.
    pub sentence: String,
}

/// An action and how it stands.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Standing {
    /// Its name.
    pub id: ActionId,
    /// What.
    pub action: Action,
    /// About which incident.
    pub incident: Option<u64>,
    /// How it stands.
    pub state: State,
    /// When it was proposed.
    pub proposed: UnixSeconds,
    /// When it was done, if it was.
    pub done: Option<UnixSeconds>,
    /// When it ends by itself, if it was done and does.
    pub until: Option<UnixSeconds>,
    /// Who has kept it, so that it does not end by itself any more.
    pub kept: Option<String>,
    /// How things were before it.
    pub before: Option<Before>,
    /// Why it or its undoing failed last.
    pub why: Option<String>,
    /// What came of it, once that is known.
    pub verified: Option<Verified>,
    /// Who confirmed it, as they said of themselves, if anybody has.
    pub who: Option<String>,
}

impl Standing {
    /// Whether there is something to undo: it was done, or nobody knows whether it was.
    pub fn is_in_force(&self) -> bool {
        matches!(self.state, State::Done | State::Begun)
    }

    /// Whether it ends by itself and need not: another memory size that is tried.
    pub fn can_be_kept(&self) -> bool {
        self.is_in_force() && self.until.is_some() && self.action.kept().is_some()
    }

    /// Whether it is another memory size that is so and of which nobody knows yet what came of it.
    pub fn can_be_verified(&self) -> bool {
        let is_so = self.state == State::Done && matches!(self.action, Action::Memory { .. });
        is_so && self.verified.is_none()
    }

    /// Whether it has reached its end and is to be undone.
    pub fn is_due(&self, now: UnixSeconds) -> bool {
        self.is_in_force() && self.until.is_some_and(|at| at <= now)
    }

    fn keep(&mut self, who: &str) {
        if self.can_be_kept() {
            (self.until, self.kept) = (None, Some(who.to_owned()));
        }
    }
}

/// Everything, as it is now.
#[derive(Clone, Debug, Default)]
pub struct Record {
    actions: BTreeMap<ActionId, Standing>,
    gate: Gate,
}

/// How an action can be offered to somebody who is told of its incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Offer {
    /// By a link to what was proposed before, which opens until then.
    Again(ActionId, UnixSeconds),
    /// By proposing it.
    Anew,
    /// Not: it is being done, or was done and is so, or another memory size of the function is tried.
    Done,
    /// Not: so many were proposed within a day that the rest is for people.
    Full,
}

/// Findings that open no incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The node.
    pub node: String,
    /// What it calls.
    pub to: Option<String>,
    /// What the operation does there.
    pub class: Option<String>,
    /// Which operation.
    pub operation: Option<String>,
    /// Which error, of new ones.
    pub signature: Option<String>,
    /// Of which kind.
    pub kind: String,
    /// Until when.
    pub until: UnixSeconds,
}

/// What one person is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Muted {
    /// Who.
    pub person: String,
    /// The node.
    pub node: String,
    /// What it calls, where calls alone are not told.
    pub to: Option<String>,
    /// Of which kind.
    pub kind: String,
    /// Until when.
    pub until: UnixSeconds,
}

impl Record {
    /// Takes the next entry. One about an action that is not known changes nothing.
    pub fn take(&mut self, entry: &Entry) {
        match &entry.event {
            Event::Proposed {
                id,
                action,
                incident,
            } => self.propose(entry.at, id, action, *incident),
            Event::Began { id, before, keep } => {
                if let Some(known) = self.actions.get_mut(id) {
                    known.state = State::Begun;
                    known.who = Some(entry.who.clone());
                    known.before = Some((**before).clone());
                    // So that the way back is taken when its time is over even if nobody knows whether it was done.
                    known.until = known.action.until(entry.at);
                    if *keep {
                        known.keep(&entry.who);
                    }
                    if known.action.function().is_some() {
                        self.gate.passed(entry.at);
                    }
                }
            }
            Event::Did { id, until, .. } => self.set(id, State::Done, None, |it| {
                it.done = Some(entry.at);
                it.until = until.filter(|_| it.kept.is_none());
            }),
            Event::Failed {
                id, why, unsure, ..
            } => {
                let state = if *unsure { State::Begun } else { State::Failed };
                self.set(id, state, Some(why), |_| {});
            }
            Event::Undid { id, .. } => self.set(id, State::Undone, None, |_| {}),
            Event::UndoFailed { id, why, drifted } => {
                let state = self.actions.get(id).map_or(State::Done, |it| it.state);
                let state = if *drifted { State::Drifted } else { state };
                self.set(id, state, Some(why), |_| {});
            }
            Event::Kept { id } => {
                if let Some(known) = self.actions.get_mut(id) {
                    known.keep(&entry.who);
                }
            }
            Event::Verified {
                id,
                verdict,
                sentence,
            } => {
                if let Some(known) = self.actions.get_mut(id) {
                    if *verdict == Verdict::AsPredicted {
                        known.keep(&entry.who);
                    }
                    known.verified = Some(Verified {
                        at: entry.at,
                        verdict: *verdict,
                        sentence: sentence.clone(),
                    });
                }
            }
            Event::Stopped { why } => self.gate.stop(entry.who.clone(), why.clone()),
            Event::Resumed => self.gate.resume(),
        }
    }

    /// Takes that the entry in this line of the log cannot be read. It may be the one that stopped all actions, so they
    /// are stopped until somebody lets them be done again; whoever has stopped them stays the one who did.
    pub fn miss(&mut self, line: usize) {
        if self.gate.stopped().is_none() {
            let why = format!(
                "line {line} of the audit log cannot be read, and may be one that stopped them"
            );
            self.gate.stop(ITSELF.to_owned(), why);
        }
    }

    fn propose(&mut self, at: UnixSeconds, id: &ActionId, action: &Action, incident: Option<u64>) {
        self.forget(at);
        let standing = Standing {
            id: id.clone(),
            action: action.clone(),
            incident,
            state: State::Proposed,
            proposed: at,
            done: None,
            until: None,
            kept: None,
            before: None,
            why: None,
            verified: None,
            who: None,
        };
        // What was proposed once is never proposed anew under the same name.
        self.actions.entry(id.clone()).or_insert(standing);
    }

    fn set(
        &mut self,
        id: &ActionId,
        state: State,
        why: Option<&String>,
        more: impl FnOnce(&mut Standing),
    ) {
        if let Some(known) = self.actions.get_mut(id) {
            known.state = state;
            known.why = why.cloned();
            // What is not so any more is kept by nobody.
            if !known.is_in_force() {
                known.kept = None;
            }
            more(known);
        }
    }

    /// What was proposed and not confirmed within a day is gone.
    fn forget(&mut self, now: UnixSeconds) {
        self.actions.retain(|_, it| {
            it.state != State::Proposed || it.proposed.plus(LINK_LIFE_SECONDS) > now
        });
    }

    /// One action.
    pub fn action(&self, id: &ActionId) -> Option<&Standing> {
        self.actions.get(id)
    }

    /// All that are known, those proposed first first.
    pub fn actions(&self) -> impl DoubleEndedIterator<Item = &Standing> {
        self.actions.values()
    }

    /// Whether one more may be proposed. What became of those of the last day does not count, so that the log grows by
    /// no more than so much a day.
    pub fn has_room(&self, now: UnixSeconds) -> bool {
        self.recent(now) < PROPOSED_MAX
    }

    /// How an action can be offered in a message, about an incident or none. What was proposed before is offered to everybody who
    /// is told, so that it is done once, as long as its link opens for half a day.
    pub fn offer(
        &self,
        action: &Action,
        incident: impl Into<Option<u64>>,
        now: UnixSeconds,
    ) -> Offer {
        let incident = incident.into();
        if self.check_trial(action).is_err() {
            return Offer::Done;
        }
        // For how long a memory size is tried makes no other size of it.
        let size = action.kept();
        let is_it = |it: &&Standing| {
            let is_same = it.action == *action || size.is_some() && it.action.kept() == size;
            it.incident == incident && is_same
        };
        // Only what was proposed last counts: of what ended before that nobody has to know.
        let last = self.actions.values().rev().find(is_it);
        match last.map(|it| (it, it.state)) {
            Some((_, State::Begun | State::Done)) => Offer::Done,
            // The link is to just what was proposed.
            Some((it, State::Proposed))
                if it.action == *action
                    && it.proposed.plus(LINK_LIFE_SECONDS) >= now.plus(OFFERED_SECONDS_MIN) =>
            {
                Offer::Again(it.id.clone(), it.proposed.plus(LINK_LIFE_SECONDS))
            }
            _ if self.recent(now) >= OFFERED_MAX => Offer::Full,
            _ => Offer::Anew,
        }
    }

    fn recent(&self, now: UnixSeconds) -> usize {
        let known = self.actions.values();
        let recent = known.filter(|it| it.proposed.plus(LINK_LIFE_SECONDS) > now);
        recent.count()
    }

    /// The switch and the limit.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Whether no memory size of the same function is tried now. Of two at once, the end of one would put back a size that
    /// the other one has set, or find another one than it has set itself and put back nothing.
    pub fn check_trial(&self, action: &Action) -> Result<(), Refused> {
        let Action::Memory { function, .. } = action else {
            return Ok(());
        };
        let tried = self.actions.values().find_map(|it| match &it.action {
            Action::Memory { function: of, .. } if of == function && it.is_in_force() => {
                Some((it, it.until?))
            }
            _ => None,
        });
        match tried {
            None => Ok(()),
            Some((it, until)) => Err(Refused::Tried {
                id: it.id.clone(),
                title: it.title(),
                until,
            }),
        }
    }

    /// What has reached its end and is to be undone.
    pub fn due(&self, now: UnixSeconds) -> Vec<ActionId> {
        let known = self.actions.values();
        let due = known.filter(|it| it.is_due(now));
        due.map(|it| it.id.clone()).collect()
    }

    /// Other memory sizes that are so and of which nobody knows yet what came of them, the newest ones. What two weeks
    /// have not told is not waited for.
    pub fn unverified(&self, now: UnixSeconds) -> Vec<Standing> {
        let waiting = self.actions.values().rev().filter(|it| {
            let is_recent = it
                .done
                .is_some_and(|at| at.plus(VERIFIED_WITHIN_SECONDS) > now);
            it.can_be_verified() && is_recent
        });
        waiting.take(UNVERIFIED_MAX).cloned().collect()
    }

    /// What is ignored now.
    pub fn ignored(&self, now: UnixSeconds) -> Vec<Ignored> {
        let done = self.not_over(now);
        done.filter_map(|(action, until)| match action {
            Action::Ignore {
                node,
                to,
                class,
                operation,
                signature,
                kind,
                ..
            } => Some(Ignored {
                node: node.clone(),
                to: to.clone(),
                class: class.clone(),
                operation: operation.clone(),
                signature: signature.clone(),
                kind: kind.clone(),
                until,
            }),
            _ => None,
        })
        .collect()
    }

    /// What persons are not told now.
    pub fn muted(&self, now: UnixSeconds) -> Vec<Muted> {
        let done = self.not_over(now);
        done.filter_map(|(action, until)| match action {
            Action::Mute {
                person,
                node,
                to,
                kind,
                ..
            } => Some(Muted {
                person: person.clone(),
                node: node.clone(),
                to: to.clone(),
                kind: kind.clone(),
                until,
            }),
            _ => None,
        })
        .collect()
    }

    fn not_over(&self, now: UnixSeconds) -> impl Iterator<Item = (&Action, UnixSeconds)> {
        self.actions.values().filter_map(move |it| {
            let until = it.until.filter(|until| *until > now)?;
            (it.state == State::Done).then_some((&it.action, until))
        })
    }
}

impl Standing {
    /// In one sentence, without a full stop, with the names that the account had when it was done.
    pub fn title(&self) -> String {
        let kept = self.kept.as_ref().and_then(|_| self.action.kept());
        let action = kept.as_ref().unwrap_or(&self.action);
        match &self.before {
            Some(before) => action.title_in(before),
            None => action.title(),
        }
    }
}

fn is_false(value: &bool) -> bool {
    !value
}

/// Who does what happens by itself.
pub const ITSELF: &str = "throughline";
/// Proposed within a day.
const PROPOSED_MAX: usize = 1_000;
/// A function that is not called so often in two weeks is not worth its waiting for.
const VERIFIED_WITHIN_SECONDS: u64 = 14 * 24 * 3600;
/// Ten may be done in an hour.
const UNVERIFIED_MAX: usize = 20;
/// Of those, what messages offer takes no more than half: people must be able to propose on the day of many incidents.
const OFFERED_MAX: usize = PROPOSED_MAX / 2;
/// A link in a message that is written now opens for half a day at least.
const OFFERED_SECONDS_MIN: u64 = LINK_LIFE_SECONDS / 2;

#[cfg(test)]
mod tests;
