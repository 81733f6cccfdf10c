//! A kernel that gives a function its share of the processor as Linux does it: so much in every 20 ms, and
//! nothing for the rest of them once it is used up.

use super::Invocation;

/// What a function does: works, then waits, and so on, in milliseconds.
#[derive(Clone, Debug)]
pub(super) struct Work {
    pub(super) steps: Vec<(f64, f64)>,
    /// Each invocation needs so much more or less than another, as a part of all.
    pub(super) spread: f64,
}

impl Work {
    /// So much work and so much waiting, in turns.
    pub(super) fn in_turns(cpu_ms: f64, wait_ms: f64, turns: usize) -> Work {
        let of = |all: f64| all / f64::from(u32::try_from(turns).unwrap());
        Work {
            steps: vec![(of(cpu_ms), of(wait_ms)); turns],
            spread: 0.3,
        }
    }

    pub(super) fn cpu_ms(&self) -> f64 {
        self.steps.iter().map(|(cpu, _)| cpu).sum()
    }

    /// Runs it so many times with a size.
    pub(super) fn run(&self, memory_mb: u32, count: usize, seed: u64) -> Vec<Invocation> {
        let mut random = fastrand::Rng::with_seed(seed);
        let share = f64::from(memory_mb) / 1769.0;
        let (mut now, mut used) = (0.0, 0.0);
        let mut invocations = Vec::new();
        for _ in 0..count {
            now += random.f64() * 100.0;
            let begin = (now, used);
            let size = 1.0 + self.spread * (random.f64() - 0.5);
            for (cpu, wait) in &self.steps {
                now = works(now, cpu * size, share) + wait * size;
                used += cpu * size;
            }
            invocations.push(Invocation {
                duration_ms: now - begin.0,
                cpu_ms: Some(ticks(used) - ticks(begin.1)),
                memory_mb,
                ..Invocation::default()
            });
        }
        invocations
    }
}

/// When a thread is done that wants so much processor time.
fn works(mut now: f64, mut wanted: f64, share: f64) -> f64 {
    let mut quota = PERIOD_MS * share;
    while share < 1.0 && wanted > quota {
        // Until it is used up, or until the period is over.
        let end = (now / PERIOD_MS).floor() * PERIOD_MS + PERIOD_MS;
        wanted -= quota.min(end - now);
        now = end;
        quota = PERIOD_MS * share;
    }
    now + wanted
}

/// The kernel tells hundredths of a second.
fn ticks(ms: f64) -> f64 {
    (ms / 10.0).floor() * 10.0
}

const PERIOD_MS: f64 = 20.0;
