//! Sets of batch numbers, kept as ranges with the items in each.

use std::collections::BTreeMap;

/// Which numbers are stored. Ranges that touch are one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Ranges(BTreeMap<u64, Run>);

/// What follows the first number of a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Run {
    last: u64,
    items: u64,
}

impl Ranges {
    /// Adds a range of numbers of which none is in the set.
    pub(crate) fn add(&mut self, first: u64, last: u64, items: u64) {
        debug_assert!(first <= last, "a range that ends before it begins");
        let mut run = Run { last, items };
        let mut start = first;
        let before = self.0.range(..=first).next_back();
        if let Some((begin, before)) = before.map(|(begin, run)| (*begin, *run))
            && before.last.saturating_add(1) >= first
        {
            start = begin;
            run = before.and(run);
        }
        while let Some((begin, after)) = self.following(start, run.last) {
            self.0.remove(&begin);
            run = run.and(after);
        }
        self.0.insert(start, run);
    }

    /// The range after `start` that overlaps or touches one that ends at `last`.
    fn following(&self, start: u64, last: u64) -> Option<(u64, Run)> {
        let (begin, run) = self.0.range(start.saturating_add(1)..).next()?;
        (*begin <= last.saturating_add(1)).then_some((*begin, *run))
    }

    pub(crate) fn holds(&self, number: u64) -> bool {
        let before = self.0.range(..=number).next_back();
        before.is_some_and(|(_, run)| number <= run.last)
    }

    /// Whether all of a range is in the set.
    pub(crate) fn holds_all(&self, first: u64, last: u64) -> bool {
        let before = self.0.range(..=first).next_back();
        before.is_some_and(|(_, run)| last <= run.last)
    }

    /// The largest number; 0 if there is none.
    pub(crate) fn highest(&self) -> u64 {
        self.0.values().next_back().map_or(0, |run| run.last)
    }

    /// The items of all ranges.
    pub(crate) fn items(&self) -> u64 {
        let items = self.0.values().map(|run| run.items);
        items.fold(0, u64::saturating_add)
    }

    /// First number, last number and items of each range, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64, u64)> {
        self.0
            .iter()
            .map(|(first, run)| (*first, run.last, run.items))
    }

    /// The ranges that are lacking from 1 to `last`, or to the highest if that is more.
    pub(crate) fn gaps(&self, last: u64) -> Vec<(u64, u64)> {
        let mut gaps = Vec::new();
        let mut next = 1;
        for (first, run) in &self.0 {
            if next < *first {
                gaps.push((next, first - 1));
            }
            next = run.last.saturating_add(1);
        }
        if next <= last {
            gaps.push((next, last));
        }
        gaps
    }
}

impl Run {
    fn and(self, other: Run) -> Run {
        Run {
            last: self.last.max(other.last),
            items: self.items.saturating_add(other.items),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn ranges(of: &[(u64, u64, u64)]) -> Ranges {
        let mut ranges = Ranges::default();
        for (first, last, items) in of {
            ranges.add(*first, *last, *items);
        }
        ranges
    }

    #[test]
    fn neighbours_become_one() {
        let set = ranges(&[(1, 1, 5), (3, 3, 7), (2, 2, 1)]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [(1, 3, 13)]);
        let set = ranges(&[(10, 20, 5), (1, 9, 7), (22, 30, 1)]);
        assert_eq!(set.iter().collect::<Vec<_>>(), [(1, 20, 12), (22, 30, 1)]);
    }

    #[test]
    fn gaps_begin_at_one_and_end_where_told() {
        assert_eq!(ranges(&[]).gaps(0), []);
        assert_eq!(ranges(&[]).gaps(3), [(1, 3)]);
        let set = ranges(&[(3, 5, 1), (8, 8, 1)]);
        assert_eq!(set.gaps(0), [(1, 2), (6, 7)]);
        assert_eq!(set.gaps(12), [(1, 2), (6, 7), (9, 12)]);
        let end = crate::origin::SEQUENCE_MAX;
        assert_eq!(ranges(&[(1, end, 1)]).gaps(end), []);
    }

    proptest! {
        /// Whatever the order in which batches arrive, the ranges are those of a plain set.
        #[test]
        fn ranges_are_the_set(numbers in prop::collection::vec(1u64..80, 0..60), last in 0u64..90) {
            let mut plain = BTreeSet::new();
            let mut set = Ranges::default();
            for number in numbers {
                prop_assert_eq!(set.holds(number), !plain.insert(number) );
                if !set.holds(number) {
                    set.add(number, number, number);
                }
            }
            for number in 0..100 {
                prop_assert_eq!(set.holds(number), plain.contains(&number));
            }
            prop_assert_eq!(set.items(), plain.iter().sum::<u64>());
            prop_assert_eq!(set.highest(), plain.last().copied().unwrap_or(0));
            let all: Vec<(u64, u64, u64)> = set.iter().collect();
            prop_assert!(all.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            let end = last.max(set.highest());
            let gaps: BTreeSet<u64> = set.gaps(last).into_iter().flat_map(|(a, b)| a..=b).collect();
            let lacking: BTreeSet<u64> = (1..=end).filter(|n| !plain.contains(n)).collect();
            prop_assert_eq!(gaps, lacking);
        }

        /// Ranges added one by one or in merged pieces are the same.
        #[test]
        fn pieces_make_the_same_whole(cuts in prop::collection::btree_set(1u64..60, 1..20), seed in any::<u64>()) {
            let edges: Vec<u64> = cuts.into_iter().collect();
            let mut pieces: Vec<(u64, u64, u64)> = edges.windows(2).map(|pair| (pair[0], pair[1] - 1, pair[0])).collect();
            let ordered = ranges(&pieces);
            fastrand::Rng::with_seed(seed).shuffle(&mut pieces);
            prop_assert_eq!(ranges(&pieces), ordered);
        }
    }
}
