//! What the function's callers wait for, and what an invocation takes after its answer.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use throughline_sandbox::{
    DoorState, Exchange, Function, Invoke, InvokeError, Outcome, RunningSandbox, Sandbox, Who,
};

use crate::figures::{Figures, Goal, quantile};
use crate::rounds;
use crate::server::{Manner, Server};

/// What is beside the function.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Beside<'a> {
    Nothing,
    Program(&'a Path),
}

/// What becomes of the server after the first invocation.
#[derive(Clone, Copy)]
enum Outage {
    None,
    Manner(Manner),
    Door(DoorState),
}

/// The benchmark's own code as a function.
pub(crate) struct Stage {
    _folder: tempfile::TempDir,
    code: PathBuf,
}

impl Stage {
    pub(crate) fn build() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let code = folder.path().to_owned();
        std::fs::copy(std::env::current_exe().unwrap(), code.join("bootstrap")).unwrap();
        Stage {
            _folder: folder,
            code,
        }
    }
}

/// Milliseconds that an answer takes with the program and with nothing beside the function.
pub(crate) async fn answers(figures: &mut Figures, stage: &Stage, extension: &Path, bare: &Path) {
    let server = Server::start();
    let (mut medians, mut tails) = (Vec::new(), Vec::new());
    let (mut bare_medians, mut bare_tails) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let alone = answer_times(stage, &server, Beside::Nothing).await;
        let with = answer_times(stage, &server, Beside::Program(extension)).await;
        let beside = answer_times(stage, &server, Beside::Program(bare)).await;
        let added = |with: &[f64], share| quantile(with, share) - quantile(&alone, share);
        medians.push(added(&with, 0.5));
        tails.push(added(&with, 0.99));
        bare_medians.push(added(&beside, 0.5));
        bare_tails.push(added(&beside, 0.99));
    }
    let note = "call to answer, less the same with nothing beside the function; 100 calls a round, 10 ms apart";
    figures.add(
        ("added to the answer, median", "ms"),
        &medians,
        Some(&bare_medians),
        Goal::AtMost(0.1),
        note,
    );
    figures.add(
        ("added to the answer, p99", "ms"),
        &tails,
        Some(&bare_tails),
        Goal::AtMost(1.0),
        note,
    );
}

async fn answer_times(stage: &Stage, server: &Server, beside: Beside<'_>) -> Vec<f64> {
    let sandbox = start(stage, server, beside).start().await.unwrap();
    for _ in 0..5 {
        call(&sandbox, "0").await;
    }
    let mut times = Vec::new();
    while times.len() < 100 {
        tokio::time::sleep(Duration::from_millis(10)).await;
        times.push(call(&sandbox, "0").await);
    }
    times
}

/// What comes after the answer until everybody has asked for the next event.
pub(crate) async fn after(figures: &mut Figures, stage: &Stage, extension: &Path, bare: &Path) {
    let closed = DoorState::Refuse;
    let cases = [
        ("a healthy server", Outage::None),
        ("a server that hangs", Outage::Manner(Manner::Hangs)),
        ("a server that refuses", Outage::Door(closed)),
        ("a server that says 503", Outage::Manner(Manner::Answers503)),
        ("a black hole", Outage::Door(DoorState::BlackHole)),
    ];
    let beside = after_times(stage, bare, Outage::None, OFTEN).await;
    for (name, outage) in cases {
        // Where nobody waits for the end of an invocation no server can be waited for either, so
        // that outages meet a function that is called for the first time in a while.
        let warm = match outage {
            Outage::None => OFTEN,
            _ => RARELY,
        };
        let ours = after_times(stage, extension, outage, warm).await;
        let mut add = |what: &str, share: f64, goal: f64, first: bool| {
            let figure = |times: &After| match first {
                true => times.first.clone(),
                false => times
                    .later
                    .iter()
                    .map(|round| quantile(round, share))
                    .collect(),
            };
            let note = match first {
                true => "the first invocation after the server became so; 10 spans",
                false => "30 more invocations, each as soon as the one before is over; 10 spans",
            };
            let title = format!("after it, {name}: {what}");
            let (ours, beside) = (figure(&ours), figure(&beside));
            figures.add(
                (&title, "ms"),
                &ours,
                Some(&beside),
                Goal::AtMost(goal),
                note,
            );
        };
        match outage {
            Outage::None => {
                add("p50", 0.5, 1.0, false);
                add("p99", 0.99, 10.0, false);
                figures.add(
                    ("after it, called for the first time", "ms"),
                    &ours.new,
                    Some(&beside.new),
                    Goal::None,
                    "a healthy server; the first invocations of an environment, whose end is waited for: the platform tells of it 25 ms later",
                );
            }
            _ => {
                add("first", 0.5, 50.0, true);
                add("later", 0.5, 1.0, false);
                add("later p99", 0.99, 1.0, false);
            }
        }
    }
}

/// Milliseconds.
struct After {
    /// The second invocation of all.
    new: Vec<f64>,
    first: Vec<f64>,
    /// By round.
    later: Vec<Vec<f64>>,
}

async fn after_times(stage: &Stage, program: &Path, outage: Outage, warm: usize) -> After {
    let (mut new, mut first, mut later) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds() {
        let server = Server::start();
        let sandbox = start(stage, &server, Beside::Program(program)).record();
        let sandbox = sandbox.start().await.unwrap();
        for number in 1..=warm {
            call(&sandbox, "10").await;
            idle(&sandbox, number).await;
        }
        match outage {
            Outage::None => {}
            Outage::Manner(manner) => server.set(manner),
            Outage::Door(state) => sandbox.doors().set(DOOR, state).unwrap(),
        }
        for number in warm + 1..=warm + 31 {
            call(&sandbox, "10").await;
            idle(&sandbox, number).await;
        }
        let times = after_each(&sandbox.recorded());
        new.push(times[1]);
        first.push(times[warm]);
        later.push(times[warm + 1..].to_vec());
    }
    After { new, first, later }
}

/// For each invocation: from the runtime's call of `next` to the extension's.
fn after_each(exchanges: &[Exchange]) -> Vec<f64> {
    let asks = |of_runtime: bool| {
        let asks = exchanges
            .iter()
            .filter(|exchange| exchange.path.ends_with("/next"));
        // The first one ends the init.
        asks.filter(move |exchange| (exchange.who == Who::Runtime) == of_runtime)
            .skip(1)
    };
    let pairs = asks(true).zip(asks(false));
    let after = pairs.map(|(runtime, extension)| extension.at.since(runtime.at));
    after.map(|after| after.as_secs_f64() * 1e3).collect()
}

async fn idle(sandbox: &RunningSandbox, invocations: usize) {
    let all_ask = |exchanges: &[Exchange]| {
        let asks = exchanges
            .iter()
            .filter(|exchange| exchange.path.ends_with("/next"));
        asks.count() == 2 * (invocations + 1)
    };
    sandbox.recorded_until(all_ask).await;
}

fn start(stage: &Stage, server: &Server, beside: Beside<'_>) -> Sandbox {
    let function = Function::new("bench", &stage.code)
        .timeout(Duration::from_secs(60))
        .memory_mb(1024)
        .env(
            "THROUGHLINE_ENDPOINT",
            format!("http://{}", server.address()),
        );
    let sandbox = Sandbox::new().function(function).concurrency(1);
    let sandbox = sandbox.door(DOOR, server.address());
    match beside {
        Beside::Nothing => sandbox,
        Beside::Program(program) => sandbox.extension(program),
    }
}

/// Milliseconds from the call to its answer.
async fn call(sandbox: &RunningSandbox, event: &'static str) -> f64 {
    loop {
        let began = Instant::now();
        let answer = match sandbox.call(Invoke::new("bench").payload(event)).await {
            // Busy with what comes after the last answer.
            Err(InvokeError::Throttled { .. }) => {
                tokio::time::sleep(Duration::from_micros(200)).await;
                continue;
            }
            answer => answer.unwrap(),
        };
        assert_eq!(answer.outcome, Outcome::Returned, "{}", answer.text());
        return began.elapsed().as_secs_f64() * 1e3;
    }
}

const DOOR: &str = "server";
/// Invocations before those that are measured: enough to count as a function that is called often,
/// and too few for it.
const OFTEN: usize = 40;
const RARELY: usize = 3;
