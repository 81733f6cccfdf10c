//! Who sent a body, and its number there.

use std::fmt;
use std::sync::Arc;

use crate::completeness::Ledger;

/// Which execution environment a body comes from, its number in it, and what the environment says
/// of everything that it has taken in.
///
/// A body with a number is stored once, however often it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The execution environment.
    pub environment: EnvironmentId,
    /// The number of the batch in its environment, from 1. A body without one cannot be told from
    /// its copies.
    pub sequence: Option<Sequence>,
    /// The name of the function; empty if the sender does not say.
    pub function: String,
    /// The sender's account, as it was when the body was sent.
    pub ledger: Option<Ledger>,
}

impl Origin {
    /// The origin of an environment about which nothing more is said.
    pub fn new(environment: EnvironmentId) -> Self {
        Origin {
            environment,
            sequence: None,
            function: String::new(),
            ledger: None,
        }
    }

    /// With no longer a name of the function than a frame of the WAL can hold, so that it is the
    /// same after a replay.
    pub(crate) fn cut(mut self) -> Self {
        let length = function_name(&self.function).len();
        self.function.truncate(length);
        self
    }

    /// About how much memory it takes in a buffer.
    pub(crate) fn memory_bytes(&self) -> usize {
        ENTRY_BYTES
            + self.environment.as_str().len()
            + self.function.len()
            + self.ledger.as_ref().map_or(0, Ledger::memory_bytes)
    }
}

/// The name of an execution environment: what its extension calls it, mostly a UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EnvironmentId(Arc<str>);

impl EnvironmentId {
    /// Up to 128 visible ASCII characters; anything else is none.
    pub fn try_new(text: &str) -> Option<Self> {
        let good = (1..=ENVIRONMENT_BYTES_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        good.then(|| EnvironmentId(text.into()))
    }

    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EnvironmentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number of a batch in its environment, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u64);

impl Sequence {
    /// From 1 to 2^62; anything else is none.
    pub fn try_new(number: u64) -> Option<Self> {
        (1..=SEQUENCE_MAX)
            .contains(&number)
            .then_some(Sequence(number))
    }

    /// The number.
    pub fn number(self) -> u64 {
        self.0
    }
}

/// Cuts the name of a function to what is kept of it.
pub(crate) fn function_name(text: &str) -> &str {
    let mut end = text.len().min(FUNCTION_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// A UUID has 36.
const ENVIRONMENT_BYTES_MAX: usize = 128;

/// Lambda allows 64, and 140 in an ARN. One byte of the WAL frame holds the length.
pub(crate) const FUNCTION_BYTES_MAX: usize = 255;

/// Numbers one past this still fit into the catalog's signed integers.
pub(crate) const SEQUENCE_MAX: u64 = 1 << 62;

/// What a buffer keeps for an environment besides text: an entry of its map and one of its ranges.
const ENTRY_BYTES: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_an_environment() {
        let uuid = "0192d4e0-7f1a-7c3b-9a55-0f6f2f0f9b11";
        assert_eq!(EnvironmentId::try_new(uuid).unwrap().as_str(), uuid);
        assert!(EnvironmentId::try_new(&"x".repeat(128)).is_some());
        for wrong in ["", "two words", "ümlaut", "tab\t", &"x".repeat(129)] {
            assert_eq!(EnvironmentId::try_new(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn numbers_begin_at_one() {
        assert_eq!(Sequence::try_new(0), None);
        assert_eq!(Sequence::try_new(1).unwrap().number(), 1);
        assert_eq!(Sequence::try_new(u64::MAX), None);
    }

    #[test]
    fn a_long_name_is_cut_between_characters() {
        let long = "é".repeat(200);
        assert_eq!(function_name(&long), "é".repeat(127));
        assert_eq!(function_name("checkout"), "checkout");
    }
}
