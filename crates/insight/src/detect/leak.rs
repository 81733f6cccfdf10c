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
    /// Takes what the next invocation used; the first and the last of those that show a leak. What Lambda
    /// reports never falls within an environment, so that it does not is nothing: it must have grown in each
    /// quarter of the last twenty, by a twentieth of all in the last half.
    pub(super) fn take(&mut self, name: &str, minute: Minute, used: u64) -> Option<(u64, u64)> {
        if self.0.len() >= ENVIRONMENTS_MAX && !self.0.contains_key(name) {
            let oldest = self.0.iter().min_by_key(|(_, growth)| growth.last);
            let oldest = oldest.map(|(name, _)| name.clone())?;
            self.0.remove(&oldest);
        }
        let growth = self.0.entry(name.to_owned()).or_default();
        growth.last = minute;
        if growth.used.len() == INVOCATIONS {
            growth.used.remove(0);
        }
        growth.used.push(used);
        let used = &growth.used;
        let (first, last) = (*used.first()?, *used.last()?);
        let grows = used.len() == INVOCATIONS
            && used.is_sorted()
            && used
                .chunks(INVOCATIONS / 4)
                .all(|quarter| quarter.first() < quarter.last())
            && (last - used[INVOCATIONS / 2]) * 20 >= last;
        grows.then_some((first, last))
    }
}

/// So many must grow one after the other.
const INVOCATIONS: usize = 20;
/// Environments of one node.
const ENVIRONMENTS_MAX: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    fn leaks(used: impl Iterator<Item = u64>) -> bool {
        let mut environments = Environments::default();
        let found: Vec<bool> = used
            .map(|used| environments.take("e", 1, used).is_some())
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
}
