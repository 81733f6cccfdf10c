//! Why something is not done.

use std::io;

use throughline_act::{BadAction, Failure, LinkError, Refused};

/// Why something is not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ActError {
    #[error("there is no action {0}, or nobody confirmed it within a day")]
    Unknown(String),
    #[error(transparent)]
    Link(#[from] LinkError),
    #[error(transparent)]
    Bad(#[from] BadAction),
    #[error("{0}")]
    State(&'static str),
    #[error("type {0} to confirm it")]
    Typed(String),
    #[error("say who you are, in at most 200 characters; `throughline` is what happens by itself")]
    Nobody,
    #[error("look at it first, and send `seen` of what was shown")]
    Unseen,
    #[error("nothing was done: things have changed since they were shown; look again")]
    Changed,
    #[error(transparent)]
    Refused(#[from] Refused),
    #[error(
        "as many actions as may be were proposed within the last day: the next may be tomorrow"
    )]
    Full,
    #[error(transparent)]
    Failure(#[from] Failure),
    #[error("the audit log cannot be written, so nothing is done: {0}")]
    Audit(#[from] io::Error),
    /// It stands as it stood before: begun where it was to be done, done where it was to be undone.
    #[error("it was tried, and what came of it cannot be written into the audit log: {0}")]
    Unwritten(io::Error),
}

impl ActError {
    /// The same of what had been done before it could not be written down.
    pub(super) fn of_what_came(self) -> Self {
        match self {
            ActError::Audit(error) => ActError::Unwritten(error),
            other => other,
        }
    }
}
