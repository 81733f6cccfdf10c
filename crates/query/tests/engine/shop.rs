//! A store with a few spans of a shop and a log record.

use tempfile::TempDir;
use throughline_store::{Body, Options, Scan, Store};
use throughline_telemetry::wire::{Request, logs_request, traces_request};
use throughline_telemetry::{LogRecord, Span, SpanKind, UnixNanos};
use throughline_testkit::builders::{log, span};

/// How much of it is in segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sealed {
    Nothing,
    Some,
    All,
}

impl Sealed {
    pub(crate) const ALL: [Sealed; 3] = [Sealed::Nothing, Sealed::Some, Sealed::All];
}

pub(crate) struct Shop {
    store: Store,
    _directory: TempDir,
}

impl Shop {
    /// What is stored is the same each time. Two spans were sent twice, once in the same request and
    /// once later.
    pub(crate) async fn open(sealed: Sealed) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(Options::new(directory.path())).unwrap();
        let shop = Shop {
            store,
            _directory: directory,
        };
        let first = served("GET /cart", 10, Some("/cart"), Some("u1"));
        let mut charge = served("charge", 30, None, Some("u1"));
        charge.kind = SpanKind::Client;
        let second = served("GET /cart", 20, Some("/cart"), Some("u2"));
        shop.put_spans(&[first.clone(), second, charge.clone(), first.clone()])
            .await;
        let mut declined = log("payment")
            .says("card declined")
            .severity(17, "ERROR")
            .during(&charge)
            .build();
        declined.time = at(30);
        shop.put_logs(&[declined]).await;
        if sealed != Sealed::Nothing {
            shop.seal();
        }
        shop.put_spans(&[
            served("GET /cart", 610, Some("/cart"), None),
            served("GET /item", 620, Some("/item"), Some("u1")),
            first,
        ])
        .await;
        if sealed == Sealed::All {
            shop.seal();
        }
        shop
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn scan(&self) -> Scan {
        self.store.scan()
    }

    async fn put_spans(&self, spans: &[Span]) {
        self.put(Request::Traces(traces_request(spans))).await;
    }

    async fn put_logs(&self, logs: &[LogRecord]) {
        self.put(Request::Logs(logs_request(logs))).await;
    }

    async fn put(&self, request: Request) {
        let body = Body::check(request.signal(), request.to_protobuf().into(), usize::MAX).unwrap();
        self.store.append(body, at(0), None).await.unwrap();
    }

    fn seal(&self) {
        tokio::task::block_in_place(|| self.store.seal()).unwrap();
    }
}

/// A span of a request, whose attributes have values of all kinds.
fn served(name: &str, second: u64, route: Option<&str>, user: Option<&str>) -> Span {
    let service = if name == "charge" { "payment" } else { "shop" };
    let mut span = span(service)
        .named(name)
        .in_trace(second)
        .id(second)
        .kind(SpanKind::Server)
        .attribute("http.response.body.size", second.cast_signed() * 10)
        .attribute("faas.coldstart", second % 20 == 10)
        .resource_attribute("cloud.region", "eu-west-1");
    if let Some(route) = route {
        span = span.attribute("http.route", route);
    }
    if let Some(user) = user {
        span = span.attribute("user", user);
    }
    let mut span = span.build();
    span.start = at(second);
    span.end = UnixNanos(span.start.0 + second * 100_000);
    span
}

fn at(second: u64) -> UnixNanos {
    UnixNanos(second * 1_000_000_000)
}
