//! Random numbers that are the same on every machine and in every version.

/// A stream of random numbers from a seed (SplitMix64).
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }

    #[inline]
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        finish(self.0)
    }

    /// Below `limit`, which is not 0.
    #[inline]
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(limit)) >> 64) as u64
    }

    /// From `least` to `most`, both included.
    #[inline]
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True in so many of a thousand cases.
    #[inline]
    pub(crate) fn per_mille(&mut self, chance: u64) -> bool {
        self.below(1000) < chance
    }

    /// From 0 to 1, without 1.
    #[inline]
    pub(crate) fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to `limit` - 1; number n comes about n times as rarely as number 1 (Zipf's law).
    #[inline]
    pub(crate) fn skewed(&mut self, limit: u64) -> u64 {
        let rank = ((limit as f64).ln() * self.share()).exp();
        (rank as u64 - 1).min(limit - 1)
    }
}

/// Two numbers as one that looks random.
#[inline]
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    finish(finish(a.wrapping_add(STEP)) ^ b.wrapping_mul(STEP))
}

#[inline]
fn finish(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Draws from weights in constant time.
#[derive(Clone, Debug)]
pub(crate) struct Draw(Vec<u16>);

impl Draw {
    /// Each number from 0 on as often as its weight says, as far as 4096 places can tell.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let all: f64 = weights.iter().sum();
        let mut places = Vec::with_capacity(PLACES + weights.len());
        for (number, weight) in weights.iter().enumerate() {
            let of_it = (weight / all * PLACES as f64).round().max(1.0) as usize;
            places.extend(std::iter::repeat_n(number as u16, of_it));
        }
        Draw(places)
    }

    /// The first is the most frequent, the second half as frequent, the third a third.
    pub(crate) fn skewed(count: usize) -> Self {
        let weights: Vec<f64> = (1..=count).map(|rank| 1.0 / rank as f64).collect();
        Draw::new(&weights)
    }

    #[inline]
    pub(crate) fn draw(&self, random: &mut Random) -> usize {
        usize::from(self.0[random.below(self.0.len() as u64) as usize])
    }
}

/// Factors around 1 with a long tail upwards, as durations have.
#[derive(Clone, Debug)]
pub(crate) struct Spread(Vec<f64>);

impl Spread {
    pub(crate) fn new() -> Self {
        let mut random = Random::new(STEP);
        let normal = |random: &mut Random| (0..12).map(|_| random.share()).sum::<f64>() - 6.0;
        Spread((0..4096).map(|_| normal(&mut random).exp()).collect())
    }

    #[inline]
    pub(crate) fn around(&self, median: f64, random: &mut Random) -> f64 {
        median * self.0[random.below(self.0.len() as u64) as usize]
    }
}

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
const PLACES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skewed_numbers_follow_zipf() {
        let mut random = Random::new(1);
        let mut seen = [0_u32; 100];
        for _ in 0..100_000 {
            seen[random.skewed(100) as usize] += 1;
        }
        assert!(seen[0] > 5 * seen[9] && seen[9] > 5 * seen[98], "{seen:?}");
    }

    #[test]
    fn draws_follow_their_weights() {
        let draw = Draw::new(&[3.0, 1.0]);
        let mut random = Random::new(1);
        let firsts = (0..10_000).filter(|_| draw.draw(&mut random) == 0).count();
        assert!((7_300..7_700).contains(&firsts), "{firsts}");
    }
}
