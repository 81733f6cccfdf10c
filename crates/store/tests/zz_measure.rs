#![allow(clippy::unwrap_used, clippy::disallowed_methods, missing_docs)]
use std::sync::Arc;
use std::time::Instant;
use bytes::Bytes;
use throughline_store::*;
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::*;
use throughline_testkit::{moment, span};

fn corpus(traces: u64, per: u64) -> Vec<Span> {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut out = Vec::new();
    let resources: Vec<Arc<Resource>> = (0..20).map(|i| {
        let s = span(&format!("service-{i}")).resource_attribute("cloud.provider", "aws").resource_attribute("faas.name", format!("service-{i}")).resource_attribute("faas.instance", format!("2026/01/01/[1]{:032x}", i)).build();
        s.resource
    }).collect();
    let scope = Arc::new(Scope { name: "@opentelemetry/instrumentation-http".into(), version: "0.57.1".into() });
    for t in 0..traces {
        let user = format!("user-{}", rng.u32(0..50_000));
        let req = format!("{:016x}", rng.u64(..));
        let base = t * 3;
        let tid = { let mut b = [0u8; 16]; b[..8].copy_from_slice(&rng.u64(..).to_be_bytes()); b[8..].copy_from_slice(&rng.u64(..).to_be_bytes()); TraceId::new(b).unwrap() };
        let mut ids: Vec<SpanId> = Vec::new();
        for n in 0..per {
            let mut s = span("x").named(&format!("operation {}", rng.u32(0..240))).at(base).build();
            s.trace_id = tid;
            s.span_id = SpanId::new(rng.u64(1..).to_be_bytes()).unwrap();
            s.parent_id = if n == 0 { None } else { Some(ids[rng.usize(0..ids.len())]) };
            s.start = UnixNanos(s.start.0 + n * 1_000_000 + rng.u64(0..900_000));
            s.end = UnixNanos(s.start.0 + rng.u64(10_000..80_000_000));
            s.resource = resources[rng.usize(0..20)].clone();
            s.scope = scope.clone();
            for (k, v) in [("http.request.method", "GET"), ("url.scheme", "https"), ("server.address", "api.example.com"), ("http.route", "/api/v1/items/{id}"), ("user_agent.original", "Mozilla/5.0 (X11; Linux x86_64)")] { s.attributes.set(k, v); }
            s.attributes.set("http.response.status_code", Value::Int([200, 200, 200, 404, 500][rng.usize(0..5)]));
            s.attributes.set("user.id", user.clone());
            s.attributes.set("request.id", req.clone());
            s.attributes.set("net.peer.port", Value::Int(rng.i64(1024..65000)));
            s.attributes.set("k8s.pod.name", format!("pod-{}", rng.u32(0..40)));
            s.attributes.set("thread.id", Value::Int(rng.i64(0..16)));
            ids.push(s.span_id);
            out.push(s);
        }
    }
    out
}

async fn drive(spans: &[Span], per_request: usize, clients: usize) {
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).unwrap();
    let (store, _) = Store::open(Options::new(dir.path())).unwrap();
    let bodies: Vec<(Bytes, Request)> = spans.chunks(per_request).map(|c| { let r = Request::Traces(traces_request(c)); (Bytes::from(r.to_protobuf()), r) }).collect();
    let wire: usize = bodies.iter().map(|b| b.0.len()).sum();
    let n = bodies.len();
    let work = Arc::new(std::sync::Mutex::new(bodies));
    let began = Instant::now();
    let mut set = tokio::task::JoinSet::new();
    for _ in 0..clients {
        let (work, store) = (work.clone(), store.clone());
        set.spawn(async move {
            let mut lat = Vec::new();
            loop {
                let Some((b, _)) = work.lock().unwrap().pop() else { return lat };
                let t = Instant::now();
                let r = Request::from_protobuf(Signal::Traces, &b).unwrap();
                store.append(Signal::Traces, b, r, moment(0)).await.unwrap();
                lat.push(t.elapsed());
            }
        });
    }
    let mut lat = Vec::new();
    while let Some(l) = set.join_next().await { lat.extend(l.unwrap()); }
    let took = began.elapsed();
    lat.sort();
    let s = store.stats();
    println!("{per_request} spans/req, {clients} clients: {n} requests in {took:?} = {:.0} req/s {:.0} spans/s, groups {}, wire {:.0} B/span, p50 {:?} p99 {:?} unsealed {} MB", n as f64 / took.as_secs_f64(), spans.len() as f64 / took.as_secs_f64(), s.groups, wire as f64 / spans.len() as f64, lat[lat.len()/2], lat[lat.len()*99/100], s.unsealed_bytes >> 20);
    let t = Instant::now();
    let page = store.find_traces(&TraceFilter::default()).unwrap();
    println!("  list buffered/mixed: {:?} total {} trunc {}", t.elapsed(), page.total, page.truncated);
    let t = Instant::now();
    store.seal().unwrap();
    println!("  final seal {:?}", t.elapsed());
    let s = store.stats();
    println!("  segments {} bytes/span {:.1}", s.segments, s.segment_bytes as f64 / spans.len() as f64);
    for f in std::fs::read_dir(dir.path().join("segments")).unwrap().take(4) { let f = f.unwrap(); println!("   {:?} {}", f.file_name(), f.metadata().unwrap().len()); }
    for _ in 0..2 { let t = Instant::now(); let page = store.find_traces(&TraceFilter::default()).unwrap(); println!("  list sealed: {:?} total {} {}", t.elapsed(), page.total, page.truncated); }
    for _ in 0..2 { let t = Instant::now(); let page = store.find_traces(&TraceFilter { service: Some("service-3".into()), attributes: vec![("user.id".into(), "user-77".into())], ..Default::default() }).unwrap(); println!("  rare attr: {:?} total {} {} {}", t.elapsed(), page.total, page.truncated, page.traces.len()); }
    for i in [5usize, 5000, 7000] { let t = Instant::now(); let r = store.trace(spans[i % spans.len()].trace_id).unwrap(); println!("  trace: {:?} {}", t.elapsed(), r.spans.len()); }
    {
        let p = std::fs::read_dir(dir.path().join("segments")).unwrap().map(|f| f.unwrap().path()).find(|p| p.extension().unwrap() == "parquet").unwrap();
        use parquet::file::reader::{FileReader, SerializedFileReader};
        let r = SerializedFileReader::new(std::fs::File::open(p).unwrap()).unwrap();
        let rows = r.metadata().file_metadata().num_rows() as f64;
        let mut m = std::collections::BTreeMap::new();
        for g in r.metadata().row_groups() { for c in g.columns() { *m.entry(c.column_path().string()).or_insert(0) += c.compressed_size(); } }
        for (k, v) in m { println!("     {k}: {:.2}", v as f64 / rows); }
    }
    let t = Instant::now();
    store.close().await.unwrap();
    let (store, _) = Store::open(Options::new(dir.path())).unwrap();
    println!("  close+open {:?}", t.elapsed());
    drop(store);
}

#[test]
#[ignore = "measures"]
fn measure() {
    let rt = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let spans = corpus(20_000, 10);
    rt.block_on(drive(&spans, 10, 64));
    rt.block_on(drive(&spans, 512, 16));
    rt.block_on(drive(&spans[..20_000], 10, 1));
}
