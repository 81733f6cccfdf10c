//! What the tests of this crate share.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use throughline_telemetry::wire::{Request, logs_request, traces_request};
use throughline_telemetry::{LogRecord, Span, TraceId};
use throughline_testkit::moment;

use crate::probe::{Probe, Step};
use crate::{
    AppendError, EnvironmentId, Ledger, Options, Origin, Sequence, Store, Stored, TraceFilter,
};

/// A data directory that goes with the test.
pub(crate) struct TestDirectory(tempfile::TempDir);

impl TestDirectory {
    pub(crate) fn new() -> Self {
        TestDirectory(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn options(&self) -> Options {
        Options::new(self.path())
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(self.options()).unwrap().0
    }

    pub(crate) fn open_probed(
        &self,
        hook: impl Fn(Step) -> std::io::Result<()> + Send + Sync + 'static,
    ) -> Store {
        let mut options = self.options();
        options.probe = Probe::new(hook);
        Store::open(options).unwrap().0
    }

    /// The names of the files in a part of it, sorted.
    pub(crate) fn files(&self, part: &str) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(self.path().join(part))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// The WAL file that was written last.
    pub(crate) fn newest_wal(&self) -> PathBuf {
        newest_wal(self.path())
    }

    /// What a crash at this moment would leave.
    pub(crate) fn image(&self) -> TestDirectory {
        let image = TestDirectory::new();
        copy(self.path(), image.path());
        image
    }
}

/// The WAL file of a data directory that was written last.
pub(crate) fn newest_wal(path: &Path) -> PathBuf {
    let files = fs::read_dir(path.join("wal")).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let wal = files.filter(|path| path.extension().is_some_and(|extension| extension == "wal"));
    wal.max().unwrap()
}

pub(crate) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

pub(crate) async fn try_put(store: &Store, request: Request) -> Result<(), AppendError> {
    let body = Bytes::from(request.to_protobuf());
    store
        .append(request.signal(), body, request, moment(0))
        .await
}

/// A batch of an environment, with a number.
pub(crate) fn origin(environment: &str, number: u64) -> Origin {
    let mut origin = Origin::new(EnvironmentId::try_new(environment).unwrap());
    origin.sequence = Sequence::try_new(number);
    origin.function = "checkout".to_owned();
    origin
}

/// The same with a ledger.
pub(crate) fn with_ledger(environment: &str, number: u64, ledger: &str) -> Origin {
    let ledger = Some(Ledger::parse(ledger).unwrap());
    Origin {
        ledger,
        ..origin(environment, number)
    }
}

pub(crate) async fn try_put_from(
    store: &Store,
    request: Request,
    origin: Origin,
) -> Result<Stored, AppendError> {
    let body = Bytes::from(request.to_protobuf());
    store
        .append_from(request.signal(), body, request, moment(0), Some(origin))
        .await
}

pub(crate) async fn put(store: &Store, spans: &[Span]) {
    try_put(store, Request::Traces(traces_request(spans)))
        .await
        .unwrap();
}

pub(crate) async fn put_logs(store: &Store, logs: &[LogRecord]) {
    try_put(store, Request::Logs(logs_request(logs)))
        .await
        .unwrap();
}

/// All traces that a filter lets through, page after page.
pub(crate) fn all_traces(store: &Store, filter: &TraceFilter) -> Vec<(TraceId, Vec<Span>)> {
    let mut filter = filter.clone();
    let mut traces = Vec::new();
    loop {
        let page = store.find_traces(&filter).unwrap();
        traces.extend(page.traces);
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return traces,
        }
    }
}
