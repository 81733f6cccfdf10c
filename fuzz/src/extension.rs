//! Every decoder of the extension, fed with arbitrary bytes. Beside not panicking each has to hold
//! what is asserted here.
//!
//! This file is compiled twice: by the fuzz targets, and by a test of the extension that feeds it
//! the corpus.

use std::sync::Arc;

use bytes::Bytes;
use throughline_extension::config::{ConfigFile, RawConfig};
use throughline_extension::counters::Counters;
use throughline_extension::intake::{self, BODY_BYTES_MAX, Encoding};
use throughline_extension::join::Function;
use throughline_extension::outbox::{Batch, Export, Leftover, frame};
use throughline_extension::statsd::Window;
use throughline_extension::xray::{self, Documents};
use throughline_extension::{Core, Event, Telemetry, grpc, line, platform, unpack};
use throughline_scrub::{Rules, Scrubber};
use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{Signal, UnixNanos};

/// A target by its name; the corpus has a folder of that name.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: &[Target] = &[
    ("config", config),
    ("grpc", grpc),
    ("line", line),
    ("otlp_json", otlp_json),
    ("otlp_protobuf", otlp_protobuf),
    ("platform", platform),
    ("spill", spill),
    ("statsd", statsd),
    ("xray", xray),
];

/// Exports in protobuf.
pub fn otlp_protobuf(data: &[u8]) {
    for signal in Signal::ALL {
        if let Ok(taken) = intake::read(signal, Encoding::Protobuf, data) {
            request(taken.request);
        }
    }
}

/// Exports in JSON.
pub fn otlp_json(data: &[u8]) {
    for signal in Signal::ALL {
        if let Ok(taken) = intake::read(signal, Encoding::Json, data) {
            request(taken.request);
        }
    }
}

/// What every request goes through: scrubbing, joining, and the server's way into the model.
fn request(request: Request) {
    let bytes = request.to_protobuf();
    let again = Request::from_protobuf(request.signal(), &bytes).expect("what was encoded");
    assert_eq!(again.to_protobuf(), bytes, "encoding is stable");
    assert_eq!(again.items(), request.items());
    let scrubbed = Scrubber::new(Rules::default()).request(again);
    assert_eq!(scrubbed.items(), request.items());
    core(Event::Exported(request.clone()));
    match request {
        Request::Traces(traces) => drop(wire::spans(traces)),
        Request::Logs(logs) => drop(wire::logs(logs)),
        Request::Metrics(metrics) => drop(wire::metric_points(metrics)),
    }
}

/// Bodies of gRPC calls, and what is packed in them.
pub fn grpc(data: &[u8]) {
    if let Ok(framed) = grpc::message(data) {
        assert_eq!(framed.message.len() + grpc::FRAME_BYTES, data.len());
        if !framed.is_packed {
            assert_eq!(grpc::framed(framed.message), data);
        }
        if let Ok(plain) = unpack::gzip(framed.message, BODY_BYTES_MAX) {
            assert!(plain.len() <= BODY_BYTES_MAX);
        }
    }
    let text = String::from_utf8_lossy(data);
    assert!(
        grpc::escaped(&text)
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte))
    );
}

/// POSTs of the Telemetry API.
pub fn platform(data: &[u8]) {
    let parsed = platform::parse(data);
    let events = parsed.events.len() as u64 + parsed.unknown + parsed.malformed;
    assert!(events <= data.len() as u64 + 1, "no more events than bytes");
    core(Event::Telemetry(data.to_vec().into()));
}

/// Log lines, as text and as the objects of the JSON log format.
pub fn line(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    if let Ok(object) = serde_json::from_str(&text) {
        line::read(object);
    }
    line::read(serde_json::Value::String(text));
}

/// Datagrams of StatsD.
pub fn statsd(data: &[u8]) {
    let (mut window, mut requests) = (Window::default(), Vec::new());
    for now in [UnixNanos(1), UnixNanos(2)] {
        window.take(data, now, &mut requests);
    }
    requests.extend(window.drain(UnixNanos(3)));
    assert!(window.is_empty());
    for mut from in requests {
        let items = from.items();
        assert_eq!(
            throughline_extension::join::otlp::remove_unusable(&mut from),
            0
        );
        assert_eq!(from.items(), items);
        if let Request::Metrics(metrics) = &from {
            for point in wire::metric_points(metrics.clone()) {
                assert!(point.value.is_finite(), "{}", point.name);
            }
        }
        request(from);
    }
}

/// Datagrams and documents of X-Ray's SDKs.
pub fn xray(data: &[u8]) {
    let mut documents = Documents::default();
    let datagram = documents.datagram(data);
    let document = documents.document(data);
    for from in datagram.into_iter().chain(document) {
        request(from);
    }
    if let Some(from) = documents.last_words(UnixNanos(1)) {
        request(from);
    }
    xray::put_trace_segments(data);
}

/// Files in `/tmp`: as they are, and with a checksum that is right, because a random one never is.
pub fn spill(data: &[u8]) {
    let checksum = data.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let file = Bytes::from([data, &checksum.to_le_bytes()].concat());
    let head = frame::decode_head(&file, file.len() as u64, HOME);
    let body = frame::decode_body(&file, HOME);
    assert_eq!(
        head.is_some(),
        body.is_some(),
        "the head fits the body or not"
    );
    if let (Some(stored), Some(body)) = (&head, body) {
        assert_eq!(stored.bytes, body.len());
        let batch = Batch {
            body: body.clone(),
            ..stored.batch.clone()
        };
        let again = Bytes::from(frame::encode(&batch, HOME));
        assert_eq!(frame::decode_body(&again, HOME), Some(body));
    }
    frame::decode_body(&Bytes::copy_from_slice(data), HOME);
    frame::decode_record(data, HOME);
    let line = [format!("{checksum:016x} ").as_bytes(), data].concat();
    let record = frame::decode_record(&line, HOME);
    if head.is_some() || record.is_some() {
        let batches = head.into_iter().collect();
        core(Event::Found(vec![Leftover { record, batches }]));
    }
}

/// `throughline.toml`.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(file) = ConfigFile::parse("throughline.toml", &text) {
        let raw = RawConfig::read_with(&std::collections::BTreeMap::new(), &file);
        let (_, problems) = raw.resolve();
        problems
            .iter()
            .for_each(|problem| drop(problem.to_string()));
        drop(raw.to_string());
    }
}

/// A whole invocation around what came.
fn core(event: Event) {
    let function = Function {
        name: "f".into(),
        ..Function::default()
    };
    let counters = Arc::new(Counters::default());
    let mut core = Core::new(function, "e", Rules::default(), Export::Off, counters);
    let ms = UnixNanos::from_millis;
    core.handle(Event::Subscribed(Telemetry::On), ms(1));
    core.handle(event, ms(2));
    let deadline = ms(2000);
    let reason = throughline_extension::join::ShutdownReason::Spindown;
    core.handle(Event::ShutDown { reason, deadline }, ms(3));
}

/// Whose files they are.
const HOME: u64 = 7;
