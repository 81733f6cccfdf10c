//! Times as assistants write and read them.

use chrono::{DateTime, SecondsFormat, Utc};
use throughline_telemetry::UnixNanos;

use crate::Failure;

/// The moment that somebody means with `15m`, `2h`, `3d` (ago), `now` or RFC 3339.
pub(crate) fn moment(text: &str, now: UnixNanos) -> Result<UnixNanos, Failure> {
    let text = text.trim();
    if text == "now" {
        return Ok(now);
    }
    let ago = text.strip_suffix(" ago").unwrap_or(text);
    if let Some(nanos) = span(ago) {
        return Ok(UnixNanos(now.0.saturating_sub(nanos)));
    }
    let read = DateTime::parse_from_rfc3339(text).ok();
    let nanos = read.and_then(|time| u64::try_from(time.timestamp_nanos_opt()?).ok());
    nanos.map(UnixNanos).ok_or_else(|| {
        Failure(format!(
            "{text:?} is no time: write it as 2026-11-22T14:00:00Z, or as 15m, 2h or 3d ago"
        ))
    })
}

/// As RFC 3339, to the millisecond.
pub(crate) fn written(nanos: u64) -> String {
    let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
    let time: DateTime<Utc> = DateTime::from_timestamp_nanos(nanos);
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

fn span(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds: u64 = match &text[number.len()..] {
        "s" => 1,
        "m" | "min" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        "w" => 7 * 24 * 3600,
        _ => return None,
    };
    let number: u64 = number.trim().parse().ok()?;
    number.checked_mul(seconds)?.checked_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        let now = UnixNanos(1_795_228_860_000_000_000);
        let read = |text: &str| moment(text, now).map(|it| written(it.0));
        let check = |text: &str, expected: &str| assert_eq!(read(text).as_deref(), Ok(expected));
        check("now", "2026-11-21T02:41:00.000Z");
        check("15m", "2026-11-21T02:26:00.000Z");
        check("2h ago", "2026-11-21T00:41:00.000Z");
        check("1 d", "2026-11-20T02:41:00.000Z");
        check("2026-11-21T03:00:00+01:00", "2026-11-21T02:00:00.000Z");
        for wrong in [
            "",
            "yesterday",
            "5",
            "h",
            "-1h",
            "99999999999999999999d",
            "2026-11-21",
        ] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
    }
}
