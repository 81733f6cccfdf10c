//! What the tests of this crate share.

pub(crate) mod arbitrary;
pub(crate) mod harm;

use std::fs;
use std::path::{Path, PathBuf};

use arrow::array::RecordBatch;
use throughline_telemetry::wire::{Request, WireError, logs_request, otlp, traces_request};
use throughline_telemetry::{Attributes, LogRecord, MetricPoint, Signal, Span, TraceId, UnixNanos};
use throughline_testkit::moment;

use crate::batch::{LogBuilder, PointBuilder, SpanBuilder};
use crate::probe::{Probe, Step};
use crate::rows::Rows;
use crate::{
    AppendError, Body, Count, EnvironmentId, Ledger, Options, Origin, ReadError, Scan, Search,
    SearchError, SearchQuery, Sequence, Store, Stored, TraceFilter,
};

/// A data directory that goes with the test.
pub(crate) struct TestDirectory(tempfile::TempDir);

impl TestDirectory {
    pub(crate) fn new() -> Self {
        TestDirectory(tempfile::tempdir().unwrap())
    }

    /// One in memory where that is possible, for tests that sync much and do not look at the disk.
    pub(crate) fn in_memory() -> Self {
        let memory = Path::new("/dev/shm");
        match tempfile::tempdir_in(memory) {
            Ok(directory) => TestDirectory(directory),
            Err(_) => Self::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(self.path());
        options.compacts = false; // a test says when
        options
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

    /// The bytes of the files in a part of it.
    pub(crate) fn bytes(&self, part: &str) -> u64 {
        let files = fs::read_dir(self.path().join(part)).unwrap();
        files
            .map(|entry| entry.unwrap().metadata().unwrap().len())
            .sum()
    }

    /// The WAL file that was written last.
    pub(crate) fn newest_wal(&self) -> PathBuf {
        newest_wal(self.path())
    }

    /// What a crash at this moment would leave.
    pub(crate) fn image(&self) -> TestDirectory {
        let beside = self.path().parent().unwrap();
        let image = TestDirectory(tempfile::tempdir_in(beside).unwrap());
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
        } else if let Err(error) = fs::copy(entry.path(), to) {
            // It got another name meanwhile.
            assert_eq!(error.kind(), std::io::ErrorKind::NotFound, "{error}");
        }
    }
}

pub(crate) async fn try_put(store: &Store, request: Request) -> Result<(), AppendError> {
    store
        .append(body(&request)?, moment(0), None)
        .await
        .map(drop)
}

/// The body of a request, checked.
pub(crate) fn body(request: &Request) -> Result<Body, WireError> {
    Body::check(request.signal(), request.to_protobuf().into(), usize::MAX)
}

/// Spans as a canonical batch.
pub(crate) fn span_batch(spans: &[Span]) -> RecordBatch {
    let mut builder = SpanBuilder::default();
    spans.iter().for_each(|span| builder.push(span));
    builder.finish()
}

/// Rows on their way into a buffer.
pub(crate) fn span_rows(spans: &[Span]) -> Rows {
    Rows::Built(Signal::Traces, span_batch(spans))
}

/// Attributes as they are given back: by key, values of one key in their order.
pub(crate) fn sort_by_key(attributes: &mut Attributes) {
    attributes.0.sort_by(|a, b| a.0.cmp(&b.0));
}

/// Log records on their way into a buffer.
pub(crate) fn log_rows(logs: &[LogRecord], received: UnixNanos) -> Rows {
    let mut builder = LogBuilder::default();
    logs.iter().for_each(|log| builder.push(log, received));
    Rows::Built(Signal::Logs, builder.finish())
}

/// Metric points on their way into a buffer.
pub(crate) fn point_rows(points: &[MetricPoint]) -> Rows {
    let mut builder = PointBuilder::default();
    points.iter().for_each(|point| builder.push(point));
    Rows::Built(Signal::Metrics, builder.finish())
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
    store.append(body(&request)?, moment(0), Some(origin)).await
}

/// A request with one metric point.
pub(crate) fn point(name: &str, at: UnixNanos) -> Request {
    let point = otlp::metrics::v1::NumberDataPoint {
        time_unix_nano: at.0,
        value: Some(otlp::metrics::v1::number_data_point::Value::AsInt(
            at.0.cast_signed(),
        )),
        ..Default::default()
    };
    let gauge = otlp::metrics::v1::Gauge {
        data_points: vec![point],
    };
    let metric = otlp::metrics::v1::Metric {
        name: name.to_owned(),
        data: Some(otlp::metrics::v1::metric::Data::Gauge(gauge)),
        ..Default::default()
    };
    let scope = otlp::metrics::v1::ScopeMetrics {
        metrics: vec![metric],
        ..Default::default()
    };
    let resource = otlp::metrics::v1::ResourceMetrics {
        scope_metrics: vec![scope],
        ..Default::default()
    };
    Request::Metrics(otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![resource],
    })
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

/// How many spans are stored, copies and all.
pub(crate) fn stored_spans(store: &Store) -> u64 {
    let snapshot = store.shared().live.snapshot();
    let sealed = snapshot.segments.of(Signal::Traces).iter();
    let waiting = snapshot.buffers.iter();
    sealed.map(|segment| u64::from(segment.rows)).sum::<u64>()
        + waiting
            .map(|view| view.rows.spans.len() as u64)
            .sum::<u64>()
}

/// The log records, newest first, as many as fit on a page. What is damaged is set aside.
pub(crate) fn newest_logs(store: &Store) -> Result<Vec<LogRecord>, ReadError> {
    let mut scan = store.scan();
    loop {
        match logs_of(&scan) {
            Ok(logs) => return Ok(logs),
            Err(SearchError::Invalid(what)) => panic!("{what}"),
            Err(SearchError::Read(error)) => match scan.without_damage(&error) {
                Some(rest) => scan = rest,
                None => return Err(error),
            },
        }
    }
}

/// The same at one moment.
pub(crate) fn logs_of(scan: &Scan) -> Result<Vec<LogRecord>, SearchError> {
    let query = SearchQuery {
        limit: Some(1000),
        count: Count::Page,
        ..SearchQuery::default()
    };
    let search: Search<LogRecord> = Search::new(scan, query)?;
    search.work()?;
    Ok(search.finish()?.expect("nobody stopped it").rows)
}
