//! Stores to do harm to, and what can happen to a file.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use throughline_telemetry::wire::{Request, traces_request};
use throughline_testkit::{log, span};

use super::{TestDirectory, put_logs, try_put};

/// What can happen to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Harm {
    Removed,
    Emptied,
    Cut,
    /// Of the same length; nobody sees it from outside.
    Changed,
}

impl Harm {
    pub(crate) const ALL: [Harm; 4] = [Harm::Removed, Harm::Emptied, Harm::Cut, Harm::Changed];

    pub(crate) fn happen(self, path: &Path) {
        let bytes = fs::read(path).unwrap();
        let harmed = match self {
            Harm::Removed => return fs::remove_file(path).unwrap(),
            Harm::Emptied => Vec::new(),
            Harm::Cut => bytes[..bytes.len() / 2].to_owned(),
            // Where a footer says where everything is, and an index its checksum.
            Harm::Changed => [&bytes[..bytes.len() - 8], &[0xff; 8]].concat(),
        };
        fs::write(path, harmed).unwrap();
    }
}

/// A file that the disk does not give out as long as this lives.
pub(crate) struct Broken(PathBuf);

static BROKEN: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

impl Broken {
    pub(crate) fn new(path: &Path) -> Self {
        let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
        broken.insert(path.to_owned());
        Broken(path.to_owned())
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        let mut broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
        broken.remove(&self.0);
    }
}

/// What is read instead of a file that is broken: memory that is not there, of which Linux says `EIO`.
pub(crate) fn broken(path: &Path) -> Option<File> {
    let broken = BROKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let is_broken = broken.contains(path);
    is_broken.then(|| File::open("/proc/self/mem").unwrap())
}

/// Two generations, each a segment of spans and one of logs.
pub(crate) async fn two_generations() -> TestDirectory {
    let directory = TestDirectory::new();
    let store = directory.open();
    for number in 1..=2 {
        let span = span("shop").in_trace(number).at(number).build();
        let request = Request::Traces(traces_request(&[span]));
        try_put(&store, request).await.unwrap();
        put_logs(&store, &[log("shop").in_trace(number).at(number).build()]).await;
        store.seal().unwrap();
    }
    store.close().await.unwrap();
    directory
}
