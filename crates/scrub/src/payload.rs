//! What a function was called with and what it answered: whether it leaves, and how much of it.
//!
//! The mode is one of [`Payloads`]. Whatever leaves is scrubbed first and cut afterwards, because half a token is no
//! longer recognised as one.

mod apply;
mod cut;
mod ids;
mod names;
mod node;
mod shape;
mod withheld;

use std::fmt;

pub(crate) use apply::{apply, size};
pub(crate) use names::{Named, named};
pub(crate) use withheld::is_withheld;

/// Which payloads leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Payloads {
    /// None; not even their size.
    Off,
    /// Their size, their names and types, and the ids that join them to other things. No other value.
    #[default]
    Metadata,
    /// All of them, scrubbed and cut, of invocations that failed or ran out of time; of others the metadata.
    OnError,
    /// All of them, scrubbed and cut.
    All,
}

impl Payloads {
    /// Reads the word that [`fmt::Display`] writes.
    pub fn from_word(word: &str) -> Option<Self> {
        let all = [
            Payloads::Off,
            Payloads::Metadata,
            Payloads::OnError,
            Payloads::All,
        ];
        all.into_iter()
            .find(|mode| mode.to_string().eq_ignore_ascii_case(word.trim()))
    }
}

impl fmt::Display for Payloads {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Payloads::Off => "off",
            Payloads::Metadata => "metadata",
            Payloads::OnError => "on-error",
            Payloads::All => "all",
        })
    }
}

/// The invocation that a span or a log record belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Tells invocations apart.
    pub invocation: u64,
    /// How it went.
    pub fate: Fate,
}

/// How an invocation went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It still runs, or nobody knows.
    Open,
    /// It answered.
    Succeeded,
    /// It raised, crashed or did not end in time.
    Failed,
}

/// Whether the attribute of this name is a payload, or a part of one.
pub fn is_payload(name: &str) -> bool {
    named(name) != Named::Other
}

/// What is kept of the payloads of one span or log record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    Nothing,
    Shape,
    Values {
        bytes_max: usize,
    },
    /// It may hold a secret as a whole: the answer of a vault.
    Withheld,
}

impl Keep {
    /// `failed` is what the span says of itself, for those whose invocation nobody knows.
    pub(crate) fn of(mode: Payloads, origin: Option<Origin>, failed: bool) -> Self {
        let failed = match origin.map(|origin| origin.fate) {
            Some(Fate::Failed) => true,
            Some(Fate::Succeeded | Fate::Open) => false,
            None => failed,
        };
        match (mode, failed) {
            (Payloads::Off, _) => Keep::Nothing,
            (Payloads::Metadata, _) | (Payloads::OnError, false) => Keep::Shape,
            (Payloads::OnError | Payloads::All, true) => Keep::Values {
                bytes_max: VALUE_BYTES_MAX_FAILED,
            },
            (Payloads::All, false) => Keep::Values {
                bytes_max: VALUE_BYTES_MAX,
            },
        }
    }
}

/// What the payloads of an invocation may take together, over several requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct Budgets {
    /// Newest last.
    spent: Vec<(u64, usize)>,
}

impl Budgets {
    /// Whether there is room for so many bytes; takes them.
    pub(crate) fn take(&mut self, invocation: u64, bytes: usize) -> bool {
        let at = self
            .spent
            .iter()
            .position(|(known, _)| *known == invocation);
        let at = at.unwrap_or_else(|| {
            if self.spent.len() == INVOCATIONS_MAX {
                self.spent.remove(0);
            }
            self.spent.push((invocation, 0));
            self.spent.len() - 1
        });
        let spent = &mut self.spent[at].1;
        let fits = *spent + bytes <= INVOCATION_BYTES_MAX;
        if fits {
            *spent += bytes;
        }
        fits
    }

    /// What belongs to no invocation has a budget for each request.
    pub(crate) fn begin_request(&mut self) {
        self.spent.retain(|(known, _)| *known != NO_INVOCATION);
    }
}

pub(crate) const NO_INVOCATION: u64 = 0;
/// Of one payload.
pub(crate) const VALUE_BYTES_MAX: usize = 2048;
/// Of one payload of an invocation that failed.
pub(crate) const VALUE_BYTES_MAX_FAILED: usize = 4096;
/// Of all payloads of an invocation.
pub(crate) const INVOCATION_BYTES_MAX: usize = 64 * 1024;
/// So many invocations are told apart; an environment runs one at a time, a managed one some more.
const INVOCATIONS_MAX: usize = 64;
/// A payload nested deeper ends there.
const DEPTH_MAX: usize = 8;
/// Of one array or object.
const MEMBERS_MAX: usize = 64;
/// Larger text is not read as JSON: the tree takes a multiple of it.
const PARSE_BYTES_MAX: usize = 256 * 1024;

#[cfg(test)]
mod tests;
