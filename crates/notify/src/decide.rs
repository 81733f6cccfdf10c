//! Who is told of a notice, and when: a function of the settings, the notice, the time, and what was told before.

use throughline_insight::detect::{Severity, Source};
use throughline_telemetry::UnixNanos;

use crate::notice::{Notice, Phase};
use crate::outbox::{Told, ToldAll};
use crate::settings::{Receiver, Route, Settings};

/// What becomes of a notice at one receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The receiver.
    pub receiver: String,
    /// What becomes of it there.
    pub fate: Fate,
    /// Why it comes to this receiver, for whoever reads it.
    pub why: String,
}

/// What becomes of a notice at a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is told now.
    Deliver,
    /// It is told with others, then.
    Hold(UnixNanos),
    /// It is not told.
    Drop(Reason),
}

/// Why a notice is not told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is of what this receiver does not want to hear of.
    Muted,
    /// It was told, and is no worse.
    AlreadyTold,
    /// That it has ended is nothing to whom nobody told that it began.
    NeverTold,
    /// Only pagers are told that somebody looks after it.
    NotForThis,
    /// It came from an Alertmanager, and the receiver is one.
    KnowsIt,
    /// Nobody of this receiver wants mails.
    Unsubscribed,
    /// The receiver was taken out of the settings while it waited.
    ReceiverGone,
}

impl Reason {
    /// Every reason that there is.
    pub const ALL: [Reason; 7] = [
        Reason::Muted,
        Reason::AlreadyTold,
        Reason::NeverTold,
        Reason::NotForThis,
        Reason::KnowsIt,
        Reason::Unsubscribed,
        Reason::ReceiverGone,
    ];

    /// Its name, for counters.
    pub fn name(self) -> &'static str {
        match self {
            Reason::Muted => "muted",
            Reason::AlreadyTold => "already_told",
            Reason::NeverTold => "never_told",
            Reason::NotForThis => "not_for_this",
            Reason::KnowsIt => "knows_it",
            Reason::Unsubscribed => "unsubscribed",
            Reason::ReceiverGone => "receiver_gone",
        }
    }
}

/// What becomes of a notice at every receiver that it concerns.
pub fn decide(
    settings: &Settings,
    notice: &Notice,
    now: UnixNanos,
    told: &ToldAll,
) -> Vec<Decision> {
    let receivers = settings.raw().receivers.iter();
    let decisions = receivers.filter_map(|receiver| {
        let told = told.of(&receiver.name, &notice.about);
        let route = route(settings, notice, receiver);
        // Who was told that it began is told that it has ended, wherever routes lead by now.
        let why = match (route, told) {
            (Some(route), _) => why(route),
            (None, Some(told)) if told.is_open => "you were told that it began".to_owned(),
            _ => return None,
        };
        let fate = match () {
            () if receiver.channel.is_mail() && settings.addresses(receiver).is_empty() => {
                Fate::Drop(Reason::Unsubscribed)
            }
            () if receiver.channel.is_alertmanager() && is_of_alertmanager(notice) => {
                Fate::Drop(Reason::KnowsIt)
            }
            () if is_muted(settings, notice, receiver, now)
                && told.is_none_or(|told| !told.is_open) =>
            {
                Fate::Drop(Reason::Muted)
            }
            () => {
                let least = route.map_or(Severity::Critical, |route| route.severity);
                fate(receiver, notice, now, told, least)
            }
        };
        Some(Decision {
            receiver: receiver.name.clone(),
            fate,
            why,
        })
    });
    decisions.collect()
}

/// What matters less than `least` is not worth another message.
fn fate(
    receiver: &Receiver,
    notice: &Notice,
    now: UnixNanos,
    told: Option<&Told>,
    least: Severity,
) -> Fate {
    let open = told.filter(|told| told.is_open);
    let is_worse = open.is_none_or(|told| {
        let is_more = notice.matters.iter().any(|it| told.is_news(it, least));
        notice.severity > told.severity || is_more || told.is_explained_by(notice)
    });
    match (notice.phase, open) {
        (Phase::Closed, None) => Fate::Drop(Reason::NeverTold),
        // What has not been told yet ends where it waits.
        (Phase::Closed, Some(told)) => told.held_until.map_or_else(
            || when(receiver, notice, now),
            |until| Fate::Hold(UnixNanos(until)),
        ),
        (Phase::Acknowledged, Some(_)) if receiver.channel.is_pager() => Fate::Deliver,
        (Phase::Acknowledged, _) => Fate::Drop(Reason::NotForThis),
        (Phase::Opened | Phase::Grew, _) if is_worse => when(receiver, notice, now),
        (Phase::Opened | Phase::Grew, _) => Fate::Drop(Reason::AlreadyTold),
    }
}

/// When a receiver may be told.
fn when(receiver: &Receiver, notice: &Notice, now: UnixNanos) -> Fate {
    let quiet = receiver.quiet_hours.as_ref();
    let quiet = quiet.filter(|hours| notice.severity < hours.except);
    let until = quiet.and_then(|hours| hours.until(now, receiver.utc_offset_minutes));
    if let Some(until) = until {
        return Fate::Hold(until);
    }
    match &receiver.digest {
        // That it has ended can wait where its beginning was told at once, but not be lost among others.
        Some(digest) if notice.severity <= digest.up_to => {
            let minutes = std::time::Duration::from_secs(u64::from(digest.minutes) * 60);
            Fate::Hold(now.plus(minutes))
        }
        _ => Fate::Deliver,
    }
}

/// Whether an Alertmanager has told it, which then needs not be told.
fn is_of_alertmanager(notice: &Notice) -> bool {
    let kind = Source::Alertmanager.name();
    notice.matters.iter().all(|matter| matter.kind == kind)
}

/// Whether nobody of a receiver wants to hear of it.
fn is_muted(settings: &Settings, notice: &Notice, receiver: &Receiver, now: UnixNanos) -> bool {
    let is_mail = receiver.channel.is_mail();
    settings.is_muted(notice, &receiver.name, now)
        || is_mail && settings.addresses_for(receiver, notice, now).is_empty()
}

/// The first route that leads from a notice to a receiver.
fn route<'a>(settings: &'a Settings, notice: &Notice, receiver: &Receiver) -> Option<&'a Route> {
    let mut routes = settings.raw().routes.iter();
    routes.find(|route| route.receivers.contains(&receiver.name) && route.takes(notice))
}

/// `the route "payments" sends warnings and worse of function:pay* owned by shop in prod* here`.
fn why(route: &Route) -> String {
    let what = match route.severity {
        Severity::Note => "all",
        Severity::Warning => "warnings and worse",
        Severity::Critical => Severity::Critical.name(),
    };
    let listed = |patterns: &[crate::settings::Pattern], word: &str| {
        let names: Vec<&str> = patterns.iter().map(|it| it.as_str()).collect();
        match names.is_empty() {
            true => String::new(),
            false => format!(" {word} {}", names.join(", ")),
        }
    };
    format!(
        "the route \"{}\" sends {what}{}{}{} here",
        route.name,
        listed(&route.nodes, "of"),
        listed(&route.owners, "owned by"),
        listed(&route.environments, "in"),
    )
}

#[cfg(test)]
mod tests;
