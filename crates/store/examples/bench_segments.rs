//! What segments take and what it costs to write and read them: `make bench-segments`.
//!
//! Fills a store with spans and log records as a serverless application sends them (skewed services
//! and operations, nested traces, eleven attributes of mixed cardinality), seals it, and reads traces
//! and pages. Run the same program built from two commits in turn to compare them.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a benchmark: it ends where it fails, and reads the clock
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fastrand::Rng;
use parquet::file::reader::{FileReader, SerializedFileReader};
use throughline_store::{
    Body, Filter, Operator, Options, Search, SearchPage, SearchQuery, Store, TraceFilter,
};
use throughline_telemetry::wire::{Request, logs_request, traces_request};
use throughline_telemetry::{
    Attributes, LogRecord, Resource, Scope, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
    Value,
};

const SECOND: u64 = 1_000_000_000;
const BEGIN: u64 = 1_700_000_400 * SECOND;
const SERVICES: usize = 24;

#[tokio::main]
async fn main() {
    let mut arguments = std::env::args().skip(1);
    let mut next = |default: usize| {
        arguments
            .next()
            .map_or(default, |text| text.parse().unwrap())
    };
    let (spans, logs, lookups) = (next(200_000), next(200_000), next(300));
    let mut rng = Rng::with_seed(7);
    let world = World::new();
    let traces = bench_spans(&world, &mut rng, spans, lookups).await;
    bench_logs(&world, &mut rng, &traces, logs).await;
}

async fn bench_spans(world: &World, rng: &mut Rng, count: usize, lookups: usize) -> Vec<Vec<Span>> {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::new(directory.path());
    options.buffer_bytes_max = 48 << 20;
    let (store, _) = Store::open(options).unwrap();
    let mut traces = Vec::new();
    let (mut made, mut wire) = (0, 0);
    // All in one window.
    while made < count {
        let at = BEGIN + 500 * SECOND * made as u64 / count as u64;
        let trace = world.trace(rng, at);
        made += trace.len();
        traces.push(trace);
    }
    let begun = processor_seconds();
    for chunk in traces.chunks(64) {
        wire += put(&store, Request::Traces(traces_request(&chunk.concat()))).await;
    }
    let filled = processor_seconds() - begun;
    store.seal().unwrap();
    let sealed = processor_seconds() - begun;
    let stats = store.stats();
    let per = |bytes: u64| bytes as f64 / made as f64;
    println!(
        "{made} spans in {} traces, {} segments",
        traces.len(),
        stats.segments
    );
    println!("  wire            {:8.1} B/span", per(wire));
    println!("  segments        {:8.2} B/span", per(stats.segment_bytes));
    println!(
        "  append          {:8.2} us/span",
        filled * 1e6 / made as f64
    );
    println!(
        "  append and seal {:8.2} us/span",
        sealed * 1e6 / made as f64
    );
    by_id(&store, rng, &traces, 300);
    compact(&store, directory.path(), made);
    by_id(&store, rng, &traces, lookups);
    for (name, filter) in world.searches() {
        let mut times = (0..5).map(|_| timed(|| drop(store.find_traces(&filter).unwrap())));
        let first = times.next().unwrap();
        let page = store.find_traces(&filter).unwrap();
        let mut rest: Vec<f64> = times.collect();
        let (total, cut) = (page.total, page.truncated);
        println!("  {name}: first {first:.0} us, total {total}, truncated {cut}");
        print("  again", &mut rest);
    }
    traces
}

/// Traces that are there, and some that are not.
fn by_id(store: &Store, rng: &mut Rng, traces: &[Vec<Span>], lookups: usize) {
    let mut known = Vec::new();
    let mut unknown = Vec::new();
    for _ in 0..lookups {
        let id = rng.choice(traces).unwrap()[0].trace_id;
        known.push(timed(|| {
            assert!(!store.trace(id).unwrap().spans.is_empty())
        }));
        let id = TraceId::new(rng.u128(1..).to_be_bytes()).unwrap();
        unknown.push(timed(|| assert!(store.trace(id).unwrap().spans.is_empty())));
    }
    print("trace by id", &mut known);
    print("unknown id", &mut unknown);
}

/// Merges what there is and says what the files consist of.
fn compact(store: &Store, directory: &Path, rows: usize) {
    let begun = processor_seconds();
    store
        .compact(UnixNanos(BEGIN + 100 * 3600 * SECOND))
        .unwrap();
    let spent = processor_seconds() - begun;
    let stats = store.stats();
    let per = |bytes: u64| bytes as f64 / rows as f64;
    println!("  merged into     {:8} segments", stats.segments);
    println!("  merging         {:8.2} us/row", spent * 1e6 / rows as f64);
    println!("  segments        {:8.2} B/row", per(stats.segment_bytes));
    let (mut columns, mut beside) = (BTreeMap::<String, u64>::new(), 0);
    for entry in fs::read_dir(directory.join("segments")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = fs::metadata(&path).unwrap().len();
        if path.extension() == Some(OsStr::new("parquet")) {
            let file = SerializedFileReader::new(fs::File::open(&path).unwrap()).unwrap();
            let groups = file.metadata().row_groups();
            let mut rest = bytes;
            for column in groups.iter().flat_map(|group| group.columns()) {
                let taken = u64::try_from(column.compressed_size()).unwrap();
                *columns.entry(column.column_path().string()).or_default() += taken;
                rest -= taken;
            }
            *columns.entry("(footers)".to_owned()).or_default() += rest;
        } else {
            beside += bytes;
        }
    }
    columns.insert("(beside the rows)".to_owned(), beside);
    let mut columns: Vec<_> = columns.into_iter().collect();
    columns.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    for (name, bytes) in columns.into_iter().filter(|(_, bytes)| per(*bytes) >= 0.05) {
        println!("    {:8.2} B/row  {name}", per(bytes));
    }
}

async fn bench_logs(world: &World, rng: &mut Rng, traces: &[Vec<Span>], count: usize) {
    let directory = tempfile::tempdir().unwrap();
    let (store, _) = Store::open(Options::new(directory.path())).unwrap();
    let (mut made, mut wire) = (0, 0);
    let per_span = count.div_ceil(traces.iter().map(Vec::len).sum());
    for chunk in traces.chunks(64) {
        let logs: Vec<LogRecord> = chunk
            .iter()
            .flatten()
            .flat_map(|span| {
                (0..per_span)
                    .map(|_| world.log(rng, span))
                    .collect::<Vec<_>>()
            })
            .collect();
        made += logs.len();
        wire += put(&store, Request::Logs(logs_request(&logs))).await;
    }
    let begun = processor_seconds();
    store.seal().unwrap();
    let sealed = processor_seconds() - begun;
    let stats = store.stats();
    let per = |bytes: u64| bytes as f64 / made as f64;
    println!("{made} log records, {} segments", stats.segments);
    println!("  wire            {:8.1} B/row", per(wire));
    println!("  segments        {:8.2} B/row", per(stats.segment_bytes));
    println!(
        "  last seal       {:8.2} us/row",
        sealed * 1e6 / made as f64
    );
    compact(&store, directory.path(), made);
    let service = Filter::is("service", Operator::Eq, "service-07");
    let grave = Filter::is("severity_number", Operator::GtEq, 17);
    for (name, filter) in [
        ("newest 50", Filter::default()),
        ("service and severity", service.and(grave)),
    ] {
        let mut times: Vec<f64> = (0..5)
            .map(|_| timed(|| drop(find_logs(&store, &filter))))
            .collect();
        let page = find_logs(&store, &filter);
        println!(
            "  {name}: first {:.0} us, total {}, truncated {}",
            times[0], page.total, page.truncated
        );
        print("  again", &mut times[1..]);
    }
}

fn find_logs(store: &Store, filter: &Filter) -> SearchPage<LogRecord> {
    let query = SearchQuery {
        filter: filter.clone(),
        ..SearchQuery::default()
    };
    let search: Search<LogRecord> = Search::new(&store.scan(), query).unwrap();
    search.work().unwrap();
    search.finish().unwrap().unwrap()
}

async fn put(store: &Store, request: Request) -> u64 {
    let body: Bytes = request.to_protobuf().into();
    let bytes = body.len() as u64;
    let body = Body::check(request.signal(), body, usize::MAX).unwrap();
    store.append(body, UnixNanos(BEGIN), None).await.unwrap();
    bytes
}

/// Microseconds of processor time: the wall clock of a busy machine says little.
fn timed(what: impl FnOnce()) -> f64 {
    let begun = processor_nanos();
    what();
    (processor_nanos() - begun) / 1e3
}

fn processor_nanos() -> f64 {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

/// Of all threads, those that ended included.
fn processor_seconds() -> f64 {
    let text = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn print(name: &str, times: &mut [f64]) {
    times.sort_by(f64::total_cmp);
    let at = |part: f64| times[((times.len() - 1) as f64 * part) as usize];
    let mean = times.iter().sum::<f64>() / times.len() as f64;
    println!(
        "  {name:<15} {mean:8.0} us mean, {:.0} us p50, {:.0} us p99",
        at(0.5),
        at(0.99)
    );
}

/// Who sends, and what they say.
struct World {
    resources: Vec<Arc<Resource>>,
    scope: Arc<Scope>,
}

impl World {
    fn new() -> Self {
        let resources = (0..SERVICES).map(|number| {
            let pairs: Vec<(&str, Value)> = vec![
                ("service.name", format!("service-{number:02}").into()),
                ("service.version", format!("1.{}.0", number % 5).into()),
                ("cloud.region", "eu-west-1".into()),
                ("cloud.provider", "aws".into()),
                ("faas.name", format!("function-{number:02}").into()),
                (
                    "telemetry.sdk.language",
                    ["nodejs", "python", "rust"][number % 3].into(),
                ),
            ];
            Arc::new(Resource {
                attributes: pairs.into_iter().collect(),
            })
        });
        World {
            resources: resources.collect(),
            scope: Arc::new(Scope {
                name: "@opentelemetry/instrumentation-http".to_owned(),
                version: "0.57.1".to_owned(),
            }),
        }
    }

    fn searches(&self) -> Vec<(&'static str, TraceFilter)> {
        let by = |service: Option<&str>, attributes: &[(&str, &str)]| TraceFilter {
            service: service.map(str::to_owned),
            attributes: attributes
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            limit: 20,
            ..TraceFilter::default()
        };
        vec![
            ("newest 20", by(None, &[])),
            ("service", by(Some("service-07"), &[])),
            (
                "service and status code",
                by(Some("service-03"), &[("http.response.status_code", "500")]),
            ),
            ("rare user", by(None, &[("user.id", "user-7")])),
        ]
    }

    /// A trace: a tree of calls, most of them small.
    fn trace(&self, rng: &mut Rng, at: u64) -> Vec<Span> {
        let size = 1 + (-12.0 * (1.0 - rng.f64()).ln()) as usize;
        let trace_id = TraceId::new(rng.u128(1..).to_be_bytes()).unwrap();
        let user = format!("user-{}", skewed(rng, 20_000));
        let tenant = format!("tenant-{:02}", skewed(rng, 60));
        let start = at + rng.u64(0..SECOND);
        let mut spans: Vec<Span> = Vec::with_capacity(size);
        let mut invocations: Vec<String> = Vec::with_capacity(size);
        for number in 0..size {
            let parent = (number > 0).then(|| number - 1 - rng.usize(0..number.min(4)));
            let hop = parent.is_none() || rng.u8(0..4) == 0;
            let (service, begin, room) = match parent {
                None => (skewed(rng, 6), start, rng.u64(20_000_000..900_000_000)),
                Some(parent) => {
                    let of = &spans[parent];
                    let service = if hop {
                        skewed(rng, SERVICES)
                    } else {
                        self.service_of(of)
                    };
                    let room = of.end.0 - of.start.0;
                    (service, of.start.0 + rng.u64(0..room / 4 + 1), room / 2 + 1)
                }
            };
            invocations.push(match parent {
                Some(parent) if !hop => invocations[parent].clone(),
                _ => uuid(rng),
            });
            let operation = skewed(rng, 12);
            let failed = rng.u8(0..50) == 0;
            let pairs = self.attributes(
                rng,
                service,
                operation,
                failed,
                &user,
                &tenant,
                &invocations[number],
            );
            spans.push(Span {
                trace_id,
                span_id: SpanId::new(rng.u64(1..).to_be_bytes()).unwrap(),
                parent_id: parent.map(|parent| spans[parent].span_id),
                trace_state: String::new(),
                name: format!(
                    "{} /api/v{}/resource-{operation}",
                    method(operation),
                    service % 3
                ),
                kind: [SpanKind::Server, SpanKind::Client, SpanKind::Internal]
                    [if hop { 0 } else { 1 + operation % 2 }],
                start: UnixNanos(begin),
                end: UnixNanos(begin + rng.u64(room / 2..room + 1)),
                status: if failed {
                    SpanStatus::Error
                } else {
                    SpanStatus::Unset
                },
                status_message: if failed {
                    "upstream timed out".to_owned()
                } else {
                    String::new()
                },
                attributes: pairs,
                events: Vec::new(),
                links: Vec::new(),
                resource: Arc::clone(&self.resources[service]),
                scope: Arc::clone(&self.scope),
            });
        }
        spans
    }

    fn service_of(&self, span: &Span) -> usize {
        span.service()[8..].parse().unwrap()
    }

    #[allow(clippy::too_many_arguments)] // a table of what goes into one span
    fn attributes(
        &self,
        rng: &mut Rng,
        service: usize,
        operation: usize,
        failed: bool,
        user: &str,
        tenant: &str,
        invocation: &str,
    ) -> Attributes {
        let mut pairs: Vec<(&str, Value)> = vec![
            ("http.request.method", method(operation).into()),
            (
                "http.route",
                format!("/api/v{}/resource-{operation}/:id", service % 3).into(),
            ),
            (
                "url.path",
                format!(
                    "/api/v{}/resource-{operation}/{}",
                    service % 3,
                    skewed(rng, 5000)
                )
                .into(),
            ),
            (
                "http.response.status_code",
                Value::Int(if failed {
                    500
                } else {
                    [200, 200, 200, 201, 204, 404][rng.usize(0..6)]
                }),
            ),
            (
                "server.address",
                format!("service-{service:02}.internal").into(),
            ),
            ("user.id", user.into()),
            ("app.tenant", tenant.into()),
            ("faas.invocation_id", invocation.into()),
            (
                "network.peer.address",
                format!("10.0.{}.{}", service, skewed(rng, 200)).into(),
            ),
            ("thread.id", Value::Int(rng.i64(1..9))),
        ];
        match operation % 3 {
            0 => pairs.push((
                "db.query.text",
                format!("SELECT * FROM table_{operation} WHERE id = ? AND tenant = ?").into(),
            )),
            1 => pairs.push((
                "app.score",
                Value::Double(f64::from(rng.u32(0..1000)) / 8.0),
            )),
            _ => pairs.push(("app.cached", Value::Bool(rng.bool()))),
        }
        pairs.into_iter().collect()
    }

    fn log(&self, rng: &mut Rng, span: &Span) -> LogRecord {
        let time = UnixNanos(rng.u64(span.start.0..span.end.0 + 1));
        let template = skewed(rng, 8);
        let number = rng.u32(0..100_000);
        let body = match template {
            0 => format!("handled request in {} ms", number % 900),
            1 => format!("cache miss for key item:{number}"),
            2 => format!("loaded {} rows from table_{}", number % 500, number % 7),
            3 => "connection reused".to_owned(),
            4 => format!(
                "order {number} accepted for {}",
                span.attributes.text("user.id").unwrap()
            ),
            5 => format!("retrying upstream call, attempt {}", number % 4),
            6 => "START".to_owned(),
            _ => format!(
                "payload of {number} bytes written to s3://bucket-{}/{}",
                number % 4,
                uuid(rng)
            ),
        };
        let grave = rng.u8(0..60) == 0;
        let pairs: Vec<(&str, Value)> = vec![
            (
                "faas.invocation_id",
                span.attributes.text("faas.invocation_id").unwrap().into(),
            ),
            ("log.iostream", "stdout".into()),
            ("logger", format!("app.module_{}", template % 5).into()),
        ];
        LogRecord {
            time,
            observed_time: UnixNanos(time.0 + 50_000 + rng.u64(0..1_000_000)),
            severity_number: if grave { 17 } else { 9 },
            severity_text: if grave { "ERROR" } else { "INFO" }.to_owned(),
            body: body.into(),
            attributes: pairs.into_iter().collect(),
            trace_id: Some(span.trace_id),
            span_id: Some(span.span_id),
            event_name: String::new(),
            resource: Arc::clone(&span.resource),
            scope: Arc::clone(&self.scope),
        }
    }
}

/// Small numbers much more often than large ones.
fn skewed(rng: &mut Rng, below: usize) -> usize {
    let power = (below as f64).powf(rng.f64());
    (power as usize - 1).min(below - 1)
}

fn method(operation: usize) -> &'static str {
    ["GET", "GET", "POST", "PUT", "DELETE"][operation % 5]
}

fn uuid(rng: &mut Rng) -> String {
    let bits = rng.u128(..);
    let text = format!("{bits:032x}");
    format!(
        "{}-{}-{}-{}-{}",
        &text[..8],
        &text[8..12],
        &text[12..16],
        &text[16..20],
        &text[20..]
    )
}
