//! AWS Signature Version 4.
//!
//! A request's method, path, query, headers and body are brought into one form and hashed; the hash
//! is signed with a key that is derived from the secret key for one day, region and service.

use std::fmt::Write as _;

use ring::{digest, hmac};
use throughline_telemetry::UnixNanos;

use super::Credentials;

/// What is signed. Headers have lower-case names, and `host` is among them.
#[derive(Clone, Debug)]
pub struct Signable<'a> {
    /// `POST`
    pub method: &'a str,
    /// Encoded as it is sent.
    pub path: &'a str,
    /// Encoded and sorted; empty if there is none.
    pub query: &'a str,
    /// Name and value; all of them are signed.
    pub headers: Vec<(&'a str, &'a str)>,
    /// As it is sent.
    pub body: &'a [u8],
}

/// For whom a signature is.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    /// `eu-west-1`
    pub region: &'a str,
    /// `secretsmanager`
    pub service: &'a str,
}

/// The value of the header `authorization`. `date` is that of the header `x-amz-date`.
pub fn authorization(
    request: &Signable,
    credentials: &Credentials,
    scope: Scope,
    date: &str,
) -> String {
    let (canonical, signed) = canonical(request);
    let day = date.get(..8).unwrap_or(date);
    let scope_text = format!("{day}/{}/{}/aws4_request", scope.region, scope.service);
    let hash = hex(digest::digest(&digest::SHA256, canonical.as_bytes()).as_ref());
    let text = format!("{ALGORITHM}\n{date}\n{scope_text}\n{hash}");
    let key = signing_key(credentials.secret_key(), day, scope);
    let signature = hex(&hmac_sha256(&key, &text));
    format!(
        "{ALGORITHM} Credential={}/{scope_text}, SignedHeaders={signed}, Signature={signature}",
        credentials.key_id()
    )
}

/// The request in its one form, and the names of its headers.
fn canonical(request: &Signable) -> (String, String) {
    let mut headers: Vec<(&str, String)> = Vec::new();
    for (name, value) in &request.headers {
        let value = value.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
        match headers.iter_mut().find(|(known, _)| known == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => headers.push((name, value)),
        }
    }
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let headers: String = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let body = hex(digest::digest(&digest::SHA256, request.body).as_ref());
    let (method, path, query) = (request.method, request.path, request.query);
    let text = format!("{method}\n{path}\n{query}\n{headers}\n{names}\n{body}");
    (text, names)
}

fn signing_key(secret: &str, day: &str, scope: Scope) -> Vec<u8> {
    let secret = format!("AWS4{secret}").into_bytes();
    let parts = [day, scope.region, scope.service, "aws4_request"];
    parts
        .iter()
        .fold(secret, |key, part| hmac_sha256(&key, part))
}

fn hmac_sha256(key: &[u8], text: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, key);
    hmac::sign(&key, text.as_bytes()).as_ref().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// `20150830T123600Z`
pub fn date(now: UnixNanos) -> String {
    let seconds = now.0 / 1_000_000_000;
    let (days, of_day) = (seconds / 86_400, seconds % 86_400);
    // Days to a date by Howard Hinnant, for years that begin in March.
    let shifted = days + 719_468;
    let (era, of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "20150830T123600Z";

    fn example() -> Credentials {
        Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            None,
        )
    }

    /// The requests of AWS's published test suite for signatures, with its results.
    #[test]
    fn the_published_vectors() {
        let token = "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
        let vectors = [
            (
                "get-vanilla",
                ("GET", "/", "", &[][..], ""),
                "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
            ),
            (
                "get-vanilla-query-order-key-case",
                ("GET", "/", "Param1=value1&Param2=value2", &[], ""),
                "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
            ),
            (
                "post-vanilla",
                ("POST", "/", "", &[], ""),
                "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
            ),
            (
                "post-header-key-sort",
                ("POST", "/", "", &[("my-header1", "value1")], ""),
                "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
            ),
            (
                "get-header-value-trim",
                (
                    "GET",
                    "/",
                    "",
                    &[("my-header1", " value1"), ("my-header2", " \"a   b   c\"")],
                    "",
                ),
                "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
            ),
            (
                "post-sts-header-before",
                ("POST", "/", "", &[("x-amz-security-token", token)], ""),
                "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
            ),
            (
                "post-x-www-form-urlencoded",
                (
                    "POST",
                    "/",
                    "",
                    &[("content-type", "application/x-www-form-urlencoded")],
                    "Param1=value1",
                ),
                "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
            ),
        ];
        for (name, (method, path, query, extra, body), signature) in vectors {
            let mut headers = vec![("host", "example.amazonaws.com"), ("x-amz-date", DATE)];
            headers.extend(extra);
            let body = body.as_bytes();
            let request = Signable {
                method,
                path,
                query,
                headers,
                body,
            };
            let scope = Scope {
                region: "us-east-1",
                service: "service",
            };
            let value = authorization(&request, &example(), scope, DATE);
            assert!(
                value.ends_with(&format!("Signature={signature}")),
                "{name}: {value}"
            );
            let begin = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=";
            assert!(value.starts_with(begin), "{name}: {value}");
        }
    }

    /// From the same documentation.
    #[test]
    fn the_published_keys() {
        let scope = Scope {
            region: "us-east-1",
            service: "iam",
        };
        let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
        for (day, key) in [
            (
                "20120215",
                "f4780e2d9f65fa895f9c67b32ce1baf0b0d8a43505a000a1a9e090d414db404d",
            ),
            (
                "20150830",
                "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9",
            ),
        ] {
            assert_eq!(hex(&signing_key(secret, day, scope)), key, "{day}");
        }
    }

    #[test]
    fn dates() {
        let at = |seconds: u64| date(UnixNanos(seconds * 1_000_000_000 + 999_999_999));
        assert_eq!(at(0), "19700101T000000Z");
        assert_eq!(at(951_868_799), "20000229T235959Z");
        assert_eq!(at(951_868_800), "20000301T000000Z");
        assert_eq!(at(1_440_938_160), DATE);
        assert_eq!(at(1_735_689_599), "20241231T235959Z");
    }
}
