//! Envelopes that nobody has numbered: stored once all the same, as far as is remembered.
//!
//! Who replays a log sends each of them again. They are told by what is in them, and the last
//! [`REMEMBERED_MAX`] that were stored are remembered, in memory: a row in the catalog for each would
//! outgrow what it protects where a program sends all that it has this way.

use std::collections::HashSet;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, Mutex, PoisonError};

use super::envelope::Envelope;

/// What was stored. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(super) struct Echoes {
    /// Two, because 64 bits are not enough to take the same for the same, and with keys of this
    /// process, so that nobody can make two that look alike.
    keys: [RandomState; 2],
    stored: Arc<Mutex<Stored>>,
}

/// What stands for the content of an envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Print([u64; 2]);

/// Two halves instead of a list by age: when the young are many, the old are forgotten.
#[derive(Debug, Default)]
struct Stored {
    young: HashSet<Print>,
    old: HashSet<Print>,
}

impl Echoes {
    /// The same for two envelopes only if they hold the same.
    pub(super) fn print(&self, envelope: &Envelope) -> Print {
        let Envelope {
            signal,
            format,
            encoding,
            payload,
            headers: _,
        } = envelope;
        let of = |key: &RandomState| key.hash_one((signal.name(), format, encoding, payload));
        Print([of(&self.keys[0]), of(&self.keys[1])])
    }

    /// Whether it is remembered as stored.
    pub(super) fn knows(&self, print: Print) -> bool {
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        stored.young.contains(&print) || stored.old.contains(&print)
    }

    /// It is stored from here on.
    pub(super) fn remember(&self, print: Print) {
        let mut stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        if stored.young.len() >= REMEMBERED_MAX / 2 {
            stored.old = std::mem::take(&mut stored.young);
        }
        stored.young.insert(print);
    }
}

/// 16 bytes each, and as much again for their place.
const REMEMBERED_MAX: usize = 200_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::envelope;

    fn envelope_of(payload: &str) -> Envelope {
        let line = format!(
            r#"{{"__otel_otlp_stdout":"1","endpoint":"http://x/v1/traces","payload":"{payload}","base64":true}}"#
        );
        envelope::find(&line).remove(0).unwrap()
    }

    #[test]
    fn what_is_in_them_tells_them_apart() {
        let echoes = Echoes::default();
        let [one, same, other] = ["AAAA", "AAAA", "AAAB"].map(|it| echoes.print(&envelope_of(it)));
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert!(!echoes.knows(one), "it was read, not stored");
        echoes.remember(one);
        assert!(echoes.clone().knows(same) && !echoes.knows(other));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let echoes = Echoes::default();
        let print = |number: usize| Print([number as u64, 0]);
        let many = REMEMBERED_MAX * 2;
        (0..many).for_each(|number| echoes.remember(print(number)));
        let known = (0..many).filter(|number| echoes.knows(print(*number)));
        let known: Vec<usize> = known.collect();
        assert!((REMEMBERED_MAX / 2..=REMEMBERED_MAX).contains(&known.len()));
        assert_eq!(known.last(), Some(&(many - 1)));
    }
}
