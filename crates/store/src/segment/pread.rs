//! A file read at given places, by several threads at once.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

use super::checks::Checks;

/// Parquet's own reader of a `File` seeks, and a clone of a file shares its position: two columns
/// read at once would get each other's bytes.
#[derive(Clone, Debug)]
pub(super) struct PositionedFile {
    file: Arc<File>,
    bytes: u64,
    checks: Option<Arc<Checks>>,
}

impl PositionedFile {
    /// Opens a file. What is read of it is checked, if there is something to check it against.
    pub(super) fn open(path: &Path, checks: Option<Arc<Checks>>) -> io::Result<Self> {
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        if let Some(checks) = checks.as_ref().filter(|checks| checks.bytes != bytes) {
            let what = format!("it has {bytes} bytes, and had {}", checks.bytes);
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, what));
        }
        Ok(PositionedFile {
            file: Arc::new(file),
            bytes,
            checks,
        })
    }

    /// So many bytes, or less at the end of the file.
    fn read_at(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let end = start.saturating_add(length as u64).min(self.bytes);
        let start = start.min(end);
        let read = |from: u64, to: u64| -> io::Result<Bytes> {
            let length = usize::try_from(to - from).map_err(io::Error::other)?;
            let mut bytes = vec![0; length];
            self.file.read_exact_at(&mut bytes, from)?;
            Ok(bytes.into())
        };
        let Some(checks) = &self.checks else {
            return read(start, end);
        };
        let blocks = checks.widen(start, end);
        let bytes = read(blocks.start, blocks.end)?;
        let checked = checks.check(blocks.start, &bytes);
        checked.map_err(|damage| io::Error::new(io::ErrorKind::InvalidData, damage))?;
        let place = |at: u64| usize::try_from(at - blocks.start).map_err(io::Error::other);
        Ok(bytes.slice(place(start)?..place(end)?))
    }
}

impl Length for PositionedFile {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for PositionedFile {
    type T = BufReader<At>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(At {
            file: self.clone(),
            offset: start,
        }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let bytes = self.read_at(start, length)?;
        if bytes.len() < length {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        Ok(bytes)
    }
}

/// A place in a file.
#[derive(Debug)]
pub(super) struct At {
    file: PositionedFile,
    offset: u64,
}

impl Read for At {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let bytes = self.file.read_at(self.offset, into.len())?;
        into[..bytes.len()].copy_from_slice(&bytes);
        self.offset += bytes.len() as u64;
        Ok(bytes.len())
    }
}
