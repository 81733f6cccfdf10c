//! What one function is given again and again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::CameAgain;
use super::level::Level;
use crate::detect::finding::{Kind, Measure, Severity};
use crate::detect::history::Minute;
use crate::detect::rules::Suspicion;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Again {
    /// How often something came for the third time or more.
    came: Level,
    /// What did, by its key.
    #[serde(with = "crate::detect::keep::pairs")]
    messages: BTreeMap<String, Message>,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Message {
    times: u64,
    is_failed: bool,
    first: Minute,
    last: Minute,
}

impl Again {
    pub(super) fn take(&mut self, minute: Minute, came: CameAgain<'_>) {
        if came.times < TIMES {
            return;
        }
        self.came.add(minute, 1.0);
        if self.messages.len() >= MESSAGES_MAX && !self.messages.contains_key(came.key) {
            let oldest = self.messages.iter().min_by_key(|(_, message)| message.last);
            if let Some(oldest) = oldest.map(|(key, _)| key.clone()) {
                self.messages.remove(&oldest);
            }
        }
        let message = self.messages.entry(came.key.to_owned());
        let message = message.or_insert(Message {
            times: 0,
            is_failed: false,
            first: minute,
            last: minute,
        });
        message.first = message.first.min(minute);
        // Minutes come in order, and what comes last tells how it is.
        if minute >= message.last {
            message.times = message.times.max(came.times);
            message.is_failed = came.is_failed;
            message.last = minute;
        }
    }

    pub(super) fn settle(&mut self, now: Minute) {
        self.came
            .settle(now, |level, from, to| Some(level.sum(from, to)));
        self.messages.retain(|_, it| it.last + REMEMBERED > now);
    }

    pub(super) fn disturb(&mut self, until: Minute) {
        self.came.disturb(until);
    }

    pub(super) fn last(&self) -> Minute {
        self.came.last().map_or(0, |(at, _)| at)
    }

    /// What came most often of late, and how often: what failed before what did not.
    pub(super) fn worst(&self, to: Minute) -> Option<(&str, u64)> {
        let (key, message) = self.of_late(to)?;
        Some((key, message.times))
    }

    /// Whether more comes for the third time and more than usual.
    #[allow(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss
    )] // of an hour
    pub(super) fn judge(&self, to: Minute) -> Option<Suspicion> {
        let (key, worst) = self.of_late(to)?;
        let usual = self.came.usual(to);
        let hour = self.came.sum(to.saturating_sub(60), to);
        if hour <= MORE * usual.map_or(0.0, |usual| usual.value) {
            return None;
        }
        let recent = |it: &&Message| it.last + REMEMBERED > to;
        let messages = self.messages.values().filter(recent);
        let since = messages.clone().map(|it| it.first).min();
        Some(Suspicion {
            kind: Kind::Retries {
                message: key.to_owned(),
                times: worst.times,
                is_failed: worst.is_failed,
            },
            before: usual,
            after: Measure::exact(messages.count() as f64, hour as u64),
            since: since.unwrap_or(worst.first),
            severity: Severity::Warning,
            p_value: 0.0,
        })
    }

    fn of_late(&self, to: Minute) -> Option<(&str, &Message)> {
        let late = self.messages.iter();
        let late = late.filter(|(_, it)| it.last + GOES_ON > to);
        let worst = late.max_by_key(|(_, it)| (it.is_failed, it.times, it.last));
        worst.map(|(key, message)| (key.as_str(), message))
    }
}

/// Once may be a restart, and twice bad luck.
const TIMES: u64 = 3;
/// Within the last hour, more than twice the worst hour.
const MORE: f64 = 2.0;
/// Minutes without, after which it has ended: a message comes again after the visibility timeout of its queue.
const GOES_ON: Minute = 15;
/// Minutes for which a message counts.
const REMEMBERED: Minute = 60;
/// Messages of one function that are remembered.
const MESSAGES_MAX: usize = 200;
