//! Who is told what, and when.

mod check;
mod hours;
mod pattern;
mod receiver;
mod secret;

use serde::{Deserialize, Serialize};
use throughline_insight::detect::Severity;
use throughline_telemetry::UnixNanos;

pub use check::{Problem, Problems};
pub use hours::{ClockTime, Day, QuietHours};
pub use pattern::Pattern;
pub use receiver::{
    Alertmanager, Channel, Digest, Email, PagerDuty, Receiver, Slack, Smtp, Tls, Webhook,
};
pub use secret::{MASK, NoVariable, Secret, Variables};

pub(crate) use hours::last_monday;
pub(crate) use pattern::any_or_one;

use crate::notice::{Matter, Notice, SeverityName};
use crate::stop;

/// Settings as they were written. [`Settings`] are those that were checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RawSettings {
    /// Where people reach this server, for links: `https://throughline.example.com`. The address that it listens
    /// on, if it is not said.
    pub public_url: Option<String>,
    /// What the telemetry of this server is of, where it does not say so itself: `production`.
    pub environment: String,
    /// Who can be told.
    pub receivers: Vec<Receiver>,
    /// Who is told what.
    pub routes: Vec<Route>,
    /// What nobody is told, or somebody is not.
    pub mutes: Vec<Mute>,
    /// Who has asked not to be told.
    pub unsubscribed: Vec<Unsubscribed>,
    /// The receivers of the weekly report of what was told.
    pub weekly_report: Vec<String>,
}

/// Settings that hold together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    raw: RawSettings,
    /// Where people reach this server if the settings do not say so.
    otherwise: String,
    /// What was muted elsewhere: whoever knows it says it again after a restart.
    also_muted: Vec<Mute>,
}

/// What goes to whom. All that is said must be so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Whose it is, or what for; told with each notice.
    pub name: String,
    /// The names of who is told.
    pub receivers: Vec<String>,
    /// This severity and worse.
    #[serde(default = "warning", with = "SeverityName")]
    pub severity: Severity,
    /// In these environments, one at least; in any, if none is named.
    #[serde(default)]
    pub environments: Vec<Pattern>,
    /// Of these owners, one at least; of anybody, if none is named.
    #[serde(default)]
    pub owners: Vec<Pattern>,
    /// Of these nodes, such as `function:pay*`, one at least; of any, if none is named.
    #[serde(default)]
    pub nodes: Vec<Pattern>,
}

/// What is not told: what is of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mute {
    /// Of these nodes.
    pub nodes: Pattern,
    /// Of their calls of these nodes, and of nothing else; of all that is of them, if it is not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Pattern>,
    /// What is unusual: `latency`; `*` for all.
    pub kinds: Pattern,
    /// Who is not told: the name of a receiver, or a mail address. Everybody, if it is not said.
    #[serde(default)]
    pub person: Option<String>,
    /// Until when, in nanoseconds since 1970; for ever, if it is not said.
    #[serde(default)]
    pub until_unix_nanos: Option<u64>,
    /// Why.
    #[serde(default)]
    pub reason: String,
}

/// Somebody who has asked not to be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unsubscribed {
    /// The receiver.
    pub receiver: String,
    /// The mail address in it.
    pub address: String,
}

impl Settings {
    /// Checks all of it, and says all that is wrong.
    pub fn try_new(raw: RawSettings) -> Result<Settings, Problems> {
        check::check(&raw)?;
        Ok(Settings {
            raw,
            ..Settings::default()
        })
    }

    /// The same, where secrets that are masked are those of the same receiver before.
    pub fn try_update(mut raw: RawSettings, before: &Settings) -> Result<Settings, Problems> {
        for receiver in &mut raw.receivers {
            if let Some(known) = before.receiver(&receiver.name) {
                receiver.channel.keep_secrets(&known.channel);
            }
        }
        Settings::try_new(raw)
    }

    /// The same with an address for links, if the settings have none.
    #[must_use]
    pub fn reached_at(self, otherwise: String) -> Settings {
        Settings { otherwise, ..self }
    }

    /// The same, and this is muted besides.
    #[must_use]
    pub fn muting(self, also_muted: Vec<Mute>) -> Settings {
        Settings { also_muted, ..self }
    }

    /// What is muted besides what was written.
    pub(crate) fn also_muted(&self) -> &[Mute] {
        &self.also_muted
    }

    /// Tells these settings from those before and after them, by what may be shown of them.
    pub fn edition(&self) -> String {
        let text = serde_json::to_string(&self.masked());
        stop::digest(&text.unwrap_or_default())
    }

    /// What the addresses of links begin with, without a slash at the end.
    pub fn base(&self) -> &str {
        self.raw.public_url.as_deref().unwrap_or(&self.otherwise)
    }

    /// What was written, secrets too; for the file.
    pub fn raw(&self) -> &RawSettings {
        &self.raw
    }

    /// What may be shown.
    pub fn masked(&self) -> RawSettings {
        let mut raw = self.raw.clone();
        for receiver in &mut raw.receivers {
            receiver.channel.mask_secrets();
        }
        raw
    }

    /// The receiver of that name.
    pub fn receiver(&self, name: &str) -> Option<&Receiver> {
        self.raw.receivers.iter().find(|known| known.name == name)
    }

    /// The same with somebody who is no longer told. At the limit, whoever asked first is forgotten.
    #[must_use]
    pub fn without(&self, receiver: &str, address: &str) -> Settings {
        let mut raw = self.raw.clone();
        if !self.is_unsubscribed(receiver, address) {
            let beyond = (raw.unsubscribed.len() + 1).saturating_sub(check::UNSUBSCRIBED_MAX);
            raw.unsubscribed.drain(..beyond);
            raw.unsubscribed.push(Unsubscribed {
                receiver: receiver.to_owned(),
                address: address.to_owned(),
            });
        }
        Settings {
            raw,
            ..self.clone()
        }
    }

    /// The mail addresses of a receiver that have not asked to be left alone.
    pub(crate) fn addresses(&self, receiver: &Receiver) -> Vec<String> {
        let Channel::Email(email) = &receiver.channel else {
            return Vec::new();
        };
        let all = email.to.iter();
        all.filter(|address| !self.is_unsubscribed(&receiver.name, address))
            .cloned()
            .collect()
    }

    /// Those of them that a notice is told: who has muted it for themselves is left out.
    pub(crate) fn addresses_for(
        &self,
        receiver: &Receiver,
        notice: &Notice,
        now: UnixNanos,
    ) -> Vec<String> {
        let mut all = self.addresses(receiver);
        all.retain(|address| !self.is_muted_by(notice, address, now));
        all
    }

    /// Whether all that a notice is made of is muted for everybody, or for the receiver of this name.
    pub(crate) fn is_muted(&self, notice: &Notice, receiver: &str, now: UnixNanos) -> bool {
        let mut matters = notice.matters.iter();
        let is_for = |mute: &Mute| mute.is_for_all() || mute.is_for(receiver);
        !notice.matters.is_empty() && matters.all(|matter| self.mutes(matter, is_for, now))
    }

    /// Whether somebody has muted a notice for themselves.
    fn is_muted_by(&self, notice: &Notice, person: &str, now: UnixNanos) -> bool {
        let mut matters = notice.matters.iter();
        let is_for = |mute: &Mute| mute.is_for_all() || mute.is_for(person);
        let own = |matter: &Matter| self.mutes(matter, |mute| mute.is_for(person), now);
        notice.matters.iter().any(own) && matters.all(|matter| self.mutes(matter, is_for, now))
    }

    fn mutes(&self, matter: &Matter, is_for: impl Fn(&Mute) -> bool, now: UnixNanos) -> bool {
        let mut all = self.raw.mutes.iter().chain(&self.also_muted);
        all.any(|mute| is_for(mute) && mute.takes(&matter.kind, &matter.nodes, now.0))
    }

    fn is_unsubscribed(&self, receiver: &str, address: &str) -> bool {
        let mut all = self.raw.unsubscribed.iter();
        all.any(|known| known.receiver == receiver && known.address == address)
    }
}

impl Route {
    /// Whether it leads from a notice to its receivers.
    pub(crate) fn takes(&self, notice: &Notice) -> bool {
        notice.severity >= self.severity
            && any_or_one(&self.environments, &notice.places())
            && any_or_one(&self.owners, &notice.whose.owners())
            && any_or_one(&self.nodes, &notice.nodes())
    }
}

impl Mute {
    fn is_for_all(&self) -> bool {
        self.person.is_none()
    }

    fn is_for(&self, person: &str) -> bool {
        self.person.as_deref() == Some(person)
    }

    /// Whether it holds for something that is found.
    fn takes(&self, kind: &str, nodes: &[String], now: u64) -> bool {
        let is_of = match (&self.to, nodes) {
            (None, nodes) => nodes.iter().any(|node| self.nodes.matches(node)),
            (Some(called), [from, to]) => self.nodes.matches(from) && called.matches(to),
            (Some(_), _) => false,
        };
        self.until_unix_nanos.is_none_or(|until| now < until) && self.kinds.matches(kind) && is_of
    }
}

fn warning() -> Severity {
    Severity::Warning
}

#[cfg(test)]
mod tests;
