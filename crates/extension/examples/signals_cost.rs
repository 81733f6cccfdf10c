//! What it costs to read a log line, and to ask the kernel about the function's processes.
//!
//! `cargo run --release -p throughline-extension --example signals_cost`

#![allow(clippy::disallowed_methods, clippy::unwrap_used)] // A program that measures has a clock.

use std::hint::black_box;
use std::time::Instant;

use serde_json::Value as Json;
use throughline_extension::line;

#[allow(dead_code)]
#[path = "../src/edge/process.rs"]
mod process;

fn main() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/line/corpus");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    files.sort();
    let (mut all, mut all_lines) = (0.0, 0);
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let records: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let bytes = text.len() / records.len();
        let micros = median(|| {
            let copies = records.clone();
            let begun = Instant::now();
            for record in copies {
                black_box(line::read(black_box(record)));
            }
            begun.elapsed().as_secs_f64() * 1e6 / records.len() as f64
        });
        all += micros * records.len() as f64;
        all_lines += records.len();
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        println!("{name:24} {bytes:5} bytes a line {micros:8.2} us a line");
    }
    println!(
        "all lines                                {:8.2} us a line",
        all / all_lines as f64
    );
    let mut meter = process::Meter::new(std::sync::Arc::default());
    let micros = median(|| {
        let begun = Instant::now();
        black_box(meter.read());
        begun.elapsed().as_secs_f64() * 1e6
    });
    let (snapshot, failures) = meter.read();
    println!("a reading of the kernel: {micros:.0} us; {failures} failures; {snapshot:?}");
}

fn median(mut measure: impl FnMut() -> f64) -> f64 {
    let mut all: Vec<f64> = (0..201).map(|_| measure()).collect();
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}
