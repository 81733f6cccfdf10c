//! What counts as a secret.

use regex_lite::Regex;

use crate::keys::normalized;
use crate::payload::Payloads;

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
    pub(crate) payloads: Payloads,
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
            payloads: Payloads::default(),
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
    /// It is no regular expression, or matches the empty text and therefore everything, or what stands for it.
    pub fn pattern(mut self, name: &str, regex: &str) -> Result<Self, BadRule> {
        let bad = |reason: &str| BadRule {
            name: name.chars().take(NAME_CHARS_MAX).collect(),
            reason: reason.split_whitespace().collect::<Vec<_>>().join(" "),
        };
        let is_name = !name.is_empty()
            && name.len() <= NAME_CHARS_MAX
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_name {
            return Err(bad("a name has letters, digits, - and _ only"));
        }
        if regex.len() > PATTERN_BYTES_MAX {
            return Err(bad("it is too long"));
        }
        let compiled = Regex::new(regex).map_err(|error| bad(&error.to_string()))?;
        if compiled.is_match("") {
            return Err(bad("it matches the empty text"));
        }
        // What was replaced once would be replaced again by whoever looks next.
        if compiled.is_match(&format!("[{name}]")) {
            let why = format!("it matches [{name}], which would stand for what it found");
            return Err(bad(&why));
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

    /// Which payloads leave; their shape only, unless told.
    #[must_use]
    pub fn payloads(mut self, mode: Payloads) -> Self {
        self.payloads = mode;
        self
    }

    /// Whether it matters how an invocation went, so that its spans should wait until that is known.
    pub fn needs_fate(&self) -> bool {
        self.payloads == Payloads::OnError
    }

    /// Whether a pattern of the user's is found in it.
    pub(crate) fn has_pattern_in(&self, text: &str) -> bool {
        self.patterns
            .iter()
            .any(|(_, pattern)| pattern.is_match(text))
    }

    pub(crate) fn has_patterns(&self) -> bool {
        !self.patterns.is_empty()
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

const NAME_CHARS_MAX: usize = 40;
const PATTERN_BYTES_MAX: usize = 1024;
