//! The parts that the file of an index has, each with its checksum.
//!
//! ```text
//! file := header part*
//! header := version:u8=2 magic:"TLI" layout:u8 rows:u32 traces:u32 rows_bytes:u64 parts:u32 entry*parts crc:u32
//! entry  := kind:u32 bytes:u64 crc:u32
//! ```
//!
//! The parts follow in the order of their entries. A reader passes over kinds that it does not know.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;

use super::super::table::Damage;
use super::{Layout, MAGIC, take};

/// What the beginning of the file says.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Header {
    pub(super) layout: Layout,
    pub(super) rows: u32,
    pub(super) traces: u32,
    /// Length of the file of rows.
    pub(super) rows_bytes: u64,
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq)]
struct Entry {
    kind: u32,
    place: Range<u64>,
    crc: u32,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Kind {
    /// The first trace of each block, where it ends, and its checksum.
    Directory = 1,
    /// Which traces there may be.
    Filter = 2,
    /// Checksums of the file of rows.
    Checks = 3,
    /// The traces.
    Traces = 4,
    /// Which words there may be.
    Words = 5,
}

/// The bytes of a file with these parts.
pub(super) fn write(
    layout: Layout,
    rows: u32,
    traces: u32,
    rows_bytes: u64,
    parts: &[(Kind, Vec<u8>)],
) -> Vec<u8> {
    let mut file = vec![VERSION];
    file.extend(MAGIC);
    file.push(layout as u8);
    file.extend(rows.to_le_bytes());
    file.extend(traces.to_le_bytes());
    file.extend(rows_bytes.to_le_bytes());
    let count = u32::try_from(parts.len()).expect("there are few kinds");
    file.extend(count.to_le_bytes());
    for (kind, part) in parts {
        file.extend((*kind as u32).to_le_bytes());
        file.extend((part.len() as u64).to_le_bytes());
        file.extend(crc32c::crc32c(part).to_le_bytes());
    }
    let crc = crc32c::crc32c(&file);
    file.extend(crc.to_le_bytes());
    parts.iter().for_each(|(_, part)| file.extend(part));
    file
}

impl Header {
    /// Reads what is at the beginning of these bytes.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Damage> {
        let damaged = || Damage::new("not a whole index");
        let mut rest = bytes;
        let [version, magic @ ..] = *take::<4>(&mut rest).ok_or_else(damaged)?;
        if version != VERSION || magic != *MAGIC {
            return Err(Damage::new(format!("index version {version} is unknown")));
        }
        let [layout] = *take(&mut rest).ok_or_else(damaged)?;
        let rows = number(&mut rest).ok_or_else(damaged)?;
        let traces = number(&mut rest).ok_or_else(damaged)?;
        let rows_bytes = long(&mut rest).ok_or_else(damaged)?;
        let count = number(&mut rest).ok_or_else(damaged)?;
        if count > PARTS_MAX {
            return Err(damaged());
        }
        let header_bytes = HEADER_BYTES + count as usize * ENTRY_BYTES;
        let (header, mut crc) = bytes.split_at_checked(header_bytes).ok_or_else(damaged)?;
        if number(&mut crc) != Some(crc32c::crc32c(header)) {
            return Err(Damage::new("checksum mismatch"));
        }
        let mut begin = header_bytes as u64 + size_of::<u32>() as u64;
        let mut entries = Vec::with_capacity(count as usize);
        for _ in 0..count {
            let kind = number(&mut rest).ok_or_else(damaged)?;
            let end = long(&mut rest).and_then(|bytes| begin.checked_add(bytes));
            let place = begin..end.ok_or_else(damaged)?;
            begin = place.end;
            let crc = number(&mut rest).ok_or_else(damaged)?;
            entries.push(Entry { kind, place, crc });
        }
        Ok(Header {
            layout: Layout::of_number(layout).ok_or_else(damaged)?,
            rows,
            traces,
            rows_bytes,
            entries,
        })
    }

    /// Reads the beginning of a file.
    pub(super) fn load(file: &File) -> io::Result<Result<Self, Damage>> {
        let mut bytes = vec![0; HEADER_BYTES_MAX];
        let mut filled = 0;
        loop {
            let read = file.read_at(&mut bytes[filled..], filled as u64)?;
            filled += read;
            if read == 0 || filled == bytes.len() {
                break;
            }
        }
        Ok(Self::read(&bytes[..filled]))
    }

    /// Where a part is in the file.
    pub(super) fn place(&self, kind: Kind) -> Result<Range<u64>, Damage> {
        self.entry(kind).map(|entry| entry.place.clone())
    }

    /// A part of the file in memory.
    pub(super) fn part<'a>(&self, kind: Kind, file: &'a [u8]) -> Result<&'a [u8], Damage> {
        let entry = self.entry(kind)?;
        entry.of(file)
    }

    /// A part of a file on the disk.
    pub(super) fn load_part(&self, kind: Kind, file: &File) -> io::Result<Result<Vec<u8>, Damage>> {
        let entry = match self.entry(kind) {
            Ok(entry) => entry,
            Err(damage) => return Ok(Err(damage)),
        };
        let length = file.metadata()?.len();
        if entry.place.end > length {
            return Ok(Err(Damage::new("not a whole index")));
        }
        let bytes = load_range(file, entry.place.clone())?;
        Ok(entry.checked(&bytes).map(|_| ()).map(|()| bytes))
    }

    /// Checks that there is nothing but whole parts.
    pub(super) fn check(&self, file: &[u8]) -> Result<(), Damage> {
        let end = self.entries.last().map(|entry| entry.place.end);
        if end != Some(file.len() as u64) {
            return Err(Damage::new("not a whole index"));
        }
        self.entries
            .iter()
            .try_for_each(|entry| entry.of(file).map(drop))
    }

    /// Bytes of each part, by name.
    pub(super) fn sizes(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let size = |entry: &Entry| (name(entry.kind), entry.place.end - entry.place.start);
        self.entries.iter().map(size)
    }

    fn entry(&self, kind: Kind) -> Result<&Entry, Damage> {
        let mut entries = self.entries.iter();
        let entry = entries.find(|entry| entry.kind == kind as u32);
        entry.ok_or_else(|| Damage::new("an index without one of its parts"))
    }
}

impl Entry {
    fn of<'a>(&self, file: &'a [u8]) -> Result<&'a [u8], Damage> {
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        let part = file.get(place(self.place.start)..place(self.place.end));
        self.checked(part.ok_or_else(|| Damage::new("not a whole index"))?)
    }

    fn checked<'a>(&self, part: &'a [u8]) -> Result<&'a [u8], Damage> {
        match crc32c::crc32c(part) == self.crc {
            true => Ok(part),
            false => Err(Damage::new("checksum mismatch")),
        }
    }
}

fn name(kind: u32) -> &'static str {
    match kind {
        kind if kind == Kind::Directory as u32 => "directory",
        kind if kind == Kind::Filter as u32 => "filter",
        kind if kind == Kind::Checks as u32 => "checks",
        kind if kind == Kind::Traces as u32 => "traces",
        kind if kind == Kind::Words as u32 => "words",
        _ => "unknown",
    }
}

/// Bytes of a file, all of them.
pub(in crate::segment) fn load_range(file: &File, range: Range<u64>) -> io::Result<Vec<u8>> {
    let length = usize::try_from(range.end - range.start).map_err(io::Error::other)?;
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, range.start)?;
    Ok(bytes)
}

fn number(rest: &mut &[u8]) -> Option<u32> {
    take(rest).map(|bytes| u32::from_le_bytes(*bytes))
}

fn long(rest: &mut &[u8]) -> Option<u64> {
    take(rest).map(|bytes| u64::from_le_bytes(*bytes))
}

pub(super) const VERSION: u8 = 2;

/// Kinds of parts that there may ever be.
const PARTS_MAX: u32 = 64;

const HEADER_BYTES: usize = 4 + 1 + 4 + 4 + 8 + 4;
const ENTRY_BYTES: usize = 4 + 8 + 4;
const HEADER_BYTES_MAX: usize = HEADER_BYTES + PARTS_MAX as usize * ENTRY_BYTES + 4;
