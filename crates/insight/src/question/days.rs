//! Days and dates, on somebody's own calendar: local time is seconds since 1970 as their clock shows it.

use chrono::{DateTime, Datelike, Days, NaiveDate, Weekday};
use throughline_telemetry::UnixNanos;

use super::words::Words;

pub(super) const DAY: i64 = 86_400;

/// The day of a local time.
pub(super) fn date_of(local: i64) -> NaiveDate {
    DateTime::from_timestamp(local, 0)
        .unwrap_or_default()
        .date_naive()
}

/// When a day begins, as a local time.
pub(super) fn begin(date: NaiveDate) -> i64 {
    date.and_time(chrono::NaiveTime::MIN).and_utc().timestamp()
}

/// In UTC, to the second.
pub(super) fn text(time: UnixNanos) -> String {
    let seconds = i64::try_from(time.0 / 1_000_000_000).unwrap_or(i64::MAX);
    let time = DateTime::from_timestamp(seconds, 0).unwrap_or_default();
    time.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

pub(super) fn before(date: NaiveDate, days: u64) -> NaiveDate {
    date.checked_sub_days(Days::new(days)).unwrap_or(date)
}

/// The last day of this name that is before today.
pub(super) fn last_weekday(today: NaiveDate, weekday: Weekday) -> NaiveDate {
    let back = today.weekday().days_since(weekday);
    before(today, u64::from(if back == 0 { 7 } else { back }))
}

/// `monday`; and `mon` where it is plain that a day is meant.
pub(super) fn weekday(word: &str, is_plain: bool) -> Option<Weekday> {
    let is_whole = word.len() > 5;
    let day = word.parse::<Weekday>().ok()?;
    (is_whole || is_plain).then_some(day)
}

/// A date in words or numbers, and how many words it takes. Without a year it is the last one that is not to come.
pub(super) fn date(words: &Words, at: usize, today: NaiveDate) -> Option<(NaiveDate, usize)> {
    if let Some(date) = iso(words.at(at)) {
        return Some((date, 1));
    }
    let (one, other) = (words.at(at), words.at(at + 1));
    let (month, day) = match (month(one), month(other)) {
        (Some(month), _) => (month, day(other)?),
        (None, Some(month)) => (month, day(one)?),
        (None, None) => return None,
    };
    let year = words.at(at + 2).parse().ok();
    let year = year.filter(|year| (1970..=9999).contains(year));
    let of = |year: i32| NaiveDate::from_ymd_opt(year, month, day);
    match year {
        Some(year) => Some((of(year)?, 3)),
        None => {
            let recent = of(today.year()).filter(|date| *date <= today);
            Some((recent.or_else(|| of(today.year() - 1))?, 2))
        }
    }
}

/// `2026-11-21`.
pub(super) fn iso(text: &str) -> Option<NaiveDate> {
    let has_form = text.len() == 10 && text.is_ascii();
    has_form.then(|| text.parse().ok()).flatten()
}

/// `2026-11-21T22:00`, with seconds and a zone or without: a local time.
pub(super) fn moment(text: &str, zone_seconds: i64) -> Option<i64> {
    let upper = text.to_uppercase();
    let (date, rest) = upper.split_once(['T', '_'])?;
    let date = iso(date)?;
    let zone_at = rest.find(['Z', '+', '-']).unwrap_or(rest.len());
    let (clock, zone) = rest.split_at(zone_at);
    let mut parts = clock.split([':', '.']);
    let mut next = || parts.next().map(str::parse::<u32>);
    let hour = next()?.ok()?;
    let minute = next()?.ok()?;
    let second = next().and_then(Result::ok).unwrap_or(0);
    let time = date.and_hms_opt(hour, minute, second)?.and_utc();
    let ahead = match zone {
        "" => zone_seconds,
        "Z" => 0,
        zone => {
            let (sign, zone) = zone.split_at(1);
            let digits: String = zone.chars().filter(char::is_ascii_digit).collect();
            let digits = format!("{digits:0<4}").parse::<i64>().ok()?;
            let seconds = digits / 100 * 3600 + digits % 100 * 60;
            let seconds = Some(seconds).filter(|seconds| *seconds <= DAY)?;
            if sign == "-" { -seconds } else { seconds }
        }
    };
    Some(time.timestamp() - ahead + zone_seconds)
}

fn month(word: &str) -> Option<u32> {
    let month = word.parse::<chrono::Month>().ok()?;
    Some(month.number_from_month())
}

fn day(word: &str) -> Option<u32> {
    let number = word.trim_end_matches(|it: char| it.is_ascii_alphabetic());
    let ending = &word[number.len()..];
    let is_one = matches!(ending, "" | "st" | "nd" | "rd" | "th");
    let number = number.trim_end_matches('.').parse().ok()?;
    (is_one && (1..=31).contains(&number)).then_some(number)
}
