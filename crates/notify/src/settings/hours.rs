//! Hours in which nobody is to be woken.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use throughline_insight::detect::Severity;
use throughline_telemetry::UnixNanos;

use crate::notice::SeverityName;

/// Hours of the day, on the clock of the receiver, in which what matters less waits until they end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// When they begin: `22:00`.
    pub from: ClockTime,
    /// When they end; the next day, if that is not later.
    pub to: ClockTime,
    /// The days on which they begin; every day, if none is named.
    #[serde(default)]
    pub days: Vec<Day>,
    /// What is told all the same: this severity and worse.
    #[serde(default = "critical", with = "SeverityName")]
    pub except: Severity,
}

/// A time of the day, to the minute: `22:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime {
    minutes: u16,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl QuietHours {
    /// When the hours end that `now` is in; none if it is in none. The clock is so many minutes ahead of UTC.
    pub fn until(&self, now: UnixNanos, utc_offset_minutes: i32) -> Option<UnixNanos> {
        let local = local_minutes(now, utc_offset_minutes);
        let (today, minute) = (local.div_euclid(DAY), local.rem_euclid(DAY));
        let (from, to) = (i64::from(self.from.minutes), i64::from(self.to.minutes));
        let end = if to > from {
            let is_in = self.begin_on(today) && (from..to).contains(&minute);
            is_in.then_some(today * DAY + to)
        } else if minute >= from && self.begin_on(today) {
            Some((today + 1) * DAY + to)
        } else if minute < to && self.begin_on(today - 1) {
            Some(today * DAY + to)
        } else {
            None
        };
        end.map(|end| utc(end, utc_offset_minutes))
    }

    fn begin_on(&self, day: i64) -> bool {
        self.days.is_empty() || self.days.contains(&day_of(day))
    }
}

/// The last time before `now` that it was Monday, eight in the morning.
pub(crate) fn last_monday(now: UnixNanos, utc_offset_minutes: i32) -> UnixNanos {
    let local = local_minutes(now, utc_offset_minutes) - MONDAY_AT;
    let monday = local - (local - THURSDAYS_TO_MONDAY).rem_euclid(WEEK);
    utc(monday + MONDAY_AT, utc_offset_minutes)
}

fn local_minutes(now: UnixNanos, utc_offset_minutes: i32) -> i64 {
    let minutes = now.0 / MINUTE_NANOS;
    i64::try_from(minutes).unwrap_or(i64::MAX / 2) + i64::from(utc_offset_minutes)
}

fn utc(local_minutes: i64, utc_offset_minutes: i32) -> UnixNanos {
    let minutes = local_minutes - i64::from(utc_offset_minutes);
    let minutes = u64::try_from(minutes).unwrap_or_default();
    UnixNanos(0).plus(Duration::from_secs(minutes.saturating_mul(60)))
}

/// Of the day that begins so many days after 1970.
fn day_of(day: i64) -> Day {
    use Day::{Fri, Mon, Sat, Sun, Thu, Tue, Wed};
    // 1970 began on a Thursday.
    let days = [Thu, Fri, Sat, Sun, Mon, Tue, Wed];
    let at = usize::try_from(day.rem_euclid(7)).unwrap_or_default();
    days[at]
}

impl TryFrom<String> for ClockTime {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (hours, minutes) = text.split_once(':')?;
            let is_whole = |it: &str| it.len() == 2 && it.bytes().all(|it| it.is_ascii_digit());
            if !is_whole(hours) || !is_whole(minutes) {
                return None;
            }
            let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
            (hours < 24 && minutes < 60).then_some(ClockTime {
                minutes: hours * 60 + minutes,
            })
        };
        parse().ok_or_else(|| format!("{text:?} is no time of the day, such as \"22:00\""))
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> Self {
        format!("{:02}:{:02}", time.minutes / 60, time.minutes % 60)
    }
}

fn critical() -> Severity {
    Severity::Critical
}

const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
const DAY: i64 = 24 * 60;
const WEEK: i64 = 7 * DAY;
const MONDAY_AT: i64 = 8 * 60;
/// From a Thursday, on which 1970 began, to the Monday after.
const THURSDAYS_TO_MONDAY: i64 = 4 * DAY;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quiet(json: &str) -> QuietHours {
        serde_json::from_str(json).unwrap()
    }

    fn at(text: &str) -> UnixNanos {
        let time = chrono::DateTime::parse_from_rfc3339(text).unwrap();
        UnixNanos(u64::try_from(time.timestamp()).unwrap() * 1_000_000_000)
    }

    #[test]
    fn nights_end_the_next_morning() {
        let nights = quiet(r#"{"from": "22:00", "to": "07:30"}"#);
        // One in the morning in Berlin is midnight in London.
        let check = |now: &str, expected: Option<&str>| {
            assert_eq!(nights.until(at(now), 60), expected.map(at), "{now}");
        };
        check("2026-11-22T21:00:00Z", Some("2026-11-23T06:30:00Z"));
        check("2026-11-23T06:29:59Z", Some("2026-11-23T06:30:00Z"));
        check("2026-11-23T06:30:00Z", None);
        check("2026-11-22T20:59:00Z", None);
    }

    #[test]
    fn days_are_those_on_which_they_begin() {
        // Friday evening until Saturday morning.
        let friday = quiet(r#"{"from": "22:00", "to": "07:00", "days": ["fri"]}"#);
        assert!(friday.until(at("2026-11-20T23:00:00Z"), 0).is_some());
        assert!(friday.until(at("2026-11-21T06:00:00Z"), 0).is_some());
        assert!(friday.until(at("2026-11-21T23:00:00Z"), 0).is_none());
        assert!(friday.until(at("2026-11-20T06:00:00Z"), 0).is_none());
        let sunday = quiet(r#"{"from": "00:00", "to": "00:00", "days": ["sun"]}"#);
        let ends = Some(at("2026-11-23T00:00:00Z"));
        assert_eq!(sunday.until(at("2026-11-22T13:00:00Z"), 0), ends);
        assert_eq!(sunday.until(at("2026-11-23T13:00:00Z"), 0), None);
    }

    #[test]
    fn reports_are_of_mondays() {
        let monday = at("2026-11-23T08:00:00Z");
        assert_eq!(last_monday(monday, 0), monday);
        assert_eq!(last_monday(at("2026-11-29T23:00:00Z"), 0), monday);
        assert_eq!(
            last_monday(at("2026-11-23T07:59:00Z"), 0),
            at("2026-11-16T08:00:00Z")
        );
        assert_eq!(
            last_monday(at("2026-11-23T07:30:00Z"), 60),
            at("2026-11-23T07:00:00Z")
        );
    }

    #[test]
    fn times_are_checked() {
        for bad in ["24:00", "7:00", "12:60", "noon", "+1:00"] {
            assert!(ClockTime::try_from(bad.to_owned()).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Quiet hours have an end that is later, no more than a day away, and at which they have ended.
        #[test]
        fn they_end(now in 0u64..100_000_000, offset in -720i32..840, from in 0u16..1440, to in 0u16..1440) {
            let time = |minutes| ClockTime { minutes };
            let hours = QuietHours { from: time(from), to: time(to), days: vec![Day::Tue], except: Severity::Critical };
            let now = UnixNanos(0).plus(Duration::from_secs(now + 864_000));
            if let Some(end) = hours.until(now, offset) {
                prop_assert!(end > now && end.since(now) <= Duration::from_secs(86_400));
                prop_assert_eq!(hours.until(end, offset), None);
            }
        }
    }
}
