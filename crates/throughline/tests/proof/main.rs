//! The proof that the extension loses nothing and slows nothing: the built extension beside a real
//! function, under the sandbox's faults, in front of a server in every condition.
//!
//! This program is two things: the tests, and, started by a sandbox that they run, the function.
//! `cargo test --test proof -- NAME` chooses tests by their names, and cells of the matrix by
//! parts of theirs: `PROOF_CELL='503 / crash'`.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message
#![allow(clippy::disallowed_methods)] // how a test is told what to repeat, and how long it took

mod account;
mod backend;
mod cell;
mod completeness;
mod evidence;
mod function;
mod http;
mod journal;
mod latency;
mod matrix;
mod run;
mod server;
mod stage;
mod thaw;
mod trouble;

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use stage::Stage;

fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return function::play();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let chosen = |name: &str| {
        let mut filters = arguments
            .iter()
            .filter(|argument| !argument.starts_with('-'));
        let first = filters.next();
        first.is_none_or(|filter| name.contains(filter.as_str()))
            || filters.any(|filter| name.contains(filter.as_str()))
    };
    let tests: Vec<_> = TESTS.iter().filter(|name| chosen(name)).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|name| println!("{name}: test"));
        println!();
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", tests.len());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let stage = Arc::new(Stage::build());
    let mut failed = 0;
    for name in &tests {
        let began = Instant::now();
        let problems = runtime.block_on(run(name, &stage));
        let word = if problems.is_empty() { "ok" } else { "FAILED" };
        println!(
            "test {name} ... {word} ({:.1} s)",
            began.elapsed().as_secs_f64()
        );
        problems
            .iter()
            .for_each(|problem| println!("    {problem}"));
        failed += usize::from(!problems.is_empty());
    }
    let word = if failed == 0 { "ok" } else { "FAILED" };
    let passed = tests.len() - failed;
    println!("\ntest result: {word}. {passed} passed; {failed} failed; 0 ignored");
    ExitCode::from(u8::from(failed > 0))
}

async fn run(name: &str, stage: &Arc<Stage>) -> Vec<String> {
    match name {
        COMPLETENESS => completeness::run(stage).await,
        LATENCY => latency::run(stage).await,
        MATRIX => matrix::run(stage).await,
        THAW => thaw::run(stage).await,
        _ => unreachable!("every test is named here"),
    }
}

const MATRIX: &str = "everything_taken_in_is_accounted_for_under_every_fault";
const THAW: &str = "a_freeze_at_any_step_of_a_delivery_loses_nothing";
const LATENCY: &str = "no_server_slows_the_function";
const TESTS: [&str; 4] = [MATRIX, THAW, LATENCY, COMPLETENESS];
const COMPLETENESS: &str = "the_server_has_every_span_or_names_what_is_missing";
