//! Pages of a file as Parquet gets them: decompressed already.
//!
//! Parquet makes a context of zstd for each column of each read, and each asks the processor what it
//! can do. A virtual machine stops for that question: with the forty columns of a trace it was more
//! than two fifths of the time of reading one. So readers are told that nothing is compressed, and
//! pages are decompressed on their way to them, by one context a thread.
//!
//! ```text
//! page   := header body
//! header := (1: type:i32) (2: uncompressed bytes:i32) (3: compressed bytes:i32) ...     Thrift, compact
//! ```

use std::cell::RefCell;
use std::io::{self, Cursor, Read};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Compression;
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ParquetMetaData;
use parquet::file::reader::{ChunkReader, Length};
use zstd::bulk::Decompressor;

use super::pread::{Failure, PositionedFile};

/// Where the columns of a file are that are compressed. Sorted.
pub(super) type Packed = Arc<[Range<u64>]>;

/// A file whose pages come decompressed.
#[derive(Debug)]
pub(super) struct Pages {
    file: PositionedFile,
    packed: Packed,
}

impl Pages {
    pub(super) fn new(file: PositionedFile, packed: Packed) -> Self {
        Pages { file, packed }
    }

    /// What the system says of the file from now on, if anything.
    pub(super) fn failure(&self) -> Failure {
        self.file.failure()
    }
}

/// The metadata that says that nothing is compressed, and what in truth is. As it is, if the file does
/// not say where its pages are: then Parquet does not ask for whole pages.
pub(super) fn unpacked(metadata: ParquetMetaData) -> Result<(ParquetMetaData, Packed)> {
    let has_places = metadata.offset_index().is_some_and(|groups| {
        groups.len() == metadata.num_row_groups()
            && groups
                .iter()
                .flatten()
                .all(|column| !column.page_locations().is_empty())
    });
    let mut packed = Vec::new();
    if !has_places {
        return Ok((metadata, packed.into()));
    }
    let mut builder = metadata.into_builder();
    let mut groups = Vec::new();
    for group in builder.take_row_groups() {
        let mut group = group.into_builder();
        let mut columns = Vec::new();
        for column in group.take_columns() {
            if !matches!(column.compression(), Compression::ZSTD(_)) {
                columns.push(column);
                continue;
            }
            let (start, bytes) = column.byte_range();
            packed.push(start..start + bytes);
            let column = column.into_builder();
            columns.push(column.set_compression(Compression::UNCOMPRESSED).build()?);
        }
        groups.push(group.set_column_metadata(columns).build()?);
    }
    packed.sort_by_key(|range| range.start);
    Ok((builder.set_row_groups(groups).build(), packed.into()))
}

impl Length for Pages {
    fn len(&self) -> u64 {
        self.file.len()
    }
}

impl ChunkReader for Pages {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(Box::new(self.file.get_read(start)?))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let page = self.file.get_bytes(start, length)?;
        let after = self.packed.partition_point(|range| range.start <= start);
        let before = after.checked_sub(1).and_then(|at| self.packed.get(at));
        match before.is_some_and(|range| range.contains(&start)) {
            true => unpack(&page),
            false => Ok(page),
        }
    }
}

/// A page with the same header, whose body is decompressed.
fn unpack(page: &[u8]) -> Result<Bytes> {
    let damaged = || ParquetError::General("not a whole page".to_owned());
    let [kind, plain, compressed] = sizes(page).ok_or_else(damaged)?;
    if kind == DATA_PAGE_V2 || page.len() < compressed {
        return Err(damaged());
    }
    let (header, body) = page.split_at(page.len() - compressed);
    let mut unpacked = Vec::with_capacity(header.len() + plain);
    unpacked.extend_from_slice(header);
    // A page without values has no body, whatever it says.
    if plain > 0 {
        let mut into = Cursor::new(unpacked);
        into.set_position(header.len() as u64);
        decompress(body, &mut into)?;
        unpacked = into.into_inner();
    }
    match unpacked.len() == header.len() + plain {
        true => Ok(unpacked.into()),
        false => Err(damaged()),
    }
}

fn decompress(body: &[u8], into: &mut Cursor<Vec<u8>>) -> io::Result<usize> {
    thread_local! {
        static DECOMPRESSOR: RefCell<Option<Decompressor<'static>>> = const { RefCell::new(None) };
    }
    DECOMPRESSOR.with_borrow_mut(|kept| {
        let decompressor = match kept {
            Some(decompressor) => decompressor,
            None => kept.insert(Decompressor::new()?),
        };
        decompressor.decompress_to_buffer(body, into)
    })
}

/// The first three numbers of the header of a page: its type and its sizes.
fn sizes(mut page: &[u8]) -> Option<[usize; 3]> {
    let mut numbers = [0; 3];
    for number in &mut numbers {
        // Each is the field after the one before, a 32-bit integer.
        page = page.strip_prefix(&[0x15])?;
        let mut zigzag = 0_u64;
        for shift in (0..35).step_by(7) {
            let (byte, rest) = page.split_first()?;
            page = rest;
            zigzag |= u64::from(byte & 0x7f) << shift;
            if *byte < 0x80 {
                break;
            }
        }
        let is_positive = zigzag & 1 == 0;
        *number = usize::try_from(zigzag >> 1).ok().filter(|_| is_positive)?;
        if *number > PAGE_BYTES_MAX {
            return None;
        }
    }
    Some(numbers)
}

const DATA_PAGE_V2: usize = 3;

/// No page that was written is as large; a size that is must be damage.
const PAGE_BYTES_MAX: usize = 1 << 30;

#[cfg(test)]
mod tests {
    #![allow(clippy::cast_possible_truncation)] // seven bits fit

    use super::*;

    fn page(plain: usize, body: &[u8]) -> Vec<u8> {
        let mut page = Vec::new();
        for number in [0, plain, body.len()] {
            page.push(0x15);
            let mut zigzag = number << 1;
            while zigzag >= 0x80 {
                page.push((zigzag & 0x7f) as u8 | 0x80);
                zigzag >>= 7;
            }
            page.push(zigzag as u8);
        }
        [&page, [0x2c, 0x00, 0x00].as_slice(), body].concat()
    }

    #[test]
    fn a_page_keeps_its_header() {
        let text = "order ord-1 accepted; ".repeat(400);
        let body = zstd::bulk::compress(text.as_bytes(), 3).unwrap();
        let packed = page(text.len(), &body);
        let unpacked = unpack(&packed).unwrap();
        let header = packed.len() - body.len();
        assert_eq!(unpacked[..header], packed[..header]);
        assert_eq!(&unpacked[header..], text.as_bytes());
        let empty = page(0, &[]);
        assert_eq!(unpack(&empty).unwrap(), empty);
    }

    #[test]
    fn a_page_that_lies_is_damaged() {
        let body = zstd::bulk::compress(&[7; 1000], 3).unwrap();
        for bad in [
            page(999, &body),
            page(1001, &body),
            page(1000, &body[1..]),
            page(PAGE_BYTES_MAX + 1, &body),
            page(1000, &body)[1..].to_vec(),
            page(1000, &body)[..6].to_vec(),
            Vec::new(),
        ] {
            unpack(&bad).unwrap_err();
        }
    }
}
