//! The write-ahead log: the raw bodies as they came, one file a generation.
//!
//! ```text
//! file    := header frame*
//! header  := version:u8=1 magic:"TLWAL" reserved:u16=0 generation:u64 crc:u32
//!          | version:u8=2 magic:"TLWAL" reserved:u16=0 generation:u64 before:u64 crc:u32
//! frame   := version:u8 signal:u8 mark:"TL" length:u32 received:u64 body_crc:u32 head_crc:u32 rest
//! signal  := 1 traces | 2 logs | 3 metrics
//! rest    := body                     in version 1
//!          | tag_length:u16 tag body  in version 2, for a body whose sender is known
//! tag     := sequence:u64 environment_length:u8 environment function_length:u8 function ledger
//! ```
//!
//! `length` and `body_crc` are those of the rest, so that who sent a body is as durable as the body.
//! A sequence of 0 is none; the ledger is JSON or nothing. A body may be empty: then the frame says
//! only what its tag says.
//!
//! Numbers are little-endian, checksums are CRC-32C. `head_crc` covers the 20 bytes before it and
//! then the generation of the file, so that a frame of an older file that shares the disk block is
//! not taken for one of this file. `received` is in nanoseconds since 1970.
//!
//! `before` is written after a write that failed: so many bytes of the file of the generation before
//! count. What the disk has after them was refused to its senders, who send it again, and must not
//! come back.
//!
//! A frame whose body is damaged is left out and the next one is read. After a damaged head the
//! reader looks for the next whole frame, byte by byte. What was left out is kept aside.

mod header;
mod reader;
mod serializer;
mod tag;
mod writer;

pub(crate) use header::{HEADER_BYTES_MAX, WalHeader};
pub(crate) use reader::{Piece, WalReader};
pub(crate) use serializer::WalSerializer;
pub(crate) use writer::WalWriter;

use throughline_telemetry::Signal;

/// Of a file, and of a frame without a tag.
const VERSION: u8 = 1;
/// Of a file that says where the one before it ends.
const VERSION_CUTTING: u8 = 2;
/// Of a frame with one.
const VERSION_TAGGED: u8 = 2;
const MAGIC: &[u8; 5] = b"TLWAL";
const MARK: &[u8; 2] = b"TL";
const HEAD_BYTES: usize = 24;

fn signal_number(signal: Signal) -> u8 {
    match signal {
        Signal::Traces => 1,
        Signal::Logs => 2,
        Signal::Metrics => 3,
    }
}

fn signal_of(number: u8) -> Option<Signal> {
    let mut all = Signal::ALL.into_iter();
    all.find(|signal| signal_number(*signal) == number)
}

/// The checksum of a frame's head in the file of a generation.
fn head_crc(head: &[u8], generation: u64) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(head), &generation.to_le_bytes())
}

#[cfg(test)]
mod tests;
