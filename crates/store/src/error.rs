//! What can go wrong, grouped by who can act.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use throughline_telemetry::wire::WireError;

/// Why a data directory cannot be opened. The operator can act on all of these.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// It cannot be made, read or written.
    #[error("cannot use {directory} as data directory: {source}", directory = directory.display())]
    Unwritable {
        /// The data directory.
        directory: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It holds something else.
    #[error(
        "{directory} is not a Throughline data directory: it holds {entry} but no {marker} file",
        directory = directory.display(),
        marker = crate::directory::MARKER,
    )]
    Foreign {
        /// The data directory.
        directory: PathBuf,
        /// Something found in it.
        entry: String,
    },
    /// Another process has it open.
    #[error("data directory {directory} is in use by another process", directory = directory.display())]
    Locked {
        /// The data directory.
        directory: PathBuf,
    },
    /// A newer version of Throughline wrote it.
    #[error(
        "data directory {directory} has format {found}, written by a newer version; this one reads up to {supported}",
        directory = directory.display(),
    )]
    TooNew {
        /// The data directory.
        directory: PathBuf,
        /// Its format.
        found: u32,
        /// The newest format that this version reads.
        supported: u32,
    },
    /// Something in it is not as it was written.
    #[error("data directory {directory} is damaged: {what}", directory = directory.display())]
    Corrupt {
        /// The data directory.
        directory: PathBuf,
        /// What is wrong.
        what: String,
    },
}

/// Why a body was not stored.
#[derive(Debug, thiserror::Error)]
pub enum AppendError {
    /// The sender is faster than the disk.
    #[error(
        "cannot take more now: {unsealed_bytes} bytes wait to be sealed; retry after {retry_after:?}"
    )]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
        /// How much waits, in the WAL and in memory.
        unsealed_bytes: u64,
    },
    /// The sender's body is not OTLP.
    #[error(transparent)]
    Invalid(#[from] WireError),
    /// The sender's body is larger than the store takes.
    #[error("cannot store a body of {body_bytes} bytes: the limit is {body_bytes_max}")]
    TooLarge {
        /// How large it is.
        body_bytes: usize,
        /// How large it may be.
        body_bytes_max: usize,
    },
    /// The disk failed, or is full. The body is not stored, also if the disk has kept it.
    #[error("cannot write the WAL: {what}; retry after {retry_after:?}")]
    Io {
        /// What the system says.
        what: String,
        /// When the store tries the disk again.
        retry_after: Duration,
    },
    /// The catalog could not be asked whether the batch is stored already. It was not stored now.
    #[error("cannot tell whether the batch is stored already: {0}")]
    Catalog(String),
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why buffers could not be turned into segments. Their rows stay in the WAL and can be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum SealError {
    /// A segment or the catalog could not be written.
    #[error("cannot seal generation {generation}: {what}")]
    Failed {
        /// Which buffer.
        generation: u64,
        /// What failed.
        what: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Why something stored cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The disk failed, or the file is gone.
    #[error("cannot read {path}: {source}", path = path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The catalog cannot be read.
    #[error("cannot read the catalog: {0}")]
    Catalog(String),
    /// The file is not as it was written.
    #[error("{path} is damaged: {what}", path = path.display())]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl From<rusqlite::Error> for ReadError {
    fn from(error: rusqlite::Error) -> Self {
        ReadError::Catalog(error.to_string())
    }
}

impl ReadError {
    /// The file that it is about.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            ReadError::Io { path, .. } | ReadError::Corrupt { path, .. } => Some(path),
            ReadError::Catalog(_) => None,
        }
    }

    /// What is wrong, without the name of the file.
    pub(crate) fn what(&self) -> String {
        match self {
            ReadError::Io { source, .. } => format!("cannot be read: {source}"),
            ReadError::Corrupt { what, .. } => format!("is damaged: {what}"),
            ReadError::Catalog(what) => what.clone(),
        }
    }

    /// Whether the file will be no better at the next try. A disk that fails now and then, or a
    /// process that has too many files open, is another matter.
    pub(crate) fn is_damage(&self) -> bool {
        match self {
            ReadError::Corrupt { .. } => true,
            ReadError::Io { source, .. } => matches!(
                source.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
            ),
            ReadError::Catalog(_) => false,
        }
    }

    pub(crate) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| ReadError::Io { path, source }
    }

    pub(crate) fn corrupt(path: &Path, what: impl std::fmt::Display) -> Self {
        ReadError::Corrupt {
            path: path.to_owned(),
            what: what.to_string(),
        }
    }
}

/// Why segments were not merged. Everything is as it was.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cannot compact: {0}")]
pub struct CompactError(pub(crate) String);
