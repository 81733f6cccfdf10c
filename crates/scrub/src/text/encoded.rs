//! Text in which some letters stand for others: `%40` of URLs, `\u0040` and `\/` of JSON, `&quot;` of HTML.
//!
//! It is decoded once as a whole, with the place of each letter, and what is found in the plain text is replaced in the
//! encoded one.

use super::Hit;

/// Whether these bytes begin with a letter in disguise.
pub(super) fn begins(bytes: &[u8]) -> bool {
    letter(bytes).is_some() || percent(bytes).is_some()
}

/// The hits in the text and those in what it stands for, in order and apart from each other.
pub(super) fn merged(text: &str, hits: Vec<Hit>, find: impl FnOnce(&str) -> Vec<Hit>) -> Vec<Hit> {
    if text.len() > TEXT_BYTES_MAX {
        return hits;
    }
    let (plain, places) = decoded(text);
    let mut found = find(&plain);
    for hit in &mut found {
        hit.start = places[hit.start];
        hit.end = places[hit.end];
        // Quotes were encoded where they stood.
        let bare = hit.replacement.trim_matches(['"', '\'', '\\']);
        if bare.len() < hit.replacement.len() {
            hit.replacement = bare.to_owned();
        }
    }
    together(hits, found)
}

/// Hits that were found in two ways, in order and apart from each other.
pub(super) fn together(hits: Vec<Hit>, found: Vec<Hit>) -> Vec<Hit> {
    let mut all: Vec<Hit> = Vec::with_capacity(hits.len() + found.len());
    let mut both: Vec<Hit> = hits.into_iter().chain(found).collect();
    both.sort_by_key(|hit| (hit.start, std::cmp::Reverse(hit.end)));
    for hit in both {
        match all.last_mut() {
            // Both saw it: what is larger counts, and nothing of either is left.
            Some(last) if hit.start < last.end => {
                if hit.end - hit.start >= last.end - last.start {
                    last.replacement = hit.replacement;
                    last.rule = hit.rule;
                }
                last.end = last.end.max(hit.end);
            }
            _ => all.push(hit),
        }
    }
    all
}

/// The plain text and where each byte of it comes from, and where the text ends.
fn decoded(text: &str) -> (String, Vec<usize>) {
    let bytes = text.as_bytes();
    let mut plain = Vec::with_capacity(bytes.len());
    let mut places = Vec::with_capacity(bytes.len() + 1);
    let mut at = 0;
    while at < bytes.len() {
        if let Some((byte, length)) = letter(&bytes[at..]) {
            plain.push(byte);
            places.push(at);
            at += length;
            continue;
        }
        // Letters beyond ASCII are several in a URL.
        let begin = at;
        let mut run = Vec::new();
        while let Some(byte) = percent(&bytes[at..]).filter(|byte| !byte.is_ascii()) {
            run.push(byte);
            at += 3;
        }
        for (number, byte) in std::str::from_utf8(&run).unwrap_or("").bytes().enumerate() {
            plain.push(byte);
            places.push(begin + number * 3);
        }
        // What is no text stays what it is.
        if run.is_empty() || std::str::from_utf8(&run).is_err() {
            at = at.max(begin + 1);
            plain.extend_from_slice(&bytes[begin..at]);
            places.extend(begin..at);
        }
    }
    places.push(bytes.len());
    match String::from_utf8(plain) {
        Ok(plain) => (plain, places),
        Err(_) => (String::new(), vec![bytes.len()]),
    }
}

/// The ASCII letter that these bytes stand for, and how many of them do.
fn letter(bytes: &[u8]) -> Option<(u8, usize)> {
    let decoded = match bytes {
        [b'%', ..] => (percent(bytes)?, 3),
        [b'\\', b'u', b'0', b'0', high, low, ..] => (hex(*high)? << 4 | hex(*low)?, 6),
        [b'\\', b'x', high, low, ..] => (hex(*high)? << 4 | hex(*low)?, 4),
        [b'\\', b'/', ..] => (b'/', 2),
        [b'&', rest @ ..] => {
            let known = ENTITIES
                .iter()
                .find(|(name, _)| rest.starts_with(name.as_bytes()));
            let (name, byte) = known?;
            (*byte, name.len() + 1)
        }
        _ => return None,
    };
    decoded.0.is_ascii().then_some(decoded)
}

fn percent(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [b'%', high, low, ..] => Some(hex(*high)? << 4 | hex(*low)?),
        _ => None,
    }
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

const ENTITIES: &[(&str, u8)] = &[
    ("quot;", b'"'),
    ("apos;", b'\''),
    ("amp;", b'&'),
    ("lt;", b'<'),
    ("gt;", b'>'),
    ("#34;", b'"'),
    ("#39;", b'\''),
    ("#58;", b':'),
    ("#61;", b'='),
    ("#64;", b'@'),
    ("#x22;", b'"'),
    ("#x27;", b'\''),
    ("#x40;", b'@'),
];
/// Each byte of it takes nine while it is looked at.
const TEXT_BYTES_MAX: usize = 1 << 20;
