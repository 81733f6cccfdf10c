//! What was done to the disk, in its order.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// Something that was done. Paths are relative to the directory that is recorded.
#[derive(Clone, Debug)]
pub(crate) enum Operation {
    /// A file was made or emptied. From here on its number stands for it.
    Create {
        path: PathBuf,
        file: usize,
    },
    Write {
        file: usize,
        bytes: Vec<u8>,
    },
    Sync {
        /// What it was called when it was opened.
        path: PathBuf,
        file: usize,
    },
    Rename {
        from: PathBuf,
        to: PathBuf,
    },
    Remove {
        path: PathBuf,
    },
    MakeDirectory {
        path: PathBuf,
    },
    SyncDirectory {
        path: PathBuf,
    },
    /// A change of the catalog begins.
    CatalogBegin,
    /// It has returned; SQLite's files as they are now.
    CatalogEnd(Vec<(PathBuf, Vec<u8>)>),
    /// The sender of this number was told that it is stored.
    Acknowledged(u64),
}

/// Records what is done below a directory, and spares the real disk the syncs.
#[derive(Debug)]
pub(crate) struct Recorder {
    root: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    operations: Vec<Operation>,
    files: usize,
}

/// All that record now. Each test has a directory of its own.
static RECORDERS: Mutex<Vec<Arc<Recorder>>> = Mutex::new(Vec::new());

impl Recorder {
    /// Records from now on.
    pub(crate) fn start(root: &Path) -> Arc<Self> {
        let recorder = Arc::new(Recorder {
            root: root.to_owned(),
            state: Mutex::default(),
        });
        RECORDERS.lock().unwrap().push(Arc::clone(&recorder));
        recorder
    }

    /// Ends the recording. What was done until now.
    pub(crate) fn stop(&self) -> Vec<Operation> {
        let mut all = RECORDERS.lock().unwrap();
        all.retain(|recorder| recorder.root != self.root);
        std::mem::take(&mut self.lock().operations)
    }

    pub(crate) fn acknowledged(&self, number: u64) {
        self.push(Operation::Acknowledged(number));
    }

    fn push(&self, operation: Operation) {
        self.lock().operations.push(operation);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn of(path: &Path) -> Option<(Arc<Recorder>, PathBuf)> {
        let all = RECORDERS.lock().unwrap();
        all.iter().find_map(|recorder| {
            let path = path.strip_prefix(&recorder.root).ok()?;
            Some((Arc::clone(recorder), path.to_owned()))
        })
    }
}

/// A file whose writes are recorded, if those of its directory are.
#[derive(Debug)]
pub(super) struct Recorded(Option<(Arc<Recorder>, PathBuf, usize)>);

impl Recorded {
    pub(super) fn create(path: &Path) -> Self {
        Recorded(Recorder::of(path).map(|(recorder, path)| {
            let mut state = recorder.lock();
            let file = state.files;
            state.files += 1;
            state.operations.push(Operation::Create {
                path: path.clone(),
                file,
            });
            drop(state);
            (recorder, path, file)
        }))
    }

    pub(super) fn write(&self, bytes: &[u8]) {
        if let Some((recorder, _, file)) = &self.0 {
            recorder.push(Operation::Write {
                file: *file,
                bytes: bytes.to_owned(),
            });
        }
    }

    /// Whether it is recorded.
    pub(super) fn sync(&self) -> bool {
        if let Some((recorder, path, file)) = &self.0 {
            recorder.push(Operation::Sync {
                path: path.clone(),
                file: *file,
            });
        }
        self.0.is_some()
    }
}

pub(super) fn rename(from: &Path, to: &Path) {
    if let (Some((recorder, from)), Some((_, to))) = (Recorder::of(from), Recorder::of(to)) {
        recorder.push(Operation::Rename { from, to });
    }
}

pub(super) fn remove(path: &Path) {
    push(path, |path| Operation::Remove { path });
}

pub(super) fn make_directory(path: &Path) {
    push(path, |path| Operation::MakeDirectory { path });
}

/// Whether it is recorded.
pub(super) fn sync_directory(path: &Path) -> bool {
    push(path, |path| Operation::SyncDirectory { path })
}

fn push(path: &Path, operation: impl FnOnce(PathBuf) -> Operation) -> bool {
    let found = Recorder::of(path);
    let recorded = found.is_some();
    if let Some((recorder, path)) = found {
        recorder.push(operation(path));
    }
    recorded
}

/// A change of the catalog, until it is dropped.
pub(super) struct CatalogChange(Option<(Arc<Recorder>, PathBuf)>);

pub(super) fn catalog(path: &Path) -> CatalogChange {
    let found = Recorder::of(path);
    if let Some((recorder, _)) = &found {
        recorder.push(Operation::CatalogBegin);
    }
    CatalogChange(found)
}

impl Drop for CatalogChange {
    fn drop(&mut self) {
        let Some((recorder, path)) = &self.0 else {
            return;
        };
        let names = ["", "-wal"].map(|end| {
            let mut name = path.as_os_str().to_owned();
            name.push(end);
            PathBuf::from(name)
        });
        let files = names.into_iter().filter_map(|name| {
            let bytes = fs::read(recorder.root.join(&name)).ok()?;
            Some((name, bytes))
        });
        recorder.push(Operation::CatalogEnd(files.collect()));
    }
}
