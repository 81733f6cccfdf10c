//! What is left of a run to judge it by: the batches that a server has, the envelopes on stdout,
//! and the ledgers on both.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::{self, Request};
use throughline_testkit::intake::Post;

/// A batch, wherever it was found.
#[derive(Clone, Debug)]
pub(crate) struct Batch {
    pub(crate) environment: String,
    /// `None` where there is nothing but a ledger.
    pub(crate) sequence: Option<u64>,
    pub(crate) items: u64,
    /// The numbers of the function's own spans in it.
    pub(crate) spans: BTreeSet<u64>,
    pub(crate) ledger: Option<Ledger>,
}

impl Batch {
    pub(crate) fn of(post: &Post) -> Result<Self, String> {
        let spans = match post.request.clone() {
            Request::Traces(request) => wire::spans(request).map_err(|error| error.to_string())?,
            _ => Vec::new(),
        };
        let own = spans.iter().filter(|span| span.name == "work");
        let number = |span: &throughline_telemetry::Span| {
            u64::from_str_radix(&span.span_id.to_string(), 16).map_err(|error| error.to_string())
        };
        Ok(Batch {
            environment: post.header("x-throughline-environment").to_owned(),
            sequence: post.sequence(),
            items: post.request.items() as u64,
            spans: own.map(number).collect::<Result<_, _>>()?,
            ledger: Ledger::read(post.header("x-throughline-ledger"))?,
        })
    }

    /// The batch in a line of stdout, if it is an envelope.
    pub(crate) fn in_line(line: &str) -> Option<Result<Self, String>> {
        line.starts_with("{\"__otel_otlp_stdout\"")
            .then(|| Self::in_envelope(line))
    }

    fn in_envelope(line: &str) -> Result<Self, String> {
        if line.len() > LINE_BYTES_MAX {
            return Err(format!("a line of {} bytes", line.len()));
        }
        let envelope: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
        let text = |key: &str| envelope[key].as_str().unwrap_or_default();
        let path = text("endpoint").rsplit("/v1/").next().unwrap_or_default();
        let signal = Signal::ALL.into_iter().find(|signal| signal.name() == path);
        let signal = signal.ok_or("no signal in the endpoint")?;
        let mut headers = HeaderMap::new();
        let named = envelope["headers"].as_object().into_iter().flatten();
        let encoding = [
            ("content-type", text("content-type")),
            ("content-encoding", text("content-encoding")),
        ];
        let named = named.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default()));
        for (name, value) in named.chain(encoding).filter(|(_, value)| !value.is_empty()) {
            let name =
                HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
            let value = HeaderValue::from_str(value).map_err(|error| error.to_string())?;
            headers.insert(name, value);
        }
        let payload = STANDARD
            .decode(text("payload"))
            .map_err(|error| error.to_string())?;
        Self::of(&Post::read(signal, headers, &payload)?)
    }
}

/// What an extension says became of everything it took in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ledger {
    pub(crate) revision: u64,
    pub(crate) sealed: u64,
    pub(crate) accepted: u64,
    pub(crate) delivered: u64,
    pub(crate) waiting: u64,
    pub(crate) spilled: u64,
    pub(crate) printed: u64,
    pub(crate) dropped: BTreeMap<String, u64>,
    /// First, last and how many items; only the newest.
    pub(crate) gone: Vec<(u64, u64, u64)>,
    pub(crate) is_final: bool,
}

impl Ledger {
    pub(crate) fn read(text: &str) -> Result<Option<Self>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        if text.len() > LEDGER_BYTES_MAX || !text.is_ascii() {
            return Err(format!("a ledger of {} bytes: {text}", text.len()));
        }
        let ledger: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let number = |key: &str| {
            let number = ledger[key].as_u64();
            number.ok_or_else(|| format!("no {key} in the ledger {text}"))
        };
        let dropped = ledger["dropped"].as_object().into_iter().flatten();
        let gone = ledger["gone"].as_array().into_iter().flatten();
        let at = |range: &Value, index: usize| range[index].as_u64().unwrap_or(0);
        Ok(Some(Ledger {
            revision: number("revision")?,
            sealed: number("sealed")?,
            accepted: number("accepted")?,
            delivered: number("delivered")?,
            waiting: number("waiting")?,
            spilled: number("spilled")?,
            printed: number("printed")?,
            dropped: dropped
                .map(|(reason, count)| (reason.clone(), count.as_u64().unwrap_or(0)))
                .collect(),
            gone: gone
                .map(|range| (at(range, 0), at(range, 1), at(range, 3)))
                .collect(),
            is_final: ledger["final"].as_bool().unwrap_or(false),
        }))
    }

    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.values().sum()
    }

    /// Accepted is what became of it, at every moment.
    pub(crate) fn balances(&self) -> bool {
        let became = self.delivered + self.waiting + self.spilled + self.printed;
        self.accepted == became + self.dropped()
    }
}

/// What CloudWatch Logs takes in one event.
const LINE_BYTES_MAX: usize = 256 << 10;
const LEDGER_BYTES_MAX: usize = 4096;
