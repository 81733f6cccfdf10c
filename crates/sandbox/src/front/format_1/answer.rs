//! What a function answered in payload format 1.0, as an HTTP response: strict, unlike format 2.0.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::front::received::{is_functions_to_say, json_response, status_of};

/// What becomes of a body that the function says is base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Base64Body {
    Decoded,
    /// The caller did not ask for a binary media type.
    AsItIs,
}

/// The response, or what is wrong with the answer. No field must be there, but any that format 1.0 does not know makes
/// the whole answer malformed, as does a body that is not text.
pub(crate) fn of_payload(payload: &[u8], base64: Base64Body) -> Result<Response, &'static str> {
    let Ok(Value::Object(answer)) = serde_json::from_slice(payload) else {
        return Err("not a JSON object");
    };
    if answer.keys().any(|key| !FIELDS.contains(&key.as_str())) {
        return Err("a field that payload format 1.0 does not know");
    }
    let mut response = json_response(body(&answer, base64)?);
    *response.status_mut() = match present(&answer, "statusCode") {
        None => StatusCode::OK,
        Some(status) => status_of(status).ok_or("statusCode is no HTTP status")?,
    };
    set_headers(response.headers_mut(), &answer)?;
    Ok(response)
}

fn body(answer: &Map<String, Value>, base64: Base64Body) -> Result<Vec<u8>, &'static str> {
    let body = match present(answer, "body") {
        None => return Ok(Vec::new()),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(flag)) => flag.to_string(),
        Some(_) => return Err("body is not a string"),
    };
    match present(answer, "isBase64Encoded") {
        Some(Value::Bool(true)) if base64 == Base64Body::AsItIs => Ok(body.into_bytes()),
        Some(Value::Bool(true)) => BASE64.decode(body).map_err(|_| "body is not base64"),
        Some(Value::Bool(false)) | None => Ok(body.into_bytes()),
        Some(_) => Err("isBase64Encoded is neither true nor false"),
    }
}

/// Both fields together; where both have a name, the one with many values counts.
fn set_headers(headers: &mut HeaderMap, answer: &Map<String, Value>) -> Result<(), &'static str> {
    for (name, value) in object(answer, "headers")? {
        if is_functions_to_say(name) {
            headers.insert(header_name(name)?, header_value(value)?);
        }
    }
    for (name, values) in object(answer, "multiValueHeaders")? {
        let values = values
            .as_array()
            .ok_or("a multiValueHeaders value is no list")?;
        if is_functions_to_say(name) {
            let name = header_name(name)?;
            headers.remove(&name);
            for value in values {
                headers.append(&name, header_value(value)?);
            }
        }
    }
    Ok(())
}

fn object<'a>(
    answer: &'a Map<String, Value>,
    key: &str,
) -> Result<impl Iterator<Item = (&'a String, &'a Value)>, &'static str> {
    match present(answer, key) {
        None => Ok(None.into_iter().flatten()),
        Some(Value::Object(map)) => Ok(Some(map).into_iter().flatten()),
        Some(_) => Err("headers are no object"),
    }
}

fn header_name(name: &str) -> Result<HeaderName, &'static str> {
    HeaderName::try_from(name).map_err(|_| "a header has a name that HTTP does not allow")
}

fn header_value(value: &Value) -> Result<HeaderValue, &'static str> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Bool(flag) => flag.to_string(),
        _ => return Err("a header is not a string"),
    };
    HeaderValue::try_from(text).map_err(|_| "a header has a value that HTTP does not allow")
}

fn present<'a>(answer: &'a Map<String, Value>, key: &str) -> Option<&'a Value> {
    answer.get(key).filter(|value| !value.is_null())
}

const FIELDS: &[&str] = &[
    "statusCode",
    "headers",
    "multiValueHeaders",
    "body",
    "isBase64Encoded",
];

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(payload: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let response = of_payload(payload.as_bytes(), Base64Body::Decoded).unwrap();
        assert_eq!(response.status().as_u16(), status, "{payload}");
        for (name, value) in headers {
            let found: Vec<_> = response
                .headers()
                .get_all(*name)
                .iter()
                .map(|value| value.to_str().unwrap())
                .collect();
            assert_eq!(found.join("|"), *value, "{payload}");
        }
        let found = axum::body::to_bytes(response.into_body(), usize::MAX).await;
        assert_eq!(found.unwrap(), body, "{payload}");
    }

    #[tokio::test]
    async fn answers_become_responses() {
        check("{}", 200, &[("content-type", "application/json")], "").await;
        check(r#"{"statusCode":"201","body":"a"}"#, 201, &[], "a").await;
        check(
            r#"{"statusCode":302,"headers":{"Location":"/x","Content-Type":"text/plain","X-N":true,"Content-Length":"99"},"body":"aGk=","isBase64Encoded":true}"#,
            302,
            &[("location", "/x"), ("content-type", "text/plain"), ("x-n", "true")],
            "hi",
        )
        .await;
        check(
            r#"{"statusCode":200,"headers":{"A":"1","B":"2"},"multiValueHeaders":{"b":["3","4"],"Set-Cookie":["x=1","y=2"]}}"#,
            200,
            &[("a", "1"), ("b", "3|4"), ("set-cookie", "x=1|y=2")],
            "",
        )
        .await;
    }

    #[test]
    fn malformed_answers_are_refused() {
        for payload in [
            "null",
            r#""hello""#,
            "[]",
            "no json",
            r#"{"ok":true}"#,
            r#"{"statusCode":200,"cookies":["a=1"]}"#,
            r#"{"statusCode":42}"#,
            r#"{"statusCode":"x"}"#,
            r#"{"statusCode":200,"body":{"a":1}}"#,
            r#"{"statusCode":200,"body":"***","isBase64Encoded":true}"#,
            r#"{"statusCode":200,"headers":[]}"#,
            r#"{"statusCode":200,"headers":{"a":5}}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"multiValueHeaders":{"a":"b"}}"#,
        ] {
            let response = of_payload(payload.as_bytes(), Base64Body::Decoded);
            assert!(response.is_err(), "{payload}");
        }
    }
}
