//! Words of texts: what a filter beside a segment is made of, and what a search for words compares.
//!
//! A token is a run of letters, digits and `_`, as long as it goes. Letters are those of Unicode; of
//! upper and lower case only ASCII's are the same. Everything else separates tokens, so that an id with
//! dashes in it is several of them, and is found as a [`Phrase`]: these tokens, one after the other.
//!
//! Filters and exact checks use the same definition, so that what a text has is never missed. A change
//! of it, or of [`TokenHash`], needs a new version of the filters on disk.
//!
//! ```
//! use throughline_store::{Phrase, tokens};
//!
//! let body = "Order ord-1b2c failed: no_stock";
//! let words: Vec<&str> = tokens(body).map(|token| token.text()).collect();
//! assert_eq!(words, ["Order", "ord", "1b2c", "failed", "no_stock"]);
//! assert!(Phrase::new("ORD-1b2c").is_in(body));
//! assert!(!Phrase::new("1b2c ord").is_in(body));
//! ```

use twox_hash::XxHash64;

/// The tokens of a text, in order.
pub fn tokens(text: &str) -> Tokens<'_> {
    Tokens { rest: text }
}

/// See [`tokens`].
#[derive(Clone, Debug)]
pub struct Tokens<'a> {
    rest: &'a str,
}

/// One token of a text.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a>(&'a str);

/// What a filter knows of a token: 64 bits of it in lower case. XXH64 with seed 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenHash(pub(crate) u64);

/// Tokens that are looked for one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Phrase {
    /// In lower case.
    words: Vec<String>,
}

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let begin = length_while(self.rest, |is_word| !is_word);
        let rest = &self.rest[begin..];
        let end = length_while(rest, |is_word| is_word);
        let (token, rest) = rest.split_at(end);
        self.rest = rest;
        (!token.is_empty()).then_some(Token(token))
    }
}

impl<'a> Token<'a> {
    /// As it stands in the text.
    pub fn text(self) -> &'a str {
        self.0
    }

    /// Whether it is this token, which is in lower case.
    pub fn is(self, lower: &str) -> bool {
        self.0.eq_ignore_ascii_case(lower)
    }

    /// What a filter knows of it. Of a token longer than [`TOKEN_HASHED_BYTES`] only so many count.
    pub fn hash(self) -> TokenHash {
        let mut lower = [0; TOKEN_HASHED_BYTES];
        let bytes = self.0.as_bytes();
        let bytes = &bytes[..bytes.len().min(TOKEN_HASHED_BYTES)];
        let lower = &mut lower[..bytes.len()];
        lower.copy_from_slice(bytes);
        lower.make_ascii_lowercase();
        TokenHash(XxHash64::oneshot(0, lower))
    }
}

impl Phrase {
    /// The tokens of a text, as a phrase. One token is a phrase too.
    pub fn new(text: &str) -> Self {
        let words = tokens(text).map(|token| token.text().to_ascii_lowercase());
        Phrase {
            words: words.collect(),
        }
    }

    /// Its tokens, in lower case.
    pub fn words(&self) -> &[String] {
        &self.words
    }

    /// Whether there is no token in it. Such a phrase is in every text.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// What a filter knows of its tokens. A text has the phrase only if it has them all.
    pub fn hashes(&self) -> impl Iterator<Item = TokenHash> {
        self.words.iter().map(|word| Token(word).hash())
    }

    /// Whether a text has its tokens, one after the other.
    pub fn is_in(&self, text: &str) -> bool {
        let mut rest = tokens(text);
        loop {
            let mut here = rest.clone();
            let mut words = self.words.iter();
            if words.all(|word| here.next().is_some_and(|token| token.is(word))) {
                return true;
            }
            if rest.next().is_none() {
                return false;
            }
        }
    }
}

/// Bytes at the beginning of a text whose characters are all of tokens, or all not.
fn length_while(text: &str, wanted: impl Fn(bool) -> bool) -> usize {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let (is_word, length) = if byte.is_ascii() {
            (byte.is_ascii_alphanumeric() || *byte == b'_', 1)
        } else {
            match text[at..].chars().next() {
                Some(character) => (character.is_alphanumeric(), character.len_utf8()),
                None => break,
            }
        };
        if !wanted(is_word) {
            break;
        }
        at += length;
    }
    at
}

/// Bytes of a token that a filter looks at. Longer ones are encoded data, which begin differently.
pub const TOKEN_HASHED_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn texts_fall_into_tokens() {
        let cases: &[(&str, &[&str])] = &[
            ("", &[]),
            (" ,;- ", &[]),
            ("one", &["one"]),
            (
                "GET /api/v1/orders?id=7",
                &["GET", "api", "v1", "orders", "id", "7"],
            ),
            ("snake_case __ x_", &["snake_case", "__", "x_"]),
            (
                "5b8efff7-9803-8103-d269",
                &["5b8efff7", "9803", "8103", "d269"],
            ),
            (
                "größer als Ärger…日本語",
                &["größer", "als", "Ärger", "日本語"],
            ),
            ("{\"a\":1.5}", &["a", "1", "5"]),
        ];
        for (text, expected) in cases {
            let found: Vec<&str> = tokens(text).map(Token::text).collect();
            assert_eq!(&found, expected, "{text:?}");
        }
    }

    #[test]
    fn phrases_are_tokens_in_a_row() {
        let text = "Order ord-ord-1b2c failed: timeout after 30 s";
        for (phrase, expected) in [
            ("order", true),
            ("ORD-1B2C", true),
            ("ord ord 1b2c", true),
            ("ord-1b2", false),
            ("failed after", false),
            ("30 s", true),
            ("30 s more", false),
            ("", true),
        ] {
            assert_eq!(Phrase::new(phrase).is_in(text), expected, "{phrase:?}");
        }
        assert!(Phrase::new(" - ").is_empty());
        assert!(!Phrase::new("x").is_in(""));
    }

    #[test]
    fn hashes_stay_what_they_are() {
        let hash = |text: &str| tokens(text).next().map(|token| token.hash().0);
        // Filters on disk have these.
        assert_eq!(hash("timeout"), Some(18_041_881_250_165_086_214));
        assert_eq!(hash("TimeOut"), hash("timeout"));
        let long = "x".repeat(TOKEN_HASHED_BYTES);
        assert_eq!(hash(&long), hash(&format!("{long}y")));
        assert_ne!(hash(&long), hash(&long[1..]));
    }

    proptest! {
        #[test]
        fn no_character_of_a_token_is_lost(text in "\\PC{0,60}|[a-cA-C_é \\-]{0,30}") {
            let found: String = tokens(&text).map(Token::text).collect();
            let expected: String =
                text.chars().filter(|it| it.is_alphanumeric() || *it == '_').collect();
            prop_assert_eq!(found, expected);
        }

        #[test]
        fn a_part_between_tokens_is_found(
            before in "([a-c]{1,2}[ .-]){0,5}",
            phrase in "[a-cA-C]{1,2}([ .-][a-c]{1,2}){0,3}",
            after in "([ .-][a-c]{1,2}){0,5}",
        ) {
            let text = format!("{before}{phrase}{after}");
            let phrase = Phrase::new(&phrase);
            prop_assert!(phrase.is_in(&text));
            let all: Vec<TokenHash> = tokens(&text).map(Token::hash).collect();
            prop_assert!(phrase.hashes().all(|hash| all.contains(&hash)));
        }
    }
}
