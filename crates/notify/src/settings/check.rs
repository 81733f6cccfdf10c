//! Whether settings hold together: all that is wrong is said at once, each with its place.

use std::collections::BTreeSet;
use std::fmt;

use http::Uri;
use lettre::Address;
use lettre::message::Mailbox;

use super::receiver::{Channel, Receiver};
use super::{RawSettings, Secret};

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Where: `receivers[2].channel.url`.
    pub place: String,
    /// What.
    pub why: String,
}

/// All that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(pub Vec<Problem>);

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let before = if at == 0 { "" } else { "; " };
            write!(f, "{before}{}: {}", problem.place, problem.why)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

struct Checker(Vec<Problem>);

pub(super) fn check(raw: &RawSettings) -> Result<(), Problems> {
    let mut checker = Checker(Vec::new());
    if let Some(url) = &raw.public_url {
        checker.url("public_url", url);
        checker.that(!url.ends_with('/'), "public_url", || {
            "it ends with a slash, and paths begin with one".to_owned()
        });
    }
    checker.at_most(raw.receivers.len(), RECEIVERS_MAX, "receivers");
    checker.at_most(raw.routes.len(), ROUTES_MAX, "routes");
    checker.at_most(raw.mutes.len(), MUTES_MAX, "mutes");
    checker.at_most(raw.unsubscribed.len(), UNSUBSCRIBED_MAX, "unsubscribed");
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for (at, receiver) in raw.receivers.iter().enumerate() {
        let place = format!("receivers[{at}]");
        checker.name(&format!("{place}.name"), &receiver.name);
        checker.that(names.insert(&receiver.name), &place, || {
            format!("there is another receiver of the name {:?}", receiver.name)
        });
        checker.receiver(&place, receiver);
    }
    let mut reached: BTreeSet<&str> = raw.weekly_report.iter().map(String::as_str).collect();
    for (at, route) in raw.routes.iter().enumerate() {
        let place = format!("routes[{at}]");
        checker.name(&format!("{place}.name"), &route.name);
        checker.that(!route.receivers.is_empty(), &place, || {
            "it leads to no receiver".to_owned()
        });
        checker.known(&format!("{place}.receivers"), &route.receivers, &names);
        reached.extend(route.receivers.iter().map(String::as_str));
    }
    checker.known("weekly_report", &raw.weekly_report, &names);
    for (at, receiver) in raw.receivers.iter().enumerate() {
        checker.that(
            reached.contains(receiver.name.as_str()),
            &format!("receivers[{at}]"),
            || {
                format!(
                    "no route leads to {:?}, so it is never told anything",
                    receiver.name
                )
            },
        );
    }
    for (at, mute) in raw.mutes.iter().enumerate() {
        checker.that(
            mute.reason.len() <= TEXT_BYTES_MAX,
            &format!("mutes[{at}].reason"),
            || format!("it has more than {TEXT_BYTES_MAX} bytes"),
        );
        if let Some(person) = &mute.person {
            checker.name(&format!("mutes[{at}].person"), person);
        }
    }
    match checker.0.is_empty() {
        true => Ok(()),
        false => Err(Problems(checker.0)),
    }
}

impl Checker {
    fn receiver(&mut self, place: &str, receiver: &Receiver) {
        let offset = receiver.utc_offset_minutes;
        self.that(
            (-720..=840).contains(&offset),
            &format!("{place}.utc_offset_minutes"),
            || format!("{offset} is no offset from UTC: from -720 to 840"),
        );
        let own = "PagerDuty and Alertmanager have schedules of their own";
        if let Some(hours) = &receiver.quiet_hours {
            let place = format!("{place}.quiet_hours");
            self.that(!receiver.channel.is_pager(), &place, || own.to_owned());
            let never_ends = hours.from == hours.to && hours.days.is_empty();
            self.that(!never_ends, &place, || {
                "they never end: name days, or another time to end at".to_owned()
            });
        }
        if let Some(digest) = &receiver.digest {
            let place = format!("{place}.digest");
            self.that(!receiver.channel.is_pager(), &place, || own.to_owned());
            self.that(
                (1..=DIGEST_MINUTES_MAX).contains(&digest.minutes),
                &place,
                || format!("{} minutes: from 1 to {DIGEST_MINUTES_MAX}", digest.minutes),
            );
        }
        let place = format!("{place}.channel");
        for (field, secret) in receiver.channel.secrets() {
            self.secret(&format!("{place}.{field}"), secret);
        }
        self.channel(&place, &receiver.channel);
    }

    fn channel(&mut self, place: &str, channel: &Channel) {
        match channel {
            Channel::Email(email) => {
                self.that(!email.to.is_empty(), &format!("{place}.to"), || {
                    "it names nobody".to_owned()
                });
                self.at_most(email.to.len(), ADDRESSES_MAX, &format!("{place}.to"));
                for (at, address) in email.to.iter().enumerate() {
                    self.that(
                        address.parse::<Address>().is_ok(),
                        &format!("{place}.to[{at}]"),
                        || format!("{address:?} is no mail address"),
                    );
                }
                let from = &email.from;
                self.that(
                    from.parse::<Mailbox>().is_ok(),
                    &format!("{place}.from"),
                    || format!("{from:?} is no mail address"),
                );
                let smtp = &email.smtp;
                self.that(!smtp.host.is_empty(), &format!("{place}.smtp.host"), || {
                    "it is empty".to_owned()
                });
                let both = smtp.username.is_some() == smtp.password.is_some();
                self.that(both, &format!("{place}.smtp"), || {
                    "a username and a password go together".to_owned()
                });
            }
            Channel::Slack(slack) => {
                if let Some(url) = slack.url.text().filter(|_| !slack.url.is_mask()) {
                    // What is wrong with it must not show it.
                    self.that(is_url(url), &format!("{place}.url"), || {
                        "it is no address that begins with https:// or http://".to_owned()
                    });
                }
            }
            Channel::PagerDuty(pagerduty) => self.url(&format!("{place}.url"), &pagerduty.url),
            Channel::Alertmanager(it) => self.url(&format!("{place}.url"), &it.url),
            Channel::Webhook(webhook) => {
                self.url(&format!("{place}.url"), &webhook.url);
                let long = webhook
                    .secret
                    .len()
                    .is_none_or(|length| length >= SIGNED_WITH_MIN);
                self.that(
                    long || webhook.secret.is_mask(),
                    &format!("{place}.secret"),
                    || format!("it has fewer than {SIGNED_WITH_MIN} characters"),
                );
            }
        }
    }

    fn secret(&mut self, place: &str, secret: &Secret) {
        self.that(!secret.is_mask(), place, || {
            "it is masked, and none is known of a receiver of this name that goes there".to_owned()
        });
        self.that(secret.len() != Some(0), place, || "it is empty".to_owned());
        // Whoever sets a secret also says where it goes: nothing else of the environment is theirs to send.
        let variable = secret.variable().unwrap_or(VARIABLE);
        let is_ours = variable.starts_with(VARIABLE) && secret.variable() != Some(VARIABLE);
        self.that(is_ours, place, || {
            format!("${{{variable}}} is no variable for this: its name begins with {VARIABLE}")
        });
    }

    fn url(&mut self, place: &str, url: &str) {
        self.that(is_url(url), place, || {
            format!("{url:?} is no address that begins with https:// or http://")
        });
    }

    fn name(&mut self, place: &str, name: &str) {
        let fits =
            !name.is_empty() && name.len() <= NAME_BYTES_MAX && !name.contains(char::is_control);
        self.that(fits, place, || {
            format!("{name:?} is no name: one line of 1 to {NAME_BYTES_MAX} bytes")
        });
    }

    fn known(&mut self, place: &str, named: &[String], names: &BTreeSet<&str>) {
        for name in named {
            self.that(names.contains(name.as_str()), place, || {
                format!("there is no receiver {name:?}")
            });
        }
    }

    fn at_most(&mut self, count: usize, max: usize, place: &str) {
        self.that(count <= max, place, || {
            format!("there are {count}, and at most {max} may be")
        });
    }

    fn that(&mut self, holds: bool, place: &str, why: impl FnOnce() -> String) {
        if !holds {
            self.0.push(Problem {
                place: place.to_owned(),
                why: why(),
            });
        }
    }
}

fn is_url(text: &str) -> bool {
    let Ok(uri) = text.parse::<Uri>() else {
        return false;
    };
    matches!(uri.scheme_str(), Some("http" | "https"))
        && uri.host().is_some_and(|it| !it.is_empty())
}

const RECEIVERS_MAX: usize = 50;
const ROUTES_MAX: usize = 200;
const MUTES_MAX: usize = 1000;
/// Every address that there can be.
pub(super) const UNSUBSCRIBED_MAX: usize = RECEIVERS_MAX * ADDRESSES_MAX;
const ADDRESSES_MAX: usize = 50;
const NAME_BYTES_MAX: usize = 100;
const TEXT_BYTES_MAX: usize = 500;
/// How the names of variables begin that secrets may come from.
const VARIABLE: &str = "NOTIFY_";
const SIGNED_WITH_MIN: usize = 16;
/// A week.
const DIGEST_MINUTES_MAX: u32 = 7 * 24 * 60;
