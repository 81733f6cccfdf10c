//! Who can be told, and by what.

use serde::{Deserialize, Serialize};
use throughline_insight::detect::Severity;

use super::hours::QuietHours;
use super::secret::Secret;
use crate::notice::SeverityName;

/// Somebody who can be told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Receiver {
    /// What routes call it.
    pub name: String,
    /// How it is reached.
    pub channel: Channel,
    /// How many minutes its clock is ahead of UTC; for quiet hours, and for the times that it is told.
    #[serde(default)]
    pub utc_offset_minutes: i32,
    /// When it is left alone.
    #[serde(default)]
    pub quiet_hours: Option<QuietHours>,
    /// What it is told together.
    #[serde(default)]
    pub digest: Option<Digest>,
}

/// How somebody is reached.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Channel {
    Email(Email),
    Slack(Slack),
    PagerDuty(PagerDuty),
    Alertmanager(Alertmanager),
    Webhook(Webhook),
}

/// Mails over SMTP, one to each address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Whom to.
    pub to: Vec<String>,
    /// From whom: `Throughline <throughline@example.com>`.
    pub from: String,
    /// The server that takes them.
    pub smtp: Smtp,
}

/// A server that takes mails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Smtp {
    /// Its name.
    pub host: String,
    /// Its port: 587 with `starttls`, 465 with `tls`, 25 with `none`, unless said.
    #[serde(default)]
    pub port: Option<u16>,
    /// How it is spoken to.
    #[serde(default)]
    pub tls: Tls,
    /// Who to be there.
    #[serde(default)]
    pub username: Option<String>,
    /// The password.
    #[serde(default)]
    pub password: Option<Secret>,
}

/// How a mail server is spoken to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// In the clear until both have agreed on TLS, which the server must offer.
    #[default]
    StartTls,
    /// TLS from the first byte.
    Tls,
    /// In the clear; for servers on this machine.
    None,
}

/// An incoming webhook of Slack.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Slack {
    /// Its address, which is all that it takes to write there.
    pub url: Secret,
}

/// A service of PagerDuty, by its Events API v2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PagerDuty {
    /// The integration key.
    pub routing_key: Secret,
    /// Where events go.
    #[serde(default = "pagerduty")]
    pub url: String,
}

/// An Alertmanager, by its API v2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alertmanager {
    /// Its address, without the path: `http://alertmanager:9093`.
    pub url: String,
    /// What it wants to see, if anything.
    #[serde(default)]
    pub bearer_token: Option<Secret>,
}

/// Whatever takes JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its address.
    pub url: String,
    /// What requests are signed with, sixteen characters and more.
    pub secret: Secret,
}

/// What matters less is collected and told together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Digest {
    /// How long it is collected, from the first on.
    pub minutes: u32,
    /// What is collected: this severity and less.
    #[serde(default = "note", with = "SeverityName")]
    pub up_to: Severity,
}

impl Channel {
    /// Puts secrets where they are masked. None is kept for another place, which would be told it.
    pub(super) fn keep_secrets(&mut self, before: &Channel) {
        if self.place() != before.place() {
            return;
        }
        for (name, secret) in self.secrets_mut() {
            let same = before
                .secrets()
                .into_iter()
                .find(|(known, _)| *known == name);
            if let (true, Some((_, known))) = (secret.is_mask(), same) {
                *secret = known.clone();
            }
        }
    }

    /// Masks them.
    pub(super) fn mask_secrets(&mut self) {
        for (_, secret) in self.secrets_mut() {
            *secret = secret.masked();
        }
    }

    /// Where it goes.
    fn place(&self) -> (&str, u16) {
        match self {
            Channel::Email(email) => (&email.smtp.host, email.smtp.port()),
            // The secret is the place.
            Channel::Slack(_) => ("", 0),
            Channel::PagerDuty(pagerduty) => (&pagerduty.url, 0),
            Channel::Alertmanager(alertmanager) => (&alertmanager.url, 0),
            Channel::Webhook(webhook) => (&webhook.url, 0),
        }
    }

    /// Each with the name of its field. A field has one name in one channel only, so that none gets into another.
    pub(super) fn secrets(&self) -> Vec<(&'static str, &Secret)> {
        match self {
            Channel::Email(email) => {
                let password = email.smtp.password.as_ref();
                password
                    .map(|it| ("smtp.password", it))
                    .into_iter()
                    .collect()
            }
            Channel::Slack(slack) => vec![("url", &slack.url)],
            Channel::PagerDuty(pagerduty) => vec![("routing_key", &pagerduty.routing_key)],
            Channel::Alertmanager(alertmanager) => {
                let token = alertmanager.bearer_token.as_ref();
                token.map(|it| ("bearer_token", it)).into_iter().collect()
            }
            Channel::Webhook(webhook) => vec![("secret", &webhook.secret)],
        }
    }

    fn secrets_mut(&mut self) -> Vec<(&'static str, &mut Secret)> {
        match self {
            Channel::Email(email) => {
                let password = email.smtp.password.as_mut();
                password
                    .map(|it| ("smtp.password", it))
                    .into_iter()
                    .collect()
            }
            Channel::Slack(slack) => vec![("url", &mut slack.url)],
            Channel::PagerDuty(pagerduty) => vec![("routing_key", &mut pagerduty.routing_key)],
            Channel::Alertmanager(alertmanager) => {
                let token = alertmanager.bearer_token.as_mut();
                token.map(|it| ("bearer_token", it)).into_iter().collect()
            }
            Channel::Webhook(webhook) => vec![("secret", &mut webhook.secret)],
        }
    }

    /// Whether it is mails, of which each address has its own.
    pub(crate) fn is_mail(&self) -> bool {
        matches!(self, Channel::Email(_))
    }

    /// Whether it has hours and collects by itself, and is told of what somebody looks after.
    pub(crate) fn is_pager(&self) -> bool {
        matches!(self, Channel::PagerDuty(_) | Channel::Alertmanager(_))
    }

    /// Whether what is told stays open there until it is told that it has ended.
    pub(crate) fn stays_open(&self) -> bool {
        matches!(self, Channel::PagerDuty(_))
    }

    /// Whether it is an Alertmanager.
    pub(crate) fn is_alertmanager(&self) -> bool {
        matches!(self, Channel::Alertmanager(_))
    }
}

impl Smtp {
    /// The port, said or not.
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            Tls::StartTls => 587,
            Tls::Tls => 465,
            Tls::None => 25,
        })
    }
}

fn pagerduty() -> String {
    "https://events.pagerduty.com/v2/enqueue".to_owned()
}

fn note() -> Severity {
    Severity::Note
}
