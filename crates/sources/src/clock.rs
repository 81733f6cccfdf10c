//! The wall clock, where records are compared with it.

use std::time::{SystemTime, UNIX_EPOCH};

use throughline_sandbox::UnixNanos;

#[allow(clippy::disallowed_methods)] // the edge where this crate reads the time
pub(crate) fn now() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.unwrap_or_default().as_nanos();
    UnixNanos::new(u64::try_from(nanos).unwrap_or(u64::MAX))
}
