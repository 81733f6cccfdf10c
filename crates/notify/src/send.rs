//! The edge that sends: HTTP by hyper, mails by lettre, both with rustls.

mod http;
mod smtp;
mod trust;

use std::time::Duration;

use crate::format::{Frame, Message, format};
use crate::outbox::{Content, Outcome};

/// Sends messages. Cheap to clone.
#[derive(Clone)]
pub struct Sender {
    http: http::Client,
}

/// What came of sending, for whoever tests a receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// How it went.
    pub outcome: Outcome,
    /// What the other side said, in a line.
    pub said: String,
}

impl Sender {
    /// A sender that trusts the authorities that browsers trust, and those of this machine. Blocks on the disk.
    pub fn new() -> Self {
        Sender {
            http: http::Client::new(),
        }
    }

    /// Sends a message, within [`PATIENCE`]. What cannot be made is refused.
    pub async fn send(&self, content: &Content, frame: &Frame<'_>) -> Answer {
        let message = match format(content, frame) {
            Ok(message) => message,
            Err(error) => return Answer::refused(error.to_string()),
        };
        let sending = async {
            match message {
                Message::Mail(mail) => smtp::send(mail).await,
                Message::Post(posts) => self.post(posts).await,
            }
        };
        let done = tokio::time::timeout(PATIENCE, sending).await;
        done.unwrap_or_else(|_| Answer::later(format!("no answer within {PATIENCE:?}"), None))
    }

    async fn post(&self, posts: Vec<crate::format::Post>) -> Answer {
        let mut answer = Answer {
            outcome: Outcome::Sent,
            said: "nothing is sent of this kind".to_owned(),
        };
        for post in posts {
            answer = self.http.post(post).await;
            if answer.outcome != Outcome::Sent {
                break;
            }
        }
        answer
    }
}

impl Default for Sender {
    fn default() -> Self {
        Sender::new()
    }
}

impl Answer {
    fn sent(said: String) -> Self {
        Answer {
            outcome: Outcome::Sent,
            said,
        }
    }

    fn later(said: String, after: Option<Duration>) -> Self {
        Answer {
            outcome: Outcome::Later(said.clone(), after),
            said,
        }
    }

    pub(crate) fn refused(said: String) -> Self {
        Answer {
            outcome: Outcome::Refused(said.clone()),
            said,
        }
    }
}

/// How long one attempt may take.
pub const PATIENCE: Duration = Duration::from_secs(20);
