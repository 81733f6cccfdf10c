//! What the function pays for the extension, in every condition of the server, with nothing beside it.
//!
//! Times are taken from the platform's side: from the runtime's call of `next`, when the function is
//! done, to the extension's, when the environment can freeze. The bounds are those of the design and
//! room for a debug build on a busy machine; a server that somebody waits for costs more.

use std::time::{Duration, Instant};

use throughline_sandbox::{Exchange, Who};

use crate::backend::{BACKENDS, Backend};
use crate::function::Event;
use crate::run::Run;
use crate::stage::{Stage, With};

/// Everything that is wrong.
pub(crate) async fn run(stage: &Stage) -> Vec<String> {
    let mut problems = Vec::new();
    let alone = match measure(stage, BACKENDS[0], With::Nothing).await {
        Ok(alone) => alone,
        Err(why) => return vec![why],
    };
    let measured = BACKENDS.iter().filter(|backend| !backend.comes_back);
    for backend in measured {
        match measure(stage, *backend, With::Extension).await {
            Ok(paid) => {
                println!("    {:<26} {paid}", backend.name);
                let found = paid.problems(&alone).into_iter();
                problems.extend(found.map(|why| format!("{}: {why}", backend.name)));
            }
            Err(why) => problems.push(format!("{}: {why}", backend.name)),
        }
    }
    problems
}

/// What invocations cost once the server is as it is.
struct Paid {
    /// Until the caller has the answer.
    answers: Vec<Duration>,
    /// After the function was done.
    after: Vec<Duration>,
}

async fn measure(stage: &Stage, backend: Backend, with: With) -> Result<Paid, String> {
    let mut run = Run::start(stage, &format!("latency {}", backend.name), with).await?;
    if backend.from_start {
        backend.strike(&run).await;
    }
    // Of a function that is called often nobody waits for the end of an invocation, so that an outage
    // must meet one that is not.
    let warm = if backend.name == "up" { OFTEN } else { 1 };
    for number in 1..=warm {
        run.call(Event::plain(number)).await?;
    }
    backend.strike(&run).await;
    let mut answers = Vec::new();
    for number in warm + 1..=warm + INVOCATIONS {
        let began = Instant::now();
        run.call_only(Event::plain(number)).await?;
        answers.push(began.elapsed());
        // The next call finds the environment free when everybody has asked for it.
        run.idle(usize::try_from(number).unwrap_or(0)).await?;
    }
    let after = after_the_function(&run.sandbox.recorded());
    // Its end is not of interest here, and takes its time.
    drop(run);
    let skipped = after.len().saturating_sub(answers.len());
    Ok(Paid {
        answers,
        after: after[skipped..].to_vec(),
    })
}

/// For each invocation: how long after the runtime the extension asked for the next event.
fn after_the_function(exchanges: &[Exchange]) -> Vec<Duration> {
    let mut asks = exchanges
        .iter()
        .filter(|exchange| exchange.path.ends_with("/next"));
    // The first ones of both end the init.
    let mut after = Vec::new();
    let (mut runtime, mut extension) = (Vec::new(), Vec::new());
    for exchange in &mut asks {
        match exchange.who {
            Who::Runtime => runtime.push(exchange.at),
            _ => extension.push(exchange.at),
        }
    }
    for (runtime, extension) in runtime.iter().zip(&extension).skip(1) {
        after.push(extension.since(*runtime));
    }
    after
}

impl Paid {
    fn problems(&self, alone: &Paid) -> Vec<String> {
        let mut problems = Vec::new();
        let mut hold = |what: &str, paid: Duration, most: Duration| {
            if paid > most {
                problems.push(format!("{what} {paid:?}, at most {most:?}: {self}"));
            }
        };
        let added = median(&self.answers).saturating_sub(median(&alone.answers));
        hold("an answer comes later by", added, ANSWER_MAX);
        let (first, later) = self.after.split_at(1.min(self.after.len()));
        hold("the first takes", median(first), FIRST_MAX);
        hold("later ones take", median(later), LATER_MAX);
        problems
    }
}

impl std::fmt::Display for Paid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (first, later) = self.after.split_at(1.min(self.after.len()));
        let most = later.iter().max().copied().unwrap_or_default();
        write!(
            f,
            "answer {:.1?}, after it {:.1?} once, then {:.1?}, {most:.1?} at most",
            median(&self.answers),
            median(first),
            median(later),
        )
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

const INVOCATIONS: u64 = 11;
const OFTEN: u64 = 30;
const ANSWER_MAX: Duration = Duration::from_millis(100);
/// The budget of a flush is 50 ms.
const FIRST_MAX: Duration = Duration::from_millis(200);
/// The platform tells of the end of an invocation 25 ms later.
const LATER_MAX: Duration = Duration::from_millis(60);
