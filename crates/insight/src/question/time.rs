//! When it was, by the words that people have for times.
//!
//! A time is a *point*: a day, a part of it, a time of day, or as much of these as is said; what is not said is the
//! last one that there was. One point is looked around, two are from the one to the other.

use std::time::Duration;

use chrono::{Datelike, NaiveDate, Weekday};
use throughline_telemetry::UnixNanos;

use super::clock::{self, Clock, HOUR, Part};
use super::days::{self, DAY};
use super::words::Words;
use super::{Said, Window, Zone};

/// What the words say, one after the other.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Item {
    /// So many seconds until now.
    Last(i64),
    /// Days from one up to another.
    Days(NaiveDate, NaiveDate),
    Part(Part),
    Clock(Clock),
    /// A local time, and how much around it is meant.
    Moment(i64, i64),
    Lead(Lead),
}

/// What stands before a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lead {
    Since,
    From,
    Until,
    And,
    Before,
    After,
    /// A number behind it is a time of day.
    At,
    /// A duration behind it lasts until now.
    For,
    Other,
}

/// As much of a time as is said.
#[derive(Clone, Copy, Debug, Default)]
struct Point {
    days: Option<(NaiveDate, NaiveDate)>,
    part: Option<Part>,
    clock: Option<Clock>,
    moment: Option<(i64, i64)>,
}

/// A point that is found: from then to then; of a moment what is around it.
#[derive(Clone, Copy, Debug)]
struct Found {
    at: i64,
    end: i64,
    around: i64,
}

/// Takes the words that say when, and tells what they mean.
pub(super) fn read(words: &mut Words, now: UnixNanos, zone: Zone) -> Said<Window> {
    let seconds = i64::try_from(now.0 / 1_000_000_000).unwrap_or(i64::MAX);
    let reader = Reader {
        now: seconds.saturating_add(zone.seconds),
        zone: zone.seconds,
    };
    let mut items = Vec::new();
    let mut said: Vec<(usize, usize)> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        let follows = said.last().is_some_and(|(_, to)| *to == at);
        let behind = items.last().filter(|_| follows);
        let Some((found, length)) = reader.phrase(words, at, behind) else {
            at += 1;
            continue;
        };
        items.extend(found);
        match said.last_mut().filter(|_| follows) {
            Some((_, to)) => *to = at + length,
            None => said.push((at, at + length)),
        }
        at += length;
    }
    let window = reader.window(&items).and_then(|(from, to)| {
        let utc = |local: i64| {
            let seconds = u64::try_from(local.saturating_sub(zone.seconds)).unwrap_or(0);
            UnixNanos(seconds.saturating_mul(1_000_000_000))
        };
        Window::try_new(utc(from), if to >= reader.now { now } else { utc(to) }, now)
    });
    let Some(value) = window else {
        return Said {
            value: Window::last(UNSAID, now),
            words: String::new(),
        };
    };
    let written: Vec<&str> = said
        .iter()
        .map(|(from, to)| words.written(*from, *to))
        .collect();
    let written = written.join(" ");
    said.iter().for_each(|(from, to)| words.take(*from, *to));
    Said {
        value,
        words: written,
    }
}

struct Reader {
    /// Local.
    now: i64,
    zone: i64,
}

impl Reader {
    fn today(&self) -> NaiveDate {
        days::date_of(self.now)
    }

    /// A time with what leads to it, and how many words it takes; `behind` is what was said right before it.
    fn phrase(
        &self,
        words: &Words,
        at: usize,
        behind: Option<&Item>,
    ) -> Option<(Vec<Item>, usize)> {
        let mut place = at;
        let mut items = Vec::new();
        while let Some(lead) = lead(words.at(place)) {
            items.push(Item::Lead(lead));
            place += 1;
        }
        let leads = |lead: Lead| items.contains(&Item::Lead(lead));
        let goes_on = matches!(behind, Some(Item::Clock(_)));
        let is_range = || {
            let to = lead(words.at(place + 1));
            matches!(to, Some(Lead::Until | Lead::And))
                && clock::clock(words, place + 2, true).is_some()
                && !is_unit(words.at(place + 3))
        };
        let is_plain = [Lead::At, Lead::Since, Lead::Before, Lead::After]
            .into_iter()
            .any(leads)
            || goes_on && [Lead::Until, Lead::And].into_iter().any(leads)
            || leads(Lead::From) && is_range();
        let (found, length) = self.time(words, place, is_plain, leads(Lead::For))?;
        items.extend(found);
        Some((items, place - at + length))
    }

    /// A time without what leads to it.
    fn time(
        &self,
        words: &Words,
        at: usize,
        is_plain: bool,
        is_for: bool,
    ) -> Option<(Vec<Item>, usize)> {
        let (word, next) = (words.at(at), words.at(at + 1));
        let today = self.today();
        let day = |date: NaiveDate| Item::Days(date, date + chrono::Days::new(1));
        let yesterday = days::before(today, 1);
        let found = match (word, next) {
            ("right" | "just", "now") => (vec![Item::Last(RIGHT_NOW)], 2),
            ("now" | "currently" | "moment", _) => (vec![Item::Last(RIGHT_NOW)], 1),
            ("today", _) => (vec![day(today)], 1),
            ("yesterday", _) => (vec![day(yesterday)], 1),
            ("day", "before") if words.at(at + 2) == "yesterday" => {
                (vec![day(days::before(today, 2))], 3)
            }
            ("tonight", _) | ("this", "night") => {
                let is_early = (self.now - days::begin(today)) < Part::Morning.hours().0;
                let begun = if is_early { yesterday } else { today };
                let length = if word == "tonight" { 1 } else { 2 };
                (vec![day(begun), Item::Part(Part::Night)], length)
            }
            ("last" | "previous" | "past" | "this" | "recent", _) => {
                return self.last(words, at);
            }
            _ => return self.other(words, at, is_plain, is_for),
        };
        Some(found)
    }

    /// Behind `last` or `this`.
    fn last(&self, words: &Words, at: usize) -> Option<(Vec<Item>, usize)> {
        let (is_this, next) = (words.at(at) == "this", words.at(at + 1));
        let today = self.today();
        let monday = days::before(today, u64::from(today.weekday().num_days_from_monday()));
        if let Some(part) = Part::named(next) {
            let date = if is_this {
                today
            } else {
                days::before(today, 1)
            };
            let day = Item::Days(date, date + chrono::Days::new(1));
            return Some((vec![day, Item::Part(part)], 2));
        }
        let weekday = days::weekday(next, true).map(|weekday| {
            let date = match is_this && weekday == today.weekday() {
                true => today,
                false => days::last_weekday(today, weekday),
            };
            Item::Days(date, date + chrono::Days::new(1))
        });
        let item = match next {
            "week" if is_this => Item::Days(monday, today + chrono::Days::new(1)),
            "week" => Item::Days(days::before(monday, 7), monday),
            "weekend" => {
                let saturday = days::last_weekday(today, Weekday::Sat);
                Item::Days(saturday, saturday + chrono::Days::new(2))
            }
            "month" if is_this => Item::Days(today.with_day(1)?, today + chrono::Days::new(1)),
            "month" => Item::Last(30 * DAY),
            _ => match weekday {
                Some(day) => day,
                None => {
                    let (seconds, _, length) = duration(words, at + 1, true)?;
                    return Some((vec![Item::Last(seconds)], 1 + length));
                }
            },
        };
        Some((vec![item], 2))
    }

    /// Durations that are over, days by their names, parts of days and times of day.
    fn other(
        &self,
        words: &Words,
        at: usize,
        is_plain: bool,
        is_for: bool,
    ) -> Option<(Vec<Item>, usize)> {
        let word = words.at(at);
        if let Some((seconds, unit, length)) = duration(words, at, is_for) {
            let is_over = matches!(words.at(at + length), "ago" | "earlier" | "back");
            let then = self.now.saturating_sub(seconds);
            return match (is_over, unit >= DAY) {
                (true, true) => {
                    let date = days::date_of(then);
                    let day = Item::Days(date, date + chrono::Days::new(1));
                    Some((vec![day], length + 1))
                }
                (true, false) => {
                    let around = if unit == HOUR { AROUND } else { AROUND / 2 };
                    Some((vec![Item::Moment(then, around)], length + 1))
                }
                (false, _) if is_for => Some((vec![Item::Last(seconds)], length)),
                (false, _) => None,
            };
        }
        if let Some(moment) = days::moment(word, self.zone) {
            return Some((vec![Item::Moment(moment, AROUND)], 1));
        }
        if let Some((date, length)) = days::date(words, at, self.today()) {
            let day = Item::Days(date, date + chrono::Days::new(1));
            return Some((vec![day], length));
        }
        if let Some(weekday) = days::weekday(word, is_plain) {
            let date = days::last_weekday(self.today(), weekday);
            let day = Item::Days(date, date + chrono::Days::new(1));
            return Some((vec![day], 1));
        }
        if let Some(part) = Part::named(word) {
            return Some((vec![Item::Part(part)], 1));
        }
        if let Some((from, to)) = clock::range(word) {
            let both = [
                Item::Lead(Lead::From),
                Item::Clock(from),
                Item::Lead(Lead::Until),
                Item::Clock(to),
            ];
            return Some((both.to_vec(), 1));
        }
        let (clock, length) = clock::clock(words, at, is_plain)?;
        // `from 2 to 5 seconds`.
        let is_amount = is_unit(words.at(at + length));
        (!is_amount).then(|| (vec![Item::Clock(clock)], length))
    }

    /// What all of it means: a local time, and another that it goes to.
    fn window(&self, items: &[Item]) -> Option<(i64, i64)> {
        let (mut first, mut second) = (Point::default(), None::<Point>);
        let mut leads = Vec::new();
        for item in items {
            if let Item::Lead(lead) = item {
                let is_second = match lead {
                    Lead::Until => true,
                    Lead::And => leads.contains(&Lead::From) || first.clock.is_some(),
                    _ => false,
                };
                if is_second && !first.is_empty() {
                    second = Some(second.unwrap_or_default());
                }
                leads.push(*lead);
                continue;
            }
            if let Item::Last(seconds) = item {
                return Some((self.now.saturating_sub(*seconds), self.now));
            }
            second.as_mut().unwrap_or(&mut first).add(*item);
        }
        if first.is_empty() {
            return None;
        }
        if let Some(second) = second.filter(|second| !second.is_empty()) {
            return self.between(first, second);
        }
        let found = self.find(first)?;
        let leads = |lead: Lead| leads.contains(&lead);
        Some(if leads(Lead::Since) || leads(Lead::From) {
            (found.at, self.now)
        } else if leads(Lead::Before) || leads(Lead::Until) {
            (found.at.saturating_sub(BESIDE), found.at)
        } else if leads(Lead::After) {
            (found.at, found.end.max(found.at.saturating_add(BESIDE)))
        } else {
            let around = found.around;
            (
                found.at.saturating_sub(around),
                found.end.saturating_add(around),
            )
        })
    }

    fn between(&self, mut first: Point, mut second: Point) -> Option<(i64, i64)> {
        let (days, part) = (first.days.or(second.days), first.part.or(second.part));
        if let (Some(from), Some(to)) = (first.clock, second.clock) {
            first.clock = Some(from.before(to));
        }
        first.days = first.days.or(days);
        first.part = first.part.or(part);
        let begin = self.find(first)?;
        let (Some(clock), None, None) = (second.clock, second.days, second.moment) else {
            second.part = second.part.or(part.filter(|_| second.clock.is_some()));
            let end = self.find(second)?;
            return Some((begin.at, end.end));
        };
        // The first such time after the beginning.
        let midnight = days::begin(days::date_of(begin.at));
        let readings = match second.part.or(part) {
            Some(part) => vec![clock.within(part) % DAY],
            None => clock.readings(),
        };
        let after = readings.into_iter().map(|at| {
            let at = midnight + at;
            if at > begin.at { at } else { at + DAY }
        });
        Some((begin.at, after.min()?))
    }

    /// When a point was: of what is not said the last that is not to come.
    fn find(&self, point: Point) -> Option<Found> {
        if let Some((at, around)) = point.moment {
            return Some(Found {
                at,
                end: at,
                around,
            });
        }
        let today = days::begin(self.today());
        let moment = |at: i64| Found {
            at,
            end: at,
            around: AROUND,
        };
        let latest = |at: i64| if at > self.now { at - DAY } else { at };
        let day = point.days.map(|(from, _)| days::begin(from));
        let found = match (point.clock, point.part, day) {
            (Some(clock), Some(part), Some(day)) => moment(day + clock.within(part)),
            (Some(clock), Some(part), None) => moment(latest(today + clock.within(part))),
            (Some(clock), None, Some(day)) => {
                let all: Vec<i64> = clock.readings().iter().map(|at| day + at).collect();
                let past = all.iter().find(|at| **at <= self.now);
                moment(*past.or(all.first())?)
            }
            (Some(clock), None, None) => {
                let all = clock.readings().into_iter();
                moment(all.map(|at| latest(today + at)).max()?)
            }
            (None, Some(part), day) => {
                let (from, to) = part.hours();
                let begin = match day {
                    Some(day) => day + from,
                    None => latest(today + from),
                };
                Found {
                    at: begin,
                    end: begin + to - from,
                    around: 0,
                }
            }
            (None, None, _) => {
                let (from, to) = point.days?;
                Found {
                    at: days::begin(from),
                    end: days::begin(to),
                    around: 0,
                }
            }
        };
        Some(found)
    }
}

impl Point {
    fn is_empty(&self) -> bool {
        self.days.is_none() && self.part.is_none() && self.clock.is_none() && self.moment.is_none()
    }

    /// What is said first counts.
    fn add(&mut self, item: Item) {
        match item {
            Item::Days(from, to) => self.days = self.days.or(Some((from, to))),
            Item::Part(part) => self.part = self.part.or(Some(part)),
            Item::Clock(clock) => self.clock = self.clock.or(Some(clock)),
            Item::Moment(at, around) => self.moment = self.moment.or(Some((at, around))),
            Item::Last(_) | Item::Lead(_) => {}
        }
    }
}

fn lead(word: &str) -> Option<Lead> {
    match word {
        "since" => Some(Lead::Since),
        "from" | "between" => Some(Lead::From),
        "to" | "until" | "till" | "-" | "–" => Some(Lead::Until),
        "and" => Some(Lead::And),
        "before" => Some(Lead::Before),
        "after" => Some(Lead::After),
        "at" | "around" | "about" | "approximately" | "roughly" | "circa" | "~" | "by" => {
            Some(Lead::At)
        }
        "for" => Some(Lead::For),
        "on" | "in" | "the" | "during" | "within" | "over" | "of" => Some(Lead::Other),
        _ => None,
    }
}

/// A length of time in seconds, that of its unit, and how many words it takes. `hour` alone is one where that is
/// plain.
fn duration(words: &Words, at: usize, is_plain: bool) -> Option<(i64, i64, usize)> {
    let word = words.at(at);
    if let Some(unit) = unit(word).filter(|_| is_plain && word.len() > 1) {
        return Some((unit, unit, 1));
    }
    let letters = word.trim_start_matches(|it: char| it.is_ascii_digit());
    let digits = &word[..word.len() - letters.len()];
    if let (Ok(number), Some(unit)) = (digits.parse::<i64>(), unit(letters)) {
        let number = number.clamp(1, AMOUNT_MAX);
        return Some((number * unit, unit, 1));
    }
    if word == "half" {
        let skipped = usize::from(matches!(words.at(at + 1), "a" | "an"));
        let unit = unit(words.at(at + 1 + skipped))?;
        return Some((unit / 2, unit, 2 + skipped));
    }
    let skipped = usize::from(matches!(word, "a") && amount(words.at(at + 1)).is_some());
    let number = amount(words.at(at + skipped))?;
    let of = usize::from(words.at(at + skipped + 1) == "of");
    let unit = unit(words.at(at + skipped + 1 + of))?;
    Some((number * unit, unit, 2 + skipped + of))
}

fn amount(word: &str) -> Option<i64> {
    let named = [
        ("a", 1),
        ("an", 1),
        ("one", 1),
        ("two", 2),
        ("couple", 2),
        ("three", 3),
        ("few", 3),
        ("four", 4),
        ("five", 5),
        ("six", 6),
        ("seven", 7),
        ("eight", 8),
        ("nine", 9),
        ("ten", 10),
        ("twelve", 12),
        ("fifteen", 15),
        ("twenty", 20),
        ("thirty", 30),
    ];
    let named = named.iter().find(|(name, _)| *name == word);
    let number = word.parse::<i64>().ok().filter(|number| *number > 0);
    named
        .map(|(_, number)| *number)
        .or(number)
        .map(|number| number.min(AMOUNT_MAX))
}

fn unit(word: &str) -> Option<i64> {
    match word {
        "s" | "sec" | "secs" | "second" | "seconds" => Some(1),
        "m" | "min" | "mins" | "minute" | "minutes" => Some(60),
        "h" | "hr" | "hrs" | "hour" | "hours" => Some(HOUR),
        "d" | "day" | "days" => Some(DAY),
        "w" | "week" | "weeks" => Some(7 * DAY),
        _ => None,
    }
}

/// What makes an amount of the number before it, and no time of day.
fn is_unit(word: &str) -> bool {
    unit(word).is_some_and(|_| word != "m")
        || matches!(
            word,
            "ms" | "times" | "percent" | "%" | "x" | "calls" | "requests"
        )
}

/// What nobody says.
const UNSAID: Duration = Duration::from_secs(3600);
const RIGHT_NOW: i64 = 30 * 60;
/// Before and after a time that is said.
const AROUND: i64 = 30 * 60;
/// Before, or after, where only that is said.
const BESIDE: i64 = 2 * HOUR;
/// Nothing that is stored is older.
const AMOUNT_MAX: i64 = 10_000;
