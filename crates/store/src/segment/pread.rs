//! A file read at given places, by several threads at once.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use parquet::errors::Result;
use parquet::file::reader::{ChunkReader, Length};

use super::checks::Checks;
use super::table::Damage;
use crate::error::ReadError;

/// Parquet's own reader of a `File` seeks, and a clone of a file shares its position: two columns
/// read at once would get each other's bytes.
#[derive(Clone, Debug)]
pub(super) struct PositionedFile {
    file: Arc<File>,
    bytes: u64,
    checks: Option<Arc<Checks>>,
    failure: Failure,
}

/// What the system said when a file could not be read. An error that has come through Parquet does not
/// tell that from damage.
#[derive(Clone, Debug, Default)]
pub(super) struct Failure(Arc<OnceLock<i32>>);

impl Failure {
    fn note(&self, error: &io::Error) {
        if let Some(code) = error.raw_os_error() {
            let _ = self.0.set(code); // the first is told
        }
    }

    /// Why a file could not be read, of which something looked damaged.
    pub(super) fn error(&self, path: &Path, damage: Damage) -> ReadError {
        match self.0.get() {
            Some(code) => ReadError::io(path)(io::Error::from_raw_os_error(*code)),
            None => ReadError::corrupt(path, damage),
        }
    }
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
        #[cfg(test)]
        let file = crate::testing::harm::broken(path).unwrap_or(file);
        Ok(PositionedFile {
            file: Arc::new(file),
            bytes,
            checks,
            failure: Failure::default(),
        })
    }

    /// What the system says of it from now on, if anything.
    pub(super) fn failure(&self) -> Failure {
        self.failure.clone()
    }

    /// So many bytes, or less at the end of the file.
    fn read_at(&self, start: u64, length: usize) -> io::Result<Bytes> {
        let end = start.saturating_add(length as u64).min(self.bytes);
        let start = start.min(end);
        let read = |from: u64, to: u64| -> io::Result<Bytes> {
            let length = usize::try_from(to - from).map_err(io::Error::other)?;
            let mut bytes = vec![0; length];
            let read = self.file.read_exact_at(&mut bytes, from);
            read.inspect_err(|error| self.failure.note(error))?;
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
