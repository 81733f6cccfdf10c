//! What a function answered in payload format 2.0, as an HTTP response.

use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::{HeaderName, HeaderValue, header};
use serde_json::Value;

use crate::front::received::{is_functions_to_say, json_response, status_of};

/// An object with a `statusCode` describes the response; anything else is the body of a 200. `None` if the description
/// cannot be a response.
pub(crate) fn of_payload(payload: &[u8]) -> Option<Response> {
    match serde_json::from_slice::<Value>(payload) {
        Ok(described) if described.get("statusCode").is_some() => of_description(&described),
        // A function that returns a string means the string, not its JSON form.
        Ok(Value::String(text)) => Some(json_response(text.into_bytes())),
        _ => Some(json_response(payload.to_vec())),
    }
}

fn of_description(described: &Value) -> Option<Response> {
    with_head(json_response(body(described)?), described)
}

/// The response with the status, headers and cookies of the description.
pub(crate) fn with_head(mut response: Response, described: &Value) -> Option<Response> {
    *response.status_mut() = status_of(described.get("statusCode")?)?;
    let headers = response.headers_mut();
    for (name, value) in described
        .get("headers")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        if is_functions_to_say(name) {
            headers.insert(HeaderName::try_from(name).ok()?, header_value(value)?);
        }
    }
    for cookie in described
        .get("cookies")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        headers.append(header::SET_COOKIE, header_value(cookie)?);
    }
    Some(response)
}

fn body(described: &Value) -> Option<Vec<u8>> {
    let body = match described.get("body") {
        None | Some(Value::Null) => return Some(Vec::new()),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    match described.get("isBase64Encoded").and_then(Value::as_bool) {
        Some(true) => BASE64.decode(body).ok(),
        _ => Some(body.into_bytes()),
    }
}

fn header_value(value: &Value) -> Option<HeaderValue> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    HeaderValue::try_from(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(payload: &str, status: u16, headers: &[(&str, &str)], body: &str) {
        let response = of_payload(payload.as_bytes()).unwrap();
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
        let found = axum::body::to_bytes(response.into_body(), usize::MAX)
            .await
            .unwrap();
        assert_eq!(found, body, "{payload}");
    }

    #[tokio::test]
    async fn answers_become_responses() {
        check(
            r#"{"ok":true}"#,
            200,
            &[("content-type", "application/json")],
            r#"{"ok":true}"#,
        )
        .await;
        check(r#""hello""#, 200, &[], "hello").await;
        check("null", 200, &[], "null").await;
        check(r#"{"statusCode":204}"#, 204, &[], "").await;
        check(
            r#"{"statusCode":"201","body":{"a":1}}"#,
            201,
            &[],
            r#"{"a":1}"#,
        )
        .await;
        check(
            r#"{"statusCode":302,"headers":{"Location":"/x","Content-Type":"text/plain","X-N":5,"Content-Length":"99"},"cookies":["a=1","b=2"],"body":"aGk=","isBase64Encoded":true}"#,
            302,
            &[("location", "/x"), ("content-type", "text/plain"), ("x-n", "5"), ("set-cookie", "a=1|b=2")],
            "hi",
        )
        .await;
    }

    #[test]
    fn answers_that_describe_nothing_possible_are_no_response() {
        for payload in [
            r#"{"statusCode":42}"#,
            r#"{"statusCode":"x"}"#,
            r#"{"statusCode":200,"headers":{"a b":"c"}}"#,
            r#"{"statusCode":200,"headers":{"a":"b\n"}}"#,
            r#"{"statusCode":200,"body":"***","isBase64Encoded":true}"#,
        ] {
            assert!(of_payload(payload.as_bytes()).is_none(), "{payload}");
        }
    }
}
