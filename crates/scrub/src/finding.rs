//! What was found and where, for people who want to see it before it happens.

use crate::counts::Rule;

/// One thing that a rule took out. What it was is told by its kind and length only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: Rule,
    /// Where it stood: the path in the request, as in `spans[0].attributes.db.query.text`. Empty for plain text.
    pub place: String,
    /// How many characters stand before it in its text, if it was a part of a text.
    pub column: Option<usize>,
    /// What it was: `16 digits`, `text of 40 bytes`.
    pub before: String,
    /// What stands there now; `None` if nothing does.
    pub after: Option<String>,
}

/// Where in a request the scrubber is, and what it found so far. Only kept when somebody asks for it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Findings {
    pub(crate) path: Vec<String>,
    pub(crate) found: Vec<Finding>,
}

impl Findings {
    pub(crate) fn add(
        &mut self,
        rule: Rule,
        column: Option<usize>,
        before: String,
        after: Option<&str>,
    ) {
        let mut place = String::new();
        for step in &self.path {
            if !place.is_empty() && !step.starts_with('[') {
                place.push('.');
            }
            place.push_str(step);
        }
        self.found.push(Finding {
            rule,
            place,
            column,
            before,
            after: after.map(str::to_owned),
        });
    }
}

/// The kind and length of a text.
pub(crate) fn outline(text: &str) -> String {
    let count = text.chars().count();
    let is = |of: fn(char) -> bool| text.chars().all(of);
    let what = if count == 0 {
        return "empty text".to_owned();
    } else if is(|c| c.is_ascii_digit()) {
        "digits"
    } else if is(|c| c.is_ascii_digit() || " -.".contains(c)) {
        "digits in groups"
    } else if is(|c| c.is_ascii_hexdigit()) {
        "hexadecimal digits"
    } else if is(|c| c.is_ascii_alphabetic()) {
        "letters"
    } else if is(|c| c.is_ascii_alphanumeric()) {
        "letters and digits"
    } else {
        "characters"
    };
    match count {
        1 => format!("1 of {what}"),
        _ => format!("{count} {what}"),
    }
}
