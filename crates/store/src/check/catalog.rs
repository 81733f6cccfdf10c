//! The catalog, read from a copy: SQLite makes files of its own beside what it opens.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::{Area, Check, bytes_of, entries};
use crate::catalog::{Catalog, Contents};

impl Check<'_> {
    /// What the catalog says; nothing if it cannot be read.
    pub(super) fn catalog(&mut self) -> io::Result<Option<Contents>> {
        let path = self.layout.catalog();
        let paths = [path.clone(), with_suffix(&path, "-wal")];
        let bytes = bytes_of(paths.iter().cloned());
        let files = paths.iter().filter(|path| path.exists()).count() as u64;
        self.report.areas.push(Area {
            name: "catalog",
            files,
            bytes,
            rows: 0,
        });
        if !path.exists() {
            if entries(&self.layout.segment_directory())?.is_empty() {
                return Ok(None);
            }
            self.fault(
                &path,
                "is gone, and without it nobody knows which segments count",
            );
            return Ok(None);
        }
        let copy = Copy::of(&path)?;
        match look(&copy.catalog()) {
            Ok((contents, faults)) => {
                for fault in faults {
                    self.fault(&path, fault);
                }
                Ok(Some(contents))
            }
            Err(error) => {
                self.fault(
                    &path,
                    format!("cannot be read: {error}; segments were not checked"),
                );
                Ok(None)
            }
        }
    }
}

fn look(path: &Path) -> rusqlite::Result<(Contents, Vec<String>)> {
    let catalog = Catalog::open(path)?;
    let faults = catalog.faults()?;
    Ok((catalog.contents()?, faults))
}

/// A copy of the catalog, which goes with this.
struct Copy(PathBuf);

impl Copy {
    fn of(catalog: &Path) -> io::Result<Self> {
        let temporary = std::env::temp_dir();
        let process = std::process::id();
        for number in 0..COPIES_MAX {
            let directory = temporary.join(format!("throughline-check-{process}-{number}"));
            match fs::DirBuilder::new().mode(0o700).create(&directory) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let copy = Copy(directory);
            for suffix in ["", "-wal"] {
                let from = with_suffix(catalog, suffix);
                match fs::copy(&from, with_suffix(&copy.catalog(), suffix)) {
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    copied => drop(copied?),
                }
            }
            return Ok(copy);
        }
        Err(io::Error::other(
            "too many copies of catalogs in the temporary directory",
        ))
    }

    fn catalog(&self) -> PathBuf {
        self.0.join("catalog.sqlite")
    }
}

impl Drop for Copy {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // the system clears its temporary directory, too
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Names that are tried for a copy.
const COPIES_MAX: u32 = 1000;
