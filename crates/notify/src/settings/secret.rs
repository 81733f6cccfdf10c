//! What must not be shown: keys, passwords, addresses that hold a key.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A secret as it was written: itself, or `${NOTIFY_NAME}` for the environment variable that holds it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

/// No such environment variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the environment variable {0} is not set")]
pub struct NoVariable(pub String);

/// Where environment variables come from: a map in tests.
pub type Variables<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

impl Secret {
    /// The secret itself.
    pub fn reveal(&self, variables: Variables) -> Result<String, NoVariable> {
        match self.variable() {
            Some(name) => variables(name).ok_or_else(|| NoVariable(name.to_owned())),
            None => Ok(self.0.clone()),
        }
    }

    /// The environment variable that holds it, if it is one.
    pub fn variable(&self) -> Option<&str> {
        self.0.strip_prefix("${")?.strip_suffix('}')
    }

    /// What may be shown of it: the name of the variable, or that there is one.
    #[must_use]
    pub fn masked(&self) -> Secret {
        match self.variable() {
            Some(_) => self.clone(),
            None => Secret(MASK.to_owned()),
        }
    }

    /// Whether this is what is shown in place of one.
    pub fn is_mask(&self) -> bool {
        self.0 == MASK
    }

    /// How long it is, in bytes, if that is known here.
    pub(super) fn len(&self) -> Option<usize> {
        self.variable().is_none().then_some(self.0.len())
    }

    /// The text, if it is no variable.
    pub(super) fn text(&self) -> Option<&str> {
        self.variable().is_none().then_some(&self.0)
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Secret(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(****)")
    }
}

/// What is shown in place of a secret, and means, when it is written, that the secret stays.
pub const MASK: &str = "********";
