//! How many different values there were: exact while they are few, then estimated within a few
//! percent (HyperLogLog, 1024 registers), so that a set takes a kilobyte however many they are.

use std::collections::BTreeSet;

/// The different values.
#[derive(Clone, Debug)]
pub(super) enum Distinct {
    /// Their hashes.
    Few(BTreeSet<u64>),
    /// For each register the longest run of zeros, plus one.
    Many(Vec<u8>),
}

impl Default for Distinct {
    fn default() -> Self {
        Distinct::Few(BTreeSet::new())
    }
}

impl Distinct {
    pub(super) fn add(&mut self, value: &str) {
        let hash = scattered(value);
        match self {
            Distinct::Few(hashes) => {
                hashes.insert(hash);
                if hashes.len() > FEW_MAX {
                    let mut registers = vec![0; REGISTERS];
                    hashes
                        .iter()
                        .for_each(|hash| register(&mut registers, *hash));
                    *self = Distinct::Many(registers);
                }
            }
            Distinct::Many(registers) => register(registers, hash),
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "an estimate, above zero and far below the limits"
    )]
    pub(super) fn count(&self) -> u64 {
        let registers = match self {
            Distinct::Few(hashes) => return hashes.len() as u64,
            Distinct::Many(registers) => registers,
        };
        let all = REGISTERS as f64;
        let harmonic: f64 = registers
            .iter()
            .map(|rank| 2_f64.powi(-i32::from(*rank)))
            .sum();
        let estimate = 0.7213 / (1.0 + 1.079 / all) * all * all / harmonic;
        let empty = registers.iter().filter(|rank| **rank == 0).count() as f64;
        let estimate = match estimate <= 2.5 * all && empty > 0.0 {
            // So few that most registers were hit once: counting the empty ones is better.
            true => all * (all / empty).ln(),
            false => estimate,
        };
        estimate.round() as u64
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "ten bits, and at most 55 zeros"
)]
fn register(registers: &mut [u8], hash: u64) {
    let at = (hash >> (64 - REGISTER_BITS)) as usize;
    let rank = ((hash << REGISTER_BITS) | 1 << (REGISTER_BITS - 1)).leading_zeros() as u8 + 1;
    registers[at] = registers[at].max(rank);
}

/// FNV-1a is too even in its upper bits for what looks alike; the finisher of MurmurHash mends it.
fn scattered(value: &str) -> u64 {
    let mut hash = crate::ids::hash(&[value]);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

const FEW_MAX: usize = 128;
const REGISTER_BITS: u32 = 10;
const REGISTERS: usize = 1 << REGISTER_BITS;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_exact_and_many_are_close() {
        let mut distinct = Distinct::default();
        for number in 0..100_000_u64 {
            distinct.add(&format!("user-{number}"));
            distinct.add("user-0");
            if number % 97 == 0 {
                let (count, expected) = (distinct.count(), number + 1);
                let few = expected <= FEW_MAX as u64;
                let allowed = if few { 0 } else { expected / 8 };
                assert!(
                    count.abs_diff(expected) <= allowed,
                    "{count} for {expected}"
                );
            }
        }
    }
}
