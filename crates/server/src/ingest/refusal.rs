//! Why a body was not taken, and what each protocol says then.

use std::time::Duration;

use http::StatusCode;
use throughline_store::AppendError;
use throughline_telemetry::wire::WireError;
use tonic::Code as GrpcCode;

use crate::codes::{self, Code};

/// Why a body was not taken. Nothing of it was stored.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// Not OTLP, or not what its encoding says.
    Malformed(String),
    /// Neither protobuf nor JSON.
    UnknownContentType(String),
    /// Compressed in a way that is not known.
    UnknownEncoding(String),
    /// Not what CloudWatch or Firehose sends.
    BadDelivery(String),
    /// Above the limit.
    TooLarge { bytes_max: usize },
    /// Within the limit on the wire, but not in memory.
    TooHeavy { bytes_max: usize },
    /// The connection broke, or was too slow.
    NotRead(String),
    /// More arrives than the disk takes.
    Overloaded { retry_after: Duration },
    /// The disk failed, or something else of ours.
    NotStored { retry_after: Option<Duration> },
    /// The key is missing or wrong.
    KeyRequired,
    /// Sent by a page from elsewhere, as by one whose name was rebound to this machine.
    ForeignOrigin(String),
    /// Not a path of OTLP.
    NoSuchPath(String),
    /// Not POST.
    NotPost(String),
}

/// What one refusal is in each protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) http: StatusCode,
    pub(crate) grpc: GrpcCode,
    pub(crate) code: Code,
}

impl Refusal {
    /// The table of answers. Senders retry HTTP 429, 502, 503 and 504, and gRPC UNAVAILABLE; they
    /// drop the batch on everything else, so only what may go well later gets one of those.
    pub(crate) fn answer(&self) -> Answer {
        let (http, grpc, code) = match self {
            Refusal::Malformed(_) => (400, GrpcCode::InvalidArgument, codes::MALFORMED),
            Refusal::UnknownContentType(_) => {
                (415, GrpcCode::InvalidArgument, codes::UNKNOWN_CONTENT_TYPE)
            }
            Refusal::UnknownEncoding(_) => (415, GrpcCode::Unimplemented, codes::UNKNOWN_ENCODING),
            Refusal::BadDelivery(_) => (400, GrpcCode::InvalidArgument, codes::BAD_DELIVERY),
            Refusal::TooLarge { .. } | Refusal::TooHeavy { .. } => {
                (413, GrpcCode::ResourceExhausted, codes::TOO_LARGE)
            }
            Refusal::NotRead(_) => (503, GrpcCode::Unavailable, codes::BODY_NOT_READ),
            Refusal::Overloaded { .. } => (429, GrpcCode::Unavailable, codes::OVERLOADED),
            Refusal::NotStored { .. } => (503, GrpcCode::Unavailable, codes::NOT_STORED),
            Refusal::KeyRequired => (401, GrpcCode::Unauthenticated, codes::INTAKE_KEY_REQUIRED),
            Refusal::ForeignOrigin(_) => (403, GrpcCode::PermissionDenied, codes::FOREIGN_ORIGIN),
            Refusal::NoSuchPath(_) => (404, GrpcCode::Unimplemented, codes::NO_SUCH_INTAKE),
            Refusal::NotPost(_) => (405, GrpcCode::Unimplemented, codes::NO_SUCH_INTAKE),
        };
        Answer {
            http: StatusCode::from_u16(http).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            grpc,
            code,
        }
    }

    /// Whether the same body may be taken later.
    pub(crate) fn is_temporary(&self) -> bool {
        self.answer().grpc == GrpcCode::Unavailable
    }

    /// When to try again, if that may help and is known.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Refusal::Overloaded { retry_after } => Some(*retry_after),
            Refusal::NotStored { retry_after } => *retry_after,
            _ => None,
        }
    }

    /// What is wrong, for the sender.
    pub(crate) fn message(&self) -> String {
        let what = match self {
            Refusal::Malformed(what) | Refusal::NotRead(what) => what.clone(),
            Refusal::BadDelivery(what) => format!("cannot unpack the delivery: {what}"),
            Refusal::UnknownContentType(got) => {
                format!(
                    "unknown content type `{got}`: send application/x-protobuf or application/json"
                )
            }
            Refusal::UnknownEncoding(got) => {
                format!("unknown content encoding `{got}`: send gzip, zstd or identity")
            }
            Refusal::TooLarge { bytes_max } => {
                format!(
                    "the body is larger than {bytes_max} bytes decompressed: send smaller batches"
                )
            }
            Refusal::TooHeavy { bytes_max } => format!(
                "the body would take more than {bytes_max} bytes of memory: send smaller batches"
            ),
            Refusal::Overloaded { retry_after } => {
                format!("the server cannot take more now: try again in {retry_after:?}")
            }
            Refusal::NotStored { .. } => {
                "the server could not store the body; its log says why".to_owned()
            }
            Refusal::KeyRequired => {
                "a key is required: send `authorization: Bearer <key>`".to_owned()
            }
            Refusal::ForeignOrigin(host) => {
                format!("OTLP is not taken from a page of {host}: send it from this machine")
            }
            Refusal::NoSuchPath(path) => {
                format!("no such path `{path}`: OTLP goes to /v1/traces, /v1/logs or /v1/metrics")
            }
            Refusal::NotPost(method) => format!("OTLP is sent with POST, not {method}"),
        };
        format!("{what} ({})", self.answer().code)
    }
}

impl From<WireError> for Refusal {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooHeavy { memory_bytes_max } => Refusal::TooHeavy {
                bytes_max: memory_bytes_max,
            },
            error => Refusal::Malformed(error.to_string()),
        }
    }
}

impl From<AppendError> for Refusal {
    fn from(error: AppendError) -> Self {
        match error {
            AppendError::Overloaded { retry_after, .. } => Refusal::Overloaded { retry_after },
            AppendError::Invalid(wire) => wire.into(),
            AppendError::TooLarge { body_bytes_max, .. } => Refusal::TooLarge {
                bytes_max: body_bytes_max,
            },
            // The store has said so in the log.
            AppendError::Io { retry_after, .. } => Refusal::NotStored {
                retry_after: Some(retry_after),
            },
            AppendError::Catalog(_) | AppendError::Closed => {
                tracing::error!(%error, "cannot store");
                Refusal::NotStored { retry_after: None }
            }
        }
    }
}
