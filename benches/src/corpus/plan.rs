//! What happens in one trace: which functions run when, and the steps that each takes. Spans and log
//! records are both made from this, so that they fit together.

use std::ops::Range;

use super::application::{Application, Kind};
use super::proto;
use super::random::{Random, mix};

/// One invocation of a function. Its spans are numbered: 0 is its own, the others are its steps.
#[derive(Debug, Default)]
pub(crate) struct Invocation {
    pub(crate) function: u16,
    pub(crate) route: u16,
    /// The span that caused it; 0 at the beginning of a trace.
    pub(crate) parent: u64,
    /// Whether its caller waits for it.
    pub(crate) awaited: bool,
    pub(crate) seed: u64,
    pub(crate) spans: u16,
    /// Of [`Plan::steps`].
    pub(crate) steps: Range<usize>,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) cold: bool,
    pub(crate) failed: bool,
}

/// One step of an invocation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    pub(crate) what: What,
    /// Number of the span that it is inside of.
    pub(crate) inside: u16,
    pub(crate) begin: u64,
    pub(crate) end: u64,
    nanos: u64,
    pub(crate) failed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// One of [`Function::steps`](super::application::Function::steps).
    Step(u16),
    /// Calls that invocation of the plan.
    Invoke(u32),
    /// Sends what that invocation works on.
    Publish(u32),
    Init,
}

impl Invocation {
    /// Id of one of its spans.
    #[inline]
    pub(crate) fn span_id(&self, number: usize) -> u64 {
        mix(self.seed, number as u64) | 1 // an id is not 0
    }
}

/// One trace.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    pub(crate) trace_id: [u8; 16],
    pub(crate) number: u64,
    pub(crate) invocations: Vec<Invocation>,
    pub(crate) steps: Vec<Taken>,
    /// What people see: the order that it is about, who it is for.
    pub(crate) order: Vec<u8>,
    pub(crate) user: Vec<u8>,
    pub(crate) tenant: Vec<u8>,
    pub(crate) session: Vec<u8>,
    pub(crate) ip: Vec<u8>,
    pub(crate) agent: u8,
}

impl Plan {
    /// Trace number so and so, which begins at that time.
    pub(crate) fn fill(&mut self, application: &Application, seed: u64, number: u64, start: u64) {
        let seed = mix(seed, number);
        let mut random = Random::new(seed);
        self.trace_id = trace_id(seed, start);
        self.number = number;
        self.describe(seed, &mut random);
        self.invocations.clear();
        self.steps.clear();
        self.invocations.push(Invocation {
            function: application.entrance(&mut random),
            seed: mix(seed, 1),
            start,
            ..Invocation::default()
        });
        let mut budgets = vec![spans(&mut random)];
        let mut next = 0;
        while next < self.invocations.len() {
            self.expand(application, next, &mut budgets, &mut random);
            next += 1;
        }
        for number in (0..self.invocations.len()).rev() {
            self.measure(application, number);
        }
        for number in 0..self.invocations.len() {
            self.schedule(number, &mut random);
        }
    }

    /// All spans of it.
    pub(crate) fn spans(&self) -> u64 {
        self.invocations
            .iter()
            .map(|one| u64::from(one.spans))
            .sum()
    }

    /// When its last invocation ends.
    pub(crate) fn last_end(&self) -> u64 {
        let ends = self.invocations.iter().map(|one| one.end);
        ends.max().unwrap_or_default()
    }

    /// When its first span begins: a cold start does before the invocation.
    pub(crate) fn first_start(&self) -> u64 {
        let steps = self.steps.iter().map(|step| step.begin);
        let invocations = self.invocations.iter().map(|one| one.start);
        steps.chain(invocations).min().unwrap_or_default()
    }

    fn describe(&mut self, seed: u64, random: &mut Random) {
        for text in [
            &mut self.order,
            &mut self.user,
            &mut self.tenant,
            &mut self.session,
            &mut self.ip,
        ] {
            text.clear();
        }
        order(&mut self.order, seed);
        user(&mut self.user, random.skewed(USERS));
        tenant(&mut self.tenant, random.skewed(TENANTS));
        self.session.extend_from_slice(b"sess-");
        proto::hex(&mut self.session, random.next());
        let ip = (random.skewed(1 << 22) as u32)
            .wrapping_mul(0x9e37_79b1)
            .to_be_bytes();
        for (place, byte) in ip.into_iter().enumerate() {
            if place > 0 {
                self.ip.push(b'.');
            }
            proto::decimal(&mut self.ip, u64::from(byte.clamp(1, 254)));
        }
        self.agent = random.skewed(super::application::AGENTS.len() as u64) as u8;
    }

    /// Decides how many spans an invocation has of its own, whom it calls, and which steps it takes.
    fn expand(
        &mut self,
        application: &Application,
        number: usize,
        budgets: &mut Vec<u64>,
        random: &mut Random,
    ) {
        let budget = budgets[number];
        let function = &application.functions[usize::from(self.invocations[number].function)];
        let drawn = 3 + random.skewed(OWN_MAX);
        let mut calls = match budget.saturating_sub(drawn) {
            0 => 0,
            left @ 1..200 => 1 + random.below((left / 10 + 1).min(5)),
            _ => 8 + random.below(FAN_OUT_MAX - 8),
        };
        calls = calls.min(budget.saturating_sub(1) / 2);
        let own = match calls {
            0 => budget,
            _ => drawn.clamp(calls + 1, budget - calls),
        };
        let invocation = &mut self.invocations[number];
        invocation.spans = own as u16;
        invocation.route = function.route.draw(random) as u16;
        invocation.cold = random.per_mille(COLD);
        invocation.failed = random.per_mille(function.failing);
        let first = self.steps.len();
        let taken = own as usize - 1;
        invocation.steps = first..first + taken;
        self.take_steps(application, number, random);
        let mut left = budget - own;
        for call in 0..calls {
            let others = calls - call - 1;
            let most = (left - others).min(2 * left / (others + 1)).max(1);
            let its = if others == 0 {
                left
            } else {
                random.between(1, most)
            };
            left -= its;
            let place = call as usize * taken / calls as usize;
            self.call(application, number, place, calls > 8, random);
            budgets.push(its);
        }
        let spare = !matches!(self.steps.last(), Some(last) if last.is_call());
        if self.invocations[number].cold && taken > 0 && spare {
            let last = &mut self.steps[first + taken - 1];
            (last.what, last.inside) = (What::Init, 0);
        }
    }

    fn take_steps(&mut self, application: &Application, number: usize, random: &mut Random) {
        let invocation = &self.invocations[number];
        let function = &application.functions[usize::from(invocation.function)];
        let (mut inside, mut left) = (0, 0);
        for place in 1..invocation.spans {
            let step = function.step.draw(random);
            let median = function.steps[step].median_nanos;
            let holds = function.steps[step].kind == Kind::Internal && left == 0;
            self.steps.push(Taken {
                what: What::Step(step as u16),
                inside: if left > 0 { inside } else { 0 },
                begin: 0,
                end: 0,
                nanos: application.spread.around(median, random) as u64,
                failed: false,
            });
            if left > 0 {
                left -= 1;
            } else if holds {
                (inside, left) = (place, random.below(4));
            }
        }
        if let (true, Some(last)) = (invocation.failed, self.steps.last_mut()) {
            last.failed = true;
        }
    }

    /// Makes a step of an invocation the call of another one.
    fn call(
        &mut self,
        application: &Application,
        number: usize,
        place: usize,
        many: bool,
        random: &mut Random,
    ) {
        let caller = &self.invocations[number];
        let function = &application.functions[usize::from(caller.function)];
        let awaited = !many && random.per_mille(500);
        let from = if awaited {
            &function.callees
        } else {
            &function.consumers
        };
        let called = Invocation {
            function: from[random.skewed(from.len() as u64) as usize],
            parent: caller.span_id(place + 1),
            awaited,
            seed: random.next(),
            ..Invocation::default()
        };
        let callee = self.invocations.len() as u32;
        let step = &mut self.steps[caller.steps.start + place];
        step.what = if awaited {
            What::Invoke(callee)
        } else {
            What::Publish(callee)
        };
        self.invocations.push(called);
    }

    /// How long an invocation and its steps take, when those that it calls are known.
    fn measure(&mut self, application: &Application, number: usize) {
        let invocation = &self.invocations[number];
        let function = &application.functions[usize::from(invocation.function)];
        let mut random = Random::new(invocation.seed);
        let own = application
            .spread
            .around(function.median_nanos, &mut random) as u64;
        let (mut nanos, mut failed) = (own / 4 + own % 1000, invocation.failed);
        for step in &mut self.steps[invocation.steps.clone()] {
            match step.what {
                What::Invoke(callee) => {
                    let callee = &self.invocations[callee as usize];
                    step.nanos = callee.end + 2_000_000 + random.below(9_000_000);
                    step.failed |= callee.failed;
                    failed |= callee.failed && random.per_mille(500);
                }
                What::Publish(_) => {
                    step.nanos = application.spread.around(8e6, &mut random) as u64;
                }
                What::Step(_) => {}
                What::Init => {
                    step.nanos = application.spread.around(3e8, &mut random) as u64;
                    continue; // before the invocation
                }
            }
            nanos += step.nanos + GAP_NANOS;
        }
        let invocation = &mut self.invocations[number];
        invocation.failed = failed;
        invocation.end = nanos; // its start is not known yet
    }

    /// When everything is, from the start of the invocation on.
    fn schedule(&mut self, number: usize, random: &mut Random) {
        let (start, steps) = {
            let invocation = &mut self.invocations[number];
            invocation.end += invocation.start;
            (invocation.start, invocation.steps.clone())
        };
        let first = steps.start;
        let mut at = start + GAP_NANOS;
        for place in steps {
            let step = &mut self.steps[place];
            (step.begin, step.end) = (at, at + step.nanos);
            match step.what {
                What::Init => {
                    step.begin = start.saturating_sub(step.nanos);
                    step.end = start;
                }
                What::Invoke(callee) => {
                    let callee = &mut self.invocations[callee as usize];
                    callee.start = at + 1_000_000 + random.below(1_000_000);
                    at = step.end + GAP_NANOS;
                }
                What::Publish(callee) => {
                    let callee = &mut self.invocations[callee as usize];
                    callee.start = step.end + queued(random);
                    at = step.end + GAP_NANOS;
                }
                What::Step(_) => at = step.end + GAP_NANOS,
            }
            let (inside, end) = (usize::from(step.inside), step.end);
            if inside > 0 {
                self.steps[first + inside - 1].end = end;
            }
        }
    }
}

impl Taken {
    fn is_call(&self) -> bool {
        matches!(self.what, What::Invoke(_) | What::Publish(_))
    }
}

/// Like X-Ray's: the second in which it began, then random bits.
fn trace_id(seed: u64, start: u64) -> [u8; 16] {
    let second = (start / 1_000_000_000) << 32;
    let high = second | (mix(seed, 2) >> 32);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&high.to_be_bytes());
    id[8..].copy_from_slice(&mix(seed, 3).to_be_bytes());
    id
}

/// What a trace is about: no other trace has the same. In its URLs, its attributes and its logs.
fn order(out: &mut Vec<u8>, seed: u64) {
    out.extend_from_slice(b"ord_");
    proto::hex(out, mix(seed, 4));
}

/// User number so and so, the most frequent first.
pub(crate) fn user(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(b"usr_");
    proto::capitals(out, 8, number);
}

/// Tenant number so and so, the most frequent first.
pub(crate) fn tenant(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(b"tenant-");
    proto::decimal(out, 1000 + number);
}

/// How many spans a trace has: mostly few, sometimes up to 2,000.
fn spans(random: &mut Random) -> u64 {
    match random.below(1000) {
        0..80 => 1,
        80..720 => random.between(3, 15),
        720..950 => random.between(16, 80),
        950..997 => random.between(81, 400),
        _ => random.between(401, SPANS_MAX),
    }
}

/// How long something waits in a queue: mostly not, sometimes minutes.
fn queued(random: &mut Random) -> u64 {
    let millis = match random.below(100) {
        0..80 => random.between(8, 60),
        80..97 => random.between(60, 5_000),
        _ => random.between(5_000, 180_000),
    };
    millis * 1_000_000 + random.below(1_000_000)
}

/// Spans of a trace on average, by the shares of [`spans`].
pub(crate) const SPANS_MEAN: f64 = 0.08 + 0.64 * 9.0 + 0.23 * 48.0 + 0.047 * 240.5 + 0.003 * 1200.5;
pub(crate) const SPANS_MAX: u64 = 2000;
pub(crate) const USERS: u64 = 200_000;
pub(crate) const TENANTS: u64 = 400;
/// Spans that an invocation usually has at most, itself not counted.
const OWN_MAX: u64 = 32;
/// Functions that one invocation starts at most.
const FAN_OUT_MAX: u64 = 40;
/// Cold starts of a thousand.
const COLD: u64 = 9;
const GAP_NANOS: u64 = 120_000;
