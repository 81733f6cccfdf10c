//! Links: what joins the traces of a segment to others, found by what joins them.
//!
//! ```text
//! rollups/spans-0000000007-000.links   of segments/spans-0000000007-000.parquet
//!
//! file      := head filter filter_crc:u32 directory directory_crc:u32 block*
//! head      := version:u8=1 0:u8*3 ends:u32 left_out:u32 blocks:u32 filter_bytes:u32 crc:u32
//! filter    := block:[u32;8]*                     which ends there may be
//! directory := (first:u64 end:u32 crc:u32)*blocks the first hash of each block, where it ends
//! block     := (gap:varint row:varint)*           hashes in order, each as its distance from the one
//!                                                 before it; the first row of the trace
//! ```
//!
//! Numbers are little-endian, checksums are CRC-32C. Of an [`End`] of a link (a key that was sent or
//! received, a trace that is linked to) the file has 40 bits of a hash, and the first row of the trace that
//! has it: which trace that is, the rows say. So an end takes some eight bytes, and a trace that is
//! found for nothing, because hashes are the same, costs a look. Which span it is, whoever reads the trace sees.
//!
//! The index is made while the rows are written ([`LinkFold`]), lives and dies with them, and is made of them
//! in memory where it is missing or damaged, some segments at a time. A reader keeps filter and
//! directory, and reads a block where the filter says that it may have something. What is still
//! in a buffer is looked through when somebody asks ([`BufferLinks`]): taking spans in costs nothing.
//!
//! **Invariant**: every end that a span of a segment has is found, but those left out at the limits, whose number
//! the index says.

mod buffered;
mod file;
mod fold;
mod read;

use throughline_telemetry::correlation::End;
use twox_hash::XxHash64;

pub(crate) use buffered::BufferLinks;
pub(crate) use file::{LinkIndex, verify, write};
pub(crate) use fold::{Ends, LinkFold};
pub use read::Linked;

/// What the catalog knows of the links of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LinksMeta {
    /// On disk.
    pub(crate) bytes: u64,
    /// CRC-32C of the file.
    pub(crate) crc: u32,
}

/// Which end something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u64)]
enum Side {
    Out = 1,
    In = 2,
    LinkTo = 3,
}

/// What an index knows an end by.
pub(crate) fn end_hash(end: &End) -> u64 {
    match end {
        End::Out(key) => hash(Side::Out, key.as_bytes()),
        End::In(key) => hash(Side::In, key.as_bytes()),
        End::LinkTo(trace) => hash(Side::LinkTo, trace.as_bytes()),
    }
}

fn hash(side: Side, what: &[u8]) -> u64 {
    XxHash64::oneshot(side as u64, what)
}

#[cfg(test)]
mod tests;
