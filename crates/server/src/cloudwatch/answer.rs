//! What a delivery is answered.

use axum::body::Body;
use axum::response::Response;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;
use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::MetricStreamRead;

use crate::codes::{self, Code};
use crate::ingest::Refusal;

/// What became of a delivery.
#[derive(Debug, Default, Serialize)]
pub(super) struct Tally {
    /// Lines of logs that were not empty.
    pub(super) lines: u64,
    /// Envelopes in them that could be read.
    pub(super) envelopes: u64,
    /// Lines and messages of metric streams that could be read.
    metrics: u64,
    /// Envelopes, and requests with what metric streams say, that were stored.
    pub(super) stored: u64,
    /// Those that were stored already.
    pub(super) duplicates: u64,
    /// Spans, log records and metrics stored.
    #[serde(serialize_with = "as_text")]
    pub(super) items: u64,
    problems: Vec<Problem>,
    problems_total: u64,
}

/// Why something of a line or a message was not stored.
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    line: u64,
    code: &'static str,
    message: String,
}

impl Problem {
    pub(super) fn new(line: u64, code: Code, message: String) -> Self {
        Problem {
            line,
            code: code.id,
            message,
        }
    }
}

impl Tally {
    /// Counts what metric streams say.
    pub(super) fn metrics(&mut self, metrics: &MetricStreamRead) {
        self.metrics += metrics.read;
        for (number, bad) in &metrics.problems {
            self.fail(*number, codes::BAD_METRICS, bad);
        }
        self.problems_total += metrics.problems_total - metrics.problems.len() as u64;
    }

    pub(super) fn fail(&mut self, line: u64, code: Code, error: &impl std::fmt::Display) {
        self.problem(Problem::new(line, code, format!("{error} ({code})")));
    }

    pub(super) fn problem(&mut self, problem: Problem) {
        self.problems_total += 1;
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }

    /// Firehose shows nobody what it is answered, so it is said here too.
    pub(super) fn log(&self) {
        if let Some(first) = self.problems.first() {
            let (problems, line, message) = (self.problems_total, first.line, &first.message);
            tracing::warn!(problems, line, message, "parts of a delivery not stored");
        }
    }
}

fn as_text<S: serde::Serializer>(number: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// Who is to be answered, and in which form.
pub(super) struct Caller {
    /// Firehose's number of the request; it takes no answer without it.
    request_id: Option<String>,
    now: UnixNanos,
}

/// What Firehose wants to hear.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FirehoseAnswer<'a> {
    request_id: &'a str,
    timestamp: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<String>,
}

impl Caller {
    pub(super) fn of(headers: &HeaderMap, now: UnixNanos) -> Self {
        let id = headers.get(FIREHOSE_REQUEST_ID);
        let id = id.and_then(|id| id.to_str().ok()).map(str::to_owned);
        Caller {
            request_id: id,
            now,
        }
    }

    /// The number that the body has, where a header has none.
    pub(super) fn name(&mut self, request_id: Option<&str>) {
        if self.request_id.is_none() {
            self.request_id = request_id.map(str::to_owned);
        }
    }

    pub(super) fn answer(&self, tally: &Tally) -> Response {
        match &self.request_id {
            Some(id) => respond(StatusCode::OK, &self.firehose(id, None)),
            None => respond(StatusCode::OK, tally),
        }
    }

    pub(super) fn refuse(&self, refusal: &Refusal) -> Response {
        let (answer, message) = (refusal.answer(), refusal.message());
        tracing::warn!(code = %answer.code, message, "delivery turned away");
        let mut response = match &self.request_id {
            Some(id) => respond(answer.http, &self.firehose(id, Some(message))),
            None => {
                let code = answer.code.id;
                respond(
                    answer.http,
                    &serde_json::json!({"code": code, "message": message}),
                )
            }
        };
        if let Some(after) = refusal.retry_after() {
            let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
            response
                .headers_mut()
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }

    fn firehose<'a>(
        &self,
        request_id: &'a str,
        error_message: Option<String>,
    ) -> FirehoseAnswer<'a> {
        FirehoseAnswer {
            request_id,
            timestamp: self.now.0 / 1_000_000,
            error_message,
        }
    }
}

fn respond(status: StatusCode, answer: &impl Serialize) -> Response {
    let json = serde_json::to_vec(answer).expect("text keys, and memory takes all");
    let mut response = Response::new(Body::from(json));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

const FIREHOSE_REQUEST_ID: &str = "x-amz-firehose-request-id";

/// Problems that are told; the others are counted.
const PROBLEMS_MAX: usize = 100;
