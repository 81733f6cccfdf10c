//! Keys, tokens and addresses that show what they are by how they begin.

use super::{Hit, begins_word, ends_word, run};
use crate::counts::Rule;
use crate::rules::Rules;

pub(super) fn find(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    let next = *bytes.get(at + 1)?;
    if bytes[at] | 0x20 == b's'
        && next | 0x20 == b'e'
        && let Some(hit) = aws_secret(bytes, at)
    {
        return Some(hit);
    }
    if !begins_word(bytes, at) {
        return None;
    }
    // Words begin with these letters all the time; the second one tells most of them apart.
    match (bytes[at], next) {
        (b'e', b'y') => jwt(bytes, at),
        (b'b' | b'B', b'e' | b'E' | b'a' | b'A') => bearer(bytes, at),
        (b'A', b'K' | b'S' | b'G' | b'I' | b'R') => {
            aws_key(bytes, at).or_else(|| vendor_token(bytes, at))
        }
        (b'g', b'h' | b'i' | b'l')
        | (b'x', b'o' | b'a')
        | (b's' | b'r', b'k')
        | (b'S', b'G')
        | (b'n', b'p') => vendor_token(bytes, at),
        _ => None,
    }
    .or_else(|| rules.iban.then(|| iban(bytes, at)).flatten())
}

fn jwt(bytes: &[u8], at: usize) -> Option<Hit> {
    let part = |from: usize| run(bytes, from, usize::MAX, is_base64_url);
    let starts = |from: usize| bytes.get(from..)?.starts_with(b"eyJ").then_some(());
    starts(at)?;
    // Bounded, because the next one may begin in the middle of this one.
    let header = run(bytes, at, JWT_HEADER_BYTES_MAX, is_base64_url);
    let payload_at = at + header + 1;
    (header >= 11 && bytes.get(at + header) == Some(&b'.')).then_some(())?;
    starts(payload_at)?;
    let payload = part(payload_at);
    let mut end = payload_at + payload;
    (payload >= 11).then_some(())?;
    // A log line that was cut may have lost the rest.
    if bytes.get(end) == Some(&b'.') {
        end += 1 + part(end + 1);
    }
    Some(Hit::new(at, end, "[jwt]", Rule::Jwt))
}

fn aws_key(bytes: &[u8], at: usize) -> Option<Hit> {
    let prefix = bytes.get(at..at + 4)?;
    [b"AKIA", b"ASIA", b"AGPA", b"AIDA", b"AROA"]
        .iter()
        .any(|known| *known == prefix)
        .then_some(())?;
    let rest = run(bytes, at + 4, 17, |byte| {
        byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)
    });
    (rest == 16 && ends_word(bytes, at + 20))
        .then(|| Hit::new(at, at + 20, "[aws-key]", Rule::AwsKey))
}

/// Forty random characters not far behind the words `aws` and `secret`, from the second of them.
fn aws_secret(bytes: &[u8], at: usize) -> Option<Hit> {
    let word = bytes.get(at..at + b"secret".len())?;
    word.eq_ignore_ascii_case(b"secret").then_some(())?;
    let context = bytes[at.saturating_sub(NEAR + 3)..at].to_ascii_lowercase();
    find_in(&context, b"aws")?;
    let is = |byte: u8| byte.is_ascii_alphanumeric() || b"/+".contains(&byte);
    let from = at + b"secret".len();
    let start = (from + 1..(from + NEAR).min(bytes.len()))
        .find(|start| b"'\"=: ".contains(&bytes[start - 1]) && run(bytes, *start, 41, is) == 40)?;
    (entropy_bits(&bytes[start..start + 40]) >= 4.0)
        .then(|| Hit::new(start, start + 40, "[aws-secret]", Rule::AwsSecret))
}

/// Up to its end mark, or to the end of a text that was cut.
pub(super) fn private_key(bytes: &[u8], at: usize) -> Option<Hit> {
    let rest = bytes[at..].strip_prefix(b"-----BEGIN ")?;
    let title = run(rest, 0, 40, |byte| {
        byte.is_ascii_uppercase() || byte == b' '
    });
    let is_private = [&b"PRIVATE KEY"[..], b"PRIVATE KEY BLOCK"]
        .iter()
        .any(|end| rest[..title].ends_with(end));
    is_private.then_some(())?;
    rest[title..].starts_with(b"-----").then_some(())?;
    let end = match find_in(rest, b"-----END ") {
        Some(mark) => {
            let closing = mark + b"-----END ".len();
            let dashes = find_in(&rest[closing..], b"-----");
            at + 11 + dashes.map_or(rest.len(), |dashes| closing + dashes + 5)
        }
        None => bytes.len(),
    };
    Some(Hit::new(at, end, "[private-key]", Rule::PrivateKey))
}

/// The scheme stays, so that one sees how the call was made.
fn bearer(bytes: &[u8], at: usize) -> Option<Hit> {
    let scheme = ["bearer", "basic"].iter().find(|scheme| {
        bytes
            .get(at..at + scheme.len())
            .is_some_and(|text| text.eq_ignore_ascii_case(scheme.as_bytes()))
    })?;
    let spaces = run(bytes, at + scheme.len(), 4, |byte| {
        byte.is_ascii_whitespace()
    });
    let start = at + scheme.len() + spaces;
    let length = run(bytes, start, usize::MAX, |byte| {
        byte.is_ascii_alphanumeric() || b"._~+/=-".contains(&byte)
    });
    // "basic authentication" is prose: a credential has something that is no letter, or is long.
    let credential = &bytes[start..start + length];
    let random = length >= 20 || credential.iter().any(|byte| !byte.is_ascii_lowercase());
    (spaces > 0 && length >= 8 && random)
        .then(|| Hit::new(start, start + length, "[redacted]", Rule::Bearer))
}

fn vendor_token(bytes: &[u8], at: usize) -> Option<Hit> {
    for (prefix, least, is) in VENDORS {
        if bytes[at..].starts_with(prefix.as_bytes()) {
            let length = run(bytes, at + prefix.len(), usize::MAX, is);
            if length >= *least {
                let end = at + prefix.len() + length;
                return Some(Hit::new(at, end, "[token]", Rule::Token));
            }
        }
    }
    None
}

/// `://user:password@`, from the colon of the scheme.
pub(super) fn url_password(bytes: &[u8], at: usize) -> Option<Hit> {
    bytes[at..].starts_with(b"://").then_some(())?;
    let from = at + 3;
    let authority = from
        + run(bytes, from, URL_AUTHORITY_BYTES_MAX, |byte| {
            !byte.is_ascii_whitespace() && !b"/?#\"'<>\\,".contains(&byte)
        });
    let password_end = from
        + bytes[from..authority]
            .iter()
            .rposition(|byte| *byte == b'@')?;
    let colon = from
        + bytes[from..password_end]
            .iter()
            .position(|byte| *byte == b':')?;
    (colon + 1 < password_end).then(|| Hit::new(colon + 1, password_end, "***", Rule::UrlPassword))
}

/// The address whose `@` is at `at`. Its local part becomes a hash, its domain stays.
pub(super) fn email(text: &str, at: usize, free_from: usize, key: (u64, u64)) -> Option<Hit> {
    // Names and domains may have the letters of European languages.
    let is_letter = |letter: char| letter.is_alphanumeric() && letter < '\u{250}';
    let local = text[free_from..at]
        .chars()
        .rev()
        .take(64)
        .take_while(|letter| is_letter(*letter) || "._%+-'".contains(*letter))
        .map(char::len_utf8)
        .sum::<usize>();
    let start = at - local;
    let domain = text[at + 1..]
        .chars()
        .take(254)
        .take_while(|letter| is_letter(*letter) || ".-".contains(*letter))
        .map(char::len_utf8)
        .sum::<usize>();
    let domain = text[at + 1..at + 1 + domain].trim_end_matches(['.', '-']);
    let start = start + text[start..at].len() - text[start..at].trim_start_matches('\'').len();
    let (_, top) = domain.rsplit_once('.')?;
    if start == at || top.len() < 2 || !top.chars().all(char::is_alphabetic) {
        return None;
    }
    let address = format!("{}@{domain}", &text[start..at]).to_ascii_lowercase();
    Some(Hit::new(
        start,
        at,
        format!("[email:{:04x}]", hash(&address, key)),
        Rule::Email,
    ))
}

/// SipHash-2-4, which is keyed and short; what the standard library hashes maps with may change.
#[allow(deprecated)]
fn hash(text: &str, (key, other): (u64, u64)) -> u16 {
    use std::hash::Hasher;
    let mut hasher = std::hash::SipHasher::new_with_keys(key, other);
    hasher.write(text.as_bytes());
    (hasher.finish() >> 48) as u16
}

/// Two letters, two check digits, and the remainder of ISO 7064.
pub(super) fn iban(bytes: &[u8], at: usize) -> Option<Hit> {
    let length = run(bytes, at, 35, |byte| {
        byte.is_ascii_uppercase() || byte.is_ascii_digit()
    });
    let account = &bytes[at..at + length];
    let shaped = (15..=34).contains(&length)
        && account[..2].iter().all(u8::is_ascii_uppercase)
        && account[2..4].iter().all(u8::is_ascii_digit)
        && ends_word(bytes, at + length);
    if !shaped {
        return None;
    }
    let remainder = account[4..]
        .iter()
        .chain(&account[..4])
        .fold(0_u32, |rest, byte| match byte {
            b'0'..=b'9' => (rest * 10 + u32::from(byte - b'0')) % 97,
            _ => (rest * 100 + u32::from(byte - b'A') + 10) % 97,
        });
    (remainder == 1).then(|| Hit::new(at, at + length, "[iban]", Rule::Iban))
}

fn find_in(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).position(|window| window == what)
}

/// How many bits a character of this text tells, by Shannon.
fn entropy_bits(text: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    for byte in text {
        counts[*byte as usize] += 1;
    }
    let length = text.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| f64::from(*count) / length)
        .map(|share| -share * share.log2())
        .sum()
}

fn is_base64_url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn is_send_grid(byte: u8) -> bool {
    is_base64_url(byte) || byte == b'.'
}

fn is_alphanumeric(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

type Vendor = (&'static str, usize, fn(u8) -> bool);

/// How tokens of vendors begin, and how much follows at least: GitHub, GitLab, Slack, Stripe, SendGrid, Google, npm, OpenAI and others.
const VENDORS: &[Vendor] = &[
    ("ghp_", 36, is_alphanumeric),
    ("gho_", 36, is_alphanumeric),
    ("ghu_", 36, is_alphanumeric),
    ("ghs_", 36, is_alphanumeric),
    ("ghr_", 36, is_alphanumeric),
    ("github_pat_", 40, is_base64_url),
    ("glpat-", 20, is_base64_url),
    ("xoxa-", 10, is_base64_url),
    ("xoxb-", 10, is_base64_url),
    ("xoxp-", 10, is_base64_url),
    ("xoxr-", 10, is_base64_url),
    ("xoxs-", 10, is_base64_url),
    ("sk_live_", 16, is_alphanumeric),
    ("sk_test_", 16, is_alphanumeric),
    ("rk_live_", 16, is_alphanumeric),
    ("rk_test_", 16, is_alphanumeric),
    ("xapp-", 20, is_base64_url),
    ("SG.", 40, is_send_grid),
    ("AIza", 35, is_base64_url),
    ("npm_", 36, is_alphanumeric),
    ("sk-", 20, is_base64_url),
];
/// How far the words and the key may be apart.
const NEAR: usize = 20;
const JWT_HEADER_BYTES_MAX: usize = 2048;
const URL_AUTHORITY_BYTES_MAX: usize = 512;
