//! Metrics: what the platform would measure of each function, minute by minute.

use super::application::Application;
use super::proto;
use super::random::{Random, mix};
use super::stream::Schedule;

/// Where in minutes, functions and instruments it is.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    next: u64,
}

/// What is measured.
#[derive(Clone, Copy)]
enum Kind {
    Sum,
    Gauge,
    Histogram,
    Exponential,
}

impl Metrics {
    /// Appends a body with exactly so many points.
    pub(crate) fn body(
        &mut self,
        application: &Application,
        pace: &impl Schedule,
        items: usize,
        out: &mut Vec<u8>,
    ) {
        let mut left = items as u64;
        let functions = application.functions.len() as u64;
        let each = INSTRUMENTS.len() as u64;
        let first_minute = pace.start(0) / MINUTE_NANOS;
        while left > 0 {
            let (series, from) = (self.next / each, self.next % each);
            let of_it = left.min(each - from);
            let function = &application.functions[(series % functions) as usize];
            let minute = first_minute + series / functions;
            proto::message(out, 0x0a, |out| {
                proto::bytes(out, 0x0a, &function.resource);
                proto::message(out, 0x12, |out| {
                    proto::bytes(out, 0x0a, &function.scopes[0]);
                    for instrument in from..from + of_it {
                        let seed = mix(minute, mix(series % functions, instrument));
                        metric(out, instrument as usize, minute, &mut Random::new(seed));
                    }
                });
            });
            self.next += of_it;
            left -= of_it;
        }
    }
}

fn metric(out: &mut Vec<u8>, instrument: usize, minute: u64, random: &mut Random) {
    let (name, unit, kind) = INSTRUMENTS[instrument];
    proto::message(out, 0x12, |out| {
        proto::bytes(out, 0x0a, name.as_bytes());
        proto::bytes(out, 0x1a, unit.as_bytes());
        let field = match kind {
            Kind::Gauge => 0x2a,
            Kind::Sum => 0x3a,
            Kind::Histogram => 0x4a,
            Kind::Exponential => 0x52,
        };
        proto::message(out, field, |out| {
            proto::message(out, 0x0a, |out| point(out, kind, minute, random));
            if !matches!(kind, Kind::Gauge) {
                out.extend_from_slice(&[0x10, 1]); // delta
            }
            if matches!(kind, Kind::Sum) {
                out.extend_from_slice(&[0x18, 1]); // monotonic
            }
        });
    });
}

fn point(out: &mut Vec<u8>, kind: Kind, minute: u64, random: &mut Random) {
    let start = minute * MINUTE_NANOS;
    let end = start + MINUTE_NANOS;
    proto::fixed64(out, 0x11, start);
    proto::fixed64(out, 0x19, end);
    let count = 1 + random.skewed(5_000);
    let value = 100.0 * random.share();
    match kind {
        Kind::Gauge => proto::fixed64(out, 0x21, value.to_bits()),
        Kind::Sum => proto::fixed64(out, 0x31, count),
        Kind::Histogram => {
            proto::fixed64(out, 0x21, count);
            proto::fixed64(out, 0x29, (count as f64 * value).to_bits());
            let mut counts = Vec::new();
            let first = count / 2;
            for of_bucket in [first, count / 4, count - first - count / 4, 0] {
                counts.extend_from_slice(&of_bucket.to_le_bytes());
            }
            proto::bytes(out, 0x32, &counts);
            let bounds = [10.0_f64, 100.0, 1000.0].map(f64::to_le_bytes).concat();
            proto::bytes(out, 0x3a, &bounds);
        }
        Kind::Exponential => {
            proto::fixed64(out, 0x21, count);
            proto::fixed64(out, 0x29, (count as f64 * value).to_bits());
            out.extend_from_slice(&[0x30, 6]); // scale 3, zigzag
            proto::message(out, 0x42, |out| {
                out.extend_from_slice(&[0x08, 32]); // offset 16, zigzag
                let mut counts = Vec::new();
                proto::varint(&mut counts, count / 2);
                proto::varint(&mut counts, count - count / 2);
                proto::bytes(out, 0x12, &counts);
            });
        }
    }
    let (field, architecture) = match kind {
        Kind::Gauge | Kind::Sum => (0x3a, b"arm64"),
        Kind::Histogram => (0x4a, b"arm64"),
        Kind::Exponential => (0x0a, b"arm64"),
    };
    proto::text(out, field, "host.arch", architecture);
    proto::text(out, field, "faas.trigger", b"http");
}

const INSTRUMENTS: [(&str, &str, Kind); 8] = [
    ("faas.invocations", "{invocation}", Kind::Sum),
    ("faas.errors", "{error}", Kind::Sum),
    ("faas.coldstarts", "{coldstart}", Kind::Sum),
    ("faas.invoke_duration", "s", Kind::Exponential),
    ("faas.init_duration", "s", Kind::Histogram),
    ("faas.mem_usage", "By", Kind::Gauge),
    ("faas.cpu_usage", "s", Kind::Gauge),
    ("process.open_file_descriptor.count", "{count}", Kind::Gauge),
];

const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
