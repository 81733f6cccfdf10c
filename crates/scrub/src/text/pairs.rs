//! `name: value` and `name=value`, in JSON however deeply quoted, in headers, query strings and prose.

use super::{Hit, run};
use crate::counts::Rule;
use crate::keys::{Kind, is_secret, normalized};
use crate::rules::Rules;

/// The value after the colon or equals sign at `at`, if the name before it promises a secret.
pub(super) fn value_after(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    let name = name_before(bytes, at)?;
    let text = std::str::from_utf8(&bytes[name.start..name.end]).ok()?;
    if !is_secret(text, Kind::Text, rules) {
        return None;
    }
    let mut from = at + 1;
    from += run(bytes, from, SPACES_MAX, |byte| b"=> \t".contains(&byte));
    let value = value_from(bytes, from, &name, bytes[at])?;
    let content = &bytes[value.start..value.end];
    if content.is_empty() || DONE.iter().any(|done| content.starts_with(done)) {
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

struct Name {
    start: usize,
    end: usize,
    /// What encloses it, and how many backslashes stand before that: JSON inside a JSON string has one, inside that
    /// again three.
    quote: Option<u8>,
    escapes: usize,
}

fn name_before(bytes: &[u8], at: usize) -> Option<Name> {
    let mut end = at;
    while end > 0 && at - end < 2 && bytes[end - 1] == b' ' {
        end -= 1;
    }
    let last = *bytes.get(end.checked_sub(1)?)?;
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
fn closing_quote(bytes: &[u8], from: usize, quote: u8, escapes: usize) -> usize {
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
const REDACTED: &str = "[redacted]";
/// What a scrubber, ours or another's, has left.
const DONE: &[&[u8]] = &[b"[redacted", b"***", b"\"[redacted", b"<redacted"];
