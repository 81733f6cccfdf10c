//! The platform as one environment sees it: when it invokes, freezes, times out and ends.

use super::random::Random;

/// How a run goes, decided before it begins.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) invocations: u64,
    /// Milliseconds between invocations.
    pub(crate) gaps: Gaps,
    pub(crate) telemetry: bool,
    /// Telemetry that never comes, per mille.
    pub(crate) deaf: u64,
    /// Kills of the extension, clock jumps, changes of the server's and the disk's mood, per mille
    /// and step.
    pub(crate) kills: u64,
    pub(crate) jumps: u64,
    pub(crate) moods: u64,
    pub(crate) timeouts: u64,
    /// Faults of the extension itself, per mille and step.
    pub(crate) faults: u64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Gaps {
    Busy,
    Steady,
    Rare,
    Mixed,
}

impl Plan {
    pub(crate) fn new(random: &mut Random) -> Self {
        Plan {
            invocations: random.from(1, 30),
            gaps: random.one_of(&[Gaps::Busy, Gaps::Steady, Gaps::Rare, Gaps::Mixed]),
            telemetry: !random.chance(100),
            deaf: random.one_of(&[0, 0, 0, 100]),
            kills: random.one_of(&[0, 0, 3]),
            jumps: random.one_of(&[0, 0, 2]),
            moods: random.one_of(&[0, 10, 50]),
            timeouts: random.one_of(&[0, 0, 60]),
            faults: random.one_of(&[0, 0, 0, 5]),
        }
    }

    pub(crate) fn gap(&self, random: &mut Random) -> u64 {
        let gaps = match self.gaps {
            Gaps::Mixed => random.one_of(&[Gaps::Busy, Gaps::Steady, Gaps::Rare]),
            other => other,
        };
        match gaps {
            Gaps::Busy | Gaps::Mixed => random.from(0, 30),
            Gaps::Steady => random.from(500, 3000),
            Gaps::Rare => random.from(10_000, 400_000),
        }
    }
}

/// The invocation that runs, or ran last.
#[derive(Clone, Debug)]
pub(crate) struct Invocation {
    pub(crate) request_id: String,
    /// In real time.
    pub(crate) deadline: u64,
    pub(crate) done: Option<u64>,
    /// Whether the platform's word of its end reaches the extension.
    pub(crate) is_told: bool,
}
