//! Lives at random on Managed Instances, watched from outside: what goes in and what comes out.
//!
//! `THROUGHLINE_SEED` repeats one seed.

use std::collections::{BTreeMap, BTreeSet};

use fastrand::Rng;

use super::*;

#[test]
fn any_order_of_events_on_a_managed_instance_keeps_the_promises() {
    let mut seen = BTreeMap::new();
    let seeds = seeds();
    let one = seeds.end - seeds.start == 1;
    for seed in seeds {
        let mut play = Play::new(seed);
        play.run();
        for what in play.seen {
            *seen.entry(what).or_insert(0_u32) += 1;
        }
    }
    for what in EXPECTED {
        let count = seen.get(what).copied().unwrap_or_default();
        assert!(one || count > 20, "{what} is rare: {seen:?}");
    }
}

#[allow(clippy::disallowed_methods)] // how a test is told to repeat what failed
fn seeds() -> std::ops::Range<u64> {
    match std::env::var("THROUGHLINE_SEED") {
        Ok(seed) => seed.parse().map(|seed| seed..seed + 1).unwrap(),
        Err(_) => 0..5_000,
    }
}

/// What the world knows of one invocation.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Known {
    started: bool,
    answered: bool,
    over: bool,
}

struct Play {
    seed: u64,
    rng: Rng,
    environment: Environment,
    now: UnixNanos,
    next_call: u64,
    invocations: BTreeMap<String, Known>,
    open: BTreeSet<CallId>,
    alive: BTreeSet<Process>,
    /// How many invocations and inits the pool counts.
    taken: i64,
    ending: bool,
    gone: bool,
    lines: Vec<String>,
    seen: BTreeSet<&'static str>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut millis = |most| Duration::from_millis(rng.u64(1..=most));
        let limits = Limits {
            init_managed: millis(900),
            worker: millis(100),
            runtime_exit_managed: millis(60),
            shutdown: Duration::from_millis(60) + millis(200),
            flush: millis(80),
            kill: millis(100),
            ..Limits::default()
        };
        let timeout = millis(500);
        let extensions = rng.usize(0..3);
        let extensions: Vec<_> = (0..extensions).map(|index| format!("ext{index}")).collect();
        let names: Vec<&str> = extensions.iter().map(String::as_str).collect();
        let mut environment = managed(&names).environment;
        environment.spec.limits = limits;
        environment.spec.timeout = timeout;
        Self {
            seed,
            rng,
            environment,
            now: UnixNanos::from_millis(1_000_000),
            next_call: 0,
            invocations: BTreeMap::new(),
            open: BTreeSet::new(),
            alive: BTreeSet::new(),
            taken: 0,
            ending: false,
            gone: false,
            lines: Vec::new(),
            seen: BTreeSet::new(),
        }
    }

    fn run(&mut self) {
        if self.rng.bool() {
            self.taken += 1;
            self.step(Event::Init);
        }
        for _ in 0..self.rng.u32(10..150) {
            let event = self.any_event();
            self.step(event);
            if self.gone {
                return;
            }
        }
        self.step(Event::Shutdown);
        for _ in 0..200 {
            if self.gone {
                return;
            }
            self.now = self.environment.next_deadline().unwrap_or(self.now);
            self.step(Event::Tick);
        }
        self.fail("it never ends");
    }

    fn any_event(&mut self) -> Event {
        let wait = match self.rng.u32(0..20) {
            0 => self.rng.u64(0..600_000),
            _ => self.rng.u64(0..3_000),
        };
        self.now = self.now + Duration::from_micros(wait);
        match self.rng.u32(0..400) {
            0 => return Event::Lost,
            1 => return Event::Shutdown,
            2..8 => return self.exit(),
            8..20 => return Event::Flushed,
            20..30 => return Event::Tick,
            30..130 if !self.ending => {
                let request_id = format!("r{}", self.invocations.len());
                self.invocations
                    .insert(request_id.clone(), Known::default());
                self.taken += 1;
                return Event::Invoke(invocation(&request_id));
            }
            _ => {}
        }
        let call = self.any_call();
        let id = CallId(self.next_call);
        self.next_call += 1;
        self.open.insert(id);
        Event::Call(id, call)
    }

    fn exit(&mut self) -> Event {
        let alive: Vec<_> = self.alive.iter().copied().collect();
        let Some(process) = self.rng.choice(alive) else {
            return Event::Tick;
        };
        self.alive.remove(&process);
        let exits = [
            Exit::Code(0),
            Exit::Code(1),
            Exit::Signal(9),
            Exit::OutOfMemory,
        ];
        Event::Exited(process, exits[self.rng.usize(0..exits.len())])
    }

    fn any_call(&mut self) -> ApiCall {
        let extensions: Vec<_> = self
            .environment
            .extensions
            .iter()
            .map(|extension| (extension.name.clone(), extension.identifier.clone()))
            .collect();
        if let Some((name, identifier)) = self.rng.choice(extensions)
            && self.rng.u32(0..3) == 0
        {
            return match identifier {
                None => ApiCall::Register {
                    name,
                    events: vec![
                        ["SHUTDOWN", "INVOKE"][usize::from(self.rng.u32(0..9) == 0)].to_owned(),
                    ],
                    fresh_id: format!("00000000-0000-0000-0000-{:012}", self.next_call + 1),
                    with_account: false,
                },
                Some(_) => ApiCall::ExtensionNext { identifier },
            };
        }
        let ids: Vec<_> = self.invocations.keys().cloned().collect();
        let request_id = self.rng.choice(ids).unwrap_or_default();
        let attempt = self.rng.bool().then(|| format!("attempt of {request_id}"));
        match self.rng.u32(0..8) {
            0 => ApiCall::StreamStart {
                request_id,
                attempt,
                content_type: None,
            },
            1 => ApiCall::StreamEnd(StreamEnd {
                request_id,
                attempt,
                first_byte: self.now,
                bytes: 1,
                ending: [Ending::Complete, Ending::Truncated]
                    .into_iter()
                    .nth(self.rng.usize(0..2))
                    .unwrap(),
            }),
            2..5 => ApiCall::RuntimeAnswer(RuntimeAnswer {
                request_id,
                attempt,
                first_byte: self.now,
                body: Body::Whole(Bytes::from_static(b"{}")),
                mode: [ResponseMode::Response, ResponseMode::Error][self.rng.usize(0..2)],
                error_type: None,
                error_cause: None,
            }),
            _ => ApiCall::RuntimeNext,
        }
    }

    fn step(&mut self, event: Event) {
        self.lines
            .push(format!("{} ms: {event:?}", self.now.as_millis()));
        let mut effects = Vec::new();
        self.environment.step(event, self.now, &mut effects);
        let mut undelivered = Vec::new();
        for effect in &effects {
            self.lines.push(format!("    {}", line(effect)));
            if let Err(broken) = self.effect(effect) {
                self.fail(&broken);
            }
            if let Effect::Reply(call, Reply::Invocation { .. }) = effect
                && self.rng.u32(0..30) == 0
            {
                undelivered.push(*call);
            }
        }
        let deadline = self.environment.next_deadline();
        if deadline.is_some_and(|at| at <= self.now) {
            self.fail("it waits for what is over");
        }
        for call in undelivered {
            self.seen.insert("undelivered");
            self.step(Event::Undelivered(call));
        }
    }

    fn effect(&mut self, effect: &Effect) -> Result<(), String> {
        match effect {
            Effect::Freeze | Effect::Thaw => return Err("it freezes".to_owned()),
            Effect::Reply(call, reply) => {
                if !self.open.remove(call) {
                    return Err(format!("call {} is not open", call.0));
                }
                if let Reply::Refused(refusal) = reply
                    && refusal.status == 410
                {
                    self.seen.insert("late answer");
                }
            }
            Effect::Spawn(process) if process.generation != 1 || !self.alive.insert(*process) => {
                return Err("a second init".to_owned());
            }
            Effect::Emit(event) if event.kind == "platform.runtimeDone" => {
                return Err("runtimeDone is told".to_owned());
            }
            Effect::Emit(event) if event.kind == "platform.start" => {
                let known = self.known(event.record["requestId"].as_str().unwrap_or_default())?;
                if std::mem::replace(&mut known.started, true) {
                    return Err("started twice".to_owned());
                }
                let at_once = self.invocations.values();
                if at_once.filter(|known| known.started && !known.over).count() > 2 {
                    self.seen.insert("three at once");
                }
            }
            Effect::Answer(request_id, _) => {
                let known = self.known(request_id)?;
                if !known.started || std::mem::replace(&mut known.answered, true) {
                    return Err("an answer of what has not started or has one".to_owned());
                }
            }
            Effect::Reject(request_id) => {
                self.seen.insert("rejected");
                let known = self.known(request_id)?;
                if known.started || std::mem::replace(&mut known.over, true) {
                    return Err("what has started is rejected".to_owned());
                }
            }
            Effect::Report(report) => {
                self.seen.insert(report.status.as_str());
                let known = self.known(&report.invocation.request_id)?;
                if !known.answered || std::mem::replace(&mut known.over, true) {
                    return Err("a report before the answer, or a second one".to_owned());
                }
            }
            Effect::Idle => {
                self.taken -= 1;
                if self.taken < 0 {
                    return Err("idle more often than taken".to_owned());
                }
            }
            Effect::Ending => self.ending = true,
            Effect::KillAll => self.alive.clear(),
            Effect::Gone => {
                self.gone = true;
                if let Some((id, known)) = self.invocations.iter().find(|(_, known)| !known.over) {
                    return Err(format!("gone, and {id} is {known:?}"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn known(&mut self, request_id: &str) -> Result<&mut Known, String> {
        let known = self.invocations.get_mut(request_id);
        known.ok_or_else(|| format!("{request_id} is unknown"))
    }

    fn fail(&self, broken: &str) -> ! {
        panic!(
            "{}\n{broken}; repeat with THROUGHLINE_SEED={}",
            self.lines.join("\n"),
            self.seed
        );
    }
}

/// What must have come up among all the plays.
const EXPECTED: [&str; 7] = [
    "success",
    "error",
    "timeout",
    "late answer",
    "rejected",
    "three at once",
    "undelivered",
];
