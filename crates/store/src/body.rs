//! A body on its way into the store.

use bytes::Bytes;
use throughline_telemetry::wire::WireError;
use throughline_telemetry::wire::walk::{self, Checked, Totals};
use throughline_telemetry::{Signal, UnixNanos};

use crate::limits::{BUILD_ASIDE_BYTES, BUILD_AT_ONCE_BYTES};
use crate::rows::{BatchBuilder, Rows};

/// The protobuf body of an export request that was looked through and found to be one.
#[derive(Clone, Debug)]
pub struct Body {
    /// As it came, which is what the WAL keeps.
    raw: Bytes,
    checked: Checked,
    /// Its rows, if they were built while it was looked through.
    built: Option<Rows>,
}

impl Body {
    /// Checks a body. Fails if it is no export request of the signal, or if its rows would take more
    /// than `memory_bytes_max`. Takes some 0.3 us a span and allocates nothing for them.
    pub fn check(signal: Signal, raw: Bytes, memory_bytes_max: usize) -> Result<Self, WireError> {
        let checked = walk::check(signal, raw.clone(), memory_bytes_max)?;
        Ok(Body {
            raw,
            checked,
            built: None,
        })
    }

    /// Checks a body that was received then. Its rows are built meanwhile unless it is small, so that it
    /// is looked through once; that takes some 4 us a span.
    pub fn read(
        signal: Signal,
        raw: Bytes,
        received: UnixNanos,
        memory_bytes_max: usize,
    ) -> Result<Self, WireError> {
        if !(BUILD_AT_ONCE_BYTES..BUILD_ASIDE_BYTES).contains(&raw.len()) {
            return Self::check(signal, raw, memory_bytes_max);
        }
        let new = || BatchBuilder::of(signal, received);
        let read = walk::check_into(signal, raw.clone(), memory_bytes_max, new);
        read.map(|(checked, builder)| Body {
            raw,
            checked,
            built: Some(builder.rows()),
        })
    }

    /// What is in it.
    pub fn totals(&self) -> Totals {
        self.checked.totals()
    }

    /// Which signal it carries.
    pub fn signal(&self) -> Signal {
        self.checked.signal()
    }

    pub(crate) fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// As it came, and its rows.
    pub(crate) fn into_parts(self) -> (Bytes, Rows) {
        let rows = self.built.unwrap_or(Rows::Checked(self.checked));
        (self.raw, rows)
    }
}
