//! The answer for whole functions, from the catalog and the buffers.
//!
//! The buffers are taken first and the catalog's version after them. A generation that was
//! published in between is in both, and its buffer is left out; so each batch counts once, and
//! everything acknowledged before the question is in the answer.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::fmt::Write as _;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, params};
use throughline_telemetry::UnixNanos;

use super::{Missing, Verdict, Why};
use crate::buffer::{Activities, Buffer};
use crate::catalog::environments::EnvironmentRecord;
use crate::catalog::{self, environments};
use crate::error::ReadError;
use crate::limits::{MISSING_MAX, OPEN_MAX, REPORT_ENVIRONMENTS_MAX, REPORT_FUNCTIONS_MAX};
use crate::read::BadCursor;

/// Which functions a report is about.
#[derive(Clone, Debug, Default)]
pub struct CompletenessFilter {
    /// Only this function.
    pub function: Option<String>,
    /// Only environments heard of at or after this time.
    pub from: Option<UnixNanos>,
    /// Only environments heard of before this time.
    pub to: Option<UnixNanos>,
    /// Functions at most; at least one.
    pub limit: usize,
    /// When it is asked. What was on its way in an environment that was not heard of for a day is
    /// not on its way any more.
    pub now: UnixNanos,
    /// Where the page before ended.
    pub after: Option<ReportCursor>,
}

/// A place in the order of functions, by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportCursor(String);

/// What came of functions, and what did not.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// By name.
    pub functions: Vec<FunctionReport>,
    /// How many there are from this page on, itself included.
    pub total: u64,
    /// Whether a list of missing batches was cut, or environments were not looked into.
    pub truncated: bool,
    /// Where the next page begins.
    pub next: Option<ReportCursor>,
    /// Environments that were looked at.
    pub rows_read: u64,
    /// Buffers that were looked at.
    pub parts_read: u64,
}

/// What came of one function, and what did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FunctionReport {
    /// Its name; empty for environments that did not say.
    pub function: String,
    /// Environments heard of.
    pub environments: u64,
    /// Those from which more may come.
    pub environments_open: u64,
    /// Of those the ones that were heard of the longest ago, that one first.
    pub open: Vec<OpenEnvironment>,
    /// Items taken in by the environments, as far as is known.
    pub accepted: u64,
    /// Items stored.
    pub received: u64,
    /// What is missing, of the environment heard of last first, with the time it was.
    pub missing: Vec<(String, UnixNanos, Missing)>,
    /// How much is missing, what is not listed included.
    pub missing_total: u64,
    /// Items that environments gave up, by reason.
    pub dropped: BTreeMap<String, u64>,
}

/// An environment that never said that it ends. What it took in since it was heard of nobody knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenEnvironment {
    /// Which.
    pub name: String,
    /// When it was heard of last.
    pub last_seen: UnixNanos,
    /// That is so long ago that it has ended without a word.
    pub vanished: bool,
}

impl FunctionReport {
    /// Whether nothing is known to be missing.
    pub fn is_whole(&self) -> bool {
        self.missing_total == 0 && self.dropped.is_empty() && self.received >= self.accepted
    }

    fn add(&mut self, name: &str, last_seen: UnixNanos, verdict: Verdict, now: UnixNanos) {
        for mut missing in verdict.missing {
            if missing.why == Why::OnItsWay && has_vanished(last_seen, now) {
                missing.why = Why::Vanished;
            }
            self.missing_total += 1;
            self.missing.push((name.to_owned(), last_seen, missing));
        }
        for (reason, items) in verdict.dropped {
            *self.dropped.entry(reason).or_default() += items;
        }
    }

    fn add_open(&mut self, name: &str, last_seen: UnixNanos, now: UnixNanos) {
        self.open.push(OpenEnvironment {
            name: name.to_owned(),
            last_seen,
            vanished: has_vanished(last_seen, now),
        });
    }

    fn count(&mut self, verdict: &Verdict) {
        self.environments += 1;
        self.environments_open += u64::from(verdict.open);
        self.accepted = self.accepted.saturating_add(verdict.accepted);
        self.received = self.received.saturating_add(verdict.received);
    }

    fn discount(&mut self, verdict: &Verdict) {
        self.environments = self.environments.saturating_sub(1);
        let open = u64::from(verdict.open);
        self.environments_open = self.environments_open.saturating_sub(open);
        self.accepted = self.accepted.saturating_sub(verdict.accepted);
        self.received = self.received.saturating_sub(verdict.received);
    }
}

/// Reads the catalog and the buffers as one.
pub(crate) fn report(
    mut connection: Connection,
    buffers: &[Arc<Buffer>],
    filter: &CompletenessFilter,
) -> Result<Report, ReadError> {
    let version = connection.transaction()?;
    let checkpoint = catalog::checkpoint(&version)?;
    let unsealed = unsealed(buffers, checkpoint);
    let mut functions = sums(&version, filter)?;
    let mut fresh = Vec::new();
    for (name, activity) in &unsealed {
        let sealed = environments::load(&version, name.as_str())?;
        if let Some(sealed) = sealed.as_ref().filter(|sealed| filter.lets_through(sealed)) {
            let function = functions
                .entry(sealed.activity.function.clone())
                .or_default();
            function.discount(&sealed.judge());
        }
        let mut now = sealed.unwrap_or_else(EnvironmentRecord::nothing);
        now.merge(activity);
        if filter.lets_through(&now) {
            let verdict = now.judge();
            let function = functions.entry(now.activity.function.clone()).or_default();
            function.count(&verdict);
            fresh.push((name.as_str(), now, verdict));
        }
    }
    functions.retain(|_, function| function.environments > 0);
    let looked_at = functions.values().map(|function| function.environments);
    let rows_read = looked_at.sum();
    let mut report = Report {
        rows_read,
        parts_read: buffers.len() as u64,
        ..page(functions, filter)
    };
    let fresh_names: HashSet<&str> = unsealed.keys().map(|name| name.as_str()).collect();
    for function in &mut report.functions {
        for (name, now, verdict) in &fresh {
            if now.activity.function == function.function {
                let seen = now.activity.last_seen;
                function.add(name, seen, verdict.clone(), filter.now);
                if verdict.open {
                    function.add_open(name, seen, filter.now);
                }
            }
        }
    }
    let mut budget = REPORT_ENVIRONMENTS_MAX;
    for function in &mut report.functions {
        report.truncated |= add_lacking(&version, function, filter, &fresh_names, &mut budget)?;
        // Newest first; of one environment in the order of its numbers.
        function
            .missing
            .sort_by(|(one, seen, _), (other, then, _)| then.cmp(seen).then(one.cmp(other)));
        report.truncated |= function.missing.len() > MISSING_MAX;
        function.missing.truncate(MISSING_MAX);
        add_open(&version, function, filter, &fresh_names)?;
        function
            .open
            .sort_by(|one, other| (one.last_seen, &one.name).cmp(&(other.last_seen, &other.name)));
        function.open.truncate(OPEN_MAX);
    }
    Ok(report)
}

/// What environments did in generations that the catalog does not have.
fn unsealed(buffers: &[Arc<Buffer>], checkpoint: u64) -> Activities {
    let mut unsealed = Activities::new();
    for buffer in buffers
        .iter()
        .filter(|buffer| buffer.generation() > checkpoint)
    {
        for (name, activity) in buffer.activities() {
            match unsealed.get_mut(&name) {
                Some(known) => known.merge(&activity),
                None => drop(unsealed.insert(name, activity)),
            }
        }
    }
    unsealed
}

/// The sums of each function, as the catalog has them.
fn sums(
    version: &Connection,
    filter: &CompletenessFilter,
) -> rusqlite::Result<BTreeMap<String, FunctionReport>> {
    let mut select = version.prepare(
        "SELECT function, count(*), sum(open), sum(accepted), sum(received) FROM environments
         WHERE (?1 IS NULL OR function = ?1) AND last_seen_nanos >= ?2 AND first_seen_nanos < ?3
         GROUP BY function",
    )?;
    let (from, to) = filter.span();
    let mut rows = select.query(params![filter.function, from, to])?;
    let mut functions = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
        let function = FunctionReport {
            environments: count(1)?,
            environments_open: count(2)?,
            accepted: count(3)?,
            received: count(4)?,
            ..FunctionReport::default()
        };
        functions.insert(row.get(0)?, function);
    }
    Ok(functions)
}

/// Adds what is missing of the environments in the catalog that are not judged yet. Whether some
/// were left out.
fn add_lacking(
    version: &Connection,
    function: &mut FunctionReport,
    filter: &CompletenessFilter,
    judged: &HashSet<&str>,
    budget: &mut usize,
) -> rusqlite::Result<bool> {
    let mut select = version.prepare_cached(
        "SELECT name FROM environments
         WHERE whole = 0 AND function = ?1 AND last_seen_nanos >= ?2 AND first_seen_nanos < ?3
         ORDER BY last_seen_nanos DESC",
    )?;
    let (from, to) = filter.span();
    let mut rows = select.query(params![function.function, from, to])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        if judged.contains(name.as_str()) {
            continue;
        }
        if *budget == 0 {
            return Ok(true);
        }
        *budget -= 1;
        if let Some(stored) = environments::load(version, &name)? {
            let seen = stored.activity.last_seen;
            function.add(&name, seen, stored.judge(), filter.now);
        }
    }
    Ok(false)
}

/// Adds the environments in the catalog that never said that they end, as many as are listed.
fn add_open(
    version: &Connection,
    function: &mut FunctionReport,
    filter: &CompletenessFilter,
    judged: &HashSet<&str>,
) -> rusqlite::Result<()> {
    let mut select = version.prepare_cached(
        "SELECT name, last_seen_nanos FROM environments
         WHERE open = 1 AND function = ?1 AND last_seen_nanos >= ?2 AND first_seen_nanos < ?3
         ORDER BY last_seen_nanos",
    )?;
    let (from, to) = filter.span();
    let mut rows = select.query(params![function.function, from, to])?;
    let mut left = OPEN_MAX;
    while let Some(row) = rows.next()?.filter(|_| left > 0) {
        let name: String = row.get(0)?;
        if !judged.contains(name.as_str()) {
            left -= 1;
            let seen = UnixNanos(row.get::<_, i64>(1)?.cast_unsigned());
            function.add_open(&name, seen, filter.now);
        }
    }
    Ok(())
}

fn has_vanished(last_seen: UnixNanos, now: UnixNanos) -> bool {
    now.since(last_seen) > UNHEARD_OF_MAX
}

fn page(functions: BTreeMap<String, FunctionReport>, filter: &CompletenessFilter) -> Report {
    let after = filter.after.as_ref().map(|cursor| cursor.0.as_str());
    let left = functions
        .into_iter()
        .filter(|(name, _)| after.is_none_or(|after| name.as_str() > after));
    let mut left: Vec<FunctionReport> = left
        .map(|(function, report)| FunctionReport { function, ..report })
        .collect();
    let total = left.len();
    left.truncate(filter.limit.clamp(1, REPORT_FUNCTIONS_MAX));
    let last = left.last().filter(|_| left.len() < total);
    Report {
        total: total as u64,
        truncated: false,
        next: last.map(|last| ReportCursor(last.function.clone())),
        functions: left,
        ..Report::default()
    }
}

impl CompletenessFilter {
    fn lets_through(&self, environment: &EnvironmentRecord) -> bool {
        let activity = &environment.activity;
        self.function
            .as_ref()
            .is_none_or(|function| *function == activity.function)
            && self.from.is_none_or(|from| activity.last_seen >= from)
            && self.to.is_none_or(|to| activity.first_seen < to)
    }

    /// `from` and `to` as the catalog compares them.
    fn span(&self) -> (i64, i64) {
        let signed = |time: UnixNanos| i64::try_from(time.0).unwrap_or(i64::MAX);
        (
            self.from.map_or(0, signed),
            self.to.map_or(i64::MAX, signed),
        )
    }
}

impl fmt::Display for ReportCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::from("f");
        for byte in self.0.bytes() {
            write!(text, "{byte:02x}")?;
        }
        f.write_str(&text)
    }
}

impl FromStr for ReportCursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let digits = text
            .strip_prefix('f')
            .filter(|digits| digits.len().is_multiple_of(2));
        let digits = digits.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let digits = digits.ok_or(BadCursor)?;
        let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16);
        let bytes: Result<Vec<u8>, _> = (0..digits.len()).step_by(2).map(byte).collect();
        let name = String::from_utf8(bytes.map_err(|_| BadCursor)?).map_err(|_| BadCursor)?;
        Ok(ReportCursor(name))
    }
}

/// Lambda ends environments that nobody calls within hours, and renews busy ones as often.
const UNHEARD_OF_MAX: Duration = Duration::from_secs(24 * 3600);

#[cfg(test)]
mod tests;
