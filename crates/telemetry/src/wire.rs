//! Bytes of OTLP to the model and back.
//!
//! A body becomes a [`Request`] (the protobuf messages of `opentelemetry-proto`), and a request
//! becomes spans, logs or metric points. Both steps say what is wrong where. Model types go back
//! with [`traces_request`] and [`logs_request`]. What CloudWatch streams of its metrics becomes requests in a
//! [`MetricStream`].

mod json;
mod metric_stream;
mod point;
mod read;
pub mod walk;
mod weight;
mod write;

pub use metric_stream::{BadPiece, MetricStream, MetricStreamRead};
pub use point::{Bucket, PointDetail, Temporality};
pub use read::{logs, metric_points, spans};
pub use weight::memory_bytes;
pub use write::{attributes_to_otlp, logs_request, traces_request, value_to_otlp};

use opentelemetry_proto::tonic::collector;
use prost::Message;

use crate::model::{BadId, Signal};

/// The protobuf messages of OTLP, as `opentelemetry-proto` generates them.
pub mod otlp {
    pub use opentelemetry_proto::tonic::collector::{
        logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse},
        metrics::v1::{ExportMetricsServiceRequest, ExportMetricsServiceResponse},
        trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse},
    };
    pub use opentelemetry_proto::tonic::{common, logs, metrics, resource, trace};
}

/// Why a body is not OTLP.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Not the protobuf message that it should be.
    #[error("cannot decode {signal} as protobuf: {source}")]
    Protobuf {
        /// What it should have been.
        signal: Signal,
        /// Which field is wrong.
        source: prost::DecodeError,
    },
    /// Not the protobuf message that it should be, as the [walker](walk) found.
    #[error("cannot decode {signal} as protobuf: {}{what}", place(path))]
    Malformed {
        /// What it should have been.
        signal: Signal,
        /// Where, as in `resourceSpans[0].scopeSpans[1].spans[7].name`; empty if nowhere in particular.
        path: String,
        /// What is wrong there.
        what: &'static str,
    },
    /// Within the limits on the wire, but not in memory.
    #[error("the rows would take more than {memory_bytes_max} bytes of memory")]
    TooHeavy {
        /// How many they may take.
        memory_bytes_max: usize,
    },
    /// Not the JSON that it should be.
    #[error("cannot decode {signal} as JSON: {source}")]
    Json {
        /// What it should have been.
        signal: Signal,
        /// What is wrong, with line and column.
        source: serde_json::Error,
    },
    /// An id that is not an id.
    #[error("{path}: {source}")]
    Id {
        /// Where, as in `resourceSpans[0].scopeSpans[1].spans[7].traceId`.
        path: String,
        /// What is wrong with it.
        source: BadId,
    },
}

/// A path on its way into a message.
fn place(path: &str) -> String {
    match path {
        "" => String::new(),
        path => format!("{path}: "),
    }
}

/// One export request of any signal.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Spans.
    Traces(otlp::ExportTraceServiceRequest),
    /// Log records.
    Logs(otlp::ExportLogsServiceRequest),
    /// Metrics.
    Metrics(otlp::ExportMetricsServiceRequest),
}

impl Request {
    /// Decodes a protobuf body.
    pub fn from_protobuf(signal: Signal, body: &[u8]) -> Result<Self, WireError> {
        let failed = |source| WireError::Protobuf { signal, source };
        Ok(match signal {
            Signal::Traces => Request::Traces(Message::decode(body).map_err(failed)?),
            Signal::Logs => Request::Logs(Message::decode(body).map_err(failed)?),
            Signal::Metrics => Request::Metrics(Message::decode(body).map_err(failed)?),
        })
    }

    /// Decodes an OTLP/JSON body.
    pub fn from_json(signal: Signal, body: &[u8]) -> Result<Self, WireError> {
        let failed = |source| WireError::Json { signal, source };
        let protobuf = json::to_protobuf(signal, body).map_err(failed)?;
        // Only what is nested too deeply is JSON and no message.
        let too_deep = |error: WireError| failed(serde::de::Error::custom(error));
        Self::from_protobuf(signal, &protobuf).map_err(too_deep)
    }

    /// An OTLP/JSON body as protobuf, not decoded yet.
    pub fn json_to_protobuf(signal: Signal, body: &[u8]) -> Result<Vec<u8>, WireError> {
        let failed = |source| WireError::Json { signal, source };
        json::to_protobuf(signal, body).map_err(failed)
    }

    /// Encodes as protobuf.
    pub fn to_protobuf(&self) -> Vec<u8> {
        match self {
            Request::Traces(request) => request.encode_to_vec(),
            Request::Logs(request) => request.encode_to_vec(),
            Request::Metrics(request) => request.encode_to_vec(),
        }
    }

    /// Which signal it carries.
    pub fn signal(&self) -> Signal {
        match self {
            Request::Traces(_) => Signal::Traces,
            Request::Logs(_) => Signal::Logs,
            Request::Metrics(_) => Signal::Metrics,
        }
    }

    /// How many spans, log records or metrics it carries.
    pub fn items(&self) -> usize {
        match self {
            Request::Traces(request) => {
                let scopes = request.resource_spans.iter().flat_map(|r| &r.scope_spans);
                scopes.map(|scope| scope.spans.len()).sum()
            }
            Request::Logs(request) => {
                let scopes = request.resource_logs.iter().flat_map(|r| &r.scope_logs);
                scopes.map(|scope| scope.log_records.len()).sum()
            }
            Request::Metrics(request) => {
                let scopes = request
                    .resource_metrics
                    .iter()
                    .flat_map(|r| &r.scope_metrics);
                scopes.map(|scope| scope.metrics.len()).sum()
            }
        }
    }
}

/// The body of a full success, in protobuf: every export response is empty then.
pub fn success_protobuf(signal: Signal) -> Vec<u8> {
    match signal {
        Signal::Traces => {
            collector::trace::v1::ExportTraceServiceResponse::default().encode_to_vec()
        }
        Signal::Logs => collector::logs::v1::ExportLogsServiceResponse::default().encode_to_vec(),
        Signal::Metrics => {
            collector::metrics::v1::ExportMetricsServiceResponse::default().encode_to_vec()
        }
    }
}

#[cfg(test)]
mod tests;
