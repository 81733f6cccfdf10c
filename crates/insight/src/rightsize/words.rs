//! Advice in one line of plain English, for pages, mails and terminals.

use std::fmt;

use super::verify::VERIFIED_MIN;
use super::{Advice, Change, Hint, Measured, Recommendation, Verdict, Why};
use crate::detect::words::duration;

/// What its recommendation says, or that the size that it has is as good as any.
impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.recommendation {
            Some(recommendation) => recommendation.fmt(f),
            None => write!(
                f,
                "{} are right: no other size is worth a change",
                megabytes(self.now.memory_mb)
            ),
        }
    }
}

/// `can run 2.1x faster for 4 % less with 1,024 MB`.
impl fmt::Display for Recommendation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let memory = megabytes(self.point.memory_mb);
        let faster = 1.0 / self.duration_ratio.value;
        let percent = percent(self.cost_ratio.value);
        let (less, slower) = (-percent, ((1.0 / faster - 1.0) * 100.0).round());
        if faster < 1.05 {
            write!(f, "can cost {less} % less with {memory}")?;
            return match slower > 0.0 {
                true => write!(f, ", {slower} % slower"),
                false => f.write_str(", as fast as now"),
            };
        }
        let cost = cost(self.cost_ratio.value);
        write!(f, "can run {faster:.1}x faster {cost} with {memory}")
    }
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Hint::MoreMemory {
                used_mb,
                memory_mb,
                enough_mb,
            } => write!(
                f,
                "used {used_mb} of its {}: {} leave room",
                megabytes(*memory_mb),
                megabytes(*enough_mb)
            ),
            Hint::Arm { saves } => write!(
                f,
                "on arm64 the same time costs {:.0} % less; how long it takes there was not measured",
                saves * 100.0
            ),
            Hint::TimeoutNear {
                slow_ms,
                timeout_ms,
                enough_ms,
            } => write!(
                f,
                "takes up to {} of its timeout of {}: {} leave room",
                seconds(*slow_ms),
                seconds(*timeout_ms),
                seconds(*enough_ms)
            ),
            Hint::TimeoutFar {
                longest_ms,
                timeout_ms,
                enough_ms,
            } => write!(
                f,
                "what hangs is paid for until the timeout of {}, and the longest took {}: {} are enough",
                seconds(*timeout_ms),
                seconds(*longest_ms),
                seconds(*enough_ms)
            ),
            Hint::Provisioned(it) => write!(
                f,
                "its {} provisioned environments are at work {:.0} % of the time; below 60 % on demand costs less",
                it.environments,
                it.used * 100.0
            ),
        }
    }
}

/// `1,024 MB instead of 512 MB came as predicted: 655 ms, 638 to 671 ms were predicted, 1.00 s was before`.
impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = megabytes(self.before.memory_mb);
        let sizes = format!(
            "{} instead of {before}",
            megabytes(self.predicted.memory_mb)
        );
        let predicted = span(self.predicted.duration_ms);
        let was = duration(self.before.duration_ms.value);
        match self.verdict {
            Verdict::TooEarly { count } => write!(
                f,
                "{count} of {VERIFIED_MIN} invocations with {sizes} are known; {predicted} are predicted"
            ),
            Verdict::AsPredicted { duration_ms } => {
                let better = match duration_ms < self.predicted.duration_ms.low {
                    true => "better than",
                    false => "as",
                };
                write!(
                    f,
                    "{sizes} came {better} predicted: {}, {predicted} were predicted, {was} was before",
                    duration(duration_ms)
                )
            }
            Verdict::Slower { duration_ms, .. } => write!(
                f,
                "{sizes} is slower than predicted: {}, {predicted} were predicted, {was} was before; {before} may be better",
                duration(duration_ms.value)
            ),
        }
    }
}

impl Change {
    /// What came of it, for whoever made it: `as predicted: 1.00 s → 655 ms, for 3 % less`. While it is too early, so
    /// much.
    pub fn outcome(&self) -> String {
        let was = duration(self.before.duration_ms.value);
        let cost = cost(self.cost_ratio);
        match self.verdict {
            Verdict::TooEarly { .. } => self.to_string(),
            Verdict::AsPredicted { duration_ms } => {
                let better = match duration_ms < self.predicted.duration_ms.low {
                    true => "better than",
                    false => "as",
                };
                let is = duration(duration_ms);
                format!("{better} predicted: {was} → {is}, {cost}")
            }
            Verdict::Slower {
                duration_ms,
                predicted,
            } => {
                let (is, predicted) = (duration(duration_ms.value), span(predicted));
                format!("slower than predicted: {was} → {is} instead of {predicted}, {cost}")
            }
        }
    }
}

/// `for 3 % less`, of what it costs as a part of what it did.
pub(super) fn cost(ratio: f64) -> String {
    match percent(ratio) {
        0.0 => "for the same cost".to_owned(),
        more if more > 0.0 => format!("for {more} % more"),
        less => format!("for {} % less", -less),
    }
}

/// By how many percent it is more.
fn percent(ratio: f64) -> f64 {
    ((ratio - 1.0) * 100.0).round()
}

/// `638 to 671 ms`
fn span(of: Measured) -> String {
    let (low, high) = (duration(of.low), duration(of.high));
    match (low.split_once(' '), high.split_once(' ')) {
        (Some((least, one)), Some((_, other))) if one == other => format!("{least} to {high}"),
        _ => format!("{low} to {high}"),
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::TooFew { count, needed } => write!(
                f,
                "{count} invocations with its memory size and their processor time are known, {needed} are needed"
            ),
            Why::NoProcessorTime => f.write_str("nobody has measured its processor time"),
            Why::FasterThanItsShare => f.write_str(
                "it uses more of the processor than its memory size gives, so the size says nothing about its time",
            ),
            Why::TooUnlike => {
                f.write_str("its invocations take times too unlike for their mean to say anything")
            }
        }
    }
}

/// `1,024 MB`
pub(super) fn megabytes(number: u32) -> String {
    match number / 1000 {
        0 => format!("{number} MB"),
        thousands => format!("{thousands},{:03} MB", number % 1000),
    }
}

fn seconds(ms: f64) -> String {
    match ms {
        ms if ms < 1000.0 => format!("{ms:.0} ms"),
        ms if ms < 10_000.0 && ms % 1000.0 != 0.0 => format!("{:.1} s", ms / 1e3),
        ms => format!("{:.0} s", ms / 1e3),
    }
}
