//! The data directory: its marker, its lock and the names of its files.
//!
//! ```text
//! THROUGHLINE                         marker: "throughline data, format 5\n"
//! lock                                locked by the process that has it open
//! catalog.sqlite                      which segments count, and the checkpoint
//! wal/0000000007.wal                  the bodies of generation 7
//! wal/0000000007.damaged              what could not be read of it, kept for a person to look at
//! segments/spans-0000000006-000.parquet   and .index beside it
//! rollups/spans-0000000006-000.parquet    what its rows sum up to, and others beside it
//! damaged/spans-0000000005-000.index      files of segments that are not as they were written
//! ```

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use throughline_telemetry::Signal;

use crate::disk::{self, make_directory, sync_directory};
use crate::error::OpenError;
use crate::segment::{self, SegmentId};

/// The file that makes a directory ours.
pub(crate) const MARKER: &str = "THROUGHLINE";

/// The format that this version writes, and the newest that it reads. A directory of an older format
/// is opened and becomes one of this, so that older versions refuse it: one that knows only 1 would
/// take the tagged frames of its WAL for damage, one that knows only 2 segments whose attributes have
/// columns, one that knows only 3 indexes with parts, and one that knows only 4 resources without ids.
pub(crate) const FORMAT: u32 = 5;

const MARKER_PREFIX: &str = "throughline data, format ";
const LOCK: &str = "lock";
const WAL_UNFINISHED: &str = ".wal.new";

/// A data directory that this process has locked. The lock goes with it.
#[derive(Debug)]
pub(crate) struct Directory {
    path: PathBuf,
    _lock: Option<File>,
}

impl Directory {
    /// Makes the directory if it is absent or empty, checks that it is ours, and locks it.
    pub(crate) fn open(path: &Path) -> Result<Self, OpenError> {
        let unwritable = |source| OpenError::Unwritable {
            directory: path.to_owned(),
            source,
        };
        make_directory(path).map_err(unwritable)?;
        check_marker(path)?;
        let lock = lock(path)?;
        // Another process may have made it ours between the look and the lock.
        if check_marker(path)? != Marker::Ours {
            write_marker(path).map_err(unwritable)?;
        }
        for inner in ["wal", "segments", "rollups"] {
            make_directory(&path.join(inner)).map_err(unwritable)?;
        }
        // They may be there from a run that was killed before it came to this.
        sync_directory(path).map_err(unwritable)?;
        Ok(Directory {
            path: path.to_owned(),
            _lock: Some(lock),
        })
    }

    /// Locks a directory that is there and ours, and changes nothing in it.
    pub(crate) fn open_unchanged(path: &Path) -> Result<Self, OpenError> {
        if check_marker(path)? == Marker::Absent {
            return Err(OpenError::Corrupt {
                directory: path.to_owned(),
                what: format!("it has no {MARKER} file"),
            });
        }
        let lock = match File::open(path.join(LOCK)) {
            // A copy may be without; then nobody has it open either.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(source) => {
                return Err(OpenError::Unwritable {
                    directory: path.to_owned(),
                    source,
                });
            }
            Ok(file) => Some(locked(path, file)?),
        };
        Ok(Directory {
            path: path.to_owned(),
            _lock: lock,
        })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout(self.path.clone())
    }
}

/// Where each file of a data directory is.
#[derive(Clone, Debug)]
pub(crate) struct Layout(PathBuf);

impl Layout {
    pub(crate) fn catalog(&self) -> PathBuf {
        self.0.join("catalog.sqlite")
    }

    pub(crate) fn wal_directory(&self) -> PathBuf {
        self.0.join("wal")
    }

    pub(crate) fn wal(&self, generation: u64) -> PathBuf {
        self.wal_directory().join(format!("{generation:010}.wal"))
    }

    /// Where a WAL file is made, until it has its header.
    pub(crate) fn unfinished_wal(&self, generation: u64) -> PathBuf {
        self.wal_directory()
            .join(format!("{generation:010}{WAL_UNFINISHED}"))
    }

    pub(crate) fn damaged(&self, generation: u64) -> PathBuf {
        self.wal_directory()
            .join(format!("{generation:010}.damaged"))
    }

    /// Where damaged files of segments are kept.
    pub(crate) fn damaged_directory(&self) -> PathBuf {
        self.0.join("damaged")
    }

    pub(crate) fn segment_directory(&self) -> PathBuf {
        self.0.join("segments")
    }

    pub(crate) fn rollup_directory(&self) -> PathBuf {
        self.0.join("rollups")
    }

    /// What the rows of a segment of spans sum up to.
    pub(crate) fn rollup(&self, id: SegmentId) -> PathBuf {
        let name = segment::file_name(Signal::Traces, id, "parquet");
        self.rollup_directory().join(name)
    }

    /// What calls what in a segment of spans.
    pub(crate) fn edges(&self, id: SegmentId) -> PathBuf {
        let name = segment::file_name(Signal::Traces, id, "edges.parquet");
        self.rollup_directory().join(name)
    }

    /// What joins the traces of a segment of spans to others.
    pub(crate) fn links(&self, id: SegmentId) -> PathBuf {
        let name = segment::file_name(Signal::Traces, id, "links");
        self.rollup_directory().join(name)
    }

    /// What functions cost, as a segment of log records says it.
    pub(crate) fn costs(&self, id: SegmentId) -> PathBuf {
        let name = segment::file_name(Signal::Logs, id, "costs.parquet");
        self.rollup_directory().join(name)
    }

    /// Which attributes the rows of a segment have.
    pub(crate) fn census(&self, signal: Signal, id: SegmentId) -> PathBuf {
        let name = segment::file_name(signal, id, "census.parquet");
        self.rollup_directory().join(name)
    }

    /// Removes WAL files that were being made, in which nothing can be yet.
    pub(crate) fn remove_unfinished_wal(&self) -> io::Result<()> {
        for entry in fs::read_dir(self.wal_directory())? {
            let path = entry?.path();
            if path.to_string_lossy().ends_with(WAL_UNFINISHED) {
                disk::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// The generations of the WAL files that are there, oldest first.
    pub(crate) fn wal_generations(&self) -> io::Result<Vec<u64>> {
        let mut generations = Vec::new();
        for entry in fs::read_dir(self.wal_directory())? {
            let name = entry?.file_name();
            let stem = name.to_str().and_then(|name| name.strip_suffix(".wal"));
            generations.extend(stem.and_then(|stem| stem.parse::<u64>().ok()));
        }
        generations.sort_unstable();
        Ok(generations)
    }
}

#[derive(PartialEq)]
enum Marker {
    Absent,
    Older,
    Ours,
}

fn check_marker(path: &Path) -> Result<Marker, OpenError> {
    let directory = || path.to_owned();
    let unwritable = |source| OpenError::Unwritable {
        directory: directory(),
        source,
    };
    match fs::read_to_string(path.join(MARKER)) {
        Ok(text) => {
            let found = text.strip_prefix(MARKER_PREFIX).map(str::trim_end);
            match found.and_then(|number| number.parse::<u32>().ok()) {
                Some(FORMAT) => Ok(Marker::Ours),
                Some(1..FORMAT) => Ok(Marker::Older),
                Some(found) if found > FORMAT => Err(OpenError::TooNew {
                    directory: directory(),
                    found,
                    supported: FORMAT,
                }),
                _ => Err(OpenError::Corrupt {
                    directory: directory(),
                    what: format!("its {MARKER} file does not name a format"),
                }),
            }
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            match foreign_entry(path).map_err(unwritable)? {
                None => Ok(Marker::Absent),
                Some(entry) => Err(OpenError::Foreign {
                    directory: directory(),
                    entry,
                }),
            }
        }
        Err(error) => Err(unwritable(error)),
    }
}

/// Something in the directory that neither a fresh file system nor a first start leaves there.
fn foreign_entry(path: &Path) -> io::Result<Option<String>> {
    let harmless = [LOCK, "lost+found", "THROUGHLINE.new"];
    for entry in fs::read_dir(path)? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !harmless.contains(&name.as_str()) {
            return Ok(Some(name));
        }
    }
    Ok(None)
}

fn lock(path: &Path) -> Result<File, OpenError> {
    let unwritable = |source| OpenError::Unwritable {
        directory: path.to_owned(),
        source,
    };
    let mut options = OpenOptions::new();
    let options = options.create(true).truncate(false).write(true);
    let file = options.open(path.join(LOCK)).map_err(unwritable)?;
    locked(path, file)
}

fn locked(path: &Path, file: File) -> Result<File, OpenError> {
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked {
            directory: path.to_owned(),
        }),
        Err(TryLockError::Error(source)) => Err(OpenError::Unwritable {
            directory: path.to_owned(),
            source,
        }),
    }
}

fn write_marker(path: &Path) -> io::Result<()> {
    let new = path.join(format!("{MARKER}.new"));
    let mut file = disk::File::create(&new)?;
    file.write_all(format!("{MARKER_PREFIX}{FORMAT}\n").as_bytes())?;
    file.sync_all()?;
    disk::rename(&new, &path.join(MARKER))?;
    sync_directory(path)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    fn check(prepare: impl FnOnce(&Path), expect: Expect) {
        let directory = tempfile::tempdir().unwrap();
        prepare(directory.path());
        let outcome = match Directory::open(directory.path()) {
            Ok(_) => "opened".to_owned(),
            Err(error) => error.to_string(),
        };
        expect.assert_eq(&outcome.replace(&directory.path().display().to_string(), "DIR"));
    }

    #[test]
    fn what_opens() {
        check(|_| {}, expect!["opened"]);
        check(
            |path| drop(Directory::open(path).unwrap()),
            expect!["opened"],
        );
        check(
            |path| fs::write(path.join(LOCK), "").unwrap(),
            expect!["opened"],
        );
        check(
            |path| fs::write(path.join(MARKER), "throughline data, format 1\n").unwrap(),
            expect!["opened"],
        );
    }

    #[test]
    fn what_does_not_open() {
        check(
            |path| fs::write(path.join("thesis.tex"), "").unwrap(),
            expect![
                "DIR is not a Throughline data directory: it holds thesis.tex but no THROUGHLINE file"
            ],
        );
        check(
            |path| fs::write(path.join(MARKER), "throughline data, format 6\n").unwrap(),
            expect![
                "data directory DIR has format 6, written by a newer version; this one reads up to 5"
            ],
        );
        check(
            |path| fs::write(path.join(MARKER), "hello").unwrap(),
            expect!["data directory DIR is damaged: its THROUGHLINE file does not name a format"],
        );
    }

    #[test]
    fn an_older_directory_becomes_one_that_older_versions_refuse() {
        let directory = tempfile::tempdir().unwrap();
        let marker = directory.path().join(MARKER);
        fs::write(&marker, "throughline data, format 1\n").unwrap();
        Directory::open(directory.path()).unwrap();
        let text = fs::read_to_string(marker).unwrap();
        assert_eq!(text, "throughline data, format 5\n");
    }

    #[test]
    fn a_second_opener_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let _first = Directory::open(directory.path()).unwrap();
        let second = Directory::open(directory.path());
        assert!(matches!(second, Err(OpenError::Locked { .. })));
    }

    #[test]
    fn a_foreign_directory_is_left_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("thesis.tex"), "").unwrap();
        Directory::open(directory.path()).unwrap_err();
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_unwritable_directory_is_said_to_be() {
        // A path below a file cannot be made by anyone, not even by root.
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("file"), "").unwrap();
        let opened = Directory::open(&directory.path().join("file/data"));
        assert!(matches!(opened, Err(OpenError::Unwritable { .. })));
    }
}
