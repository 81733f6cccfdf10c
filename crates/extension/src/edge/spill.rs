//! `/tmp/.throughline`: what the server could not take yet, and the books of each life.
//!
//! Everything here may fail, and then it is as if there was no `/tmp`. The account of a life is locked
//! while its extension lives, so that nobody takes over what is not left over.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use throughline_extension::outbox::frame::{self, HEAD_BYTES_MAX, RECORD_BYTES_MAX, Record};
use throughline_extension::outbox::{Batch, Key, Leftover};
use throughline_telemetry::Signal;

/// The folder.
#[derive(Debug)]
pub(super) struct Spill {
    folder: PathBuf,
    home: u64,
    is_made: bool,
    /// The accounts of this life and of those that it took over, locked.
    records: BTreeMap<Arc<str>, File>,
    /// Somebody else held an account when it was looked for.
    is_held: bool,
}

impl Spill {
    pub(super) fn new(tmp: &Path, home: u64) -> Self {
        Spill {
            folder: tmp.join(FOLDER),
            home,
            is_made: false,
            records: BTreeMap::new(),
            is_held: false,
        }
    }

    /// Whether the last look found an account that somebody else holds. A process that is killed while
    /// it is frozen holds its own for a while after its successor has started.
    pub(super) fn is_held(&self) -> bool {
        self.is_held
    }

    /// Half of what is free where the folder is; none if that cannot be known.
    pub(super) fn room(tmp: &Path) -> u64 {
        let space = rustix::fs::statvfs(tmp.as_os_str().as_bytes());
        space.map_or(0, |space| space.f_bavail.saturating_mul(space.f_frsize) / 2)
    }

    /// Writes a batch; `false` if it is not there afterwards.
    pub(super) fn save(&mut self, batch: &Batch) -> bool {
        let path = self.folder.join(frame::file_name(batch));
        let bytes = frame::encode(batch, self.home);
        let mut written = self.write(&path, &bytes);
        // Functions clean `/tmp`, with what is ours in it.
        if matches!(&written, Err(error) if error.kind() == io::ErrorKind::NotFound) {
            self.is_made = false;
            self.records.clear();
            written = self.write(&path, &bytes);
        }
        if written.is_err() {
            // Half a file helps nobody and takes room.
            let _ = std::fs::remove_file(&path);
        }
        written.is_ok()
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.make()?;
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        options.open(path)?.write_all(bytes)
    }

    /// The body of a batch, if it is there as it was written.
    pub(super) fn load(&self, key: &Key, signal: Signal) -> Option<Bytes> {
        let path = self.path(key, signal);
        let file = open(&path, OpenOptions::new().read(true)).ok()?;
        let mut bytes = Vec::new();
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes).ok()?;
        frame::decode_body(&bytes.into(), self.home)
    }

    /// Deletes a batch. If that fails it is sent once more by the next life, which does no harm.
    pub(super) fn remove(&self, key: &Key, signal: Signal) {
        let _ = std::fs::remove_file(self.path(key, signal));
    }

    /// Overwrites the account of a life.
    pub(super) fn record(&mut self, environment: &Arc<str>, line: &str) {
        if !self.records.contains_key(environment) {
            let Ok(file) = self.open_record(environment) else {
                return;
            };
            self.records.insert(Arc::clone(environment), file);
        }
        let Some(file) = self.records.get_mut(environment) else {
            return;
        };
        // A shorter line leaves the rest of the longer one behind it, which its reader knows.
        let _ = file.rewind().and_then(|()| file.write_all(line.as_bytes()));
    }

    /// Forgets a life.
    pub(super) fn close(&mut self, environment: &Arc<str>) {
        self.records.remove(environment);
        let _ = std::fs::remove_file(self.folder.join(frame::record_name(environment)));
        if self.records.is_empty() {
            // It stays if there is anything in it.
            let _ = std::fs::remove_dir(&self.folder);
            self.is_made = false;
        }
    }

    /// What lives before this one left, and nobody else has taken.
    pub(super) fn leftovers(&mut self, own: &str) -> Vec<Leftover> {
        self.is_held = false;
        let Ok(files) = std::fs::read_dir(&self.folder) else {
            return Vec::new();
        };
        if !self.is_private() {
            return Vec::new();
        }
        let names = files.filter_map(|file| file.ok()?.file_name().into_string().ok());
        let mut lives: BTreeMap<Arc<str>, Leftover> = BTreeMap::new();
        let mut others = Vec::new();
        for name in names.take(FILES_MAX) {
            match name.strip_suffix(".ledger") {
                Some(environment) if self.records.contains_key(environment) => {
                    others.push(environment.to_owned());
                }
                Some(environment) if environment != own => match self.take(environment) {
                    Some(record) => lives.entry(environment.into()).or_default().record = record,
                    None => {
                        self.is_held = true;
                        others.push(environment.to_owned());
                    }
                },
                Some(_) => {}
                None => self.read_head(&name, &mut lives),
            }
        }
        lives.retain(|environment, leftover| {
            let is_ours =
                **environment != *own && !others.iter().any(|other| **other == **environment);
            is_ours && (leftover.record.is_some() || !leftover.batches.is_empty())
        });
        let lives = lives.into_values().map(|mut leftover| {
            leftover.batches.sort_by_key(|stored| stored.batch.sequence);
            leftover
        });
        lives.collect()
    }

    fn read_head(&self, name: &str, lives: &mut BTreeMap<Arc<str>, Leftover>) {
        let path = self.folder.join(name);
        let mut beginning = Vec::new();
        let read = open(&path, OpenOptions::new().read(true)).and_then(|file| {
            let bytes = file.metadata()?.len();
            file.take(HEAD_BYTES_MAX as u64)
                .read_to_end(&mut beginning)?;
            Ok(bytes)
        });
        let stored = read
            .ok()
            .and_then(|bytes| frame::decode_head(&beginning, bytes, self.home));
        if let Some(stored) = stored.filter(|stored| frame::file_name(&stored.batch) == name) {
            let life = lives
                .entry(Arc::clone(&stored.batch.environment))
                .or_default();
            life.batches.push(stored);
        }
    }

    /// Locks an account that nobody holds, and reads it. `None` if somebody does; nothing in it if it
    /// is torn or another function's.
    fn take(&mut self, environment: &str) -> Option<Option<Record>> {
        let path = self.folder.join(frame::record_name(environment));
        let file = open(&path, OpenOptions::new().read(true).write(true)).ok()?;
        file.try_lock().ok()?;
        let mut bytes = Vec::new();
        let read = (&file)
            .take(RECORD_BYTES_MAX as u64)
            .read_to_end(&mut bytes);
        let record = read
            .ok()
            .and_then(|_| frame::decode_record(&bytes, self.home));
        if record.is_some() {
            self.records.insert(environment.into(), file);
        }
        Some(record)
    }

    fn open_record(&mut self, environment: &str) -> io::Result<File> {
        self.make()?;
        let mut options = OpenOptions::new();
        let options = options
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600);
        let file = options.open(self.folder.join(frame::record_name(environment)))?;
        file.try_lock()?;
        Ok(file)
    }

    fn make(&mut self) -> io::Result<()> {
        if self.is_made {
            return Ok(());
        }
        match DirBuilder::new().mode(0o700).create(&self.folder) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && self.is_private() => {}
            Err(error) => return Err(error),
        }
        self.is_made = true;
        Ok(())
    }

    /// A folder, no link, and nobody else's to look into.
    fn is_private(&self) -> bool {
        let about = std::fs::symlink_metadata(&self.folder);
        about.is_ok_and(|about| about.is_dir() && about.mode() & 0o077 == 0)
    }

    fn path(&self, key: &Key, signal: Signal) -> PathBuf {
        let Key {
            environment,
            sequence,
        } = key;
        self.folder
            .join(format!("{environment}-{sequence}.{signal}"))
    }
}

/// Opens a file and nothing else: whoever opens a pipe waits for its other end.
fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    match std::fs::symlink_metadata(path)?.is_file() {
        true => options.open(path),
        false => Err(io::ErrorKind::InvalidInput.into()),
    }
}

const FOLDER: &str = ".throughline";
/// More is never written by one life.
const FILES_MAX: usize = 10_000;
/// A batch and its head; a single item may be as large as an export.
const FILE_BYTES_MAX: u64 = 8 << 20;

#[cfg(test)]
mod tests;
