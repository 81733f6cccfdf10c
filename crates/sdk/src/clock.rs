//! The edge that reads the clock.

use std::time::SystemTime;

use throughline_telemetry::UnixNanos;

#[allow(clippy::disallowed_methods)]
pub(crate) fn now() -> UnixNanos {
    SystemTime::now().into()
}

/// Milliseconds since 1970, as the platform says deadlines.
pub(crate) fn now_millis() -> u64 {
    now().0 / 1_000_000
}
