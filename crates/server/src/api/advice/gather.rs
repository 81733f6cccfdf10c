//! What the store knows of a function's invocations: the platform's reports say what each took and had, the
//! extension's spans what of the processor it used.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::time::Duration;

use serde_json::Value;
use throughline_insight::rightsize::{Architecture, Invocation, Provisioned, Setup};
use throughline_query::QueryError;
use throughline_telemetry::UnixNanos;

use super::super::live::ENVIRONMENT;
use super::super::queries::Queries;
use crate::detection::quoted;

/// Of which function, and of which time.
pub(super) struct Asked {
    pub(super) function: String,
    pub(super) environment: Option<String>,
    pub(super) times: Range<UnixNanos>,
}

/// What is known of a function.
#[derive(Default)]
pub(super) struct Known {
    /// Invocations with the size that it has, the newest ones, oldest first.
    pub(super) since: Vec<Invocation>,
    /// Those with the size that it had before, if it was changed.
    pub(super) changed: Option<Before>,
    region: String,
    architecture: Option<Architecture>,
    timeout_ms: Option<f64>,
    provisioned: Option<Provisioned>,
}

/// How it was before its size was changed.
pub(super) struct Before {
    pub(super) invocations: Vec<Invocation>,
    /// When the first invocation with the new size was reported.
    pub(super) until: UnixNanos,
}

impl Known {
    pub(super) fn setup(&self, slow_ms_max: Option<f64>) -> Setup<'_> {
        Setup {
            region: &self.region,
            architecture: self.architecture,
            timeout_ms: self.timeout_ms,
            slow_ms_max,
            provisioned: self.provisioned,
        }
    }
}

/// Reads some thousand of its invocations.
pub(super) async fn gather(queries: &Queries, asked: &Asked) -> Result<Known, QueryError> {
    let sizes: Vec<Size> = asked.rows(queries, SIZES, asked.times.clone()).await?;
    let Some(size) = sizes.first() else {
        return Ok(Known::default());
    };
    let before = sizes.get(1).filter(|before| before.gave_way_to(size));
    known(queries, asked, size, before).await
}

/// Reads as many of a function of which is known which sizes it had, and from when to when.
pub(super) async fn gather_sizes(
    queries: &Queries,
    asked: &Asked,
    (before, size): (Size, Size),
) -> Result<Known, QueryError> {
    known(queries, asked, &size, Some(&before)).await
}

async fn known(
    queries: &Queries,
    asked: &Asked,
    size: &Size,
    before: Option<&Size>,
) -> Result<Known, QueryError> {
    let (since, calls) = asked.invocations(queries, size).await?;
    let changed = match before {
        None => None,
        Some(before) => Some(Before {
            invocations: asked.invocations(queries, before).await?.0,
            until: size.times.start,
        }),
    };
    let newest = calls.last();
    Ok(Known {
        since,
        changed,
        region: newest.map_or_else(String::new, |call| call.region.clone()),
        architecture: newest.and_then(|call| architecture(&call.architecture)),
        timeout_ms: newest.and_then(|call| call.timeout_ms),
        provisioned: provisioned(&calls),
    })
}

/// A memory size, and when it was seen.
pub(super) struct Size {
    pub(super) memory_mb: u32,
    pub(super) times: Range<UnixNanos>,
}

impl Size {
    /// Whether the other one is there since about when this one is no more. Aliases may have both at once.
    fn gave_way_to(&self, now: &Size) -> bool {
        self.times.end <= now.times.start.plus(OVERLAP)
    }
}

/// What an invocation's span says.
struct Call {
    id: String,
    start: UnixNanos,
    took_ms: f64,
    cpu_ms: Option<f64>,
    timeout_ms: Option<f64>,
    region: String,
    architecture: String,
    environment: String,
    is_provisioned: bool,
}

/// What a report says.
struct Report {
    id: String,
    invocation: Invocation,
}

/// A row of an answer.
trait Row {
    fn read(row: &Value) -> Self;
}

impl Asked {
    /// The newest invocations with a size, oldest first, and the spans that are known of them.
    async fn invocations(
        &self,
        queries: &Queries,
        size: &Size,
    ) -> Result<(Vec<Invocation>, Vec<Call>), QueryError> {
        let until = UnixNanos(size.times.end.0 + 1);
        let reports = REPORTS.replace("$mb", &size.memory_mb.to_string());
        let times = size.times.start..until;
        let mut reports: Vec<Report> = self.rows(queries, &reports, times).await?;
        // A report is written after its span, which may have begun a quarter of an hour before.
        let from = size.times.start.minus(LONGEST).max(self.times.start);
        let mut calls: Vec<Call> = self.rows(queries, CALLS, from..until).await?;
        reports.reverse();
        calls.reverse();
        // Attempts at an event have one id; whose processor time it is nobody knows then.
        let mut cpu: HashMap<&str, Option<f64>> = HashMap::new();
        for call in &calls {
            let known = cpu.entry(&call.id);
            known.and_modify(|cpu| *cpu = None).or_insert(call.cpu_ms);
        }
        let invocations = reports.iter().map(|report| Invocation {
            cpu_ms: cpu.get(report.id.as_str()).copied().flatten(),
            ..report.invocation
        });
        Ok((invocations.collect(), calls))
    }

    /// What is asked of the function between two times.
    async fn rows<T: Row>(
        &self,
        queries: &Queries,
        sql: &str,
        times: Range<UnixNanos>,
    ) -> Result<Vec<T>, QueryError> {
        let mut of = format!(
            "time >= to_timestamp_nanos({}) and time < to_timestamp_nanos({}) and \"faas.name\" = {}",
            times.start.0,
            times.end.0,
            quoted(&self.function)
        );
        if let Some(environment) = &self.environment {
            of += &format!(" and \"{ENVIRONMENT}\" = {}", quoted(environment));
        }
        let answer = queries.sql(&sql.replace("$of", &of)).await?.to_json()?;
        let rows = answer["rows"].as_array();
        Ok(rows.into_iter().flatten().map(T::read).collect())
    }
}

impl Row for Size {
    fn read(row: &Value) -> Self {
        Size {
            memory_mb: megabytes(&row[0]).unwrap_or(0),
            times: time(&row[1])..time(&row[2]),
        }
    }
}

impl Row for Report {
    fn read(row: &Value) -> Self {
        Report {
            id: text(&row[0]),
            invocation: Invocation {
                duration_ms: row[1].as_f64().unwrap_or(0.0),
                cpu_ms: None,
                init_ms: row[2].as_f64().unwrap_or(0.0),
                memory_mb: megabytes(&row[3]).unwrap_or(0),
                memory_used_mb: megabytes(&row[4]),
            },
        }
    }
}

impl Row for Call {
    fn read(row: &Value) -> Self {
        Call {
            id: text(&row[0]),
            start: time(&row[1]),
            took_ms: row[2].as_f64().unwrap_or(0.0),
            cpu_ms: row[3].as_f64(),
            timeout_ms: row[4].as_f64(),
            region: text(&row[5]),
            architecture: text(&row[6]),
            environment: text(&row[7]),
            is_provisioned: row[8] == "provisioned-concurrency",
        }
    }
}

fn architecture(name: &str) -> Option<Architecture> {
    match name {
        "amd64" | "x86_64" => Some(Architecture::X86),
        "arm64" | "aarch64" => Some(Architecture::Arm),
        _ => None,
    }
}

/// How many environments that are kept ready were at work, and for which part of the time from the first
/// invocation of each to its last.
fn provisioned(calls: &[Call]) -> Option<Provisioned> {
    let mut environments: BTreeMap<&str, (UnixNanos, f64, f64)> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.is_provisioned) {
        let known = environments.entry(&call.environment);
        let (first, there_ms, busy_ms) = known.or_insert((call.start, 0.0, 0.0));
        let since_ms = call.start.since(*first).as_secs_f64() * 1e3;
        *there_ms = there_ms.max(since_ms + call.took_ms);
        *busy_ms += call.took_ms;
    }
    let (there_ms, busy_ms) = environments
        .values()
        .fold((0.0, 0.0), |sum, (_, there, busy)| {
            (sum.0 + there, sum.1 + busy)
        });
    (there_ms > 0.0).then(|| Provisioned {
        environments: u32::try_from(environments.len()).unwrap_or(u32::MAX),
        used: busy_ms / there_ms,
    })
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Numbers that a double cannot hold are texts.
fn time(value: &Value) -> UnixNanos {
    let text = value.as_str().and_then(|text| text.parse().ok());
    UnixNanos(value.as_u64().or(text).unwrap_or_default())
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // at most some ten thousand
fn megabytes(value: &Value) -> Option<u32> {
    value.as_f64().filter(|mb| *mb > 0.0).map(|mb| mb as u32)
}

/// The last size first.
const SIZES: &str = r#"
select size, cast(min(time) as bigint) as first, cast(max(time) as bigint) as last
from (select time, try_cast("throughline.memory.size_mb" as double) as size
    from logs where $of and event_name = 'platform.report') as reports
where size is not null group by size order by last desc limit 2"#;

/// Of invocations that ended by themselves.
const REPORTS: &str = r#"
select "faas.invocation_id", try_cast("throughline.duration.total_ms" as double),
    try_cast("throughline.duration.init_ms" as double),
    try_cast("throughline.memory.size_mb" as double),
    try_cast("throughline.memory.max_used_mb" as double)
from logs where $of and event_name = 'platform.report' and "error.type" is null
    and try_cast("throughline.memory.size_mb" as double) = $mb
order by time desc limit 2000"#;

const CALLS: &str = r#"
select "faas.invocation_id", cast(time as bigint) as started, duration_ms,
    try_cast("throughline.cpu.user_ms" as double)
        + coalesce(try_cast("throughline.cpu.system_ms" as double), 0) as cpu,
    try_cast("throughline.duration.timeout_ms" as double),
    "cloud.region", "host.arch", "faas.instance", "aws.lambda.initialization_type"
from spans where $of and "throughline.phase" = 'invoke'
order by time desc limit 2200"#;

/// That an invocation takes.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// For so long the last environments with a size may go on beside the first with the next.
const OVERLAP: Duration = Duration::from_secs(15 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_size_is_changed_where_the_one_before_is_no_more() {
        let minutes = |from: u64, to: u64| Size {
            memory_mb: 128,
            times: UnixNanos(from * 60_000_000_000)..UnixNanos(to * 60_000_000_000),
        };
        for (before, now, is_change) in [
            (minutes(0, 100), minutes(101, 200), true),
            (minutes(0, 110), minutes(101, 200), true),
            (minutes(0, 199), minutes(101, 200), false),
        ] {
            assert_eq!(before.gave_way_to(&now), is_change);
        }
    }

    #[test]
    fn what_is_kept_ready_is_at_work_for_a_part_of_its_time() {
        let call = |environment: &str, second: u64, took_ms: f64, is_provisioned: bool| Call {
            id: String::new(),
            start: UnixNanos(second * 1_000_000_000),
            took_ms,
            cpu_ms: None,
            timeout_ms: None,
            region: String::new(),
            architecture: String::new(),
            environment: environment.to_owned(),
            is_provisioned,
        };
        assert_eq!(provisioned(&[call("a", 0, 1000.0, false)]), None);
        let calls = [
            call("a", 0, 1000.0, true),
            call("b", 0, 2000.0, true),
            call("a", 9, 1000.0, true),
            call("b", 8, 2000.0, true),
            call("c", 8, 9000.0, false),
        ];
        let found = provisioned(&calls).expect("two are kept ready");
        assert_eq!(found.environments, 2);
        assert!((found.used - 0.3).abs() < 1e-9, "{found:?}");
    }
}
