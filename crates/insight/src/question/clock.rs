//! Times of day, as people write them.

use super::words::Words;

/// A time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// Seconds since midnight, as it is written.
    seconds: i64,
    /// What the same writing can mean.
    says: Says,
}

/// How plain a time of day is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Says {
    /// With am or pm, or on a clock of 24 hours.
    All,
    /// `9:30`: by itself of the morning.
    Minutes,
    /// `9`: of either half of the day.
    Hour,
}

/// A part of a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Morning,
    Afternoon,
    Evening,
    /// From the evening until the next morning.
    Night,
}

impl Part {
    pub(super) fn named(word: &str) -> Option<Self> {
        match word {
            "morning" | "mornings" => Some(Part::Morning),
            "afternoon" => Some(Part::Afternoon),
            "evening" => Some(Part::Evening),
            "night" | "overnight" => Some(Part::Night),
            _ => None,
        }
    }

    /// From when until when, in seconds since the midnight before it.
    pub(super) fn hours(self) -> (i64, i64) {
        let (from, to) = match self {
            Part::Morning => (6, 12),
            Part::Afternoon => (12, 18),
            Part::Evening => (18, 24),
            Part::Night => (18, 30),
        };
        (from * HOUR, to * HOUR)
    }
}

impl Clock {
    /// What it means in this part of a day, in seconds since the midnight before the part: after midnight a night
    /// goes on in the next day.
    pub(super) fn within(self, part: Part) -> i64 {
        let (from, to) = part.hours();
        let all = [0, 12, 24, 36].map(|hours| self.seconds + hours * HOUR);
        let sure = [0, 24].map(|hours| self.seconds + hours * HOUR);
        let readings = match self.says {
            Says::All => &sure[..],
            Says::Minutes | Says::Hour => &all[..],
        };
        let fits = readings.iter().find(|at| (from..to).contains(*at));
        fits.copied().unwrap_or(self.seconds)
    }

    /// What it may mean on a day, the most probable first: office hours, where an hour is all that is said.
    pub(super) fn readings(self) -> Vec<i64> {
        let other = (self.seconds + 12 * HOUR) % (24 * HOUR);
        match self.says {
            Says::All | Says::Minutes => vec![self.seconds],
            Says::Hour if self.seconds < 7 * HOUR => vec![other, self.seconds],
            Says::Hour => vec![self.seconds, other],
        }
    }

    /// The same half of the day as another, if that makes it earlier than the other; else the other half.
    pub(super) fn before(self, later: Clock) -> Clock {
        if self.says == Says::All || later.says != Says::All {
            return self;
        }
        let readings = [self.seconds + 12 * HOUR, self.seconds].map(|at| at % (24 * HOUR));
        let earlier = readings.into_iter().filter(|at| *at < later.seconds).max();
        Clock {
            seconds: earlier.unwrap_or(self.seconds),
            says: Says::All,
        }
    }
}

/// A time of day, and how many words it takes. A number alone is one only where that is plain.
pub(super) fn clock(words: &Words, at: usize, is_plain: bool) -> Option<(Clock, usize)> {
    let word = words.at(at);
    let named = match word {
        "noon" | "midday" => Some(12 * HOUR),
        "midnight" => Some(0),
        "lunch" | "lunchtime" => Some(12 * HOUR + HOUR / 2),
        _ => None,
    };
    if let Some(seconds) = named {
        let says = Says::All;
        return Some((Clock { seconds, says }, 1));
    }
    let half = words.at(at + 1);
    if !half.is_empty()
        && let Some(clock) = half_of(half).and_then(|_| one(&format!("{word}{half}"), true))
    {
        return Some((clock, 2));
    }
    let is_plain = is_plain || is_oclock(half);
    let length = if is_oclock(half) { 2 } else { 1 };
    Some((one(word, is_plain)?, length))
}

/// `9-10am`: two of them in one word.
pub(super) fn range(word: &str) -> Option<(Clock, Clock)> {
    let (from, to) = word.split_once(['-', '–'])?;
    let (from, to) = (one(from, true)?, one(to, true)?);
    let is_plain = [from, to].iter().any(|clock| clock.says != Says::Hour);
    is_plain.then(|| (from.before(to), to))
}

/// One word.
fn one(word: &str, is_plain: bool) -> Option<Clock> {
    let digits = word.trim_end_matches(|it: char| it.is_ascii_alphabetic() || it == '.');
    let ending = &word[digits.len()..];
    let half = match ending {
        "" => None,
        "h" => Some(Half::Day),
        ending => Some(half_of(ending)?),
    };
    let mut parts = digits.split([':', '.']);
    let hours = parts.next()?;
    let numbers: Option<Vec<i64>> = parts
        .map(|part| (part.len() == 2).then(|| number(part)).flatten())
        .collect();
    let numbers = numbers?;
    let is_dotted = digits.contains('.') && half.is_none();
    if hours.len() > 2 || numbers.len() > 2 || is_dotted {
        return None;
    }
    let hour = number(hours)?;
    let (minute, second) = (numbers.first(), numbers.get(1));
    let below = |number: Option<&i64>| number.copied().unwrap_or(0) < 60;
    if hour > 24 || !below(minute) || !below(second) {
        return None;
    }
    let rest = minute.unwrap_or(&0) * 60 + second.unwrap_or(&0);
    let is_either = half.is_none() && (1..=12).contains(&hour) && !hours.starts_with('0');
    let says = match (is_either, minute) {
        (false, _) => Says::All,
        (true, Some(_)) => Says::Minutes,
        (true, None) => Says::Hour,
    };
    let is_said = half.is_some() || minute.is_some() || is_plain;
    let hour = match half {
        Some(Half::Morning | Half::Afternoon) if !(1..=12).contains(&hour) => return None,
        Some(Half::Morning) => hour % 12,
        Some(Half::Afternoon) => hour % 12 + 12,
        Some(Half::Day) | None => hour % 24,
    };
    is_said.then_some(Clock {
        seconds: hour * HOUR + rest,
        says,
    })
}

/// What stands behind the number.
enum Half {
    Morning,
    Afternoon,
    /// The clock has 24 hours.
    Day,
}

fn half_of(word: &str) -> Option<Half> {
    match word {
        "am" | "a.m" | "a.m." => Some(Half::Morning),
        "pm" | "p.m" | "p.m." => Some(Half::Afternoon),
        _ => None,
    }
}

fn is_oclock(word: &str) -> bool {
    matches!(word, "o'clock" | "o’clock" | "oclock")
}

fn number(text: &str) -> Option<i64> {
    let is_number = !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit());
    is_number.then(|| text.parse().ok()).flatten()
}

pub(super) const HOUR: i64 = 3600;
