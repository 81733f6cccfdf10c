//! What must be true at the end.

use throughline_extension::counters::Counter;

use super::super::tmp;
use super::{Tally, World};

impl World {
    /// Every id is somewhere, or counted.
    pub(super) fn judge(mut self) -> Tally {
        let seed = self.seed;
        for (environment, ids) in &self.accepted {
            let missing = ids.iter().filter(|id| {
                let is_it = |known: &String| known.starts_with(id.as_str());
                !self.server.ids.contains(*id)
                    && !self.printed.contains(*id)
                    && !self
                        .server
                        .ids
                        .range(id.to_string()..)
                        .next()
                        .is_some_and(is_it)
                    && !self
                        .printed
                        .range(id.to_string()..)
                        .next()
                        .is_some_and(is_it)
            });
            let missing: Vec<_> = missing.collect();
            let (account, held) = &self.books[environment];
            assert!(account.is_balanced(*held), "seed {seed}: {environment}");
            let dropped: u64 = account.dropped.values().sum();
            let is_known = !self.unknown.contains(environment);
            let counted = dropped + held.waiting + held.spilled;
            assert!(
                !is_known || missing.len() as u64 <= counted,
                "seed {seed}: {} of {environment} are missing and {counted} counted: {missing:?} {account:?} {held:?}",
                missing.len(),
            );
            self.tally.dropped += dropped;
        }
        let forgotten = self.counters.count(Counter::NotDelivered);
        let was_in_time = self.prints && self.plan.jumps == 0;
        if self.tmp.mode == tmp::Mode::Works
            && was_in_time
            && self.plan.kills + self.plan.faults == 0
        {
            assert_eq!(forgotten, 0, "seed {seed}: there was time to print");
            // A `/tmp` that was gone when a later life looked keeps what an earlier one left.
            let was_gone = self.tally.timeouts > 0 && self.plan.moods > 0;
            assert!(
                was_gone || self.tmp.is_empty(),
                "seed {seed}: something is left in /tmp"
            );
        }
        self.tally
    }
}
