//! `make bench-sandbox`: how fast the sandbox is, beside what the processes cost by themselves.
//!
//! Writes `target/bench/sandbox.json` (or the file that is named) and prints the same. This program is also the functions
//! that it measures: started by a sandbox it is a no-op function, with the real runtime client or with a bare one that
//! tells how long it had the event.

#![allow(clippy::unwrap_used)] // whoever measures wants to see why it cannot
#![allow(clippy::disallowed_methods)] // the clock is what this is about

mod functions;
mod rounds;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use throughline_sandbox::{Function, Invoke, Outcome, RunningSandbox, Sandbox};
use tokio::task::JoinSet;

use rounds::Figures;

fn main() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return functions::run();
    }
    let file = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "target/bench/sandbox.json".to_owned());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let figures = runtime.block_on(measure());
    let document = json!({
        "bench": "sandbox",
        "commit": output("git", &["rev-parse", "--short", "HEAD"]),
        "date": output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "machine": machine(),
        "rounds": ROUNDS,
        "figures": figures.0,
    });
    let file = Path::new(&file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, format!("{document:#}\n")).unwrap();
    println!("{}\n\nwritten to {}", figures.table(), file.display());
}

async fn measure() -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let own = std::env::current_exe().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    std::fs::copy(own, &bootstrap).unwrap();
    let mut figures = Figures::default();

    let mut through_one = Vec::new();
    let mut through_eight = Vec::new();
    let mut bare_starts = Vec::new();
    let mut cold_starts = Vec::new();
    let mut medians = Vec::new();
    let mut tails = Vec::new();
    for round in 1..=ROUNDS {
        eprintln!("round {round} of {ROUNDS}");
        through_one.push(throughput(folder.path(), 1).await);
        through_eight.push(throughput(folder.path(), 8).await);
        let bare: Vec<_> = (0..STARTS)
            .map(|_| functions::bare_start(&bootstrap))
            .collect();
        bare_starts.push(rounds::quantile(&bare, 0.5));
        let mut cold = Vec::new();
        for _ in 0..STARTS {
            cold.push(cold_start(folder.path()).await);
        }
        cold_starts.push(rounds::quantile(&cold, 0.5));
        let overheads = overheads(folder.path()).await;
        medians.push(rounds::quantile(&overheads, 0.5));
        tails.push(rounds::quantile(&overheads, 0.99));
    }
    let bare = rounds::quantile(&bare_starts, 0.5);
    let over_bare: Vec<_> = cold_starts.iter().map(|cold| cold - bare).collect();
    figures.add(
        "invocations_one_environment",
        "1/s",
        &through_one,
        None,
        "lambda_runtime, each call to its very end",
    );
    figures.add(
        "invocations_eight_environments",
        "1/s",
        &through_eight,
        None,
        "the same from eight callers",
    );
    figures.add(
        "overhead_median",
        "ms",
        &medians,
        Some(0.3),
        "call to answer, less what the function had the event",
    );
    figures.add("overhead_p99", "ms", &tails, Some(2.0), "the same");
    figures.add(
        "bare_start",
        "ms",
        &bare_starts,
        None,
        "exec to the first request at a plain listener",
    );
    figures.add(
        "cold_start",
        "ms",
        &cold_starts,
        None,
        "call to answer in a new environment",
    );
    figures.add(
        "cold_start_over_bare",
        "ms",
        &over_bare,
        Some(15.0),
        "the difference of the two",
    );
    figures
}

fn sandbox(folder: &Path, client: &str, concurrency: usize) -> Sandbox {
    let function = Function::new("noop", folder)
        .timeout(Duration::from_secs(60))
        .env("BENCH_CLIENT", client);
    Sandbox::new().function(function).concurrency(concurrency)
}

/// Invocations a second from so many callers at once.
async fn throughput(folder: &Path, environments: usize) -> f64 {
    let running = sandbox(folder, "lambda_runtime", environments)
        .start()
        .await
        .unwrap();
    let running = std::sync::Arc::new(running);
    // Each caller has an environment, which is warm.
    call_from(&running, environments, 5).await;
    let began = Instant::now();
    call_from(&running, environments, CALLS / environments).await;
    let calls = u32::try_from(CALLS / environments * environments).unwrap();
    f64::from(calls) / began.elapsed().as_secs_f64()
}

async fn call_from(running: &std::sync::Arc<RunningSandbox>, callers: usize, calls: usize) {
    let mut tasks = JoinSet::new();
    for _ in 0..callers {
        let running = running.clone();
        tasks.spawn(async move {
            for _ in 0..calls {
                let (answer, _) = running.call_to_end(Invoke::new("noop")).await.unwrap();
                assert_eq!(answer.outcome, Outcome::Returned, "{}", answer.text());
            }
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
}

/// Milliseconds from call to answer, less those that the function says it had the event.
async fn overheads(folder: &Path) -> Vec<f64> {
    let running = sandbox(folder, "bare", 1).start().await.unwrap();
    running.call_to_end(Invoke::new("noop")).await.unwrap();
    let mut overheads = Vec::new();
    while overheads.len() < OVERHEADS {
        let began = Instant::now();
        // Busy means that the environment is still at what comes after the last answer.
        let Ok(answer) = running.call(Invoke::new("noop")).await else {
            tokio::time::sleep(Duration::from_millis(1)).await;
            continue;
        };
        let took = began.elapsed();
        let held: u64 = answer.text().parse().unwrap();
        overheads.push(rounds::millis(
            took.saturating_sub(Duration::from_nanos(held)),
        ));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    overheads
}

async fn cold_start(folder: &Path) -> f64 {
    let running = sandbox(folder, "lambda_runtime", 1).start().await.unwrap();
    let began = Instant::now();
    let answer = running.invoke("noop", "{}").await.unwrap();
    let took = began.elapsed();
    assert_eq!(answer.outcome, Outcome::Returned, "{}", answer.text());
    running.shutdown().await;
    rounds::millis(took)
}

fn machine() -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    json!({
        "cores": cores,
        "kernel": output("uname", &["-r"]),
        "load": load.split(' ').take(3).collect::<Vec<_>>().join(" "),
        "processes": std::fs::read_dir("/proc").unwrap().flatten()
            .filter(|entry| entry.file_name().to_string_lossy().parse::<u32>().is_ok()).count(),
    })
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(PathBuf::from(program))
        .args(arguments)
        .output();
    output
        .map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        .unwrap_or_default()
}

const ROUNDS: usize = 5;
/// Of one round.
const CALLS: usize = 1600;
const OVERHEADS: usize = 600;
const STARTS: usize = 10;
