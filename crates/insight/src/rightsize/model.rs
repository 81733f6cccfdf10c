//! How the time of an invocation comes from its processor time, its waits and its share of the processors.

use super::{INVOCATIONS_MIN, Invocation, Measured, Why};

/// A function with one size, fitted.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) memory_mb: u32,
    pub(super) cpu_ms: f64,
    pub(super) wait_ms: f64,
    pub(super) processors: f64,
    pub(super) memory_used_mb: Option<u32>,
    /// Of each invocation its time, processor time and billed initialisation.
    runs: Vec<Run>,
    mean: Run,
}

#[derive(Clone, Copy, Debug, Default)]
struct Run {
    duration: f64,
    cpu: f64,
    init: f64,
}

impl Model {
    /// Fits the invocations with the memory that the last one had.
    pub(super) fn fit(invocations: &[Invocation]) -> Result<Model, Why> {
        let is_sound = |it: &&Invocation| {
            it.memory_mb > 0 && it.duration_ms.is_finite() && it.duration_ms > 0.0
        };
        let sound = invocations.iter().filter(is_sound);
        let memory_mb = sound.clone().next_back().map_or(0, |it| it.memory_mb);
        let present = sound.filter(|it| it.memory_mb == memory_mb);
        let mut runs: Vec<Run> = present.clone().filter_map(run).collect();
        if runs.is_empty() && present.clone().count() >= INVOCATIONS_MIN {
            return Err(Why::NoProcessorTime);
        }
        if runs.len() < INVOCATIONS_MIN {
            return Err(Why::TooFew {
                count: runs.len(),
                needed: INVOCATIONS_MIN,
            });
        }
        let mut mean = Run {
            duration: mean(runs.iter().map(|run| run.duration)),
            cpu: mean(runs.iter().map(|run| run.cpu)),
            init: mean(runs.iter().map(|run| run.init)),
        };
        let busy = mean.cpu / mean.duration;
        let processors = if busy > AT_ONCE { busy } else { 1.0 };
        let at_work = at_work(mean.cpu, speed(memory_mb, processors));
        let share = at_work / mean.duration;
        if share > SHARE_MAX {
            return Err(Why::FasterThanItsShare);
        }
        // A little more than all of the time is all of it: processor time is counted in hundredths of a second.
        if share > 1.0 {
            runs.iter_mut().for_each(|run| run.cpu /= share);
            mean.cpu /= share;
        }
        let model = Model {
            memory_mb,
            cpu_ms: mean.cpu,
            wait_ms: (mean.duration - at_work).max(0.0),
            processors,
            memory_used_mb: present.filter_map(|it| it.memory_used_mb).max(),
            runs,
            mean,
        };
        let known = model.duration(memory_mb);
        match known.high - known.low > mean.duration * 2.0 / 3.0 {
            true => Err(Why::TooUnlike),
            false => Ok(model),
        }
    }

    /// How many invocations it knows.
    pub(super) fn count(&self) -> usize {
        self.runs.len()
    }

    /// The mean time with another size, in milliseconds.
    pub(super) fn duration(&self, memory_mb: u32) -> Measured {
        let more = self.more(memory_mb);
        self.measured(|run| run.duration + more * run.cpu, self.unsure(memory_mb))
    }

    /// The same as a share of what it is now.
    pub(super) fn duration_ratio(&self, memory_mb: u32) -> Measured {
        let more = self.more(memory_mb);
        let unsure = self.unsure(memory_mb) / self.mean.duration;
        self.ratio(
            |run| run.duration + more * run.cpu,
            |run| run.duration,
            unsure,
        )
    }

    /// The mean of what is asked for an invocation, `usd` being the price of milliseconds with a size.
    pub(super) fn cost(&self, memory_mb: u32, usd: impl Fn(f64, u32) -> f64) -> Measured {
        let more = self.more(memory_mb);
        let unsure = usd(self.unsure(memory_mb), memory_mb) - usd(0.0, memory_mb);
        let of = |run: &Run| usd(run.duration + more * run.cpu + run.init, memory_mb);
        self.measured(of, unsure)
    }

    /// The same as a share of what it is now.
    pub(super) fn cost_ratio(&self, memory_mb: u32, usd: impl Fn(f64, u32) -> f64) -> Measured {
        let more = self.more(memory_mb);
        let unsure = usd(self.unsure(memory_mb), memory_mb) - usd(0.0, memory_mb);
        let now = |run: &Run| usd(run.duration + run.init, self.memory_mb);
        let then = |run: &Run| usd(run.duration + more * run.cpu + run.init, memory_mb);
        self.ratio(then, now, unsure / now(&self.mean))
    }

    /// The 99th percentile with another size; the longest of fewer than a hundred. Processor time of one
    /// invocation is too coarse to be taken by itself, so cold and warm ones are each scaled by their own means.
    pub(super) fn slow(&self, memory_mb: u32) -> f64 {
        let more = self.more(memory_mb);
        let scale = |is_cold: bool| {
            let of = || self.runs.iter().filter(move |run| run.is_cold() == is_cold);
            let all = match of().count() < GROUP_MIN {
                true => self.mean,
                false => Run {
                    duration: mean(of().map(|run| run.duration)),
                    cpu: mean(of().map(|run| run.cpu)),
                    init: 0.0,
                },
            };
            (all.duration + more * all.cpu).max(0.0) / all.duration
        };
        let (warm, cold) = (scale(false), scale(true));
        let scaled = self.runs.iter().map(|run| {
            let scale = if run.is_cold() { cold } else { warm };
            run.duration * scale
        });
        let mut times: Vec<f64> = scaled.collect();
        let at = times.len() - 1 - times.len() / 100;
        let (_, slow, _) = times.select_nth_unstable_by(at, f64::total_cmp);
        *slow
    }

    /// The longest that was seen.
    pub(super) fn longest(&self) -> f64 {
        self.runs.iter().map(|run| run.duration).fold(0.0, f64::max)
    }

    /// By how much a millisecond of processor time takes longer with another size than now.
    fn more(&self, memory_mb: u32) -> f64 {
        match self.mean.cpu > 0.0 {
            true => self.difference(memory_mb, at_work) / self.mean.cpu,
            false => 0.0,
        }
    }

    /// How far the model may be off beside chance: a tenth of what it moves, or of what it says, and what
    /// one more stretch of work would have left of its slices.
    fn unsure(&self, memory_mb: u32) -> f64 {
        let moved = self.difference(memory_mb, at_work);
        let unused = self.difference(memory_mb, left_over);
        MODEL_OFF * moved.abs().min(self.mean.duration + moved) + unused.abs()
    }

    /// Of processor time at two speeds: that of another size, less that of the one it has.
    fn difference(&self, memory_mb: u32, of: fn(f64, f64) -> f64) -> f64 {
        let at = |memory_mb| of(self.mean.cpu, speed(memory_mb, self.processors));
        at(memory_mb) - at(self.memory_mb)
    }

    fn measured(&self, of: impl Fn(&Run) -> f64, unsure: f64) -> Measured {
        let value = mean(self.runs.iter().map(&of));
        let chance = self.chance(|run| of(run) - value);
        within(value, chance.hypot(unsure))
    }

    /// A ratio of two means of the same invocations (the delta method).
    fn ratio(
        &self,
        then: impl Fn(&Run) -> f64,
        now: impl Fn(&Run) -> f64,
        unsure: f64,
    ) -> Measured {
        let base = mean(self.runs.iter().map(&now));
        let value = mean(self.runs.iter().map(&then)) / base;
        let chance = self.chance(|run| then(run) - value * now(run)) / base;
        within(value, chance.hypot(unsure))
    }

    /// Half of the interval of a mean, of how far each is from it.
    #[allow(clippy::cast_precision_loss)] // thousands
    fn chance(&self, off: impl Fn(&Run) -> f64) -> f64 {
        let squares: f64 = self.runs.iter().map(|run| off(run).powi(2)).sum();
        let count = self.runs.len() as f64;
        1.96 * (squares / (count - 1.0) / count).sqrt()
    }
}

impl Run {
    fn is_cold(&self) -> bool {
        self.init > 0.0
    }
}

fn run(invocation: &Invocation) -> Option<Run> {
    let cpu = invocation.cpu_ms?;
    let is_sound = cpu.is_finite() && cpu >= 0.0 && invocation.init_ms.is_finite();
    is_sound.then_some(Run {
        duration: invocation.duration_ms,
        cpu,
        init: invocation.init_ms.max(0.0),
    })
}

/// How many processors the function has at a time, of those that it can use.
fn speed(memory_mb: u32, processors: f64) -> f64 {
    (f64::from(memory_mb) / MEMORY_MB_OF_A_PROCESSOR).min(processors)
}

/// How long so much processor time takes.
fn at_work(cpu: f64, speed: f64) -> f64 {
    cpu / speed - left_over(cpu, speed)
}

/// A share is given in slices, at full speed until it is used up: the first slice of a stretch of work has
/// begun without it, and the last one is not waited for.
fn left_over(cpu: f64, speed: f64) -> f64 {
    (cpu / speed).min(SLICE_MS) * (1.0 - speed).max(0.0)
}

fn within(value: f64, half: f64) -> Measured {
    Measured {
        value,
        low: (value - half).max(0.0),
        high: value + half,
    }
}

#[allow(clippy::cast_precision_loss)] // thousands
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_usize), |(sum, count), value| {
        (sum + value, count + 1)
    });
    sum / count.max(1) as f64
}

/// Lambda's own number.
const MEMORY_MB_OF_A_PROCESSOR: f64 = 1769.0;
/// Collecting garbage beside the work is not yet work on two processors.
const AT_ONCE: f64 = 1.05;
/// Processor time beyond this part of the share is no error of counting.
const SHARE_MAX: f64 = 1.15;
/// Cold invocations, and warm ones, from which on they are scaled by themselves.
const GROUP_MIN: usize = 20;
/// In which Lambda gives shares, as seen from inside of functions.
const SLICE_MS: f64 = 20.0;
/// Held against a simulated kernel in the tests.
const MODEL_OFF: f64 = 0.1;
