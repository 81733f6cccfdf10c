//! The managed services that a record came through, oldest first: `KIND:NAME@EPOCH_MS#KEY`, with `>` between them. What
//! the record does not tell is left out.

use serde_json::Value;

/// One service. `time` is when it accepted the record, in any unit that events have; `key` is the name under which both
/// sides know it.
pub(super) fn hop(kind: &str, name: &str, time: &Value, key: &str) -> String {
    let plain = name.chars().take(NAME_CHARS_MAX);
    let plain: String = plain
        .map(|letter| {
            if matches!(letter, '>' | '@' | '#') {
                '_'
            } else {
                letter
            }
        })
        .collect();
    let mut hop = format!("{kind}:{plain}");
    if let Some(at) = millis(time) {
        hop.push_str(&format!("@{at}"));
    }
    if !key.is_empty() && key.chars().count() <= KEY_CHARS_MAX && !key.contains('>') {
        hop.push_str(&format!("#{key}"));
    }
    hop
}

/// `kind:value`, if all parts of the value are known; else nothing.
pub(super) fn key_of(kind: &str, parts: &[&str]) -> String {
    match parts.iter().any(|part| part.is_empty()) {
        true => String::new(),
        false => format!("{kind}:{}", parts.join("/")),
    }
}

/// `TIMES#KEY` of a record that was received before; nothing of one that comes for the first time.
pub(super) fn came_again(times: &Value, key: &str) -> Option<String> {
    let is_number = |text: &&str| text.len() < 10 && text.bytes().all(|it| it.is_ascii_digit());
    let times: u32 = times.as_str().filter(is_number)?.parse().ok()?;
    (times > 1 && !key.is_empty()).then(|| format!("{times}#{key}"))
}

/// Those of them that are known.
pub(super) fn some<const N: usize>(keys: [String; N]) -> Vec<String> {
    keys.into_iter().filter(|key| !key.is_empty()).collect()
}

/// Milliseconds since 1970 out of a number of seconds, milliseconds or microseconds, or a date.
fn millis(time: &Value) -> Option<i64> {
    let number = match time {
        Value::String(text) if text.contains('T') => return date_millis(text),
        Value::String(text)
            if text
                .bytes()
                .all(|byte| byte.is_ascii_digit() || byte == b'.') =>
        {
            text.parse().ok()?
        }
        number => number.as_f64()?,
    };
    if !(number > 0.0 && number < 1e17) {
        return None;
    }
    let millis = match number {
        seconds if seconds < 1e11 => seconds * 1_000.0,
        millis if millis < 1e14 => millis,
        micros => micros / 1_000.0,
    };
    #[allow(clippy::cast_possible_truncation)] // less than 1e14
    Some((millis + 0.5).floor() as i64)
}

/// `2026-11-21T00:00:00.123Z`, with or without a fraction; an offset such as `+01:00` in place of `Z`.
fn date_millis(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let number = |from: usize, to: usize| -> Option<i64> {
        let digits = text.get(from..to)?;
        let is_number = digits.bytes().all(|digit| digit.is_ascii_digit());
        is_number.then(|| digits.parse().ok())?
    };
    let marks = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
    if marks
        .iter()
        .any(|(at, mark)| text.as_bytes().get(*at) != Some(mark))
    {
        return None;
    }
    let days = days_since_1970(number(0, 4)?, number(5, 7)?, number(8, 10)?);
    let seconds = (number(11, 13)? * 60 + number(14, 16)?) * 60 + number(17, 19)?;
    let mut rest = text.get(19..)?;
    let mut fraction = 0;
    if let Some(after) = rest.strip_prefix('.') {
        let end = after.find(|letter: char| !letter.is_ascii_digit())?;
        let digits = after
            .get(..end)
            .filter(|digits| (1..=9).contains(&digits.len()))?;
        fraction = format!("{digits:0<3}")[..3].parse::<i64>().ok()?;
        rest = &after[end..];
    }
    let at = (days * 86_400 + seconds) * 1_000 + fraction;
    Some(at - offset_minutes(rest)? * 60_000)
}

/// `Z`, or how many minutes the clock is ahead.
fn offset_minutes(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = match text.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let digits = text[1..].replacen(':', "", 1);
    if digits.len() != 4 || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (hours, minutes): (i64, i64) = (digits[..2].parse().ok()?, digits[2..].parse().ok()?);
    Some(sign * (hours * 60 + minutes))
}

/// Of the Gregorian calendar, by counting years from March.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

const NAME_CHARS_MAX: usize = 256;
const KEY_CHARS_MAX: usize = 1_024;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn times_in_every_unit() {
        for (time, expected) in [
            (json!("2026-11-21T00:00:00Z"), Some(1_795_219_200_000)),
            (json!("2024-02-29T23:59:59.5Z"), Some(1_709_251_199_500)),
            (json!("1970-01-01T01:00:00+01:00"), Some(0)),
            (
                json!("2026-11-21T00:00:00.123456Z"),
                Some(1_795_219_200_123),
            ),
            (json!("1795219200123"), Some(1_795_219_200_123)),
            (json!(1_795_219_200.123), Some(1_795_219_200_123)),
            (json!(1_795_219_200), Some(1_795_219_200_000)),
            (json!(1_795_219_200_123_456_i64), Some(1_795_219_200_123)),
            (json!("yesterday"), None),
            (json!("2026-11-21T00:00:00"), None),
            (json!("2026-11-21T00:00:00.Z"), None),
            (json!(""), None),
            (json!(-1), None),
            (json!(null), None),
        ] {
            assert_eq!(millis(&time), expected, "{time}");
        }
    }

    #[test]
    fn name_that_would_break_the_path() {
        assert_eq!(
            hop("queue", "a>b@c#d", &json!(null), "k:>"),
            "queue:a_b_c_d"
        );
    }
}
