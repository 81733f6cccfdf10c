//! The one way in: check, store, acknowledge.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use throughline_store::Store;
use throughline_telemetry::wire::Request;
use throughline_telemetry::{Signal, UnixNanos};

use super::budget::Budget;
use super::refusal::Refusal;
use super::weight::{self, TooHeavy};
use crate::access::Access;
use crate::config::Limits;

/// What both protocols hand bodies to. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Intake {
    store: Store,
    access: Access,
    limits: Limits,
    budget: Arc<Budget>,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Protobuf,
    Json,
}

impl Intake {
    pub(crate) fn new(store: Store, access: Access, limits: Limits, budget: Arc<Budget>) -> Self {
        Intake {
            store,
            access,
            limits,
            budget,
        }
    }

    /// Stores a plain body. `Ok` means: it is on disk, and reads can see it.
    pub(crate) async fn take(
        &self,
        signal: Signal,
        format: Format,
        body: Bytes,
    ) -> Result<(), Refusal> {
        let received = now();
        let (body, request) = decode(signal, format, body, self.limits.decoded_bytes_max).await?;
        if request.items() == 0 {
            return Ok(()); // Exporters probe with empty requests; there is nothing to keep.
        }
        let (items, bytes) = (request.items(), body.len());
        self.store.append(signal, body, request, received).await?;
        tracing::debug!(%signal, items, bytes, "stored");
        Ok(())
    }

    pub(crate) fn access(&self) -> &Access {
        &self.access
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

/// Decodes a body, elsewhere if it is large, so that it does not hold up small ones.
async fn decode(
    signal: Signal,
    format: Format,
    body: Bytes,
    bytes_max: usize,
) -> Result<(Bytes, Request), Refusal> {
    if body.len() <= INLINE_BYTES_MAX {
        return decode_now(signal, format, body, bytes_max);
    }
    let decode = move || decode_now(signal, format, body, bytes_max);
    let decoded = tokio::task::spawn_blocking(decode).await;
    decoded.unwrap_or_else(|error| {
        tracing::error!(%error, "cannot decode");
        Err(Refusal::NotStored)
    })
}

/// The body as protobuf, which is what the store keeps, and decoded.
fn decode_now(
    signal: Signal,
    format: Format,
    body: Bytes,
    bytes_max: usize,
) -> Result<(Bytes, Request), Refusal> {
    let too_heavy = |TooHeavy| Refusal::TooHeavy { bytes_max };
    match format {
        Format::Protobuf => {
            weight::protobuf(signal, &body, bytes_max).map_err(too_heavy)?;
            let request = Request::from_protobuf(signal, &body)?;
            Ok((body, request))
        }
        Format::Json => {
            weight::json(&body, bytes_max).map_err(too_heavy)?;
            let request = Request::from_json(signal, &body)?;
            Ok((request.to_protobuf().into(), request))
        }
    }
}

#[allow(clippy::disallowed_methods)] // an edge: the receive time of a body is read here and handed on
fn now() -> UnixNanos {
    SystemTime::now().into()
}

/// About a millisecond of decoding.
const INLINE_BYTES_MAX: usize = 256 << 10;
