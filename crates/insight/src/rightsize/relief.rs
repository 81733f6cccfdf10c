//! Which size helps a function that is in trouble now.

use super::words::cost;
use super::{Advice, Fits, Hint, Point, Recommendation};
use crate::detect::words::duration;

/// What a function lacks that more memory may give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Memory itself: it has used nearly all of it, or more from day to day.
    Room,
    /// Time: it is slower than it was, or near its timeout.
    Time,
}

/// A larger size, and why this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relief {
    /// The size.
    pub memory_mb: u32,
    /// In words: what is predicted with it, or what it leaves room for.
    pub why: String,
}

/// The larger size that helps a function in need: the recommended one, or else what leaves room, or what is predicted to
/// make it faster. `None` where no larger one is known to help: who waits for others is not faster with more memory.
pub fn relief(advice: &Advice, need: Need) -> Option<Relief> {
    let now = advice.now.memory_mb;
    let recommended = advice.recommendation.as_ref();
    let recommended = recommended.filter(|it| it.point.memory_mb > now);
    match need {
        Need::Room => room(advice, recommended),
        Need::Time => time(advice, recommended),
    }
}

fn room(advice: &Advice, recommended: Option<&Recommendation>) -> Option<Relief> {
    let tight = advice.also.iter().find_map(|hint| match hint {
        Hint::MoreMemory { enough_mb, .. } => Some((*enough_mb, hint.to_string())),
        _ => None,
    });
    let (memory_mb, why) = match (recommended, tight) {
        (Some(it), Some((_, tight))) => (it.point.memory_mb, format!("{tight}; {it}")),
        (Some(it), None) => (it.point.memory_mb, it.to_string()),
        (None, Some((enough_mb, tight))) => (enough_mb.min(advice.largest_mb()), tight),
        (None, None) => return None,
    };
    (memory_mb > advice.now.memory_mb).then_some(Relief { memory_mb, why })
}

fn time(advice: &Advice, recommended: Option<&Recommendation>) -> Option<Relief> {
    if let Some(it) = recommended.filter(|it| it.duration_ratio.high < 1.0) {
        return Some(Relief {
            memory_mb: it.point.memory_mb,
            why: it.to_string(),
        });
    }
    let now = &advice.now;
    let of = |point: &Point| point.duration_ms.value / now.duration_ms.value;
    let balanced = advice.named.map(|named| named.balanced_mb);
    let faster = || {
        let larger = advice
            .curve
            .iter()
            .filter(|it| it.memory_mb > now.memory_mb);
        larger.filter(|it| it.fits == Fits::Yes && of(it) <= 1.0 - FASTER_MIN)
    };
    let twice = || faster().find(|it| it.memory_mb >= now.memory_mb.saturating_mul(2));
    let point = faster()
        .find(|it| Some(it.memory_mb) == balanced)
        .or_else(twice)?;
    let (then, is) = (point.duration_ms.value, now.duration_ms.value);
    Some(Relief {
        memory_mb: point.memory_mb,
        why: format!(
            "{} instead of {} are predicted, {}",
            duration(then),
            duration(is),
            cost(point.usd.value / now.usd.value)
        ),
    })
}

impl Advice {
    fn largest_mb(&self) -> u32 {
        let sizes = self.curve.iter().map(|point| point.memory_mb);
        sizes.max().unwrap_or(self.now.memory_mb)
    }
}

/// Who is slow now pays for less than what is worth a change on a good day, but not for nothing.
const FASTER_MIN: f64 = 0.15;

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::{Invocation, Setup, advise};
    use super::*;

    /// A hundred invocations with 512 MB that take so long, with so much processor time and memory.
    fn check(duration_ms: f64, cpu_ms: f64, used_mb: u32, need: Need, expected: Expect) {
        let run = Invocation {
            duration_ms,
            cpu_ms: Some(cpu_ms),
            memory_mb: 512,
            memory_used_mb: Some(used_mb),
            ..Invocation::default()
        };
        let setup = Setup {
            region: "eu-west-1",
            ..Setup::default()
        };
        let advice = advise(&vec![run; 100], &setup).unwrap();
        let text = match relief(&advice, need) {
            Some(it) => format!("{} MB: {}", it.memory_mb, it.why),
            None => "nothing".to_owned(),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn who_is_at_work_all_the_time_gets_more_of_the_processor() {
        check(
            680.0,
            200.0,
            100,
            Need::Time,
            expect!["1536 MB: can run 2.9x faster for 2 % more with 1,536 MB"],
        );
    }

    #[test]
    fn who_waits_for_others_is_not_offered_what_brings_nothing() {
        check(680.0, 4.0, 100, Need::Time, expect!["nothing"]);
    }

    #[test]
    fn who_has_used_nearly_all_gets_room() {
        check(
            680.0,
            4.0,
            500,
            Need::Room,
            expect!["704 MB: used 500 of its 512 MB: 704 MB leave room"],
        );
        check(
            680.0,
            200.0,
            500,
            Need::Room,
            expect![
                "1536 MB: used 500 of its 512 MB: 704 MB leave room; can run 2.9x faster for 2 % more with 1,536 MB"
            ],
        );
    }

    #[test]
    fn of_whom_it_is_not_known_that_the_memory_is_short_nothing_is_said() {
        check(680.0, 4.0, 100, Need::Room, expect!["nothing"]);
    }
}
