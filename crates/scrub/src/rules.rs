//! What counts as a secret.

use regex_lite::Regex;

use crate::keys::normalized;

/// What to take out. [`Rules::default`] is the recommended set.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(crate) extra_keys: Vec<String>,
    pub(crate) allowed_keys: Vec<String>,
    pub(crate) patterns: Vec<(String, Regex)>,
    pub(crate) emails: bool,
    pub(crate) ssn: bool,
    pub(crate) iban: bool,
    pub(crate) ipv4: bool,
    pub(crate) hash_key: (u64, u64),
}

impl Default for Rules {
    fn default() -> Self {
        Rules {
            extra_keys: Vec::new(),
            allowed_keys: Vec::new(),
            patterns: Vec::new(),
            emails: true,
            ssn: false,
            iban: false,
            ipv4: false,
            hash_key: (0, 0),
        }
    }
}

impl Rules {
    /// Values under names that contain this are secret, too. Case and the characters `-_. ` do not count.
    #[must_use]
    pub fn key(mut self, part: &str) -> Self {
        self.extra_keys.push(normalized(part));
        self
    }

    /// Values under exactly this name are not secret for their name's sake.
    #[must_use]
    pub fn allow_key(mut self, name: &str) -> Self {
        self.allowed_keys.push(normalized(name));
        self
    }

    /// Text that matches is secret; it becomes `[name]`.
    ///
    /// # Errors
    /// It is no regular expression, or matches the empty text and therefore everything.
    pub fn pattern(mut self, name: &str, regex: &str) -> Result<Self, BadRule> {
        let compiled = Regex::new(regex).map_err(|error| BadRule {
            name: name.to_owned(),
            reason: error.to_string(),
        })?;
        if compiled.is_match("") {
            return Err(BadRule {
                name: name.to_owned(),
                reason: "it matches the empty text".to_owned(),
            });
        }
        self.patterns.push((name.to_owned(), compiled));
        Ok(self)
    }

    /// Whether local parts of e-mail addresses are replaced by a keyed hash, which they are unless told.
    #[must_use]
    pub fn emails(mut self, on: bool) -> Self {
        self.emails = on;
        self
    }

    /// Whether social security numbers of the United States go.
    #[must_use]
    pub fn ssn(mut self, on: bool) -> Self {
        self.ssn = on;
        self
    }

    /// Whether international bank account numbers go.
    #[must_use]
    pub fn iban(mut self, on: bool) -> Self {
        self.iban = on;
        self
    }

    /// Whether the last part of IPv4 addresses goes.
    #[must_use]
    pub fn ipv4(mut self, on: bool) -> Self {
        self.ipv4 = on;
        self
    }

    /// The key of the hash that stands for e-mail addresses. With the same key, one address is always one hash, so that
    /// it can still be searched for; without knowing the key, nobody can compute it from a guess.
    #[must_use]
    pub fn hash_key(mut self, key: (u64, u64)) -> Self {
        self.hash_key = key;
        self
    }
}

/// A pattern of the user's that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("cannot use the scrub pattern {name}: {reason}")]
pub struct BadRule {
    name: String,
    reason: String,
}
