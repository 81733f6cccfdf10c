//! Noticing that the code or a layer of a function has changed.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;

use crate::function::Function;

/// Watches what functions are made of, until it is dropped.
#[derive(Debug)]
pub(crate) struct Watch {
    _watcher: RecommendedWatcher,
    changes: Arc<Changes>,
}

/// Which functions have changed and nobody has looked yet. There are never more than functions.
#[derive(Debug, Default)]
struct Changes {
    functions: Mutex<BTreeSet<String>>,
    new: Notify,
}

impl Changes {
    fn add(&self, functions: impl IntoIterator<Item = String>) {
        let before = self.lock().len();
        self.lock().extend(functions);
        if self.lock().len() > before || before > 0 {
            self.new.notify_one();
        }
    }

    fn take(&self) -> BTreeSet<String> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// Watches the code folders and layers of these functions.
    ///
    /// # Errors
    /// What cannot be watched, why, and what to do about it.
    pub(crate) fn start(functions: &[Function]) -> Result<Self, String> {
        let roots: Vec<_> = functions
            .iter()
            .map(|function| (function.name.clone(), Roots::of(function)))
            .collect();
        let mut folders = BTreeMap::new();
        for (_, roots) in &roots {
            roots.list(&mut folders);
        }
        let changes = Arc::new(Changes::default());
        let told = changes.clone();
        let heard = move |event: notify::Result<Event>| {
            let changed = |roots: &Roots| match &event {
                Ok(event) if event.need_rescan() => true,
                Ok(event) => {
                    is_change(event.kind) && event.paths.iter().any(|path| roots.has(path))
                }
                Err(_) => false,
            };
            let changed = roots.iter().filter(|(_, roots)| changed(roots));
            told.add(changed.map(|(name, _)| name.clone()).collect::<Vec<_>>());
        };
        let mut watcher = notify::recommended_watcher(heard)
            .map_err(|error| format!("cannot watch for changes: {}", reason(&error)))?;
        for (folder, mode) in &folders {
            watcher.watch(folder, *mode).map_err(|error| {
                format!("cannot watch {}: {}", folder.display(), reason(&error))
            })?;
        }
        Ok(Self {
            _watcher: watcher,
            changes,
        })
    }

    /// The functions that have changed, when nothing has for a moment: a build writes many files.
    pub(crate) async fn changed(&self) -> BTreeSet<String> {
        self.changes.new.notified().await;
        for _ in 0..QUIET_ROUNDS_MAX {
            let more = tokio::time::timeout(QUIET, self.changes.new.notified()).await;
            if more.is_err() {
                break;
            }
        }
        self.changes.take()
    }
}

/// Where a function comes from.
#[derive(Debug, Default)]
struct Roots {
    folders: Vec<PathBuf>,
    files: BTreeSet<PathBuf>,
}

impl Roots {
    fn of(function: &Function) -> Self {
        let mut roots = Self::default();
        for path in function.layers.iter().chain([&function.code]) {
            let Ok(path) = std::path::absolute(path) else {
                continue;
            };
            if path.is_dir() {
                roots.add_targets(&path);
                roots.folders.push(path);
            } else {
                roots.files.insert(path);
            }
        }
        roots
    }

    /// The files that links in the folder and in its own folders lead to, such as a program that was just built.
    fn add_targets(&mut self, folder: &Path) {
        let inner = entries(folder).filter(|path| path.is_dir() && !path.is_symlink());
        let folders = [folder.to_owned()].into_iter().chain(inner);
        for path in folders.flat_map(|folder| entries(&folder).collect::<Vec<_>>()) {
            if path.is_symlink()
                && path.is_file()
                && self.files.len() < TARGETS_MAX
                && let Ok(target) = std::fs::canonicalize(&path)
                && !target.starts_with(folder)
            {
                self.files.insert(target);
            }
        }
    }

    /// What to watch for them. A file is watched through its folder: most programs replace what they write.
    fn list(&self, out: &mut BTreeMap<PathBuf, RecursiveMode>) {
        for folder in &self.folders {
            out.insert(folder.clone(), RecursiveMode::Recursive);
        }
        for folder in self.files.iter().filter_map(|file| file.parent()) {
            out.entry(folder.to_owned())
                .or_insert(RecursiveMode::NonRecursive);
        }
    }

    fn has(&self, path: &Path) -> bool {
        let in_folder = self.folders.iter().any(|folder| {
            path.strip_prefix(folder)
                .is_ok_and(|below| !is_ignored(below))
        });
        in_folder || self.files.contains(path)
    }
}

fn entries(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path())
}

/// Reading is no change, and neither is what comes with it.
fn is_change(kind: EventKind) -> bool {
    use notify::event::{MetadataKind, ModifyKind};
    !matches!(
        kind,
        EventKind::Access(_)
            | EventKind::Modify(ModifyKind::Metadata(MetadataKind::AccessTime))
            | EventKind::Other
    )
}

/// What interpreters, editors and functions themselves write.
fn is_ignored(below: &Path) -> bool {
    let parts: Vec<_> = below
        .components()
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    let Some(last) = parts.last() else {
        return true; // the folder itself, whose times change with its entries
    };
    let folder = |name: &str| parts.iter().any(|part| part == name);
    IGNORED_FOLDERS.iter().any(|name| folder(name))
        || parts
            .windows(2)
            .any(|pair| pair[0] == "node_modules" && pair[1] == ".cache")
        || IGNORED_ENDS.iter().any(|end| last.ends_with(end))
        || last.starts_with(".#")
}

fn reason(error: &notify::Error) -> String {
    let limit = match &error.kind {
        notify::ErrorKind::MaxFilesWatch => Some("fs.inotify.max_user_watches"),
        notify::ErrorKind::Io(error) if error.raw_os_error() == Some(libc::ENOSPC) => {
            Some("fs.inotify.max_user_watches")
        }
        notify::ErrorKind::Io(error)
            if error.raw_os_error() == Some(libc::EMFILE)
                || error.kind() == io::ErrorKind::QuotaExceeded =>
        {
            Some("fs.inotify.max_user_instances")
        }
        _ => None,
    };
    match limit {
        Some(limit) => format!(
            "the system allows no more watches; raise {limit} with sysctl, or start without watching (--no-watch)"
        ),
        None => format!("{error}; start without watching (--no-watch) if it stays so"),
    }
}

/// How long nothing may change before a change counts as whole.
const QUIET: Duration = Duration::from_millis(200);
/// After so many changes in a row it is looked at all the same.
const QUIET_ROUNDS_MAX: usize = 1000;
/// Links to elsewhere that are followed, for each function.
const TARGETS_MAX: usize = 64;
const IGNORED_FOLDERS: &[&str] = &[
    "__pycache__",
    ".git",
    ".pytest_cache",
    ".mypy_cache",
    ".ruff_cache",
];
const IGNORED_ENDS: &[&str] = &[".pyc", ".log", ".tmp", ".swp", ".swx", "~"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_write_is_no_change() {
        for (path, ignored) in [
            ("app.py", false),
            ("lib/module.py", false),
            ("node_modules/pack/index.js", false),
            ("__pycache__/app.cpython-313.pyc", true),
            ("lib/__pycache__/x", true),
            (".git/index", true),
            ("node_modules/.cache/x", true),
            (".app.py.swp", true),
            ("app.py~", true),
            ("out.log", true),
            ("", true),
        ] {
            assert_eq!(is_ignored(Path::new(path)), ignored, "{path}");
        }
    }

    #[test]
    fn limit_of_the_system_is_told_with_the_way_out() {
        let error = notify::Error::io(io::Error::from_raw_os_error(libc::ENOSPC));
        assert_eq!(
            reason(&error),
            "the system allows no more watches; raise fs.inotify.max_user_watches with sysctl, or start without watching \
             (--no-watch)"
        );
        let error = notify::Error::io(io::Error::from_raw_os_error(libc::EMFILE));
        assert!(reason(&error).contains("fs.inotify.max_user_instances"));
    }

    #[tokio::test]
    async fn only_the_function_that_changed_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("target");
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        for path in [&target, &one, &two] {
            std::fs::create_dir(path).unwrap();
        }
        std::fs::write(target.join("program"), "1").unwrap();
        std::os::unix::fs::symlink(target.join("program"), two.join("bootstrap")).unwrap();
        let functions = [Function::new("one", &one), Function::new("two", &two)];
        let watch = Watch::start(&functions).unwrap();
        let changed = || tokio::time::timeout(Duration::from_secs(20), watch.changed());

        std::fs::write(one.join("app.py"), "1").unwrap();
        assert_eq!(changed().await.unwrap(), ["one".to_owned()].into());
        // As cargo does it: the new one takes the name of the old one.
        std::fs::write(target.join("other"), "unrelated").unwrap();
        std::fs::write(target.join("new"), "2").unwrap();
        std::fs::rename(target.join("new"), target.join("program")).unwrap();
        assert_eq!(changed().await.unwrap(), ["two".to_owned()].into());
    }
}
