//! A payload as a tree, from JSON text or from OTLP's own values, and back.
//!
//! Own rather than `serde_json`'s: members keep their order, numbers the way they are written, and no more of a large
//! payload is held than can be shown.

use std::borrow::Cow;

use throughline_telemetry::wire::otlp::common::v1::{
    AnyValue, ArrayValue, KeyValue, KeyValueList, any_value::Value,
};

use super::{DEPTH_MAX, MEMBERS_MAX};

/// One value of a payload.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'t> {
    /// A number, `true`, `false` or `null`, as it is written.
    Bare(&'t str),
    Text(Cow<'t, str>),
    /// What JSON does not have.
    Value(AnyValue),
    /// The members that are held, and how many there are beside them.
    Array(Vec<Node<'t>>, usize),
    Object(Vec<(Cow<'t, str>, Node<'t>)>, usize),
    /// Too deep to be held: an array or an object.
    Deep(&'static str),
}

impl<'t> Node<'t> {
    /// Reads a whole JSON array or object; `None` for anything else.
    pub(super) fn from_json(text: &'t str) -> Option<Self> {
        let text = text.trim();
        if !text.starts_with(['{', '[']) {
            return None;
        }
        let mut reader = Reader { text, at: 0 };
        let node = reader.value(0, false)?;
        reader.skip_space();
        (reader.at == text.len()).then_some(node)
    }

    pub(super) fn from_otlp(value: AnyValue, depth: usize) -> Node<'static> {
        match value.value {
            Some(Value::StringValue(text)) => Node::Text(Cow::Owned(text)),
            Some(Value::ArrayValue(_)) if depth >= DEPTH_MAX => Node::Deep("array"),
            Some(Value::KvlistValue(_)) if depth >= DEPTH_MAX => Node::Deep("object"),
            Some(Value::ArrayValue(array)) => {
                let more = array.values.len().saturating_sub(MEMBERS_MAX);
                let held = array.values.into_iter().take(MEMBERS_MAX);
                let held = held
                    .map(|value| Node::from_otlp(value, depth + 1))
                    .collect();
                let (held, more) = with_mark(held, more);
                Node::Array(held, more)
            }
            Some(Value::KvlistValue(list)) => {
                let more = list.values.len().saturating_sub(MEMBERS_MAX);
                let held = list.values.into_iter().take(MEMBERS_MAX).map(|pair| {
                    let value = pair.value.unwrap_or_default();
                    (Cow::Owned(pair.key), Node::from_otlp(value, depth + 1))
                });
                let (held, more) = with_mark(held.collect(), more);
                Node::Object(held, more)
            }
            value => Node::Value(AnyValue { value }),
        }
    }

    /// As OTLP's value; what is not there is told as a member of its own.
    pub(super) fn into_otlp(self) -> AnyValue {
        let text = |text: String| AnyValue {
            value: Some(Value::StringValue(text)),
        };
        match self {
            Node::Bare(bare) => text(bare.to_owned()),
            Node::Text(inner) => text(inner.into_owned()),
            Node::Value(value) => value,
            Node::Deep(kind) => text(format!("{kind}(…)")),
            Node::Array(members, more) => {
                let mut values: Vec<_> = members.into_iter().map(Node::into_otlp).collect();
                if more > 0 {
                    values.push(text(more_members(more)));
                }
                AnyValue {
                    value: Some(Value::ArrayValue(ArrayValue { values })),
                }
            }
            Node::Object(members, more) => {
                let pair = |key: String, value| KeyValue {
                    key,
                    value: Some(value),
                    ..Default::default()
                };
                let mut values: Vec<_> = members
                    .into_iter()
                    .map(|(key, node)| pair(key.into_owned(), node.into_otlp()))
                    .collect();
                if more > 0 {
                    values.push(pair(MORE.to_owned(), text(more_members(more))));
                }
                AnyValue {
                    value: Some(Value::KvlistValue(KeyValueList { values })),
                }
            }
        }
    }

    /// As JSON.
    pub(super) fn write_json(&self, out: &mut String) {
        match self {
            Node::Bare(bare) => out.push_str(bare),
            Node::Text(text) => quote(text, out),
            Node::Value(value) => quote(&format!("{:?}", value.value), out),
            Node::Deep(kind) => quote(&format!("{kind}(…)"), out),
            Node::Array(members, more) => {
                out.push('[');
                for (at, member) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    member.write_json(out);
                }
                if *more > 0 {
                    if !members.is_empty() {
                        out.push(',');
                    }
                    quote(&more_members(*more), out);
                }
                out.push(']');
            }
            Node::Object(members, more) => {
                out.push('{');
                for (at, (key, member)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    quote(key, out);
                    out.push(':');
                    member.write_json(out);
                }
                if *more > 0 {
                    if !members.is_empty() {
                        out.push(',');
                    }
                    quote(MORE, out);
                    out.push(':');
                    quote(&more_members(*more), out);
                }
                out.push('}');
            }
        }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        match self {
            Node::Bare(bare) => bare.len(),
            Node::Text(text) => text.len() + 2,
            Node::Value(_) | Node::Deep(_) => 12,
            Node::Array(members, _) => {
                let inside: usize = members.iter().map(|member| member.weight() + 1).sum();
                inside + 2
            }
            Node::Object(members, _) => {
                let inside: usize = members
                    .iter()
                    .map(|(key, member)| key.len() + 4 + member.weight())
                    .sum();
                inside + 2
            }
        }
    }
}

/// What says that there are more is a member, too: what was cut once has no more members than may be shown.
fn with_mark<T>(mut members: Vec<T>, mut more: usize) -> (Vec<T>, usize) {
    if more > 0 && members.len() == MEMBERS_MAX {
        members.pop();
        more += 1;
    }
    (members, more)
}

fn more_members(more: usize) -> String {
    format!("+{more} more")
}

fn quote(text: &str, out: &mut String) {
    use std::fmt::Write;
    out.push('"');
    for letter in text.chars() {
        match letter {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            control if control < ' ' => {
                write!(out, "\\u{:04x}", u32::from(control)).unwrap_or_default();
            }
            letter => out.push(letter),
        }
    }
    out.push('"');
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    /// The value at the place; if `skipped`, only where it ends matters.
    fn value(&mut self, depth: usize, skipped: bool) -> Option<Node<'t>> {
        // What is skipped is not held, but the stack is.
        if depth > STACK_MAX {
            return None;
        }
        self.skip_space();
        match self.peek()? {
            b'"' => self.string(skipped).map(Node::Text),
            b'[' => {
                let mut members = Vec::new();
                let more = self.members(b']', |reader, at| {
                    let beyond = skipped || depth >= DEPTH_MAX || at >= MEMBERS_MAX;
                    let member = reader.value(depth + 1, beyond)?;
                    if !beyond {
                        members.push(member);
                    }
                    Some(beyond)
                })?;
                let (members, more) = with_mark(members, more);
                Some(match depth >= DEPTH_MAX {
                    true => Node::Deep("array"),
                    false => Node::Array(members, more),
                })
            }
            b'{' => {
                let mut members = Vec::new();
                let more = self.members(b'}', |reader, at| {
                    let beyond = skipped || depth >= DEPTH_MAX || at >= MEMBERS_MAX;
                    let key = reader.string(beyond)?;
                    reader.skip_space();
                    reader.expect(b':')?;
                    let member = reader.value(depth + 1, beyond)?;
                    if !beyond {
                        members.push((key, member));
                    }
                    Some(beyond)
                })?;
                let (members, more) = with_mark(members, more);
                Some(match depth >= DEPTH_MAX {
                    true => Node::Deep("object"),
                    false => Node::Object(members, more),
                })
            }
            _ => self.bare(),
        }
    }

    /// Reads members up to the closing bracket and returns how many of them `read` said are beyond the limit.
    fn members(
        &mut self,
        close: u8,
        mut read: impl FnMut(&mut Self, usize) -> Option<bool>,
    ) -> Option<usize> {
        self.at += 1;
        self.skip_space();
        if self.peek()? == close {
            self.at += 1;
            return Some(0);
        }
        let mut beyond = 0;
        for at in 0.. {
            self.skip_space();
            beyond += usize::from(read(self, at)?);
            self.skip_space();
            match self.peek()? {
                b',' => self.at += 1,
                byte if byte == close => {
                    self.at += 1;
                    break;
                }
                _ => return None,
            }
        }
        Some(beyond)
    }

    fn bare(&mut self) -> Option<Node<'t>> {
        let start = self.at;
        let is_bare = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        self.at += self.text.as_bytes()[start..]
            .iter()
            .take_while(|byte| is_bare(byte))
            .count();
        let bare = &self.text[start..self.at];
        let is_number = || {
            bare.starts_with(|first: char| first == '-' || first.is_ascii_digit())
                && bare.parse::<f64>().is_ok()
        };
        (matches!(bare, "true" | "false" | "null") || is_number()).then_some(Node::Bare(bare))
    }

    fn string(&mut self, skipped: bool) -> Option<Cow<'t, str>> {
        self.expect(b'"')?;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut escaped = false;
        loop {
            match *bytes.get(self.at)? {
                b'"' => break,
                b'\\' => {
                    escaped = true;
                    self.at += 2;
                }
                _ => self.at += 1,
            }
        }
        let inner = self.text.get(start..self.at)?;
        self.at += 1;
        match escaped && !skipped {
            true => unescape(inner).map(Cow::Owned),
            false => Some(Cow::Borrowed(inner)),
        }
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_space(&mut self) {
        self.at += self.text.as_bytes()[self.at.min(self.text.len())..]
            .iter()
            .take_while(|byte| b" \t\r\n".contains(byte))
            .count();
    }
}

fn unescape(inner: &str) -> Option<String> {
    let mut plain = String::with_capacity(inner.len());
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        plain.push_str(before);
        let mut letters = after.chars();
        let mut length = 1;
        match letters.next()? {
            'n' => plain.push('\n'),
            'r' => plain.push('\r'),
            't' => plain.push('\t'),
            'b' => plain.push('\u{8}'),
            'f' => plain.push('\u{c}'),
            'u' => {
                let high = unit(after.get(1..5)?)?;
                length = 5;
                let low = after.get(5..11).and_then(|low| low.strip_prefix("\\u"));
                match (high, low.and_then(unit)) {
                    (0xd800..0xdc00, Some(low)) => {
                        length = 11;
                        plain.extend(char::decode_utf16([high, low]).map(or_replacement));
                    }
                    _ => plain.extend(char::decode_utf16([high]).map(or_replacement)),
                }
            }
            plainly @ ('"' | '\\' | '/') => plain.push(plainly),
            _ => return None,
        }
        rest = after.get(length..)?;
    }
    plain.push_str(rest);
    Some(plain)
}

fn unit(digits: &str) -> Option<u16> {
    u16::from_str_radix(digits, 16).ok()
}

fn or_replacement<E>(letter: Result<char, E>) -> char {
    letter.unwrap_or(char::REPLACEMENT_CHARACTER)
}

const MORE: &str = "…";
/// JSON nested deeper is not read as JSON.
const STACK_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn again(text: &str) -> Option<String> {
        let mut out = String::new();
        Node::from_json(text)?.write_json(&mut out);
        Some(out)
    }

    #[test]
    fn json_is_read_and_written_as_it_was() {
        for text in [
            r#"{"b":1,"a":[1.10,-2e5,true,null,"x\"y\n"],"c":{}}"#,
            r#"[]"#,
            r#"[123456789012345678901234567890]"#,
            r#"{"é":"…","k":"\u0001"}"#,
        ] {
            assert_eq!(again(text).as_deref(), Some(text));
        }
        assert_eq!(
            again(r#" { "a" : "\u00e9\ud83d\ude00\/" } "#).as_deref(),
            Some(r#"{"a":"é😀/"}"#)
        );
        for wrong in [
            "",
            "7",
            "\"x\"",
            "{",
            "[1,]",
            "{\"a\"}",
            "[1] x",
            "[tru]",
            "[\"\\x\"]",
        ] {
            assert_eq!(again(wrong), None, "{wrong}");
        }
        let deep = "[".repeat(500);
        assert_eq!(again(&deep), None);
    }

    #[test]
    fn no_more_is_held_than_can_be_shown() {
        let many = format!("[{}]", vec!["0"; 100].join(","));
        let Some(Node::Array(held, 37)) = Node::from_json(&many) else {
            panic!("{many}");
        };
        assert_eq!(held.len(), 63);
        let deep = format!("{}1{}", "[".repeat(10), "]".repeat(10));
        assert_eq!(
            again(&deep).unwrap(),
            format!("{}\"array(…)\"{}", "[".repeat(8), "]".repeat(8))
        );
    }

    proptest! {
        #[test]
        fn nothing_panics(text in "[\\[\\]{}\",:\\\\u0-9a-f é]{0,60}") {
            let _ = again(&text);
        }
    }
}
