//! What reports of the platform and failed spans tell of minutes, asked with SQL.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use serde_json::Value;
use throughline_insight::Wait;
use throughline_insight::detect::{ErrorSeen, Node};
use throughline_query::{Answer, Engine, QueryError};
use throughline_store::{Count, Filter, Operator, Scan, SearchQuery, Store};
use throughline_telemetry::correlation::IN_PATH;
use throughline_telemetry::{Span, UnixNanos};

use super::attempts::{self, Attempts};
use super::{MINUTE_NANOS, minute_of};

/// What is told of some minutes.
#[derive(Default)]
pub(super) struct Told {
    pub(super) reports: Vec<Report>,
    pub(super) failures: Vec<Failure>,
    pub(super) used: Vec<Used>,
    pub(super) timeouts: Vec<Timeouts>,
    /// Invocations that were another attempt.
    pub(super) attempts: Vec<Attempts>,
    /// By minute, how long records had waited that functions took in it.
    pub(super) waits: Vec<(UnixNanos, Wait)>,
    /// By minute, who took from what.
    pub(super) takers: BTreeMap<UnixNanos, BTreeSet<(Node, Node)>>,
    /// Answers of which only the first rows are known, because a minute had more than an answer may have.
    pub(super) cut: u64,
    /// Questions without an answer.
    pub(super) failed: u64,
}

/// What the platform reports of the invocations of a function in a minute, summed up.
#[derive(Debug, PartialEq)]
pub(super) struct Report {
    pub(super) minute: UnixNanos,
    pub(super) service: String,
    pub(super) function: String,
    /// Its version: a number, or what whoever deployed it says; empty of `$LATEST` of which nobody says more.
    pub(super) version: String,
    /// The same for the same code; empty if nobody has looked.
    pub(super) code: String,
    /// What it runs on, as AWS calls it: `arm64`, `x86_64`; empty if nobody tells.
    pub(super) architecture: String,
    /// What they cost, in US dollars, and what they were billed for, where the cost is known.
    pub(super) usd: f64,
    pub(super) billed_ms: f64,
    pub(super) init_ms: f64,
    /// The most that one of them used.
    pub(super) used_bytes: u64,
    /// What the function has.
    pub(super) memory_bytes: u64,
}

/// What the invocations of a function in a minute may take that have the same timeout, and how many of them were ended
/// because they took longer.
#[derive(Debug, PartialEq)]
pub(super) struct Timeouts {
    pub(super) minute: UnixNanos,
    pub(super) service: String,
    pub(super) function: String,
    /// Their timeout in milliseconds, if anybody tells it.
    pub(super) limit_ms: Option<f64>,
    /// What the longest of those that were ended had taken.
    pub(super) longest_ms: Option<f64>,
    pub(super) count: u64,
}

/// A way to fail.
#[derive(Debug, PartialEq)]
pub(super) struct Failure {
    pub(super) minute: UnixNanos,
    pub(super) service: String,
    pub(super) function: String,
    pub(super) signature: String,
    pub(super) count: u64,
    pub(super) is_fatal: bool,
}

/// What the invocations of an environment in a minute used.
#[derive(Debug, PartialEq)]
pub(super) struct Used {
    pub(super) minute: UnixNanos,
    pub(super) service: String,
    pub(super) function: String,
    pub(super) environment: String,
    /// The most that one used of each five seconds, of those in which any ended.
    pub(super) bytes: Vec<u64>,
}

impl Failure {
    pub(super) fn seen(&self) -> ErrorSeen<'_> {
        ErrorSeen {
            signature: &self.signature,
            count: self.count,
            is_fatal: self.is_fatal,
        }
    }
}

/// What is told of the minutes from one time up to another.
pub(super) async fn read(
    engine: &Engine,
    store: &Store,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Told, QueryError> {
    let mut asked = Asked {
        engine,
        scan: store.scan(),
        cut: 0,
    };
    let reports = asked.rows(REPORTS, from, to).await?;
    // Without reports there is nothing about memory either.
    let used = match reports.is_empty() {
        true => Vec::new(),
        false => asked.rows(&used_sql(), from, to).await?,
    };
    let failures = asked.rows(FAILURES, from, to).await?;
    let timeouts = asked.rows(TIMEOUTS, from, to).await?;
    let taken = taken(engine, store, from, to).await?;
    let waits = taken.iter().flat_map(|(minute, spans)| {
        let waits = throughline_insight::waits(spans);
        waits.into_iter().map(move |wait| (*minute, wait))
    });
    let takers = taken
        .iter()
        .map(|(minute, spans)| (*minute, throughline_insight::takers(spans)));
    // The lesser part, and the one that may be too much.
    let mut failed = 0;
    let attempts = asked.attempts(from, to).await.unwrap_or_else(|error| {
        failed += 1;
        tracing::warn!(%error, "which invocations were other attempts is not known to detection");
        Vec::new()
    });
    Ok(Told {
        timeouts: timeouts.iter().map(timed_out).collect(),
        attempts,
        waits: waits.collect(),
        takers: takers.collect(),
        reports: reports.iter().map(report).collect(),
        failures: failures.iter().map(failure).collect(),
        used: used.iter().map(used_by_one).collect(),
        cut: asked.cut,
        failed,
    })
}

/// What the platform reports, for somebody who waits for it.
pub(super) async fn reports(
    engine: &Engine,
    store: &Store,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<Report>, QueryError> {
    let answer = engine.sql(store.scan(), &within(REPORTS, from, to)).await?;
    Ok(rows(&answer)?.iter().map(report).collect())
}

/// What was ended because it took too long, for somebody who waits for it. It looks through spans, so whoever does not
/// need it does not ask.
pub(super) async fn timeouts(
    engine: &Engine,
    store: &Store,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<Vec<Timeouts>, QueryError> {
    let answer = engine
        .sql(store.scan(), &within(TIMEOUTS, from, to))
        .await?;
    Ok(rows(&answer)?.iter().map(timed_out).collect())
}

/// The invocations that took records last, by minute: a thousand at most.
async fn taken(
    engine: &Engine,
    store: &Store,
    from: UnixNanos,
    to: UnixNanos,
) -> Result<BTreeMap<UnixNanos, Vec<Span>>, QueryError> {
    let taken = SearchQuery {
        filter: Filter::is(IN_PATH, Operator::Exists, Value::Null),
        from: Some(from),
        to: Some(to),
        limit: Some(WAITS_OF),
        count: Count::Page,
        ..SearchQuery::default()
    };
    let page = engine.background_search::<Span>(store, taken).await?;
    let mut minutes: BTreeMap<UnixNanos, Vec<Span>> = BTreeMap::new();
    for span in page.rows {
        minutes.entry(minute_of(span.start)).or_default().push(span);
    }
    Ok(minutes)
}

fn within(sql: &str, from: UnixNanos, to: UnixNanos) -> String {
    let since = |from: UnixNanos| {
        let (from, to) = (from.0, to.0);
        format!("time >= to_timestamp_nanos({from}) and time < to_timestamp_nanos({to})")
    };
    let earlier = since(from.minus(attempts::EARLIER));
    sql.replace("$times", &since(from))
        .replace("$earlier", &earlier)
}

/// Questions about what is stored.
struct Asked<'a> {
    engine: &'a Engine,
    scan: Scan,
    /// Answers of which only the first rows are known.
    cut: u64,
}

impl Asked<'_> {
    /// Invocations that were another attempt.
    async fn attempts(
        &mut self,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<Attempts>, QueryError> {
        let failed = self.rows(attempts::FAILED, from, to).await?;
        let failed: BTreeSet<String> = failed.iter().map(|row| text(&row[0])).collect();
        let failed: Vec<String> = failed.into_iter().collect();
        let mut found = Vec::new();
        for some in failed.chunks(FAILED_AT_ONCE) {
            for sql in attempts::questions(some) {
                found.extend(self.rows(&sql, from, to).await?.iter().map(attempted));
            }
        }
        Ok(found)
    }

    /// The rows of all minutes. Of fewer at once, down to a single one, where an answer may not have as many.
    async fn rows(
        &mut self,
        sql: &str,
        from: UnixNanos,
        to: UnixNanos,
    ) -> Result<Vec<Value>, QueryError> {
        let mut all = Vec::new();
        let mut parts = vec![(from, to)];
        while let Some((from, to)) = parts.pop() {
            let sql = within(sql, from, to);
            let answer = self.engine.background_sql(self.scan.clone(), &sql).await?;
            match middle(from, to).filter(|_| answer.truncated) {
                Some(middle) => parts.extend([(middle, to), (from, middle)]),
                None => {
                    self.cut += u64::from(answer.truncated);
                    all.extend(rows(&answer)?);
                }
            }
        }
        Ok(all)
    }
}

/// Where the second half of some minutes begins; none of a single one.
fn middle(from: UnixNanos, to: UnixNanos) -> Option<UnixNanos> {
    let minutes = to.0.saturating_sub(from.0) / MINUTE_NANOS;
    (minutes > 1).then(|| UnixNanos(from.0 + minutes / 2 * MINUTE_NANOS))
}

/// What environments used, in one row for each minute, so that there are not more the more invocations there are. If that
/// is still too many, those that used ever more are first.
fn used_sql() -> String {
    let used = r#"try_cast("throughline.memory.max_used_mb" as double)"#;
    let parts = (0..USED_TIMES).map(|part| {
        format!(
            "max({used}) filter (where cast(time as bigint) / 5000000000 % {USED_TIMES} = {part}) as most_{part}"
        )
    });
    let parts: Vec<String> = parts.collect();
    format!(
        r#"
select cast(time as bigint) / 60000000000 as minute, service, "faas.name", "faas.instance",
    {}, max({used}) - min({used}) as grown
from logs where $times and "throughline.memory.max_used_mb" is not null
    and "faas.instance" is not null
group by 1, 2, 3, 4 order by grown desc"#,
        parts.join(", ")
    )
}

fn rows(answer: &Answer) -> Result<Vec<Value>, QueryError> {
    Ok(match answer.to_json()?["rows"].take() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    })
}

fn report(row: &Value) -> Report {
    let said = |of: &Value| Some(text(of)).filter(|it| !it.is_empty() && it != LATEST);
    Report {
        minute: minute(&row[0]),
        service: text(&row[1]),
        function: text(&row[2]),
        version: said(&row[3]).or(said(&row[9])).unwrap_or_default(),
        code: text(&row[10]),
        architecture: architecture(text(&row[11])),
        usd: number(&row[4]),
        billed_ms: number(&row[5]),
        init_ms: number(&row[6]),
        used_bytes: megabytes(&row[7]),
        memory_bytes: megabytes(&row[8]),
    }
}

/// OpenTelemetry has a name of its own for one of the two that functions have.
fn architecture(name: String) -> String {
    match name.as_str() {
        "amd64" => "x86_64".to_owned(),
        _ => name,
    }
}

fn timed_out(row: &Value) -> Timeouts {
    Timeouts {
        minute: minute(&row[0]),
        service: text(&row[1]),
        function: text(&row[2]),
        limit_ms: row[3].as_f64(),
        longest_ms: row[4].as_f64(),
        count: whole(&row[5]),
    }
}

fn attempted(row: &Value) -> Attempts {
    Attempts {
        minute: minute(&row[0]),
        function: format!("function:{}", text(&row[1])),
        count: whole(&row[2]),
    }
}

fn failure(row: &Value) -> Failure {
    let (kind, message) = (text(&row[3]), text(&row[4]));
    Failure {
        minute: minute(&row[0]),
        service: text(&row[1]),
        function: text(&row[2]),
        signature: signature(&kind, &message),
        count: whole(&row[5]),
        // It, and the environment with it, was ended by the platform.
        is_fatal: kind == "timeout" || kind.starts_with("Runtime."),
    }
}

fn used_by_one(row: &Value) -> Used {
    Used {
        minute: minute(&row[0]),
        service: text(&row[1]),
        function: text(&row[2]),
        environment: text(&row[3]),
        bytes: (0..USED_TIMES)
            .map(|part| &row[4 + part])
            .filter(|most| !most.is_null())
            .map(megabytes)
            .collect(),
    }
}

/// The same for errors that differ in numbers and ids only.
pub(crate) fn signature(kind: &str, message: &str) -> String {
    let mut signature = String::new();
    if !kind.is_empty() {
        let _ = write!(signature, "{kind}: "); // into memory
    }
    let words = message.split_inclusive(|it: char| !it.is_alphanumeric());
    for word in words {
        let is_id = word.bytes().any(|it| it.is_ascii_digit());
        match word.chars().last().filter(|last| !last.is_alphanumeric()) {
            Some(last) if is_id => signature.extend(['*', last]),
            None if is_id => signature.push('*'),
            _ => signature.push_str(word),
        }
        if signature.len() > SIGNATURE_BYTES_MAX {
            break;
        }
    }
    signature.truncate(signature.floor_char_boundary(SIGNATURE_BYTES_MAX));
    signature.trim_end_matches([':', ' ']).to_owned()
}

fn minute(value: &Value) -> UnixNanos {
    UnixNanos(whole(value).saturating_mul(MINUTE_NANOS))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_default()
}

/// Numbers that a double cannot hold are texts.
fn whole(value: &Value) -> u64 {
    let text = value.as_str().and_then(|text| text.parse().ok());
    value.as_u64().or(text).unwrap_or_default()
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // memory of a function
fn megabytes(value: &Value) -> u64 {
    (number(value).max(0.0) * f64::from(1 << 20)) as u64
}

const REPORTS: &str = r#"
select cast(time as bigint) / 60000000000 as minute, service, "faas.name", "faas.version",
    sum(try_cast("throughline.cost.usd" as double)),
    sum(case when "throughline.cost.usd" is not null
        then try_cast("throughline.duration.billed_ms" as double) end),
    sum(case when "throughline.cost.usd" is not null
        then try_cast("throughline.duration.init_ms" as double) end),
    max(try_cast("throughline.memory.max_used_mb" as double)),
    max(try_cast("throughline.memory.size_mb" as double)), "service.version", "throughline.code.digest",
    "host.arch"
from logs where $times and "throughline.duration.billed_ms" is not null
group by 1, 2, 3, 4, "service.version", "throughline.code.digest", "host.arch"
"#;

const TIMEOUTS: &str = r#"
select cast(time as bigint) / 60000000000 as minute, service, "faas.name",
    try_cast("throughline.duration.timeout_ms" as double) as limit_ms,
    max(duration_ms) filter (where cast("throughline.timeout" as varchar) = 'true') as longest,
    count(*) filter (where cast("throughline.timeout" as varchar) = 'true') as n
from spans where $times and "throughline.phase" = 'invoke' and "faas.name" is not null
group by 1, 2, 3, 4"#;

const FAILURES: &str = r#"
select cast(time as bigint) / 60000000000 as minute, service, "faas.name", "error.type",
    status_message, count(*) as failed
from spans where $times and status = 'error' and kind in ('server', 'consumer')
group by 1, 2, 3, 4, 5 order by failed desc limit 1000"#;

const LATEST: &str = "$LATEST";
/// Parts of five seconds that a minute has.
const USED_TIMES: usize = 12;
const SIGNATURE_BYTES_MAX: usize = 200;
/// Spans of functions: the most that a search gives at once.
const WAITS_OF: usize = 1000;
/// Functions that a statement names.
const FAILED_AT_ONCE: usize = 200;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn minutes_are_halved_until_there_is_one() {
        let at = |minute: u64| UnixNanos(minute * MINUTE_NANOS);
        let mut parts = vec![(at(10), at(25))];
        let mut minutes = Vec::new();
        while let Some((from, to)) = parts.pop() {
            match middle(from, to) {
                Some(middle) => parts.extend([(middle, to), (from, middle)]),
                None => minutes.push((from, to)),
            }
        }
        let expected: Vec<_> = (10..25)
            .map(|minute| (at(minute), at(minute + 1)))
            .collect();
        assert_eq!(minutes, expected);
        assert_eq!(middle(at(3), at(3)), None);
    }

    #[test]
    fn errors_that_differ_in_ids_only_are_the_same() {
        let check = |kind: &str, message: &str, expected: &str| {
            assert_eq!(signature(kind, message), expected);
        };
        check(
            "Declined",
            "card 4711 of order o-12ab: no money",
            "Declined: card * of order o-*: no money",
        );
        check("timeout", "", "timeout");
        check("", "no route to 10.0.0.1", "no route to *.*.*.*");
        check("E", &"ä".repeat(200), &format!("E: {}", "ä".repeat(98)));
    }

    #[test]
    fn of_each_five_seconds_the_most_that_was_used_is_told() {
        let mut row = vec![json!(29), json!("pay"), json!("pay"), json!("e1")];
        row.extend((0..USED_TIMES).map(|part| match part {
            0 => json!(50.0),
            7 => json!(52.0),
            _ => Value::Null,
        }));
        row.push(json!(2.0));
        let used = used_by_one(&Value::Array(row));
        assert_eq!(used.minute, UnixNanos(29 * MINUTE_NANOS));
        assert_eq!(used.bytes, [50 << 20, 52 << 20]);
    }
}
