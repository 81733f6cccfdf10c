//! Payload format 1.0, of REST APIs: a request as an event, and the answer to it.

pub(super) mod answer;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::received::{Received, Text, common_log_time};

/// What an event says of the API that made it.
pub(super) struct Api<'a> {
    pub(super) account_id: &'a str,
    pub(super) api_id: &'a str,
    pub(super) stage: &'a str,
    /// Such as `/orders/{id}`.
    pub(super) resource: &'a str,
    pub(super) path_parameters: &'a BTreeMap<String, String>,
    pub(super) stage_variables: &'a BTreeMap<String, String>,
    pub(super) binary_media_types: Option<&'a [String]>,
}

/// The request as an event. What is not there is `null`, as REST APIs have it.
pub(super) fn event(received: &Received, api: &Api<'_>) -> Value {
    let headers = headers(received);
    let query = query_values(received);
    let text = match api.binary_media_types {
        None => Text::WhereverItIs,
        Some(binary) if is_one_of(binary, &received.header("content-type")) => Text::Nowhere,
        Some(_) => Text::Everywhere,
    };
    let body = received.body_as(text);
    json!({
        "resource": api.resource,
        "path": received.path(),
        "httpMethod": received.parts.method.as_str(),
        "headers": lasts(&headers),
        "multiValueHeaders": or_null(&headers),
        "queryStringParameters": lasts(&query),
        "multiValueQueryStringParameters": or_null(&query),
        "pathParameters": or_null(api.path_parameters),
        "stageVariables": or_null(api.stage_variables),
        "requestContext": {
            "resourceId": RESOURCE_ID,
            "resourcePath": api.resource,
            "httpMethod": received.parts.method.as_str(),
            "extendedRequestId": received.request_id,
            "requestTime": common_log_time(received.now),
            "path": received.path(),
            "accountId": api.account_id,
            "protocol": received.protocol(),
            "stage": api.stage,
            "domainPrefix": api.api_id,
            "requestTimeEpoch": received.now.as_millis(),
            "requestId": received.request_id,
            "identity": identity(received),
            "domainName": received.header("host"),
            "deploymentId": DEPLOYMENT_ID,
            "apiId": api.api_id,
        },
        "isBase64Encoded": body.as_ref().is_some_and(|(_, is_base64)| *is_base64),
        "body": body.map(|(body, _)| body),
    })
}

/// Whether the media type is among these, of which `image/*` and `*/*` stand for many.
pub(super) fn is_one_of(types: &[String], media_type: &str) -> bool {
    let media_type = media_type.split(';').next().unwrap_or_default().trim();
    let kind = media_type.split('/').next().unwrap_or_default();
    types.iter().any(|known| match known.split_once('/') {
        Some(("*", "*")) => true,
        Some((known_kind, "*")) => known_kind.eq_ignore_ascii_case(kind),
        _ => known.eq_ignore_ascii_case(media_type),
    })
}

fn identity(received: &Received) -> Value {
    json!({
        "cognitoIdentityPoolId": null,
        "accountId": null,
        "cognitoIdentityId": null,
        "caller": null,
        "sourceIp": received.peer.ip().to_string(),
        "principalOrgId": null,
        "accessKey": null,
        "cognitoAuthenticationType": null,
        "cognitoAuthenticationProvider": null,
        "userArn": null,
        "userAgent": received.header("user-agent"),
        "user": null,
    })
}

/// REST APIs tell header names as they were sent, which the HTTP library does not keep: what every HTTP/1.1 client
/// sends in capitals is told so, any other name in lower case.
fn headers(received: &Received) -> BTreeMap<String, Vec<String>> {
    let headers = received.headers().into_iter();
    headers
        .filter(|(name, _)| !NOT_TOLD.contains(&name.as_str()))
        .map(|(name, values)| (as_sent(&name), values))
        .collect()
}

fn as_sent(name: &str) -> String {
    let known = CAPITALS
        .iter()
        .find(|known| known.eq_ignore_ascii_case(name));
    known.map_or_else(|| name.to_owned(), |known| (*known).to_owned())
}

fn query_values(received: &Received) -> BTreeMap<String, Vec<String>> {
    let mut query: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in received.query_pairs() {
        query.entry(name).or_default().push(value);
    }
    query
}

/// Of several values the last one counts where there is room for one only.
fn lasts(values: &BTreeMap<String, Vec<String>>) -> Value {
    let lasts: Map<String, Value> = values
        .iter()
        .filter_map(|(name, values)| Some((name.clone(), json!(values.last()?))))
        .collect();
    or_null(&lasts)
}

fn or_null<'a, M>(map: &'a M) -> Value
where
    M: serde::Serialize,
    &'a M: IntoIterator,
{
    if map.into_iter().next().is_none() {
        Value::Null
    } else {
        json!(map)
    }
}

const NOT_TOLD: &[&str] = &["connection", "content-length"];
const CAPITALS: &[&str] = &[
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Authorization",
    "Cache-Control",
    "Content-Type",
    "Cookie",
    "Host",
    "Origin",
    "Referer",
    "User-Agent",
    "X-Amzn-Trace-Id",
    "X-Forwarded-For",
    "X-Forwarded-Port",
    "X-Forwarded-Proto",
];
/// Random on AWS.
const RESOURCE_ID: &str = "sandbox";
const DEPLOYMENT_ID: &str = "sandbox";

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::front::received::tests::received;

    fn id() -> BTreeMap<String, String> {
        [("id".to_owned(), "7".to_owned())].into()
    }

    fn api<'a>(
        path_parameters: &'a BTreeMap<String, String>,
        stage_variables: &'a BTreeMap<String, String>,
    ) -> Api<'a> {
        Api {
            account_id: "123456789012",
            api_id: "shop",
            stage: "Prod",
            resource: "/orders/{id}",
            path_parameters,
            stage_variables,
            binary_media_types: None,
        }
    }

    #[test]
    fn whole_request_is_in_the_event() {
        let request = http::Request::post("/orders/7?a=1&b=x%20y&a=2")
            .header("Host", "127.0.0.1:4310")
            .header("X-Two", "1")
            .header("X-Two", "2")
            .header("Cookie", "session=1")
            .header("User-Agent", "test")
            .header("Content-Length", "2")
            .body(&b"hi"[..])
            .unwrap();
        expect![[r#"
            {
              "body": "hi",
              "headers": {
                "Cookie": "session=1",
                "Host": "127.0.0.1:4310",
                "User-Agent": "test",
                "X-Amzn-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793",
                "X-Forwarded-For": "127.0.0.1",
                "X-Forwarded-Port": "4310",
                "X-Forwarded-Proto": "http",
                "x-two": "2"
              },
              "httpMethod": "POST",
              "isBase64Encoded": false,
              "multiValueHeaders": {
                "Cookie": [
                  "session=1"
                ],
                "Host": [
                  "127.0.0.1:4310"
                ],
                "User-Agent": [
                  "test"
                ],
                "X-Amzn-Trace-Id": [
                  "Root=1-5759e988-bd862e3fe1be46a994272793"
                ],
                "X-Forwarded-For": [
                  "127.0.0.1"
                ],
                "X-Forwarded-Port": [
                  "4310"
                ],
                "X-Forwarded-Proto": [
                  "http"
                ],
                "x-two": [
                  "1",
                  "2"
                ]
              },
              "multiValueQueryStringParameters": {
                "a": [
                  "1",
                  "2"
                ],
                "b": [
                  "x y"
                ]
              },
              "path": "/orders/7",
              "pathParameters": {
                "id": "7"
              },
              "queryStringParameters": {
                "a": "2",
                "b": "x y"
              },
              "requestContext": {
                "accountId": "123456789012",
                "apiId": "shop",
                "deploymentId": "sandbox",
                "domainName": "127.0.0.1:4310",
                "domainPrefix": "shop",
                "extendedRequestId": "id",
                "httpMethod": "POST",
                "identity": {
                  "accessKey": null,
                  "accountId": null,
                  "caller": null,
                  "cognitoAuthenticationProvider": null,
                  "cognitoAuthenticationType": null,
                  "cognitoIdentityId": null,
                  "cognitoIdentityPoolId": null,
                  "principalOrgId": null,
                  "sourceIp": "127.0.0.1",
                  "user": null,
                  "userAgent": "test",
                  "userArn": null
                },
                "path": "/orders/7",
                "protocol": "HTTP/1.1",
                "requestId": "id",
                "requestTime": "08/Oct/2026:12:00:00 +0000",
                "requestTimeEpoch": 1791460800123,
                "resourceId": "sandbox",
                "resourcePath": "/orders/{id}",
                "stage": "Prod"
              },
              "resource": "/orders/{id}",
              "stageVariables": null
            }"#]]
        .assert_eq(&pretty(&event(
            &received(request),
            &api(&id(), &BTreeMap::new()),
        )));
    }

    #[test]
    fn what_is_not_there_is_null() {
        let none = BTreeMap::new();
        let plain = Api {
            resource: "/",
            ..api(&none, &none)
        };
        let request = http::Request::get("/").body(&b""[..]).unwrap();
        let event = event(&received(request), &plain);
        for key in [
            "queryStringParameters",
            "multiValueQueryStringParameters",
            "pathParameters",
            "stageVariables",
            "body",
        ] {
            assert_eq!(event.get(key), Some(&Value::Null), "{key}");
        }
    }

    fn pretty(event: &Value) -> String {
        serde_json::to_string_pretty(event).unwrap()
    }

    #[test]
    fn stage_variables_are_told() {
        let variables = [("color".to_owned(), "red".to_owned())].into();
        let request = http::Request::get("/").body(&b""[..]).unwrap();
        let event = event(&received(request), &api(&BTreeMap::new(), &variables));
        assert_eq!(event["stageVariables"], json!({"color": "red"}));
    }

    #[test]
    fn bodies_of_binary_media_types_are_base64_and_all_others_text() {
        let none = BTreeMap::new();
        let images = ["image/*".to_owned(), "application/pdf".to_owned()];
        let all = ["*/*".to_owned()];
        let cases = [
            (&images[..], "image/png", &b"hi"[..], "aGk=", true),
            (&images, "Image/PNG; a=b", b"\xff", "/w==", true),
            (&images, "application/pdf", b"hi", "aGk=", true),
            (&images, "application/json", b"{}", "{}", false),
            (&[], "image/png", b"\xff", "\u{fffd}", false),
            (&all, "application/json", b"{}", "e30=", true),
        ];
        for (types, content_type, body, expected, is_base64) in cases {
            let api = Api {
                binary_media_types: Some(types),
                ..api(&none, &none)
            };
            let request = http::Request::post("/").header("content-type", content_type);
            let event = event(&received(request.body(body).unwrap()), &api);
            assert_eq!(
                (&event["body"], &event["isBase64Encoded"]),
                (&json!(expected), &json!(is_base64)),
                "{types:?} {content_type}"
            );
        }
    }
}
