//! The weekly report of what was told: what came often, what nobody ever looked after, and which mutes that proposes.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Serialize;
use throughline_telemetry::UnixNanos;

use crate::letter::{ITEMS_MAX, Item, Letter};
use crate::notice::Line;
use crate::outbox::ToldAll;
use crate::settings::Settings;

/// What was told in a week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Messages.
    pub messages: usize,
    /// What they were about.
    pub told: usize,
    /// That of it which somebody looked after.
    pub acted: usize,
    /// By what was unusual and of which node, the most messages first.
    pub groups: Vec<Group>,
}

/// What was told of one kind and node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Of which node.
    pub node: String,
    /// What was unusual.
    pub kind: String,
    /// Messages.
    pub messages: usize,
    /// What they were about.
    pub told: usize,
    /// That of it which somebody looked after.
    pub acted: usize,
    /// Whether a mute is proposed: it came three times and more, and nobody ever looked after it.
    pub is_noise: bool,
}

/// What was told in the week before `now`.
pub fn report(told: &ToldAll, now: UnixNanos) -> Report {
    let mut groups: BTreeMap<(&str, &str), (usize, BTreeSet<&str>)> = BTreeMap::new();
    let mut all: BTreeSet<&str> = BTreeSet::new();
    let mut messages = 0;
    for record in told.since(now.minus(WEEK)) {
        messages += 1;
        all.insert(&record.about);
        let group = groups.entry((&record.node, &record.kind)).or_default();
        group.0 += 1;
        group.1.insert(&record.about);
    }
    let acted = |abouts: &BTreeSet<&str>| abouts.iter().filter(|it| told.is_acted(it)).count();
    let mut groups: Vec<Group> = groups
        .into_iter()
        .map(|((node, kind), (messages, abouts))| {
            let acted = acted(&abouts);
            Group {
                node: node.to_owned(),
                kind: kind.to_owned(),
                messages,
                told: abouts.len(),
                acted,
                is_noise: acted == 0 && abouts.len() >= NOISE_MIN,
            }
        })
        .collect();
    groups.sort_by_key(|group| std::cmp::Reverse((group.is_noise, group.messages)));
    Report {
        messages,
        told: all.len(),
        acted: acted(&all),
        groups,
    }
}

/// The report as a letter. Where a mute is proposed the link leads to it.
pub(crate) fn letter(report: &Report, settings: &Settings, now: UnixNanos) -> Letter {
    let base = settings.base();
    let item = |group: &Group| {
        let query: String = form_urlencoded::Serializer::new(String::new())
            .append_pair("mute", &group.node)
            .append_pair("kind", &group.kind)
            .finish();
        let proposal = match group.is_noise {
            true => "; nobody ever looked after it: mute it?",
            false => "",
        };
        Item {
            title: Line::new(&format!("{} of {}", group.kind, group.node)),
            note: Line::new(&format!(
                "{} messages about {} incidents, {} looked after{proposal}",
                group.messages, group.told, group.acted
            )),
            href: match (group.is_noise, base.is_empty()) {
                (true, false) => format!("{base}/notifications?{query}"),
                _ => String::new(),
            },
        }
    };
    let title = format!(
        "what was told last week: {} messages about {} incidents, {} of which somebody looked after",
        report.messages, report.told, report.acted
    );
    let more = report.groups.len().saturating_sub(ITEMS_MAX);
    Letter {
        about: format!("report-{}", now.0 / WEEK_NANOS),
        title: Line::new(&title),
        items: report.groups.iter().take(ITEMS_MAX).map(item).collect(),
        foot: match more {
            0 => Line::default(),
            more => Line::new(&format!("and {more} more")),
        },
    }
}

const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);
const WEEK_NANOS: u64 = 7 * 24 * 3600 * 1_000_000_000;
/// What came less often is not worth a mute.
const NOISE_MIN: usize = 3;
