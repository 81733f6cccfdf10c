//! What OTLP/HTTP and OTLP/gRPC do alike: read a body, unpack it, decode it, hand it to the core.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use hyper::body::Incoming;
use throughline_extension::Event;
use throughline_extension::counters::{Counter, Counters};
use throughline_extension::grpc::Code;
use throughline_extension::intake::{self, BODY_BYTES_MAX, BadExport, Encoding};
use throughline_extension::join::otlp::remove_unusable;
use throughline_extension::room::Charge;
use throughline_extension::unpack::{self, BadPack};
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request;

use super::inbox::{Inbox, NotPut};
use super::listen::{self, BadBody};

/// Takes exports.
#[derive(Clone, Debug)]
pub(super) struct Intake {
    pub(super) inbox: Inbox,
    pub(super) counters: Arc<Counters>,
}

/// How a body is packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
}

/// A body that was read, and the room that it takes.
#[derive(Debug)]
pub(super) struct Body {
    pub(super) bytes: Bytes,
    charge: Charge,
}

/// Why an export is not taken.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("no such path; OTLP/HTTP has /v1/traces, /v1/logs and /v1/metrics")]
    Path,
    #[error("only POST is answered here")]
    Method,
    #[error("no such call {0}")]
    Call(String),
    #[error("cannot read content type {0:?}; application/x-protobuf and application/json are read")]
    ContentType(String),
    #[error("cannot unpack {0:?}; gzip and identity are unpacked")]
    Packing(String),
    #[error("the body is larger than {BODY_BYTES_MAX} bytes")]
    TooLarge,
    #[error("{0}")]
    Malformed(String),
    #[error("the message is not framed as gRPC's are: {0}")]
    Frame(String),
    #[error("the body did not end in time")]
    Stalled,
    #[error("too much waits; try again")]
    Busy,
}

impl Refusal {
    /// The status over HTTP, and gRPC's code.
    pub(super) fn codes(&self) -> (StatusCode, Code) {
        match self {
            Refusal::Path => (StatusCode::NOT_FOUND, Code::NotFound),
            Refusal::Method => (StatusCode::METHOD_NOT_ALLOWED, Code::Unimplemented),
            Refusal::Call(_) => (StatusCode::NOT_FOUND, Code::Unimplemented),
            Refusal::ContentType(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::InvalidArgument),
            Refusal::Packing(_) => (StatusCode::UNSUPPORTED_MEDIA_TYPE, Code::Unimplemented),
            Refusal::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, Code::ResourceExhausted),
            Refusal::Malformed(_) => (StatusCode::BAD_REQUEST, Code::InvalidArgument),
            Refusal::Frame(_) => (StatusCode::BAD_REQUEST, Code::Internal),
            Refusal::Stalled => (StatusCode::REQUEST_TIMEOUT, Code::DeadlineExceeded),
            Refusal::Busy => (StatusCode::SERVICE_UNAVAILABLE, Code::Unavailable),
        }
    }

    /// What is gone with the request; one that may come again is not.
    fn counter(&self) -> Option<Counter> {
        match self {
            Refusal::TooLarge => Some(Counter::TooLarge),
            Refusal::Malformed(_)
            | Refusal::Frame(_)
            | Refusal::ContentType(_)
            | Refusal::Packing(_) => Some(Counter::Undecodable),
            Refusal::Stalled => Some(Counter::Stalled),
            Refusal::Path | Refusal::Method | Refusal::Call(_) | Refusal::Busy => None,
        }
    }
}

impl Intake {
    /// Reads a body while there is room for it.
    pub(super) async fn read(&self, body: Incoming, bytes_max: usize) -> Result<Body, Refusal> {
        let (room, mut discarded) = (self.inbox.function_room(), 0);
        let read = listen::body(body, bytes_max, room, |lost| discarded += lost.len()).await;
        let (bytes, charge) = read.map_err(|bad| match bad {
            BadBody::TooLarge => Refusal::TooLarge,
            BadBody::Broken => Refusal::Malformed("the body ends too early".to_owned()),
            BadBody::Stalled => Refusal::Stalled,
            BadBody::Full => self.busy(discarded),
        })?;
        Ok(Body { bytes, charge })
    }

    /// Unpacks and decodes a message, hands it to the core, and waits until it is in its books: what is
    /// answered for and killed in the next moment must be known to be lost. Says how many of its items
    /// were left out.
    pub(super) async fn take(
        &self,
        signal: Signal,
        encoding: Encoding,
        packing: Packing,
        body: Body,
    ) -> Result<u64, Refusal> {
        let Body { bytes, mut charge } = body;
        let bytes = match packing {
            Packing::None => bytes,
            Packing::Gzip => unpack(&bytes)?,
        };
        let decoded = bytes.len().saturating_mul(intake::GROWTH_USUAL);
        let resized = charge.resize_at_most(decoded);
        resized.map_err(|_| self.busy(bytes.len()))?;
        let taken = intake::read(signal, encoding, &bytes);
        let taken = taken.map_err(|bad| match bad {
            BadExport::TooLarge => Refusal::TooLarge,
            BadExport::Wire(error) => Refusal::Malformed(error.to_string()),
        })?;
        let (items, rejected) = (taken.request.items() as u64, taken.rejected);
        let size = bytes.len();
        drop(bytes);
        let put = self.inbox.put(Event::Exported(taken.request), charge);
        if put == Err(NotPut::Ending) {
            return Err(self.busy(size));
        }
        // All of the export is counted in the turn in which the core takes it.
        self.counters.add(Counter::NoId, rejected);
        match put {
            Ok(()) => self.inbox.written_down().await,
            // Asking the function to come again would only hold it up.
            Err(_) => self.counters.add(Counter::QueueFull, items),
        }
        Ok(rejected)
    }

    /// Hands over what came in a datagram, which nobody sends again: without room it is lost.
    pub(super) fn keep(&self, mut request: Request, bytes: usize) {
        let rejected = remove_unusable(&mut request);
        self.counters.add(Counter::NoId, rejected);
        let items = request.items() as u64;
        let charge = self.inbox.function_room().and_then(|mut charge| {
            charge.grow(bytes)?;
            Ok(charge)
        });
        let kept = charge.is_ok_and(|charge| {
            let put = self.inbox.put(Event::Exported(request), charge);
            put.is_ok()
        });
        if !kept {
            self.counters.add(Counter::QueueFull, items);
        }
    }

    /// How much was in a request that is not unpacked nobody knows, so that bytes are counted.
    fn busy(&self, bytes: usize) -> Refusal {
        self.counters.add(Counter::RefusedRequests, 1);
        self.counters.add(Counter::RefusedBytes, bytes as u64);
        Refusal::Busy
    }

    /// Counts what is lost with a refusal.
    pub(super) fn refused(&self, refusal: &Refusal) {
        if let Some(counter) = refusal.counter() {
            self.counters.add(counter, 1);
        }
    }
}

fn unpack(packed: &[u8]) -> Result<Bytes, Refusal> {
    match unpack::gzip(packed, BODY_BYTES_MAX) {
        Ok(plain) => Ok(plain.into()),
        Err(BadPack::TooLarge(_)) => Err(Refusal::TooLarge),
        Err(BadPack::Broken(error)) => Err(Refusal::Malformed(format!(
            "cannot unpack the body: {error}"
        ))),
    }
}

/// For spans that were left out.
pub(super) const LEFT_OUT: &str = "spans without a usable id were left out";
/// How long who finds no room should stay away. A full inbox is empty as soon as the core had a turn.
pub(super) const RETRY_MS: u32 = 100;
