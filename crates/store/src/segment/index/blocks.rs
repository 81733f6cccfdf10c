//! Traces in blocks, each of which can be read on its own.
//!
//! ```text
//! block := base:u64 trace*
//! trace := trace_id:[u8;16] start:varint end:varint first:varint count:varint gap:varint*
//! ```
//!
//! `start` is counted from `base`, `end` from `start` (modulo 2^64). Where rows are scattered, `first`
//! is the first of them, and there is a gap to each of the others; else there are no gaps.

use throughline_telemetry::{TraceId, UnixNanos};

use super::super::table::Damage;
use super::{Collected, Layout, TraceRange, take};
use crate::varint::{get, put};

/// The blocks of traces that come sorted by id, and the directory of them.
pub(super) fn write<'a>(
    traces: impl Iterator<Item = (&'a TraceId, &'a Collected)>,
    layout: Layout,
) -> (Vec<u8>, Vec<u8>) {
    let traces: Vec<_> = traces.collect();
    let (mut blocks, mut directory) = (Vec::new(), Vec::new());
    for traces in traces.chunks(BLOCK_TRACES) {
        let begin = blocks.len();
        let base = traces.iter().map(|(_, trace)| trace.start.0).min();
        let base = base.unwrap_or_default();
        blocks.extend(base.to_le_bytes());
        for (id, trace) in traces {
            let count = trace.rows.len() as u64;
            let [first, .., last] = [trace.rows[0], trace.rows[trace.rows.len() - 1]];
            blocks.extend(id.as_bytes());
            put(&mut blocks, trace.start.0 - base);
            put(&mut blocks, trace.end.0.wrapping_sub(trace.start.0));
            put(&mut blocks, u64::from(first));
            put(&mut blocks, count);
            match layout {
                Layout::Adjacent => assert_eq!(
                    u64::from(last - first) + 1,
                    count,
                    "the rows of a trace are not next to each other"
                ),
                Layout::Scattered => {
                    let gaps = trace.rows.windows(2).map(|pair| pair[1] - pair[0]);
                    gaps.for_each(|gap| put(&mut blocks, u64::from(gap)));
                }
            }
        }
        let end = u32::try_from(blocks.len()).expect("an index is smaller than 4 GiB");
        directory.extend(traces[0].0.as_bytes());
        directory.extend(end.to_le_bytes());
        directory.extend(crc32c::crc32c(&blocks[begin..]).to_le_bytes());
    }
    (blocks, directory)
}

/// The traces of a block, whose scattered rows are added to `postings`.
pub(super) fn read(
    mut block: &[u8],
    layout: Layout,
    postings: &mut Vec<u32>,
) -> Option<Vec<TraceRange>> {
    let rest = &mut block;
    let base = u64::from_le_bytes(*take(rest)?);
    let mut traces = Vec::with_capacity(BLOCK_TRACES);
    while !rest.is_empty() {
        let trace_id = TraceId::new(*take(rest)?).ok()?;
        let start = base.checked_add(get(rest)?)?;
        let end = start.wrapping_add(get(rest)?);
        let mut row = get_row(rest)?;
        let count = get_row(rest)?;
        let first = match layout {
            Layout::Adjacent => row,
            Layout::Scattered => {
                let first = u32::try_from(postings.len()).ok()?;
                postings.push(row);
                for _ in 1..count {
                    row = row.checked_add(get_row(rest)?)?;
                    postings.push(row);
                }
                first
            }
        };
        traces.push(TraceRange {
            trace_id,
            start: UnixNanos(start),
            end: UnixNanos(end),
            first,
            count,
        });
    }
    Some(traces)
}

/// Where each block is, and how it begins.
#[derive(Debug)]
pub(super) struct Directory {
    firsts: Vec<[u8; 16]>,
    ends: Vec<u32>,
    crcs: Vec<u32>,
}

impl Directory {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let damaged = || Damage::new("not a whole index");
        let (entries, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let mut directory = Directory {
            firsts: Vec::with_capacity(entries.len()),
            ends: Vec::with_capacity(entries.len()),
            crcs: Vec::with_capacity(entries.len()),
        };
        for entry in entries {
            let mut entry = entry.as_slice();
            let mut number = || take(&mut entry).copied().ok_or_else(damaged);
            directory.firsts.push(
                [number()?, number()?, number()?, number()?]
                    .as_flattened()
                    .try_into()
                    .map_err(|_| damaged())?,
            );
            directory.ends.push(u32::from_le_bytes(number()?));
            directory.crcs.push(u32::from_le_bytes(number()?));
        }
        if !rest.is_empty() || !directory.firsts.is_sorted() || !directory.ends.is_sorted() {
            return Err(damaged());
        }
        Ok(directory)
    }

    /// Where the block is that has a trace if any has.
    pub(super) fn find(&self, id: TraceId) -> Option<usize> {
        let after = self.firsts.partition_point(|first| first <= id.as_bytes());
        after.checked_sub(1)
    }

    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of a block among those of all.
    pub(super) fn range(&self, block: usize) -> std::ops::Range<u32> {
        let start = block.checked_sub(1).map_or(0, |before| self.ends[before]);
        start..self.ends[block]
    }

    pub(super) fn check(&self, block: usize, bytes: &[u8]) -> Result<(), Damage> {
        match crc32c::crc32c(bytes) == self.crcs[block] {
            true => Ok(()),
            false => Err(Damage::new("checksum mismatch")),
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.len() * ENTRY_BYTES
    }
}

fn get_row(rest: &mut &[u8]) -> Option<u32> {
    get(rest)?.try_into().ok()
}

/// Traces of one block: some four kilobytes.
const BLOCK_TRACES: usize = 128;

const ENTRY_BYTES: usize = 16 + 4 + 4;
