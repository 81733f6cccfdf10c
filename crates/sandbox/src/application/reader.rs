//! Walks an application file by hand rather than through serde, which stops at the first mistake.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// Takes values out of sections and keeps every problem that it meets on the way.
#[derive(Debug)]
pub(super) struct Reader {
    dialect: Dialect,
    lines: Lines,
    problems: Vec<String>,
}

/// The line on which each place is, counted from 1.
pub(super) type Lines = BTreeMap<String, usize>;

/// Which of the two languages a file is written in. They say the same things under other names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// `throughline.toml`: a value has exactly the type that it should have.
    Toml,
    /// A SAM template: numbers and booleans may be written as text, since every parameter is text.
    Sam,
}

/// A setting and what each language calls it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key {
    pub(super) toml: &'static str,
    pub(super) sam: &'static str,
}

/// A table of the file and where it is.
#[derive(Debug, Clone)]
pub(super) struct Section<'v> {
    /// Such as `functions.checkout`; empty for the whole file.
    pub(super) place: String,
    pub(super) map: &'v Map<String, Value>,
}

/// The least and the most that a number may be, and what it counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) least: u32,
    pub(super) most: u32,
    pub(super) unit: &'static str,
}

impl Reader {
    /// A reader whose problems tell the lines that are known.
    pub(super) fn new(dialect: Dialect, lines: Lines) -> Self {
        Self {
            dialect,
            lines,
            problems: Vec::new(),
        }
    }

    pub(super) fn into_problems(self) -> Vec<String> {
        self.problems
    }

    pub(super) fn is_content(&self) -> bool {
        self.problems.is_empty()
    }

    pub(super) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// What this file's language calls the setting.
    pub(super) fn name(&self, key: Key) -> &'static str {
        match self.dialect {
            Dialect::Toml => key.toml,
            Dialect::Sam => key.sam,
        }
    }

    /// The value, unless there is none. A template's null is a reference that became nothing.
    pub(super) fn value<'v>(&self, section: &Section<'v>, key: Key) -> Option<&'v Value> {
        section
            .map
            .get(self.name(key))
            .filter(|value| !value.is_null())
    }

    pub(super) fn has(&self, section: &Section<'_>, key: Key) -> bool {
        self.value(section, key).is_some()
    }

    pub(super) fn string(&mut self, section: &Section<'_>, key: Key) -> Option<String> {
        let value = self.value(section, key)?;
        let place = section.place_of(self.name(key));
        self.text(&place, value)
    }

    pub(super) fn text(&mut self, place: &str, value: &Value) -> Option<String> {
        match value {
            Value::String(text) if text.is_empty() => {
                self.problem(place, "empty");
                None
            }
            Value::String(text) => Some(text.clone()),
            Value::Number(number) if self.dialect == Dialect::Sam => Some(number.to_string()),
            Value::Bool(flag) if self.dialect == Dialect::Sam => Some(flag.to_string()),
            other => {
                self.mismatch(place, "a string", other);
                None
            }
        }
    }

    pub(super) fn boolean(&mut self, section: &Section<'_>, key: Key) -> Option<bool> {
        let value = self.value(section, key)?;
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) if self.dialect == Dialect::Sam => boolean_word(text),
            _ => None,
        };
        if flag.is_none() {
            let place = section.place_of(self.name(key));
            self.mismatch(&place, "true or false", value);
        }
        flag
    }

    pub(super) fn integer(&mut self, section: &Section<'_>, key: Key, range: Range) -> Option<u32> {
        let value = self.value(section, key)?;
        let number = self
            .whole_number(value)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (range.least..=range.most).contains(number));
        if number.is_none() {
            let expected = format!(
                "a whole number of {} from {} to {}",
                range.unit, range.least, range.most
            );
            self.mismatch(&section.place_of(self.name(key)), &expected, value);
        }
        number
    }

    /// Like [`Reader::integer`], but −1 may stand for "without end", which is then said by an inner `None`.
    #[allow(clippy::option_option)] // not written, or written and endless
    pub(super) fn integer_or_endless(
        &mut self,
        section: &Section<'_>,
        key: Key,
        range: Range,
    ) -> Option<Option<u32>> {
        let value = self.value(section, key)?;
        if self.whole_number(value) == Some(-1) {
            return Some(None);
        }
        let number = self
            .whole_number(value)
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (range.least..=range.most).contains(number));
        if number.is_none() {
            let expected = format!(
                "-1 for no end or a whole number of {} from {} to {}",
                range.unit, range.least, range.most
            );
            self.mismatch(&section.place_of(self.name(key)), &expected, value);
            return None;
        }
        Some(number)
    }

    pub(super) fn whole_number(&self, value: &Value) -> Option<i64> {
        match value {
            Value::String(text) if self.dialect == Dialect::Sam => text.trim().parse().ok(),
            other => other.as_i64(),
        }
    }

    pub(super) fn section<'v>(
        &mut self,
        section: &Section<'v>,
        key: Key,
        expected: &str,
    ) -> Option<Section<'v>> {
        let value = self.value(section, key)?;
        self.as_section(section.place_of(self.name(key)), value, expected)
    }

    pub(super) fn as_section<'v>(
        &mut self,
        place: String,
        value: &'v Value,
        expected: &str,
    ) -> Option<Section<'v>> {
        if let Value::Object(map) = value {
            return Some(Section { place, map });
        }
        self.mismatch(&place, expected, value);
        None
    }

    pub(super) fn list<'v>(
        &mut self,
        section: &Section<'v>,
        key: Key,
        expected: &str,
    ) -> Option<&'v [Value]> {
        let value = self.value(section, key)?;
        match value {
            Value::Array(items) => Some(items),
            other => {
                self.mismatch(&section.place_of(self.name(key)), expected, other);
                None
            }
        }
    }

    /// A list of strings; in a template one string alone is a list too.
    pub(super) fn strings(&mut self, section: &Section<'_>, key: Key) -> Option<Vec<String>> {
        let value = self.value(section, key)?;
        let place = section.place_of(self.name(key));
        match value {
            Value::Array(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .filter_map(|(index, item)| self.text(&format!("{place}[{index}]"), item))
                    .collect(),
            ),
            Value::String(_) if self.dialect == Dialect::Sam => {
                Some(self.text(&place, value).into_iter().collect())
            }
            other => {
                self.mismatch(&place, "a list of strings", other);
                None
            }
        }
    }

    pub(super) fn choice<T: Copy>(
        &mut self,
        section: &Section<'_>,
        key: Key,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = self.string(section, key)?;
        let found = choices.iter().find(|(name, _)| *name == text);
        if found.is_none() {
            let names: Vec<_> = choices.iter().map(|(name, _)| *name).collect();
            let message = format!("expected one of {}, found {text:?}", names.join(", "));
            self.problem(&section.place_of(self.name(key)), &message);
        }
        found.map(|(_, choice)| *choice)
    }

    /// A table of the file's own language is complete, so whatever is not known is a mistake.
    pub(super) fn reject_unknown(&mut self, section: &Section<'_>, known: &[&str]) {
        for key in section.map.keys() {
            if known.contains(&key.as_str()) {
                continue;
            }
            let message = match nearest(key, known) {
                Some(near) => format!("unknown key, did you mean {near}"),
                None => format!("unknown key, expected one of {}", known.join(", ")),
            };
            self.problem(&section.place_of(key), &message);
        }
    }

    pub(super) fn mismatch(&mut self, place: &str, expected: &str, found: &Value) {
        self.problem(
            place,
            &format!("expected {expected}, found {}", shortened(found)),
        );
    }

    pub(super) fn problem(&mut self, place: &str, message: &str) {
        let line = match line_of(&self.lines, place) {
            Some(line) => format!(" (line {line})"),
            None => String::new(),
        };
        let sentence = format!("{place}{line}: {message}");
        // What is wrong in one place is met as often as something refers to it.
        if self.problems.contains(&sentence) {
            return;
        }
        // A file can be wrong in as many places as it has bytes; nobody reads more than this.
        match self.problems.len() {
            ..PROBLEMS_MAX => self.problems.push(sentence),
            PROBLEMS_MAX => self.problems.push(format!(
                "more than {PROBLEMS_MAX} problems, the rest is not told"
            )),
            _ => {}
        }
    }
}

/// That of the innermost place around it that has one.
fn line_of(lines: &Lines, place: &str) -> Option<usize> {
    let mut place = place;
    loop {
        if let Some(line) = lines.get(place) {
            return Some(*line);
        }
        place = &place[..place.rfind(['.', '['])?];
    }
}

impl Section<'_> {
    pub(super) fn place_of(&self, key: &str) -> String {
        place_of(&self.place, key)
    }
}

impl Key {
    /// A setting that one language has only.
    pub(super) const fn only(name: &'static str) -> Self {
        Self {
            toml: name,
            sam: name,
        }
    }
}

/// Where the value of this key is.
pub(super) fn place_of(parent: &str, key: &str) -> String {
    let key = match key.char_indices().nth(KEY_CHARS_MAX) {
        Some((end, _)) => &key[..end],
        None => key,
    };
    if parent.is_empty() {
        key.to_owned()
    } else {
        format!("{parent}.{key}")
    }
}

/// The known name that somebody may have meant: one that differs in a letter or two, or that goes on after it.
pub(super) fn nearest<'k>(key: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = |name: &str| name.replace(['_', '-'], "").to_lowercase();
    let wanted = plain(key);
    let away = |name: &str| {
        let name = plain(name);
        let begins = wanted.len() >= BEGINNING_LEAST && name.starts_with(&wanted);
        match wanted.len() {
            _ if begins => 1,
            ..=NAME_BYTES_MAX => strsim::levenshtein(&wanted, &name),
            _ => usize::MAX,
        }
    };
    known
        .iter()
        .map(|name| (away(name), *name))
        .filter(|(away, name)| *away <= 2 && *away * 3 <= name.len())
        .min()
        .map(|(_, name)| name)
}

/// The words that YAML 1.1, which CloudFormation reads, takes for a boolean.
pub(super) fn boolean_word(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => Some(true),
        "false" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// What was found, on one short line.
pub(super) fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(FOUND_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// More than anybody reads.
const PROBLEMS_MAX: usize = 100;
/// Enough to recognise what was written.
const FOUND_CHARS_MAX: usize = 80;
/// A shorter beginning of a name could be that of anything.
const BEGINNING_LEAST: usize = 4;
/// Longer than any name there is.
const NAME_BYTES_MAX: usize = 64;
/// As much of a key as a place shows, lest a long one be copied for everything below it.
const KEY_CHARS_MAX: usize = 100;
