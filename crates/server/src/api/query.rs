//! Query parameters, read strictly: what is not understood is an error, never ignored, because an
//! ignored filter shows what was not asked for. All problems of a request are told at once.

use std::collections::HashSet;
use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use throughline_telemetry::{TraceId, UnixNanos};

use super::error::ApiError;

/// The parameters of one request, and what is wrong with them so far.
pub(super) struct Query {
    pairs: Vec<(String, String)>,
    problems: Vec<String>,
}

impl Query {
    /// Splits a query. Names that are not `known` are problems.
    pub(super) fn parse(query: Option<&str>, known: &[&str]) -> Self {
        let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
        let pairs: Vec<(String, String)> = pairs.into_owned().collect();
        let mut told = HashSet::new();
        let unknown = pairs.iter().map(|(name, _)| name.as_str());
        let unknown = unknown.filter(|name| !known.contains(name) && told.insert(*name));
        let problems = unknown.map(|name| unknown_parameter(name, known)).collect();
        Query { pairs, problems }
    }

    /// `value`, unless anything was wrong.
    pub(super) fn finish<T>(self, value: T) -> Result<T, ApiError> {
        if self.problems.is_empty() {
            Ok(value)
        } else {
            Err(ApiError::BadParameters(self.problems))
        }
    }

    /// Text that is not empty.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        self.one(name, |text| match text {
            "" => Err("must not be empty".to_owned()),
            text => Ok(text.to_owned()),
        })
    }

    /// The same, which must be there.
    pub(super) fn needed(&mut self, name: &str) -> String {
        if values(&self.pairs, name).next().is_none() {
            self.problems.push(format!("`{name}` is needed"));
        }
        self.text(name).unwrap_or_default()
    }

    /// Something that is wrong with several of them together.
    pub(super) fn problem(&mut self, what: &str) {
        self.problems.push(what.to_owned());
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        self.one(name, |text| {
            let found = choices.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value).ok_or_else(|| {
                let words: Vec<&str> = choices.iter().map(|(word, _)| *word).collect();
                format!("must be one of {}, not `{text}`", words.join(", "))
            })
        })
    }

    /// A whole number from `min` to `max`.
    pub(super) fn number<T>(&mut self, name: &str, min: T, max: T) -> Option<T>
    where
        T: FromStr + PartialOrd + Display,
    {
        self.one(name, |text| {
            let number = digits(text).and_then(|digits| digits.parse().ok());
            let number = number.filter(|number| min <= *number && *number <= max);
            number
                .ok_or_else(|| format!("must be a whole number from {min} to {max}, not `{text}`"))
        })
    }

    /// A number of milliseconds, with or without a fraction.
    pub(super) fn milliseconds(&mut self, name: &str) -> Option<Duration> {
        self.one(name, |text| {
            let number: Option<f64> = text.parse().ok();
            let duration = number.and_then(|number| Duration::try_from_secs_f64(number / 1e3).ok());
            duration.ok_or_else(|| {
                format!("must be a number of milliseconds, at least 0, not `{text}`")
            })
        })
    }

    /// A time in Unix nanoseconds.
    pub(super) fn time(&mut self, name: &str) -> Option<UnixNanos> {
        self.one(name, |text| {
            let nanos = digits(text).and_then(|digits| digits.parse().ok());
            nanos.map(UnixNanos).ok_or_else(|| {
                format!("must be a time in Unix nanoseconds (decimal digits), not `{text}`")
            })
        })
    }

    /// The id of a trace.
    pub(super) fn trace_id(&mut self, name: &str) -> Option<TraceId> {
        self.one(name, |text| {
            text.parse().map_err(|bad| {
                format!("must be a trace id of 32 hexadecimal digits, not `{text}`: {bad}")
            })
        })
    }

    /// Where the page before ended.
    pub(super) fn cursor<T: FromStr>(&mut self, name: &str) -> Option<T> {
        self.one(name, |text| {
            text.parse()
                .map_err(|_| format!("must be the `next_cursor` of the page before, not `{text}`"))
        })
    }

    /// `key=value`, up to `max` times.
    pub(super) fn attributes(&mut self, name: &str, max: usize) -> Vec<(String, String)> {
        self.each(name, max, |text| match text.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(format!("must be written key=value, not `{text}`")),
        })
    }

    /// What `read` makes of each value, up to `max` of them.
    pub(super) fn each<T>(
        &mut self,
        name: &str,
        max: usize,
        read: impl Fn(&str) -> Result<T, String>,
    ) -> Vec<T> {
        let given = values(&self.pairs, name).count();
        if given > max {
            self.problems.push(format!(
                "`{name}` may be given {max} times at most, not {given}"
            ));
            return Vec::new();
        }
        let mut found = Vec::new();
        for text in values(&self.pairs, name) {
            match read(text) {
                Ok(value) => found.push(value),
                Err(problem) => self.problems.push(format!("`{name}` {problem}")),
            }
        }
        found
    }

    /// What `read` makes of the one value.
    pub(super) fn read<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        self.one(name, read)
    }

    fn one<T>(&mut self, name: &str, read: impl FnOnce(&str) -> Result<T, String>) -> Option<T> {
        let mut values = values(&self.pairs, name);
        let first = values.next()?;
        let problem = if values.next().is_some() {
            "may be given once only".to_owned()
        } else {
            match read(first) {
                Ok(value) => return Some(value),
                Err(problem) => problem,
            }
        };
        self.problems.push(format!("`{name}` {problem}"));
        None
    }
}

fn values<'a>(pairs: &'a [(String, String)], name: &str) -> impl Iterator<Item = &'a str> {
    let named =
        move |(given, value): &'a (String, String)| (given == name).then_some(value.as_str());
    pairs.iter().filter_map(named)
}

/// Rust also reads `+7`; a query does not.
fn digits(text: &str) -> Option<&str> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then_some(text)
}

fn unknown_parameter(name: &str, known: &[&str]) -> String {
    if known.is_empty() {
        return format!("unknown parameter `{name}`: this endpoint takes none");
    }
    format!(
        "unknown parameter `{name}`: this endpoint takes {}",
        known.join(", ")
    )
}
