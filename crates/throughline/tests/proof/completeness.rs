//! Many invocations over many environments with random faults, in front of the real server: either
//! it has every span, or it names what is missing and why. Spans are compared one by one.
//!
//! `PROOF_SEED` repeats the choices of a run, `PROOF_INVOCATIONS` says how many invocations there are.

mod faults;
mod verdict;
mod workers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;
use throughline_sandbox::Sandbox;
use throughline_testkit::leftovers::until_no_process_has;

use crate::backend::DOOR;
use crate::server::Server;
use crate::stage::{Lines, MARKER, Stage};
use faults::Troublemaker;
use verdict::Evidence;
use workers::Work;

/// Everything that is wrong.
pub(crate) async fn run(stage: &Stage) -> Vec<String> {
    let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
    let seed = number("PROOF_SEED").unwrap_or_else(|| fastrand::u64(..));
    let invocations = number("PROOF_INVOCATIONS").unwrap_or(INVOCATIONS);
    println!("    seed {seed}, {invocations} invocations");
    let mut problems = match play(stage, seed, invocations).await {
        Ok(problems) => problems,
        Err(why) => vec![why],
    };
    if !problems.is_empty() {
        problems.push(format!(
            "again with PROOF_SEED={seed} PROOF_INVOCATIONS={invocations}"
        ));
    }
    problems
}

async fn play(stage: &Stage, seed: u64, invocations: u64) -> Result<Vec<String>, String> {
    let mut random = Rng::with_seed(seed);
    let marker = format!("{}-completeness", std::process::id());
    let journal = stage.journal(&marker);
    let mut server = Server::start();
    let functions = FUNCTIONS.iter().map(|name| {
        stage
            .function(name, &marker, &journal)
            .timeout(TIMEOUT)
            .env(
                "THROUGHLINE_ENDPOINT",
                format!("http://{}", server.otlp_http),
            )
    });
    let sandbox = functions.fold(Sandbox::new(), Sandbox::function);
    let sandbox = sandbox
        .extension(stage.extension())
        .door(DOOR, &server.otlp_http)
        .concurrency(ENVIRONMENTS / FUNCTIONS.len())
        .idle_timeout(IDLE_MAX);
    let started = sandbox.start_with_activity().await;
    let (sandbox, activity) = started.map_err(|error| error.to_string())?;
    let lines = Lines::of(activity);

    let began = Instant::now();
    let work = Arc::new(Work::new(invocations, random.u64(..)));
    let sandbox = Arc::new(sandbox);
    let workers = work.start(&sandbox, ENVIRONMENTS);
    let mut troublemaker = Troublemaker::new(random, &sandbox);
    troublemaker.trouble(&work, &mut server).await?;
    let worked = workers.join_all().await;
    let invoked: Vec<_> = worked.into_iter().collect::<Result<Vec<_>, _>>()?.concat();
    let took = began.elapsed();
    let troubles = troublemaker.outline();
    drop(troublemaker);

    // The end: every environment is shut down and says its last words.
    let sandbox = Arc::into_inner(sandbox).ok_or("somebody still uses the sandbox")?;
    sandbox.shutdown().await;
    until_no_process_has(&format!("{MARKER}={marker}")).await?;
    let (said, struck) = lines.of_all().await?;
    println!(
        "    {} invocations in {:.1} s, {}",
        invoked.len(),
        took.as_secs_f64(),
        troubles
    );
    let envelopes: Vec<_> = said.iter().filter(|line| line.starts_with('{')).collect();
    let evidence = Evidence {
        taken: journal.taken(),
        invoked,
        struck,
    };
    let before = evidence.load(&server).await?;
    println!(
        "    {} lines on stdout; before them {before}",
        envelopes.len()
    );
    let mut problems = before.problems(&evidence, false);
    // What CloudWatch Logs would have of the extensions comes back in.
    for envelopes in envelopes.chunks(100) {
        let text = envelopes
            .iter()
            .fold(String::new(), |text, line| text + line + "\n");
        server.send("/api/v1/cloudwatch", text).await?;
    }
    let after = evidence.load(&server).await?;
    println!("    and after them {after}");
    problems.extend(after.problems(&evidence, true));
    Ok(problems)
}

const FUNCTIONS: [&str; 4] = ["cart", "checkout", "inventory", "notify"];
/// Of all functions together.
const ENVIRONMENTS: usize = 20;
const INVOCATIONS: u64 = 1000;
/// A function that hangs waits for it, the others are done in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(3);
/// Environments that nobody calls for so long are shut down.
const IDLE_MAX: Duration = Duration::from_millis(400);
