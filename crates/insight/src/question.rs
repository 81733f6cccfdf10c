//! "payment was slow last night around 10PM": what is asked, in three slots.
//!
//! [`read`] finds in a sentence what is wrong ([`Symptom`]), when ([`Window`]) and the words that may name something;
//! [`Question::candidates`] holds those against the names that there are. A table of words and a few rules, so that
//! everybody can see why a sentence was read as it was: each slot keeps the words that it comes from, and whoever asks
//! may fill in another value.
//!
//! ```
//! use throughline_insight::question::{Name, Symptom, Zone, read};
//! use throughline_telemetry::UnixNanos;
//!
//! // 2026-11-22T09:00:00Z, asked by somebody an hour east of it.
//! let now = UnixNanos(1_795_338_000_000_000_000);
//! let asked = read("payment was slow last night around 10PM", now, Zone::of_minutes(60));
//! assert_eq!(asked.symptom.as_ref().map(|said| said.value), Some(Symptom::Slow));
//! assert_eq!(asked.window.value.to_string(), "2026-11-21T20:30:00Z to 2026-11-21T21:30:00Z");
//! let names = [Name::of("function:payment-service"), Name::of("table:orders")];
//! assert_eq!(asked.candidates(&names)[0].node, "function:payment-service");
//! ```
//!
//! What it deliberately does not do: it knows no clock, no zones with summer time (an offset is what somebody's clock
//! shows now), and no language but English.

mod clock;
mod days;
mod entity;
mod symptom;
mod time;
mod words;

use std::fmt;
use std::time::Duration;

use throughline_telemetry::UnixNanos;

pub use entity::{Candidate, Name};
pub use symptom::Symptom;

use words::Words;

/// A sentence, read.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What is wanted.
    pub wanted: Wanted,
    /// What is wrong, if it says so.
    pub symptom: Option<Said<Symptom>>,
    /// When: the last hour, if it says nothing that is understood.
    pub window: Said<Window>,
    /// The words that may name something, those that stand together as one.
    pub subjects: Vec<String>,
}

/// A value, and the words that it was read from: none if it is what holds when nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<T> {
    /// What it means.
    pub value: T,
    /// As it was written.
    pub words: String,
}

/// What somebody wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Why it is so.
    Cause,
    /// What else suffers from it.
    Affected,
}

/// A span of time that is over or goes on: `to` is never after the time of the question, and ten minutes and more
/// after `from`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Its beginning.
    pub from: UnixNanos,
    /// Its end, which is not in it.
    pub to: UnixNanos,
}

/// How far somebody's clock is ahead of UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Zone {
    seconds: i64,
}

impl Zone {
    /// So many minutes east of UTC, a day at most.
    pub fn of_minutes(minutes: i32) -> Self {
        Zone {
            seconds: i64::from(minutes.clamp(-1440, 1440)) * 60,
        }
    }
}

/// What a sentence asks. Everything has a meaning: who says nothing asks about the last hour.
pub fn read(text: &str, now: UnixNanos, zone: Zone) -> Question {
    let text: String = text.chars().take(CHARS_MAX).collect();
    let mut words = Words::of(&text);
    let wanted = match words.take_any(AFFECTED) {
        Some(_) => Wanted::Affected,
        None => Wanted::Cause,
    };
    // Times first: "time out" is a symptom, and so few times are one that nothing is lost.
    let window = time::read(&mut words, now, zone);
    let symptom = symptom::read(&mut words);
    Question {
        wanted,
        symptom,
        window,
        subjects: words.rest(),
    }
}

impl Question {
    /// What its words may mean of these names, the most probable first.
    pub fn candidates(&self, names: &[Name]) -> Vec<Candidate> {
        entity::candidates(&self.subjects, names)
    }

    /// Of which kind what it asks about is, if that is all that it says: `queue` of "the queue is backed up".
    pub fn kind(&self) -> Option<&'static str> {
        match &self.subjects[..] {
            [only] => entity::kind_of_word(only),
            _ => None,
        }
    }
}

impl Window {
    /// From one time to another, and never later than now: what would be too short begins earlier.
    pub fn try_new(from: UnixNanos, to: UnixNanos, now: UnixNanos) -> Option<Self> {
        let to = to.min(now);
        (from < to).then(|| Window {
            from: from.min(to.minus(SHORTEST)),
            to,
        })
    }

    /// This long until now.
    pub(crate) fn last(length: Duration, now: UnixNanos) -> Self {
        Window {
            from: now.minus(length.max(SHORTEST)),
            to: now,
        }
    }
}

/// In UTC, to the second.
impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", days::text(self.from), days::text(self.to))
    }
}

/// A time in UTC, to the second, as RFC 3339 has it.
pub fn in_utc(time: UnixNanos) -> String {
    days::text(time)
}

/// Longer ones are no sentence.
const CHARS_MAX: usize = 500;
/// Shorter than this nothing shows.
const SHORTEST: Duration = Duration::from_secs(10 * 60);
/// What asks who else suffers.
const AFFECTED: &[&str] = &[
    "blast radius",
    "affected",
    "affects",
    "affect",
    "impacted",
    "impacts",
    "impact",
    "suffers from",
    "depends on",
    "depend on",
];

#[cfg(test)]
mod tests;
