//! A story as the API tells it, and the shape of its tree.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use throughline_telemetry::UnixNanos;

use super::super::{length, moment};

/// What is shown of one user action.
#[derive(Debug, Deserialize)]
pub(super) struct Story {
    pub(super) trace_id: String,
    pub(super) root_service: Option<String>,
    pub(super) root_name: Option<String>,
    #[serde(rename = "start_unix_nanos", deserialize_with = "moment")]
    pub(super) start: UnixNanos,
    #[serde(rename = "duration_nanos", deserialize_with = "length")]
    pub(super) duration: Duration,
    pub(super) span_count: u64,
    pub(super) error_count: u64,
    pub(super) cold_start_count: u64,
    pub(super) services: Vec<Service>,
    /// Depth first, siblings by start.
    pub(super) spans: Vec<Step>,
    /// In order of time.
    pub(super) logs: Vec<Log>,
    pub(super) found_by: FoundBy,
    pub(super) trace_ids: Vec<String>,
    pub(super) cost: Option<Cost>,
    pub(super) left_out: LeftOut,
}

#[derive(Debug, Deserialize)]
pub(super) struct Service {
    pub(super) name: String,
    pub(super) span_count: u64,
    pub(super) error_count: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct FoundBy {
    pub(super) what: String,
    pub(super) name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Cost {
    pub(super) usd: f64,
    pub(super) reported: u64,
    pub(super) missing: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct LeftOut {
    pub(super) trace_count: u64,
    pub(super) partial: bool,
}

/// One span.
#[derive(Debug, Deserialize)]
pub(super) struct Step {
    pub(super) span_id: String,
    pub(super) parent_span_id: Option<String>,
    pub(super) parent_missing: bool,
    pub(super) depth: usize,
    pub(super) name: String,
    pub(super) kind: String,
    #[serde(rename = "start_unix_nanos", deserialize_with = "moment")]
    pub(super) start: UnixNanos,
    #[serde(rename = "duration_nanos", deserialize_with = "length")]
    pub(super) duration: Duration,
    pub(super) status: String,
    pub(super) status_message: String,
    pub(super) service: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) events: Vec<Event>,
    pub(super) join: Option<Join>,
    /// Nobody sent it: a service in which a record waited.
    pub(super) inferred: bool,
    pub(super) attempt: Option<u64>,
    pub(super) cost: Option<InvocationCost>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Event {
    pub(super) name: String,
    pub(super) attributes: Map<String, Value>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Join {
    pub(super) how: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct InvocationCost {
    pub(super) usd: Option<f64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Log {
    #[serde(rename = "time_unix_nanos", deserialize_with = "moment")]
    pub(super) time: UnixNanos,
    pub(super) severity_number: u64,
    pub(super) body: Value,
    pub(super) span_id: Option<String>,
    pub(super) service: String,
    pub(super) attributes: Map<String, Value>,
    pub(super) event_name: String,
}

impl Step {
    pub(super) fn has_failed(&self) -> bool {
        self.status == "error"
    }

    /// The platform's span of a whole invocation.
    pub(super) fn is_invocation(&self) -> bool {
        self.phase() == Some("invoke")
    }

    /// The platform's span of a part of an invocation.
    pub(super) fn is_platform(&self) -> bool {
        self.phase().is_some_and(|phase| phase != "invoke")
    }

    pub(super) fn is_cold(&self) -> bool {
        self.attributes.get("faas.coldstart") == Some(&Value::Bool(true))
    }

    pub(super) fn end(&self) -> UnixNanos {
        after(self.start, self.duration)
    }

    fn phase(&self) -> Option<&str> {
        self.attributes.get("throughline.phase")?.as_str()
    }
}

/// The text of an attribute; empty if it has none.
pub(super) fn text<'a>(attributes: &'a Map<String, Value>, key: &str) -> &'a str {
    let value = attributes.get(key).and_then(Value::as_str);
    value.unwrap_or_default()
}

pub(super) fn after(at: UnixNanos, duration: Duration) -> UnixNanos {
    let nanos = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    UnixNanos(at.0.saturating_add(nanos))
}

/// From one moment to a later one; nothing if it is earlier.
pub(super) fn between(from: UnixNanos, to: UnixNanos) -> Duration {
    Duration::from_nanos(to.0.saturating_sub(from.0))
}

/// Who stands below whom, by place in the list of spans.
#[derive(Debug)]
pub(super) struct Tree {
    pub(super) parents: Vec<Option<usize>>,
    /// The last span below each, or itself.
    pub(super) lasts: Vec<usize>,
}

impl Tree {
    pub(super) fn of(spans: &[Step]) -> Self {
        let mut parents = Vec::with_capacity(spans.len());
        let mut lasts: Vec<usize> = (0..spans.len()).collect();
        let mut above: Vec<usize> = Vec::new();
        for (place, span) in spans.iter().enumerate() {
            above.truncate(span.depth);
            for each in &above {
                lasts[*each] = place;
            }
            parents.push(above.last().copied());
            above.push(place);
        }
        Tree { parents, lasts }
    }

    /// Whether somebody with the same parent comes after it.
    pub(super) fn has_next(&self, place: usize) -> bool {
        let end = self.parents[place].map_or(self.lasts.len() - 1, |parent| self.lasts[parent]);
        self.lasts[place] < end
    }

    /// The spans above it, the nearest first.
    pub(super) fn above(&self, place: usize) -> impl Iterator<Item = usize> {
        std::iter::successors(self.parents[place], |above| self.parents[*above])
    }

    /// Whether its failure began with it: of those below none failed.
    pub(super) fn is_origin(&self, spans: &[Step], place: usize) -> bool {
        let mut below = spans[place + 1..=self.lasts[place]].iter();
        spans[place].has_failed() && !below.any(Step::has_failed)
    }
}
