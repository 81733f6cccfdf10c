//! What a runtime says of an error for X-Ray: checked and cut as Lambda does it. Pure.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// The content type of an error whose cause is in its body.
pub(super) const CONTENT_TYPE: &str = "application/vnd.aws.lambda.error.cause+json";

/// The cause in a header, if it is one.
pub(super) fn of_header(text: &str) -> Option<Value> {
    sound(serde_json::from_str(text).ok()?)
}

/// The body that the caller gets, and the cause that was in it.
pub(super) fn of_body(body: &[u8]) -> (Bytes, Option<Value>) {
    let Ok(mut told) = serde_json::from_slice::<ErrorWithCause>(body) else {
        return (Bytes::from_static(b"\"Invalid error body\""), None);
    };
    let cause = told.cause.take().and_then(sound);
    (json!(told).to_string().into(), cause)
}

/// `None` where there is nothing in it. What is too long loses the same part of everything until it fits.
fn sound(cause: Value) -> Option<Value> {
    let cause: Cause = serde_json::from_value(cause).ok()?;
    if cause == Cause::default() {
        return None;
    }
    let fits = |cause: &Cause| json!(cause).to_string().len() <= CAUSE_BYTES_MAX;
    let cut = [10, 8, 6, 4, 2, 0]
        .into_iter()
        .map(|tenths| cause.clone().cut(tenths))
        .find(fits)?;
    Some(json!(cut))
}

#[derive(Debug, Deserialize, Serialize)]
struct ErrorWithCause {
    #[serde(rename = "errorMessage", default)]
    message: String,
    #[serde(rename = "errorType", default)]
    kind: String,
    #[serde(rename = "stackTrace", default, skip_serializing_if = "Vec::is_empty")]
    stack: Vec<String>,
    #[serde(
        rename = "errorCause",
        default,
        skip_serializing_if = "Option::is_none"
    )]
    cause: Option<Value>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
struct Cause {
    exceptions: Vec<Exception>,
    working_directory: String,
    paths: Vec<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
struct Exception {
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    kind: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stack: Vec<Frame>,
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
struct Frame {
    #[serde(skip_serializing_if = "String::is_empty")]
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    #[serde(skip_serializing_if = "String::is_empty")]
    label: String,
}

impl Cause {
    /// So many tenths of every list; of nothing at all only the words stay, and of those what fits for certain.
    fn cut(mut self, tenths: usize) -> Self {
        let part = |length: usize| length * tenths / 10;
        self.paths.truncate(part(self.paths.len()));
        self.exceptions.truncate(part(self.exceptions.len()));
        for exception in &mut self.exceptions {
            exception.stack.truncate(part(exception.stack.len()));
        }
        if tenths == 0 {
            for text in [&mut self.message, &mut self.working_directory] {
                text.truncate(text.floor_char_boundary(WORDS_BYTES_MAX));
            }
        }
        self
    }
}

/// What X-Ray takes of one document.
const CAUSE_BYTES_MAX: usize = 64 * 1024;
/// Twice this fits with all that JSON may make of it.
const WORDS_BYTES_MAX: usize = 5 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cause_is_kept_if_it_says_something_in_the_form_of_one() {
        let whole = r#"{"exceptions":[{"message":"no","type":"E","stack":[{"path":"a.py","line":7,"label":"f"}]}],"working_directory":"/var/task","paths":["a.py"]}"#;
        let cases = [
            (whole, Some(serde_json::from_str(whole).unwrap())),
            (
                r#"{"message":"only this","more":1}"#,
                Some(
                    json!({"exceptions": [], "working_directory": "", "paths": [], "message": "only this"}),
                ),
            ),
            ("{}", None),
            (r#"{"exceptions":[]}"#, None),
            (r#"{"paths":"a.py"}"#, None),
            ("no JSON", None),
        ];
        for (text, expected) in cases {
            assert_eq!(of_header(text), expected, "{text}");
        }
    }

    #[test]
    fn what_is_too_long_is_cut_until_it_fits() {
        let paths: Vec<_> = (0..2000).map(|n| format!("/var/task/{n:030}")).collect();
        let long = json!({"message": "why", "paths": paths});
        let cut = of_header(&long.to_string()).unwrap();
        assert_eq!(
            (&cut["message"], cut["paths"].as_array().unwrap().len()),
            (&json!("why"), 1200)
        );
        // Nothing but words, which JSON makes six times as long.
        let words = "\u{1}".repeat(200_000);
        let cut = of_header(&json!({"message": words, "working_directory": words}).to_string());
        assert!(cut.unwrap().to_string().len() <= CAUSE_BYTES_MAX);
    }

    #[test]
    fn cause_in_the_body_is_not_the_callers() {
        let body = json!({
            "errorMessage": "no", "errorType": "E", "stackTrace": ["f"], "errorCause": {"message": "why"}, "other": 1,
        });
        let (told, cause) = of_body(body.to_string().as_bytes());
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(
            told,
            json!({"errorMessage": "no", "errorType": "E", "stackTrace": ["f"]})
        );
        assert_eq!(cause.unwrap()["message"], "why");
        assert_eq!(
            of_body(b"[1]"),
            (Bytes::from("\"Invalid error body\""), None)
        );
    }
}
