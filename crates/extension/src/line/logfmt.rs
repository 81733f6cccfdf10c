//! `level=warn msg="low stock" sku=a`.

use serde_json::{Map, Value as Json};

/// The pairs, if the whole line is pairs and one of them is a level or a message: prose that has a
/// pair in it is none.
pub(super) fn read(line: &str) -> Option<Map<String, Json>> {
    let mut fields = Map::new();
    let mut rest = line.trim();
    while !rest.is_empty() {
        let (key, after) = rest.split_once('=')?;
        let named = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-@/".contains(&byte);
        if key.is_empty() || !key.bytes().all(named) || fields.len() == PAIRS_MAX {
            return None;
        }
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted_value(quoted)?,
            None => {
                let end = after.find(' ').unwrap_or(after.len());
                (after[..end].to_owned(), &after[end..])
            }
        };
        // A pair that repeats, or pairs that nothing parts: not this format.
        let apart = after.is_empty() || after.starts_with(' ');
        if !apart || fields.insert(key.to_owned(), Json::String(value)).is_some() {
            return None;
        }
        rest = after.trim_start();
    }
    let says = ["msg", "message", "event", "level"];
    let speaks = says
        .iter()
        .filter(|name| fields.contains_key(**name))
        .count();
    (fields.len() >= 2 && speaks >= 1).then_some(fields)
}

/// What is between this and the closing quote, and what follows it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match letters.next()?.1 {
                'n' => '\n',
                't' => '\t',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

const PAIRS_MAX: usize = 64;
