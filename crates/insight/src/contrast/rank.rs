//! Which conditions tell most.

use super::conditions::{Candidate, Holds, bits, candidates, columns, condition, sides};
use super::sample::Sample;
use super::{Difference, Differences, Events, FALSE_DISCOVERIES, Share};
use crate::statistics::{divergence, false_discovery, g_test, wilson};

/// A candidate with the events that meet it.
struct Known {
    candidate: Candidate,
    effect: f64,
    p_value: f64,
    bits: [Vec<u64>; 2],
    /// Others that hold for the same events.
    alike: Vec<Candidate>,
}

/// Two of the known that hold at once.
struct Pair {
    parts: [usize; 2],
    hits: [u64; 2],
    effect: f64,
    p_value: f64,
}

/// How much a condition tells that these hits of so many events meet, at the low end of what may be.
#[allow(clippy::cast_precision_loss)] // of a sample
pub(super) fn effect(hits: [u64; 2], of: [u64; 2]) -> f64 {
    let least = wilson(hits[0] as f64, of[0] as f64, Z).low;
    let most = wilson(hits[1] as f64, of[1] as f64, Z).high;
    if least > most {
        divergence(least, most)
    } else {
        0.0
    }
}

pub(super) fn differences(sample: &Sample) -> Differences {
    let of = sides(sample);
    let (known, singles) = best(sample, of);
    let (pairs, of_pairs) = pairs(&known, of);
    let compared = singles + of_pairs;
    let p_values: Vec<f64> = known
        .iter()
        .map(|known| known.p_value)
        .chain(pairs.iter().map(|pair| pair.p_value))
        .collect();
    let adjusted = false_discovery(&p_values, compared);
    let share = |hits: [u64; 2], side: usize| Share {
        hits: hits[side],
        of: of[side],
    };
    let told = |candidate: &Candidate| condition(sample, candidate);
    let one = |known: &Known| Difference {
        conditions: vec![told(&known.candidate)],
        selection: share(known.candidate.hits, 0),
        rest: share(known.candidate.hits, 1),
        effect: known.effect,
        false_discovery: 1.0,
        alike: known.alike.iter().map(told).collect(),
    };
    let two = |pair: &Pair| Difference {
        conditions: pair.parts.map(|part| told(&known[part].candidate)).to_vec(),
        selection: share(pair.hits, 0),
        rest: share(pair.hits, 1),
        effect: pair.effect,
        false_discovery: 1.0,
        alike: Vec::new(),
    };
    let mut found: Vec<Difference> = known
        .iter()
        .map(one)
        .chain(pairs.iter().map(two))
        .zip(adjusted)
        .map(|(difference, false_discovery)| Difference {
            false_discovery,
            ..difference
        })
        .filter(|found| found.false_discovery <= FALSE_DISCOVERIES && found.effect >= EFFECT_MIN)
        .collect();
    // A stable sort: of equals the single condition stays before the pair.
    found.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    found.truncate(FOUND_MAX);
    let events = |side: usize| Events {
        count: sample.sides[side].seen,
        sampled: of[side],
    };
    Differences {
        found,
        selection: events(0),
        rest: events(1),
        compared,
        left_out: sample.left_out,
    }
}

/// The candidates that tell most, those for the same events put together; and how many there were.
fn best(sample: &Sample, of: [u64; 2]) -> (Vec<Known>, usize) {
    let columns = columns(sample);
    let mut all = Vec::new();
    let mut looked_at = 0;
    for (key, column) in columns.iter().enumerate() {
        let (found, tests) = candidates(sample, key, column);
        looked_at += tests;
        let mut found: Vec<(f64, Candidate)> = found
            .into_iter()
            .map(|candidate| (effect(candidate.hits, of), candidate))
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.hits[0].cmp(&a.1.hits[0])));
        found.truncate(OF_KEY_MAX);
        all.append(&mut found);
    }
    all.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.hits[0].cmp(&a.1.hits[0])));
    let mut known: Vec<Known> = Vec::new();
    for (effect, candidate) in all {
        if known.len() == BEAM {
            break;
        }
        let column = &columns[candidate.key];
        let bits = [0, 1].map(|side| bits(sample, &candidate, column, side));
        match known
            .iter_mut()
            .find(|known| is_alike(known, &candidate, &bits))
        {
            Some(same) => join(same, candidate),
            None => known.push(Known {
                effect,
                p_value: g_test(candidate.hits, of) * times(candidate.best_of),
                candidate,
                bits,
                alike: Vec::new(),
            }),
        }
    }
    (known, looked_at)
}

/// Adds a condition to one that holds for the same events, once an attribute.
fn join(known: &mut Known, candidate: Candidate) {
    let mut keys = known.alike.iter().map(|alike| alike.key);
    let is_new = candidate.key != known.candidate.key && keys.all(|key| key != candidate.key);
    if is_new && known.alike.len() < ALIKE_MAX {
        known.alike.push(candidate);
    } else if candidate.key == known.candidate.key
        && candidate.hits == known.candidate.hits
        && matches!(candidate.holds, Holds::Value(_))
    {
        // To have the only value there is says more than to be there.
        known.candidate.holds = candidate.holds;
    }
}

/// Whether at most one in fifty of the events that meet either does not meet both.
fn is_alike(known: &Known, candidate: &Candidate, bits: &[Vec<u64>; 2]) -> bool {
    let both = [0, 1].map(|side| common(&known.bits[side], &bits[side]));
    [0, 1].into_iter().all(|side| {
        let either = known.candidate.hits[side] + candidate.hits[side] - both[side];
        (either - both[side]) * 50 <= either
    })
}

/// The pairs that tell more than their parts, and how many were looked at.
fn pairs(known: &[Known], of: [u64; 2]) -> (Vec<Pair>, usize) {
    let mut pairs = Vec::new();
    let mut looked_at = 0;
    for (first, one) in known.iter().enumerate() {
        for (second, other) in known.iter().enumerate().skip(first + 1) {
            if one.candidate.key == other.candidate.key {
                continue;
            }
            looked_at += 1;
            let in_selection = common(&one.bits[0], &other.bits[0]);
            let least = one.effect.max(other.effect) * BETTER;
            if effect([in_selection, 0], of) < least {
                continue;
            }
            let hits = [in_selection, common(&one.bits[1], &other.bits[1])];
            let effect = effect(hits, of);
            if effect < least.max(EFFECT_MIN) {
                continue;
            }
            let given = |part: &Known| g_test(hits, part.candidate.hits);
            let p_value = given(one).max(given(other));
            pairs.push(Pair {
                parts: [first, second],
                hits,
                effect,
                p_value: p_value * times(one.candidate.best_of * other.candidate.best_of),
            });
        }
    }
    pairs.sort_by(|a, b| b.effect.total_cmp(&a.effect));
    pairs.truncate(PAIRS_MAX);
    (pairs, looked_at)
}

fn common(one: &[u64], other: &[u64]) -> u64 {
    let both = one.iter().zip(other);
    both.map(|(one, other)| u64::from((one & other).count_ones()))
        .sum()
}

#[allow(clippy::cast_precision_loss)] // some hundreds
fn times(tests: usize) -> f64 {
    tests.max(1) as f64
}

/// Of 95 %.
const Z: f64 = 1.96;
/// What tells less is not worth a line: 30 % against 23 %.
const EFFECT_MIN: f64 = 0.005;
/// So much more must a pair tell than its parts.
const BETTER: f64 = 1.1;
/// Conditions that are paired with each other.
const BEAM: usize = 96;
/// Of these, conditions of one attribute.
const OF_KEY_MAX: usize = 4;
/// Conditions told as holding for the same events.
const ALIKE_MAX: usize = 8;
/// Pairs that are told.
const PAIRS_MAX: usize = 20;
/// Differences that are told.
const FOUND_MAX: usize = 50;
