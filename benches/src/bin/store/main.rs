//! How good the store is, through the server's own doors: `make bench-store`.
//!
//! ```text
//! bench-store SERVER ROWS [--out FILE] [--work FOLDER] [--drop-caches] [--keep]
//! ```
//!
//! SERVER is the `throughline` binary. ROWS is how many spans, and as many log records, are stored in
//! the end; on the way there it stops at every power of ten from a million on and measures the same,
//! so that growth shows. What has been done is kept in FOLDER (`target/bench/store-work`): a run that
//! was broken off goes on from there, one that ends deletes it. Cold means that the kernel was told to
//! forget the pages of the data; `--drop-caches`, as root and with nothing else running, makes it forget
//! everything. `--keep` leaves the data. Refuses when the disk is too small. Writes
//! `target/bench/store.json`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "no count here is near 2^52")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "shares of counts of rows"
)]

mod ask;
mod half_load;
mod isolation;
mod rates;
mod stage;
mod state;

use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use serde_json::{Map, Value, json};
use throughline_bench::figures::{self, quantile};
use throughline_bench::server::{self, Forget};

use state::State;

/// What was asked for.
struct Run {
    server: PathBuf,
    rows: u64,
    out: PathBuf,
    work: PathBuf,
    forget: Forget,
    keep: bool,
    /// One `fdatasync` of this disk: median and p99 in milliseconds.
    fdatasync: (f64, f64),
}

fn main() -> anyhow::Result<()> {
    let mut run = arguments()?;
    std::fs::create_dir_all(&run.work)?;
    server::room(&run.work, run.rows * BYTES_A_ROW + BYTES_BESIDES)?;
    let syncs = server::fdatasyncs(&run.work, 200)?;
    run.fdatasync = (quantile(&syncs, 0.5), quantile(&syncs, 0.99));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(measure(&run))
}

fn arguments() -> anyhow::Result<Run> {
    let mut words = Vec::new();
    let mut run = Run {
        server: PathBuf::new(),
        rows: 0,
        out: PathBuf::from("target/bench/store.json"),
        work: PathBuf::from("target/bench/store-work"),
        forget: Forget::TheData,
        keep: false,
        fdatasync: (0.0, 0.0),
    };
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--out" => run.out = given.next().context("--out names a file")?.into(),
            "--work" => run.work = given.next().context("--work names a folder")?.into(),
            "--drop-caches" => run.forget = Forget::Everything,
            "--keep" => run.keep = true,
            flag if flag.starts_with("--") => bail!("{flag} is not known"),
            _ => words.push(word),
        }
    }
    let [server, rows] = &words[..] else {
        bail!(
            "usage: bench-store SERVER ROWS [--out FILE] [--work FOLDER] [--drop-caches] [--keep]"
        );
    };
    run.server = server.into();
    run.rows = rows.replace('_', "").parse().context("ROWS is a number")?;
    ensure!(
        run.rows >= 100_000,
        "below 100,000 rows nothing is measured"
    );
    Ok(run)
}

async fn measure(run: &Run) -> anyhow::Result<()> {
    let mut state = State::open(&run.work, run.rows)?;
    if state.rates.is_none() {
        state.rates = Some(rates::measure(run).await?);
        state.save()?;
    }
    for rows in stages(run.rows) {
        if !state.measured(rows) {
            let figures = stage::measure(run, &mut state, rows).await?;
            state.stages.push((rows, figures));
            state.save()?;
        }
    }
    let (rows, last) = state.stages.last().context("there is a stage")?;
    let mut all: Vec<Value> = state.rates.clone().unwrap_or_default();
    all.extend(last.iter().cloned());
    let growth = state.stages.iter();
    let growth = growth.map(|(rows, figures)| json!({ "rows": rows, "figures": figures }));
    let more = json!({
        "rows": rows,
        "repeated_rows": state.repeated_rows,
        "fdatasync_ms": { "p50": run.fdatasync.0, "p99": run.fdatasync.1 },
        "growth": growth.collect::<Vec<_>>(),
    });
    let more: Map<String, Value> = more.as_object().cloned().unwrap_or_default();
    figures::write(&run.out, "store", &all, more)?;
    println!("{}\n", figures::table(&all));
    if state.stages.len() > 1 {
        println!("{}\n", growth_table(&state));
    }
    println!("{} rows of each; written to {}", rows, run.out.display());
    if !run.keep {
        std::fs::remove_dir_all(&run.work)?;
    }
    Ok(())
}

/// Every power of ten from a million on, and the last.
fn stages(rows: u64) -> Vec<u64> {
    let powers = (6..12).map(|power| 10_u64.pow(power));
    let mut stages: Vec<u64> = powers.take_while(|stage| *stage < rows).collect();
    stages.push(rows);
    stages
}

/// The same figures at each size.
fn growth_table(state: &State) -> String {
    let sizes: String = state
        .stages
        .iter()
        .map(|(rows, _)| format!("{rows:>14}"))
        .collect();
    let mut lines = vec![format!("{:<34} {sizes}", "rows")];
    let (_, last) = &state.stages[state.stages.len() - 1];
    for figure in last {
        let name = &figure["name"];
        let values: String = state
            .stages
            .iter()
            .map(|(_, figures)| {
                let same = figures.iter().find(|figure| figure["name"] == *name);
                let value = same.and_then(|figure| figure["value"].as_f64());
                value.map_or(format!("{:>14}", "-"), |value| format!("{value:>14.2}"))
            })
            .collect();
        lines.push(format!(
            "{:<34} {values}",
            name.as_str().unwrap_or_default()
        ));
    }
    lines.join("\n")
}

/// A span and a log record, some of them before and after they are merged.
const BYTES_A_ROW: u64 = 200;
/// The write-ahead log, and what the rates are measured with.
const BYTES_BESIDES: u64 = 3 << 30;
