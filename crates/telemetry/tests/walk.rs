//! The walker takes the same bodies as the decoder and finds the same rows in them.

#![allow(clippy::unwrap_used)] // a test

#[allow(unreachable_pub, reason = "it is public for the fuzz target")]
#[path = "../../../fuzz/src/walk.rs"]
mod beside;

use std::path::Path;

use bytes::Bytes;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::WireError;
use throughline_telemetry::wire::walk::{self, Totals};

/// What a field holds.
#[derive(Clone, Copy)]
enum Kind {
    Message(&'static Shape),
    Text,
    TraceId,
    SpanId,
    Varint,
    Fixed32,
    Fixed64,
    Varints,
    Fixed64s,
}

/// A message: its fields, by number.
struct Shape(&'static [(u64, Kind)]);

macro_rules! shapes {
    ($($name:ident { $($number:literal $kind:ident $($of:ident)?),* $(,)? })*) => {
        $(static $name: Shape = Shape(&[$(($number, Kind::$kind $((&$of))?)),*]);)*
    };
}

shapes! {
    TRACES { 1 Message BY_RESOURCE }
    BY_RESOURCE { 1 Message RESOURCE, 2 Message BY_SCOPE, 2 Message BY_SCOPE, 3 Text }
    BY_SCOPE { 1 Message SCOPE, 2 Message SPAN, 2 Message SPAN, 2 Message SPAN, 3 Text }
    SPAN {
        1 TraceId, 2 SpanId, 3 Text, 4 SpanId, 5 Text, 6 Varint, 7 Fixed64, 8 Fixed64,
        9 Message PAIR, 9 Message PAIR, 10 Varint, 11 Message EVENT, 12 Varint, 13 Message LINK,
        14 Varint, 15 Message STATUS, 16 Fixed32,
    }
    EVENT { 1 Fixed64, 2 Text, 3 Message PAIR, 4 Varint }
    LINK { 1 TraceId, 2 SpanId, 3 Text, 4 Message PAIR, 5 Varint, 6 Fixed32 }
    STATUS { 2 Text, 3 Varint }
    LOGS { 1 Message LOGS_BY_RESOURCE }
    LOGS_BY_RESOURCE { 1 Message RESOURCE, 2 Message LOGS_BY_SCOPE, 2 Message LOGS_BY_SCOPE, 3 Text }
    LOGS_BY_SCOPE { 1 Message SCOPE, 2 Message LOG, 2 Message LOG, 3 Text }
    LOG {
        1 Fixed64, 2 Varint, 3 Text, 5 Message ANY, 6 Message PAIR, 7 Varint, 8 Fixed32, 9 TraceId,
        10 SpanId, 11 Fixed64, 12 Text,
    }
    METRICS { 1 Message METRICS_BY_RESOURCE }
    METRICS_BY_RESOURCE { 1 Message RESOURCE, 2 Message METRICS_BY_SCOPE, 3 Text }
    METRICS_BY_SCOPE { 1 Message SCOPE, 2 Message METRIC, 2 Message METRIC, 3 Text }
    METRIC {
        1 Text, 2 Text, 3 Text, 5 Message GAUGE, 7 Message SUM, 9 Message HISTOGRAM,
        10 Message EXPONENTIAL, 11 Message SUMMARY, 12 Message PAIR,
    }
    GAUGE { 1 Message NUMBER }
    SUM { 1 Message NUMBER, 2 Varint, 3 Varint }
    HISTOGRAM { 1 Message HISTOGRAM_POINT, 2 Varint }
    EXPONENTIAL { 1 Message EXPONENTIAL_POINT, 2 Varint }
    SUMMARY { 1 Message SUMMARY_POINT }
    NUMBER {
        2 Fixed64, 3 Fixed64, 4 Fixed64, 5 Message EXEMPLAR, 6 Fixed64, 7 Message PAIR, 8 Varint,
    }
    HISTOGRAM_POINT {
        2 Fixed64, 3 Fixed64, 4 Fixed64, 5 Fixed64, 6 Fixed64s, 7 Fixed64s, 8 Message EXEMPLAR,
        9 Message PAIR, 10 Varint, 11 Fixed64, 12 Fixed64,
    }
    EXPONENTIAL_POINT {
        1 Message PAIR, 2 Fixed64, 3 Fixed64, 4 Fixed64, 5 Fixed64, 6 Varint, 7 Fixed64,
        8 Message BUCKETS, 9 Message BUCKETS, 10 Varint, 11 Message EXEMPLAR, 12 Fixed64, 13 Fixed64,
        14 Fixed64,
    }
    BUCKETS { 1 Varint, 2 Varints }
    SUMMARY_POINT {
        2 Fixed64, 3 Fixed64, 4 Fixed64, 5 Fixed64, 6 Message QUANTILE, 7 Message PAIR, 8 Varint,
    }
    QUANTILE { 1 Fixed64, 2 Fixed64 }
    EXEMPLAR { 2 Fixed64, 3 Fixed64, 4 SpanId, 5 TraceId, 6 Fixed64, 7 Message PAIR }
    RESOURCE { 1 Message PAIR, 1 Message PAIR, 2 Varint, 3 Message ENTITY }
    ENTITY { 1 Text, 2 Text, 3 Text, 4 Text }
    SCOPE { 1 Text, 2 Text, 3 Message PAIR, 4 Varint }
    PAIR { 1 Text, 2 Message ANY, 3 Varint }
    ANY {
        1 Text, 1 Text, 2 Varint, 3 Varint, 4 Fixed64, 5 Message ARRAY, 6 Message PAIRS, 7 Text, 8 Varint,
    }
    ARRAY { 1 Message ANY }
    PAIRS { 1 Message PAIR }
}

fn shape(signal: Signal) -> &'static Shape {
    match signal {
        Signal::Traces => &TRACES,
        Signal::Logs => &LOGS,
        Signal::Metrics => &METRICS,
    }
}

/// Writes bodies that are mostly what they should be.
struct Writer {
    state: u64,
    /// Of so many fields one is odd; 0 is none.
    odd: u64,
}

impl Writer {
    fn below(&mut self, bound: u64) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    fn message(&mut self, shape: &Shape, depth: u64) -> Vec<u8> {
        let mut out = Vec::new();
        for (number, kind) in shape.0 {
            // The ids of a span are there; all else may be.
            let is_id = matches!((number, kind), (1, Kind::TraceId) | (2, Kind::SpanId));
            if !is_id && self.below(3) == 0 || depth > 12 {
                continue;
            }
            self.field(*number, *kind, depth, &mut out);
            if self.odd > 0 && self.below(self.odd) == 0 {
                self.oddity(*number, *kind, depth, &mut out);
            }
        }
        out
    }

    fn field(&mut self, number: u64, kind: Kind, depth: u64, out: &mut Vec<u8>) {
        match kind {
            Kind::Message(shape) => {
                let inner = self.message(shape, depth + 1);
                bytes(number, &inner, out);
            }
            Kind::Text => {
                let texts = ["", "a", "service.name", "größer", "$bytes", "\u{0}\"\\"];
                let text = texts[usize::try_from(self.below(6)).unwrap()];
                bytes(number, text.as_bytes(), out);
            }
            Kind::TraceId => {
                let byte = u8::try_from(1 + self.below(200)).unwrap();
                bytes(number, &[byte; 16], out);
            }
            Kind::SpanId => {
                let byte = u8::try_from(1 + self.below(200)).unwrap();
                bytes(number, &[byte; 8], out);
            }
            Kind::Varint => {
                varint(number << 3, out);
                let bits = self.below(64);
                varint(self.below(u64::MAX) >> bits, out);
            }
            Kind::Fixed32 => {
                varint(number << 3 | 5, out);
                out.extend([1, 2, 3, 4]);
            }
            Kind::Fixed64 => {
                varint(number << 3 | 1, out);
                out.extend(self.below(u64::MAX).to_le_bytes());
            }
            Kind::Varints if self.below(2) == 0 => self.field(number, Kind::Varint, depth, out),
            Kind::Varints => bytes(
                number,
                &[1, 0x80, 2, 3][..usize::try_from(self.below(2)).unwrap() * 3],
                out,
            ),
            Kind::Fixed64s if self.below(2) == 0 => self.field(number, Kind::Fixed64, depth, out),
            Kind::Fixed64s => bytes(
                number,
                &[7; 24][..usize::try_from(self.below(4)).unwrap() * 8],
                out,
            ),
        }
    }

    fn oddity(&mut self, number: u64, kind: Kind, depth: u64, out: &mut Vec<u8>) {
        match self.below(9) {
            0 => self.field(number, kind, depth, out), // again
            1 => self.field(number, Kind::Varint, depth, out),
            2 => self.field(number, Kind::Fixed64, depth, out),
            3 => bytes(number, &[0xff, 0xfe], out),
            4 => bytes(number, &[], out),
            5 => self.field(100 + self.state % 7, Kind::Text, depth, out), // not known
            6 => {
                varint(200 << 3 | 3, out);
                self.field(1, Kind::Text, depth, out);
                varint((200 + self.below(5) / 4) << 3 | 4, out);
            }
            7 => out.extend([0x80; 9]),
            _ => drop(out.pop()),
        }
    }
}

fn bytes(number: u64, content: &[u8], out: &mut Vec<u8>) {
    varint(number << 3 | 2, out);
    varint(content.len() as u64, out);
    out.extend_from_slice(content);
}

fn varint(mut number: u64, out: &mut Vec<u8>) {
    while number > 0x7f {
        out.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    out.push(number.to_le_bytes()[0]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_same_rows_of_good_bodies(state in any::<u64>()) {
        for signal in Signal::ALL {
            let body = Writer { state, odd: 0 }.message(shape(signal), 0);
            prop_assert!(beside::compare(signal, &body).is_ok(), "{signal} {state}");
        }
    }

    #[test]
    fn the_same_verdict_on_odd_bodies(state in any::<u64>(), odd in 2..200_u64) {
        for signal in Signal::ALL {
            let body = Writer { state, odd }.message(shape(signal), 0);
            let _ = beside::compare(signal, &body);
        }
    }

    #[test]
    fn the_same_verdict_on_damaged_bodies(state in any::<u64>(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for signal in Signal::ALL {
            let mut body = Writer { state, odd: 0 }.message(shape(signal), 0);
            if !body.is_empty() {
                let at = at.index(body.len());
                body[at] = byte;
                let _ = beside::compare(signal, &body);
                let _ = beside::compare(signal, &body[..at]);
            }
        }
    }

    #[test]
    fn the_same_verdict_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        beside::body(&bytes);
    }
}

#[test]
fn the_corpus_reads_the_same() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    let mut read = 0;
    for name in ["walk", "otlp_protobuf"] {
        for entry in std::fs::read_dir(corpora.join(name)).unwrap() {
            let path = entry.unwrap().path();
            println!("{}", path.display());
            let data = std::fs::read(path).unwrap();
            beside::body(&data);
            for signal in Signal::ALL {
                let _ = beside::compare(signal, &data);
            }
            read += 1;
        }
    }
    assert!(read >= 6, "{read}");
}

/// One message in a field.
fn wrap(number: u64, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    bytes(number, content, &mut out);
    out
}

/// A log record as a body.
fn log_body(log: &[u8]) -> Vec<u8> {
    wrap(1, &wrap(2, &wrap(2, log)))
}

#[test]
fn messages_are_nested_as_deeply_as_the_decoder_lets_them() {
    // The body of a record is the fifth message; an array and its value are two more.
    let mut last = None;
    for arrays in 0..60 {
        let mut value = wrap(1, b"x");
        for _ in 0..arrays {
            value = wrap(5, &wrap(1, &value));
        }
        let taken = beside::compare(Signal::Logs, &log_body(&wrap(5, &value))).is_ok();
        // Where an unknown field lies deepest.
        for _ in 0..arrays {
            value = wrap(77, &value);
        }
        let _ = beside::compare(Signal::Logs, &log_body(&wrap(5, &value)));
        if taken {
            last = Some(arrays);
        }
    }
    assert_eq!(last, Some(48));
}

#[test]
fn what_is_there_twice_is_merged() {
    let pair = |key: &[u8], value: &[u8]| [wrap(1, key), wrap(2, value)].concat();
    let resource = |key: &[u8]| wrap(1, &wrap(1, &pair(key, &wrap(1, b"x"))));
    let scope = [wrap(1, &wrap(1, b"one")), wrap(1, &wrap(2, b"2.0"))].concat();
    let array = |text: &[u8]| wrap(5, &wrap(1, &wrap(1, text)));
    let log = [
        wrap(5, &array(b"a")),
        wrap(5, &array(b"b")),
        wrap(
            6,
            &pair(b"k", &[wrap(1, b"text"), array(b"c"), array(b"d")].concat()),
        ),
    ]
    .concat();
    let scope_logs = wrap(2, &[scope, wrap(2, &log)].concat());
    let body = wrap(1, &[resource(b"a"), scope_logs, resource(b"b")].concat());
    let beside::Rows::Logs(logs) = beside::compare(Signal::Logs, &body).unwrap() else {
        panic!("they are logs")
    };
    let shown = format!(
        "{:?} {:?} {:?} {:?}",
        logs[0].resource.attributes, logs[0].scope, logs[0].body, logs[0].attributes
    );
    expect![[r#"Attributes([("a", String("x")), ("b", String("x"))]) Scope { name: "one", version: "2.0" } Array([String("a"), String("b")]) Attributes([("k", Array([String("c"), String("d")]))])"#]].assert_eq(&shown);
}

fn check_error(signal: Signal, body: &[u8], expected: Expect) {
    let error = beside::compare(signal, body).unwrap_err();
    expected.assert_eq(&error.to_string());
}

#[test]
fn errors_say_what_is_wrong_where() {
    let span = |fields: &[u8]| {
        let good = [wrap(1, &[1; 16]), wrap(2, &[1; 8])].concat();
        let both = [wrap(2, &good), wrap(2, &[&good, fields].concat())].concat();
        wrap(1, &wrap(2, &both))
    };
    check_error(
        Signal::Traces,
        &span(&wrap(9, &wrap(2, &wrap(5, &wrap(1, &wrap(1, &[0xff])))))),
        expect![
            "cannot decode traces as protobuf: resourceSpans[0].scopeSpans[0].spans[1].attributes[0].value.arrayValue.values[0].stringValue: not UTF-8"
        ],
    );
    check_error(
        Signal::Traces,
        &span(&wrap(7, b"now")),
        expect![
            "cannot decode traces as protobuf: resourceSpans[0].scopeSpans[0].spans[1].startTimeUnixNano: the wrong wire type"
        ],
    );
    check_error(
        Signal::Traces,
        &span(&wrap(4, b"now")),
        expect!["resourceSpans[0].scopeSpans[0].spans[1].parentSpanId: 3 bytes, want 8"],
    );
    check_error(
        Signal::Traces,
        &[0x0a, 5, 1],
        expect!["cannot decode traces as protobuf: resourceSpans[0]: cut off"],
    );
    check_error(
        Signal::Metrics,
        &wrap(
            1,
            &wrap(2, &wrap(2, &wrap(9, &wrap(1, &wrap(6, &[1, 2, 3]))))),
        ),
        expect![
            "cannot decode metrics as protobuf: resourceMetrics[0].scopeMetrics[0].metrics[0].histogram.dataPoints[0].bucketCounts: cut off"
        ],
    );
}

fn weigh(signal: Signal, body: Vec<u8>, memory_bytes_max: usize) -> Result<Totals, WireError> {
    walk::check(signal, Bytes::from(body), memory_bytes_max).map(|checked| checked.totals())
}

#[test]
fn small_bodies_that_take_much_are_refused_before_they_do() {
    let empty = |number: u64| wrap(number, &[]).repeat(10_000);
    let bodies = [
        ("records", Signal::Logs, log_body(&[]).repeat(10_000)),
        ("attributes", Signal::Logs, log_body(&empty(6))),
        (
            "values",
            Signal::Logs,
            log_body(&wrap(5, &wrap(5, &empty(1)))).repeat(10),
        ),
        ("resources", Signal::Metrics, empty(1)),
        // Each point has the name of its metric with it.
        (
            "points",
            Signal::Metrics,
            wrap(
                1,
                &wrap(
                    2,
                    &wrap(
                        2,
                        &[wrap(1, &[b'x'; 10_000]), wrap(5, &empty(1)[..2000])].concat(),
                    ),
                ),
            ),
        ),
        // What has to be merged is decoded first.
        (
            "merged",
            Signal::Logs,
            log_body(&[wrap(5, &[]), wrap(5, &[]), empty(6)].concat()),
        ),
    ];
    for (name, signal, body) in bodies {
        let small = body.len();
        let refused = weigh(signal, body.clone(), 400_000);
        assert!(
            matches!(
                refused,
                Err(WireError::TooHeavy {
                    memory_bytes_max: 400_000
                })
            ),
            "{name}: {small} bytes: {refused:?}"
        );
        let totals = weigh(signal, body, usize::MAX).unwrap();
        assert!(totals.memory_bytes > 400_000, "{name}: {totals:?}");
    }
    // Of ordinary records the text is the most.
    let text = log_body(&wrap(5, &wrap(1, &[b'x'; 100_000])));
    assert!(weigh(Signal::Logs, text, 101_000).is_ok());
}
