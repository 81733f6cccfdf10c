//! Synthetic events in which one thing makes the selection different, and everything else is noise.

use throughline_insight::Contrast;
use throughline_insight::contrast::{Condition, Differences, Given, Limits, Side, Test};

/// Where the difference is.
pub(crate) struct Planted {
    pub(crate) kind: Kind,
    seed: u64,
}

/// What makes an event bad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Kind {
    /// A value of an attribute.
    Value,
    /// A number above a bound.
    Number,
    /// An attribute that is there only then.
    Presence,
    /// Two values at once, each of them common by itself.
    Pair,
}

/// An event: its side and its attributes.
pub(crate) type Event = (Side, Vec<(String, Owned)>);

/// A value that can be kept.
pub(crate) enum Owned {
    Text(String),
    Number(f64),
}

impl Owned {
    pub(crate) fn given(&self) -> Given<'_> {
        match self {
            Owned::Text(text) => Given::Text(text),
            Owned::Number(number) => Given::Number(*number),
        }
    }
}

impl Planted {
    pub(crate) fn new(seed: u64) -> Self {
        let kind = match seed % 4 {
            0 => Kind::Value,
            1 => Kind::Number,
            2 => Kind::Presence,
            _ => Kind::Pair,
        };
        Planted { kind, seed }
    }

    /// The events of both sides, in random order. What is planted is behind 50 to 95 % of the selection, and in
    /// up to 10 % of the rest besides what chance brings.
    pub(crate) fn events(&self, count: usize) -> Vec<Event> {
        let mut random = fastrand::Rng::with_seed(self.seed);
        let behind = 0.5 + 0.45 * random.f64();
        let leaked = 0.1 * random.f64();
        let selected = 0.02 + 0.3 * random.f64();
        let noise = 12 + random.usize(..12);
        let texts: Vec<usize> = (0..noise).map(|_| 2 + random.usize(..40)).collect();
        let event = |_| {
            let is_selected = random.f64() < selected;
            let share = if is_selected { behind } else { leaked };
            let is_planted = random.f64() < share;
            let mut attributes = Vec::with_capacity(noise + 6);
            for (number, different) in texts.iter().enumerate() {
                attributes.push(match number % 4 {
                    0 => (format!("noise.{number}"), Owned::Number(random.f64() * 1e3)),
                    _ => (
                        format!("noise.{number}"),
                        text(skewed(&mut random, *different)),
                    ),
                });
            }
            attributes.push((
                "id".to_owned(),
                Owned::Text(format!("{:016x}", random.u64(..))),
            ));
            self.plant(&mut random, is_planted, &mut attributes);
            random.shuffle(&mut attributes);
            let side = if is_selected {
                Side::Selection
            } else {
                Side::Rest
            };
            (side, attributes)
        };
        (0..count).map(event).collect()
    }

    fn plant(&self, random: &mut fastrand::Rng, bad: bool, attributes: &mut Vec<(String, Owned)>) {
        let mut add = |key: &str, value| attributes.push((key.to_owned(), value));
        match self.kind {
            Kind::Value if bad => add("cause", text(7)),
            Kind::Value => add("cause", text(random.usize(..20))),
            Kind::Number => add(
                "cause",
                Owned::Number(100.0 * random.f64() + if bad { 80.0 } else { 0.0 }),
            ),
            Kind::Presence if bad => add("cause", text(random.usize(..5))),
            Kind::Presence => {}
            Kind::Pair => {
                // Each value by itself is in a third of all others, never both.
                let (one, other) = match random.u8(..3) {
                    _ if bad => (1, 1),
                    0 => (1, 0),
                    1 => (0, 1),
                    _ => (0, 0),
                };
                add("cause", text(one));
                add("cause.other", text(other));
            }
        }
    }

    /// Whether these conditions are what was planted.
    pub(crate) fn is(&self, conditions: &[Condition]) -> bool {
        let is = |condition: &Condition, key: &str, value: &str| {
            condition.key == key && condition.test == Test::Text(value.to_owned())
        };
        match (self.kind, conditions) {
            (Kind::Value, [one]) => is(one, "cause", "value 7"),
            (Kind::Presence, [one]) => one.key == "cause" && one.test == Test::Present,
            // From somewhere between where bad ones begin and where the others end, without an upper bound.
            (Kind::Number, [one]) => {
                one.key == "cause"
                    && matches!(one.test, Test::Within(Some(least), None) if (75.0..=110.0).contains(&least))
            }
            (Kind::Pair, [one, other]) => {
                let both =
                    |one, other| is(one, "cause", "value 1") && is(other, "cause.other", "value 1");
                both(one, other) || both(other, one)
            }
            _ => false,
        }
    }
}

/// Compares them.
pub(crate) fn differences(events: &[Event], limits: Limits) -> Differences {
    let mut contrast = Contrast::new(limits);
    for (side, attributes) in events {
        contrast.event(*side, || {
            attributes
                .iter()
                .map(|(key, value)| (key.as_str(), value.given()))
        });
    }
    contrast.finish()
}

/// Small numbers more often than great ones.
fn skewed(random: &mut fastrand::Rng, different: usize) -> usize {
    random.usize(..different).min(random.usize(..different))
}

fn text(number: usize) -> Owned {
    Owned::Text(format!("value {number}"))
}
