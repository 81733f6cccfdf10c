//! What most searches of log records look at, a few bytes a record.

use arrow::array::{TimestampNanosecondArray, UInt8Array, UInt64Array};
use throughline_telemetry::UnixNanos;

use super::projection::Projected;
use crate::error::ReadError;

/// Time, order, severity and service of the records of one block.
#[derive(Debug)]
pub(crate) struct LogHeads {
    /// The first record's place in the segment.
    begin: u32,
    times: Vec<UnixNanos>,
    sequences: Vec<u64>,
    severities: Vec<u8>,
    /// For each record its place in `names`.
    services: Vec<usize>,
    names: Vec<String>,
}

impl LogHeads {
    pub(super) fn new(begin: u32, read: &Projected) -> Result<Self, ReadError> {
        let times: &TimestampNanosecondArray = read.get("time")?;
        let sequences: &UInt64Array = read.get("sequence")?;
        let severities: &UInt8Array = read.get("severity_number")?;
        let services = read.texts("service")?;
        let times = times.values().iter();
        Ok(LogHeads {
            begin,
            times: times.map(|time| UnixNanos(time.cast_unsigned())).collect(),
            sequences: sequences.values().to_vec(),
            severities: severities.values().to_vec(),
            services: (0..services.len()).map(|row| services.code(row)).collect(),
            names: services.distinct().map(str::to_owned).collect(),
        })
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let names = self.names.iter().map(|name| name.len() + 24);
        size_of_val(self) + self.times.len() * 25 + names.sum::<usize>()
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// Time and sequence of a record of the block.
    pub(crate) fn key(&self, at: usize) -> (UnixNanos, u64) {
        (self.times[at], self.sequences[at])
    }

    pub(crate) fn severity(&self, at: usize) -> u8 {
        self.severities[at]
    }

    pub(crate) fn service(&self, at: usize) -> &str {
        &self.names[self.services[at]]
    }

    /// The record's place in the segment.
    pub(crate) fn place(&self, at: usize) -> u32 {
        self.begin + u32::try_from(at).expect("a block has few records")
    }
}
