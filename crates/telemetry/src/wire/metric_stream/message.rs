//! Messages of `opentelemetry1.0`: each an `ExportMetricsServiceRequest` after its length as a varint.

use bytes::Bytes;

use super::BadPiece;
use crate::model::Signal;
use crate::wire::walk::{PointView, Sink, check_into};

/// Messages in one: an export request is a list, and two lists one after the other are one.
#[derive(Debug, Default)]
pub(super) struct Joined {
    body: Vec<u8>,
    /// What its rows take in memory.
    memory_bytes: usize,
    /// The number of the first message in it.
    first: u64,
}

impl Joined {
    /// Adds a message, and gives what was there before if there is no room for it.
    pub(super) fn take(
        &mut self,
        message: &[u8],
        number: u64,
    ) -> Result<Option<(u64, Vec<u8>)>, BadPiece> {
        let body = Bytes::copy_from_slice(message);
        let checked = check_into(Signal::Metrics, body, MEMORY_BYTES_MAX, Attributed::default);
        let (checked, attributed) =
            checked.map_err(|error| BadPiece::NotOtlp(error.to_string()))?;
        if attributed.points > 0 && !attributed.any {
            return Err(BadPiece::OldFormat);
        }
        let takes = checked.totals().memory_bytes;
        let is_full = self.memory_bytes.saturating_add(takes) > MEMORY_BYTES_MAX;
        let full = if is_full { self.request() } else { None };
        if self.body.is_empty() {
            self.first = number;
        }
        self.body.extend_from_slice(message);
        self.memory_bytes += takes;
        Ok(full)
    }

    /// What there is, with the number of the first message in it. Nothing is there afterwards.
    pub(super) fn request(&mut self) -> Option<(u64, Vec<u8>)> {
        let Joined { body, first, .. } = std::mem::take(self);
        (!body.is_empty()).then_some((first, body))
    }
}

/// Whether a record begins with a message: a length, the first resource within it, and something of that. No text
/// begins so and has the byte that every attribute has.
pub(super) fn begins(record: &[u8]) -> bool {
    const RESOURCE_METRICS: u8 = 0x0a;
    const ATTRIBUTE_VALUE: u8 = 0x12;
    // A resource, metrics of a scope, or the older name of these.
    const WITHIN: [u8; 3] = [0x0a, 0x12, 0x1a];
    let mut rest = record;
    let Ok(length) = prost::decode_length_delimiter(&mut rest) else {
        return false;
    };
    let Some((&RESOURCE_METRICS, mut rest)) = rest.split_first() else {
        return false;
    };
    let before = rest.len();
    let Ok(inner) = prost::decode_length_delimiter(&mut rest) else {
        return false;
    };
    let header = 1 + before - rest.len();
    header.saturating_add(inner) <= length
        && rest.first().is_some_and(|tag| WITHIN.contains(tag))
        && record.contains(&ATTRIBUTE_VALUE)
}

/// The next message. After a length that is wrong nothing of the record is left.
pub(super) fn next<'a>(record: &mut &'a [u8]) -> Result<&'a [u8], BadPiece> {
    let mut rest = std::mem::take(record);
    let length = prost::decode_length_delimiter(&mut rest);
    let length = length.map_err(|error| BadPiece::NoLength(error.to_string()))?;
    let left = rest.len();
    let cut = BadPiece::Cut { length, left };
    let (message, rest) = rest.split_at_checked(length).ok_or(cut)?;
    *record = rest;
    Ok(message)
}

/// Whether data points say what they are of. In 1.0 each has its namespace at least.
#[derive(Default)]
struct Attributed {
    points: u64,
    any: bool,
}

impl Sink for Attributed {
    fn point(&mut self, point: &PointView<'_, '_>) {
        self.points += 1;
        self.any |= !point.attributes.is_empty();
    }
}

/// What the rows of a request may take: a record of Firehose has up to 1 MiB, and a hundred of them fit.
const MEMORY_BYTES_MAX: usize = 64 << 20;
