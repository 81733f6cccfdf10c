//! Who may ask: the key, and the host names this server answers for.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Uri};
use subtle::ConstantTimeEq;

/// The key that opens ingest and the API. It is never shown, not even in debug output.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// Why some text cannot be a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// No text at all.
    #[error("the key is empty")]
    Empty,
    /// Something that cannot stand in an `Authorization` header as it is.
    #[error("the key may hold visible ASCII characters only, no spaces")]
    Characters,
}

impl FromStr for ApiKey {
    type Err = BadKey;

    fn from_str(text: &str) -> Result<Self, BadKey> {
        if text.is_empty() {
            return Err(BadKey::Empty);
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadKey::Characters);
        }
        Ok(ApiKey(text.to_owned()))
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApiKey(****)")
    }
}

impl ApiKey {
    /// Whether a request carries this key. Takes equally long for every wrong key of its length.
    fn opens(&self, headers: &HeaderMap) -> bool {
        let Some(given) = headers.get(AUTHORIZATION) else {
            return false;
        };
        let given = given.as_bytes();
        let Some((scheme, key)) = given.split_at_checked(SCHEME.len()) else {
            return false;
        };
        scheme.eq_ignore_ascii_case(SCHEME) && bool::from(key.ct_eq(self.0.as_bytes()))
    }

    /// The same for a header that holds the key and nothing else.
    fn opens_in(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        let given = headers.get(name);
        given.is_some_and(|given| bool::from(given.as_bytes().ct_eq(self.0.as_bytes())))
    }
}

/// What a listener asks of every request.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    key: Option<ApiKey>,
    hosts: Hosts,
}

/// Which host names are answered for.
#[derive(Clone, Debug)]
enum Hosts {
    /// Any: the listener can be reached from elsewhere, where it has names unknown here, and the
    /// key protects it.
    Any,
    /// Only this machine's own: a foreign page that has its name point to 127.0.0.1 (DNS
    /// rebinding) still sends that name.
    ThisMachine(IpAddr),
}

impl Access {
    /// What a listener bound to `address` asks.
    pub(crate) fn new(key: Option<ApiKey>, address: IpAddr) -> Self {
        let hosts = if address.is_loopback() {
            Hosts::ThisMachine(address)
        } else {
            Hosts::Any
        };
        Access { key, hosts }
    }

    /// Whether the request carries the key, if one is asked for.
    pub(crate) fn key_opens(&self, headers: &HeaderMap) -> bool {
        self.key.as_ref().is_none_or(|key| key.opens(headers))
    }

    /// The same for senders that put the key into a header of their own.
    pub(crate) fn key_in_opens(&self, headers: &HeaderMap, name: &HeaderName) -> bool {
        self.key_opens(headers)
            || self
                .key
                .as_ref()
                .is_some_and(|key| key.opens_in(headers, name))
    }

    /// The host name that the request gives this machine, if it is foreign.
    pub(crate) fn foreign_host(&self, uri: &Uri, headers: &HeaderMap) -> Option<String> {
        let Hosts::ThisMachine(bound) = self.hosts else {
            return None;
        };
        // HTTP/2 carries the host in the URI.
        let host = uri.authority().map(|authority| authority.as_str());
        let host = host.or(text(headers, HOST))?;
        (!is_this_machine(host_name(host), bound)).then(|| host.to_owned())
    }

    /// The foreign host of the page that a browser sends for, if there is one.
    pub(crate) fn foreign_origin(&self, headers: &HeaderMap) -> Option<String> {
        let Hosts::ThisMachine(bound) = self.hosts else {
            return None;
        };
        let origin = text(headers, ORIGIN)?;
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        (!is_this_machine(host_name(host), bound)).then(|| host.to_owned())
    }
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("(not text)"))
}

/// `[::1]:4300` is `::1`, `localhost:4300` is `localhost`.
fn host_name(authority: &str) -> &str {
    if let Some(bracketed) = authority.strip_prefix('[') {
        return bracketed.split(']').next().unwrap_or(bracketed);
    }
    authority.split(':').next().unwrap_or(authority)
}

fn is_this_machine(name: &str, bound: IpAddr) -> bool {
    name.eq_ignore_ascii_case("localhost")
        || name == "127.0.0.1"
        || name == "::1"
        || name.parse() == Ok(bound)
}

const SCHEME: &[u8] = b"Bearer ";

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (
                http::HeaderName::from_static(name),
                http::HeaderValue::from_static(value),
            )
        };
        pairs.iter().map(pair).collect()
    }

    #[test]
    fn only_the_right_key_opens() {
        let access = Access::new(
            Some("s3cret".parse().unwrap()),
            IpAddr::from([127, 0, 0, 1]),
        );
        let opens = |value| access.key_opens(&headers(&[("authorization", value)]));
        assert!(opens("Bearer s3cret"));
        assert!(opens("bearer s3cret"));
        for wrong in [
            "",
            "s3cret",
            "Bearer ",
            "Bearer s3cre",
            "Bearer s3cret2",
            "Basic s3cret",
        ] {
            assert!(!opens(wrong), "{wrong:?}");
        }
        assert!(!access.key_opens(&HeaderMap::new()));
        assert!(Access::new(None, IpAddr::from([127, 0, 0, 1])).key_opens(&HeaderMap::new()));
    }

    #[test]
    fn what_a_key_cannot_be() {
        assert_eq!("".parse::<ApiKey>(), Err(BadKey::Empty));
        assert_eq!("two words".parse::<ApiKey>(), Err(BadKey::Characters));
        assert_eq!("schlüssel".parse::<ApiKey>(), Err(BadKey::Characters));
        assert_eq!(
            format!("{:?}", "s3cret".parse::<ApiKey>().unwrap()),
            "ApiKey(****)"
        );
    }

    #[test]
    fn rebound_names_are_foreign() {
        let access = Access::new(None, "127.0.0.7".parse().unwrap());
        let foreign = |pairs: &[(&'static str, &'static str)]| {
            let headers = headers(pairs);
            let host = access.foreign_host(&Uri::from_static("/"), &headers);
            host.or(access.foreign_origin(&headers))
        };
        for host in [
            "localhost:4300",
            "LOCALHOST",
            "127.0.0.1:1",
            "[::1]:4300",
            "127.0.0.7:4300",
        ] {
            assert_eq!(foreign(&[("host", host)]), None);
        }
        assert_eq!(
            foreign(&[("host", "evil.example:4300")]).as_deref(),
            Some("evil.example:4300")
        );
        assert_eq!(
            foreign(&[("host", "localhost.evil.example")]).as_deref(),
            Some("localhost.evil.example")
        );
        let from_elsewhere = [
            ("host", "localhost:4300"),
            ("origin", "https://evil.example"),
        ];
        assert_eq!(foreign(&from_elsewhere).as_deref(), Some("evil.example"));
        assert_eq!(
            foreign(&[
                ("host", "localhost:4300"),
                ("origin", "http://localhost:5173")
            ]),
            None
        );
        let null_origin = [("host", "localhost:4300"), ("origin", "null")];
        assert_eq!(foreign(&null_origin).as_deref(), Some("null"));
    }

    #[test]
    fn beyond_this_machine_any_name_goes() {
        let access = Access::new(None, "10.0.0.1".parse().unwrap());
        assert_eq!(
            access.foreign_host(&Uri::from_static("/"), &headers(&[("host", "a.example")])),
            None
        );
    }
}
