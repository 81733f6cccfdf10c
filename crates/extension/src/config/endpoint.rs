//! A server that takes OTLP/HTTP, and what every request to it carries.

use std::fmt;
use std::net::IpAddr;

use http::{HeaderName, HeaderValue, Uri};

use super::API_KEY;

/// A server that takes OTLP/HTTP.
#[derive(Clone)]
pub struct Endpoint {
    base: Uri,
    api_key: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.base)
    }
}

impl Endpoint {
    pub(super) fn try_new(base: &str, api_key: Option<String>) -> Result<Self, String> {
        let uri: Uri = base.parse().map_err(|error| format!("{error}"))?;
        match uri.scheme_str() {
            Some("http" | "https") => {}
            _ => return Err("it must begin with http:// or https://".to_owned()),
        }
        if uri
            .authority()
            .is_some_and(|authority| authority.as_str().contains('@'))
        {
            return Err(format!("a key belongs into {}", API_KEY.name));
        }
        if uri.query().is_some() {
            return Err("it must not have a query".to_owned());
        }
        if api_key
            .as_ref()
            .is_some_and(|key| !key.bytes().all(|byte| byte.is_ascii_graphic()))
        {
            return Err(format!(
                "{} has characters that no header may have",
                API_KEY.name
            ));
        }
        Ok(Endpoint {
            base: uri,
            api_key,
            headers: Vec::new(),
        })
    }

    /// The address of `path`, such as `/v1/traces`, below the base.
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base.to_string().trim_end_matches('/'))
    }

    /// What is before every path.
    pub fn base(&self) -> &Uri {
        &self.base
    }

    /// Its host, with the port if that is not the usual one.
    pub fn authority(&self) -> &str {
        let authority = self.base.authority();
        authority.map_or("", |authority| authority.as_str())
    }

    /// `path` with what the base has before it.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.base.path().trim_end_matches('/'))
    }

    /// Whether it is reached through TLS.
    pub fn is_tls(&self) -> bool {
        self.base.scheme_str() == Some("https")
    }

    /// The bearer token.
    pub fn api_key(&self) -> Option<&str> {
        self.api_key.as_deref()
    }

    /// What the user wants every request to carry.
    pub fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    pub(super) fn with_headers(self, headers: Vec<(HeaderName, HeaderValue)>) -> Self {
        Endpoint { headers, ..self }
    }

    /// Whether who listens on `address` would get what is sent here.
    pub(super) fn is_at(&self, address: &str) -> bool {
        let default_port = if self.is_tls() { 443 } else { 80 };
        let port = self.base.port_u16().unwrap_or(default_port);
        let Some((listener, listen_port)) = address.rsplit_once(':') else {
            return false;
        };
        let host = self.base.host().unwrap_or_default();
        listen_port.parse() == Ok(port) && is_same_host(host, listener)
    }
}

/// Whether who listens on one is found at the other. Names are not looked up, but `localhost` is
/// this machine and an unspecified address is all of its addresses.
fn is_same_host(host: &str, listener: &str) -> bool {
    let address = |name: &str| name.trim_matches(['[', ']']).parse::<IpAddr>().ok();
    let is_localhost = |name: &str| name.eq_ignore_ascii_case("localhost");
    let is_here = |name: &str| {
        let local = |address: IpAddr| address.is_loopback() || address.is_unspecified();
        is_localhost(name) || address(name).is_some_and(local)
    };
    let is_any = |name: &str| {
        is_localhost(name) || address(name).is_some_and(|address| address.is_unspecified())
    };
    host == listener || (is_here(host) && is_here(listener) && (is_any(host) || is_any(listener)))
}

/// `name=value,name=value`, with `%20` and the like in values, as OpenTelemetry writes headers. What
/// is wrong with one is told by its name, because values are secrets.
pub(super) fn headers(text: &str) -> (Vec<(HeaderName, HeaderValue)>, Vec<String>) {
    let (mut headers, mut wrong) = (Vec::new(), Vec::new());
    for pair in text.split(',').filter(|pair| !pair.trim().is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match header(name.trim(), value.trim()) {
            Ok(header) => headers.push(header),
            Err(why) => wrong.push(why),
        }
    }
    headers.truncate(HEADERS_MAX);
    (headers, wrong)
}

fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let Ok(parsed) = HeaderName::try_from(name) else {
        // It may be a value that lost its name.
        return Err("one has no name that a header may have".to_owned());
    };
    let shown = parsed.as_str();
    if OURS.contains(&shown) || shown.starts_with("x-throughline-") {
        return Err(format!("{shown} is set by the extension itself"));
    }
    let value = unescape(value).and_then(|value| HeaderValue::try_from(value).ok());
    let mut value = value.ok_or_else(|| format!("the value of {shown} cannot be in a header"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

pub(super) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let digit = |byte: u8| char::from(byte).to_digit(16);
                let (high, low) = (digit(rest.next()?)?, digit(rest.next()?)?);
                u8::try_from(high * 16 + low).ok()?
            }
            byte => byte,
        });
    }
    Some(bytes)
}

/// Headers that say what the body is, and where it goes.
const OURS: &[&str] = &[
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "host",
    "transfer-encoding",
    "user-agent",
];
const HEADERS_MAX: usize = 32;
