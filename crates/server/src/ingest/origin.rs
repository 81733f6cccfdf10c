//! What the headers of a request say of the batch in it.
//!
//! A header that cannot be read never costs the batch: without an environment or a number it is
//! stored as one of an unknown sender, without a ledger as it is. Each is counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName};
use throughline_store::{EnvironmentId, Ledger, Origin, Sequence};

/// Headers that could not be read, since the start.
#[derive(Clone, Debug, Default)]
pub(crate) struct Oddities(Arc<AtomicU64>);

impl Oddities {
    /// Counts one, and says so in the log: the first, the second, the fourth, and so on.
    fn note(&self, header: &HeaderName, why: &str) {
        let count = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        if count.is_power_of_two() {
            tracing::warn!(%header, why, count, "unreadable header of a batch, which was taken without");
        }
    }

    #[cfg(test)]
    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Where a request says that it comes from.
pub(crate) fn origin(headers: &HeaderMap, oddities: &Oddities) -> Option<Origin> {
    let text = text(headers, &ENVIRONMENT)?;
    let Some(environment) = EnvironmentId::try_new(text) else {
        oddities.note(&ENVIRONMENT, "not up to 128 visible ASCII characters");
        return None;
    };
    let mut origin = Origin::new(environment);
    if let Some(text) = self::text(headers, &SEQUENCE) {
        origin.sequence = text.parse().ok().and_then(Sequence::try_new);
        if origin.sequence.is_none() {
            oddities.note(&SEQUENCE, "not a number from 1");
        }
    }
    origin.function = self::text(headers, &FUNCTION)
        .unwrap_or_default()
        .to_owned();
    if let Some(text) = self::text(headers, &LEDGER) {
        match Ledger::parse(text) {
            Ok(ledger) => origin.ledger = Some(ledger),
            Err(error) => oddities.note(&LEDGER, &error.to_string()),
        }
    }
    Some(origin)
}

/// The value of a header; what is not ASCII is as bad as what is wrong.
fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let value = headers.get(name)?;
    Some(value.to_str().unwrap_or("\u{fffd}").trim())
}

const ENVIRONMENT: HeaderName = HeaderName::from_static("x-throughline-environment");
const SEQUENCE: HeaderName = HeaderName::from_static("x-throughline-sequence");
const FUNCTION: HeaderName = HeaderName::from_static("x-throughline-function");
const LEDGER: HeaderName = HeaderName::from_static("x-throughline-ledger");

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(pairs: &[(&str, &[u8])]) -> (Option<Origin>, u64) {
        let oddities = Oddities::default();
        let pair = |(name, value): &(&str, &[u8])| {
            let name: HeaderName = format!("x-throughline-{name}").parse().unwrap();
            (name, HeaderValue::from_bytes(value).unwrap())
        };
        let origin = origin(&pairs.iter().map(pair).collect(), &oddities);
        (origin, oddities.count())
    }

    #[test]
    fn all_four() {
        let (origin, odd) = read(&[
            ("environment", b"e1"),
            ("sequence", b"17"),
            ("function", b"checkout"),
            ("ledger", br#"{"revision":3,"accepted":5}"#),
        ]);
        let origin = origin.unwrap();
        assert_eq!(
            (origin.environment.as_str(), origin.function.as_str()),
            ("e1", "checkout")
        );
        assert_eq!(origin.sequence, Sequence::try_new(17));
        assert_eq!(origin.ledger.unwrap().accepted, 5);
        assert_eq!(odd, 0);
    }

    #[test]
    fn without_an_environment_there_is_no_origin() {
        assert_eq!(read(&[]), (None, 0));
        assert_eq!(read(&[("sequence", b"1")]), (None, 0));
        assert_eq!(
            read(&[("environment", b"two words"), ("sequence", b"1")]),
            (None, 1)
        );
        assert_eq!(read(&[("environment", b"\xff")]), (None, 1));
    }

    #[test]
    fn each_bad_header_is_left_out_and_counted() {
        for sequence in ["0", "-1", "x", "", "18446744073709551616"] {
            let (origin, odd) = read(&[("environment", b"e"), ("sequence", sequence.as_bytes())]);
            assert_eq!((origin.unwrap().sequence, odd), (None, 1), "{sequence:?}");
        }
        for ledger in [&b"{"[..], b"[]", b"{}", b"\xff"] {
            let (origin, odd) = read(&[
                ("environment", b"e"),
                ("sequence", b"1"),
                ("ledger", ledger),
            ]);
            let origin = origin.unwrap();
            assert_eq!(
                (origin.ledger, origin.sequence, odd),
                (None, Sequence::try_new(1), 1)
            );
        }
    }
}
