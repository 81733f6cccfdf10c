//! The conditions that are compared, and for how many events of each side they hold.

use super::sample::{Sample, Stored};
use super::{Condition, Test};

/// A condition that more of the selection meets than of the rest.
#[derive(Debug)]
pub(super) struct Candidate {
    pub(super) key: usize,
    pub(super) holds: Holds,
    /// Events of the selection and of the rest.
    pub(super) hits: [u64; 2],
    /// How many conditions of its attribute it is the best of.
    pub(super) best_of: usize,
}

/// Of which values it holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Holds {
    /// Of the one with this number.
    Value(u32),
    /// Of numbers within these bounds; the last two say whether there are others below and above.
    Within(f64, f64, bool, bool),
    Present,
    Absent,
}

/// The values of one attribute, with the events that have them.
pub(super) struct Column {
    /// Event and value, of each side.
    pub(super) cells: [Vec<(u32, u32)>; 2],
}

/// The cells of the sample, by attribute.
pub(super) fn columns(sample: &Sample) -> Vec<Column> {
    let mut counts = vec![[0usize; 2]; sample.keys.len()];
    for (side, kept) in sample.sides.iter().enumerate() {
        for cell in &kept.cells {
            counts[cell.key as usize][side] += 1;
        }
    }
    let room = |counts: &[usize; 2]| Column {
        cells: counts.map(Vec::with_capacity),
    };
    let mut columns: Vec<Column> = counts.iter().map(room).collect();
    for (side, kept) in sample.sides.iter().enumerate() {
        for (number, event) in (0u32..).zip(&kept.events) {
            for cell in &kept.cells[event.cells.clone()] {
                columns[cell.key as usize].cells[side].push((number, cell.value));
            }
        }
    }
    columns
}

/// The candidates of one attribute, and how many conditions were looked at.
pub(super) fn candidates(sample: &Sample, key: usize, column: &Column) -> (Vec<Candidate>, usize) {
    let of = sides(sample);
    let values = &sample.keys[key].values;
    let mut counts = vec![[0u64; 2]; values.len()];
    for (side, cells) in column.cells.iter().enumerate() {
        for (_, value) in cells {
            counts[*value as usize][side] += 1;
        }
    }
    let mut numbers: Vec<(f64, [u64; 2])> = values
        .iter()
        .zip(&counts)
        .filter_map(|(value, counts)| Some((number(value)?, *counts)))
        .collect();
    let are_numbers = numbers.len() == values.len() && numbers.len() > CATEGORIES_MAX;
    let candidate = |holds, hits| Candidate {
        key,
        holds,
        hits,
        best_of: 1,
    };
    let mut found = Vec::new();
    let mut looked_at = 0;
    if are_numbers {
        numbers.sort_by(|a, b| a.0.total_cmp(&b.0));
        if let Some((holds, hits, of_intervals)) = best_run(&bins(&numbers), of) {
            looked_at += 1;
            found.push(Candidate {
                best_of: of_intervals,
                ..candidate(holds, hits)
            });
        }
    } else {
        for (value, hits) in (0u32..).zip(&counts) {
            // By both sides together, or the number of tests would depend on what they find.
            looked_at += usize::from(hits[0] + hits[1] >= HITS_MIN);
            found.push(candidate(Holds::Value(value), *hits));
        }
    }
    let present = [0, 1].map(|side| column.cells[side].len() as u64);
    let absent = [0, 1].map(|side| of[side] - present[side]);
    if absent != [0, 0] {
        looked_at += 1;
        found.push(candidate(Holds::Present, present));
        found.push(candidate(Holds::Absent, absent));
    }
    found.retain(|candidate| candidate.hits[0] >= HITS_MIN && is_more(candidate.hits, of));
    (found, looked_at)
}

/// How many events each side has.
pub(super) fn sides(sample: &Sample) -> [u64; 2] {
    [0, 1].map(|side| sample.sides[side].events.len() as u64)
}

/// As it is told.
pub(super) fn condition(sample: &Sample, candidate: &Candidate) -> Condition {
    let test = match candidate.holds {
        Holds::Value(value) => match sample.keys[candidate.key].values.get_index(value as usize) {
            Some(Stored::Text(text)) => Test::Text(text.to_string()),
            Some(Stored::Number(bits)) => Test::Number(f64::from_bits(*bits)),
            None => Test::Present,
        },
        Holds::Within(least, most, below, above) => {
            Test::Within(below.then_some(least), above.then_some(most))
        }
        Holds::Present => Test::Present,
        Holds::Absent => Test::Absent,
    };
    Condition {
        key: sample.name(candidate.key).to_owned(),
        test,
    }
}

/// Which of a side's events meet it, one bit each.
pub(super) fn bits(
    sample: &Sample,
    candidate: &Candidate,
    column: &Column,
    side: usize,
) -> Vec<u64> {
    let events = sample.sides[side].events.len();
    let absent = candidate.holds == Holds::Absent;
    let mut bits = vec![if absent { u64::MAX } else { 0 }; events.div_ceil(64)];
    if let (true, Some(last)) = (absent && !events.is_multiple_of(64), bits.last_mut()) {
        *last = (1 << (events % 64)) - 1;
    }
    let values = &sample.keys[candidate.key].values;
    for (event, value) in &column.cells[side] {
        let holds = match candidate.holds {
            Holds::Value(wanted) => *value == wanted,
            Holds::Within(least, most, ..) => values
                .get_index(*value as usize)
                .and_then(number)
                .is_some_and(|number| number >= least && number <= most),
            Holds::Present | Holds::Absent => true,
        };
        if holds {
            bits[*event as usize / 64] ^= 1 << (event % 64);
        }
    }
    bits
}

/// Neighbouring numbers.
#[derive(Clone, Copy)]
struct Bin {
    least: f64,
    most: f64,
    hits: [u64; 2],
}

/// Bins with as many events each, both sides weighed alike. Equal numbers are in one bin.
#[allow(clippy::cast_precision_loss)] // of a sample
fn bins(numbers: &[(f64, [u64; 2])]) -> Vec<Bin> {
    let total = |side: usize| {
        numbers
            .iter()
            .map(|(_, hits)| hits[side])
            .sum::<u64>()
            .max(1)
    };
    let (one, other) = (total(0) as f64, total(1) as f64);
    let mut bins: Vec<Bin> = Vec::with_capacity(BINS_MAX + 1);
    let mut weight = 0.0;
    for (number, hits) in numbers {
        let full = weight * BINS_MAX as f64 >= 2.0 * bins.len() as f64;
        weight += hits[0] as f64 / one + hits[1] as f64 / other;
        match bins.last_mut().filter(|_| !full) {
            Some(bin) => {
                bin.most = *number;
                bin.hits = [bin.hits[0] + hits[0], bin.hits[1] + hits[1]];
            }
            None => bins.push(Bin {
                least: *number,
                most: *number,
                hits: *hits,
            }),
        }
    }
    bins
}

/// The run of bins that tells most, and how many were tried.
fn best_run(bins: &[Bin], of: [u64; 2]) -> Option<(Holds, [u64; 2], usize)> {
    let mut best: Option<(f64, Holds, [u64; 2])> = None;
    let mut tried = 0;
    for from in 0..bins.len() {
        let mut hits = [0; 2];
        for to in from..bins.len() {
            hits = [hits[0] + bins[to].hits[0], hits[1] + bins[to].hits[1]];
            if (from, to) == (0, bins.len() - 1) {
                continue;
            }
            tried += 1;
            let effect = super::rank::effect(hits, of);
            if best.as_ref().is_none_or(|(known, ..)| effect > *known) {
                let (below, above) = (from > 0, to + 1 < bins.len());
                let holds = Holds::Within(bins[from].least, bins[to].most, below, above);
                best = Some((effect, holds, hits));
            }
        }
    }
    best.map(|(_, holds, hits)| (holds, hits, tried))
}

fn number(stored: &Stored) -> Option<f64> {
    match stored {
        Stored::Number(bits) => Some(f64::from_bits(*bits)),
        Stored::Text(_) => None,
    }
}

/// Whether more of the selection meets it than of the rest.
fn is_more(hits: [u64; 2], of: [u64; 2]) -> bool {
    u128::from(hits[0]) * u128::from(of[1]) > u128::from(hits[1]) * u128::from(of[0])
}

/// A number with at most so many different values is one of a kind: a status, a memory size.
const CATEGORIES_MAX: usize = 12;
/// Bins of a number.
const BINS_MAX: usize = 32;
/// What fewer events of the selection meet explains nothing.
const HITS_MIN: u64 = 5;
