//! The few formulas that are used in more than one place.
#![allow(clippy::cast_precision_loss)] // counts, far below 2^52

/// Within this a share or a value lies, as far as can be said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Interval {
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// Wilson's interval of a share: with `hits` of `of`, it hardly lies outside of this. All of it where
/// nothing was counted.
pub(crate) fn wilson(hits: f64, of: f64, z: f64) -> Interval {
    if of <= 0.0 {
        return Interval {
            low: 0.0,
            high: 1.0,
        };
    }
    let (share, z2) = (hits / of, z * z);
    let middle = share + z2 / (2.0 * of);
    let spread = z
        * ((share * (1.0 - share) + z2 / (4.0 * of)) / of)
            .max(0.0)
            .sqrt();
    let scale = 1.0 + z2 / of;
    Interval {
        low: ((middle - spread) / scale).max(0.0),
        high: ((middle + spread) / scale).min(1.0),
    }
}

/// How probable it is that two groups with the same true share are at least as unlike as `hits` of `of`
/// in each: the G-test with Williams' correction.
pub(crate) fn g_test(hits: [u64; 2], of: [u64; 2]) -> f64 {
    let all = (of[0] + of[1]) as f64;
    let with = (hits[0] + hits[1]) as f64;
    let without = all - with;
    if of[0] == 0 || of[1] == 0 || with <= 0.0 || without <= 0.0 {
        return 1.0;
    }
    let mut g = 0.0;
    for side in 0..2 {
        let size = of[side] as f64;
        let hits = hits[side] as f64;
        for (seen, total) in [(hits, with), (size - hits, without)] {
            if seen > 0.0 {
                g += seen * (seen * all / (size * total)).ln();
            }
        }
    }
    let spread = |one: f64, other: f64| all / one + all / other - 1.0;
    let correction = 1.0 + spread(of[0] as f64, of[1] as f64) * spread(with, without) / (6.0 * all);
    chi_squared_tail(2.0 * g / correction)
}

/// How probable a value of at least this is, of chi squared with one degree of freedom.
fn chi_squared_tail(value: f64) -> f64 {
    libm::erfc((value.max(0.0) / 2.0).sqrt())
}

/// How probable at least `hits` of `of` are if each is one with this probability.
pub(crate) fn binomial_tail(hits: u64, of: u64, share: f64) -> f64 {
    if hits == 0 || share >= 1.0 {
        return 1.0;
    }
    if hits > of || share <= 0.0 {
        return 0.0;
    }
    let (n, odds) = (of as f64, share / (1.0 - share));
    let k = hits as f64;
    // A tail that begins below the middle is near one: nobody asks how near.
    if k <= n * share {
        return 1.0;
    }
    let ways = libm::lgamma(n + 1.0) - libm::lgamma(k + 1.0) - libm::lgamma(n - k + 1.0);
    let mut term = (ways + k * share.ln() + (n - k) * (-share).ln_1p()).exp();
    let mut sum = 0.0;
    let mut at = k;
    // The terms shrink by a factor below one from here on.
    while at <= n && term > sum * 1e-9 {
        sum += term;
        term *= (n - at) / (at + 1.0) * odds;
        at += 1.0;
    }
    sum.min(1.0)
}

/// The ranks, from 0, between which a quantile of the population lies at 95 %; `None` where the sample
/// is too small to have them. Nothing is assumed of the distribution.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the sample
pub(crate) fn quantile_ranks(of: u64, quantile: f64) -> Option<(u64, u64)> {
    let n = of as f64;
    let (middle, spread) = (
        n * quantile,
        1.96 * (n * quantile * (1.0 - quantile)).sqrt(),
    );
    let (low, high) = ((middle - spread).floor(), (middle + spread).ceil());
    (low >= 1.0 && high <= n).then(|| (low as u64 - 1, high as u64 - 1))
}

/// The middle one; the mean of the two middle ones; `None` without any.
pub(crate) fn median(values: &mut [f64]) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// Half of the values are within so much of their median: 1.48 times that, which is the standard
/// deviation of what is normally distributed.
pub(crate) fn spread(values: &[f64], median_of: f64) -> f64 {
    let mut off: Vec<f64> = values
        .iter()
        .map(|value| (value - median_of).abs())
        .collect();
    median(&mut off).unwrap_or(0.0) * 1.4826
}

/// Benjamini and Hochberg: for each p-value the least share of false discoveries at which it would be
/// one. `tests` is how many were made, of which those not given found nothing.
pub(crate) fn false_discovery(p_values: &[f64], tests: usize) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|a, b| p_values[*b].total_cmp(&p_values[*a]));
    let tests = tests.max(p_values.len()) as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (after, at) in order.into_iter().enumerate() {
        let rank = (p_values.len() - after) as f64;
        least = least.min(p_values[at] * tests / rank);
        adjusted[at] = least;
    }
    adjusted
}

/// How much a yes or no with these two shares tells which of two groups of equal size an event is of:
/// 0 nothing, 1 everything (the Jensen-Shannon divergence, in bits).
pub(crate) fn divergence(one: f64, other: f64) -> f64 {
    let bits = |share: f64| {
        let part = |x: f64| if x > 0.0 { -x * x.log2() } else { 0.0 };
        part(share) + part(1.0 - share)
    };
    (bits(f64::midpoint(one, other)) - f64::midpoint(bits(one), bits(other))).max(0.0)
}

#[cfg(test)]
mod tests;
