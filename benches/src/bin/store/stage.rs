//! One size: filled up to it, then measured.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::ensure;
use serde_json::Value;
use throughline_bench::client::Protocol;
use throughline_bench::corpus::Corpus;
use throughline_bench::figures::{Figure, Goal, quantile};
use throughline_bench::load::{Feed, Loaded, pour, senders};
use throughline_bench::server::{Server, Sizes, own_processor, sizes};
use throughline_telemetry::Signal;

use crate::state::State;
use crate::{Run, ask, half_load, isolation};

/// Fills the store up to so many rows of each signal, and measures.
pub(crate) async fn measure(run: &Run, state: &mut State, rows: u64) -> anyhow::Result<Vec<Value>> {
    let data = run.work.join("data");
    let (server, _) = Server::start(&run.server, &data)?;
    let mut figures = Vec::new();
    let full = rows - rows / 8; // the rest is sent at given rates
    let mut spans = corpus_at(state, Signal::Traces, state.spans);
    let before = own_processor();
    let server_before = server.processor()?;
    spans = fill(&server, state, spans, full).await?;
    let (seconds, poured) = state.poured;
    if poured > 0 {
        let note = format!(
            "{poured} spans, 512 a request over gRPC, all seals included; processor time a span: {:.1} us of the server, {:.1} us of the sender (of this run)",
            (server.processor()? - server_before).as_secs_f64() * 1e6 / poured as f64,
            (own_processor() - before).as_secs_f64() * 1e6 / poured as f64,
        );
        let sustained = poured as f64 / seconds;
        figures.push(Figure::new("ingest_sustained", "spans/s", sustained, note));
    }
    let logs = corpus_at(state, Signal::Logs, state.logs);
    fill(&server, state, logs, rows).await?;
    spans = half_load::measure(run, state, &server, spans, rows, &mut figures).await?;
    spans = isolation::measure(run, state, &server, spans, rows, &mut figures).await?;
    fill(&server, state, spans, rows).await?;
    state.poured = (0.0, 0);

    eprintln!("sealing");
    let sealed = server.stop()?;
    let before = sizes(&data)?;
    let (server, _) = Server::start(&run.server, &data)?;
    let merged = settle(&data).await?;
    server.stop()?;
    figures.extend(bytes(&data, state, &before, sealed, merged)?);
    let mut starts = Vec::new();
    for _ in 0..3 {
        let (server, took) = Server::start(&run.server, &data)?;
        starts.push(took.as_secs_f64());
        server.stop()?;
    }
    run.forget.run(&data)?;
    let (server, cold) = Server::start(&run.server, &data)?;
    let start = Figure::new(
        "start_to_ready",
        "s",
        quantile(&starts, 0.5),
        "exec to /healthz, everything sealed, median of 3",
    );
    let start = start.goal(Goal::AtMost(1.0));
    figures.push(start.beside(run.forget.name(), cold.as_secs_f64()));
    figures.extend(ask::measure(run, state, &server, &data).await?);
    server.stop()?;
    Ok(figures.iter().map(Figure::to_json).collect())
}

/// A corpus after so many items.
fn corpus_at(state: &State, signal: Signal, items: u64) -> Corpus {
    let mut corpus = Corpus::new(state.options, signal);
    let mut body = Vec::new();
    let (whole, rest) = (items / 4096, (items % 4096) as usize);
    for _ in 0..whole {
        corpus.body(4096, &mut body);
    }
    if rest > 0 {
        corpus.body(rest, &mut body);
    }
    corpus
}

/// Sends up to so many rows, 512 a request, as fast as they are taken, and remembers how far it is.
async fn fill(
    server: &Server,
    state: &mut State,
    mut corpus: Corpus,
    rows: u64,
) -> anyhow::Result<Corpus> {
    let signal = corpus.signal();
    let (begun, from) = (Instant::now(), stored(state, signal));
    loop {
        let left = rows.saturating_sub(stored(state, signal));
        if left == 0 {
            return Ok(corpus);
        }
        let chunk = left.min(CHUNK);
        let (items, requests) = match chunk / 512 {
            0 => (chunk as usize, 1),
            whole => (512, whole),
        };
        state.sending(items as u64 * requests)?;
        let senders = senders(Protocol::Grpc, server.otlp_grpc, signal, 32).await?;
        let feed = Feed::start(corpus, items, requests);
        let loaded = pour(senders, feed, Duration::MAX).await?;
        ensure!(loaded.requests == requests, "not everything was sent");
        if signal == Signal::Traces {
            state.poured.0 += loaded.took.as_secs_f64();
            state.poured.1 += loaded.items;
        }
        corpus = arrived(state, signal, loaded)?;
        let (done, left) = (stored(state, signal), rows - stored(state, signal));
        let rate = (done - from) as f64 / begun.elapsed().as_secs_f64();
        eprintln!(
            "{signal}: {:.1} M of {:.1} M, {:.0} k/s, {:.0} s left",
            done as f64 / 1e6,
            rows as f64 / 1e6,
            rate / 1e3,
            left as f64 / rate
        );
    }
}

/// Remembers what was acknowledged; the corpus after it.
pub(crate) fn arrived(state: &mut State, signal: Signal, loaded: Loaded) -> anyhow::Result<Corpus> {
    match signal {
        Signal::Traces => state.spans += loaded.items,
        _ => state.logs += loaded.items,
    }
    state.sending(0)?;
    Ok(loaded.corpus)
}

fn stored(state: &State, signal: Signal) -> u64 {
    match signal {
        Signal::Traces => state.spans,
        _ => state.logs,
    }
}

/// Waits until nothing is merged any more; how long that took.
async fn settle(data: &Path) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let (mut last, mut since) = (sizes(data)?, Instant::now());
    eprintln!("merging: {} files", last.files);
    while since.elapsed() < QUIET {
        ensure!(begun.elapsed() < SETTLE_MAX, "merging does not end");
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = sizes(data)?;
        if now != last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(since - begun)
}

fn bytes(
    data: &Path,
    state: &State,
    before: &Sizes,
    sealed: Duration,
    merged: Duration,
) -> anyhow::Result<Vec<Figure>> {
    let after = sizes(data)?;
    let rows = (state.spans + state.logs) as f64;
    let note = format!(
        "everything in the directory, merged until nothing was to be merged ({:.0} s, {} files, before {}); indexes, and {:.2} bytes that both signals share, included; sealed at the end in {:.1} s; {} rows may be there twice",
        merged.as_secs_f64(),
        after.files,
        before.files,
        after.shared as f64 / rows,
        sealed.as_secs_f64(),
        state.repeated_rows
    );
    let figure = |name, of: fn(&Sizes) -> u64, rows_of_it: u64, goal| {
        let each = |sizes: &Sizes| {
            of(sizes) as f64 / rows_of_it as f64 + (sizes.shared + sizes.wal) as f64 / rows
        };
        let figure = Figure::new(name, "bytes", each(&after), note.clone());
        let figure = figure.goal(Goal::AtMost(goal));
        figure.beside("before it was merged", each(before))
    };
    Ok(vec![
        figure("bytes_a_span", |sizes| sizes.spans, state.spans, 35.0),
        figure("bytes_a_log_row", |sizes| sizes.logs, state.logs, 25.0),
    ])
}

/// Rows between two notes of how far it is.
const CHUNK: u64 = 1_000_448;
/// A merge that goes on writes its files within this time, and looks for the next in half of it.
const QUIET: Duration = Duration::from_secs(75);
const SETTLE_MAX: Duration = Duration::from_secs(3 * 3600);
