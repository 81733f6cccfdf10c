//! What a handler answers, written once and looked at.

use lambda_runtime::FunctionResponse;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;
use throughline_telemetry::SpanStatus;

use super::guard;
use crate::payload;
use crate::span::Open;

/// An answer: its JSON, so that it is written once, or itself if it cannot be written.
#[derive(Debug)]
pub enum Answer<B> {
    /// What the runtime will send.
    Written(Box<RawValue>),
    /// What the runtime will say it cannot send.
    Itself(B),
}

impl<B: Serialize> Serialize for Answer<B> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Answer::Written(json) => json.serialize(serializer),
            Answer::Itself(answer) => answer.serialize(serializer),
        }
    }
}

/// Tells `span` of the answer.
pub(super) fn told<B: Serialize, S>(
    span: Option<&Open>,
    response: FunctionResponse<B, S>,
) -> FunctionResponse<Answer<B>, S> {
    match (response, span) {
        (FunctionResponse::StreamingResponse(stream), _) => {
            FunctionResponse::StreamingResponse(stream)
        }
        (FunctionResponse::BufferedResponse(answer), None) => {
            FunctionResponse::BufferedResponse(Answer::Itself(answer))
        }
        (FunctionResponse::BufferedResponse(answer), Some(span)) => {
            let Ok(json) = serde_json::value::to_raw_value(&answer) else {
                return FunctionResponse::BufferedResponse(Answer::Itself(answer));
            };
            guard(|| describe(span, json.get()));
            FunctionResponse::BufferedResponse(Answer::Written(json))
        }
    }
}

/// The parts of an answer that the platform reads.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Outcome {
    status_code: Option<i64>,
    batch_item_failures: Option<Vec<IgnoredAny>>,
}

fn describe(span: &Open, json: &str) {
    let settings = &span.invocation().sdk.settings;
    if settings.takes_payloads && json.len() <= PAYLOAD_BYTES_MAX {
        let answer: Value = serde_json::from_str(json).unwrap_or_default();
        span.set(
            "throughline.payload.response",
            payload::text(&answer, settings),
        );
    }
    let outcome: Outcome = match json.starts_with('{') {
        true => serde_json::from_str(json).unwrap_or_default(),
        false => Outcome::default(),
    };
    let failures = outcome
        .batch_item_failures
        .map_or(0, |failures| failures.len());
    if failures > 0 {
        let failures = i64::try_from(failures).unwrap_or(i64::MAX);
        span.set("throughline.batch.failures", failures);
    }
    let Some(status) = outcome.status_code.filter(|_| span.invocation().is_http) else {
        return;
    };
    span.set("http.response.status_code", status);
    if status >= 500 {
        span.set("error.type", status.to_string());
        span.change(|span| span.status = SpanStatus::Error);
    }
}

/// An answer beyond this is not shown.
const PAYLOAD_BYTES_MAX: usize = 256 << 10;
