//! Looks at everything in a data directory that no server has open, and says what is not as it was
//! written. Changes nothing in it.
//!
//! Every byte is read: of segments the rows' checksums, the indexes' checksums, and whether an index
//! is the one of its rows; of the WAL each frame and the body in it; of the catalog SQLite's own check,
//! and that what it says of files is true. What a server would clear up or leave alone at its next
//! start is noted and is no fault.

mod catalog;
mod rollups;
mod segments;
mod wal;

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::directory::{Directory, Layout};
use crate::error::OpenError;

/// How far a check has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes read.
    pub done_bytes: u64,
    /// Bytes to be read, all together.
    pub bytes: u64,
}

/// What a check has found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// What was looked at.
    pub areas: Vec<Area>,
    /// What is not as it was written, by path.
    pub faults: Vec<Finding>,
    /// What is no fault and worth knowing: leftovers, and what was set aside earlier.
    pub notes: Vec<Finding>,
}

/// A part of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Area {
    /// Its name: `catalog`, `traces`, `logs`, `metrics` or `wal`.
    pub name: &'static str,
    /// Files that were looked at.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
    /// Rows of segments, or bodies in the WAL.
    pub rows: u64,
}

/// Something about a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Which, from the data directory on.
    pub path: PathBuf,
    /// What about it.
    pub what: String,
}

/// Checks a data directory. `progress` is called after each file.
///
/// Fails if the directory cannot be read, is none of ours or of a newer version, or is in use.
pub fn check(
    directory: &Path,
    progress: &mut dyn FnMut(Progress),
) -> Result<CheckReport, OpenError> {
    let locked = Directory::open_unchanged(directory)?;
    let unreadable = |source| OpenError::Unwritable {
        directory: directory.to_owned(),
        source,
    };
    let layout = locked.layout();
    let mut check = Check {
        root: directory,
        layout: &layout,
        report: CheckReport::default(),
        progress,
        done: Progress {
            done_bytes: 0,
            bytes: 0,
        },
    };
    let contents = check.catalog().map_err(unreadable)?;
    let generations = match layout.wal_directory().exists() {
        true => layout.wal_generations().map_err(unreadable)?,
        false => Vec::new(),
    };
    check.done.bytes = bytes_of(generations.iter().map(|number| layout.wal(*number)));
    if let Some(contents) = &contents {
        let segments = contents.segments.all();
        check.done.bytes += segments.map(|segment| segment.bytes).sum::<u64>();
        check.segments(contents);
        check.rollups(contents).map_err(unreadable)?;
    }
    let checkpoint = contents.as_ref().map(|contents| contents.checkpoint);
    check.wal(&generations, checkpoint.unwrap_or(0));
    check
        .leftovers(contents.as_ref(), &generations)
        .map_err(unreadable)?;
    let mut report = check.report;
    for findings in [&mut report.faults, &mut report.notes] {
        findings.sort_by(|a, b| a.path.cmp(&b.path));
    }
    Ok(report)
}

struct Check<'a> {
    root: &'a Path,
    layout: &'a Layout,
    report: CheckReport,
    progress: &'a mut dyn FnMut(Progress),
    done: Progress,
}

impl Check<'_> {
    fn fault(&mut self, path: &Path, what: impl ToString) {
        let finding = self.finding(path, what);
        self.report.faults.push(finding);
    }

    fn note(&mut self, path: &Path, what: impl ToString) {
        let finding = self.finding(path, what);
        self.report.notes.push(finding);
    }

    fn finding(&self, path: &Path, what: impl ToString) -> Finding {
        Finding {
            path: path.strip_prefix(self.root).unwrap_or(path).to_owned(),
            what: what.to_string(),
        }
    }

    fn went_on(&mut self, bytes: u64) {
        self.done.done_bytes += bytes;
        (self.progress)(self.done);
    }

    /// Entries of the directory itself, and what was set aside.
    fn others(&mut self) -> std::io::Result<()> {
        let known = HashSet::from([
            "THROUGHLINE",
            "THROUGHLINE.new",
            "lock",
            "lost+found",
            "catalog.sqlite",
            "catalog.sqlite-wal",
            "catalog.sqlite-shm",
            "wal",
            "segments",
            "rollups",
            "damaged",
        ]);
        for path in entries(self.root)? {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if !known.contains(&*name) {
                self.note(&path, "is not known here");
            }
        }
        for path in entries(&self.layout.damaged_directory())? {
            self.note(&path, "was found damaged earlier, and is kept");
        }
        Ok(())
    }
}

/// What is in a directory, in order; nothing if there is none.
fn entries(directory: &Path) -> std::io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.map(|entry| Ok(entry?.path()));
    let mut paths: Vec<PathBuf> = paths.collect::<std::io::Result<_>>()?;
    paths.sort();
    Ok(paths)
}

fn bytes_of(paths: impl Iterator<Item = PathBuf>) -> u64 {
    let lengths = paths.filter_map(|path| Some(fs::metadata(path).ok()?.len()));
    lengths.sum()
}

#[cfg(test)]
mod tests;
