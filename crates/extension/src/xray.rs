//! What the X-Ray SDKs send to their daemon: segment documents, turned into spans.
//!
//! A datagram is a header of one line, `{"format":"json","version":1}`, and one document behind it.
//! Instead of the document there may be OTLP: `T1S` (sampled) or `T1U` (not sampled) and protobuf in
//! base64, as AWS's distribution of OpenTelemetry sends it. A document holds its subsegments, to any
//! depth; those that an SDK streams come as documents of their own.
//!
//! A document that says `in_progress` is held back until it comes again with its end. What never
//! does, because the function crashed or timed out, is given out at the end as unfinished: it is
//! the call that everybody looks for then.

mod document;

use std::collections::VecDeque;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value as Json;
use throughline_telemetry::wire::{Request, WireError, traces_request};
use throughline_telemetry::{Signal, Span, SpanId, TraceId, UnixNanos};

/// Why a datagram or a document is not one.
#[derive(Debug, thiserror::Error)]
pub enum BadDocument {
    /// No line that says what follows.
    #[error("it has no header of format json, version 1")]
    Header,
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// No trace to belong to.
    #[error("it has no usable trace_id")]
    TraceId,
    /// No object, or nothing usable in it.
    #[error("it holds no segment")]
    Segment,
    /// Not base64 behind the mark of OTLP.
    #[error("it is not base64: {0}")]
    Base64(#[from] base64::DecodeError),
    /// Not OTLP.
    #[error(transparent)]
    Otlp(#[from] WireError),
}

/// Reads documents, and remembers those that are in progress.
#[derive(Debug, Default)]
pub struct Documents {
    /// Oldest first, at most [`OPEN_MAX`].
    open: VecDeque<Span>,
}

impl Documents {
    /// Reads a datagram. An empty request means that all of it is in progress.
    ///
    /// # Errors
    /// See [`BadDocument`].
    pub fn datagram(&mut self, datagram: &[u8]) -> Result<Request, BadDocument> {
        let line = datagram.iter().position(|byte| *byte == b'\n');
        let (header, body) = datagram.split_at(line.ok_or(BadDocument::Header)?);
        let header: Json = serde_json::from_slice(header).map_err(|_| BadDocument::Header)?;
        if header["format"] != "json" || header["version"] != 1 {
            return Err(BadDocument::Header);
        }
        let body = body.trim_ascii();
        match body.strip_prefix(b"T1S").or(body.strip_prefix(b"T1U")) {
            Some(packed) => {
                let protobuf = STANDARD.decode(packed)?;
                Ok(Request::from_protobuf(Signal::Traces, &protobuf)?)
            }
            None => self.document(body),
        }
    }

    /// Reads one document.
    ///
    /// # Errors
    /// See [`BadDocument`].
    pub fn document(&mut self, document: &[u8]) -> Result<Request, BadDocument> {
        let read = document::read(&serde_json::from_slice(document)?)?;
        let mut spans = read.finished;
        for span in &spans {
            self.forget(span.trace_id, span.span_id);
        }
        for span in read.open {
            self.forget(span.trace_id, span.span_id);
            if self.open.len() == OPEN_MAX {
                spans.extend(self.open.pop_front().map(unfinished));
            }
            self.open.push_back(span);
        }
        Ok(Request::Traces(traces_request(&spans)))
    }

    /// What is still in progress: it will not be heard of any more.
    pub fn last_words(&mut self, now: UnixNanos) -> Option<Request> {
        let open = std::mem::take(&mut self.open).into_iter();
        let spans: Vec<Span> = open
            .map(|span| Span {
                end: now.max(span.start),
                ..unfinished(span)
            })
            .collect();
        (!spans.is_empty()).then(|| Request::Traces(traces_request(&spans)))
    }

    fn forget(&mut self, trace_id: TraceId, span_id: SpanId) {
        self.open
            .retain(|open| (open.trace_id, open.span_id) != (trace_id, span_id));
    }
}

fn unfinished(mut span: Span) -> Span {
    span.attributes.set("throughline.unfinished", true);
    span
}

/// Documents of a body of `PutTraceSegments`: `{"TraceSegmentDocuments":["…"]}`. A body that is
/// something else is one that cannot be read.
pub fn put_trace_segments(body: &[u8]) -> Vec<Result<String, BadDocument>> {
    let body: Json = match serde_json::from_slice(body) {
        Ok(body) => body,
        Err(error) => return vec![Err(error.into())],
    };
    let Some(documents) = body["TraceSegmentDocuments"].as_array() else {
        return vec![Err(BadDocument::Segment)];
    };
    let text = |document: &Json| Some(document.as_str()?.to_owned());
    let documents = documents.iter().map(text);
    documents
        .map(|text| text.ok_or(BadDocument::Segment))
        .collect()
}

/// The answer of the daemon to a call of an SDK: no rules and no targets, so that the SDK goes on
/// sampling as it was told at home. `None` if there is no such call.
pub fn answer(path: &str) -> Option<&'static str> {
    Some(match path {
        "/GetSamplingRules" => r#"{"SamplingRuleRecords":[],"NextToken":null}"#,
        "/SamplingTargets" => {
            r#"{"SamplingTargetDocuments":[],"LastRuleModification":0,"UnprocessedStatistics":[]}"#
        }
        PUT_TRACE_SEGMENTS => r#"{"UnprocessedTraceSegments":[]}"#,
        _ => return None,
    })
}

/// The call that carries documents.
pub const PUT_TRACE_SEGMENTS: &str = "/TraceSegments";
/// So many calls are open at once at most; more are unlikely in one environment.
const OPEN_MAX: usize = 64;

#[cfg(test)]
mod tests;
