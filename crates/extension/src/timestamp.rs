//! ISO-8601 times, as the Telemetry API and JSON logs write them.

use throughline_telemetry::UnixNanos;

/// Reads `2026-10-08T12:00:00.123Z`: any number of fraction digits, `Z`, `±hh:mm` or `±hhmm`, and a
/// blank in place of the `T`. `None` for everything else and for years before 1970.
pub fn parse(text: &str) -> Option<UnixNanos> {
    let bytes = text.trim().as_bytes();
    let (date, rest) = bytes.split_at_checked(19)?;
    let shape: [(usize, &[u8]); 5] = [(4, b"-"), (7, b"-"), (10, b"T "), (13, b":"), (16, b":")];
    if shape
        .iter()
        .any(|(at, allowed)| !allowed.contains(&date[*at]))
    {
        return None;
    }
    let [year, month, day] = [
        number(&date[..4])?,
        number(&date[5..7])?,
        number(&date[8..10])?,
    ];
    let [hour, minute, second] = [
        number(&date[11..13])?,
        number(&date[14..16])?,
        number(&date[17..])?,
    ];
    let in_range = (1..=12).contains(&month) && (1..=31).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (nanos, zone) = fraction(rest)?;
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second;
    let seconds = u64::try_from(seconds - offset_seconds(zone)?).ok()?;
    Some(UnixNanos(
        seconds.checked_mul(1_000_000_000)?.checked_add(nanos)?,
    ))
}

/// `.123` as nanoseconds, and what follows it.
fn fraction(text: &[u8]) -> Option<(u64, &[u8])> {
    let Some(text) = text.strip_prefix(b".").or_else(|| text.strip_prefix(b",")) else {
        return Some((0, text));
    };
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, zone) = text.split_at(digits);
    let padded = digits
        .iter()
        .copied()
        .chain(std::iter::repeat(b'0'))
        .take(9);
    let nanos = padded.fold(0, |sum, digit| sum * 10 + u64::from(digit - b'0'));
    (!digits.is_empty()).then_some((nanos, zone))
}

fn offset_seconds(zone: &[u8]) -> Option<i64> {
    let (sign, rest) = match zone {
        b"Z" | b"z" => return Some(0),
        [b'+', rest @ ..] => (1, rest),
        [b'-', rest @ ..] => (-1, rest),
        _ => return None,
    };
    let (hours, minutes) = match rest {
        [h1, h2, b':', m1, m2] | [h1, h2, m1, m2] => ([*h1, *h2], [*m1, *m2]),
        _ => return None,
    };
    Some(sign * (number(&hours)? * 3600 + number(&minutes)? * 60))
}

fn number(digits: &[u8]) -> Option<i64> {
    digits.iter().try_fold(0, |sum, digit| {
        digit
            .is_ascii_digit()
            .then(|| sum * 10 + i64::from(digit - b'0'))
    })
}

/// Howard Hinnant's `days_from_civil`: years begin in March, so that the leap day comes last.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_a_time() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2026-10-08T12:00:00.123Z", 1_791_460_800_123_000_000),
            ("2026-10-08 12:00:00,123Z", 1_791_460_800_123_000_000),
            (
                "2024-02-29T23:59:59.123456789+00:00",
                1_709_251_199_123_456_789,
            ),
            ("2026-10-08T14:00:00+0200", 1_791_460_800_000_000_000),
            ("2026-10-08T07:30:00.0-04:30", 1_791_460_800_000_000_000),
        ] {
            assert_eq!(parse(text), Some(UnixNanos(nanos)), "{text}");
        }
    }

    #[test]
    fn what_is_none() {
        for text in [
            "",
            "yesterday",
            "2026-10-08",
            "2026-10-08T12:00:00",
            "2026-13-08T12:00:00Z",
            "2026-10-08T12:00:00.Z",
            "1969-12-31T23:59:59Z",
            "2026-10-08T12:00:0éZ",
            "2026-10-08T12:00:00+2",
            "9999-99-99T99:99:99Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
