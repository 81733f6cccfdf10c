//! Finds secrets in text, in one pass over its bytes.
//!
//! Most bytes begin nothing: a table says which might, and only there a scanner looks closer. Text is never parsed as
//! JSON or anything else, because log lines are cut, nested in each other and mixed with prose; a name before a colon
//! or an equals sign is enough.

mod base64;
mod encoded;
mod lists;
mod numbers;
mod pairs;
mod tokens;

use crate::counts::Rule;
use crate::rules::Rules;

/// A secret and what stands for it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) replacement: String,
    pub(crate) rule: Rule,
}

impl Hit {
    fn new(start: usize, end: usize, replacement: impl Into<String>, rule: Rule) -> Self {
        Hit {
            start,
            end,
            replacement: replacement.into(),
            rule,
        }
    }
}

/// Whether a private key begins in this text and does not end there.
pub(crate) fn begins_key(text: &str) -> bool {
    let begin = text.rfind("-----BEGIN ");
    begin.is_some_and(|at| {
        tokens::private_key(text.as_bytes(), at).is_some_and(|hit| hit.end == text.len())
            && !text[at..].contains("-----END ")
    })
}

/// Whether the end of a private key is in this text.
pub(crate) fn ends_key(text: &str) -> bool {
    text.contains("-----END ")
}

/// Whether this is nothing but a line of a key: long and all base64, or its end.
pub(crate) fn is_of_key(line: &str) -> bool {
    let line = line.trim();
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    (line.len() >= KEY_LINE_BYTES_MIN && line.bytes().all(is_base64))
        || (line.starts_with("-----END ") && line.ends_with("-----"))
}

/// The secrets in a text, in order and apart from each other.
pub(crate) fn find(text: &str, rules: &Rules) -> Vec<Hit> {
    find_at(text, rules, 0)
}

fn find_at(text: &str, rules: &Rules, depth: usize) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut hits: Vec<Hit> = Vec::new();
    let mut is_encoded = false;
    let mut at = 0;
    while let Some(skipped) = bytes[at..]
        .iter()
        .position(|byte| CLASSES[*byte as usize] != Class::Nothing)
    {
        at += skipped;
        let free_from = hits.last().map_or(0, |hit| hit.end);
        let hit = match CLASSES[bytes[at] as usize] {
            Class::Nothing => None,
            Class::Pair => {
                pairs::value_after(bytes, at, rules).or_else(|| tokens::url_password(bytes, at))
            }
            Class::Comma => lists::value_after(bytes, at, rules),
            Class::Tag => pairs::value_in_tag(bytes, at, rules),
            Class::At => rules
                .emails
                .then(|| tokens::email(text, at, free_from, rules.hash_key))
                .flatten(),
            Class::Digit => begins_word(bytes, at)
                .then(|| numbers::find(bytes, at, rules))
                .flatten(),
            Class::Dash => {
                tokens::private_key(bytes, at).or_else(|| pairs::value_of_flag(bytes, at, rules))
            }
            Class::Letter => tokens::find(bytes, at, rules),
            Class::Capital => (rules.iban && begins_word(bytes, at))
                .then(|| tokens::iban(bytes, at))
                .flatten(),
            Class::Escape => {
                is_encoded = is_encoded || encoded::begins(&bytes[at..]);
                None
            }
        };
        match hit.filter(|hit| hit.start >= free_from && hit.end > hit.start) {
            Some(hit) => {
                at = hit.end.max(at + 1);
                hits.push(hit);
            }
            None => at += 1,
        }
    }
    if is_encoded && depth < ENCODED_DEPTH_MAX {
        hits = encoded::merged(text, hits, |plain| find_at(plain, rules, depth + 1));
    }
    if bytes.len() >= BASE64_BYTES_MIN && depth < ENCODED_DEPTH_MAX {
        let found = base64::hits(text, |plain| find_at(plain, rules, depth + 1));
        if !found.is_empty() {
            hits = encoded::together(hits, found);
        }
    }
    hits
}

/// Whether a name, a number or a token can begin here: nothing of its kind stands before it.
fn begins_word(bytes: &[u8], at: usize) -> bool {
    at == 0 || !is_word(bytes[at - 1])
}

fn ends_word(bytes: &[u8], end: usize) -> bool {
    bytes.get(end).is_none_or(|byte| !is_word(*byte))
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// How many of the bytes from here on are of this kind, at most so many.
fn run(bytes: &[u8], from: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes[from.min(bytes.len())..]
        .iter()
        .take(most)
        .take_while(|byte| is(**byte))
        .count()
}

/// What may begin, or end the name of, something secret.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Nothing,
    /// Between a name and a value.
    Pair,
    /// Between a name and a value in a list.
    Comma,
    /// The end of a tag of XML.
    Tag,
    At,
    Digit,
    Dash,
    /// A token begins with it.
    Letter,
    /// Only an IBAN does.
    Capital,
    /// Stands for another letter, with those that follow.
    Escape,
}

const CLASSES: [Class; 256] = {
    let mut table = [Class::Nothing; 256];
    let classes: [(&[u8], Class); 9] = [
        (b"ABCDEFGHIJKLMNOPQRSTUVWXYZ", Class::Capital),
        (b":=", Class::Pair),
        (b",", Class::Comma),
        (b">", Class::Tag),
        (b"@", Class::At),
        (b"0123456789", Class::Digit),
        (b"-", Class::Dash),
        (b"eAbBgxsSrn", Class::Letter),
        (b"%\\&", Class::Escape),
    ];
    let mut row = 0;
    while row < classes.len() {
        let mut index = 0;
        while index < classes[row].0.len() {
            table[classes[row].0[index] as usize] = classes[row].1;
            index += 1;
        }
        row += 1;
    }
    table
};
/// The last line of a key may be short; words of so many letters are rarely alone on a line.
const KEY_LINE_BYTES_MIN: usize = 16;
/// Shorter text has no room for base64 with a secret in it.
const BASE64_BYTES_MIN: usize = 24;
/// Text that was encoded twice is looked at.
const ENCODED_DEPTH_MAX: usize = 2;

#[cfg(test)]
mod tests;
