//! What detection remembers, on disk.
//!
//! ```text
//! detection/state           "TLDETECT", version (1 byte), then JSON in one zstd frame with its checksum
//! detection/state.damaged   one that could not be read, as it was
//! ```
//!
//! It is written beside, synced, and put into its place, so that there is always a whole one. Its size is bounded
//! by what a detector may remember: some 6,000 subjects.

use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use throughline_telemetry::UnixNanos;

/// Where the state is.
pub(super) struct StateFile {
    path: PathBuf,
    /// When it was written last.
    saved: AtomicU64,
}

/// Why what was remembered is not known.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read what detection remembered: {why}; {} and detection starts anew",
    aside(.set_aside)
)]
pub(super) struct StateError {
    why: Why,
    /// Where it is now.
    set_aside: Result<PathBuf, io::Error>,
}

#[derive(Debug, thiserror::Error)]
enum Why {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is no state of detection")]
    Magic,
    #[error("it is of version {0}, which a newer server wrote")]
    Version(u8),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

fn aside(set_aside: &Result<PathBuf, io::Error>) -> String {
    match set_aside {
        Ok(path) => format!("it was set aside as {}", path.display()),
        Err(error) => format!("it cannot be set aside ({error})"),
    }
}

impl StateFile {
    pub(super) fn new(data_dir: &Path) -> Self {
        StateFile {
            path: data_dir.join("detection").join("state"),
            saved: AtomicU64::default(),
        }
    }

    /// What was written last, and its bytes on disk; none if nothing was. What cannot be read is set aside.
    pub(super) fn load<T: DeserializeOwned>(&self) -> Result<Option<(T, u64)>, StateError> {
        match self.read() {
            Ok(read) => Ok(read),
            Err(why) => {
                let to = self.path.with_extension("damaged");
                let set_aside = fs::rename(&self.path, &to).map(|()| to);
                Err(StateError { why, set_aside })
            }
        }
    }

    fn read<T: DeserializeOwned>(&self) -> Result<Option<(T, u64)>, Why> {
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let bytes = file.metadata()?.len();
        let mut file = BufReader::new(file);
        let mut head = [0; MAGIC.len() + 1];
        file.read_exact(&mut head)?;
        let [magic @ .., version] = head;
        if magic != *MAGIC {
            return Err(Why::Magic);
        }
        if version != VERSION {
            return Err(Why::Version(version));
        }
        let mut json = BufReader::new(zstd::Decoder::with_buffer(file)?);
        let state = serde_json::from_reader(&mut json)?;
        // The checksum is behind the last of it.
        io::copy(&mut json, &mut io::sink())?;
        Ok(Some((state, bytes)))
    }

    /// Whether what was written is so old that it is to be written again.
    pub(super) fn is_due(&self, now: UnixNanos) -> bool {
        let saved = UnixNanos(self.saved.load(Ordering::Relaxed));
        saved.plus(SAVE_EVERY) <= now
    }

    /// Writes what is known, and says how many bytes that took.
    pub(super) fn save<T: Serialize>(&self, state: &T, now: UnixNanos) -> io::Result<u64> {
        let folder = self.path.parent().unwrap_or(&self.path);
        fs::create_dir_all(folder)?;
        let fresh = self.path.with_extension("new");
        let mut file = File::create(&fresh)?;
        file.write_all(MAGIC)?;
        file.write_all(&[VERSION])?;
        let mut frame = zstd::Encoder::new(BufWriter::new(file), LEVEL)?;
        frame.include_checksum(true)?;
        let mut json = BufWriter::new(frame);
        serde_json::to_writer(&mut json, state)?;
        let frame = json.into_inner().map_err(io::IntoInnerError::into_error)?;
        let file = frame.finish()?.into_inner();
        let file = file.map_err(io::IntoInnerError::into_error)?;
        file.sync_all()?;
        let bytes = file.metadata()?.len();
        fs::rename(&fresh, &self.path)?;
        File::open(folder)?.sync_all()?;
        self.saved.store(now.0, Ordering::Relaxed);
        Ok(bytes)
    }
}

const MAGIC: &[u8; 8] = b"TLDETECT";
const VERSION: u8 = 1;
/// The quickest that still takes nine tenths away.
const LEVEL: i32 = 1;
const SAVE_EVERY: Duration = Duration::from_secs(600);

#[cfg(test)]
mod tests {
    use super::*;

    fn written() -> (tempfile::TempDir, StateFile) {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path());
        let state: Vec<u64> = (0..500).collect();
        file.save(&state, UnixNanos(7)).unwrap();
        (directory, file)
    }

    #[test]
    fn what_was_written_is_read_and_the_last_counts() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::new(directory.path());
        assert!(file.load::<Vec<u64>>().unwrap().is_none());
        file.save(&vec![1], UnixNanos(0)).unwrap();
        let bytes = file.save(&vec![2, 3], UnixNanos(0)).unwrap();
        assert_eq!(file.load().unwrap(), Some((vec![2, 3], bytes)));
        let minutes = |minutes: u64| UnixNanos(minutes * 60_000_000_000);
        assert!(!file.is_due(minutes(9)) && file.is_due(minutes(10)));
    }

    /// Whatever byte is another, or missing: it is seen, the file is set aside, and the next start is a first one.
    #[test]
    fn damage_is_seen_and_set_aside() {
        let (_directory, file) = written();
        let good = fs::read(&file.path).unwrap();
        let cut = (0..good.len()).map(|at| good[..at].to_vec());
        let flipped = (0..good.len()).map(|at| {
            let mut bad = good.clone();
            bad[at] ^= 0x40;
            bad
        });
        let mut harmless = 0;
        for bad in cut.chain(flipped) {
            fs::write(&file.path, &bad).unwrap();
            let error = match file.load::<Vec<u64>>() {
                Err(error) => error.to_string(),
                // Such as a larger window than is needed.
                Ok(read) => {
                    assert_eq!(read.unwrap().0, (0..500).collect::<Vec<u64>>());
                    harmless += 1;
                    continue;
                }
            };
            assert!(
                error.starts_with("cannot read what detection remembered: "),
                "{error}"
            );
            assert!(
                error.ends_with("state.damaged and detection starts anew"),
                "{error}"
            );
            assert_eq!(fs::read(file.path.with_extension("damaged")).unwrap(), bad);
            assert!(file.load::<Vec<u64>>().unwrap().is_none());
        }
        assert!(
            harmless < 4,
            "{harmless} of {} bytes do not matter",
            good.len()
        );
    }

    #[test]
    fn a_newer_version_is_named() {
        let (_directory, file) = written();
        let mut newer = fs::read(&file.path).unwrap();
        newer[MAGIC.len()] = 9;
        fs::write(&file.path, newer).unwrap();
        let error = file.load::<Vec<u64>>().unwrap_err().to_string();
        assert!(
            error.contains("it is of version 9, which a newer server wrote"),
            "{error}"
        );
    }
}
