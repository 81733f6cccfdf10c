//! What a text says: words, phrases and regular expressions, as people type them into a search box.
//!
//! ```text
//! timeout payment        both words, anywhere
//! "order 1234"           these words, one after the other
//! ord-1b2c               the same as "ord 1b2c"
//! /took \d{4,} ms/       a regular expression
//! -retry -"will retry"   none of it
//! ```
//!
//! Words are those of [`tokens`](crate::tokens): upper and lower case of ASCII are the same, and a word
//! is whole.

use arrow::array::ArrayRef;
use arrow::buffer::BooleanBuffer;
use regex::Regex;

use super::compare::each_text;
use super::{Filter, Operator};
use crate::token::Phrase;

/// Finds a phrase in texts.
#[derive(Debug)]
pub(super) struct PhraseFinder {
    phrase: Phrase,
    /// The longest word of it, which is quicker to look for than to split every text into words.
    hint: Option<Regex>,
}

impl PhraseFinder {
    pub(super) fn new(phrase: &Phrase) -> Self {
        let words = phrase.words().iter().filter(|word| word.is_ascii());
        let longest = words.max_by_key(|word| word.len());
        PhraseFinder {
            hint: longest.and_then(|word| Regex::new(&format!("(?i-u:{word})")).ok()),
            phrase: phrase.clone(),
        }
    }

    pub(super) fn find(&self, column: &ArrayRef) -> BooleanBuffer {
        each_text(column, |text| {
            self.hint.as_ref().is_none_or(|hint| hint.is_match(text)) && self.phrase.is_in(text)
        })
    }
}

impl Filter {
    /// What a text of a search box asks of the bodies of log records, or what is wrong with it.
    pub fn of_words(text: &str) -> Result<Filter, String> {
        let mut filters = Vec::new();
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let (not, begin) = match rest.strip_prefix('-') {
                Some(rest) if !rest.starts_with(char::is_whitespace) => (true, rest),
                _ => (false, rest),
            };
            let (filter, after) = one(begin)?;
            filters.extend(filter.map(|filter| match not {
                true => Filter::Not(Box::new(filter)),
                false => filter,
            }));
            rest = after.trim_start();
        }
        Ok(Filter::All(filters))
    }
}

/// What the beginning of a text asks for, if anything, and what comes after it.
fn one(text: &str) -> Result<(Option<Filter>, &str), String> {
    for (quote, what) in [('"', "phrase"), ('/', "regular expression")] {
        let Some(inner) = text.strip_prefix(quote) else {
            continue;
        };
        let (inner, after) =
            quoted(inner, quote).ok_or_else(|| format!("the {what} {text} has no end"))?;
        let filter = match quote {
            '/' => Some(Filter::is("body", Operator::Matches, inner)),
            _ => says(&inner),
        };
        return Ok((filter, after));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    Ok((says(word), after))
}

fn says(text: &str) -> Option<Filter> {
    let phrase = Phrase::new(text);
    (!phrase.is_empty()).then_some(Filter::Says(phrase))
}

/// The text up to a quote that no backslash is before, and what comes after it.
fn quoted(text: &str, quote: char) -> Option<(String, &str)> {
    let mut inner = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            return Some((inner, &text[at + character.len_utf8()..]));
        }
        if character == '\\' {
            let (_, escaped) = characters.next()?;
            if escaped != quote {
                inner.push('\\');
            }
            inner.push(escaped);
        } else {
            inner.push(character);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expect: &[Filter]) {
        assert_eq!(
            Filter::of_words(text),
            Ok(Filter::All(expect.to_vec())),
            "{text}"
        );
    }

    #[test]
    fn words_phrases_and_regular_expressions_are_told_apart() {
        let says = |text: &str| Filter::Says(Phrase::new(text));
        let not = |filter| Filter::Not(Box::new(filter));
        let matches = |pattern: &str| Filter::is("body", Operator::Matches, pattern);
        check("", &[]);
        check("  Timeout payment ", &[says("timeout"), says("payment")]);
        check("ord-1b2c", &[says("ord 1b2c")]);
        check("\"order 1234\" paid", &[says("order 1234"), says("paid")]);
        check(r#""say \"hi\"""#, &[says("say hi")]);
        check(
            r"/took \d+ ms\/s/ x",
            &[matches(r"took \d+ ms/s"), says("x")],
        );
        check(
            "-retry -\"will retry\" -/x+/",
            &[
                not(says("retry")),
                not(says("will retry")),
                not(matches("x+")),
            ],
        );
        check("a - b", &[says("a"), says("b")]);
    }

    #[test]
    fn what_has_no_end_is_refused() {
        for text in ["\"order", "/x", r#""a\""#] {
            assert!(Filter::of_words(text).is_err(), "{text}");
        }
    }
}
