//! How a store is to be opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::limits::{
    BUFFER_BYTES_MAX, KNOWN_ENVIRONMENTS_MAX, SEAL_INTERVAL, SEGMENT_ROWS_MAX, UNSEALED_BYTES_MAX,
    WAL_RETRY,
};
use crate::probe::Probe;
use crate::retention::Retention;

/// Where the data is and how much of it may wait in memory.
#[derive(Clone, Debug)]
pub struct Options {
    /// The data directory.
    pub directory: PathBuf,
    /// A buffer is sealed when its WAL file has this many bytes. 64 MiB unless set.
    pub buffer_bytes_max: u64,
    /// A buffer is sealed when it is this old. A minute unless set.
    pub seal_interval: Duration,
    /// How many bytes of WAL and buffers may wait to be sealed before senders are turned away.
    /// 1 GiB unless set.
    pub unsealed_bytes_max: u64,
    /// How long and how much is kept. Everything unless set.
    pub retention: Retention,
    /// Whether segments are merged and dropped in the background. They are unless set;
    /// [`Store::compact`] does it at once.
    ///
    /// [`Store::compact`]: crate::Store::compact
    pub compacts: bool,
    pub(crate) segment_rows_max: u32,
    pub(crate) known_environments_max: usize,
    /// How long after a failed write of the WAL the next is tried.
    pub(crate) wal_retry: Duration,
    pub(crate) probe: Probe,
}

impl Options {
    /// The usual options for a data directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Options {
            directory: directory.into(),
            buffer_bytes_max: BUFFER_BYTES_MAX,
            seal_interval: SEAL_INTERVAL,
            unsealed_bytes_max: UNSEALED_BYTES_MAX,
            retention: Retention::default(),
            compacts: true,
            segment_rows_max: SEGMENT_ROWS_MAX,
            known_environments_max: KNOWN_ENVIRONMENTS_MAX,
            wal_retry: WAL_RETRY,
            probe: Probe::default(),
        }
    }
}
