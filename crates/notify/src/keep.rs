//! What is set and what waits, on disk: `notifications.json` and `notifications.state` in the data directory.
//!
//! Both may hold what nobody else is to read, so only their owner may.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use ring::rand::{SecureRandom, SystemRandom};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::format::{bytes, hex};
use crate::outbox::Outbox;
use crate::settings::{Problems, RawSettings, Settings};

/// The two files.
#[derive(Clone, Debug)]
pub(crate) struct Keep {
    settings: PathBuf,
    state: PathBuf,
}

/// What was kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The settings; the defaults, which tell nobody, if there are none.
    pub(crate) settings: Settings,
    /// What was told and what waits.
    pub(crate) outbox: Outbox,
    /// What links are signed with.
    pub(crate) key: Vec<u8>,
    /// What could not be read.
    pub(crate) errors: Vec<KeepError>,
}

/// Why a file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// It cannot be read or written.
    #[error("cannot use {}: {error}", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// It is no JSON of that form. It was set aside.
    #[error("{} is not as it was written: {error}; it was set aside", path.display())]
    Json {
        /// Which one.
        path: PathBuf,
        /// Why.
        error: serde_json::Error,
    },
    /// The settings do not hold together. They were set aside.
    #[error("{} does not hold together: {problems}; it was set aside", path.display())]
    Problems {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        problems: Problems,
    },
}

/// What is in the state file.
#[derive(Default, Serialize, Deserialize)]
struct State {
    version: u8,
    key: String,
    outbox: Outbox,
}

/// The same, to be written.
#[derive(Serialize)]
struct StateRef<'a> {
    version: u8,
    key: String,
    outbox: &'a Outbox,
}

impl Keep {
    /// The files of a data directory.
    pub(crate) fn new(data_dir: &Path) -> Self {
        Keep {
            settings: data_dir.join("notifications.json"),
            state: data_dir.join("notifications.state"),
        }
    }

    /// Reads both. What cannot be read is set aside and said; the rest goes on. Blocks on the disk.
    pub(crate) fn load(&self) -> Kept {
        let mut errors = Vec::new();
        let mut take = |error| errors.push(error);
        let raw: RawSettings = load(&self.settings, &mut take).unwrap_or_default();
        let settings = Settings::try_new(raw).unwrap_or_else(|problems| {
            set_aside(&self.settings);
            let path = self.settings.clone();
            take(KeepError::Problems { path, problems });
            Settings::default()
        });
        let state: State = load(&self.state, &mut take).unwrap_or_default();
        let key = bytes(&state.key).filter(|key| key.len() == KEY_BYTES);
        Kept {
            settings,
            outbox: state.outbox,
            key: key.unwrap_or_else(fresh_key),
            errors,
        }
    }

    /// Writes the settings. Blocks on the disk.
    pub(crate) fn save_settings(&self, settings: &Settings) -> Result<(), KeepError> {
        save(&self.settings, settings.raw())
    }

    /// Writes what waits. Blocks on the disk.
    pub(crate) fn save_outbox(&self, outbox: &Outbox, key: &[u8]) -> Result<(), KeepError> {
        let state = StateRef {
            version: VERSION,
            key: hex(key),
            outbox,
        };
        save(&self.state, &state)
    }
}

/// Reads JSON of a file; none if there is no such file. What cannot be read is set aside and told. Blocks on the disk.
pub fn load<T: DeserializeOwned>(path: &Path, take: &mut impl FnMut(KeepError)) -> Option<T> {
    let text = match fs::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => {
            let path = path.to_owned();
            take(KeepError::Io { path, error });
            return None;
        }
    };
    let read = serde_json::from_slice(&text);
    read.map_err(|error| {
        set_aside(path);
        let path = path.to_owned();
        take(KeepError::Json { path, error });
    })
    .ok()
}

/// Writes JSON to a file that only its owner may read. Whole or not at all: what is written is another file until it is
/// on disk. Blocks on it.
pub fn save(path: &Path, content: &impl Serialize) -> Result<(), KeepError> {
    write(path, || serde_json::to_vec_pretty(content))
}

/// The same on one line, for what is large and nobody reads.
pub fn save_packed(path: &Path, content: &impl Serialize) -> Result<(), KeepError> {
    write(path, || serde_json::to_vec(content))
}

fn write(path: &Path, json: impl FnOnce() -> serde_json::Result<Vec<u8>>) -> Result<(), KeepError> {
    let write = || -> io::Result<()> {
        let json = json()?;
        let fresh = path.with_added_extension("new");
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&fresh)?;
        file.write_all(&json)?;
        file.sync_all()?;
        fs::rename(&fresh, path)?;
        File::open(path.parent().unwrap_or(path))?.sync_all()
    };
    write().map_err(|error| KeepError::Io {
        path: path.to_owned(),
        error,
    })
}

/// Moves a file that cannot be used out of the way. Blocks on the disk.
pub fn set_aside(path: &Path) {
    // Where that fails, the next write takes its place; what was wrong with it is said either way.
    let _ = fs::rename(path, path.with_added_extension("damaged"));
}

fn fresh_key() -> Vec<u8> {
    let mut key = vec![0; KEY_BYTES];
    SystemRandom::new()
        .fill(&mut key)
        .expect("the system has random bytes");
    key
}

const VERSION: u8 = 1;
const KEY_BYTES: usize = 32;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use serde_json::json;
    use throughline_insight::detect::Severity;

    use super::*;
    use crate::notice::Phase;
    use crate::testing::{hook, notice, settings};

    #[test]
    fn what_is_kept_is_read_again_and_by_nobody_else() {
        let directory = tempfile::tempdir().unwrap();
        let keep = Keep::new(directory.path());
        let first = keep.load();
        assert!(first.errors.is_empty() && first.settings == Settings::default());
        let settings = settings(json!({
            "receivers": [hook("a", json!({}))], "routes": [{"name": "all", "receivers": ["a"]}]
        }));
        let mut outbox = first.outbox;
        let told = notice("incident-1", Phase::Opened, Severity::Critical);
        outbox.take(&settings, &told, told.at);
        keep.save_settings(&settings).unwrap();
        keep.save_outbox(&outbox, &first.key).unwrap();
        let second = keep.load();
        assert_eq!(second.settings.raw(), settings.raw());
        assert_eq!(second.outbox.waiting(), (1, 0));
        assert_eq!(second.key, first.key);
        for path in [&keep.settings, &keep.state] {
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn what_is_damaged_is_set_aside() {
        let directory = tempfile::tempdir().unwrap();
        let keep = Keep::new(directory.path());
        fs::write(&keep.settings, r#"{"weekly_report": ["nobody"]}"#).unwrap();
        fs::write(&keep.state, "{").unwrap();
        let kept = keep.load();
        let errors: Vec<String> = kept.errors.iter().map(KeepError::to_string).collect();
        assert_eq!(errors.len(), 2);
        assert!(
            errors[0].ends_with("weekly_report: there is no receiver \"nobody\"; it was set aside"),
            "{errors:?}"
        );
        assert!(
            errors[1].contains("notifications.state is not as it was written"),
            "{errors:?}"
        );
        assert!(keep.load().errors.is_empty());
        assert!(directory.path().join("notifications.json.damaged").exists());
    }
}
