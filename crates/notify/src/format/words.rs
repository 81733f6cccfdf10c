//! What all forms say, in words.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use throughline_insight::detect::Severity;
use throughline_telemetry::UnixNanos;

use crate::notice::{Link, Matter, Notice, Phase};

/// How bad, since when, where and whose:
/// `critical, was warning · since 2026-11-22 14:02 UTC · production · owned by payments`.
pub(crate) fn state(notice: &Notice, was: Option<&str>, utc_offset_minutes: i32) -> String {
    let name = notice.severity.name();
    let what = match (notice.phase, was) {
        (Phase::Closed, _) => format!(
            "ended {}, after {}",
            time(notice.at, utc_offset_minutes),
            lasted(notice)
        ),
        (Phase::Acknowledged, _) => format!("{name} · somebody looks after it"),
        (_, Some(was)) if was != name => format!("{name}, was {was}"),
        (Phase::Grew, _) => format!("{name} · there is more to it"),
        _ => name.to_owned(),
    };
    let since = match notice.phase {
        Phase::Closed => String::new(),
        _ => format!(" · since {}", time(notice.since, utc_offset_minutes)),
    };
    let listed = |before: &str, names: Vec<&str>| match names.join(", ").as_str() {
        "" => String::new(),
        names => format!(" · {before}{names}"),
    };
    let place = listed("", notice.places());
    let owners = listed("owned by ", notice.whose.owners());
    format!("{what}{since}{place}{owners}")
}

/// `Most likely cause, 92 % of it: table:user: mean 4.00 ms → 133 ms`.
pub(crate) fn cause(notice: &Notice) -> Option<String> {
    let cause = notice.cause.as_ref()?;
    let share = (cause.share.clamp(0.0, 1.0) * 100.0).round();
    Some(format!(
        "Most likely cause, {share} % of it: {}",
        cause.text
    ))
}

/// `Affected: function:shop fails: 0 % → 38 %; service:web is slow: 1.20 s → 4.10 s; and 3 more`.
pub(crate) fn affected(notice: &Notice) -> Option<String> {
    let (told, more) = notice
        .affected
        .split_at(notice.affected.len().min(AFFECTED_MAX));
    let mut parts: Vec<String> = told.iter().map(ToString::to_string).collect();
    if !more.is_empty() {
        parts.push(format!("and {} more", more.len()));
    }
    (!parts.is_empty()).then(|| format!("Affected: {}", parts.join("; ")))
}

/// What else is unusual about it: the title says the first. What is so where it most likely comes from goes before the
/// rest.
pub(crate) fn also(notice: &Notice) -> impl Iterator<Item = &str> {
    let is_cause = |matter: &&Matter| {
        let cause = notice.cause.as_ref();
        cause.is_some_and(|cause| matter.nodes.contains(&cause.node))
    };
    let of_cause = notice.matters.iter().filter(is_cause);
    let others = notice.matters.iter().filter(move |it| !is_cause(it));
    let titles = of_cause.chain(others).map(|matter| matter.title.as_str());
    titles
        .filter(|title| *title != notice.title.as_str())
        .take(ALSO_MAX)
}

pub(crate) fn evidence(notice: &Notice) -> &[Link] {
    &notice.evidence[..notice.evidence.len().min(EVIDENCE_MAX)]
}

pub(crate) fn actions(notice: &Notice) -> &[Link] {
    &notice.actions[..notice.actions.len().min(ACTIONS_MAX)]
}

/// `2026-11-22 15:02 +01:00`, `2026-11-22 14:02 UTC`.
pub(crate) fn time(at: UnixNanos, utc_offset_minutes: i32) -> String {
    let local = local(at, utc_offset_minutes);
    match utc_offset_minutes {
        0 => local.format("%Y-%m-%d %H:%M UTC").to_string(),
        _ => local.format("%Y-%m-%d %H:%M %:z").to_string(),
    }
}

/// `2026-11-22T14:02:00Z`.
pub fn iso(at: UnixNanos) -> String {
    local(at, 0)
        .to_utc()
        .to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// How it stands out at a glance.
pub(crate) fn colour(notice: &Notice) -> &'static str {
    match (notice.phase, notice.severity) {
        (Phase::Closed, _) => "#1a7f37",
        (_, Severity::Critical) => "#b3261e",
        (_, Severity::Warning) => "#9a6700",
        (_, Severity::Note) => "#57606a",
    }
}

fn local(at: UnixNanos, utc_offset_minutes: i32) -> DateTime<FixedOffset> {
    let seconds = i64::try_from(at.0 / 1_000_000_000).unwrap_or_default();
    let utc = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    let zone = FixedOffset::east_opt(utc_offset_minutes.saturating_mul(60));
    let utc_zone = FixedOffset::east_opt(0).expect("no offset is one");
    utc.with_timezone(&zone.unwrap_or(utc_zone))
}

/// `32 min`, `3 h 5 min`, `2 d 4 h`.
fn lasted(notice: &Notice) -> String {
    let minutes = notice.at.since(notice.since).as_secs() / 60;
    match (minutes / 1440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}

/// Findings beside the first.
const ALSO_MAX: usize = 5;
const AFFECTED_MAX: usize = 5;
const EVIDENCE_MAX: usize = 3;
const ACTIONS_MAX: usize = 5;
