//! Indexes of version 1, which are read and no longer written.
//!
//! ```text
//! index    := version:u8=1 magic:"TLI" rows:u32 traces:u32 postings:u32 trace*traces row:u32*postings crc:u32
//! trace    := trace_id:[u8;16] start:u64 end:u64 first:u32 count:u32
//! ```

use throughline_telemetry::{TraceId, UnixNanos};

use super::super::table::Damage;
use super::{MAGIC, TraceIndex, TraceRange, take};

/// Reads the bytes of an index and checks that they are whole.
pub(super) fn read(bytes: &[u8]) -> Result<TraceIndex, Damage> {
    let damaged = || Damage::new("not a whole index");
    let (rest, crc) = bytes.split_last_chunk().ok_or_else(damaged)?;
    if crc32c::crc32c(rest) != u32::from_le_bytes(*crc) {
        return Err(Damage::new("checksum mismatch"));
    }
    let mut rest = rest;
    let [version, magic @ ..] = *take::<4>(&mut rest).ok_or_else(damaged)?;
    if version != VERSION || magic != *MAGIC {
        return Err(Damage::new(format!("index version {version} is unknown")));
    }
    let mut number = || take(&mut rest).map(|bytes| u32::from_le_bytes(*bytes));
    let rows = number().ok_or_else(damaged)?;
    let trace_count = number().ok_or_else(damaged)? as usize;
    let posting_count = number().ok_or_else(damaged)? as usize;
    if rest.len() != trace_count * TRACE_BYTES + posting_count * size_of::<u32>() {
        return Err(damaged());
    }
    let (traces, postings) = rest.split_at(trace_count * TRACE_BYTES);
    let traces = traces.chunks_exact(TRACE_BYTES).map(trace);
    let traces = traces.collect::<Option<Vec<_>>>().ok_or_else(damaged)?;
    let (postings, _) = postings.as_chunks();
    let postings = postings
        .iter()
        .map(|row| u32::from_le_bytes(*row))
        .collect();
    Ok(TraceIndex::new(rows, traces, postings))
}

fn trace(mut bytes: &[u8]) -> Option<TraceRange> {
    let bytes = &mut bytes;
    Some(TraceRange {
        trace_id: TraceId::new(*take(bytes)?).ok()?,
        start: UnixNanos(u64::from_le_bytes(*take(bytes)?)),
        end: UnixNanos(u64::from_le_bytes(*take(bytes)?)),
        first: u32::from_le_bytes(*take(bytes)?),
        count: u32::from_le_bytes(*take(bytes)?),
    })
}

pub(super) const VERSION: u8 = 1;
const TRACE_BYTES: usize = 40;
