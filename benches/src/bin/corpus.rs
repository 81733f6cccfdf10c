//! The corpus by itself:
//!
//! ```text
//! bench-corpus stats [traces|logs|metrics] [ROWS]        what it looks like
//! bench-corpus speed [traces|logs|metrics] [ROWS] [N]    how fast it is made, N items a body (512)
//! bench-corpus export FOLDER [ROWS]                      spans and log records as Parquet, and what to ask of them
//! bench-corpus write FOLDER [ROWS] [N] [DAY]             the bodies of all signals, a file each (NNNNNNNN.pb), of a day
//!                                                        that has DAY rows (ROWS)
//! ```

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]

use std::path::Path;
use std::time::Instant;

use anyhow::{Context, bail};
use throughline_bench::corpus::{Corpus, Options, sample};
use throughline_bench::server::room;
use throughline_bench::statistics::Statistics;
use throughline_telemetry::Signal;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |place: usize, otherwise: u64| match arguments.get(place) {
        None => Ok(otherwise),
        Some(text) => {
            let text = text.replace('_', "");
            text.parse()
                .with_context(|| format!("{text} is not a number"))
        }
    };
    let signal = || {
        let name = arguments.get(1).map_or("traces", String::as_str);
        let signal = Signal::ALL.into_iter().find(|signal| signal.name() == name);
        signal.with_context(|| format!("{name} is not a signal"))
    };
    match arguments.first().map(String::as_str) {
        Some("stats") => stats(signal()?, number(2, 1_000_000)?),
        Some("speed") => {
            let items = usize::try_from(number(3, 512)?)?;
            speed(signal()?, number(2, 4_000_000)?, items);
            Ok(())
        }
        Some("export") => {
            let folder = arguments.get(1).context("no folder was named")?;
            export(Path::new(folder), number(2, 1_000_000)?)
        }
        Some("write") => {
            let folder = arguments.get(1).context("no folder was named")?;
            let items = usize::try_from(number(3, 512)?)?;
            let rows = number(2, 100_000)?;
            write(Path::new(folder), rows, items, number(4, rows)?)
        }
        _ => bail!("usage: bench-corpus stats|speed|export|write, see src/bin/corpus.rs"),
    }
}

fn stats(signal: Signal, rows: u64) -> anyhow::Result<()> {
    let mut corpus = Corpus::new(Options::of(rows), signal);
    let mut statistics = Statistics::default();
    let mut body = Vec::new();
    while statistics.items < rows {
        corpus.body(512, &mut body);
        statistics.add(signal, &body)?;
    }
    print!("{signal}: {statistics}");
    Ok(())
}

fn speed(signal: Signal, rows: u64, items: usize) {
    let mut corpus = Corpus::new(Options::of(rows), signal);
    let mut body = Vec::new();
    let (mut made, mut bytes) = (0, 0);
    let begun = Instant::now();
    while made < rows {
        corpus.body(items, &mut body);
        made += items as u64;
        bytes += body.len();
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{made} {signal} in {seconds:.2} s, {items} a body: {:.0} a second, {:.0} MB/s, {:.1} bytes each",
        made as f64 / seconds,
        bytes as f64 / 1e6 / seconds,
        bytes as f64 / made as f64
    );
}

fn export(folder: &Path, rows: u64) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder)?;
    room(folder, rows * EXPORTED_BYTES)?;
    for signal in [Signal::Traces, Signal::Logs] {
        let mut corpus = Corpus::new(Options::of(rows), signal);
        let files = throughline_bench::export::write(&mut corpus, rows, folder)?;
        eprintln!("{rows} {signal} in {} files", files.len());
    }
    let corpus = Corpus::new(Options::of(rows), Signal::Traces);
    let facts: Vec<_> = sample(&corpus, 1_000)
        .map(|facts| {
            serde_json::json!({
                "trace_id": facts.id.to_string(), "spans": facts.spans, "service": facts.service,
                "order": facts.order, "user": facts.user, "tenant": facts.tenant,
            })
        })
        .collect();
    let questions = serde_json::json!({ "rows": rows, "traces": facts });
    Ok(std::fs::write(
        folder.join("questions.json"),
        questions.to_string(),
    )?)
}

fn write(folder: &Path, rows: u64, items: usize, of_a_day: u64) -> anyhow::Result<()> {
    for signal in Signal::ALL {
        let folder = folder.join(signal.name());
        std::fs::create_dir_all(&folder)?;
        let mut corpus = Corpus::new(Options::of(of_a_day), signal);
        let mut body = Vec::new();
        for number in 0..rows.div_ceil(items as u64) {
            corpus.body(items, &mut body);
            std::fs::write(folder.join(format!("{number:08}.pb")), &body)?;
        }
    }
    Ok(())
}

/// A span and a log record, here and in one peer at a time, before and after it has merged them.
const EXPORTED_BYTES: u64 = 500;
