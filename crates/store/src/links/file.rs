//! Indexes of links as files.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::{Ends, LinksMeta};
use crate::error::ReadError;
use crate::limits::LINKED_TRACES_MAX;
use crate::probe::Probe;
use crate::segment::filter::Filter;
use crate::segment::{Damage, durably};
use crate::varint;

/// What is kept in memory of the links of a segment.
#[derive(Debug)]
pub(crate) enum LinkIndex {
    /// A block of the file is read where it may have something.
    Parts(Parts),
    /// Made of the rows, because there is no file that can be read.
    Made(Ends),
}

#[derive(Debug)]
pub(crate) struct Parts {
    filter: Filter,
    directory: Vec<Block>,
    /// Where the blocks begin in the file.
    begin: u64,
    left_out: u32,
}

#[derive(Clone, Copy, Debug)]
struct Block {
    first: u64,
    /// Where it ends, from where the blocks begin.
    end: u32,
    crc: u32,
}

/// Writes the index of a segment. When it returns the file is on disk, and nothing points to it.
pub(crate) fn write(probe: &Probe, path: &Path, ends: Ends) -> io::Result<LinksMeta> {
    let bytes = to_bytes(ends);
    let (checks, crc) = durably(probe, path, |mut file| {
        file.write_all(&bytes)?;
        Ok(file)
    })?;
    Ok(LinksMeta {
        bytes: checks.bytes,
        crc,
    })
}

/// Whether a file is as it was written, every byte of it.
pub(crate) fn verify(path: &Path, meta: LinksMeta) -> Result<(), ReadError> {
    let bytes = fs::read(path).map_err(ReadError::io(path))?;
    match crc32c::crc32c(&bytes) == meta.crc && bytes.len() as u64 == meta.bytes {
        true => Ok(()),
        false => Err(ReadError::corrupt(path, Damage::new("checksum mismatch"))),
    }
}

/// The part of a hash that a file has.
pub(super) fn cut(hash: u64) -> u64 {
    hash >> (u64::BITS - HASH_BITS)
}

pub(super) fn to_bytes(ends: Ends) -> Vec<u8> {
    let Ends { mut ends, left_out } = ends;
    let filter = Filter::of(ends.iter().map(|(hash, _)| *hash)).to_bytes();
    for (hash, _) in &mut ends {
        *hash = cut(*hash);
    }
    // Cutting them keeps their order, but for the rows of those that are the same now.
    ends.sort_unstable();
    ends.dedup();
    let (mut blocks, mut directory) = (Vec::new(), Vec::new());
    for block in ends.chunks(BLOCK_ENDS) {
        let begin = blocks.len();
        let mut before = block[0].0;
        for (hash, row) in block {
            varint::put(&mut blocks, hash - before);
            varint::put(&mut blocks, u64::from(*row));
            before = *hash;
        }
        directory.extend(block[0].0.to_le_bytes());
        directory.extend(length(blocks.len()).to_le_bytes());
        directory.extend(crc32c::crc32c(&blocks[begin..]).to_le_bytes());
    }
    let mut bytes = vec![VERSION, 0, 0, 0];
    let counts = [
        ends.len(),
        left_out as usize,
        directory.len() / ENTRY_BYTES,
        filter.len(),
    ];
    bytes.extend(counts.into_iter().flat_map(|it| length(it).to_le_bytes()));
    bytes.extend(crc32c::crc32c(&bytes).to_le_bytes());
    for part in [filter, directory] {
        bytes.extend(&part);
        bytes.extend(crc32c::crc32c(&part).to_le_bytes());
    }
    bytes.extend(blocks);
    bytes
}

fn length(length: usize) -> u32 {
    u32::try_from(length).expect("the number of ends is limited")
}

impl LinkIndex {
    /// Reads what is kept in memory.
    pub(crate) fn load(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(ReadError::io(path))?;
        let read = Parts::read(&file).map_err(ReadError::io(path))?;
        let parts = read.map_err(|damage| ReadError::corrupt(path, damage))?;
        Ok(LinkIndex::Parts(parts))
    }

    /// The first rows of traces that may have an end, in order, and whether there are more of them.
    pub(crate) fn rows(&self, path: &Path, hash: u64) -> Result<(Vec<u32>, bool), ReadError> {
        let mut rows = match self {
            LinkIndex::Made(ends) => ends.rows(hash).take(LINKED_TRACES_MAX + 1).collect(),
            LinkIndex::Parts(parts) if !parts.filter.may_have(hash) => Vec::new(),
            LinkIndex::Parts(parts) => {
                let file = File::open(path).map_err(ReadError::io(path))?;
                let read = parts.rows(&file, cut(hash)).map_err(ReadError::io(path))?;
                read.map_err(|damage| ReadError::corrupt(path, damage))?
            }
        };
        let more = rows.len() > LINKED_TRACES_MAX;
        rows.truncate(LINKED_TRACES_MAX);
        rows.sort_unstable();
        Ok((rows, more))
    }

    /// Whether there are ends that it does not know.
    pub(crate) fn is_partial(&self) -> bool {
        match self {
            LinkIndex::Parts(parts) => parts.left_out > 0,
            LinkIndex::Made(ends) => ends.left_out > 0,
        }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        size_of_val(self)
            + match self {
                LinkIndex::Parts(parts) => {
                    parts.filter.memory_bytes() + size_of_val(&parts.directory[..])
                }
                LinkIndex::Made(ends) => size_of_val(&ends.ends[..]),
            }
    }
}

impl Parts {
    fn read(file: &File) -> io::Result<Result<Self, Damage>> {
        let length = file.metadata()?.len();
        let mut head = [0; HEAD_BYTES];
        if length < head.len() as u64 {
            return Ok(Err(Damage::new("it is cut")));
        }
        file.read_exact_at(&mut head, 0)?;
        let numbers = head.as_chunks::<4>().0;
        let [version, _, left_out, blocks, filter_bytes, crc] =
            [0, 1, 2, 3, 4, 5].map(|at| u32::from_le_bytes(numbers[at]));
        if crc32c::crc32c(&head[..HEAD_BYTES - 4]) != crc {
            return Ok(Err(Damage::new("checksum mismatch")));
        }
        if version != u32::from(VERSION) {
            return Ok(Err(Damage::new(format!("version {version} is not known"))));
        }
        let (filter_bytes, blocks) = (u64::from(filter_bytes), u64::from(blocks));
        let directory_bytes = blocks * ENTRY_BYTES as u64;
        let filter_at = HEAD_BYTES as u64;
        let directory_at = filter_at + filter_bytes + 4;
        let begin = directory_at + directory_bytes + 4;
        if begin > length {
            return Ok(Err(Damage::new("it is cut")));
        }
        let filter = part(file, filter_at, filter_bytes)?;
        let directory = part(file, directory_at, directory_bytes)?;
        Ok(filter.zip(directory).map_or_else(
            || Err(Damage::new("checksum mismatch")),
            |(filter, directory)| {
                let filter = Filter::from_bytes(&filter);
                Ok(Parts {
                    filter: filter.ok_or_else(|| Damage::new("not a filter"))?,
                    directory: directory_of(&directory)?,
                    begin,
                    left_out,
                })
            },
        ))
    }

    /// The rows of a cut hash, a few more than are asked for at most.
    fn rows(&self, file: &File, hash: u64) -> io::Result<Result<Vec<u32>, Damage>> {
        let mut rows = Vec::new();
        // The same hash may go on over several blocks.
        let after = self.directory.partition_point(|block| block.first < hash);
        for number in after.saturating_sub(1)..self.directory.len() {
            let block = self.directory[number];
            if block.first > hash || rows.len() > LINKED_TRACES_MAX {
                break;
            }
            let before = number.checked_sub(1);
            let start = before.map_or(0, |before| self.directory[before].end);
            let mut bytes = vec![0; (block.end - start) as usize];
            file.read_exact_at(&mut bytes, self.begin + u64::from(start))?;
            if crc32c::crc32c(&bytes) != block.crc {
                return Ok(Err(Damage::new("checksum mismatch")));
            }
            let mut rest = bytes.as_slice();
            let mut at = block.first;
            while !rest.is_empty() {
                let gap_and_row = varint::get(&mut rest).zip(varint::get(&mut rest));
                let Some((gap, row)) = gap_and_row else {
                    return Ok(Err(Damage::new("not a block of ends")));
                };
                at = at.wrapping_add(gap);
                if at == hash {
                    rows.extend(u32::try_from(row).ok());
                }
            }
        }
        Ok(Ok(rows))
    }
}

/// Some bytes of a file and their checksum behind them, if it is theirs.
fn part(file: &File, at: u64, bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let bytes = usize::try_from(bytes).map_err(io::Error::other)?;
    let mut part = vec![0; bytes + 4];
    file.read_exact_at(&mut part, at)?;
    let crc = part.split_off(bytes);
    Ok((crc == crc32c::crc32c(&part).to_le_bytes()).then_some(part))
}

fn directory_of(bytes: &[u8]) -> Result<Vec<Block>, Damage> {
    let (entries, _) = bytes.as_chunks::<ENTRY_BYTES>();
    let blocks = entries.iter().map(|entry| {
        let [a, b, end, crc] =
            [0, 1, 2, 3].map(|at| u32::from_le_bytes(entry.as_chunks::<4>().0[at]));
        Block {
            first: u64::from(b) << 32 | u64::from(a),
            end,
            crc,
        }
    });
    let blocks: Vec<Block> = blocks.collect();
    match blocks.is_sorted_by_key(|block| (block.first, block.end)) {
        true => Ok(blocks),
        false => Err(Damage::new("its directory is not in order")),
    }
}

const VERSION: u8 = 1;

const HEAD_BYTES: usize = 24;

const ENTRY_BYTES: usize = 16;

/// Two different ends of a million are taken for the same once in a million lookups.
const HASH_BITS: u32 = 40;

/// Ends of one block: some three kilobytes.
const BLOCK_ENDS: usize = 512;
