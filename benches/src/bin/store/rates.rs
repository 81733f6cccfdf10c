//! How much an empty server takes in, by protocol and by spans a request.

use std::time::Duration;

use serde_json::Value;
use throughline_bench::client::Protocol;
use throughline_bench::corpus::Corpus;
use throughline_bench::figures::{Figure, Goal, quantile};
use throughline_bench::load::{DAY, Feed, pour, recent, senders};
use throughline_bench::server::{Server, own_processor};
use throughline_telemetry::Signal;

use crate::Run;

pub(crate) async fn measure(run: &Run) -> anyhow::Result<Vec<Value>> {
    let limit = match run.rows {
        ..1_000_000 => Duration::from_millis(1_500),
        _ => Duration::from_secs(12),
    };
    let mut figures = Vec::new();
    for (name, protocol, items, goal) in RATES {
        eprintln!("{name}");
        figures.push(
            rate(run, name, protocol, items, goal, limit)
                .await?
                .to_json(),
        );
    }
    Ok(figures)
}

async fn rate(
    run: &Run,
    name: &'static str,
    protocol: Protocol,
    items: usize,
    goal: Goal,
    limit: Duration,
) -> anyhow::Result<Figure> {
    let data = run.work.join(format!("rates-{name}"));
    let (server, _) = Server::start(&run.server, &data)?;
    let address = match protocol {
        Protocol::Grpc => server.otlp_grpc,
        Protocol::Http => server.otlp_http,
    };
    // What is waited for at once fills two group commits.
    let at_once = if items > 100 { 32 } else { 512 };
    let senders = senders(protocol, address, Signal::Traces, at_once).await?;
    let corpus = Corpus::new(recent(run.rows, DAY), Signal::Traces);
    let own = own_processor();
    let feed = Feed::start(corpus, items, u64::MAX);
    let loaded = pour(senders, feed, limit).await?;
    let took = loaded.took.as_secs_f64();
    let own = (own_processor() - own).as_secs_f64() / took;
    let servers = server.processor()?.as_secs_f64() / took;
    drop(server);
    std::fs::remove_dir_all(&data)?;
    let (value, unit) = match items {
        100.. => (loaded.items_a_second(), "spans/s"),
        _ => (loaded.requests_a_second(), "requests/s"),
    };
    let note = format!(
        "{items} spans a request, {at_once} at once, {took:.0} s; cores used: {own:.2} by the sender, {servers:.2} by the server; ack p50 {:.1} ms; refused {} times",
        quantile(&loaded.latencies, 0.5),
        loaded.refused
    );
    Ok(Figure::new(name, unit, value, note).goal(goal))
}

/// The value of a figure that [`measure`] gave.
pub(crate) fn value(rates: &[Value], name: &str) -> f64 {
    let figure = rates.iter().find(|figure| figure["name"] == name);
    figure
        .and_then(|figure| figure["value"].as_f64())
        .unwrap_or(1.0)
}

const RATES: [(&str, Protocol, usize, Goal); 4] = [
    (
        "ingest_512_grpc",
        Protocol::Grpc,
        512,
        Goal::AtLeast(150_000.0),
    ),
    ("ingest_512_http", Protocol::Http, 512, Goal::None),
    (
        "ingest_10_grpc",
        Protocol::Grpc,
        10,
        Goal::AtLeast(10_000.0),
    ),
    ("ingest_10_http", Protocol::Http, 10, Goal::None),
];
