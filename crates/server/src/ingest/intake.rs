//! The one way in: check, store, acknowledge.

use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use http::HeaderMap;
use throughline_store::{Body, Origin, Store, Stored};
use throughline_telemetry::wire::Request;
use throughline_telemetry::{Signal, UnixNanos};

use super::budget::{Budget, Charge};
use super::origin::{self, Oddities};
use super::refusal::Refusal;
use super::refusals::Refusals;
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
    decoded: Arc<Budget>,
    oddities: Oddities,
    refusals: Arc<Refusals>,
}

/// What was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// Spans, log records and metrics.
    pub(crate) items: usize,
    pub(crate) stored: Stored,
}

/// The form of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Format {
    Protobuf,
    Json,
}

impl Intake {
    /// Of the budgets, the first is for bodies as they arrive, the second for the rows in them.
    pub(crate) fn new(
        store: Store,
        access: Access,
        limits: Limits,
        budget: Arc<Budget>,
        decoded: Arc<Budget>,
        refusals: Arc<Refusals>,
    ) -> Self {
        Intake {
            store,
            access,
            limits,
            budget,
            decoded,
            oddities: Oddities::default(),
            refusals,
        }
    }

    /// Stores a plain body, unless it is a batch that is stored already. `Ok` means: it is on disk,
    /// and reads can see it.
    pub(crate) async fn take(
        &self,
        signal: Signal,
        format: Format,
        body: Bytes,
        origin: Option<Origin>,
    ) -> Result<Taken, Refusal> {
        let received = now();
        let checked = self.check(signal, format, body, received).await?;
        let (totals, bytes) = (checked.body.totals(), checked.bytes);
        let items = totals.items;
        if items == 0 && origin.is_none() {
            // Exporters probe with empty requests; there is nothing to keep.
            let stored = Stored::New;
            return Ok(Taken { items, stored });
        }
        let stored = self.store.append(checked.body, received, origin);
        let stored = stored.await?;
        drop(checked.charge);
        tracing::debug!(%signal, items, bytes, ?stored, "taken");
        Ok(Taken { items, stored })
    }

    /// Checks a body, elsewhere if it is large, so that it does not hold up small ones.
    async fn check(
        &self,
        signal: Signal,
        format: Format,
        body: Bytes,
        received: UnixNanos,
    ) -> Result<Checked, Refusal> {
        let bytes_max = self.limits.decoded_bytes_max;
        let charge = self.decoded.open();
        if body.len() <= INLINE_BYTES_MAX {
            return check_now(signal, format, body, received, bytes_max, charge);
        }
        let check = move || check_now(signal, format, body, received, bytes_max, charge);
        let checked = tokio::task::spawn_blocking(check).await;
        checked.unwrap_or_else(|error| {
            tracing::error!(%error, "cannot check a body");
            Err(Refusal::NotStored { retry_after: None })
        })
    }

    /// Who a request says that it is from.
    pub(crate) fn origin(&self, headers: &HeaderMap) -> Option<Origin> {
        origin::origin(headers, &self.oddities)
    }

    /// Whether a sender may send. Any host name will do, because senders are told one by whoever
    /// set them up; only browsers let others choose it, and they say so.
    pub(crate) fn admit(&self, headers: &HeaderMap) -> Result<(), Refusal> {
        if let Some(host) = self.access.foreign_origin(headers) {
            return Err(Refusal::ForeignOrigin(host));
        }
        if !self.access.key_opens(headers) {
            return Err(Refusal::KeyRequired);
        }
        Ok(())
    }

    /// Where refusals are counted.
    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }
}

/// A body as protobuf, which is what the store keeps.
struct Checked {
    body: Body,
    bytes: usize,
    /// What its rows take in memory.
    charge: Charge,
}

fn check_now(
    signal: Signal,
    format: Format,
    body: Bytes,
    received: UnixNanos,
    bytes_max: usize,
    mut charge: Charge,
) -> Result<Checked, Refusal> {
    let body = match format {
        Format::Protobuf => body,
        Format::Json => {
            weight::json(&body, bytes_max).map_err(|TooHeavy| Refusal::TooHeavy { bytes_max })?;
            Request::json_to_protobuf(signal, &body)?.into()
        }
    };
    let bytes = body.len();
    let body = Body::read(signal, body, received, bytes_max)?;
    charge.grow(body.totals().memory_bytes)?;
    Ok(Checked {
        body,
        bytes,
        charge,
    })
}

#[allow(clippy::disallowed_methods)] // an edge: the receive time of a body is read here and handed on
fn now() -> UnixNanos {
    SystemTime::now().into()
}

/// At most some milliseconds of checking, and of building the rows.
const INLINE_BYTES_MAX: usize = 1 << 20;
