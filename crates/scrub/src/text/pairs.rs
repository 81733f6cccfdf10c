//! `name: value` and `name=value`, in JSON however deeply quoted, in headers, query strings and prose.

use super::{Hit, lists, run};
use crate::counts::Rule;
use crate::keys::{Kind, is_secret, normalized};
use crate::rules::Rules;

/// The value after the colon or equals sign at `at`, if the name before it promises a secret.
pub(super) fn value_after(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    let name = name_before(bytes, at)?;
    let text = std::str::from_utf8(&bytes[name.start..name.end]).ok()?;
    if !is_secret(text, Kind::Text, rules) {
        return lists::value_named_beside(bytes, at, &name, rules);
    }
    if name.quote.is_none() && is_in_arn(bytes, name.start) {
        return None;
    }
    let mut from = at + 1;
    from += run(bytes, from, SPACES_MAX, |byte| b"=> \t".contains(&byte));
    let value = value_from(bytes, from, &name, bytes[at])?;
    let content = &bytes[value.start..value.end];
    if content.is_empty() || is_done(content) {
        return None;
    }
    if value.bare
        && matches!(
            content,
            b"null" | b"true" | b"false" | b"None" | b"undefined"
        )
    {
        return None;
    }
    let number = content
        .iter()
        .all(|byte| byte.is_ascii_digit() || b".-+".contains(byte));
    if value.bare && number && !is_secret(text, Kind::Number, rules) {
        return None;
    }
    // In JSON the replacement must be a string where a number or an object stood.
    let replacement = match name.quote {
        Some(quote) if value.bare => {
            let escape = "\\".repeat(name.escapes);
            let quote = char::from(quote);
            format!("{escape}{quote}{REDACTED}{escape}{quote}")
        }
        _ => REDACTED.to_owned(),
    };
    Some(Hit::new(value.start, value.end, replacement, Rule::Key))
}

/// The value of an element of XML: `<password>…</password>`. `at` is the end of its opening tag.
pub(super) fn value_in_tag(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    let start = back_while(bytes, at, |byte| {
        byte.is_ascii_alphanumeric() || b"_-.:".contains(&byte)
    });
    (start < at && start > 0 && bytes[start - 1] == b'<').then_some(())?;
    let name = std::str::from_utf8(&bytes[start..at]).ok()?;
    let name = name.rsplit(':').next().unwrap_or(name);
    is_secret(name, Kind::Text, rules).then_some(())?;
    let length = run(bytes, at + 1, usize::MAX, |byte| byte != b'<');
    // `List<Token>` is a type and opens nothing.
    bytes[at + 1 + length..].starts_with(b"</").then_some(())?;
    let value = &bytes[at + 1..at + 1 + length];
    let is_left = value.is_empty() || is_done(value) || value.iter().all(u8::is_ascii_whitespace);
    (!is_left).then(|| Hit::new(at + 1, at + 1 + length, REDACTED, Rule::Key))
}

/// The value of a flag of a command: `--password …`.
pub(super) fn value_of_flag(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    bytes[at..].starts_with(b"--").then_some(())?;
    (at == 0 || !(bytes[at - 1] == b'-' || bytes[at - 1].is_ascii_alphanumeric())).then_some(())?;
    let name = run(bytes, at + 2, NAME_BYTES_MAX, |byte| {
        byte.is_ascii_alphanumeric() || b"_-".contains(&byte)
    });
    let end = at + 2 + name;
    (bytes.get(end) == Some(&b' ')).then_some(())?;
    let name = std::str::from_utf8(&bytes[at + 2..end]).ok()?;
    let from = end + run(bytes, end, SPACES_MAX, |byte| byte == b' ');
    let value = word_end(bytes, from);
    let is_value = value > from && bytes[from] != b'-' && !is_done(&bytes[from..value]);
    (is_value && is_secret(name, Kind::Text, rules))
        .then(|| Hit::new(from, value, REDACTED, Rule::Key))
}

/// Whether a scrubber, ours or another's, was here.
pub(super) fn is_done(value: &[u8]) -> bool {
    DONE.iter().any(|done| value.starts_with(done))
}

pub(super) struct Name {
    pub(super) start: usize,
    pub(super) end: usize,
    /// What encloses it, and how many backslashes stand before that: JSON inside a JSON string has one, inside that
    /// again three.
    pub(super) quote: Option<u8>,
    pub(super) escapes: usize,
}

pub(super) fn name_before(bytes: &[u8], at: usize) -> Option<Name> {
    let mut end = at;
    while end > 0 && at - end < 2 && bytes[end - 1] == b' ' {
        end -= 1;
    }
    let mut last = *bytes.get(end.checked_sub(1)?)?;
    // `user[password]=…`, as forms have it.
    if last == b']' && end >= 2 {
        end -= 1;
        last = bytes[end - 1];
    }
    if last != b'"' && last != b'\'' {
        let start = back_while(bytes, end, |byte| {
            byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)
        });
        return (start < end).then_some(Name {
            start,
            end,
            quote: None,
            escapes: 0,
        });
    }
    let quote_at = end - 1;
    let inner_end = back_while(bytes, quote_at, |byte| byte == b'\\');
    let start = back_while(bytes, inner_end, |byte| byte != last && byte != b'\\');
    (start > 0 && start < inner_end && bytes[start - 1] == last).then_some(Name {
        start,
        end: inner_end,
        quote: Some(last),
        escapes: quote_at - inner_end,
    })
}

/// `arn:aws:secretsmanager:eu-central-1:123456789012:secret:name` says where a secret is.
fn is_in_arn(bytes: &[u8], at: usize) -> bool {
    let start = back_while(bytes, at, |byte| {
        byte.is_ascii_alphanumeric() || b":-_".contains(&byte)
    });
    bytes[start..at].starts_with(b"arn:aws")
}

/// Where the run that ends at `end` begins; it is not followed for ever.
fn back_while(bytes: &[u8], end: usize, is: impl Fn(u8) -> bool) -> usize {
    let least = end.saturating_sub(NAME_BYTES_MAX);
    let mut start = end;
    while start > least && is(bytes[start - 1]) {
        start -= 1;
    }
    start
}

struct Value {
    start: usize,
    end: usize,
    /// Not in quotes.
    bare: bool,
}

fn value_from(bytes: &[u8], from: usize, name: &Name, separator: u8) -> Option<Value> {
    let escapes = run(bytes, from, usize::MAX, |byte| byte == b'\\');
    let first = *bytes.get(from + escapes)?;
    let value = |start, end, bare| Some(Value { start, end, bare });
    match first {
        b'"' | b'\'' => {
            let start = from + escapes + 1;
            value(start, closing_quote(bytes, start, first, escapes), false)
        }
        b'{' | b'[' if name.quote.is_some() && escapes == 0 => {
            value(from, closing_bracket(bytes, from, name.escapes), true)
        }
        _ => {
            let end = match separator {
                b':' if name.quote.is_none() && is_header(&bytes[name.start..name.end]) => {
                    line_end(bytes, from)
                }
                _ => word_end(bytes, from),
            };
            value(from, end, true)
        }
    }
}

/// The quote with at most as many backslashes before it as the opening one had, or the end of a text that was cut.
pub(super) fn closing_quote(bytes: &[u8], from: usize, quote: u8, escapes: usize) -> usize {
    let mut backslashes = 0;
    for (offset, byte) in bytes[from..].iter().enumerate() {
        if *byte == b'\\' {
            backslashes += 1;
        } else if *byte == quote && backslashes <= escapes {
            return from + offset - backslashes;
        } else {
            backslashes = 0;
        }
    }
    bytes.len()
}

/// The end of an object or array, or of the text.
fn closing_bracket(bytes: &[u8], from: usize, escapes: usize) -> usize {
    let (mut depth, mut backslashes, mut quoted) = (0_usize, 0, false);
    for (offset, byte) in bytes[from..].iter().enumerate() {
        match byte {
            b'\\' => {
                backslashes += 1;
                continue;
            }
            b'"' if backslashes == escapes => quoted = !quoted,
            b'{' | b'[' if !quoted => depth += 1,
            b'}' | b']' if !quoted => {
                depth -= 1;
                if depth == 0 {
                    return from + offset + 1;
                }
            }
            _ => {}
        }
        backslashes = 0;
    }
    bytes.len()
}

/// Headers whose values have spaces and semicolons in them.
fn is_header(name: &[u8]) -> bool {
    let name = normalized(&String::from_utf8_lossy(name));
    name.contains("authorization") || name.contains("cookie")
}

fn line_end(bytes: &[u8], from: usize) -> usize {
    from + run(bytes, from, usize::MAX, |byte| {
        !b"\r\n\"'\\".contains(&byte)
    })
}

/// The end of a bare value. `Bearer xyz` is one value.
fn word_end(bytes: &[u8], from: usize) -> usize {
    let word = |from| {
        from + run(bytes, from, usize::MAX, |byte| {
            !byte.is_ascii_whitespace() && !b",;&\"'\\{}[]()<>|".contains(&byte)
        })
    };
    let end = word(from);
    let scheme = bytes[from..end].to_ascii_lowercase();
    if matches!(&scheme[..], b"bearer" | b"basic" | b"token" | b"apikey")
        && bytes.get(end) == Some(&b' ')
    {
        return word(end + 1);
    }
    end
}

const NAME_BYTES_MAX: usize = 96;
const SPACES_MAX: usize = 4;
pub(super) const REDACTED: &str = "[redacted]";
/// What a scrubber, ours or another's, has left.
const DONE: &[&[u8]] = &[b"[redacted", b"***", b"\"[redacted", b"<redacted"];
