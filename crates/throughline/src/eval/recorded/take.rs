//! Telemetry as it was recorded, and copies of it at other times.
//!
//! A copy has other ids, in bytes and in texts alike, so that what belonged together in the recording does in the copy,
//! and belongs to no other.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;
use std::time::Duration;

use anyhow::Context;
use fastrand::Rng;
use regex::{Captures, Regex};
use serde::Deserialize;
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::common::v1::any_value::Value;
use throughline_telemetry::wire::otlp::common::v1::{AnyValue, KeyValue};
use throughline_telemetry::wire::otlp::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use throughline_telemetry::wire::otlp::resource::v1::Resource;
use throughline_telemetry::wire::otlp::trace::v1::{ResourceSpans, ScopeSpans, Span};
use throughline_telemetry::wire::otlp::{ExportLogsServiceRequest, ExportTraceServiceRequest};
use throughline_telemetry::{Signal, UnixNanos};

use super::{BEGIN, KEY_STEP};

/// What was recorded in one go.
pub(super) struct Take {
    pub(super) name: String,
    pub(super) length: Duration,
    /// The nodes that it came from, any of them. Only who counts hits looks at these.
    pub(super) causes: Vec<String>,
    /// How long it goes on when it is played.
    pub(super) lasts: Duration,
    /// Whether it is no such thing where it goes wrong in a part of an application alone.
    pub(super) everywhere: bool,
    from: UnixNanos,
    spans: Recorded<ResourceSpans, ScopeSpans, Span>,
    logs: Recorded<ResourceLogs, ScopeLogs, LogRecord>,
}

/// Items by time, with the numbers of who told them, and of which part of it.
struct Recorded<R, S, T> {
    /// Without their parts.
    tellers: Vec<R>,
    /// Without their items.
    scopes: Vec<S>,
    items: Vec<(u64, usize, usize, T)>,
}

/// A part of a copy.
#[derive(Clone, Copy)]
pub(super) struct Piece<'a> {
    pub(super) take: &'a Take,
    /// Where it begins in the take.
    pub(super) offset: Duration,
    /// Another one for each copy.
    pub(super) key: u32,
}

#[derive(Deserialize)]
struct About {
    from_unix_millis: u64,
    to_unix_millis: u64,
    causes: Vec<String>,
    #[serde(default = "usual_minutes")]
    minutes: u64,
    #[serde(default)]
    everywhere: bool,
}

impl Take {
    /// What is in a folder: `take.json`, `traces.binpb` and `logs.binpb`.
    pub(super) fn load(folder: &Path) -> anyhow::Result<Take> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))
        };
        let request = |signal, name: &str| -> anyhow::Result<Request> {
            let request = Request::from_protobuf(signal, &read(name)?);
            request.with_context(|| format!("{} in {}", name, folder.display()))
        };
        let about: About = serde_json::from_slice(&read("take.json")?)
            .with_context(|| format!("take.json in {}", folder.display()))?;
        let name = folder.file_name().unwrap_or_default();
        let millis = about.to_unix_millis.saturating_sub(about.from_unix_millis);
        let mut take = Take {
            name: name.to_string_lossy().into_owned(),
            length: Duration::from_millis(millis),
            causes: about.causes,
            lasts: Duration::from_secs(60 * about.minutes),
            everywhere: about.everywhere,
            from: UnixNanos(about.from_unix_millis * 1_000_000),
            spans: Recorded::default(),
            logs: Recorded::default(),
        };
        if let Request::Traces(request) = request(Signal::Traces, "traces.binpb")? {
            take.spans = spans(request);
        }
        if let Request::Logs(request) = request(Signal::Logs, "logs.binpb")? {
            take.logs = logs(request);
        }
        Ok(take)
    }
}

impl<R, S, T> Default for Recorded<R, S, T> {
    fn default() -> Self {
        Recorded {
            tellers: Vec::new(),
            scopes: Vec::new(),
            items: Vec::new(),
        }
    }
}

impl<R: Clone, S: Clone, T: Clone> Recorded<R, S, T> {
    fn sorted(mut self) -> Self {
        self.items.sort_by_key(|(time, ..)| *time);
        self
    }

    /// The items of a time, by who told them and in which part.
    fn within(&self, from: u64, to: u64) -> BTreeMap<usize, BTreeMap<usize, Vec<T>>> {
        let begin = self.items.partition_point(|(time, ..)| *time < from);
        let end = self.items.partition_point(|(time, ..)| *time < to);
        let mut found: BTreeMap<usize, BTreeMap<usize, Vec<T>>> = BTreeMap::new();
        for (_, teller, scope, item) in &self.items[begin..end] {
            let of = found.entry(*teller).or_default().entry(*scope).or_default();
            of.push(item.clone());
        }
        found
    }
}

fn spans(request: ExportTraceServiceRequest) -> Recorded<ResourceSpans, ScopeSpans, Span> {
    let mut recorded = Recorded::default();
    for mut teller in request.resource_spans {
        for mut scope in std::mem::take(&mut teller.scope_spans) {
            for span in std::mem::take(&mut scope.spans) {
                let place = (recorded.tellers.len(), recorded.scopes.len());
                let item = (span.start_time_unix_nano, place.0, place.1, span);
                recorded.items.push(item);
            }
            recorded.scopes.push(scope);
        }
        recorded.tellers.push(teller);
    }
    recorded.sorted()
}

fn logs(request: ExportLogsServiceRequest) -> Recorded<ResourceLogs, ScopeLogs, LogRecord> {
    let mut recorded = Recorded::default();
    for mut teller in request.resource_logs {
        for mut scope in std::mem::take(&mut teller.scope_logs) {
            for record in std::mem::take(&mut scope.log_records) {
                let place = (recorded.tellers.len(), recorded.scopes.len());
                let time = match record.time_unix_nano {
                    0 => record.observed_time_unix_nano,
                    time => time,
                };
                recorded.items.push((time, place.0, place.1, record));
            }
            recorded.scopes.push(scope);
        }
        recorded.tellers.push(teller);
    }
    recorded.sorted()
}

/// What is sent so that these pieces, all of one length, happen at once.
pub(super) fn requests(pieces: &[Piece<'_>], length: Duration, begin: UnixNanos) -> [Request; 2] {
    let mut traces = ExportTraceServiceRequest::default();
    let mut logs = ExportLogsServiceRequest::default();
    for piece in pieces {
        let from = piece.take.from.plus(piece.offset);
        let moving = Moving {
            from: from.0,
            begin: begin.0,
            turn: turn(piece.key),
        };
        let until = from.plus(length).0;
        for (teller, scopes) in piece.take.spans.within(from.0, until) {
            let mut teller = piece.take.spans.tellers[teller].clone();
            moving.resource(teller.resource.as_mut());
            for (scope, mut spans) in scopes {
                let mut scope = piece.take.spans.scopes[scope].clone();
                spans.iter_mut().for_each(|span| moving.span(span));
                scope.spans = spans;
                teller.scope_spans.push(scope);
            }
            traces.resource_spans.push(teller);
        }
        for (teller, scopes) in piece.take.logs.within(from.0, until) {
            let mut teller = piece.take.logs.tellers[teller].clone();
            moving.resource(teller.resource.as_mut());
            for (scope, mut records) in scopes {
                let mut scope = piece.take.logs.scopes[scope].clone();
                records.iter_mut().for_each(|record| moving.record(record));
                scope.log_records = records;
                teller.scope_logs.push(scope);
            }
            logs.resource_logs.push(teller);
        }
    }
    [Request::Traces(traces), Request::Logs(logs)]
}

/// To another time, with other ids.
struct Moving {
    from: u64,
    begin: u64,
    turn: [u8; TURNS],
}

impl Moving {
    fn span(&self, span: &mut Span) {
        for time in [&mut span.start_time_unix_nano, &mut span.end_time_unix_nano] {
            self.time(time);
        }
        for id in [
            &mut span.trace_id,
            &mut span.span_id,
            &mut span.parent_span_id,
        ] {
            self.id(id);
        }
        for event in &mut span.events {
            self.time(&mut event.time_unix_nano);
            self.attributes(&mut event.attributes);
        }
        for link in &mut span.links {
            self.id(&mut link.trace_id);
            self.id(&mut link.span_id);
            self.attributes(&mut link.attributes);
        }
        if let Some(status) = &mut span.status {
            self.text(&mut status.message);
        }
        self.attributes(&mut span.attributes);
    }

    fn record(&self, record: &mut LogRecord) {
        for time in [
            &mut record.time_unix_nano,
            &mut record.observed_time_unix_nano,
        ] {
            self.time(time);
        }
        self.id(&mut record.trace_id);
        self.id(&mut record.span_id);
        record.body.iter_mut().for_each(|body| self.value(body));
        self.attributes(&mut record.attributes);
    }

    fn resource(&self, resource: Option<&mut Resource>) {
        let Some(resource) = resource else {
            return;
        };
        self.attributes(&mut resource.attributes);
        let text = |key: &str| {
            let found = resource.attributes.iter().find(|it| it.key == key);
            match found.and_then(|it| it.value.as_ref()?.value.as_ref()) {
                Some(Value::StringValue(text)) => Some(text.as_str()),
                _ => None,
            }
        };
        let release = text(SERVICE_NAME).map_or(0, |name| release(name, UnixNanos(self.begin)));
        let code = resource.attributes.iter_mut();
        let code = code.filter(|it| it.key == CODE_DIGEST);
        for value in code.filter_map(|it| it.value.as_mut()) {
            if let Some(Value::StringValue(code)) = &mut value.value {
                *code = turned(code, turn(release.wrapping_mul(KEY_STEP)));
            }
        }
    }

    fn attributes(&self, attributes: &mut [KeyValue]) {
        // Code is no id: copies of one time run the same.
        let others = attributes.iter_mut().filter(|it| it.key != CODE_DIGEST);
        let values = others.filter_map(|it| it.value.as_mut());
        values.for_each(|value| self.value(value));
    }

    fn value(&self, value: &mut AnyValue) {
        match &mut value.value {
            Some(Value::StringValue(text)) => self.text(text),
            Some(Value::ArrayValue(array)) => {
                array.values.iter_mut().for_each(|it| self.value(it));
            }
            Some(Value::KvlistValue(list)) => self.attributes(&mut list.values),
            _ => {}
        }
    }

    /// That nothing is known of stays nothing.
    fn time(&self, time: &mut u64) {
        if *time > 0 {
            *time = (*time).saturating_sub(self.from).saturating_add(self.begin);
        }
    }

    fn id(&self, id: &mut [u8]) {
        for (at, byte) in id.iter_mut().enumerate() {
            let high = (*byte >> 4).wrapping_add(self.turn[2 * at % TURNS]) & 15;
            let low = (*byte & 15).wrapping_add(self.turn[(2 * at + 1) % TURNS]) & 15;
            *byte = high << 4 | low;
        }
    }

    fn text(&self, text: &mut String) {
        let with_others =
            TEXT_IDS.replace_all(text, |found: &Captures<'_>| turned(&found[0], self.turn));
        if let Cow::Owned(with_others) = with_others {
            *text = with_others;
        }
    }
}

/// A text whose hexadecimal digits are turned.
fn turned(text: &str, by: [u8; TURNS]) -> String {
    let mut turns = by.iter().cycle();
    let digits = text.chars().map(|char| {
        let turned = char
            .to_digit(16)
            .and_then(|digit| char::from_digit((digit + u32::from(*turns.next()?)) & 15, 16));
        turned.unwrap_or(char)
    });
    digits.collect()
}

/// How often a service was released until then: once in some days each, at another time than the others.
fn release(service: &str, at: UnixNanos) -> u32 {
    let seed = service.bytes().fold(0, |seed: u64, byte| {
        seed.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let after = Rng::with_seed(seed).u64(..RELEASED_EVERY.as_secs());
    let known = at.since(BEGIN).as_secs() + after;
    u32::try_from(known / RELEASED_EVERY.as_secs()).unwrap_or(u32::MAX)
}

/// By how much each hexadecimal digit of an id is turned, again and again.
fn turn(key: u32) -> [u8; TURNS] {
    std::array::from_fn(|nth| u8::try_from(key >> (4 * nth) & 15).unwrap_or(0))
}

fn usual_minutes() -> u64 {
    30
}

const CODE_DIGEST: &str = "throughline.code.digest";
const SERVICE_NAME: &str = "service.name";
/// Of the nine functions of Big Mouth, three or four a day.
pub(super) const RELEASED_EVERY: Duration = Duration::from_secs(60 * 3600);
const TURNS: usize = 8;
/// Ids in texts: of requests, messages, orders, environments. An account has twelve digits, and stays.
static TEXT_IDS: LazyLock<Regex> = LazyLock::new(|| {
    let pattern =
        "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|o-[0-9a-f]{12}|[0-9a-f]{16,}";
    Regex::new(pattern).expect("it is one, by the test below")
});
