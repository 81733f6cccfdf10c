//! Whether the server holds out: `make soak`.
//!
//! ```text
//! bench-soak SERVER SECONDS [--rate ITEMS] [--out FILE] [--work FOLDER] [ARGUMENT OF THE SERVER ...]
//! ```
//!
//! ITEMS spans (8,000) and as many log records arrive each second, always the same ones but for the time
//! that they begin at; a second stands for 48. Questions are asked all the time, and every so often
//! somebody looks at the server's memory, its open files and its data. What it holds in the last third
//! is compared with the third before. The exit code is 1 if memory or open files have grown, if an
//! answer was wrong, or if in the end a span is not there exactly once. Where arguments tell the server
//! what to retain, files must not grow either, and spans may be gone. Writes `target/bench/soak.json`.

#![allow(clippy::disallowed_methods, reason = "a benchmark reads the clock")]
#![allow(clippy::cast_precision_loss, reason = "no count here is near 2^52")]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::{Map, Value, json};
use throughline_bench::client::{Protocol, Reader};
use throughline_bench::corpus::Corpus;
use throughline_bench::figures::{self, Figure, Goal, quantile};
use throughline_bench::load::{Feed, Loaded, drip, recent, senders};
use throughline_bench::server::{MIB, Server, room, sizes};
use throughline_telemetry::Signal;

struct Run {
    server: PathBuf,
    seconds: u64,
    /// Of each signal.
    items_a_second: u64,
    out: PathBuf,
    work: PathBuf,
    arguments: Vec<String>,
}

/// What somebody saw.
struct Look {
    resident: f64,
    open_files: f64,
    files: f64,
    megabytes: f64,
}

fn main() -> anyhow::Result<ExitCode> {
    let run = arguments()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(soak(&run))
}

fn arguments() -> anyhow::Result<Run> {
    let mut words = Vec::new();
    let mut out = PathBuf::from("target/bench/soak.json");
    let mut work = PathBuf::from("target/bench/soak-work");
    let mut items_a_second = 8_000;
    let mut given = std::env::args().skip(1);
    while let Some(word) = given.next() {
        match word.as_str() {
            "--out" => out = given.next().context("--out names a file")?.into(),
            "--work" => work = given.next().context("--work names a folder")?.into(),
            "--rate" => {
                let rate = given.next().context("--rate names a number")?;
                items_a_second = rate.parse().context("--rate names a number")?;
            }
            _ => words.push(word),
        }
    }
    let [server, seconds, arguments @ ..] = &words[..] else {
        bail!(
            "usage: bench-soak SERVER SECONDS [--rate ITEMS] [--out FILE] [--work FOLDER] [ARGUMENT ...]"
        );
    };
    Ok(Run {
        server: server.into(),
        seconds: seconds.parse().context("SECONDS is a number")?,
        items_a_second,
        out,
        work,
        arguments: arguments.to_vec(),
    })
}

async fn soak(run: &Run) -> anyhow::Result<ExitCode> {
    let _ = std::fs::remove_dir_all(&run.work); // of a run that was broken off
    std::fs::create_dir_all(&run.work)?;
    room(
        &run.work,
        run.seconds * run.items_a_second * 2 * BYTES_A_ROW + BYTES_BESIDES,
    )?;
    let data = run.work.join("data");
    let (server, _) = Server::start_with(&run.server, &data, &run.arguments)?;
    let begun = Instant::now();
    let over = Arc::new(AtomicBool::new(false));
    let stored = Arc::new(AtomicU64::new(0));
    let loads = [Signal::Traces, Signal::Logs].map(|signal| {
        let (seconds, rate) = (run.seconds, run.items_a_second);
        tokio::spawn(load(
            server.otlp_grpc,
            signal,
            seconds,
            rate,
            Arc::clone(&stored),
        ))
    });
    let questions = tokio::spawn(ask(server.http, Arc::clone(&over), Arc::clone(&stored)));
    let looks = look(run, &server, &data, begun).await?;
    let mut latencies = Vec::new();
    for load in loads {
        for loaded in load.await?? {
            latencies.extend(loaded);
        }
    }
    over.store(true, Ordering::Relaxed);
    let asked = questions.await??;
    let acknowledged = stored.load(Ordering::Relaxed);
    let found = count(server.http).await?;
    let unlike = match run.arguments.is_empty() {
        true => acknowledged.abs_diff(found),
        false => found.saturating_sub(acknowledged),
    };
    let ended = server.stop()?;
    let figures = judge(run, &looks, &latencies, &asked, ended, unlike);
    let figures: Vec<Value> = figures.iter().map(Figure::to_json).collect();
    let series: Vec<Value> = looks
        .iter()
        .map(|look| json!([look.resident, look.open_files, look.files, look.megabytes]))
        .collect();
    let mut more = Map::new();
    more.insert("seconds".to_owned(), json!(run.seconds));
    more.insert("looks".to_owned(), json!(series));
    figures::write(&run.out, "soak", &figures, more)?;
    println!(
        "{}\n\nwritten to {}",
        figures::table(&figures),
        run.out.display()
    );
    std::fs::remove_dir_all(&run.work)?;
    let missed = figures.iter().any(|figure| figure["met"] == false);
    Ok(ExitCode::from(u8::from(missed)))
}

/// Sends steadily until the time is over; returns the latencies of each minute.
async fn load(
    address: std::net::SocketAddr,
    signal: Signal,
    seconds: u64,
    items_a_second: u64,
    stored: Arc<AtomicU64>,
) -> anyhow::Result<Vec<Vec<f64>>> {
    let rows = seconds * items_a_second;
    let range = Duration::from_secs(seconds * SIMULATED);
    let mut corpus = Corpus::new(recent(rows, range), signal);
    let mut latencies = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(seconds) {
        let senders = senders(Protocol::Grpc, address, signal, 64).await?;
        let bodies_a_second = items_a_second as f64 / ITEMS as f64;
        let bodies = (items_a_second * STRETCH_SECONDS).div_ceil(ITEMS as u64);
        let feed = Feed::start(corpus, ITEMS, bodies);
        let loaded: Loaded = drip(senders, feed, bodies_a_second).await?;
        if signal == Signal::Traces {
            stored.fetch_add(loaded.items, Ordering::Relaxed);
        }
        latencies.push(loaded.latencies);
        corpus = loaded.corpus;
    }
    Ok(latencies)
}

/// What was asked: milliseconds of each question, and wrong answers.
#[derive(Default)]
struct Asked {
    took: Vec<f64>,
    wrong: u64,
}

/// Asks for traces that are stored, for the newest, and for logs, one after the other.
async fn ask(
    address: std::net::SocketAddr,
    over: Arc<AtomicBool>,
    stored: Arc<AtomicU64>,
) -> anyhow::Result<Asked> {
    let mut reader = Reader::connect(address).await?;
    let mut asked = Asked::default();
    let mut number = 0;
    while !over.load(Ordering::Relaxed) {
        number += 1;
        let begun = Instant::now();
        let answer = match number % 6 {
            0 => reader.get("/api/v1/traces?limit=20&status=error").await?,
            1 => reader.get("/api/v1/logs?limit=50&q=timed%20out").await?,
            2 => reader.get("/api/v1/services").await?,
            3 => reader.post("/api/v1/query", groups()).await?,
            4 => reader.post("/api/v1/sql", sql(WORDS)).await?,
            _ => {
                let path = "/api/v1/traces?limit=20&attribute=app.tenant%3Dtenant-1000";
                reader.get(path).await?
            }
        };
        asked.took.push(begun.elapsed().as_secs_f64() * 1e3);
        asked.wrong += u64::from(answer.status != 200);
        let page = answer.json()?;
        let some = stored.load(Ordering::Relaxed) > 100_000;
        let Some(id) = page["traces"][0]["trace_id"].as_str() else {
            asked.wrong += u64::from(some && page.get("traces").is_some());
            tokio::time::sleep(THINK).await;
            continue;
        };
        let begun = Instant::now();
        let answer = reader.get(&format!("/api/v1/traces/{id}")).await?;
        asked.took.push(begun.elapsed().as_secs_f64() * 1e3);
        asked.wrong += u64::from(answer.status != 200);
        tokio::time::sleep(THINK).await;
    }
    Ok(asked)
}

fn groups() -> String {
    json!({
        "breakdowns": ["service"],
        "calculations": [{ "op": "COUNT" }, { "op": "P99", "column": "duration_ms" }],
        "time_range": 26 * 3600,
    })
    .to_string()
}

fn sql(statement: &str) -> String {
    json!({ "sql": statement }).to_string()
}

/// All spans that are stored.
async fn count(address: std::net::SocketAddr) -> anyhow::Result<u64> {
    let mut reader = Reader::connect(address).await?;
    let answer = reader
        .post("/api/v1/sql", sql("select count(*) as n from spans"))
        .await?;
    let count = answer.json()?["rows"][0][0].as_u64();
    count.with_context(|| answer.why())
}

async fn look(
    run: &Run,
    server: &Server,
    data: &Path,
    begun: Instant,
) -> anyhow::Result<Vec<Look>> {
    let mut looks = Vec::new();
    let all = Duration::from_secs(run.seconds);
    for number in 1..=LOOKS {
        tokio::time::sleep_until((begun + all * number / LOOKS).into()).await;
        let sizes = sizes(data)?;
        let bytes = sizes.spans + sizes.logs + sizes.shared + sizes.wal;
        let look = Look {
            resident: server.resident()? as f64 / MIB,
            open_files: server.open_files()? as f64,
            files: sizes.files as f64,
            megabytes: bytes as f64 / MIB,
        };
        if number % (LOOKS / 20) == 0 {
            eprintln!(
                "{:>5.0} s of {}: {:.0} MiB resident, {} open, {} files, {:.0} MiB of data",
                begun.elapsed().as_secs_f64(),
                run.seconds,
                look.resident,
                look.open_files,
                look.files,
                look.megabytes
            );
        }
        looks.push(look);
    }
    Ok(looks)
}

fn judge(
    run: &Run,
    looks: &[Look],
    latencies: &[f64],
    asked: &Asked,
    ended: Duration,
    unlike: u64,
) -> Vec<Figure> {
    let third = looks.len() / 3;
    // A buffer that fills and is sealed makes waves: the highest of each third are compared.
    let most = |looks: &[Look], of: fn(&Look) -> f64| {
        quantile(&looks.iter().map(of).collect::<Vec<_>>(), 1.0)
    };
    let (middle, last) = (&looks[third..2 * third], &looks[2 * third..]);
    let grown = |of: fn(&Look) -> f64| most(last, of) - most(middle, of);
    let resident = most(middle, |look| look.resident);
    let files = most(middle, |look| look.files);
    let (first, end) = (&looks[0], &looks[looks.len() - 1]);
    let note = format!(
        "most of the last third of {} s less most of the third before, which was {resident:.0}",
        run.seconds
    );
    let growth = grown(|look| look.resident);
    let allowed = match run.seconds {
        ..CACHES_FULL_SECONDS => CACHES_MIB,
        _ => GROWTH_MIB.max(resident / 4.0),
    };
    vec![
        Figure::new("resident_growth", "MiB", growth, note).goal(Goal::AtMost(allowed)),
        Figure::new(
            "open_files_growth",
            "files",
            grown(|look| look.open_files),
            "the same",
        )
        .goal(Goal::AtMost(16.0)),
        Figure::new(
            "files_growth",
            "files",
            grown(|look| look.files),
            format!("the same, which was {files:.0}; must be flat where old data is deleted"),
        )
        .goal(match run.arguments.is_empty() {
            true => Goal::None,
            false => Goal::AtMost(GROWTH_FILES.max(files / 4.0)),
        }),
        Figure::new(
            "data",
            "MiB",
            end.megabytes,
            "at the end; flat only with retention",
        )
        .beside("first look", first.megabytes),
        Figure::new(
            "ack_p99",
            "ms",
            quantile(latencies, 0.99),
            "of everything that was sent",
        )
        .beside("p50", quantile(latencies, 0.5)),
        Figure::new(
            "question_p99",
            "ms",
            quantile(&asked.took, 0.99),
            format!("{} questions", asked.took.len()),
        )
        .beside("p50", quantile(&asked.took, 0.5)),
        Figure::new(
            "wrong_answers",
            "answers",
            asked.wrong as f64,
            "errors, and nothing found where there is something",
        )
        .goal(Goal::AtMost(0.0)),
        Figure::new(
            "spans_lost_or_twice",
            "spans",
            unlike as f64,
            "what SQL counts in the end, against what was acknowledged",
        )
        .goal(Goal::AtMost(0.0)),
        Figure::new("end", "s", ended.as_secs_f64(), "SIGTERM until it was gone"),
    ]
}

const ITEMS: usize = 100;
/// Seconds that pass in the telemetry while one does.
const SIMULATED: u64 = 48;
const STRETCH_SECONDS: u64 = 5;
const LOOKS: u32 = 120;
const THINK: Duration = Duration::from_millis(50);
const WORDS: &str = "select service, count(*) as n from logs where strpos(body, 'timed out') > 0 \
    group by service order by n desc limit 5";
const BYTES_A_ROW: u64 = 100;
const BYTES_BESIDES: u64 = 2 << 30;
/// The caches of the store have filled up by then; what they may hold before, with what allocators take.
const CACHES_FULL_SECONDS: u64 = 600;
const CACHES_MIB: f64 = 256.0;
/// What allocators and caches may still take.
const GROWTH_MIB: f64 = 64.0;
/// What has been sealed and not merged yet.
const GROWTH_FILES: f64 = 32.0;
