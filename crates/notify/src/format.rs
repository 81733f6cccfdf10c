//! A message in the form that its receiver takes.

mod alertmanager;
mod mail;
mod pagerduty;
mod slack;
mod webhook;
pub(crate) mod words;

use throughline_telemetry::UnixNanos;

pub use mail::Mail;
pub use webhook::{SIGNATURE, Signature, verify};
pub(crate) use webhook::{bytes, hex};

use crate::outbox::Content;
use crate::settings::{Channel, NoVariable, Receiver, Settings, Variables};

/// A message as it goes out.
pub enum Message {
    /// Over SMTP.
    Mail(Mail),
    /// Over HTTP.
    Post(Vec<Post>),
}

/// A request. It holds secrets, and cannot be printed.
pub struct Post {
    /// Where it goes.
    pub url: String,
    /// What it says besides its body, which is JSON.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// What a message is made with, besides what it says.
pub struct Frame<'a> {
    /// The settings of now.
    pub settings: &'a Settings,
    /// To whom.
    pub receiver: &'a Receiver,
    /// To which address of the receiver, for mails.
    pub address: Option<&'a str>,
    /// Why it comes to this receiver.
    pub why: &'a str,
    /// What links that stop mails are signed with.
    pub key: &'a [u8],
    /// Where environment variables come from.
    pub variables: Variables<'a>,
    /// When it is sent.
    pub now: UnixNanos,
}

/// Why a message cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum FormatError {
    /// A secret is not there.
    #[error(transparent)]
    NoVariable(#[from] NoVariable),
    /// The mail cannot be made.
    #[error("the mail cannot be made: {0}")]
    Mail(#[from] lettre::error::Error),
    /// An address is none.
    #[error("{0:?} is no mail address")]
    Address(String),
}

/// Makes a message. Empty, if this receiver does not take such: letters are no alerts.
pub fn format(content: &Content, frame: &Frame) -> Result<Message, FormatError> {
    let variables = frame.variables;
    let post = |url: String, body: serde_json::Value| {
        vec![Post {
            url,
            headers: Vec::new(),
            body: body.to_string(),
        }]
    };
    Ok(match (&frame.receiver.channel, content) {
        (Channel::Email(email), _) => Message::Mail(mail::mail(email, content, frame)?),
        (Channel::Slack(slack), _) => {
            let body = slack::body(content, frame);
            Message::Post(post(slack.url.reveal(variables)?, body))
        }
        (Channel::PagerDuty(pagerduty), Content::Notice(notice, thread)) => {
            let key = pagerduty.routing_key.reveal(variables)?;
            let body = pagerduty::body(notice, thread, &key, frame);
            Message::Post(post(pagerduty.url.clone(), body))
        }
        (Channel::Alertmanager(it), Content::Notice(notice, thread)) => {
            let url = format!("{}/api/v2/alerts", it.url.trim_end_matches('/'));
            let mut posts = post(url, alertmanager::body(notice, thread));
            if let Some(token) = &it.bearer_token {
                let token = format!("Bearer {}", token.reveal(variables)?);
                posts[0].headers.push(("authorization", token));
            }
            Message::Post(posts)
        }
        (Channel::PagerDuty(_) | Channel::Alertmanager(_), Content::Letter(_)) => {
            Message::Post(Vec::new())
        }
        (Channel::Webhook(webhook), _) => {
            let secret = webhook.secret.reveal(variables)?;
            Message::Post(vec![webhook::post(&webhook.url, &secret, content, frame)])
        }
    })
}

#[cfg(test)]
mod tests;
