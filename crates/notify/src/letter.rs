//! Several things told at once: what has waited, and reports.

use serde::{Deserialize, Serialize};
use throughline_insight::detect::Severity;

use crate::format::words;
use crate::notice::{Line, Notice, Phase};

/// Several things told at once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Letter {
    /// Tells it from every other: the same when it is sent again.
    pub about: String,
    /// What it is.
    pub title: Line,
    /// What there is, the gravest first.
    pub items: Vec<Item>,
    /// What there is besides.
    pub foot: Line,
}

/// One of several things.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// What.
    pub title: Line,
    /// More about it.
    pub note: Line,
    /// Where it can be seen. Empty if nowhere.
    pub href: String,
}

/// What has waited, in one.
pub(crate) fn digest(notices: &[&Notice], utc_offset_minutes: i32) -> Letter {
    let mut sorted: Vec<&Notice> = notices.to_vec();
    // What goes on comes first, then what is graver, then what is older.
    sorted.sort_by_key(|it| {
        let has_ended = it.phase == Phase::Closed;
        (has_ended, std::cmp::Reverse(it.severity), it.since)
    });
    let of = |severity: Severity| notices.iter().filter(|it| it.severity == severity).count();
    let counts: Vec<String> = [Severity::Critical, Severity::Warning, Severity::Note]
        .into_iter()
        .map(|severity| (of(severity), severity.name()))
        .filter(|(count, _)| *count > 0)
        .map(|(count, name)| format!("{count} {name}"))
        .collect();
    let what = match notices.len() {
        1 => "1 notice".to_owned(),
        count => format!("{count} notices"),
    };
    let last = notices.iter().map(|it| it.at).max().unwrap_or_default();
    let item = |notice: &&Notice| Item {
        title: notice.title.clone(),
        note: Line::new(&words::state(notice, None, utc_offset_minutes)),
        href: notice.page.clone(),
    };
    let shown = sorted.iter().take(ITEMS_MAX);
    let more = sorted.len().saturating_sub(ITEMS_MAX);
    Letter {
        about: format!("digest-{}", last.0),
        title: Line::new(&format!("{what}: {}", counts.join(", "))),
        items: shown.map(item).collect(),
        foot: match more {
            0 => Line::default(),
            more => Line::new(&format!("and {more} more on the page")),
        },
    }
}

/// Of one letter.
pub(crate) const ITEMS_MAX: usize = 30;
