//! `make bench-extension`: what the extension costs, each figure beside the same of a program that
//! only registers and asks for events, in the same run.
//!
//! `bench-extension EXTENSION REGISTER_ONLY [FILE]` writes `target/bench/extension.json`, or the
//! file that is named, and prints the same as a table. This program is also the function that it
//! measures: started by a sandbox it answers events.

#![allow(clippy::unwrap_used)] // whoever measures wants to see why it cannot
#![allow(clippy::disallowed_methods)] // the clock is what this is about
#![allow(clippy::cast_precision_loss)] // no count here is near 2^52

mod figures;
mod function;
mod platform;
mod process;
mod response;
mod server;
mod spans;

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use figures::Figures;
use response::Stage;

fn main() {
    if std::env::var_os("AWS_LAMBDA_RUNTIME_API").is_some() {
        // It ends with its environment.
        let _ = function::run();
        return;
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [extension, bare, rest @ ..] = &arguments[..] else {
        eprintln!("usage: bench-extension EXTENSION REGISTER_ONLY [FILE]");
        std::process::exit(2);
    };
    let file = rest
        .first()
        .map_or("target/bench/extension.json", String::as_str);
    let (extension, bare) = (Path::new(extension), Path::new(bare));
    let load = load();
    let mut figures = Figures::default();
    if wants("process") {
        process::start(&mut figures, extension, bare);
        process::memory(&mut figures, extension, bare);
        process::outage(&mut figures, extension);
    }
    let stage = Stage::build();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    if wants("answers") {
        runtime.block_on(response::answers(&mut figures, &stage, extension, bare));
    }
    if wants("after") {
        runtime.block_on(response::after(&mut figures, &stage, extension, bare));
    }
    let document = json!({
        "bench": "extension",
        "commit": output("git", &["rev-parse", "--short", "HEAD"]),
        "date": output("date", &["-u", "+%Y-%m-%dT%H:%M:%SZ"]),
        "profile": if cfg!(debug_assertions) { "dev" } else { "release" },
        "machine": machine(&load),
        "figures": figures.0,
    });
    let file = Path::new(file);
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(file, format!("{document:#}\n")).unwrap();
    println!("{}\n\nwritten to {}", figures.table(), file.display());
}

fn machine(load_before: &str) -> Value {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = output("uname", &["-r"]);
    json!(format!(
        "{cores} cores, Linux {kernel}, load {load_before} before and {} after",
        load()
    ))
}

fn load() -> String {
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    text.unwrap_or_default()
}

/// `BENCH_PARTS=answers` measures that alone; the others are `process` and `after`.
fn wants(part: &str) -> bool {
    let told = std::env::var("BENCH_PARTS").unwrap_or_default();
    told.is_empty() || told.contains(part)
}

/// Of what is short; `BENCH_ROUNDS` for a look.
fn rounds() -> usize {
    let told = std::env::var("BENCH_ROUNDS").ok();
    told.and_then(|told| told.parse().ok()).unwrap_or(30)
}
