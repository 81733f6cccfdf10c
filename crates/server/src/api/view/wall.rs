//! What each function does right now.

use serde::Serialize;
use throughline_insight::{Card, Deviation, Normal, Wall};
use throughline_telemetry::UnixNanos;

/// All cards.
#[derive(Serialize)]
pub(in crate::api) struct WallView {
    at_unix_nanos: String,
    functions: Vec<CardView>,
    left_out: u64,
}

#[derive(Serialize)]
struct CardView {
    function: String,
    service: String,
    window: WindowView,
    seconds: Vec<Option<u64>>,
    mean_ms: Option<f64>,
    p50_ms: Option<f64>,
    p90_ms: Option<f64>,
    p99_ms: Option<f64>,
    p995_ms: Option<f64>,
    cost_usd_per_second: Option<f64>,
    normal: Option<NormalView>,
    deviation: &'static str,
    why: Vec<String>,
}

#[derive(Serialize)]
struct WindowView {
    seconds: u64,
    count: u64,
    error_count: u64,
    cold_start_count: u64,
    timeout_count: u64,
    throttle_count: Option<u64>,
    rate: f64,
    concurrency: f64,
}

#[derive(Serialize)]
struct NormalView {
    count: u64,
    error_ratio: f64,
    p50_ms: f64,
    p99_ms: f64,
}

impl WallView {
    pub(in crate::api) fn new(wall: &Wall, now: UnixNanos) -> Self {
        WallView {
            at_unix_nanos: now.to_string(),
            functions: wall.cards(now).into_iter().map(CardView::new).collect(),
            left_out: wall.left_out(),
        }
    }
}

impl CardView {
    fn new(card: Card) -> Self {
        let window = card.window;
        CardView {
            function: card.name,
            service: card.service,
            window: WindowView {
                seconds: throughline_insight::WINDOW,
                count: window.invocations,
                error_count: window.errors,
                cold_start_count: window.cold_starts,
                timeout_count: window.timeouts,
                throttle_count: window.throttles,
                rate: window.rate,
                concurrency: window.concurrency,
            },
            seconds: card.seconds,
            mean_ms: card.mean_ms,
            p50_ms: card.p50_ms,
            p90_ms: card.p90_ms,
            p99_ms: card.p99_ms,
            p995_ms: card.p995_ms,
            cost_usd_per_second: card.cost_usd_per_second,
            normal: card.normal.map(|normal| NormalView::new(&normal)),
            deviation: match card.deviation {
                Deviation::Unknown => "unknown",
                Deviation::None => "none",
                Deviation::Slight => "slight",
                Deviation::Strong => "strong",
            },
            why: card.why,
        }
    }
}

impl NormalView {
    fn new(normal: &Normal) -> Self {
        NormalView {
            count: normal.invocations,
            error_ratio: normal.error_ratio,
            p50_ms: normal.p50_ms,
            p99_ms: normal.p99_ms,
        }
    }
}
