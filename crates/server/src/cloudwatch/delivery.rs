//! What CloudWatch and those who pass it on send: logs down to lines, metrics down to requests.
//!
//! | body | from |
//! |---|---|
//! | `{"awslogs":{"data":"<base64 gzip>"}}` | a subscription filter, as its function gets it |
//! | `{"messageType":"DATA_MESSAGE","logEvents":[…]}` | the same, unpacked |
//! | `{"requestId":"…","records":[{"data":"<base64>"}]}` | Firehose, each record one of the others, gzip or not |
//! | `{"events":[{"message":"…"}]}` | `aws logs filter-log-events` |
//! | lines of `{"metric_stream_name":"…",…}`, or messages of OTLP, each after its length | [a metric stream](MetricStream) |
//! | anything else | lines of text |

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Deserialize;
use throughline_telemetry::wire::{MetricStream, MetricStreamRead};

use crate::ingest::{Encoding, InflateError, Inflater};

/// What is in one request. Lines of logs, and lines and messages of metric streams, are numbered together, from 1.
#[derive(Debug, Default)]
pub(super) struct Delivery {
    /// Firehose's number of the request.
    pub(super) request_id: Option<String>,
    /// What its metric streams say.
    pub(super) metrics: MetricStreamRead,
    /// Each with the number of its first line.
    texts: Vec<(u64, String)>,
}

/// Why a body is no delivery.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadDelivery {
    /// More than the limit, unpacked.
    TooLarge,
    /// It is not what its outer form says.
    Unreadable(String),
}

impl Delivery {
    /// Takes a body apart. What it unpacks to may have `bytes_max` bytes.
    pub(super) fn read(body: &[u8], bytes_max: usize) -> Result<Self, BadDelivery> {
        let mut reader = Reader {
            delivery: Delivery::default(),
            stream: MetricStream::default(),
            next: 1,
            left: bytes_max,
        };
        reader.body(body, LAYERS_MAX)?;
        let metrics = reader.stream.finish();
        let delivery = Delivery {
            metrics,
            ..reader.delivery
        };
        // A data point has its names twice as a request, so the metrics may have grown.
        match delivery.bytes() > bytes_max {
            true => Err(BadDelivery::TooLarge),
            false => Ok(delivery),
        }
    }

    /// What the lines and the requests take in memory.
    pub(super) fn bytes(&self) -> usize {
        let texts = self.texts.iter().map(|(_, text)| text.len());
        let requests = self.metrics.requests.iter().map(|(_, body)| body.len());
        texts.chain(requests).sum()
    }

    /// Each line of logs that is not empty, with its number. The lines of an event count one by one.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u64, &str)> {
        let texts = self.texts.iter();
        texts.flat_map(|(first, text)| (*first..).zip(lines_of(text)))
    }
}

struct Reader {
    delivery: Delivery,
    stream: MetricStream,
    /// The number of the next line or message.
    next: u64,
    left: usize,
}

impl Reader {
    fn body(&mut self, body: &[u8], layers: usize) -> Result<(), BadDelivery> {
        if body.starts_with(GZIP) {
            let plain = self.inflate(body)?;
            return self.body(&plain, below(layers)?);
        }
        if let Some(pieces) = self.stream.take(body, self.next) {
            self.next += pieces;
            return self.spend(body.len());
        }
        match documents(body) {
            Some(documents) => documents
                .into_iter()
                .try_for_each(|document| self.document(document, layers)),
            None => self.text(String::from_utf8_lossy(body).into_owned()),
        }
    }

    fn document(&mut self, document: Document, layers: usize) -> Result<(), BadDelivery> {
        if let Some(Packed { data }) = document.awslogs {
            let packed = unbase64(&data)?;
            self.body(&packed, below(layers)?)?;
        }
        if document.records.is_some() {
            self.delivery.request_id = document.request_id;
        }
        for Packed { data } in document.records.into_iter().flatten() {
            let record = unbase64(&data)?;
            self.body(&record, below(layers)?)?;
        }
        let events = document
            .log_events
            .into_iter()
            .chain(document.events)
            .flatten();
        // A control message says that the destination can be reached; it has no logs.
        let data = document
            .message_type
            .is_none_or(|kind| kind != "CONTROL_MESSAGE");
        events
            .filter(|_| data)
            .try_for_each(|event| self.text(event.message))
    }

    fn text(&mut self, text: String) -> Result<(), BadDelivery> {
        self.spend(text.len())?;
        let first = self.next;
        self.next += lines_of(&text).count() as u64;
        self.delivery.texts.push((first, text));
        Ok(())
    }

    fn spend(&mut self, bytes: usize) -> Result<(), BadDelivery> {
        self.left = self.left.checked_sub(bytes).ok_or(BadDelivery::TooLarge)?;
        Ok(())
    }

    fn inflate(&self, packed: &[u8]) -> Result<Vec<u8>, BadDelivery> {
        let inflate = || {
            let mut inflater = Inflater::new(Encoding::Gzip, self.left)?;
            inflater.push(packed)?;
            inflater.finish()
        };
        inflate().map_err(|error| match error {
            InflateError::TooLarge { .. } => BadDelivery::TooLarge,
            InflateError::Corrupt(_) => BadDelivery::Unreadable(error.to_string()),
        })
    }
}

fn lines_of(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn below(layers: usize) -> Result<usize, BadDelivery> {
    let deep = || BadDelivery::Unreadable(format!("packed more than {LAYERS_MAX} times"));
    layers.checked_sub(1).ok_or_else(deep)
}

fn unbase64(text: &str) -> Result<Vec<u8>, BadDelivery> {
    let decoded = BASE64.decode(text);
    decoded.map_err(|error| BadDelivery::Unreadable(format!("`data` is not base64: {error}")))
}

/// One of the known forms.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    awslogs: Option<Packed>,
    request_id: Option<String>,
    records: Option<Vec<Packed>>,
    message_type: Option<String>,
    log_events: Option<Vec<LogEvent>>,
    events: Option<Vec<LogEvent>>,
}

#[derive(Deserialize)]
struct Packed {
    data: String,
}

#[derive(Deserialize)]
struct LogEvent {
    message: String,
}

impl Document {
    fn is_known(&self) -> bool {
        self.awslogs.is_some()
            || self.records.is_some()
            || self.events.is_some()
            || (self.message_type.is_some() && self.log_events.is_some())
    }
}

/// The documents of a body, one after the other as Firehose joins them, if it has nothing else.
fn documents(body: &[u8]) -> Option<Vec<Document>> {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if first != Some(&b'{') {
        return None;
    }
    let mut documents = Vec::new();
    for document in serde_json::Deserializer::from_slice(body).into_iter::<Document>() {
        documents.push(document.ok().filter(Document::is_known)?);
    }
    Some(documents)
}

const GZIP: &[u8] = &[0x1f, 0x8b];

/// Firehose around a subscription around gzip, and one to spare.
const LAYERS_MAX: usize = 4;

#[cfg(test)]
mod tests;
