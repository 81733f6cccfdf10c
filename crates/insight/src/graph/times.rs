//! `DURING 'last night 21:30'..'22:30' COMPARED TO 'yesterday'`

use std::time::Duration;

use throughline_telemetry::UnixNanos;

use super::mistake::Fault;
use super::syntax::Times;
use crate::question::{Window, Zone, read};

/// When it is asked, and of when where the query does not say.
#[derive(Clone, Copy, Debug)]
pub struct Asked {
    /// Now.
    pub now: UnixNanos,
    /// How far the clock of whoever asks is ahead of UTC.
    pub zone: Zone,
    /// What is looked at without DURING.
    pub window: Window,
}

/// What a query looks at, and what it compares that with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windows {
    /// The window.
    pub during: Window,
    /// The other one.
    pub compared: Option<Window>,
}

pub(super) fn windows(
    during: Option<&Times>,
    compared: Option<&Times>,
    asked: &Asked,
) -> Result<Windows, Fault> {
    let window = match during {
        None => asked.window,
        Some(times) => window(times, asked)?,
    };
    let compared = compared.map(|times| match &times.to {
        Some(_) => self::window(times, asked),
        None => relative(&times.from, window).map_or_else(|| self::window(times, asked), Ok),
    });
    Ok(Windows {
        during: window,
        compared: compared.transpose()?,
    })
}

/// A time in the words that investigations understand.
fn window(times: &Times, asked: &Asked) -> Result<Window, Fault> {
    let said = match &times.to {
        None => times.from.clone(),
        Some(to) => format!("from {} to {to}", times.from),
    };
    let question = read(&said, asked.now, asked.zone);
    let is_time = !question.window.words.is_empty()
        && question.subjects.is_empty()
        && question.symptom.is_none();
    if !is_time {
        let what = format!(
            "`{said}` is no time that is understood: 'last 1h', 'yesterday', 'last night 21:30'..'22:30' and \
             '2026-11-21T21:30'..'2026-11-21T22:30' are"
        );
        return Err(Fault::new(what, &times.place));
    }
    let window = question.window.value;
    if window.to.since(window.from) > LONGEST {
        let days = LONGEST.as_secs() / DAY.as_secs();
        return Err(Fault::new(
            format!("a window has at most {days} days"),
            &times.place,
        ));
    }
    Ok(window)
}

/// A window as long as this one, so much earlier.
fn relative(text: &str, window: Window) -> Option<Window> {
    let text = text.to_lowercase();
    let words: Vec<&str> = text
        .split_whitespace()
        .filter(|word| !matches!(*word, "the" | "same" | "time"))
        .collect();
    let length = window.to.since(window.from);
    let shift = match words[..] {
        ["yesterday"] | ["day", "before" | "earlier"] => DAY,
        ["last", "week"] | ["week", "before" | "earlier"] => DAY * 7,
        ["hour", "before" | "earlier"] | ["last", "hour"] => HOUR,
        ["before"] | ["just", "before"] => length,
        [number, unit, "before" | "earlier" | "ago"] => {
            let number = match number {
                "a" | "an" | "one" => 1,
                number => number
                    .parse::<u32>()
                    .ok()
                    .filter(|it| (1..=LONG).contains(it))?,
            };
            number * self::unit(unit)?
        }
        [amount, "before" | "earlier" | "ago"] => {
            let letters = amount.trim_start_matches(|it: char| it.is_ascii_digit());
            let digits = &amount[..amount.len() - letters.len()];
            let number = digits
                .parse::<u32>()
                .ok()
                .filter(|it| (1..=LONG).contains(it))?;
            number * self::unit(letters)?
        }
        _ => return None,
    };
    Some(Window {
        from: window.from.minus(shift),
        to: window.to.minus(shift),
    })
}

fn unit(word: &str) -> Option<Duration> {
    match word {
        "m" | "min" | "minute" | "minutes" => Some(Duration::from_secs(60)),
        "h" | "hour" | "hours" => Some(HOUR),
        "d" | "day" | "days" => Some(DAY),
        "w" | "week" | "weeks" => Some(DAY * 7),
        _ => None,
    }
}

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// Amounts up to here.
const LONG: u32 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-22T12:00:00Z.
    const NOON: UnixNanos = UnixNanos(1_795_348_800_000_000_000);

    fn times(from: &str, to: Option<&str>) -> Times {
        Times {
            from: from.to_owned(),
            to: to.map(str::to_owned),
            place: 0..0,
        }
    }

    fn found(during: &Times, compared: Option<&Times>) -> Result<Windows, Fault> {
        let asked = Asked {
            now: NOON,
            zone: Zone::default(),
            window: Window {
                from: NOON.minus(HOUR),
                to: NOON,
            },
        };
        windows(Some(during), compared, &asked)
    }

    #[track_caller]
    fn check(from: &str, to: Option<&str>, expect: &str) {
        let found = found(&times(from, to), None).unwrap();
        assert_eq!(found.during.to_string(), expect);
    }

    #[track_caller]
    fn check_compared(to: &str, expect: &str) {
        let found = found(&times("last 1h", None), Some(&times(to, None))).unwrap();
        assert_eq!(found.compared.unwrap().to_string(), expect);
    }

    #[test]
    fn a_window_is_said_in_words_or_from_one_time_to_another() {
        check(
            "last 1h",
            None,
            "2026-11-22T11:00:00Z to 2026-11-22T12:00:00Z",
        );
        check(
            "yesterday",
            None,
            "2026-11-21T00:00:00Z to 2026-11-22T00:00:00Z",
        );
        check(
            "last night 21:30",
            Some("22:30"),
            "2026-11-21T21:30:00Z to 2026-11-21T22:30:00Z",
        );
        let (from, to) = ("2026-11-20T08:00", "2026-11-20T09:30");
        check(
            from,
            Some(to),
            "2026-11-20T08:00:00Z to 2026-11-20T09:30:00Z",
        );
    }

    #[test]
    fn what_is_compared_with_is_as_long_so_much_earlier() {
        check_compared("yesterday", "2026-11-21T11:00:00Z to 2026-11-21T12:00:00Z");
        check_compared(
            "same time last week",
            "2026-11-15T11:00:00Z to 2026-11-15T12:00:00Z",
        );
        check_compared(
            "the hour before",
            "2026-11-22T10:00:00Z to 2026-11-22T11:00:00Z",
        );
        check_compared("2 days ago", "2026-11-20T11:00:00Z to 2026-11-20T12:00:00Z");
        check_compared(
            "30m earlier",
            "2026-11-22T10:30:00Z to 2026-11-22T11:30:00Z",
        );
        check_compared("last night", "2026-11-21T18:00:00Z to 2026-11-22T06:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in ["", "whenever", "checkout", "last 1h checkout", "40 days"] {
            let fault = found(&times(text, None), None).unwrap_err();
            assert!(fault.what.contains("is no time"), "{text}: {}", fault.what);
        }
        let fault = found(&times("last 60 days", None), None).unwrap_err();
        assert_eq!(fault.what, "a window has at most 31 days");
    }
}
