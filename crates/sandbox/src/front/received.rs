//! A request as a gateway sees it, before it becomes an event.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use axum::body::Body as HttpBody;
use axum::extract::Request;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::header::{COOKIE, HeaderValue};
use http::request::Parts;
use http::{StatusCode, header};
use serde_json::{Value, json};

use crate::body::read_body;
use crate::lifecycle::Body;
use crate::time::UnixNanos;
use crate::trace_header;

/// A whole request and what the gateway adds to it.
pub(crate) struct Received {
    pub(crate) parts: Parts,
    pub(crate) body: Bytes,
    pub(crate) peer: SocketAddr,
    pub(crate) request_id: String,
    /// With everything that the caller left out.
    pub(crate) trace_header: String,
    pub(crate) now: UnixNanos,
}

/// Why a request was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    TooLarge,
    Truncated,
}

impl Received {
    pub(crate) async fn read(
        request: Request,
        peer: SocketAddr,
        now: UnixNanos,
        body_bytes_max: u64,
    ) -> Result<Self, Unreadable> {
        let (parts, body) = request.into_parts();
        let body = match read_body(Request::new(body), body_bytes_max).await {
            Body::Whole(body) => body,
            Body::TooLarge { .. } => return Err(Unreadable::TooLarge),
            Body::Truncated => return Err(Unreadable::Truncated),
        };
        let incoming = parts
            .headers
            .get(TRACE_HEADER)
            .and_then(|header| header.to_str().ok());
        Ok(Self {
            trace_header: trace_header::complete(incoming, now),
            request_id: uuid::Uuid::new_v4().to_string(),
            parts,
            body,
            peer,
            now,
        })
    }

    pub(crate) fn path(&self) -> &str {
        self.parts.uri.path()
    }

    pub(crate) fn query(&self) -> &str {
        self.parts.uri.query().unwrap_or_default()
    }

    /// Names and values of the query in the caller's order, decoded.
    pub(crate) fn query_pairs(&self) -> Vec<(String, String)> {
        form_urlencoded::parse(self.query().as_bytes())
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    pub(crate) fn protocol(&self) -> String {
        format!("{:?}", self.parts.version)
    }

    /// All values of each header under its name in lower case, with those that a gateway writes itself.
    pub(crate) fn headers(&self) -> BTreeMap<String, Vec<String>> {
        let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in &self.parts.headers {
            let values = headers.entry(name.as_str().to_owned()).or_default();
            values.push(String::from_utf8_lossy(value.as_bytes()).into_owned());
        }
        let before = headers
            .get("x-forwarded-for")
            .map(|values| values.join(", "));
        let source = self.peer.ip().to_string();
        let forwarded = match before {
            Some(before) => format!("{before}, {source}"),
            None => source,
        };
        let own = [
            (TRACE_HEADER, self.trace_header.clone()),
            ("x-forwarded-for", forwarded),
            ("x-forwarded-proto", "http".to_owned()),
            ("x-forwarded-port", self.port()),
        ];
        for (name, value) in own {
            headers.insert(name.to_owned(), vec![value]);
        }
        headers
    }

    pub(crate) fn header(&self, name: &str) -> String {
        let value = self.parts.headers.get(name);
        let text = value.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        text.unwrap_or_default()
    }

    pub(crate) fn cookies(&self) -> Vec<String> {
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

    /// The body as an event carries it, and whether that is base64. `None` when there is none.
    pub(crate) fn body_as(&self, text: Text) -> Option<(String, bool)> {
        if self.body.is_empty() {
            return None;
        }
        let readable = match text {
            Text::ByContentType => is_text(&self.header("content-type")),
            Text::WhereverItIs => true,
            Text::Nowhere => false,
            Text::Everywhere => {
                return Some((String::from_utf8_lossy(&self.body).into_owned(), false));
            }
        };
        match std::str::from_utf8(&self.body) {
            Ok(text) if readable => Some((text.to_owned(), false)),
            _ => Some((BASE64.encode(&self.body), true)),
        }
    }

    fn port(&self) -> String {
        let host = self.header("host");
        host.rsplit_once(':')
            .map_or("80", |(_, port)| port)
            .to_owned()
    }
}

/// Which bodies travel as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Text {
    /// Those whose content type says so. A form, or a body of unknown type, does not.
    ByContentType,
    /// All that are UTF-8.
    WhereverItIs,
    /// None.
    Nowhere,
    /// All, at the price of what is no UTF-8.
    Everywhere,
}

/// What AWS takes for text in payload format 2.0; documented nowhere, seen in captured events.
fn is_text(content_type: &str) -> bool {
    let content_type = content_type.split(';').next().unwrap_or_default().trim();
    let content_type = content_type.to_ascii_lowercase();
    content_type.starts_with("text/") || TEXT_TYPES.contains(&content_type.as_str())
}

/// `12/Mar/2026:19:03:58 +0000`.
pub(crate) fn common_log_time(now: UnixNanos) -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let (year, month, day) = now.date();
    let month = MONTHS[(month as usize + 11) % 12];
    let time = now.to_string();
    format!("{day:02}/{month}/{year}:{} +0000", &time[11..19])
}

/// An answer of a gateway itself: one word of JSON under `key`.
pub(crate) fn told(status: StatusCode, key: &str, message: impl Into<Value>) -> Response {
    let mut response = json_response(json!({ key: message.into() }).to_string().into_bytes());
    *response.status_mut() = status;
    response
}

/// A 200 with this body, JSON unless its headers say otherwise.
pub(crate) fn json_response(body: Vec<u8>) -> Response {
    let mut response = Response::new(HttpBody::from(body));
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/json"),
    );
    response
}

/// `statusCode` as a number or as a text of digits.
pub(crate) fn status_of(value: &Value) -> Option<StatusCode> {
    let status = value.as_u64().or_else(|| value.as_str()?.parse().ok())?;
    StatusCode::from_u16(u16::try_from(status).ok()?).ok()
}

/// Whether a function may set this header: the length and the connection are the server's to say.
pub(crate) fn is_functions_to_say(name: &str) -> bool {
    !SERVERS_OWN.contains(&name.to_ascii_lowercase().as_str())
}

const TRACE_HEADER: &str = "x-amzn-trace-id";
const TEXT_TYPES: &[&str] = &[
    "application/json",
    "application/xml",
    "application/javascript",
];
const SERVERS_OWN: &[&str] = &["content-length", "transfer-encoding", "connection"];

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn received(request: http::Request<&[u8]>) -> Received {
        let (parts, body) = request.into_parts();
        Received {
            parts,
            body: Bytes::copy_from_slice(body),
            peer: "127.0.0.1:50000".parse().unwrap(),
            request_id: "id".to_owned(),
            trace_header: "Root=1-5759e988-bd862e3fe1be46a994272793".to_owned(),
            now: UnixNanos::from_millis(1_791_460_800_123),
        }
    }

    #[test]
    fn text_by_content_type_is_what_captured_events_show() {
        let cases = [
            ("text/plain", "hi", false),
            ("text/html; charset=utf-8", "hi", false),
            ("application/json", "{}", false),
            ("Application/JSON; charset=utf-8", "{}", false),
            ("application/xml", "<a/>", false),
            ("application/x-www-form-urlencoded", "a=1", true),
            ("application/octet-stream", "hi", true),
            ("", "hi", true),
        ];
        for (content_type, body, base64) in cases {
            let request = http::Request::post("/").header("content-type", content_type);
            let received = received(request.body(body.as_bytes()).unwrap());
            let (text, is_base64) = received.body_as(Text::ByContentType).unwrap();
            assert_eq!(is_base64, base64, "{content_type}");
            let expected = if base64 {
                BASE64.encode(body)
            } else {
                body.to_owned()
            };
            assert_eq!(text, expected, "{content_type}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_travel_as_base64_whatever_they_are_called() {
        for text in [Text::ByContentType, Text::WhereverItIs] {
            let request = http::Request::put("/").header("content-type", "text/plain");
            let received = received(request.body(&b"\xff\x00"[..]).unwrap());
            assert_eq!(received.body_as(text), Some(("/wA=".to_owned(), true)));
        }
    }

    #[test]
    fn a_gateway_adds_itself_to_the_forwarded_addresses() {
        let request = http::Request::get("/").header("X-Forwarded-For", "10.1.2.3");
        let headers = received(request.body(&b""[..]).unwrap()).headers();
        assert_eq!(headers["x-forwarded-for"], ["10.1.2.3, 127.0.0.1"]);
    }
}
