//! Names with `*` for whatever may stand there.

use serde::{Deserialize, Serialize};

/// A name, in which each `*` stands for any text: `function:pay*`. Upper and lower case differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Pattern(String);

impl Pattern {
    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        let mut parts = self.0.split('*');
        let first = parts.next().unwrap_or_default();
        let Some(mut rest) = name.strip_prefix(first) else {
            return false;
        };
        let Some(last) = parts.next_back() else {
            return rest.is_empty();
        };
        for part in parts {
            // The first place is as good as any: what is behind it is longest.
            let Some(at) = rest.find(part) else {
                return false;
            };
            rest = &rest[at + part.len()..];
        }
        rest.ends_with(last)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Pattern {
    fn from(text: &str) -> Self {
        Pattern(text.to_owned())
    }
}

/// Whether one of them means one of these names. None of them mean all, and no name as well.
pub(crate) fn any_or_one(patterns: &[Pattern], names: &[&str]) -> bool {
    let is_meant = |name: &&str| patterns.iter().any(|pattern| pattern.matches(name));
    patterns.is_empty() || names.iter().any(is_meant)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_any_text() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(
                Pattern::from(pattern).matches(name),
                expected,
                "{pattern} {name}"
            );
        };
        check("function:pay", "function:pay", true);
        check("function:pay", "function:payment", false);
        check("function:pay*", "function:payment", true);
        check("*:pay", "function:pay", true);
        check("*", "", true);
        check("", "a", false);
        check("a*b*c", "a-b-b-c", true);
        check("a*b*c", "a-c-b", false);
        check("ab*ba", "aba", false);
        check("*ä*", "über-älter", true);
    }

    proptest! {
        /// Whatever is put in place of the stars is found.
        #[test]
        fn what_fills_the_stars_matches(parts in proptest::collection::vec("[ab:]{0,3}", 1..5), fill in "[abc]{0,4}") {
            prop_assert!(Pattern(parts.join("*")).matches(&parts.join(&fill)));
        }
    }
}
