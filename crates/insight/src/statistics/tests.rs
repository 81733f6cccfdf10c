use proptest::prelude::*;

use super::*;

fn close(found: f64, expected: f64, within: f64) {
    assert!(
        (found - expected).abs() <= within,
        "{found} is not {expected}"
    );
}

#[test]
fn wilson_is_as_in_the_books() {
    let interval = wilson(10.0, 100.0, 1.96);
    close(interval.low, 0.0552, 0.0001);
    close(interval.high, 0.1744, 0.0001);
    let nothing = wilson(0.0, 0.0, 1.96);
    assert_eq!((nothing.low, nothing.high), (0.0, 1.0));
    close(wilson(0.0, 10.0, 1.96).high, 0.2775, 0.0001);
}

#[test]
fn g_is_as_in_the_books() {
    // 20 of 100 against 10 of 100: G is 3.99 and p 0.0458 before it is corrected.
    let p = g_test([20, 10], [100, 100]);
    assert!((0.045..0.055).contains(&p), "{p}");
    assert_eq!(g_test([0, 0], [100, 100]), 1.0);
    assert_eq!(g_test([5, 0], [5, 0]), 1.0);
    assert!(g_test([100, 2], [100, 100]) < 1e-40);
    close(chi_squared_tail(3.841_459), 0.05, 1e-6);
}

#[test]
fn tails_are_sums_of_their_terms() {
    close(binomial_tail(8, 10, 0.5), 56.0 / 1024.0, 1e-9);
    close(binomial_tail(3, 1000, 0.001), 0.0802, 1e-3);
    assert_eq!(binomial_tail(0, 10, 0.5), 1.0);
    assert_eq!(binomial_tail(1, 10, 0.0), 0.0);
    assert!(binomial_tail(500, 1000, 0.1) < 1e-100);
}

#[test]
fn a_quantile_needs_a_sample_that_has_it() {
    assert_eq!(quantile_ranks(100, 0.99), None);
    assert_eq!(quantile_ranks(500, 0.99), Some((489, 499)));
    assert!(quantile_ranks(5000, 0.99).is_some());
    assert!(quantile_ranks(30, 0.5).is_some() && quantile_ranks(3, 0.5).is_none());
}

#[test]
fn the_middle_of_values_is_not_moved_by_a_stray_one() {
    assert_eq!(median(&mut []), None);
    assert_eq!(median(&mut [3.0, 1.0]), Some(2.0));
    let values = [1.0, 2.0, 3.0, 4.0, 1e9];
    assert_eq!(median(&mut values.clone()), Some(3.0));
    close(spread(&values, 3.0), 1.4826, 1e-9);
}

#[test]
fn discoveries_are_adjusted_from_the_greatest_down() {
    let adjusted = false_discovery(&[0.01, 0.04, 0.03, 0.005], 4);
    let expected = [0.02, 0.04, 0.04, 0.02];
    for (found, expected) in adjusted.iter().zip(expected) {
        close(*found, expected, 1e-12);
    }
    close(false_discovery(&[0.01], 50)[0], 0.5, 1e-12);
}

proptest! {
    #[test]
    fn the_share_is_within_its_interval(of in 1u32..100_000, part in 0.0..=1.0f64) {
        let hits = (f64::from(of) * part).floor();
        let interval = wilson(hits, f64::from(of), 1.96);
        let share = hits / f64::from(of);
        prop_assert!(interval.low <= share + 1e-12 && share <= interval.high + 1e-12);
    }

    #[test]
    fn a_divergence_is_a_part_and_has_no_direction(one in 0.0..=1.0f64, other in 0.0..=1.0f64) {
        let found = divergence(one, other);
        prop_assert!((0.0..=1.0 + 1e-12).contains(&found));
        prop_assert!((found - divergence(other, one)).abs() < 1e-12);
    }

    #[test]
    fn a_test_is_a_probability(hits in prop::array::uniform2(0u64..1000), more in prop::array::uniform2(0u64..1000)) {
        let of = [hits[0] + more[0], hits[1] + more[1]];
        prop_assert!((0.0..=1.0).contains(&g_test(hits, of)));
    }
}
