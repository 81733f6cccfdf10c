//! How fast spans become durable: `make bench-ingest`.
//!
//! Bodies are made before the clock runs; each is sent with trace and span ids of its own. They go
//! into the store in this process, over gRPC and over HTTP, 512 and 10 spans a request: first as
//! fast as it goes, then at half of that with the time of the answer measured from when the request
//! was due. `bench_ingest store-512 10` measures one case for ten seconds; `bench_ingest wire` measures
//! what looking through a body costs, beside decoding it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods)] // a benchmark: it ends where it fails, and reads the clock
#![allow(clippy::cast_possible_truncation)] // no number here is near the limit of its type

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use throughline_server::{Config, Listen, Server};
use throughline_store::{AppendError, Body, Options, Store};
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{
    Attributes, Resource, Scope, Signal, Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos,
};
use tokio::task::JoinSet;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};

const CASES: [(&str, Way, usize, usize); 6] = [
    ("store-512", Way::Store, 512, 16),
    ("store-10", Way::Store, 10, 256),
    ("grpc-512", Way::Grpc, 512, 16),
    ("grpc-10", Way::Grpc, 10, 256),
    ("http-512", Way::Http, 512, 16),
    ("http-10", Way::Http, 10, 256),
];

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Store,
    Grpc,
    Http,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let wanted = arguments.next().unwrap_or_default();
    let seconds = arguments.next().map_or(8, |text| text.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    if wanted == "wire" {
        return wire();
    }
    println!(
        "{:<10} {:>10} {:>10} {:>9} {:>8} {:>8} {:>8} {:>8} {:>9} {:>8}",
        "case",
        "spans/s",
        "requests/s",
        "cpu us/sp",
        "MB/s",
        "p50 ms",
        "p99 ms",
        "sync p50",
        "sync p99",
        "RSS MiB"
    );
    for (name, way, spans, senders) in CASES {
        if name.starts_with(&wanted) {
            runtime.block_on(case(
                name,
                way,
                spans,
                senders,
                Duration::from_secs(seconds),
            ));
        }
    }
}

/// What becomes of a body before it is written: processor time a span.
fn wire() {
    let bodies: Vec<Template> = (0..16).map(|n| Template::new(n, 512)).collect();
    let bodies: Vec<Bytes> = bodies.iter().map(|body| body.body(1)).collect();
    let bytes = bodies.iter().map(Bytes::len).sum::<usize>();
    let time = |name: &str, read: &dyn Fn(&Bytes) -> usize| {
        let mut rounds: Vec<f64> = (0..15)
            .map(|_| {
                let begun = Instant::now();
                let spans: usize = bodies.iter().map(read).sum();
                begun.elapsed().as_secs_f64() * 1e6 / spans as f64
            })
            .collect();
        rounds.sort_by(f64::total_cmp);
        let spans = 16.0 * 512.0;
        println!(
            "{name:<8} {:.3} us a span, {:.0} bytes a span",
            rounds[7],
            bytes as f64 / spans
        );
    };
    time("check", &|body| {
        let body = Body::check(Signal::Traces, body.clone(), usize::MAX).unwrap();
        body.totals().rows
    });
    time(
        "decode",
        &|body| match Request::from_protobuf(Signal::Traces, body).unwrap() {
            Request::Traces(request) => throughline_telemetry::wire::spans(request).unwrap().len(),
            _ => 0,
        },
    );
}

async fn case(name: &str, way: Way, spans: usize, senders: usize, lasting: Duration) {
    let directory = tempfile::tempdir_in(std::env::var("BENCH_DIR").unwrap_or(".".into())).unwrap();
    let sync = syncs(directory.path());
    let bodies: Arc<Vec<Template>> = Arc::new(
        (0..8192 / spans.max(64))
            .map(|n| Template::new(n as u64, spans))
            .collect(),
    );
    let bytes = bodies.iter().map(|body| body.bytes.len()).sum::<usize>() / bodies.len();
    let target = Target::open(way, directory.path()).await;
    drive(&target, &bodies, senders, Duration::from_secs(1), None).await; // warm
    let (begun, cpu) = (Instant::now(), cpu_seconds());
    let done = drive(&target, &bodies, senders, lasting, None).await;
    let took = begun.elapsed().as_secs_f64();
    let cpu = cpu_seconds() - cpu;
    let rate = done.len() as f64 / took;
    let mut half = drive(&target, &bodies, senders, lasting, Some(rate / 2.0)).await;
    half.sort();
    let at = |part: f64| half[((half.len() - 1) as f64 * part) as usize].as_secs_f64() * 1e3;
    println!(
        "{name:<10} {:>10.0} {rate:>10.0} {:>9.2} {:>8.1} {:>8.2} {:>8.2} {:>8.2} {:>9.2} {:>8.0}",
        rate * spans as f64,
        cpu * 1e6 / (done.len() * spans) as f64,
        rate * bytes as f64 / 1e6,
        at(0.5),
        at(0.99),
        sync.0,
        sync.1,
        peak_mib(),
    );
    target.close().await;
}

/// Sends for a while and tells how long each answer took.
async fn drive(
    target: &Target,
    bodies: &Arc<Vec<Template>>,
    senders: usize,
    lasting: Duration,
    rate: Option<f64>,
) -> Vec<Duration> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let begun = Instant::now();
    let turns = Arc::new(AtomicU64::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..senders {
        let (target, bodies, turns) = (target.clone(), Arc::clone(bodies), Arc::clone(&turns));
        tasks.spawn(async move {
            let mut took = Vec::new();
            let mut connection = target.connect().await;
            loop {
                let turn = turns.fetch_add(1, Ordering::Relaxed);
                let due = match rate {
                    Some(rate) => begun + Duration::from_secs_f64(turn as f64 / rate),
                    None => Instant::now(),
                };
                if due.duration_since(begun) >= lasting {
                    return took;
                }
                tokio::time::sleep_until(due.into()).await;
                let number = NEXT.fetch_add(1, Ordering::Relaxed);
                let body = bodies[number as usize % bodies.len()].body(number);
                connection.put(body).await;
                took.push(due.elapsed());
            }
        });
    }
    tasks.join_all().await.into_iter().flatten().collect()
}

#[derive(Clone)]
enum Target {
    Store(Store),
    Server(
        Way,
        throughline_server::Addresses,
        Arc<tokio::sync::Notify>,
        Arc<tokio::sync::Notify>,
    ),
}

enum Connection {
    Store(Store),
    Grpc(tonic::client::Grpc<tonic::transport::Channel>),
    Http(Client<HttpConnector, Full<Bytes>>, String),
}

impl Target {
    async fn open(way: Way, directory: &Path) -> Self {
        if way == Way::Store {
            return Target::Store(Store::open(Options::new(directory.join("data"))).unwrap().0);
        }
        let config = Config::try_new(directory.join("data"), Listen::on_free_ports(), None);
        let server = Server::bind(config.unwrap()).await.unwrap();
        let addresses = server.addresses();
        let (stop, stopped) = (
            Arc::new(tokio::sync::Notify::new()),
            Arc::new(tokio::sync::Notify::new()),
        );
        let (asked, told) = (Arc::clone(&stop), Arc::clone(&stopped));
        tokio::spawn(async move {
            server.run(asked.notified()).await.unwrap();
            told.notify_one();
        });
        Target::Server(way, addresses, stop, stopped)
    }

    async fn connect(&self) -> Connection {
        match self {
            Target::Store(store) => Connection::Store(store.clone()),
            Target::Server(Way::Grpc, addresses, ..) => {
                let address = format!("http://{}", addresses.otlp_grpc);
                let endpoint = tonic::transport::Endpoint::new(address).unwrap();
                let channel = endpoint.connect().await.unwrap();
                Connection::Grpc(
                    tonic::client::Grpc::new(channel).max_encoding_message_size(usize::MAX),
                )
            }
            Target::Server(_, addresses, ..) => {
                let client = Client::builder(TokioExecutor::new()).build_http();
                Connection::Http(client, format!("http://{}/v1/traces", addresses.otlp_http))
            }
        }
    }

    async fn close(self) {
        match self {
            Target::Store(store) => store.close().await.unwrap(),
            Target::Server(_, _, stop, stopped) => {
                stop.notify_one();
                stopped.notified().await;
            }
        }
    }
}

impl Connection {
    async fn put(&mut self, body: Bytes) {
        while !self.try_put(body.clone()).await {
            tokio::time::sleep(Duration::from_millis(20)).await; // it is full
        }
    }

    async fn try_put(&mut self, body: Bytes) -> bool {
        match self {
            Connection::Store(store) => match store_put(store, body).await {
                Ok(()) => true,
                Err(AppendError::Overloaded { .. }) => false,
                Err(error) => panic!("{error}"),
            },
            Connection::Grpc(client) => {
                client.ready().await.unwrap();
                let path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
                let path = http::uri::PathAndQuery::from_static(path);
                let answer = client.unary(tonic::Request::new(body), path, Raw).await;
                match answer {
                    Ok(_) => true,
                    Err(status) if status.code() == tonic::Code::Unavailable => false,
                    Err(status) => panic!("{status}"),
                }
            }
            Connection::Http(client, url) => {
                let request = http::Request::post(url.as_str())
                    .header("content-type", "application/x-protobuf")
                    .body(Full::new(body));
                let answer = client.request(request.unwrap()).await.unwrap();
                let status = answer.status();
                answer.into_body().collect().await.unwrap();
                assert!(status == 200 || status == 429, "{status}");
                status == 200
            }
        }
    }
}

async fn store_put(store: &Store, body: Bytes) -> Result<(), AppendError> {
    let body = Body::check(Signal::Traces, body, usize::MAX)?;
    let received = UnixNanos::from_millis(1);
    store.append(body, received, None).await.map(drop)
}

/// A body whose ids can be made new.
struct Template {
    bytes: Vec<u8>,
    /// Where eight bytes of an id are that tell it from those of other bodies.
    places: Vec<usize>,
}

impl Template {
    fn new(seed: u64, spans: usize) -> Self {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let spans = spans_of(&mut random, spans);
        let bytes = Request::Traces(traces_request(&spans)).to_protobuf();
        let mut places = Vec::new();
        for at in 0..bytes.len().saturating_sub(18) {
            // Tag and length of a trace id, a span id and a parent id.
            match &bytes[at..at + 2] {
                [0x0a, 16] if bytes[at + 2..at + 6] == MARK => places.push(at + 10),
                [0x12 | 0x22, 8] if bytes[at + 2..at + 6] == MARK => places.push(at + 2),
                _ => {}
            }
        }
        assert!(places.len() >= 2 * spans.len());
        Template { bytes, places }
    }

    fn body(&self, number: u64) -> Bytes {
        let mut bytes = self.bytes.clone();
        let mask = number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes();
        for place in &self.places {
            bytes[*place..*place + 8]
                .iter_mut()
                .zip(mask)
                .for_each(|(byte, mask)| *byte ^= mask);
        }
        bytes.into()
    }
}

const MARK: [u8; 4] = *b"MARK";

/// Traces of up to sixteen spans of a few functions, eleven attributes a span.
fn spans_of(random: &mut Random, count: usize) -> Vec<Span> {
    let now = UnixNanos::from(std::time::SystemTime::now());
    let mut spans: Vec<Span> = Vec::new();
    let id = |random: &mut Random| {
        let mut bytes = random.next().to_be_bytes();
        bytes[..4].copy_from_slice(&MARK);
        SpanId::new(bytes).unwrap()
    };
    while spans.len() < count {
        let mut trace = [0; 16];
        trace[..4].copy_from_slice(&MARK);
        trace[8..].copy_from_slice(&random.next().to_be_bytes());
        let function = random.below(12);
        let resource = Arc::new(Resource {
            attributes: Attributes::from_iter([
                ("service.name", format!("function-{function}")),
                ("cloud.provider", "aws".to_owned()),
                ("cloud.region", "eu-central-1".to_owned()),
                ("faas.name", format!("shop-function-{function}-prod")),
                ("faas.version", "$LATEST".to_owned()),
                (
                    "faas.instance",
                    format!("2026/11/21/[$LATEST]{:016x}", function * 77),
                ),
                ("telemetry.sdk.name", "opentelemetry".to_owned()),
                ("telemetry.sdk.language", "nodejs".to_owned()),
                ("telemetry.sdk.version", "2.2.0".to_owned()),
            ]),
        });
        let scope = Arc::new(Scope {
            name: "@opentelemetry/instrumentation-aws-sdk".into(),
            version: "0.61.0".into(),
        });
        let root = spans.len();
        for n in 0..(1 + random.below(16) as usize).min(count - spans.len()) {
            let operation = random.below(30);
            let start = UnixNanos(now.0 + random.below(1_000_000_000));
            let mut attributes = Attributes::from_iter([
                ("rpc.system", "aws-api".to_owned()),
                ("rpc.service", "DynamoDB".to_owned()),
                ("rpc.method", format!("Operation{operation}")),
                (
                    "aws.request.id",
                    format!("{:016x}{:016x}", random.next(), random.next()),
                ),
                ("db.system", "dynamodb".to_owned()),
                (
                    "db.collection.name",
                    format!("shop-table-{}", random.below(8)),
                ),
                (
                    "url.full",
                    format!("https://dynamodb.eu-central-1.amazonaws.com/{operation}"),
                ),
                ("user.id", format!("user-{}", random.below(100_000))),
            ]);
            attributes.set(
                "http.response.status_code",
                200i64 + (random.below(50) / 49 * 300) as i64,
            );
            attributes.set("faas.coldstart", random.below(40) == 0);
            attributes.set(
                "aws.dynamodb.consumed_capacity",
                random.below(1000) as f64 / 10.0,
            );
            spans.push(Span {
                trace_id: TraceId::new(trace).unwrap(),
                span_id: id(random),
                parent_id: (n > 0).then(|| spans[root + random.below(n as u64) as usize].span_id),
                trace_state: String::new(),
                name: format!("DynamoDB.Operation{operation}"),
                kind: SpanKind::Client,
                start,
                end: UnixNanos(start.0 + 1_000_000 + random.below(50_000_000)),
                status: if random.below(50) == 0 {
                    SpanStatus::Error
                } else {
                    SpanStatus::Unset
                },
                status_message: String::new(),
                attributes,
                events: Vec::new(),
                links: Vec::new(),
                resource: Arc::clone(&resource),
                scope: Arc::clone(&scope),
            });
        }
    }
    spans
}

/// SplitMix64: the same bodies in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// Median and 99th percentile of an fdatasync of 100 KB here, in milliseconds.
fn syncs(directory: &Path) -> (f64, f64) {
    let mut file = File::create(directory.join("sync")).unwrap();
    let mut took: Vec<f64> = (0..100)
        .map(|_| {
            file.write_all(&[7; 100_000]).unwrap();
            let begun = Instant::now();
            file.sync_data().unwrap();
            begun.elapsed().as_secs_f64() * 1e3
        })
        .collect();
    took.sort_by(f64::total_cmp);
    (took[50], took[98])
}

/// Processor time of this process, generator included.
fn cpu_seconds() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}

fn peak_mib() -> f64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Raw
    }

    fn decoder(&mut self) -> Self {
        Raw
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn encode(&mut self, item: Bytes, out: &mut EncodeBuf<'_>) -> Result<(), tonic::Status> {
        out.put(item);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = tonic::Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, tonic::Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}
