//! `GET /api/v1/metrics` and `GET /api/v1/metrics/range`: which metrics there are, and lines of one.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;
use serde_json::Value;
use throughline_insight::{LineCalculation, LineQuery, Lines, lines};
use throughline_query::Cost;
use throughline_store::{Filter, FoundPoints, Operator};
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::{MetricPoint, UnixNanos};

use super::error::ApiError;
use super::queries::{Queries, now};
use super::query::Query;
use super::search::terms;
use super::view;

/// The path that lists metrics.
pub(super) const METRICS: &str = "/api/v1/metrics";

/// The path that draws lines.
pub(super) const RANGE: &str = "/api/v1/metrics/range";

/// Every metric of some time, by name.
pub(super) async fn list(
    State(queries): State<Queries>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let mut query = Query::parse(query.as_deref(), LIST_PARAMETERS);
    let to = query.time("to").unwrap_or_else(now);
    let from = query.time("from").unwrap_or(to.minus(LIST_RANGE));
    let (from, to) = query.finish((from, to))?;
    let sql = format!(
        "select name, unit, cast(kind as varchar) as kind, count(*) as points, \
         cast(cast(max(time) as bigint) as varchar) as last from metrics \
         where time >= to_timestamp_nanos({}) and time < to_timestamp_nanos({}) \
         group by name, unit, kind order by name, unit, kind limit {}",
        signed(from),
        signed(to),
        NAMES_MAX + 1
    );
    let answer = queries.sql(&sql).await?;
    let table = answer.to_json()?;
    let rows = table["rows"].as_array().cloned().unwrap_or_default();
    let metrics = rows.iter().take(NAMES_MAX).map(|row| Metric {
        name: row[0].clone(),
        unit: row[1].clone(),
        kind: row[2].clone(),
        point_count: row[3].clone(),
        last_seen_unix_nanos: row[4].clone(),
    });
    Ok(view::json_response(view::json(&MetricList {
        metrics: metrics.collect(),
        truncated: rows.len() > NAMES_MAX,
        cost: table["cost"].clone(),
    })))
}

/// Lines of one metric.
pub(super) async fn range(
    State(queries): State<Queries>,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let asked = Asked::read(query.as_deref(), now())?;
    // Counters of which the last point is older than this begin with the first one that is seen.
    let from = asked.from.minus(LOOK_BACK);
    let found = queries.points(asked.filter.clone(), from, asked.to, POINTS_MAX);
    let (found, cost) = found.await?;
    let drawn = queries.blocking(move || Drawn::json(&asked, &found, &cost));
    Ok(view::json_response(drawn.await?))
}

/// What is asked for.
struct Asked {
    name: String,
    filter: Filter,
    calculation: Option<LineCalculation>,
    from: UnixNanos,
    to: UnixNanos,
    step_nanos: u64,
    group_by: Vec<String>,
}

impl Asked {
    fn read(query: Option<&str>, now: UnixNanos) -> Result<Self, ApiError> {
        let mut query = Query::parse(query, RANGE_PARAMETERS);
        let name = query.needed("name");
        let mut filters = vec![Filter::is("name", Operator::Eq, name.as_str())];
        let service = query.text("service");
        filters.extend(service.map(|service| Filter::is("service", Operator::Eq, service)));
        filters.extend(query.each("where", CONDITIONS_MAX, terms::read));
        let to = query.time("to").unwrap_or(now);
        let from = query.time("from").unwrap_or(to.minus(RANGE_DEFAULT));
        let width = to.0.saturating_sub(from.0);
        let step = query.read("step", |text| {
            let seconds: Option<f64> = text.parse().ok();
            let step = seconds.and_then(|step| Duration::try_from_secs_f64(step).ok());
            let step = step.and_then(|step| u64::try_from(step.as_nanos()).ok());
            let step = step.filter(|step| *step > 0 && width / step <= STEPS_MAX);
            step.ok_or_else(|| {
                format!(
                    "must be seconds, and make {STEPS_MAX} steps at most of the time, not `{text}`"
                )
            })
        });
        if width == 0 {
            query.problem("`from` must be before `to`");
        }
        let asked = Asked {
            name,
            filter: Filter::All(filters),
            calculation: query.read("agg", calculation),
            from,
            to,
            step_nanos: step.unwrap_or_else(|| whole_seconds(width / STEPS)),
            group_by: query.each("group_by", GROUPS_MAX, |key| match key {
                "" => Err("must not be empty".to_owned()),
                key => Ok(key.to_owned()),
            }),
        };
        query.finish(asked)
    }
}

fn whole_seconds(nanos: u64) -> u64 {
    nanos.div_ceil(SECOND).max(1) * SECOND
}

fn calculation(text: &str) -> Result<LineCalculation, String> {
    let named = NAMES.iter().find(|(name, _)| *name == text);
    let percent = || {
        let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
        let percent = (0.0..=100.0).contains(&percent).then_some(percent)?;
        Some(LineCalculation::Percentile(percent / 100.0))
    };
    let found = named.map(|(_, calculation)| *calculation).or_else(percent);
    found.ok_or_else(|| {
        let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
        format!(
            "must be one of {} or p0 to p100, not `{text}`",
            names.join(", ")
        )
    })
}

/// What suits a metric unless something is said.
fn usual(point: Option<&MetricPoint>) -> LineCalculation {
    match point.map(|point| point.kind) {
        Some(MetricKind::Sum) => LineCalculation::Rate,
        Some(MetricKind::Histogram | MetricKind::ExponentialHistogram) => {
            LineCalculation::Percentile(0.95)
        }
        _ => LineCalculation::Avg,
    }
}

fn name_of(calculation: LineCalculation) -> String {
    let named = NAMES.iter().find(|(_, known)| *known == calculation);
    match (named, calculation) {
        (Some((name, _)), _) => (*name).to_owned(),
        (None, LineCalculation::Percentile(part)) => {
            // A hundredth of a percent is far below what a histogram can tell.
            format!("p{}", (part * 1e4).round() / 1e2)
        }
        (None, _) => String::new(),
    }
}

fn signed(time: UnixNanos) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

#[derive(Serialize)]
struct MetricList {
    metrics: Vec<Metric>,
    truncated: bool,
    cost: Value,
}

#[derive(Serialize)]
struct Metric {
    name: Value,
    unit: Value,
    kind: Value,
    point_count: Value,
    last_seen_unix_nanos: Value,
}

/// Lines as the API shows them.
#[derive(Serialize)]
struct Drawn {
    name: String,
    unit: String,
    agg: String,
    from_unix_nanos: String,
    step_nanos: String,
    series: Vec<Series>,
    truncated: bool,
    unreadable_count: u64,
    cost: Value,
}

#[derive(Serialize)]
struct Series {
    group: BTreeMap<String, Option<String>>,
    values: Vec<Option<f64>>,
}

impl Drawn {
    /// The JSON of what is drawn of these points.
    fn json(asked: &Asked, found: &FoundPoints, cost: &Cost) -> Vec<u8> {
        let first = found.points.first();
        let calculation = asked.calculation.unwrap_or_else(|| usual(first));
        let query = LineQuery {
            from: asked.from,
            to: asked.to,
            step_nanos: asked.step_nanos,
            calculation,
            group_by: asked.group_by.clone(),
            lines_max: SERIES_MAX,
        };
        let Lines {
            lines,
            truncated,
            unreadable,
        } = lines(&found.points, &query);
        let series = lines.into_iter().map(|line| Series {
            group: asked.group_by.iter().cloned().zip(line.group).collect(),
            values: line.values,
        });
        view::json(&Drawn {
            name: asked.name.clone(),
            unit: first.map(|point| point.unit.clone()).unwrap_or_default(),
            agg: name_of(calculation),
            from_unix_nanos: asked.from.to_string(),
            step_nanos: asked.step_nanos.to_string(),
            series: series.collect(),
            truncated: truncated || found.truncated,
            unreadable_count: unreadable,
            cost: cost.to_json(),
        })
    }
}

const NAMES: &[(&str, LineCalculation)] = &[
    ("rate", LineCalculation::Rate),
    ("sum", LineCalculation::Sum),
    ("count", LineCalculation::Count),
    ("avg", LineCalculation::Avg),
    ("min", LineCalculation::Min),
    ("max", LineCalculation::Max),
    ("last", LineCalculation::Last),
];
pub(super) const LIST_PARAMETERS: &[&str] = &["from", "to"];
pub(super) const RANGE_PARAMETERS: &[&str] = &[
    "name", "agg", "service", "where", "group_by", "from", "to", "step",
];
const SECOND: u64 = 1_000_000_000;
/// What is looked at unless something is said.
const RANGE_DEFAULT: Duration = Duration::from_secs(3600);
const LIST_RANGE: Duration = Duration::from_secs(24 * 3600);
/// Senders export once a minute or more often.
const LOOK_BACK: Duration = Duration::from_secs(300);
/// Steps unless something is said.
const STEPS: u64 = 60;
const STEPS_MAX: u64 = 2000;
/// Points of one chart: some microseconds of work and a kilobyte of memory each.
const POINTS_MAX: usize = 100_000;
const SERIES_MAX: usize = 100;
const GROUPS_MAX: usize = 5;
const CONDITIONS_MAX: usize = 32;
const NAMES_MAX: usize = 1000;
