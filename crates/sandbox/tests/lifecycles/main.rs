//! A thousand lives with real processes and sockets, chosen by seeds: each ends in a legal state with nothing left over.
//!
//! This program is three things: the test, and, started by a sandbox that the test runs, a function and its extensions.
//! `THROUGHLINE_SEED` repeats one life, `THROUGHLINE_LIFECYCLES` says how many there are.

#![allow(clippy::unwrap_used)] // in the helpers of tests too a panic is the message
#![allow(clippy::disallowed_methods)] // how a test is told what to repeat, and how long it took

mod http;
mod life;
mod script;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use life::{Life, Stage};
use throughline_testkit::leftovers::Inventory;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

fn main() -> ExitCode {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        return script::play();
    }
    // The test runs without the usual harness, but is named and chosen like any other.
    let mut arguments = std::env::args().skip(1);
    if arguments.any(|argument| {
        argument == "--list" || !argument.starts_with('-') && !NAME.contains(&argument)
    }) {
        println!("{NAME}: test\n");
        return ExitCode::SUCCESS;
    }
    println!("\nrunning 1 test");
    let failed = tokio::runtime::Runtime::new().unwrap().block_on(run());
    let (word, passed) = if failed.is_empty() {
        ("ok", 1)
    } else {
        ("FAILED", 0)
    };
    println!(
        "test {NAME} ... {word}\n\ntest result: {word}. {passed} passed; {} failed; 0 ignored",
        1 - passed
    );
    for (seed, why) in &failed {
        println!(
            "{why}\n    repeat with THROUGHLINE_SEED={seed} cargo test -p throughline-sandbox --test lifecycles"
        );
    }
    ExitCode::from(u8::from(!failed.is_empty()))
}

async fn run() -> Vec<(u64, String)> {
    let number = |key: &str| {
        std::env::var(key)
            .ok()
            .map(|text| text.parse::<u64>().unwrap())
    };
    let seeds = match number("THROUGHLINE_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("THROUGHLINE_LIFECYCLES").unwrap_or(LIVES),
    };
    let count = seeds.end - seeds.start;
    let one = count == 1;
    let began = Instant::now();
    let stage = Arc::new(Stage::build());
    let before = Inventory::take();
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut lives = JoinSet::new();
    for seed in seeds {
        let place = places.clone().acquire_owned().await.unwrap();
        let stage = stage.clone();
        lives.spawn(async move {
            let _place = place;
            let life = Life::of(seed);
            if one {
                println!("{life:#?}");
            }
            // In a task of its own, so that a panic in it is told with its seed.
            let lived = tokio::spawn(async move { life.live(&stage, one).await }).await;
            (seed, lived.unwrap_or_else(|panic| Err(panic.to_string())))
        });
    }
    let mut failed = Vec::new();
    let mut seen = BTreeMap::<String, u32>::new();
    while let Some(done) = lives.join_next().await {
        match done.unwrap() {
            (_, Ok(happened)) => happened
                .into_iter()
                .for_each(|what| *seen.entry(what).or_default() += 1),
            (seed, Err(why)) => failed.push((seed, why)),
        }
    }
    if let Err(why) = before.holds_again().await {
        failed.push((0, why));
    }
    let rare = EXPECTED.iter().find(|what| !seen.contains_key(**what));
    if let Some(what) = rare.filter(|_| count >= LIVES) {
        failed.push((0, format!("no life had {what}: {seen:?}")));
    }
    println!("{:.0} s, {seen:?}", began.elapsed().as_secs_f64());
    failed
}

const NAME: &str = "thousand_lives_end_with_nothing_left_over";
/// Without these the lives would prove little.
const EXPECTED: [&str; 5] = ["Success", "Error", "Timeout", "throttled", "late 410"];
const LIVES: u64 = 1000;
/// Most of them wait for something most of the time.
const AT_ONCE: usize = 16;
