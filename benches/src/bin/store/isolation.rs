//! Whether a question that never ends slows down acknowledgements.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use throughline_bench::client::Reader;
use throughline_bench::corpus::Corpus;
use throughline_bench::figures::{Figure, Goal, quantile};
use throughline_bench::server::Server;

use crate::Run;
use crate::half_load::Rate;
use crate::state::State;

/// The same few requests a second with nothing else to do, and while every place for a query is taken
/// by one that would run for days.
pub(crate) async fn measure(
    run: &Run,
    state: &mut State,
    server: &Server,
    corpus: Corpus,
    rows: u64,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<Corpus> {
    eprintln!("isolation");
    let rate = Rate {
        items: 10,
        bodies_a_second: 100.0,
        seconds_max: 10.0,
        rows_max: rows / 100,
    };
    let idle = rate.run(state, server, corpus).await?;
    let before = server.processor()?;
    let runaways = (0..QUERIES).map(|_| tokio::spawn(runaway(server.http)));
    let runaways: Vec<_> = runaways.collect();
    tokio::time::sleep(UNDER_WAY).await;
    let busy = rate.run(state, server, idle.corpus).await?;
    let ended = runaways.iter().filter(|query| query.is_finished()).count();
    let cores =
        (server.processor()? - before).as_secs_f64() / (UNDER_WAY.as_secs_f64() + busy.seconds);
    for query in runaways {
        query.abort(); // closes its connection
    }
    tokio::time::sleep(GONE).await;
    let before = server.processor()?;
    tokio::time::sleep(UNDER_WAY).await;
    let after = (server.processor()? - before).as_secs_f64() / UNDER_WAY.as_secs_f64();
    let (p99, idle_p99) = (
        quantile(&busy.latencies, 0.99),
        quantile(&idle.latencies, 0.99),
    );
    let note = format!(
        "{} requests of {} spans, 100 a second, while {QUERIES} queries that join all spans with all spans used {cores:.2} cores, of which {ended} ended by themselves; {after:.2} cores a quarter of a second after their clients left; one fdatasync here: p99 {:.1} ms",
        busy.latencies.len(),
        rate.items,
        run.fdatasync.1
    );
    let figure = Figure::new("ack_p99_runaway_query", "ms", p99, note);
    let figure = figure.goal(Goal::AtMost(2.0 * idle_p99));
    figures.push(figure.beside("without queries", idle_p99));
    Ok(busy.corpus)
}

/// Asks, and waits for an answer that does not come.
async fn runaway(api: SocketAddr) -> anyhow::Result<()> {
    let mut reader = Reader::connect(api).await?;
    let sql = "select sum(a.duration_ms * b.duration_ms) as s from spans a cross join spans b";
    reader
        .post("/api/v1/sql", json!({ "sql": sql }).to_string())
        .await?;
    Ok(())
}

/// As many as run at once, and one that waits.
const QUERIES: usize = 3;
const UNDER_WAY: Duration = Duration::from_secs(1);
const GONE: Duration = Duration::from_millis(250);
