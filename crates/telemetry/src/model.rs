//! The nouns: ids, times, values, resources, spans, logs and metric points.

mod id;
mod log;
mod metric;
mod resource;
mod span;
mod time;
mod value;

pub use id::{BadId, SpanId, TraceId};
pub use log::LogRecord;
pub use metric::{MetricKind, MetricPoint};
pub use resource::{Resource, Scope};
pub use span::{Event, Link, Span, SpanKind, SpanStatus};
pub use time::UnixNanos;
pub use value::{Attributes, Value};

/// One of the three kinds of telemetry that OTLP carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
    /// Metric data points.
    Metrics,
}

impl Signal {
    /// All signals, in a fixed order.
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

    /// The name in OTLP/HTTP paths and in file names: `traces`, `logs` or `metrics`.
    pub fn name(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        }
    }
}

impl std::fmt::Display for Signal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
