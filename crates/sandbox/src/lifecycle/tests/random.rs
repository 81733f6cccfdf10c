//! Lives at random: whatever comes in whatever order, the machine keeps its promises.
//!
//! Each seed is one environment with its own limits, extensions and manners. What it must keep is in `invariants`.
//! `THROUGHLINE_SEED` repeats one seed, `THROUGHLINE_LIFECYCLES` says how many there are.

mod invariants;

use std::collections::BTreeMap;
use std::time::Duration;

use fastrand::Rng;

use super::*;
use crate::function::Initialization;
use crate::lifecycle::extension::{ExtensionState, RuntimeState};
use crate::time::UnixNanos;
use invariants::Watcher;

#[test]
fn any_order_of_events_keeps_the_promises() {
    let mut seen = BTreeMap::new();
    let seeds = seeds(20_000);
    let one = seeds.end - seeds.start == 1;
    for seed in seeds {
        let _named = Named(seed);
        let mut play = Play::new(seed);
        play.run();
        for what in play.watcher.seen.iter().copied() {
            *seen.entry(what).or_insert(0_u32) += 1;
        }
    }
    if one {
        return;
    }
    // Without these the plays would prove little.
    for what in EXPECTED {
        assert!(
            seen.get(what).is_some_and(|count| *count > 20),
            "{what} is rare: {seen:?}"
        );
    }
}

/// Tells the seed of a panic that comes from the machine itself.
struct Named(u64);

impl Drop for Named {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!(
                "repeat with {SEED}={} cargo test -p throughline-sandbox --lib random",
                self.0
            );
        }
    }
}

#[allow(clippy::disallowed_methods)] // how a test is told to repeat what failed
fn seeds(count: u64) -> std::ops::Range<u64> {
    let number = |key: &str| {
        std::env::var(key)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    match number(SEED) {
        Some(seed) => seed..seed + 1,
        None => 0..number("THROUGHLINE_LIFECYCLES").map_or(count, |lives| lives * 20),
    }
}

/// One environment and a world without manners around it.
struct Play {
    seed: u64,
    rng: Rng,
    environment: Environment,
    now: UnixNanos,
    watcher: Watcher,
    next_call: u64,
    invocations: u64,
    /// Of all registrations, those of dead extensions too.
    identifiers: Vec<String>,
    /// How often, in a hundred, the next event is what a good process would do.
    manners: u32,
    /// What happened, written down only when a play is repeated to be told.
    lines: Option<Vec<String>>,
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let millis = |rng: &mut Rng, most| Duration::from_millis(rng.u64(1..=most));
        let limits = Limits {
            init: millis(&mut rng, 500),
            init_ahead: millis(&mut rng, 900),
            restore: millis(&mut rng, 300),
            runtime_exit: millis(&mut rng, 50),
            runtime_exit_internal: millis(&mut rng, 50),
            shutdown: Duration::from_millis(60) + millis(&mut rng, 200),
            kill: millis(&mut rng, 100),
            ..Limits::default()
        };
        // Eleven are one too many.
        let extensions = [0, 0, 1, 1, 2, 3, 11][rng.usize(0..7)];
        let spec = Spec {
            function: "f".to_owned(),
            memory_mb: 128,
            timeout: millis(&mut rng, 900),
            runtime_version: None,
            initialization: match rng.u32(0..6) {
                0 => Initialization::SnapStart,
                1 => Initialization::Provisioned(1),
                _ => Initialization::OnDemand,
            },
            instance: "stream".to_owned(),
            extensions: (0..extensions).map(|index| format!("ext{index}")).collect(),
            limits,
        };
        Self {
            seed,
            manners: rng.u32(30..=98),
            rng,
            watcher: Watcher::new(limits),
            environment: Environment::new(spec),
            now: UnixNanos::from_millis(1_000_000),
            next_call: 0,
            invocations: 0,
            identifiers: Vec::new(),
            lines: None,
        }
    }

    fn run(&mut self) {
        let ahead = self.environment.spec.initialization != Initialization::OnDemand;
        if ahead && self.rng.u32(0..4) > 0 {
            self.step(Event::Init);
        }
        let length = self.rng.u32(5..120);
        for _ in 0..length {
            let event = self.any_event();
            self.step(event);
            if self.watcher.is_gone() {
                return;
            }
        }
        self.finish();
    }

    /// A shutdown, and from then on only the clock and the dead.
    fn finish(&mut self) {
        if !self.watcher.is_shutting_down() {
            self.step(Event::Shutdown);
        }
        for _ in 0..FINISH_STEPS_MAX {
            if self.watcher.is_gone() {
                return;
            }
            let killed = self.watcher.killed();
            match killed {
                Some(process) if self.rng.bool() => {
                    self.step(Event::Exited(process, Exit::Signal(9)));
                }
                _ => {
                    self.now = self.environment.next_deadline().unwrap_or(self.now);
                    self.step(Event::Tick);
                }
            }
        }
        self.fail("it never ends");
    }

    fn step(&mut self, event: Event) {
        if let Some(lines) = &mut self.lines {
            lines.push(format!("{} ms: {event:?}", self.now.as_millis()));
        }
        self.watcher.before(&event, self.now);
        let mut effects = Vec::new();
        self.environment.step(event, self.now, &mut effects);
        if let Some(lines) = &mut self.lines {
            lines.extend(effects.iter().map(|effect| format!("    {}", line(effect))));
        }
        if let Err(broken) = self.watcher.after(&self.environment, self.now, &effects) {
            self.fail(&broken);
        }
        for effect in effects {
            if let Effect::Spawn(process) = effect
                && self.rng.u32(0..100) > self.manners.max(90)
            {
                let fault = Fault::new("Runtime.InvalidEntrypoint", "no such file");
                self.step(Event::NotStarted(process, fault));
            } else if let Effect::Reply(call, _) = effect
                && self.rng.u32(0..40) == 0
            {
                self.step(Event::Undelivered(call));
            }
        }
    }

    /// Plays it once more, to tell what came before.
    fn fail(&self, broken: &str) -> ! {
        if let Some(lines) = &self.lines {
            panic!("{}\n{broken}", lines.join("\n"));
        }
        let mut again = Play::new(self.seed);
        again.lines = Some(Vec::new());
        again.run();
        panic!("{broken}, and not when it is repeated");
    }

    fn any_event(&mut self) -> Event {
        if self.rng.u32(0..300) == 0 && !self.watcher.is_shutting_down() {
            return [Event::Shutdown, Event::Lost]
                .into_iter()
                .nth(self.rng.usize(0..2))
                .unwrap();
        }
        if self.watcher.is_idle() && self.rng.u32(0..3) == 0 {
            self.invocations += 1;
            return Event::Invoke(invocation(&format!("r{}", self.invocations)));
        }
        self.pass_time();
        if self.rng.u32(0..100) < self.manners {
            return self.decent_event();
        }
        match self.rng.u32(0..10) {
            0 => Event::Tick,
            1 => self.exit(),
            _ => {
                let call = self.any_call();
                self.call(call)
            }
        }
    }

    fn pass_time(&mut self) {
        let wait = match self.rng.u32(0..12) {
            0 => self
                .environment
                .next_deadline()
                .map_or(0, |at| at.since(self.now).as_micros()),
            1 => u128::from(self.rng.u32(0..300_000)),
            _ => u128::from(self.rng.u32(0..2_000)),
        };
        self.now = self.now + Duration::from_micros(u64::try_from(wait).unwrap());
    }

    /// What would bring a good environment forward.
    fn decent_event(&mut self) -> Event {
        if let Some(process) = self.watcher.told_to_end() {
            return Event::Exited(process, Exit::Code(0));
        }
        let waiting = self.environment.extensions.iter().find_map(|extension| {
            match (extension.state, extension.is_external()) {
                (ExtensionState::Started, true) => Some(ApiCall::Register {
                    name: extension.name.clone(),
                    events: vec!["INVOKE".to_owned(), "SHUTDOWN".to_owned()],
                    fresh_id: String::new(),
                    with_account: false,
                }),
                (ExtensionState::Registered | ExtensionState::Running, _) => {
                    let identifier = extension.identifier.clone();
                    Some(ApiCall::ExtensionNext { identifier })
                }
                _ => None,
            }
        });
        let runtime_lives = self.environment.alive.contains(&Role::Runtime);
        let runtime = match self.environment.runtime {
            _ if !runtime_lives => None,
            RuntimeState::Running => Some(self.answer_now(true)),
            RuntimeState::Responding => Some(ApiCall::StreamEnd(self.stream_end(true))),
            RuntimeState::Started
                if self.environment.spec.initialization == Initialization::SnapStart =>
            {
                Some(ApiCall::RestoreNext)
            }
            RuntimeState::Started | RuntimeState::ResponseSent | RuntimeState::Restoring => {
                Some(ApiCall::RuntimeNext)
            }
            _ => None,
        };
        let mut calls: Vec<_> = waiting.into_iter().chain(runtime).collect();
        if calls.is_empty() {
            return Event::Tick;
        }
        let chosen = calls.swap_remove(self.rng.usize(0..calls.len()));
        self.call(chosen)
    }

    fn exit(&mut self) -> Event {
        let process = match self.rng.u32(0..4) {
            // News of a process that ended long ago, or never was.
            0 => Process {
                generation: self
                    .environment
                    .generation
                    .saturating_sub(self.rng.u32(0..3)),
                role: if self.rng.bool() {
                    Role::Runtime
                } else {
                    Role::Extension(self.rng.usize(0..4))
                },
            },
            _ => match self.watcher.any_alive(&mut self.rng) {
                Some(process) => process,
                None => return Event::Tick,
            },
        };
        let exit = [
            Exit::Code(0),
            Exit::Code(3),
            Exit::Signal(9),
            Exit::Signal(11),
        ];
        Event::Exited(process, exit[self.rng.usize(0..exit.len())])
    }

    fn call(&mut self, mut call: ApiCall) -> Event {
        if let ApiCall::Register { fresh_id, .. } = &mut call {
            *fresh_id = format!("00000000-0000-0000-0000-{:012}", self.identifiers.len() + 1);
            self.identifiers.push(fresh_id.clone());
        }
        self.next_call += 1;
        Event::Call(CallId(self.next_call), call)
    }

    fn any_call(&mut self) -> ApiCall {
        let error_type = [None, Some("Extension.Boom".to_owned())][self.rng.usize(0..2)].clone();
        match self.rng.u32(0..16) {
            0..3 => ApiCall::RuntimeNext,
            14 => ApiCall::RestoreNext,
            15 => ApiCall::RestoreError {
                error_type,
                body: Bytes::new(),
            },
            3 | 4 => self.answer_now(false),
            5 => {
                let (request_id, attempt) = self.whose();
                let content_type = self.rng.bool().then(|| "text/plain".to_owned());
                ApiCall::StreamStart {
                    request_id,
                    attempt,
                    content_type,
                }
            }
            6 => ApiCall::StreamEnd(self.stream_end(false)),
            7 if self.rng.u32(0..3) == 0 => ApiCall::RuntimeInitError {
                error_type,
                body: Bytes::from_static(b"{}"),
            },
            7..9 => {
                let names = ["ext0", "ext1", "inside", "inside too", ""];
                let events: &[&str] =
                    [&["INVOKE"][..], &["SHUTDOWN"], &[], &["NONE"]][self.rng.usize(0..4)];
                ApiCall::Register {
                    name: names[self.rng.usize(0..names.len())].to_owned(),
                    events: events.iter().map(|event| (*event).to_owned()).collect(),
                    fresh_id: String::new(),
                    with_account: self.rng.bool(),
                }
            }
            9 => ApiCall::ExtensionInitError {
                identifier: self.who(),
                error_type,
            },
            10 => ApiCall::ExtensionExitError {
                identifier: self.who(),
                error_type,
            },
            11 => ApiCall::Subscribe {
                api: [LogsOrTelemetry::Telemetry, LogsOrTelemetry::Logs][self.rng.usize(0..2)],
                identifier: self.who(),
                body: Bytes::from_static(if self.rng.bool() { SUBSCRIPTION } else { b"{}" }),
            },
            _ => ApiCall::ExtensionNext {
                identifier: self.who(),
            },
        }
    }

    fn who(&mut self) -> Option<String> {
        match self.rng.u32(0..8) {
            0 => None,
            1 => Some("nobody".to_owned()),
            _ if self.identifiers.is_empty() => Some(FIRST.to_owned()),
            // Mostly one of the last, who may be alive.
            _ => {
                let back = self.rng.usize(0..self.identifiers.len().min(4));
                Some(self.identifiers[self.identifiers.len() - 1 - back].clone())
            }
        }
    }

    /// The request that is answered, and the attempt at it.
    fn whose(&mut self) -> (String, Option<String>) {
        let late = if self.rng.u32(0..5) == 0 {
            self.rng.u64(0..3)
        } else {
            0
        };
        let request_id = format!("r{}", self.invocations.saturating_sub(late));
        let attempt = match self.rng.u32(0..6) {
            0 => None,
            1 => Some("attempt of another".to_owned()),
            _ => Some(format!("attempt of {request_id}")),
        };
        (request_id, attempt)
    }

    fn answer_now(&mut self, decent: bool) -> ApiCall {
        let (request_id, attempt) = if decent {
            (format!("r{}", self.invocations), None)
        } else {
            self.whose()
        };
        if decent && self.rng.u32(0..4) == 0 {
            return ApiCall::StreamStart {
                request_id,
                attempt,
                content_type: None,
            };
        }
        let bad = if decent { 0 } else { self.rng.u32(0..4) };
        ApiCall::RuntimeAnswer(RuntimeAnswer {
            request_id,
            attempt,
            first_byte: self.now,
            body: match bad {
                1 => Body::TooLarge { bytes: 7_000_000 },
                2 => Body::Truncated,
                _ => Body::Whole(Bytes::from_static(b"{}")),
            },
            mode: match self.rng.u32(0..8) {
                0 => ResponseMode::Error,
                1 if bad == 3 => ResponseMode::InvalidMode,
                _ => ResponseMode::Response,
            },
            error_type: None,
            error_cause: None,
        })
    }

    fn stream_end(&mut self, decent: bool) -> StreamEnd {
        let (request_id, attempt) = if decent {
            (format!("r{}", self.invocations), None)
        } else {
            self.whose()
        };
        StreamEnd {
            request_id,
            attempt,
            first_byte: self.now,
            bytes: 10,
            ending: match self.rng.u32(0..6) {
                0 => Ending::Truncated,
                1 => Ending::TooLarge {
                    bytes: STREAM_BYTES_MAX + 1,
                },
                2 => Ending::Failed {
                    error_type: "Function.Boom".to_owned(),
                    error: Bytes::new(),
                },
                _ => Ending::Complete,
            },
        }
    }
}

const SEED: &str = "THROUGHLINE_SEED";
/// Each limit is at most two steps away from the next one.
const FINISH_STEPS_MAX: u32 = 100;
const SUBSCRIPTION: &[u8] = br#"{"schemaVersion":"2022-12-13","types":["platform"],"destination":{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080"}}"#;
/// What must have come up among all the plays.
const EXPECTED: [&str; 10] = [
    "restored",
    "initialized ahead",
    "success",
    "error",
    "failure",
    "timeout",
    "late answer",
    "frozen",
    "streamed",
    "late init",
];
