//! AWS's six fields: minutes, hours, day of month, month, day of week, year. All in UTC. Pure.
//!
//! No crate reads this form: theirs have seconds and no year, or count weekdays from Monday or from zero. Here Sunday
//! is 1, one of the two day fields is `?`, and there are `L`, `W` and `#`.

use crate::time::{UnixNanos, days_from_civil};

/// The times that a cron expression names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cron {
    minutes: Set,
    hours: Set,
    days: Days,
    months: Set,
    years: Set,
}

/// A bit for each number that a field allows, from the field's lowest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Set {
    lowest: u32,
    bits: [u64; 4],
}

/// The days of a month that count.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Days {
    OfMonth(Set),
    /// `L`
    Last,
    /// `15W`: the weekday nearest to this day, in the same month.
    NearestWeekday(u32),
    /// `LW`
    LastWeekday,
    OfWeek(Set),
    /// `6L`: the last one of its kind.
    LastOfWeek(u32),
    /// `6#3`: the third one of its kind.
    NthOfWeek(u32, u32),
}

struct Field {
    name: &'static str,
    lowest: u32,
    highest: u32,
    /// Names of the numbers, from the lowest on.
    names: &'static [&'static str],
}

impl Cron {
    /// # Errors
    /// What is wrong with the fields.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<_> = text.split_whitespace().collect();
        let [minutes, hours, of_month, month, of_week, year] = fields[..] else {
            return Err(format!(
                "expected six fields (minutes, hours, day of month, month, day of week, year), found {}",
                fields.len()
            ));
        };
        let days = match (of_month, of_week) {
            ("?", "?") => return Err("only one of the day fields is ?".to_owned()),
            (of_month, "?") => days_of_month(of_month)?,
            ("?", of_week) => days_of_week(of_week)?,
            _ => return Err("one of the day fields is ?".to_owned()),
        };
        Ok(Self {
            minutes: MINUTES.parse(minutes)?,
            hours: HOURS.parse(hours)?,
            days,
            months: MONTHS.parse(month)?,
            years: YEARS.parse(year)?,
        })
    }

    /// The first time after `now`, if there is one before the years end.
    pub(crate) fn next_after(&self, now: UnixNanos) -> Option<UnixNanos> {
        let (first_year, first_month, first_day) = now.date();
        let first_year = u32::try_from(first_year).ok()?;
        for year in first_year.max(YEARS.lowest)..=YEARS.highest {
            if !self.years.has(year) {
                continue;
            }
            for month in (1..=12).filter(|month| self.months.has(*month)) {
                if (year, month) < (first_year, first_month) {
                    continue;
                }
                let days = self.days.of(year, month);
                for day in
                    days.filter(|day| (year, month, *day) >= (first_year, first_month, first_day))
                {
                    if let Some(time) = self.first_of(year, month, day, now) {
                        return Some(time);
                    }
                }
            }
        }
        None
    }

    fn first_of(&self, year: u32, month: u32, day: u32, now: UnixNanos) -> Option<UnixNanos> {
        let midnight = u64::try_from(days_from_civil(i64::from(year), month, day)).ok()? * 86_400;
        let minutes = |hour: u32| (0..60).map(move |minute| (hour, minute));
        (0..24)
            .flat_map(minutes)
            .filter(|(hour, minute)| self.hours.has(*hour) && self.minutes.has(*minute))
            .map(|(hour, minute)| midnight + u64::from(hour * 3600 + minute * 60))
            .map(|seconds| UnixNanos::from_millis(seconds * 1000))
            .find(|time| *time > now)
    }
}

impl Days {
    /// In their order.
    fn of(&self, year: u32, month: u32) -> impl Iterator<Item = u32> {
        let length = month_length(year, month);
        (1..=length).filter(move |day| self.has(year, month, *day, length))
    }

    fn has(&self, year: u32, month: u32, day: u32, length: u32) -> bool {
        let weekday = || weekday(year, month, day);
        let nearest = |wanted: u32| nearest_weekday(year, month, wanted, length);
        match self {
            Self::OfMonth(days) => days.has(day),
            Self::Last => day == length,
            Self::NearestWeekday(wanted) => *wanted <= length && day == nearest(*wanted),
            Self::LastWeekday => day == nearest(length),
            Self::OfWeek(days) => days.has(weekday()),
            Self::LastOfWeek(wanted) => weekday() == *wanted && day + 7 > length,
            Self::NthOfWeek(wanted, nth) => weekday() == *wanted && day.div_ceil(7) == *nth,
        }
    }
}

fn days_of_month(text: &str) -> Result<Days, String> {
    match text {
        "L" => Ok(Days::Last),
        "LW" => Ok(Days::LastWeekday),
        _ => match text.strip_suffix('W') {
            Some(day) => Ok(Days::NearestWeekday(DAYS.number(day)?)),
            None => Ok(Days::OfMonth(DAYS.parse(text)?)),
        },
    }
}

fn days_of_week(text: &str) -> Result<Days, String> {
    if let Some((day, nth)) = text.split_once('#') {
        let nth = nth.parse().ok().filter(|nth| (1..=5).contains(nth));
        let nth = nth.ok_or_else(|| format!("{text}: after # comes a number from 1 to 5"))?;
        return Ok(Days::NthOfWeek(WEEKDAYS.number(day)?, nth));
    }
    match text.strip_suffix('L') {
        Some("") => Ok(Days::OfWeek(WEEKDAYS.parse("SAT")?)),
        Some(day) => Ok(Days::LastOfWeek(WEEKDAYS.number(day)?)),
        None => Ok(Days::OfWeek(WEEKDAYS.parse(text)?)),
    }
}

impl Field {
    /// Numbers, names, `a-b`, `*` and steps `a/n`, with commas between them.
    fn parse(&self, text: &str) -> Result<Set, String> {
        let mut set = Set {
            lowest: self.lowest,
            bits: [0; 4],
        };
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                None => (part, None),
                Some((range, step)) => match step.parse::<u32>() {
                    Ok(step) if step > 0 => (range, Some(step)),
                    _ => return Err(format!("{}: {part}: a step is 1 or more", self.name)),
                },
            };
            let (first, last) = match range.split_once('-') {
                _ if range == "*" => (self.lowest, self.highest),
                Some((first, last)) => (self.number(first)?, self.number(last)?),
                None => {
                    let first = self.number(range)?;
                    (first, if step.is_some() { self.highest } else { first })
                }
            };
            // A range may go over the end, as in FRI-MON.
            let last = if last < first {
                last + self.count()
            } else {
                last
            };
            for number in (first..=last).step_by(step.unwrap_or(1) as usize) {
                set.add(self.lowest + (number - self.lowest) % self.count());
            }
        }
        Ok(set)
    }

    fn number(&self, text: &str) -> Result<u32, String> {
        let upper = text.to_ascii_uppercase();
        let named = self.names.iter().position(|name| *name == upper);
        let number = match named {
            Some(index) => u32::try_from(index).ok().map(|index| self.lowest + index),
            None => text.parse().ok(),
        };
        number
            .filter(|number| (self.lowest..=self.highest).contains(number))
            .ok_or_else(|| {
                format!(
                    "{}: expected {} to {}, found {text:?}",
                    self.name, self.lowest, self.highest
                )
            })
    }

    fn count(&self) -> u32 {
        self.highest - self.lowest + 1
    }
}

impl Set {
    fn add(&mut self, number: u32) {
        let (word, bit) = self.place(number);
        self.bits[word] |= bit;
    }

    fn has(&self, number: u32) -> bool {
        let (word, bit) = self.place(number);
        self.bits[word] & bit != 0
    }

    fn place(&self, number: u32) -> (usize, u64) {
        let index = (number - self.lowest) as usize;
        (index / 64, 1 << (index % 64))
    }
}

fn month_length(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Sunday is 1.
fn weekday(year: u32, month: u32, day: u32) -> u32 {
    // 1970-01-01 was a Thursday.
    let days = days_from_civil(i64::from(year), month, day) + 4;
    u32::try_from(days.rem_euclid(7)).unwrap_or(0) + 1
}

/// A Saturday gives way to the Friday before it and a Sunday to the Monday after it, but never into another month.
fn nearest_weekday(year: u32, month: u32, day: u32, length: u32) -> u32 {
    match weekday(year, month, day) {
        SATURDAY if day == 1 => 3,
        SATURDAY => day - 1,
        SUNDAY if day == length => day - 2,
        SUNDAY => day + 1,
        _ => day,
    }
}

const SUNDAY: u32 = 1;
const SATURDAY: u32 = 7;

const fn field(
    name: &'static str,
    lowest: u32,
    highest: u32,
    names: &'static [&'static str],
) -> Field {
    Field {
        name,
        lowest,
        highest,
        names,
    }
}

const MINUTES: Field = field("minutes", 0, 59, &[]);
const HOURS: Field = field("hours", 0, 23, &[]);
const DAYS: Field = field("day of month", 1, 31, &[]);
const MONTHS: Field = field(
    "month",
    1,
    12,
    &[
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ],
);
const WEEKDAYS: Field = field(
    "day of week",
    1,
    7,
    &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"],
);
const YEARS: Field = field("year", 1970, 2199, &[]);

#[cfg(test)]
mod tests;
