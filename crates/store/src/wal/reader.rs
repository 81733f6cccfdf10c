//! Frames back to bodies, whatever happened to the file.

use std::ops::Range;

use throughline_telemetry::{Signal, UnixNanos};

use super::tag::{self, TAG_BYTES_MAX};
use super::{HEAD_BYTES, MARK, VERSION, VERSION_TAGGED, WalHeader, head_crc, signal_of};
use crate::limits::BODY_BYTES_MAX;
use crate::origin::Origin;

/// What the reader found next.
#[derive(Debug, PartialEq)]
pub(crate) enum Piece<'a> {
    /// A whole frame.
    Frame {
        signal: Signal,
        received: UnixNanos,
        body: &'a [u8],
        /// Who sent it, if that is known.
        origin: Option<Box<Origin>>,
        /// Where the frame is in the file.
        range: Range<usize>,
    },
    /// Bytes that are no whole frame.
    Damaged(Range<usize>),
}

/// Reads one WAL file.
pub(crate) struct WalReader<'a> {
    file: &'a [u8],
    generation: u64,
    offset: usize,
}

impl<'a> WalReader<'a> {
    /// A reader of the bytes of the file of this generation. A damaged header does not matter,
    /// because every frame carries its own proof.
    pub(crate) fn new(file: &'a [u8], generation: u64) -> Self {
        let header = WalHeader::read(file, generation);
        WalReader {
            file,
            generation,
            offset: header.map_or(0, |header| header.to_bytes().len()),
        }
    }

    /// The frame that begins at an offset, if a whole one does.
    fn frame_at(&self, offset: usize) -> Found<'a> {
        let rest = &self.file[offset..];
        let Some((head, rest)) = rest.split_first_chunk::<HEAD_BYTES>() else {
            return Found::Nothing;
        };
        if ![VERSION, VERSION_TAGGED].contains(&head[0]) || &head[2..4] != MARK {
            return Found::Nothing;
        }
        if head_crc(&head[..20], self.generation) != le_u32(&head[20..]) {
            return Found::Nothing;
        }
        let length = le_u32(&head[4..8]) as usize;
        let (Some(rest), true) = (rest.get(..length), length <= BODY_BYTES_MAX + TAG_BYTES_MAX)
        else {
            return Found::Nothing;
        };
        let end = offset + HEAD_BYTES + length;
        if crc32c::crc32c(rest) != le_u32(&head[16..20]) {
            return Found::BadBody(end);
        }
        let untagged = match head[0] {
            VERSION_TAGGED => tag::read(rest).map(|(origin, body)| (Some(Box::new(origin)), body)),
            _ => Some((None, rest)),
        };
        match (signal_of(head[1]), untagged) {
            (Some(signal), Some((origin, body))) => Found::Frame(Piece::Frame {
                signal,
                received: UnixNanos(le_u64(&head[8..16])),
                body,
                origin,
                range: offset..end,
            }),
            _ => Found::BadBody(end),
        }
    }

    /// Where the next whole frame begins, or the end of the file.
    fn next_frame(&self, from: usize) -> usize {
        let mut offset = from;
        while offset < self.file.len() {
            if let Found::Frame(_) = self.frame_at(offset) {
                return offset;
            }
            offset += 1;
        }
        offset
    }
}

impl<'a> Iterator for WalReader<'a> {
    type Item = Piece<'a>;

    fn next(&mut self) -> Option<Piece<'a>> {
        if self.offset == self.file.len() {
            return None;
        }
        match self.frame_at(self.offset) {
            Found::Frame(piece) => {
                if let Piece::Frame { range, .. } = &piece {
                    self.offset = range.end;
                }
                Some(piece)
            }
            Found::BadBody(end) => {
                let damaged = self.offset..end;
                self.offset = end;
                Some(Piece::Damaged(damaged))
            }
            Found::Nothing => {
                let damaged = self.offset..self.next_frame(self.offset + 1);
                self.offset = damaged.end;
                Some(Piece::Damaged(damaged))
            }
        }
    }
}

enum Found<'a> {
    Frame(Piece<'a>),
    /// A good head whose body is not what was written; the next frame begins here.
    BadBody(usize),
    Nothing,
}

fn le_u32(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("the slice has four bytes"))
}

fn le_u64(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(bytes.try_into().expect("the slice has eight bytes"))
}
