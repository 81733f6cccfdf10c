//! What lies in one queue, or waits for one function.

use serde::{Deserialize, Serialize};

use super::Lying;
use super::level::Level;
use crate::detect::finding::{Kind, Measure, Severity, Worst};
use crate::detect::history::Minute;
use crate::detect::rules::Suspicion;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Known {
    messages: Level,
    sent: Level,
    oldest_ms: Level,
    given_up: Level,
    lost: Level,
    /// Whether the oldest was ever younger than before: somebody takes from it.
    is_taken: bool,
}

impl Known {
    pub(super) fn take(&mut self, minute: Minute, lying: Lying, is_steady: bool) {
        let Lying {
            messages,
            sent,
            oldest_ms,
            given_up,
            lost,
        } = lying;
        if let Some(messages) = messages {
            let last = self.messages.last();
            let is_unknown = last.is_none_or(|(at, _)| at + QUIET < minute);
            if is_steady && is_unknown {
                self.messages.set(minute.saturating_sub(1), 0.0);
            }
            self.messages.set(minute, messages);
        }
        if let Some(oldest_ms) = oldest_ms {
            let before = self.oldest_ms.between(0, minute).next_back();
            self.is_taken |= before.is_some_and(|(_, before)| before > oldest_ms);
            self.oldest_ms.set(minute, oldest_ms);
        }
        let rest = [
            (&mut self.sent, sent),
            (&mut self.given_up, given_up),
            (&mut self.lost, lost),
        ];
        for (level, value) in rest {
            if let Some(value) = value {
                level.set(minute, value);
            }
        }
    }

    pub(super) fn settle(&mut self, now: Minute) {
        self.messages.settle(now, |level, from, to| {
            level.between(from, to).next()?;
            Some(level.risen(from, to))
        });
        self.oldest_ms.settle(now, Level::most);
        self.given_up
            .settle(now, |level, from, to| Some(level.sum(from, to)));
        // Nobody asks what is usual of these.
        self.sent.settle(now, |_, _, _| None);
        self.lost.settle(now, |_, _, _| None);
    }

    pub(super) fn disturb(&mut self, until: Minute) {
        let levels = [&mut self.messages, &mut self.oldest_ms, &mut self.given_up];
        levels.into_iter().for_each(|level| level.disturb(until));
    }

    /// The last minute of which anything is known.
    pub(super) fn last(&self) -> Minute {
        let levels = [&self.messages, &self.sent, &self.oldest_ms, &self.given_up];
        let last = levels.iter().filter_map(|level| level.last());
        last.map(|(at, _)| at).max().unwrap_or(0)
    }

    /// Whether it grew though somebody knows that nothing was sent to it for two hours: then a queue has moved its
    /// own messages there, which is what it does with those that were received too often.
    pub(super) fn gets_what_nobody_sent(&self, to: Minute) -> bool {
        let from = to.saturating_sub(TOLD);
        let is_told = self.sent.last().is_some_and(|(at, _)| at >= from);
        is_told && self.sent.sum(0, to) <= 0.0 && self.messages.risen(from, to) > 0.0
    }

    /// Whether the oldest is far older than usual, in a queue from which somebody takes.
    #[allow(clippy::cast_precision_loss)] // minutes
    pub(super) fn backlog(&self, to: Minute) -> Option<Suspicion> {
        let ages = &self.oldest_ms;
        let (at, age) = ages.between(to.saturating_sub(FRESH), to).next_back()?;
        let usual = ages.usual(to)?;
        let bound = (usual.value * OLDER).max(usual.value + OLDER_MS);
        if !self.is_taken || age <= bound {
            return None;
        }
        let longer = ages.between(0, to).rev();
        let longer = longer.take_while(|(_, age)| *age > bound);
        let since = longer.last().map_or(at, |(since, _)| since);
        let earlier = ages.between(at.saturating_sub(STUCK), at).next();
        let is_stuck = earlier.is_some_and(|(earlier, before)| {
            let passed = (at - earlier) as f64;
            passed + 1.0 >= STUCK as f64 && age - before >= passed * MINUTE_MS * STUCK_SHARE
        });
        Some(Suspicion {
            kind: Kind::Backlog { is_stuck },
            before: Some(usual),
            after: Measure::exact(age, self.count(at)),
            since,
            severity: match is_stuck {
                true => Severity::Critical,
                false => Severity::Warning,
            },
            p_value: 0.0,
        })
    }

    /// How many messages lay there in a minute, or before it.
    fn count(&self, at: Minute) -> u64 {
        let known = self.messages.between(0, at + 1).next_back();
        known.map_or(0, |(_, messages)| count_of(messages))
    }

    /// Whether more was put here than usual of what nobody could handle. `worst` is the message that came most often
    /// where it comes from.
    pub(super) fn grown(
        &self,
        to: Minute,
        worst: impl FnOnce() -> Option<Worst>,
    ) -> Option<Suspicion> {
        let (since, grown) = grown_of_late(self.messages.rises(0, to), to)?;
        let usual = self.messages.usual(to);
        let hour = self.messages.risen(to.saturating_sub(60), to);
        (hour > MORE * value_of(usual)).then(|| Suspicion {
            kind: Kind::DeadLetters {
                worst: worst(),
                lost: 0,
            },
            before: usual,
            after: Measure::exact(grown, self.count(to)),
            since,
            severity: Severity::Warning,
            p_value: 0.0,
        })
    }

    /// Whether more events of a function were given up than usual.
    pub(super) fn given_up(&self, to: Minute) -> Option<Suspicion> {
        let some = |(at, count): (Minute, f64)| (count > 0.0).then_some((at, count));
        // What could not be put away was given up, whoever tells only the one or the other.
        let dropped = self.given_up.between(0, to).filter_map(some);
        let lost = self.lost.between(0, to).filter_map(some);
        let dropped = grown_of_late(dropped, to);
        let lost = grown_of_late(lost, to);
        let since = [dropped, lost].into_iter().flatten().map(|(at, _)| at);
        let since = since.min()?;
        let count = |of: Option<(Minute, f64)>| of.map_or(0.0, |(_, count)| count);
        let usual = self.given_up.usual(to);
        let hour = self.given_up.sum(to.saturating_sub(60), to);
        (lost.is_some() || hour > MORE * value_of(usual)).then(|| Suspicion {
            kind: Kind::DeadLetters {
                worst: None,
                lost: count_of(count(lost)),
            },
            before: usual,
            after: Measure::exact(count(dropped).max(count(lost)), count_of(hour)),
            since,
            severity: match lost {
                Some(_) => Severity::Critical,
                None => Severity::Warning,
            },
            p_value: 0.0,
        })
    }
}

fn value_of(usual: Option<Measure>) -> f64 {
    usual.map_or(0.0, |usual| usual.value)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // messages
fn count_of(number: f64) -> u64 {
    number.max(0.0).round() as u64
}

/// Since when it goes on, and how much it is all together: none if there was nothing in the last quarter of an hour, and
/// nothing from before as long a pause.
fn grown_of_late(
    rises: impl DoubleEndedIterator<Item = (Minute, f64)>,
    to: Minute,
) -> Option<(Minute, f64)> {
    let mut found: Option<(Minute, f64)> = None;
    for (at, more) in rises.rev() {
        let (next, sum) = found.unwrap_or((to, 0.0));
        if at + GOES_ON < next {
            break;
        }
        found = Some((at, sum + more));
    }
    found
}

/// How old the last word may be, in minutes: CloudWatch tells some minutes late.
const FRESH: Minute = 10;
/// Half as old again as in the worst hour, and two minutes besides.
const OLDER: f64 = 1.5;
const OLDER_MS: f64 = 120_000.0;
/// Nothing is taken if the oldest grows older as time passes, for ten minutes.
const STUCK: Minute = 10;
const STUCK_SHARE: f64 = 0.8;
const MINUTE_MS: f64 = 60_000.0;
/// Within the last hour, more than twice the worst hour.
const MORE: f64 = 2.0;
/// Minutes without more, after which it has ended.
const GOES_ON: Minute = 15;
/// Six hours: a queue of which nothing is told for longer was empty.
const QUIET: Minute = 6 * 60;
/// Minutes within which somebody tells what is sent.
const TOLD: Minute = 15;
