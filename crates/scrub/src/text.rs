//! Finds secrets in text, in one pass over its bytes.
//!
//! Most bytes begin nothing: a table says which might, and only there a scanner looks closer. Text is never parsed as
//! JSON or anything else, because log lines are cut, nested in each other and mixed with prose; a name before a colon
//! or an equals sign is enough.

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

/// The secrets in a text, in order and apart from each other.
pub(crate) fn find(text: &str, rules: &Rules) -> Vec<Hit> {
    let bytes = text.as_bytes();
    let mut hits: Vec<Hit> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        if !INTERESTING[byte as usize] {
            at += 1;
            continue;
        }
        let free_from = hits.last().map_or(0, |hit| hit.end);
        let hit = match byte {
            b':' | b'=' => {
                pairs::value_after(bytes, at, rules).or_else(|| tokens::url_password(bytes, at))
            }
            b'@' => rules
                .emails
                .then(|| tokens::email(text, at, free_from, rules.hash_key))
                .flatten(),
            b'0'..=b'9' => numbers::find(bytes, at, rules),
            _ => tokens::find(bytes, at, rules),
        };
        match hit.filter(|hit| hit.start >= free_from && hit.end > hit.start) {
            Some(hit) => {
                at = hit.end.max(at + 1);
                hits.push(hit);
            }
            None => at += 1,
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
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// How many of the bytes from here on are of this kind, at most so many.
fn run(bytes: &[u8], from: usize, most: usize, is: impl Fn(u8) -> bool) -> usize {
    bytes[from.min(bytes.len())..]
        .iter()
        .take(most)
        .take_while(|byte| is(**byte))
        .count()
}

const INTERESTING: [bool; 256] = {
    let mut table = [false; 256];
    let mut index = 0;
    let begin = b":=@0123456789-eAabBgGxXsSrRnN";
    while index < begin.len() {
        table[begin[index] as usize] = true;
        index += 1;
    }
    // An IBAN begins with any capital.
    let mut letter = b'A';
    while letter <= b'Z' {
        table[letter as usize] = true;
        letter += 1;
    }
    table
};

#[cfg(test)]
mod tests;
