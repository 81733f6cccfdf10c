//! Real functions in three languages send each other messages by every medium there is, and what the server has of them
//! says how the trace got from one to the other.
//!
//! This program is two things: the tests, and, started by the sandbox that they run, the function in Rust.
//! `cargo test --test propagation -- NAME` chooses tests by their names, and `PROPAGATION=kafka` one row of the table.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message
#![allow(clippy::disallowed_methods)] // how a test is told what to do, and how long it took

mod application;
#[path = "../../../sources/tests/story/broker.rs"]
mod broker;
mod calls;
mod crowd;
mod function;
mod media;
#[path = "../../../sources/tests/story/moto.rs"]
mod moto;
mod page;
mod rabbit;
mod redrive;
mod replay;
mod secrets;
#[path = "../proof/server.rs"]
#[allow(dead_code)] // the proof also kills it
mod server;
#[path = "../../../sources/tests/story/servers.rs"]
mod servers;
mod table;
mod verdict;
mod world;

use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return function::play();
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filters: Vec<_> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    // The crowd takes long, and is not yet without fault where the machine has much to do: `make crowd`.
    let chosen = |name: &&&str| match filters.is_empty() {
        true => **name != CROWD,
        false => filters.iter().any(|filter| name.contains(filter.as_str())),
    };
    let tests: Vec<_> = TESTS.iter().filter(chosen).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        tests.iter().for_each(|name| println!("{name}: test"));
        println!();
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", tests.len());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let mut failed = 0;
    for name in &tests {
        let began = Instant::now();
        let problems = runtime.block_on(run(name));
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
    println!(
        "\ntest result: {word}. {passed} passed; {failed} failed; {} ignored",
        TESTS.len() - tests.len()
    );
    ExitCode::from(u8::from(failed > 0))
}

async fn run(name: &str) -> Vec<String> {
    match name {
        CROWD => crowd::run().await,
        TABLE => table::run().await,
        _ => unreachable!("every test is named here"),
    }
}

const TABLE: &str = "the_trace_gets_from_every_language_to_every_other_by_every_medium";
const CROWD: &str = "a_thousand_user_actions_at_once_are_not_mixed";
const TESTS: [&str; 2] = [TABLE, CROWD];
