//! Who may call what runs code here: programs of this machine, and no page of somebody else's that a browser has open.

use http::{HeaderMap, HeaderValue, header};

/// Whether this is a program of this machine, or a page that it serves itself.
pub(super) fn check_sender(headers: &HeaderMap) -> Result<(), &'static str> {
    let text = |name| {
        headers
            .get(name)
            .and_then(|value: &HeaderValue| value.to_str().ok())
    };
    let host = text(header::HOST).unwrap_or_default();
    if !is_loopback(host) {
        return Err("the Host header does not name this machine");
    }
    match headers.get(header::ORIGIN) {
        None => Ok(()),
        Some(origin) if origin.as_bytes() == format!("http://{host}").as_bytes() => Ok(()),
        Some(_) => Err("pages of other origins may not do this"),
    }
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_loopback = |address: std::net::IpAddr| address.is_loopback();
    name == "localhost" || address.parse().is_ok_and(is_loopback)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_may_ask() {
        let cases = [
            ("127.0.0.1:4301", None, true),
            ("localhost:4301", None, true),
            ("[::1]:4301", None, true),
            ("localhost", Some("http://localhost"), true),
            ("127.0.0.1:4301", Some("http://127.0.0.1:4301"), true),
            ("127.0.0.1:4301", Some("http://127.0.0.1:8080"), false),
            ("127.0.0.1:4301", Some("https://example.com"), false),
            ("127.0.0.1:4301", Some("null"), false),
            // A name that somebody's DNS leads here.
            ("evil.example:4301", None, false),
            ("127.0.0.1.evil.example", None, false),
            ("", None, false),
        ];
        for (host, origin, allowed) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            assert_eq!(check_sender(&headers).is_ok(), allowed, "{host} {origin:?}");
        }
    }
}
