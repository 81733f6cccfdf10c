//! Every change of the data directory but SQLite's own goes through here, and tests can record them.
//!
//! What a power cut leaves depends on what was synced, and no test on a real disk can show it: the
//! page cache survives `kill -9`. So the tests record which file and which directory was written,
//! renamed, removed and synced in which order, and build from it what a disk could have been left
//! with (`store/tests/power.rs`).
//!
//! **Invariant**: a file or directory of the data directory is changed by nothing else in this crate,
//! or the tests do not see it.

#[cfg(test)]
pub(crate) mod recorder;
#[cfg(test)]
pub(crate) mod simulated;

use std::fs;
use std::io::{self, Write};
use std::path::Path;

#[cfg(test)]
use recorder::Recorded;

/// A file that is being written, from its beginning to its end.
#[derive(Debug)]
pub(crate) struct File {
    file: fs::File,
    #[cfg(test)]
    recorded: Recorded,
}

impl File {
    /// Makes a file, or empties the one that is there.
    pub(crate) fn create(path: &Path) -> io::Result<Self> {
        Self::open(
            path,
            fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true),
        )
    }

    /// Makes a file that is not there yet, and appends to it.
    pub(crate) fn create_new(path: &Path) -> io::Result<Self> {
        Self::open(path, fs::OpenOptions::new().create_new(true).append(true))
    }

    fn open(path: &Path, options: &fs::OpenOptions) -> io::Result<Self> {
        let file = options.open(path)?;
        Ok(File {
            file,
            #[cfg(test)]
            recorded: Recorded::create(path),
        })
    }

    /// Waits until the disk has the contents, and the length with them.
    pub(crate) fn sync_data(&self) -> io::Result<()> {
        #[cfg(test)]
        if self.recorded.sync() {
            return Ok(());
        }
        self.file.sync_data()
    }

    /// The same with all else that is known of the file.
    pub(crate) fn sync_all(&self) -> io::Result<()> {
        #[cfg(test)]
        if self.recorded.sync() {
            return Ok(());
        }
        self.file.sync_all()
    }
}

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        #[cfg(test)]
        self.recorded.write(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)?;
    #[cfg(test)]
    recorder::rename(from, to);
    Ok(())
}

pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    fs::remove_file(path)?;
    #[cfg(test)]
    recorder::remove(path);
    Ok(())
}

/// Makes a directory and those above it, so that they are there after a crash.
pub(crate) fn make_directory(path: &Path) -> io::Result<()> {
    // Of a relative path with one part, the one above is the working directory.
    let above = match path.parent() {
        Some(above) if above != Path::new("") => above,
        _ => Path::new("."),
    };
    if path.is_dir() {
        // A run that was killed may have made it. Whoever else did may not let us read the one above.
        let _ = sync_directory(above);
        return Ok(());
    }
    make_directory(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
            return Err(error);
        }
        _ => {}
    }
    #[cfg(test)]
    recorder::make_directory(path);
    sync_directory(above)
}

/// Makes what was made, renamed and removed in a directory survive a crash.
pub(crate) fn sync_directory(path: &Path) -> io::Result<()> {
    #[cfg(test)]
    if recorder::sync_directory(path) {
        return Ok(());
    }
    fs::File::open(path)?.sync_all()
}

/// Runs what changes the catalog, whose file is at `path`. SQLite syncs its files itself.
pub(crate) fn catalog<T>(path: &Path, change: impl FnOnce() -> T) -> T {
    #[cfg(test)]
    let _recorded = recorder::catalog(path);
    #[cfg(not(test))]
    let _ = path;
    change()
}
