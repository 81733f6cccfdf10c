//! Memory that grows with every invocation of one environment.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::history::Minute;

/// The environments of a node.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Environments(#[serde(with = "super::keep::pairs")] BTreeMap<String, Growth>);

/// What one environment's invocations used, one after the other.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Growth {
    last: Minute,
    /// The last [`INVOCATIONS`] of them.
    used: Vec<u64>,
}

impl Environments {
    /// Takes what the next invocation used, of so much memory, if that is known; the first and the last of those that
    /// show a leak.
    pub(super) fn take(
        &mut self,
        name: &str,
        minute: Minute,
        used: u64,
        size: Option<u64>,
    ) -> Option<(u64, u64)> {
        if self.0.len() >= ENVIRONMENTS_MAX && !self.0.contains_key(name) {
            let oldest = self.0.iter().min_by_key(|(_, growth)| growth.last);
            let oldest = oldest.map(|(name, _)| name.clone())?;
            self.0.remove(&oldest);
        }
        let growth = self.0.entry(name.to_owned()).or_default();
        growth.last = minute;
        growth.take(used);
        let (first, last) = (*growth.used.first()?, *growth.used.last()?);
        let leaks = growth.goes_on() || size.is_some_and(|size| growth.fills(size));
        leaks.then_some((first, last))
    }
}

impl Growth {
    fn take(&mut self, used: u64) {
        // What Lambda reports never falls as long as a process lives.
        if self.used.last().is_some_and(|last| used < last / 4 * 3) {
            self.used.clear();
        }
        if self.used.len() == INVOCATIONS {
            self.used.remove(0);
        }
        self.used.push(used);
    }

    /// Whether it grew in each quarter of the last twenty, by a twentieth of all in the last half: that it does not fall
    /// is nothing.
    fn goes_on(&self) -> bool {
        let Some([_, half, last]) = self.growing() else {
            return false;
        };
        self.used.len() == INVOCATIONS && (last - half) * 20 >= last
    }

    /// Whether it fills up before there are twenty: to nine tenths, to half as much again as it was, and in the last half
    /// two thirds as fast as before.
    fn fills(&self, size: u64) -> bool {
        let Some([first, half, last]) = self.growing() else {
            return false;
        };
        self.used.len() >= INVOCATIONS_FILLING
            && last * 10 >= size * 9
            && last * 2 >= first * 3
            && (last - half) * 3 >= (half - first) * 2
    }

    /// The first, the middle and the last, if it never falls and grows in each quarter.
    fn growing(&self) -> Option<[u64; 3]> {
        let used = &self.used;
        let quarter = |nth: usize| &used[nth * used.len() / 4..(nth + 1) * used.len() / 4];
        let grows =
            used.is_sorted() && (0..4).all(|nth| quarter(nth).first() < quarter(nth).last());
        let half = used.get(used.len() / 2)?;
        grows.then_some([*used.first()?, *half, *used.last()?])
    }
}

/// So many must grow one after the other.
const INVOCATIONS: usize = 20;
/// So many where there is no more memory than for these.
const INVOCATIONS_FILLING: usize = 8;
/// Environments of one node.
const ENVIRONMENTS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn leaks(used: impl Iterator<Item = u64>) -> bool {
        leaks_in(None, used)
    }

    fn leaks_in(size: Option<u64>, used: impl Iterator<Item = u64>) -> bool {
        let mut environments = Environments::default();
        let found: Vec<bool> = used
            .map(|used| environments.take("e", 1, used, size).is_some())
            .collect();
        found.contains(&true)
    }

    #[test]
    fn growth_without_an_end_is_a_leak_and_warming_up_is_none() {
        assert!(leaks((0..25).map(|at| 100 + at * 5)));
        assert!(!leaks((0..15).map(|at| 100 + at * 5)), "too few to tell");
        assert!(
            !leaks((0..100).map(|at| 100 + at.min(12) * 5)),
            "it stays at a level"
        );
        assert!(!leaks((0..100).map(|at| 100 + at % 10)), "it falls again");
        assert!(!leaks((0..100).map(|_| 100)));
    }

    #[test]
    fn what_fills_the_memory_is_a_leak_sooner() {
        let real = [70, 90, 98, 115, 124, 142, 152, 168, 187, 205, 215, 244, 256];
        let real = real.into_iter();
        assert!(leaks_in(Some(256), real.clone()));
        assert!(!leaks_in(Some(1024), real.clone()), "there is room");
        assert!(!leaks_in(None, real));
        let large = [70, 80, 90, 100, 243, 243, 244, 244, 245, 245];
        assert!(!leaks_in(Some(256), large.into_iter()), "one large file");
        let warm = [100, 130, 160, 190, 210, 225, 232, 240];
        assert!(!leaks_in(Some(256), warm.into_iter()), "it slows down");
        assert!(!leaks_in(Some(256), (0..15).map(|at| 228 + at * 2)));
    }

    #[test]
    fn process_that_was_killed_begins_anew() {
        let lives = (0..3).flat_map(|life| {
            let begun = if life == 0 { 6 } else { 0 };
            (begun..14).map(|at| 70 + at * 14)
        });
        assert!(!leaks(lives.clone()), "too few in each");
        assert!(leaks_in(Some(256), lives));
        let second = [200, 230].into_iter().chain((0..20).map(|at| 70 + at * 7));
        assert!(leaks(second));
    }
}
