//! How long records waited.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use throughline_insight::{Wait, WaitAt};
use throughline_query::Cost;

/// All waits.
#[derive(Serialize)]
pub(in crate::api) struct WaitList {
    waits: Vec<WaitView>,
    span_count: usize,
    truncated: bool,
    cost: Value,
}

#[derive(Serialize)]
struct WaitView {
    id: String,
    count: usize,
    p50_ms: f64,
    longest_ms: f64,
}

impl WaitList {
    pub(in crate::api) fn new(waits: &[Wait], spans: usize, is_all: bool, cost: &Cost) -> Self {
        WaitList {
            waits: waits.iter().map(WaitView::new).collect(),
            span_count: spans,
            truncated: !is_all,
            cost: cost.to_json(),
        }
    }
}

impl WaitView {
    fn new(wait: &Wait) -> Self {
        let millis = |took: Duration| took.as_secs_f64() * 1e3;
        WaitView {
            id: match &wait.at {
                WaitAt::In(kind, name) => format!("{kind}:{name}"),
                WaitAt::For(function) => format!("function:{function}"),
            },
            count: wait.records,
            p50_ms: millis(wait.median),
            longest_ms: millis(wait.longest),
        }
    }
}
