//! Half of what the server can take, while somebody looks whether what was acknowledged can be seen.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use throughline_bench::client::{Framed, Protocol, Reader, Sender, Sent};
use throughline_bench::corpus::Corpus;
use throughline_bench::figures::{Figure, Goal, quantile};
use throughline_bench::load::{Feed, drip, senders};
use throughline_bench::server::Server;
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{
    Attributes, Resource, Scope, Signal, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};

use crate::stage::arrived;
use crate::state::State;
use crate::{Run, rates};

/// Spans at a steady rate.
#[derive(Clone, Copy)]
pub(crate) struct Rate {
    pub(crate) items: usize,
    pub(crate) bodies_a_second: f64,
    /// It ends after this time,
    pub(crate) seconds_max: f64,
    /// or after so many spans.
    pub(crate) rows_max: u64,
}

/// What came of it.
pub(crate) struct Dripped {
    pub(crate) corpus: Corpus,
    pub(crate) latencies: Vec<f64>,
    pub(crate) refused: u64,
    pub(crate) seconds: f64,
}

impl Rate {
    /// Sends.
    pub(crate) async fn run(
        self,
        state: &mut State,
        server: &Server,
        corpus: Corpus,
    ) -> anyhow::Result<Dripped> {
        let (items, rate) = (self.items as u64, self.bodies_a_second);
        let bodies = ((rate * self.seconds_max) as u64).min(self.rows_max / items);
        let bodies = bodies.max(1);
        let senders = senders(Protocol::Grpc, server.otlp_grpc, Signal::Traces, 1024).await?;
        state.sending(bodies * items)?;
        let feed = Feed::start(corpus, self.items, bodies);
        let loaded = drip(senders, feed, rate).await?;
        Ok(Dripped {
            latencies: loaded.latencies.clone(),
            refused: loaded.refused,
            seconds: loaded.took.as_secs_f64(),
            corpus: arrived(state, Signal::Traces, loaded)?,
        })
    }
}

pub(crate) async fn measure(
    run: &Run,
    state: &mut State,
    server: &Server,
    mut corpus: Corpus,
    rows: u64,
    figures: &mut Vec<Figure>,
) -> anyhow::Result<Corpus> {
    let rates = state.rates.clone().unwrap_or_default();
    let rate = |name, items, most: f64, rows_max| {
        let rate = Rate {
            items,
            bodies_a_second: most / 2.0,
            seconds_max: SECONDS,
            rows_max,
        };
        (name, rate)
    };
    let (of_512, of_10) = (
        rates::value(&rates, "ingest_512_grpc") / 512.0,
        rates::value(&rates, "ingest_10_grpc"),
    );
    let (mut seen, mut memory) = (Vec::new(), Vec::new());
    for (name, rate) in [
        rate("ack_p99_half_load_512", 512, of_512, rows / 13),
        rate("ack_p99_half_load_10", 10, of_10, rows / 50),
    ] {
        eprintln!("{name}: {:.0} requests/s", rate.bodies_a_second);
        let watch = server.watch();
        let over = Arc::new(AtomicBool::new(false));
        let look = freshness(server.otlp_http, server.http, Arc::clone(&over));
        let look = tokio::spawn(look);
        let dripped = rate.run(state, server, corpus).await?;
        over.store(true, Ordering::Relaxed);
        seen.extend(look.await??);
        memory.extend(watch.finish());
        let latencies = &dripped.latencies;
        let (p50, p99) = (quantile(latencies, 0.5), quantile(latencies, 0.99));
        let goal = 25.0_f64.max(2.0 * run.fdatasync.1);
        let note = format!(
            "{:.0} requests/s of {} spans for {:.1} s, from when each was due; median {p50:.1} ms; refused {} times; one fdatasync here: median {:.1} ms",
            rate.bodies_a_second, rate.items, dripped.seconds, dripped.refused, run.fdatasync.0
        );
        let figure = Figure::new(name, "ms", p99, note).goal(Goal::AtMost(goal));
        figures.push(figure.beside("fdatasync p99", run.fdatasync.1));
        corpus = dripped.corpus;
    }
    let note = format!(
        "{} single spans under half load, from the acknowledgement until the trace is found by id",
        seen.len()
    );
    let goal = Goal::AtMost(250.0);
    figures.push(Figure::new("ack_to_visible_p99", "ms", quantile(&seen, 0.99), note).goal(goal));
    let note = format!("median under half load; most {:.0}", quantile(&memory, 1.0));
    let resident = Figure::new("resident_half_load", "MiB", quantile(&memory, 0.5), note);
    figures.push(resident.goal(Goal::AtMost(600.0)));
    Ok(corpus)
}

/// Milliseconds from an acknowledgement until the span can be read, again and again.
async fn freshness(
    otlp: SocketAddr,
    api: SocketAddr,
    over: Arc<AtomicBool>,
) -> anyhow::Result<Vec<f64>> {
    let mut sender = Sender::connect(Protocol::Http, otlp, Signal::Traces).await?;
    let mut reader = Reader::connect(api).await?;
    let mut waited = Vec::new();
    while !over.load(Ordering::Relaxed) && waited.len() < LOOKS_MAX {
        let (id, body) = single_span(waited.len() as u64)?;
        if sender.send(&body).await? != Sent::Acknowledged {
            continue;
        }
        let begun = Instant::now();
        while reader.get(&format!("/api/v1/traces/{id}")).await?.status != 200 {}
        waited.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    Ok(waited)
}

fn single_span(number: u64) -> anyhow::Result<(TraceId, Framed)> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    let nanos = u64::try_from(now.as_nanos())?;
    let id = TraceId::new((u128::from(nanos) << 64 | u128::from(number + 1)).to_be_bytes())?;
    let span = Span {
        trace_id: id,
        span_id: SpanId::new((number + 1).to_be_bytes())?,
        parent_id: None,
        trace_state: String::new(),
        name: "look".to_owned(),
        kind: SpanKind::Internal,
        start: UnixNanos(nanos),
        end: UnixNanos(nanos + 1),
        status: SpanStatus::Ok,
        status_message: String::new(),
        attributes: Attributes::default(),
        events: Vec::new(),
        links: Vec::new(),
        resource: Resource::default().into(),
        scope: Scope::default().into(),
    };
    let body = Request::Traces(traces_request(&[span])).to_protobuf();
    Ok((id, Framed::new(&body)?))
}

const SECONDS: f64 = 20.0;
const LOOKS_MAX: usize = 1_000;
