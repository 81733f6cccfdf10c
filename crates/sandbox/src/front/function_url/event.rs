//! A request as the event of payload format 2.0.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::header::COOKIE;
use http::request::Parts;
use serde_json::{Map, Value, json};

use crate::time::UnixNanos;

/// What is known of a request.
pub(super) struct UrlRequest<'a> {
    pub(super) parts: &'a Parts,
    pub(super) body: &'a [u8],
    pub(super) peer: SocketAddr,
    pub(super) request_id: &'a str,
    pub(super) trace_header: &'a str,
    pub(super) now: UnixNanos,
}

impl UrlRequest<'_> {
    pub(super) fn to_event(&self) -> Value {
        let path = self.parts.uri.path();
        let query = self.parts.uri.query().unwrap_or_default();
        let headers = self.headers();
        let host = headers.get("host").cloned().unwrap_or_default();
        let mut event = json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": path,
            "rawQueryString": query,
            "requestContext": {
                "accountId": "anonymous",
                "apiId": URL_ID,
                "domainName": host,
                "domainPrefix": URL_ID,
                "http": {
                    "method": self.parts.method.as_str(),
                    "path": path,
                    "protocol": format!("{:?}", self.parts.version),
                    "sourceIp": self.peer.ip().to_string(),
                    "userAgent": headers.get("user-agent").cloned().unwrap_or_default(),
                },
                "requestId": self.request_id,
                "routeKey": "$default",
                "stage": "$default",
                "time": common_log_time(self.now),
                "timeEpoch": self.now.as_millis(),
            },
            "headers": headers,
        });
        let cookies = self.cookies();
        if !cookies.is_empty() {
            event["cookies"] = json!(cookies);
        }
        if !query.is_empty() {
            event["queryStringParameters"] = query_parameters(query);
        }
        self.add_body(&mut event);
        event
    }

    /// Names in lower case, several values of a name joined; cookies have a place of their own.
    fn headers(&self) -> BTreeMap<String, String> {
        let mut headers: BTreeMap<String, String> = BTreeMap::new();
        for (name, value) in self
            .parts
            .headers
            .iter()
            .filter(|(name, _)| *name != COOKIE)
        {
            let value = String::from_utf8_lossy(value.as_bytes());
            headers
                .entry(name.as_str().to_owned())
                .and_modify(|all| *all = format!("{all},{value}"))
                .or_insert_with(|| value.into_owned());
        }
        headers.insert("x-amzn-trace-id".to_owned(), self.trace_header.to_owned());
        headers.insert("x-forwarded-for".to_owned(), self.peer.ip().to_string());
        headers.insert("x-forwarded-proto".to_owned(), "http".to_owned());
        headers.insert("x-forwarded-port".to_owned(), self.port());
        headers
    }

    fn port(&self) -> String {
        let host = self
            .parts
            .headers
            .get("host")
            .and_then(|host| host.to_str().ok());
        host.and_then(|host| host.rsplit_once(':'))
            .map_or("80", |(_, port)| port)
            .to_owned()
    }

    fn cookies(&self) -> Vec<String> {
        let lines = self.parts.headers.get_all(COOKIE).iter();
        let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()).into_owned());
        lines
            .flat_map(|line| {
                line.split(';')
                    .map(|cookie| cookie.trim().to_owned())
                    .collect::<Vec<_>>()
            })
            .filter(|cookie| !cookie.is_empty())
            .collect()
    }

    fn add_body(&self, event: &mut Value) {
        event["isBase64Encoded"] = json!(false);
        if self.body.is_empty() {
            return;
        }
        match std::str::from_utf8(self.body) {
            Ok(text) => event["body"] = json!(text),
            Err(_) => {
                event["body"] = json!(BASE64.encode(self.body));
                event["isBase64Encoded"] = json!(true);
            }
        }
    }
}

fn query_parameters(query: &str) -> Value {
    let mut parameters: Map<String, Value> = Map::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let joined = match parameters.get(name.as_ref()).and_then(Value::as_str) {
            Some(before) => format!("{before},{value}"),
            None => value.into_owned(),
        };
        parameters.insert(name.into_owned(), json!(joined));
    }
    Value::Object(parameters)
}

/// `12/Mar/2026:19:03:58 +0000`.
fn common_log_time(now: UnixNanos) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day) = now.date();
    let month = MONTHS[(month as usize + 11) % 12];
    let time = now.to_string();
    format!("{day:02}/{month}/{year}:{} +0000", &time[11..19])
}

/// On Lambda the random label of the host name.
const URL_ID: &str = "sandbox";

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn event(request: http::Request<&[u8]>) -> Value {
        let (parts, body) = request.into_parts();
        let seen = UrlRequest {
            parts: &parts,
            body,
            peer: "127.0.0.1:50000".parse().unwrap(),
            request_id: "id",
            trace_header: "Root=1-5759e988-bd862e3fe1be46a994272793",
            now: UnixNanos::from_millis(1_791_460_800_123),
        };
        seen.to_event()
    }

    #[test]
    fn whole_request_is_in_the_event() {
        let request = http::Request::post("/cart/7?a=1&b=x%20y&a=2")
            .header("Host", "127.0.0.1:4310")
            .header("X-Two", "1")
            .header("X-Two", "2")
            .header("Cookie", "session=1; theme=dark")
            .header("User-Agent", "test")
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
        .assert_eq(&serde_json::to_string_pretty(&event(request)).unwrap());
    }

    #[test]
    fn bytes_that_are_no_text_travel_as_base64() {
        let event = event(http::Request::put("/").body(&b"\xff\x00"[..]).unwrap());
        assert_eq!(
            (&event["body"], &event["isBase64Encoded"]),
            (&json!("/wA="), &json!(true))
        );
    }
}
