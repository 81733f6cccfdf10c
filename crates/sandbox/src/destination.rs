//! What a destination is told when an asynchronous invocation has ended.

use serde_json::{Value, json};

use crate::function::arn;
use crate::invoke::{EventEnded, Outcome};
use crate::time::UnixNanos;

impl EventEnded {
    /// The record that Lambda sends to a destination, whether a function, a queue, a topic, a bus or a bucket.
    ///
    /// Payloads are JSON where they are, and text where they are not.
    pub fn record(&self, now: UnixNanos) -> Value {
        let mut record = json!({
            "version": "1.0",
            "timestamp": now.to_string(),
            "requestContext": {
                "requestId": self.request_id,
                "functionArn": format!("{}:$LATEST", arn(&self.function)),
                "condition": self.end.condition(),
                "approximateInvokeCount": self.attempts,
            },
            "requestPayload": as_json(&self.payload),
        });
        // Without an attempt there is no answer to tell of.
        if let Some(answer) = &self.answer {
            record["responseContext"] = json!({"statusCode": 200, "executedVersion": "$LATEST"});
            if answer.outcome == Outcome::FunctionError {
                record["responseContext"]["functionError"] = json!("Unhandled");
            }
            record["responsePayload"] = as_json(&answer.payload);
        }
        record
    }
}

/// The function that a destination names, if it is a function.
pub(crate) fn function_of(destination: &str) -> Option<&str> {
    let mut parts = destination.strip_prefix("arn:aws:lambda:")?.split(':');
    let (_region, _account, kind) = (parts.next()?, parts.next()?, parts.next()?);
    parts
        .next()
        .filter(|name| kind == "function" && !name.is_empty())
}

fn as_json(payload: &[u8]) -> Value {
    serde_json::from_slice(payload)
        .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(payload).into_owned()))
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::invoke::{Answer, EventEnd};

    fn ended(
        end: EventEnd,
        attempts: usize,
        answer: Option<(&'static str, Outcome)>,
    ) -> EventEnded {
        EventEnded {
            function: "checkout".to_owned(),
            request_id: "id".to_owned(),
            end,
            attempts,
            payload: r#"{"n":1}"#.into(),
            answer: answer.map(|(payload, outcome)| Answer {
                request_id: "id".to_owned(),
                payload: payload.into(),
                outcome,
            }),
            trace_header: String::new(),
        }
    }

    fn record(ended: &EventEnded) -> Value {
        ended.record(UnixNanos::from_millis(1_791_460_800_123))
    }

    #[test]
    fn failure_tells_of_the_last_answer() {
        let failed = ended(
            EventEnd::RetriesExhausted,
            3,
            Some((r#"{"errorMessage":"no"}"#, Outcome::FunctionError)),
        );
        expect![[r#"
            {
              "requestContext": {
                "approximateInvokeCount": 3,
                "condition": "RetriesExhausted",
                "functionArn": "arn:aws:lambda:us-east-1:123456789012:function:checkout:$LATEST",
                "requestId": "id"
              },
              "requestPayload": {
                "n": 1
              },
              "responseContext": {
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
                "statusCode": 200
              },
              "responsePayload": {
                "errorMessage": "no"
              },
              "timestamp": "2026-10-08T12:00:00.123Z",
              "version": "1.0"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&record(&failed)).unwrap());
    }

    #[test]
    fn a_function_is_found_in_its_arn_with_and_without_a_qualifier() {
        let cases = [
            (arn("f"), Some("f")),
            (arn("f") + ":$LATEST", Some("f")),
            ("arn:aws:lambda:us-east-1:1:layer:f".to_owned(), None),
            ("arn:aws:sqs:us-east-1:1:f".to_owned(), None),
        ];
        for (destination, expected) in &cases {
            assert_eq!(function_of(destination), *expected, "{destination}");
        }
    }

    #[test]
    fn success_has_no_error_and_an_event_that_was_never_tried_no_answer() {
        let good = record(&ended(
            EventEnd::Success,
            1,
            Some(("not json", Outcome::Returned)),
        ));
        assert_eq!(good["responseContext"].get("functionError"), None);
        assert_eq!(good["responsePayload"], "not json");
        let old = record(&ended(EventEnd::EventAgeExceeded, 0, None));
        assert_eq!(old["requestContext"]["condition"], "EventAgeExceeded");
        assert_eq!(old.get("responseContext"), None);
        assert_eq!(old.get("responsePayload"), None);
    }
}
