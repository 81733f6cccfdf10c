//! What the functions log: lines with places for what changes.

use super::words::LINES;

/// What stands in a place of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    Request,
    User,
    Order,
    Millis,
    Number,
    Small,
    Sku,
    Amount,
    Ip,
    Host,
    Uuid,
    Bool,
}

/// A line: texts, each with what follows it.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) severity: u8,
    pub(crate) pieces: Vec<(String, Option<Slot>)>,
}

/// The lines of a function of this domain, the most frequent first. They begin elsewhere in the list
/// for each function.
pub(super) fn lines(domain: &str, number: usize) -> Vec<Line> {
    let from = number * 5;
    let places = (from..from + LINES_OF_ONE).map(|place| place % LINES.len());
    let mut lines: Vec<_> = places.map(|place| LINES[place]).collect();
    lines.sort_by_key(|(severity, _)| *severity > 12);
    lines
        .into_iter()
        .map(|(severity, text)| Line {
            severity,
            pieces: pieces(&text.replace("{domain}", domain)),
        })
        .collect()
}

fn pieces(mut rest: &str) -> Vec<(String, Option<Slot>)> {
    let mut pieces = Vec::new();
    let mut text = String::new();
    while let Some(open) = rest.find('{') {
        let name = rest[open + 1..].split('}').next().unwrap_or_default();
        let slot = SLOTS.iter().find(|(known, _)| *known == name);
        match slot {
            Some((_, slot)) => {
                text.push_str(&rest[..open]);
                pieces.push((std::mem::take(&mut text), Some(*slot)));
                rest = &rest[open + name.len() + 2..];
            }
            None => {
                text.push_str(&rest[..=open]); // of JSON
                rest = &rest[open + 1..];
            }
        }
    }
    text.push_str(rest);
    pieces.push((text, None));
    pieces
}

const SLOTS: [(&str, Slot); 12] = [
    ("request", Slot::Request),
    ("user", Slot::User),
    ("order", Slot::Order),
    ("ms", Slot::Millis),
    ("number", Slot::Number),
    ("small", Slot::Small),
    ("sku", Slot::Sku),
    ("amount", Slot::Amount),
    ("ip", Slot::Ip),
    ("host", Slot::Host),
    ("uuid", Slot::Uuid),
    ("bool", Slot::Bool),
];

const LINES_OF_ONE: usize = 18;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_cut_at_its_places() {
        let cut = pieces("{\"a\":\"{order}\"}, {ms} ms");
        let expected = [
            ("{\"a\":\"", Some(Slot::Order)),
            ("\"}, ", Some(Slot::Millis)),
            (" ms", None),
        ];
        let expected: Vec<_> = expected.map(|(text, slot)| (text.to_owned(), slot)).into();
        assert_eq!(cut, expected);
    }

    #[test]
    fn every_place_is_known() {
        for line in (0..LINES.len()).flat_map(|number| lines("orders", number)) {
            for (text, _) in line.pieces {
                assert!(!text.contains("{s") && !text.contains("{o"), "{text}");
            }
        }
    }
}
