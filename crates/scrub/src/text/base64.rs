//! Text that is base64 of other text, as the data of records in streams is.
//!
//! What is found in the plain text is replaced there, and the whole is encoded again, so that who reads it finds what
//! they expect.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::Hit;

/// What is secret in the plain text of each run of base64; one hit a run.
pub(super) fn hits(text: &str, find: impl Fn(&str) -> Vec<Hit>) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut hits = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let length = bytes[at..]
            .iter()
            .take_while(|byte| is_of_it(**byte))
            .count();
        let (start, end) = (at, at + length);
        at = end + 1;
        if length < RUN_BYTES_MIN {
            continue;
        }
        let padding = bytes[end..]
            .iter()
            .take(2)
            .take_while(|byte| **byte == b'=')
            .count();
        hits.extend(hit(text, start, end, padding, &find));
    }
    hits
}

fn hit(
    text: &str,
    start: usize,
    end: usize,
    padding: usize,
    find: impl Fn(&str) -> Vec<Hit>,
) -> Option<Hit> {
    let plain = String::from_utf8(LENIENT.decode(&text[start..end]).ok()?).ok()?;
    // Ids and digests decode to bytes that are no text.
    if plain
        .chars()
        .any(|letter| letter.is_control() && !letter.is_whitespace())
    {
        return None;
    }
    let found = find(&plain);
    let rule = found.first()?.rule.clone();
    let mut scrubbed = String::with_capacity(plain.len());
    let mut after = 0;
    for hit in found {
        scrubbed.push_str(&plain[after..hit.start]);
        scrubbed.push_str(&hit.replacement);
        after = hit.end;
    }
    scrubbed.push_str(&plain[after..]);
    let mut replacement = LENIENT.encode(&scrubbed);
    if padding > 0 {
        replacement.extend(std::iter::repeat_n('=', (4 - replacement.len() % 4) % 4));
    }
    Some(Hit::new(start, end + padding, replacement, rule))
}

fn is_of_it(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Padding is looked at by hand.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone)
        .with_decode_allow_trailing_bits(true),
);
/// The least that has room for a name and a secret.
const RUN_BYTES_MIN: usize = 20;
