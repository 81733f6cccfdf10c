//! Names and values that stand beside each other instead of before and after a colon: headers as lists and as objects.

use super::pairs::{Name, REDACTED, closing_quote, is_done, name_before};
use super::{Hit, run};
use crate::counts::Rule;
use crate::keys::{Kind, is_secret};
use crate::rules::Rules;

/// `["authorization", "…"]`, and names and values of many headers one after the other. `at` is the comma.
pub(super) fn value_after(bytes: &[u8], at: usize, rules: &Rules) -> Option<Hit> {
    let quote = *bytes.get(at.checked_sub(1)?)?;
    (quote == b'"' || quote == b'\'').then_some(())?;
    let name = name_before(bytes, at)?;
    let text = std::str::from_utf8(&bytes[name.start..name.end]).ok()?;
    is_secret(text, Kind::Text, rules).then_some(())?;
    let value = quoted(bytes, at + 1, name.escapes)?;
    let before = bytes[..name.start - 1 - name.escapes].trim_ascii_end();
    let is_pair = before.ends_with(b"[") || before.ends_with(b"(");
    let after = bytes[value.after..].trim_ascii_start();
    let is_closed = after.first().is_none_or(|byte| b"])".contains(byte));
    // The name of a member, not a value.
    (after.first() != Some(&b':')).then_some(())?;
    // A list of fields may have the name of a password in it; names of headers have a dash, or are these.
    let is_header = text.contains('-')
        || text.eq_ignore_ascii_case("authorization")
        || text.eq_ignore_ascii_case("cookie");
    ((is_pair && is_closed) || is_header).then_some(())?;
    value.hit(bytes)
}

/// `{"name": "authorization", "value": "…"}`, in either order. `at` is the colon behind `value`.
pub(super) fn value_named_beside(
    bytes: &[u8],
    at: usize,
    name: &Name,
    rules: &Rules,
) -> Option<Hit> {
    let is_value = name.quote.is_some()
        && [&b"value"[..], b"values", b"val"]
            .iter()
            .any(|word| bytes[name.start..name.end].eq_ignore_ascii_case(word));
    is_value.then_some(())?;
    let value = quoted(bytes, at + 1, name.escapes)?;
    let is_secret_name = |start: usize, end: usize| {
        std::str::from_utf8(&bytes[start..end]).is_ok_and(|text| is_secret(text, Kind::Text, rules))
    };
    let before = || {
        let rest = bytes[..name.start - 1 - name.escapes].trim_ascii_end();
        let rest = rest.strip_suffix(b",")?.trim_ascii_end();
        let said = name_before(bytes, rest.len())?;
        let rest = bytes[..said.start - 1 - said.escapes].trim_ascii_end();
        let rest = rest.strip_suffix(b":")?.trim_ascii_end();
        let label = name_before(bytes, rest.len())?;
        (is_label(&bytes[label.start..label.end]) && is_secret_name(said.start, said.end))
            .then_some(())
    };
    let behind = || {
        let comma = value.after + run(bytes, value.after, 4, |byte| byte.is_ascii_whitespace());
        (bytes.get(comma) == Some(&b',')).then_some(())?;
        let label = quoted(bytes, comma + 1, name.escapes)?;
        let colon = label.after + run(bytes, label.after, 4, |byte| byte.is_ascii_whitespace());
        (bytes.get(colon) == Some(&b':')).then_some(())?;
        let said = quoted(bytes, colon + 1, name.escapes)?;
        (is_label(&bytes[label.start..label.end]) && is_secret_name(said.start, said.end))
            .then_some(())
    };
    before().or_else(behind)?;
    value.hit(bytes)
}

fn is_label(name: &[u8]) -> bool {
    [&b"name"[..], b"key", b"header"]
        .iter()
        .any(|word| name.eq_ignore_ascii_case(word))
}

/// A text in quotes, without them.
struct Quoted {
    start: usize,
    end: usize,
    /// Behind the closing quote.
    after: usize,
}

impl Quoted {
    fn hit(&self, bytes: &[u8]) -> Option<Hit> {
        let content = &bytes[self.start..self.end];
        (!content.is_empty() && !is_done(content))
            .then(|| Hit::new(self.start, self.end, REDACTED, Rule::Key))
    }
}

fn quoted(bytes: &[u8], from: usize, escapes: usize) -> Option<Quoted> {
    let from = from + run(bytes, from, 4, |byte| byte.is_ascii_whitespace());
    let found = run(bytes, from, escapes + 1, |byte| byte == b'\\');
    let quote = *bytes.get(from + found)?;
    (found == escapes && (quote == b'"' || quote == b'\'')).then_some(())?;
    let start = from + found + 1;
    let end = closing_quote(bytes, start, quote, escapes);
    let after = (end + escapes + 1).min(bytes.len());
    Some(Quoted { start, end, after })
}
