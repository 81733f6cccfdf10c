//! Numbers and times as people read them, as on the page.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use throughline_telemetry::UnixNanos;

/// `812 ns`, `4.05 µs`, `39.2 ms`, `1.24 s`, `3 min 07 s`, `2 h 05 min`.
pub(super) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    match duration.as_nanos() {
        0 => "0 ms".to_owned(),
        nanos @ 1..1000 => format!("{nanos} ns"),
        1000..999_500 => format!("{} µs", three_digits(seconds * 1e6)),
        999_500..999_500_000 => format!("{} ms", three_digits(seconds * 1e3)),
        999_500_000..59_950_000_000 => format!("{} s", three_digits(seconds)),
        _ => long((duration + Duration::from_millis(500)).as_secs()),
    }
}

/// The same of milliseconds, as the API says it of percentiles.
pub(super) fn millis(millis: f64) -> String {
    duration(Duration::try_from_secs_f64(millis / 1e3).unwrap_or_default())
}

fn long(seconds: u64) -> String {
    match seconds / 60 {
        minutes @ 0..60 => format!("{minutes} min {:02} s", seconds % 60),
        minutes => format!("{} h {:02} min", minutes / 60, minutes % 60),
    }
}

fn three_digits(value: f64) -> String {
    match value {
        ..9.995 => format!("{value:.2}"),
        ..99.95 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

/// `1,234`.
pub(super) fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 span`, `1,234 spans`.
pub(super) fn counted(count: u64, one: &str) -> String {
    match count {
        1 => format!("1 {one}"),
        count => format!("{} {one}s", number(count)),
    }
}

/// A part of a whole: `0 %`, `0.4 %`, `12 %`.
pub(super) fn share(part: u64, whole: u64) -> String {
    #[allow(clippy::cast_precision_loss)] // three digits are shown
    let percent = match whole {
        0 => 0.0,
        whole => part as f64 / whole as f64 * 100.0,
    };
    match percent {
        percent if percent > 0.0 && percent < 9.95 => format!("{percent:.1} %"),
        percent => format!("{percent:.0} %"),
    }
}

/// `$0.0000131`, `$1.24`: three digits that count.
pub(super) fn dollars(usd: f64) -> String {
    let decimals = match usd {
        usd if usd <= 0.0 => return "$0".to_owned(),
        1.0.. => 2,
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // between 2 and 12
        usd => (2.0 - usd.log10().floor()).min(12.0) as usize,
    };
    format!("${usd:.decimals$}")
}

/// `2026-11-21 02:35:12.345`.
pub(super) fn moment(at: UnixNanos) -> String {
    let time = UNIX_EPOCH + Duration::from_nanos(at.0);
    let text = humantime::format_rfc3339_millis(time).to_string();
    text.trim_end_matches('Z').replace('T', " ")
}

/// `02:35:12.345`.
pub(super) fn clock(at: UnixNanos) -> String {
    let moment = moment(at);
    moment.rsplit(' ').next().unwrap_or_default().to_owned()
}

/// `now`, `12 s ago`, `3 min ago`, `5 h ago`, `4 d ago`.
pub(super) fn ago(at: UnixNanos, now: UnixNanos) -> String {
    // The clocks of reader and function differ by a little; the future is now.
    match now.0.saturating_sub(at.0) / 1_000_000_000 {
        0..2 => "now".to_owned(),
        seconds @ 2..60 => format!("{seconds} s ago"),
        seconds @ 60..3600 => format!("{} min ago", seconds / 60),
        seconds @ 3600..86_400 => format!("{} h ago", seconds / 3600),
        seconds => format!("{} d ago", seconds / 86_400),
    }
}

/// The reader's clock.
#[allow(clippy::disallowed_methods)] // an edge: what is asked and printed is about now
pub(super) fn now() -> UnixNanos {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    let nanos = since.map_or(0, |since| since.as_nanos());
    UnixNanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits_or_two_units() {
        let told = [
            0,
            812,
            4050,
            39_200_000,
            999_499_999,
            999_500_000,
            1_240_000_000,
            59_949_000_000,
            187_000_000_000,
            7_500_000_000_000,
        ];
        let told = told.map(|nanos| duration(Duration::from_nanos(nanos)));
        assert_eq!(
            told.join(", "),
            "0 ms, 812 ns, 4.05 µs, 39.2 ms, 999 ms, 1.00 s, 1.24 s, 59.9 s, 3 min 07 s, 2 h 05 min"
        );
        assert_eq!(millis(41.24), "41.2 ms");
    }

    #[test]
    fn numbers_parts_and_money() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(number).join(" "),
            "0 999 1,000 1,234,567"
        );
        assert_eq!(
            [counted(1, "span"), counted(2000, "span")].join(", "),
            "1 span, 2,000 spans"
        );
        let shares = [(0, 0), (0, 7), (1, 250), (3, 25), (7, 7)];
        let shares = shares.map(|(part, whole)| share(part, whole));
        assert_eq!(shares.join(", "), "0 %, 0 %, 0.4 %, 12 %, 100 %");
        let told = [0.0, 0.000_013_12, 0.5, 1.239].map(dollars);
        assert_eq!(told.join(" "), "$0 $0.0000131 $0.500 $1.24");
    }

    #[test]
    fn moments_and_how_long_ago_they_are() {
        let at = UnixNanos(1_795_228_801_042_999_999);
        assert_eq!(moment(at), "2026-11-21 02:40:01.042");
        assert_eq!(clock(at), "02:40:01.042");
        let after = |seconds: u64| ago(at, UnixNanos(at.0 + seconds * 1_000_000_000));
        let told = [0, 2, 59, 60, 3599, 3600, 86_400].map(after);
        assert_eq!(
            told.join(", "),
            "now, 2 s ago, 59 s ago, 1 min ago, 59 min ago, 1 h ago, 1 d ago"
        );
        assert_eq!(ago(at, UnixNanos(0)), "now");
    }
}
