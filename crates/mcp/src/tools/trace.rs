//! One user action as text.

use std::fmt::Write;

use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::GetTrace;
use crate::answer::{Found, millis};
use crate::ask::{Ask, Parameters, percent_encoded};
use crate::{Api, Failure};

pub(super) async fn trace<A: Api>(ask: &Ask<'_, A>, asked: GetTrace) -> Result<Found, Failure> {
    let path = format!("/api/v1/traces/{}", percent_encoded(asked.id.trim()));
    let anywhere = Parameters::default().and("anywhere", Some("true"));
    let found = ask.get(&path, anywhere).await?;
    let read = Trace::deserialize(&found);
    let trace =
        read.map_err(|error| Failure(format!("the server's answer cannot be read: {error}")))?;
    let left_out = found["left_out"]["trace_count"].as_u64().unwrap_or(0) > 0;
    Ok(Found {
        total: Some(trace.spans.len() as u64),
        truncated: left_out || found["left_out"]["partial"] == true,
        path: format!("/traces/{}", percent_encoded(&trace.trace_id)),
        next: None,
        telemetry: json!({
            "summary": trace.summary(&found),
            "errors": trace.errors(),
            "most_self_time": trace.slowest(),
            "spans": trace.lines(),
            "logs": trace.log_lines(),
        }),
    })
}

#[derive(Deserialize)]
struct Trace {
    trace_id: String,
    start_unix_nanos: String,
    duration_nanos: String,
    spans: Vec<Span>,
    logs: Vec<Log>,
}

#[derive(Deserialize)]
struct Span {
    span_id: String,
    parent_span_id: Option<String>,
    depth: usize,
    name: String,
    kind: String,
    service: String,
    start_unix_nanos: String,
    duration_nanos: String,
    status: String,
    status_message: String,
    attributes: Value,
    events: Vec<Value>,
}

#[derive(Deserialize)]
struct Log {
    time_unix_nanos: String,
    severity_text: String,
    body: Value,
    service: String,
}

impl Trace {
    fn summary(&self, found: &Value) -> Value {
        json!({"trace_id": self.trace_id, "trace_ids": found["trace_ids"],
            "root_service": found["root_service"], "root_name": found["root_name"],
            "start_unix_nanos": self.start_unix_nanos, "duration_nanos": self.duration_nanos,
            "status": found["status"], "span_count": found["span_count"],
            "error_count": found["error_count"], "cold_start_count": found["cold_start_count"],
            "cost_usd": found["cost"]["usd"], "services": found["services"]})
    }

    fn errors(&self) -> Vec<Value> {
        let failed = self.spans.iter().filter(|span| span.status == "error");
        let told = failed.map(|span| {
            let exception = span
                .events
                .iter()
                .find(|event| event["name"] == "exception");
            let said = exception.map(|event| &event["attributes"]);
            let of = |key: &str| said.map_or(&Value::Null, |said| &said[key]);
            json!({"span": span.span_id, "service": span.service, "name": span.name,
                "error_type": span.attributes["error.type"], "message": span.status_message,
                "exception": of("exception.message"), "stack": of("exception.stacktrace")})
        });
        told.collect()
    }

    /// The spans that took most time themselves: without that of what is below them.
    fn slowest(&self) -> Vec<Value> {
        let mut spans: Vec<(u64, &Span)> = self
            .spans
            .iter()
            .map(|span| (self.self_time(span), span))
            .collect();
        spans.sort_by_key(|(own, _)| std::cmp::Reverse(*own));
        let spans = spans.into_iter().filter(|(own, _)| *own > 0).take(8);
        spans
            .map(|(own, span)| {
                json!({"service": span.service, "name": span.name, "self_ms": millis(own)})
            })
            .collect()
    }

    fn self_time(&self, span: &Span) -> u64 {
        let (start, end) = span.times();
        let below = self
            .spans
            .iter()
            .filter(|other| other.parent_span_id.as_deref() == Some(&span.span_id));
        let mut below: Vec<(u64, u64)> = below.map(Span::times).collect();
        below.sort_unstable();
        let (mut own, mut at) = (0, start);
        for (from, to) in below {
            own += from.clamp(at, end.max(at)) - at;
            at = to.clamp(at, end.max(at));
        }
        own + end.saturating_sub(at)
    }

    /// `  +12.5 ms  40 ms  pay: POST /pay (client) ERROR declined`, as deep as it is.
    fn lines(&self) -> Vec<String> {
        let start = number(&self.start_unix_nanos);
        let line = |span: &Span| {
            let after = millis(number(&span.start_unix_nanos).saturating_sub(start));
            let took = millis(number(&span.duration_nanos));
            let mut line = format!(
                "{}+{after} ms, {took} ms: {} {} ({})",
                "  ".repeat(span.depth.min(DEPTH_MAX)),
                span.service,
                span.name,
                span.kind,
            );
            if span.attributes["faas.coldstart"] == true {
                line.push_str(" COLD START");
            }
            if span.status == "error" {
                let _ = write!(line, " ERROR {}", span.status_message); // into memory
            }
            line
        };
        self.spans.iter().map(line).collect()
    }

    fn log_lines(&self) -> Vec<String> {
        let start = number(&self.start_unix_nanos);
        let line = |log: &Log| {
            let after = millis(number(&log.time_unix_nanos).saturating_sub(start));
            let body = match &log.body {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            format!("+{after} ms {} {}: {body}", log.severity_text, log.service)
        };
        self.logs.iter().map(line).collect()
    }
}

impl Span {
    fn times(&self) -> (u64, u64) {
        let start = number(&self.start_unix_nanos);
        (start, start.saturating_add(number(&self.duration_nanos)))
    }
}

/// Of digits; a length that is less than nothing is nothing.
fn number(text: &str) -> u64 {
    text.parse().unwrap_or(0)
}

const DEPTH_MAX: usize = 30;
