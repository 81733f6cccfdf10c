//! What searches for traces cost over many segments: `cargo run -p throughline-store --example bench_traces`.
//!
//! Fills a store with an hour of traces for each segment and asks it as it is after a start, and again.
//! Run the same program built from two commits in turn to compare them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a benchmark: it ends where it fails, and reads the clock

use std::time::{Duration, Instant};

use bytes::Bytes;
use fastrand::Rng;
use throughline_store::{Body, Options, Store, TraceFilter, TraceStatus};
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{Signal, Span, SpanStatus, UnixNanos};
use throughline_testkit::builders::span;

/// Spans of one trace.
const SIZE: u64 = 8;
const HOUR_MILLIS: u64 = 3_600_000;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: u64| {
        arguments
            .next()
            .map_or(default, |text| text.parse().unwrap())
    };
    let (segments, rows) = (next(40), next(50_000));
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::new(directory.path());
    options.compacts = false;
    let (store, _) = Store::open(options.clone()).unwrap();
    let mut rng = Rng::with_seed(7);
    for segment in 0..segments {
        let mut made = 0;
        while made < rows {
            let spans: Vec<Span> = (0..64)
                .flat_map(|_| trace(&mut rng, segment, made))
                .collect();
            made += spans.len() as u64;
            put(&store, &spans).await;
        }
        store.seal().unwrap();
    }
    println!("{} segments of {rows} spans", store.stats().segments);
    store.close().await.unwrap();
    for (name, filter) in searches(segments) {
        let (store, _) = Store::open(options.clone()).unwrap();
        let first = timed(|| drop(store.find_traces(&filter).unwrap()));
        let mut again: Vec<Duration> = (0..9)
            .map(|_| timed(|| drop(store.find_traces(&filter).unwrap())))
            .collect();
        again.sort_unstable();
        let page = store.find_traces(&filter).unwrap();
        println!(
            "{name:<28} first {:8.2} ms, then {:8.2} ms, {} found, total {}{}",
            first.as_secs_f64() * 1e3,
            again[4].as_secs_f64() * 1e3,
            page.traces.len(),
            page.total,
            if page.truncated { " or more" } else { "" },
        );
    }
}

fn searches(segments: u64) -> Vec<(&'static str, TraceFilter)> {
    let page = || TraceFilter {
        limit: 20,
        ..TraceFilter::default()
    };
    let has = |key: &str, value: &str| vec![(key.to_owned(), value.to_owned())];
    vec![
        ("newest", page()),
        (
            "service",
            TraceFilter {
                service: Some("service-03".to_owned()),
                ..page()
            },
        ),
        (
            "service and attribute",
            TraceFilter {
                service: Some("service-03".to_owned()),
                attributes: has("http.response.status_code", "500"),
                ..page()
            },
        ),
        (
            "failed",
            TraceFilter {
                status: Some(TraceStatus::Error),
                ..page()
            },
        ),
        (
            "a user",
            TraceFilter {
                attributes: has("user.id", &format!("user-{}-77", segments / 2)),
                ..page()
            },
        ),
        (
            "half way back",
            TraceFilter {
                to: Some(throughline_testkit::moment(segments / 2 * HOUR_MILLIS)),
                ..page()
            },
        ),
    ]
}

fn trace(rng: &mut Rng, segment: u64, made: u64) -> Vec<Span> {
    let id = rng.u64(1..);
    let at = segment * HOUR_MILLIS + made / 2;
    let user = format!("user-{segment}-{}", rng.u64(..500));
    let spans = (0..SIZE).map(|number| {
        let built = span(&format!("service-{:02}", rng.u64(..24)))
            .named(["GET /cart", "POST /pay", "query", "publish"][rng.usize(..4)])
            .in_trace(id)
            .id(rng.u64(1..))
            .at(at + number)
            .lasting(rng.u64(1..200))
            .attribute("http.route", ["/cart", "/pay", "/item"][rng.usize(..3)])
            .attribute(
                "http.response.status_code",
                [200, 200, 404, 500][rng.usize(..4)],
            )
            .attribute("user.id", user.as_str())
            .attribute("request", format!("{:x}", rng.u64(..)));
        let mut built = built.build();
        if rng.u32(..50) == 0 {
            built.status = SpanStatus::Error;
        }
        built
    });
    spans.collect()
}

async fn put(store: &Store, spans: &[Span]) {
    let body: Bytes = Request::Traces(traces_request(spans)).to_protobuf().into();
    let body = Body::check(Signal::Traces, body, usize::MAX).unwrap();
    store.append(body, UnixNanos(1), None).await.unwrap();
}

fn timed(what: impl FnOnce()) -> Duration {
    let begun = Instant::now();
    what();
    begun.elapsed()
}
