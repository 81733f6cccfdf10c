//! An environment with the function and the extension, and a server behind a door.

use std::time::{Duration, Instant};

use throughline_sandbox::{
    Answer, Exchange, Fault, Finished, Invoke, InvokeError, Outcome, RunningSandbox, Sandbox,
    Status,
};
use throughline_testkit::intake::FakeIntake;
use throughline_testkit::leftovers::until_no_process_has;

use crate::account::{Account, End};
use crate::backend::DOOR;
use crate::function::{Event, Then, hangs};
use crate::journal::Journal;
use crate::stage::{Lines, MARKER, PATIENCE, Stage, With};

/// What the caller of the function saw of an invocation, and what the platform says of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Seen {
    payload: String,
    outcome: Outcome,
    status: Option<Status>,
    error_type: Option<String>,
    pub(crate) took: Duration,
}

/// What came of a run.
pub(crate) struct Report {
    pub(crate) account: Account,
    pub(crate) seen: Vec<Seen>,
    /// What the extension wrote.
    pub(crate) lines: Vec<String>,
    pub(crate) problems: Vec<String>,
}

/// A function, its environment and the server behind the door.
pub(crate) struct Run {
    pub(crate) sandbox: RunningSandbox,
    pub(crate) intake: FakeIntake,
    lines: Lines,
    journal: Journal,
    marker: String,
    with: With,
    seen: Vec<Seen>,
}

impl Run {
    /// `name` is nobody else's.
    pub(crate) async fn start(stage: &Stage, name: &str, with: With) -> Result<Self, String> {
        let marker = format!("{}-{name}-{with:?}", std::process::id());
        let marker = marker.replace(|letter: char| !letter.is_ascii_alphanumeric(), "-");
        let journal = stage.journal(&marker);
        let intake = FakeIntake::start().await;
        let target = intake.endpoint().replace("http://", "");
        let room = ROOM_BYTES.to_string();
        let function = stage
            .function("f", &marker, &journal)
            .timeout(TIMEOUT)
            .env("THROUGHLINE_ENDPOINT", intake.endpoint())
            .env("THROUGHLINE_BUFFER_BYTES", (2 * ROOM_BYTES).to_string())
            .env("THROUGHLINE_SPILL_BYTES", &room);
        let sandbox: Sandbox = stage.sandbox(function, with).door(DOOR, target).record();
        let started = sandbox.start_with_activity().await;
        let (sandbox, activity) = started.map_err(|error| error.to_string())?;
        Ok(Run {
            lines: Lines::of(activity),
            sandbox,
            intake,
            journal,
            marker,
            with,
            seen: Vec::new(),
        })
    }

    /// Makes a call and waits until the environment is frozen again.
    pub(crate) async fn call(&mut self, event: Event) -> Result<(), String> {
        let answer = self.call_any(event).await?;
        let expected = match event.then {
            Then::Return => Outcome::Returned,
            Then::Exit | Then::Hang => Outcome::FunctionError,
        };
        if answer.outcome != expected {
            return Err(format!("call {} ends with {}", event.number, answer.text()));
        }
        Ok(())
    }

    /// The same, however it ends.
    pub(crate) async fn call_any(&mut self, event: Event) -> Result<Answer, String> {
        let began = Instant::now();
        let called = call_to_end(&self.sandbox, event).await;
        let (answer, finished) = called.map_err(|error| error.to_string())?;
        self.saw(&answer, Some(&finished), began.elapsed());
        Ok(answer)
    }

    /// Makes a call and waits for its answer only.
    pub(crate) async fn call_only(&mut self, event: Event) -> Result<(), String> {
        let began = Instant::now();
        let answer = call(&self.sandbox, event).await;
        let answer = answer.map_err(|error| error.to_string())?;
        self.saw(&answer, None, began.elapsed());
        Ok(())
    }

    /// Makes a call that hangs, and does something about it.
    pub(crate) async fn call_and(
        &mut self,
        event: Event,
        then: impl FnOnce(&RunningSandbox) -> Result<(), String>,
    ) -> Result<(), String> {
        let began = Instant::now();
        let strike = async {
            self.lines.until(&hangs(event.number)).await?;
            then(&self.sandbox)
        };
        let called = call_to_end(&self.sandbox, event);
        let (called, struck) = tokio::join!(called, strike);
        struck?;
        let (answer, finished) = called.map_err(|error| error.to_string())?;
        self.saw(&answer, Some(&finished), began.elapsed());
        Ok(())
    }

    /// Has something happen to the environment, and waits until it has.
    pub(crate) async fn strike_now(&self, fault: Fault) -> Result<(), String> {
        let added = self.sandbox.fault(fault.on_environments());
        let handle = added.map_err(|error| error.to_string())?;
        while handle.struck() != Some(1) {
            tokio::task::yield_now().await;
        }
        Ok(())
    }

    /// Waits until everybody has asked for the next invocation, of which there were so many.
    pub(crate) async fn idle(&self, invocations: usize) -> Result<(), String> {
        let askers = match self.with {
            With::Extension => 2,
            With::Nothing => 1,
        };
        let asked = |exchanges: &[Exchange]| {
            let asks = exchanges
                .iter()
                .filter(|exchange| exchange.path.ends_with("/next"));
            asks.count() >= askers * (invocations + 1)
        };
        let asked = self.sandbox.recorded_until(asked);
        let asked = tokio::time::timeout(PATIENCE, asked).await;
        asked
            .map(drop)
            .map_err(|_| "somebody does not ask for the next invocation".to_owned())
    }

    fn saw(&mut self, answer: &Answer, finished: Option<&Finished>, took: Duration) {
        let text = answer.text();
        self.seen.push(Seen {
            payload: text.replace(&answer.request_id, "REQUEST"),
            outcome: answer.outcome,
            status: finished.map(|finished| finished.status),
            error_type: finished.and_then(|finished| finished.error_type.clone()),
            took,
        });
    }

    /// Shuts everything down and reckons.
    pub(crate) async fn end(self, end: End) -> Result<Report, String> {
        tokio::time::timeout(SHUTDOWN_MAX, self.sandbox.shutdown())
            .await
            .map_err(|_| "the shutdown takes too long".to_owned())?;
        until_no_process_has(&format!("{MARKER}={}", self.marker)).await?;
        let lines = self.lines.of_extension().await?;
        let account = Account::of(&self.intake.received(), &lines);
        let problems = match self.with {
            With::Extension => account.problems(&self.journal.taken(), end),
            With::Nothing => Vec::new(),
        };
        Ok(Report {
            account,
            seen: self.seen,
            lines,
            problems,
        })
    }
}

impl Seen {
    /// Whether the caller saw the same, apart from the time.
    pub(crate) fn is_like(&self, other: &Seen) -> bool {
        let alike = |seen: &Seen| Seen {
            took: Duration::ZERO,
            ..seen.clone()
        };
        alike(self) == alike(other)
    }
}

pub(crate) fn strike(sandbox: &RunningSandbox, fault: Fault) -> Result<(), String> {
    let added = sandbox.fault(fault.on_environments());
    added.map(drop).map_err(|error| error.to_string())
}

/// Calls, again for as long as the environment is busy with what comes after the call before.
async fn call(sandbox: &RunningSandbox, event: Event) -> Result<Answer, InvokeError> {
    loop {
        match sandbox.call(invoke(event)).await {
            Err(InvokeError::Throttled { .. }) => tokio::task::yield_now().await,
            called => return called,
        }
    }
}

/// The same, to the end of its work.
async fn call_to_end(
    sandbox: &RunningSandbox,
    event: Event,
) -> Result<(Answer, Finished), InvokeError> {
    loop {
        match sandbox.call_to_end(invoke(event)).await {
            Err(InvokeError::Throttled { .. }) => tokio::task::yield_now().await,
            called => return called,
        }
    }
}

fn invoke(event: Event) -> Invoke {
    let id = event.trace_id();
    let (root, rest) = id.split_at(8);
    Invoke::new("f")
        .payload(event.payload())
        .trace_header(format!("Root=1-{root}-{rest};Sampled=1"))
}

/// Nothing waits for it to pass: the sandbox's time is set forward.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(300);
/// Lambda gives two seconds; the rest is for a busy machine.
const SHUTDOWN_MAX: Duration = Duration::from_secs(20);
/// What may wait in memory, and what in `/tmp`: little, so that a flood is one.
const ROOM_BYTES: usize = 64 << 10;
