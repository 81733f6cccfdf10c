//! A server with moods.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::time::Duration;

use throughline_extension::outbox::{Batch, Outcome, Parcel};
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::common::v1::any_value::Value;

use super::random::Random;

#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) mood: Mood,
    /// What it has, by environment and sequence: how many items it refused. What of a batch was
    /// refused is said again to who sends it again; otherwise a lost answer would make it unknown.
    pub(crate) batches: BTreeMap<(String, u64), u64>,
    pub(crate) ids: BTreeSet<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Well,
    Slow,
    /// Reads and never answers.
    Hangs,
    /// Takes nothing and says so at once.
    Refuses,
    /// 503, or 429 with a wish.
    Busy,
    /// Takes it, and the answer is lost.
    Cut,
    /// 400.
    Picky,
    /// Takes a part.
    Partial,
}

/// How long it takes, in milliseconds awake, and what comes back.
pub(crate) type Answer = (u64, Outcome);

impl Server {
    pub(crate) fn new() -> Self {
        Server {
            mood: Mood::Well,
            batches: BTreeMap::new(),
            ids: BTreeSet::new(),
        }
    }

    pub(crate) fn change(&mut self, random: &mut Random) {
        self.mood = random.one_of(&[
            Mood::Well,
            Mood::Well,
            Mood::Well,
            Mood::Slow,
            Mood::Hangs,
            Mood::Refuses,
            Mood::Busy,
            Mood::Busy,
            Mood::Cut,
            Mood::Picky,
            Mood::Partial,
        ]);
    }

    pub(crate) fn take(&mut self, parcel: &Parcel, random: &mut Random) -> Answer {
        let batch = &parcel.batch;
        let failed = |why: &str, retry_after: Option<u64>| Outcome::Failed {
            why: why.to_owned(),
            retry_after: retry_after.map(Duration::from_millis),
        };
        let key = (batch.environment.to_string(), batch.sequence);
        let refused = self.batches.get(&key).copied().unwrap_or(0);
        let delivered = Outcome::Delivered { refused };
        match self.mood {
            Mood::Well => {
                self.keep(batch, 0);
                (random.from(1, 5), delivered)
            }
            Mood::Slow => {
                self.keep(batch, 0);
                (random.from(30, 400), delivered)
            }
            Mood::Hangs => (5000, failed("no answer", None)),
            Mood::Refuses => (random.from(0, 2), failed("refused", None)),
            Mood::Busy => {
                let asked = random.chance(300).then(|| random.from(0, 120_000));
                (random.from(1, 5), failed("503", asked))
            }
            Mood::Cut => {
                self.keep(batch, 0);
                (random.from(1, 5), failed("cut", None))
            }
            Mood::Picky => {
                let why = "400".to_owned();
                (random.from(1, 5), Outcome::Rejected { why })
            }
            Mood::Partial => {
                let known = self.batches.get(&key).copied();
                let refused = known.unwrap_or_else(|| random.from(0, batch.items));
                self.keep(batch, refused);
                (random.from(1, 5), Outcome::Delivered { refused })
            }
        }
    }

    /// What it stores, once.
    pub(crate) fn keep(&mut self, batch: &Batch, refused: u64) {
        let key = (batch.environment.to_string(), batch.sequence);
        if batch.sequence == 0 || self.batches.contains_key(&key) {
            return;
        }
        self.batches.insert(key, refused);
        let skipped = usize::try_from(refused).unwrap();
        self.ids.extend(ids(batch).into_iter().skip(skipped));
    }
}

/// The ids in a batch, one for each item: names of spans and texts of records.
pub(crate) fn ids(batch: &Batch) -> Vec<String> {
    let mut plain = Vec::new();
    if batch.packed {
        let mut gzip = flate2::read::GzDecoder::new(&batch.body[..]);
        gzip.read_to_end(&mut plain).expect("gzip");
    } else {
        plain.extend_from_slice(&batch.body);
    }
    let request = Request::from_protobuf(batch.signal, &plain).expect("OTLP");
    assert_eq!(request.items() as u64, batch.items);
    match request {
        Request::Traces(request) => {
            let groups = request.resource_spans.into_iter();
            let scopes = groups.flat_map(|group| group.scope_spans);
            scopes
                .flat_map(|scope| scope.spans)
                .map(|span| span.name)
                .collect()
        }
        Request::Logs(request) => {
            let groups = request.resource_logs.into_iter();
            let scopes = groups.flat_map(|group| group.scope_logs);
            let records = scopes.flat_map(|scope| scope.log_records);
            let text = |value: Option<Value>| match value {
                Some(Value::StringValue(text)) => text,
                _ => String::new(),
            };
            records
                .map(|record| text(record.body.and_then(|body| body.value)))
                .collect()
        }
        Request::Metrics(request) => {
            let groups = request.resource_metrics.into_iter();
            let scopes = groups.flat_map(|group| group.scope_metrics);
            scopes
                .flat_map(|scope| scope.metrics)
                .map(|metric| metric.name)
                .collect()
        }
    }
}
