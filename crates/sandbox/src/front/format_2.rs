//! Payload format 2.0, of HTTP APIs and function URLs: a request as an event, and the answer to it.

pub(super) mod answer;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::received::{Received, Text, common_log_time};

/// What an event says of the gateway that made it.
pub(super) struct Gateway<'a> {
    pub(super) account_id: &'a str,
    pub(super) api_id: &'a str,
    pub(super) stage: &'a str,
    /// Such as `GET /orders/{id}`.
    pub(super) route_key: &'a str,
    pub(super) path_parameters: BTreeMap<String, String>,
    pub(super) stage_variables: BTreeMap<String, String>,
}

/// The request as an event.
pub(super) fn event(received: &Received, gateway: &Gateway<'_>) -> Value {
    let path = received.path();
    let query = received.query();
    let mut event = json!({
        "version": "2.0",
        "routeKey": gateway.route_key,
        "rawPath": path,
        "rawQueryString": query,
        "requestContext": {
            "accountId": gateway.account_id,
            "apiId": gateway.api_id,
            "domainName": received.header("host"),
            "domainPrefix": gateway.api_id,
            "http": {
                "method": received.parts.method.as_str(),
                "path": path,
                "protocol": received.protocol(),
                "sourceIp": received.peer.ip().to_string(),
                "userAgent": received.header("user-agent"),
            },
            "requestId": received.request_id,
            "routeKey": gateway.route_key,
            "stage": gateway.stage,
            "time": common_log_time(received.now),
            "timeEpoch": received.now.as_millis(),
        },
        "headers": headers(received),
        "isBase64Encoded": false,
    });
    let cookies = received.cookies();
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    if !query.is_empty() {
        event["queryStringParameters"] = query_parameters(received);
    }
    if !gateway.path_parameters.is_empty() {
        event["pathParameters"] = json!(gateway.path_parameters);
    }
    if !gateway.stage_variables.is_empty() {
        event["stageVariables"] = json!(gateway.stage_variables);
    }
    if let Some((body, is_base64)) = received.body_as(Text::ByContentType) {
        event["body"] = json!(body);
        event["isBase64Encoded"] = json!(is_base64);
    }
    event
}

/// Several values of a name joined; cookies have a place of their own.
fn headers(received: &Received) -> BTreeMap<String, String> {
    let headers = received.headers().into_iter();
    headers
        .filter(|(name, _)| name != "cookie")
        .map(|(name, values)| (name, values.join(",")))
        .collect()
}

fn query_parameters(received: &Received) -> Value {
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in received.query_pairs() {
        let joined = match parameters.get(&name).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value,
        };
        parameters.insert(name, json!(joined));
    }
    Value::Object(parameters)
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    use crate::front::received::tests::received;

    fn url() -> Gateway<'static> {
        Gateway {
            account_id: "anonymous",
            api_id: "sandbox",
            stage: "$default",
            route_key: "$default",
            path_parameters: BTreeMap::new(),
            stage_variables: BTreeMap::new(),
        }
    }

    #[test]
    fn whole_request_is_in_the_event() {
        let request = http::Request::post("/cart/7?a=1&b=x%20y&a=2")
            .header("Host", "127.0.0.1:4310")
            .header("X-Two", "1")
            .header("X-Two", "2")
            .header("Cookie", "session=1; theme=dark")
            .header("User-Agent", "test")
            .header("Content-Type", "application/json")
            .body(&b"{\"n\":1}"[..])
            .unwrap();
        expect![[r#"
            {
              "body": "{\"n\":1}",
              "cookies": [
                "session=1",
                "theme=dark"
              ],
              "headers": {
                "content-type": "application/json",
                "host": "127.0.0.1:4310",
                "user-agent": "test",
                "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793",
                "x-forwarded-for": "127.0.0.1",
                "x-forwarded-port": "4310",
                "x-forwarded-proto": "http",
                "x-two": "1,2"
              },
              "isBase64Encoded": false,
              "queryStringParameters": {
                "a": "1,2",
                "b": "x y"
              },
              "rawPath": "/cart/7",
              "rawQueryString": "a=1&b=x%20y&a=2",
              "requestContext": {
                "accountId": "anonymous",
                "apiId": "sandbox",
                "domainName": "127.0.0.1:4310",
                "domainPrefix": "sandbox",
                "http": {
                  "method": "POST",
                  "path": "/cart/7",
                  "protocol": "HTTP/1.1",
                  "sourceIp": "127.0.0.1",
                  "userAgent": "test"
                },
                "requestId": "id",
                "routeKey": "$default",
                "stage": "$default",
                "time": "08/Oct/2026:12:00:00 +0000",
                "timeEpoch": 1791460800123
              },
              "routeKey": "$default",
              "version": "2.0"
            }"#]]
        .assert_eq(&serde_json::to_string_pretty(&event(&received(request), &url())).unwrap());
    }

    #[test]
    fn a_route_names_itself_and_what_its_path_holds() {
        let orders = Gateway {
            account_id: "123456789012",
            api_id: "shop",
            stage: "dev",
            route_key: "GET /orders/{id}",
            path_parameters: [("id".to_owned(), "7".to_owned())].into(),
            stage_variables: [("color".to_owned(), "red".to_owned())].into(),
        };
        let request = http::Request::get("/orders/7").body(&b""[..]).unwrap();
        let event = event(&received(request), &orders);
        assert_eq!(event["routeKey"], "GET /orders/{id}");
        assert_eq!(event["pathParameters"], json!({"id": "7"}));
        assert_eq!(event["stageVariables"], json!({"color": "red"}));
        let context = &event["requestContext"];
        assert_eq!(
            [
                &context["accountId"],
                &context["apiId"],
                &context["stage"],
                &context["routeKey"]
            ],
            ["123456789012", "shop", "dev", "GET /orders/{id}"]
        );
    }
}
