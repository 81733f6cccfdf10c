//! What is wrong with a query, and where.

use std::fmt;
use std::ops::Range;

/// Why a query cannot be answered: what is wrong, what would be right, and the place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    what: String,
    line: usize,
    column: usize,
}

/// Where something stands in a query, in bytes.
pub(super) type Place = Range<usize>;

/// The same before the text is at hand that places are counted in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) what: String,
    pub(super) at: usize,
}

impl Fault {
    pub(super) fn new(what: impl Into<String>, at: &Place) -> Self {
        Fault {
            what: what.into(),
            at: at.start,
        }
    }

    pub(super) fn in_text(self, text: &str) -> Mistake {
        let before = &text[..self.at.min(text.len())];
        let line = before.matches('\n').count() + 1;
        let of_line = before.rsplit('\n').next().unwrap_or_default();
        Mistake {
            what: self.what,
            line,
            column: of_line.chars().count() + 1,
        }
    }
}

impl Mistake {
    /// What is wrong, without the place.
    pub fn what(&self) -> &str {
        &self.what
    }

    /// The line, from 1.
    pub fn line(&self) -> usize {
        self.line
    }

    /// The character of the line, from 1.
    pub fn column(&self) -> usize {
        self.column
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Mistake { what, line, column } = self;
        write!(f, "{what} at line {line}, column {column}")
    }
}

impl std::error::Error for Mistake {}

/// `did you mean ...?` for a word that is not among those that there are; else all of those.
pub(super) fn meant<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let small = word.to_lowercase();
    let alike = known
        .clone()
        .map(|name| (strsim::jaro_winkler(&small, &name.to_lowercase()), name))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match alike {
        Some((likeness, name)) if likeness > ALIKE => format!("did you mean `{name}`?"),
        _ => {
            let all: Vec<&str> = known.collect();
            format!("there are {}", all.join(", "))
        }
    }
}

const ALIKE: f64 = 0.82;
