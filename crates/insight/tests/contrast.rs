//! What is planted is found first; where nothing is, nothing is told.

#[path = "../examples/bench_insight/planted.rs"]
mod planted;

use planted::{Planted, differences};
use throughline_insight::contrast::{Limits, Side};

#[test]
fn what_is_planted_comes_first() {
    for seed in 0..40 {
        let planted = Planted::new(seed);
        let events = planted.events(4_000);
        let found = differences(&events, Limits::default()).found;
        let first = found
            .first()
            .unwrap_or_else(|| panic!("seed {seed}: nothing found"));
        assert!(
            planted.is(&first.conditions),
            "seed {seed}, {:?}: {first:?}",
            planted.kind
        );
    }
}

#[test]
fn a_sample_says_the_same() {
    let limits = Limits {
        events_max: 2_000,
        ..Limits::default()
    };
    for seed in 0..8 {
        let planted = Planted::new(seed);
        let found = differences(&planted.events(20_000), limits);
        assert!(
            planted.is(&found.found[0].conditions),
            "seed {seed}: {found:?}"
        );
        assert!(found.rest.sampled <= 2_000 && found.rest.sampled * 4 < found.rest.count);
    }
}

/// One in a hundred of what is told may be false, so among two hundred questions without an answer two may
/// get one.
#[test]
fn where_nothing_differs_nothing_is_told() {
    let mut told = Vec::new();
    for seed in 0..200 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut events = Planted::new(seed).events(1_000);
        for (side, _) in &mut events {
            *side = match random.u8(..4) {
                0 => Side::Selection,
                _ => Side::Rest,
            };
        }
        let found = differences(&events, Limits::default()).found;
        told.extend(found.into_iter().map(|found| (seed, found)));
    }
    assert!(told.len() <= 4, "{}: {told:?}", told.len());
}
