//! Questions to the store: how much was good in which minutes, and what a query answers.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use serde_json::Value;
use throughline_insight::slo::Counts;
use throughline_insight::{Limits, Reached, SpanAt, reached};
use throughline_query::{
    Answer, Calculation, Engine, Filter as Condition, Operation, QueryError, Spec,
};
use throughline_store::{Count, Filter, Scan, Search, SearchQuery, Store, parse_time};
use throughline_telemetry::{Span, SpanStatus, TraceId, UnixNanos};

use super::AskError;
use super::kept::MINUTE_NANOS;
use super::settings::{Alert, Asks, EndOf, GROUPS_MAX, Measure, Objective, seconds};
use crate::api::standing_graph;
use crate::detection::Detection;
use crate::story;

/// What was good and bad in some minutes.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// By minute. Where nothing happened there is none.
    pub(super) minutes: Vec<(UnixNanos, Counts)>,
    /// Up to when minutes are counted.
    pub(super) until: UnixNanos,
    /// Actions that began and were not followed, because there were too many or they cannot be known.
    pub(super) left_out: u64,
    /// Traces of actions that did not end in time, the newest last.
    pub(super) late: Vec<TraceId>,
}

/// What a query has answered.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Number {
    /// That of the worst group; none if there is none.
    pub(super) value: Option<f64>,
    /// The groups that are beyond the bound, the worst first.
    pub(super) groups: Vec<String>,
}

/// Counts some minutes of an objective, at least the first of them.
pub(super) async fn counts(
    engine: &Engine,
    store: &Store,
    objective: &Objective,
    minutes: Range<UnixNanos>,
) -> Result<Counted, AskError> {
    match &objective.measure {
        Measure::Spans { filters, good } => spans(engine, store, filters, good, minutes).await,
        Measure::Actions {
            begin,
            end,
            within_ms,
        } => {
            let actions = Actions {
                store: store.clone(),
                begin: begin.clone(),
                end: end.clone(),
                within: Duration::from_millis(*within_ms),
            };
            engine.blocking(move || actions.count(minutes)).await?
        }
    }
}

/// Asks what an alert asks, for the time up to `end`.
pub(super) async fn number(
    engine: &Engine,
    store: &Store,
    detection: &Detection,
    alert: &Alert,
    end: UnixNanos,
) -> Result<Number, AskError> {
    match alert.asks() {
        Some(Asks::Query(query)) => {
            let spec = alert.spec(query, end);
            let answer = engine.standing_query(store.scan(), &spec, end).await?;
            Ok(worst(alert, &query.breakdowns, &rows(&answer.results)?))
        }
        Some(Asks::Sql(sql)) => {
            let asked = engine.standing_sql(store.scan(), sql);
            let answer = tokio::time::timeout(SQL_TIME, asked).await;
            let answer = answer.map_err(|_| QueryError::TooSlow(SQL_TIME))??;
            table(alert, answer.to_json()?)
        }
        Some(Asks::Graph(text)) => {
            let answer = standing_graph(engine, store, detection, text, end).await?;
            table(alert, answer)
        }
        None => Ok(Number::default()),
    }
}

/// Of a table of anything: its last column is the number, those before it say of which group.
fn table(alert: &Alert, mut answer: Value) -> Result<Number, AskError> {
    if answer["truncated"] == true {
        return Err(AskError::NoNumber(
            "there is more than can be looked at".to_owned(),
        ));
    }
    let columns = answer["columns"].as_array().into_iter().flatten();
    let names = columns.map(|column| text_of(&column["name"]));
    let mut names: Vec<String> = names.collect();
    if names.pop().is_none() {
        return Err(AskError::NoNumber("it has no column".to_owned()));
    }
    let Value::Array(mut rows) = answer["rows"].take() else {
        return Ok(Number::default());
    };
    let last = names.len();
    let is_none = |row: &&Value| !row[last].is_null() && number_of(&row[last]).is_none();
    if let Some(row) = rows.iter().find(is_none) {
        let found = text_of(&row[last]);
        return Err(AskError::NoNumber(format!("{found:?} is none")));
    }
    // What is not known comes last.
    rows.sort_by(|a, b| {
        let [a, b] = [a, b].map(|row| number_of(&row[last]));
        let order = match (a, b) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => return b.is_some().cmp(&a.is_some()),
        };
        match alert.op.is_upwards() {
            true => order.reverse(),
            false => order,
        }
    });
    rows.truncate(GROUPS_MAX);
    Ok(worst(alert, &names, &rows))
}

/// The number of the worst group, and the groups that are beyond the bound.
fn worst(alert: &Alert, names: &[String], rows: &[Value]) -> Number {
    let of = |row: &Value| number_of(&row[names.len()]);
    let beyond = rows
        .iter()
        .filter(|row| of(row).is_some_and(|value| alert.op.holds(value, alert.value)));
    let group = |row: &Value| -> String {
        let values = names.iter().enumerate();
        let values = values.map(|(at, name)| format!("{name} {}", text_of(&row[at])));
        values.collect::<Vec<_>>().join(", ")
    };
    Number {
        value: rows.iter().find_map(of),
        groups: match names.is_empty() {
            true => Vec::new(),
            false => beyond.map(group).collect(),
        },
    }
}

async fn spans(
    engine: &Engine,
    store: &Store,
    filters: &[Condition],
    good: &[Condition],
    minutes: Range<UnixNanos>,
) -> Result<Counted, AskError> {
    // Of one snapshot, so that no more is good than there is.
    let scan = store.scan();
    let all = by_minute(engine, &scan, filters.to_vec(), &minutes).await?;
    let good = match all.is_empty() {
        true => BTreeMap::new(),
        false => by_minute(engine, &scan, [filters, good].concat(), &minutes).await?,
    };
    let counted = all.into_iter().map(|(minute, all)| {
        let good = good.get(&minute).copied().unwrap_or_default().min(all);
        let bad = all - good;
        (minute, Counts { good, bad })
    });
    Ok(Counted {
        minutes: counted.collect(),
        until: minutes.end,
        ..Counted::default()
    })
}

/// How many spans there were in each minute.
async fn by_minute(
    engine: &Engine,
    scan: &Scan,
    filters: Vec<Condition>,
    minutes: &Range<UnixNanos>,
) -> Result<BTreeMap<UnixNanos, u64>, AskError> {
    let spec = Spec {
        calculations: vec![Calculation {
            op: Operation::Count,
            column: None,
        }],
        filters,
        start_time: Some(seconds(minutes.start)),
        end_time: Some(seconds(minutes.end)),
        granularity: Some(60.0),
        ..Spec::default()
    };
    let answer = engine
        .standing_query(scan.clone(), &spec, minutes.end)
        .await?;
    let Some(series) = answer.series else {
        return Ok(BTreeMap::new());
    };
    let rows = rows(&series)?;
    let found = rows.iter().filter_map(|row| {
        let minute = row[0].as_str().and_then(|text| parse_time(text).ok())?;
        Some((minute, row[1].as_u64()?))
    });
    Ok(found.collect())
}

fn rows(answer: &Answer) -> Result<Vec<Value>, AskError> {
    Ok(match answer.to_json()?["rows"].take() {
        Value::Array(rows) => rows,
        _ => Vec::new(),
    })
}

/// Large whole numbers are texts.
fn number_of(value: &Value) -> Option<f64> {
    let number = value.as_f64();
    number.or_else(|| value.as_str()?.parse().ok())
}

fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "(none)".to_owned(),
        // Of the graph.
        Value::Object(of) if of.contains_key("node") => text_of(&of["node"]),
        other => other.to_string(),
    }
}

/// Actions to follow from their beginnings to their ends.
struct Actions {
    store: Store,
    begin: Vec<Condition>,
    end: EndOf,
    within: Duration,
}

impl Actions {
    /// Follows the actions that begin in some minutes, as far as there is time for it. Blocks on the disk.
    fn count(&self, minutes: Range<UnixNanos>) -> Result<Counted, AskError> {
        let begun = moment();
        let mut counted = Counted {
            until: minutes.start,
            ..Counted::default()
        };
        let number = minutes.end.0.saturating_sub(minutes.start.0) / MINUTE_NANOS;
        let most = (FOLLOWED_AT_ONCE / usize::try_from(number).unwrap_or(1).max(1))
            .clamp(FOLLOWED_MIN, FOLLOWED_MAX);
        while counted.until < minutes.end && begun.elapsed() < TIME {
            self.count_minute(&mut counted, most, begun)?;
        }
        Ok(counted)
    }

    /// Counts the next minute, of which so many are followed at most. Where not all are, those that are stand for all.
    fn count_minute(
        &self,
        counted: &mut Counted,
        most: usize,
        begun: Instant,
    ) -> Result<(), AskError> {
        let minute = counted.until;
        let (spans, all) = self.begins(minute)?;
        let (mut in_time, mut late) = (0, 0);
        let step = spans.len().div_ceil(most).max(1);
        for span in spans.iter().rev().step_by(step) {
            if begun.elapsed() >= TIME && in_time + late > 0 {
                break;
            }
            match self.follow(span)? {
                Reached::InTime => in_time += 1,
                Reached::Late => {
                    late += 1;
                    counted.late.push(span.trace_id);
                }
                Reached::NotKnown => {}
            }
        }
        let counts = scaled(in_time, late, all);
        counted.left_out += all.saturating_sub(in_time + late);
        counted.minutes.push((minute, counts));
        counted.until = UnixNanos(minute.0 + MINUTE_NANOS);
        Ok(())
    }

    /// The newest spans of a minute with which actions begin, and how many there are.
    fn begins(&self, minute: UnixNanos) -> Result<(Vec<Span>, u64), AskError> {
        let conditions = self.begin.iter().cloned().map(Filter::Is);
        let query = SearchQuery {
            filter: Filter::All(conditions.collect()),
            from: Some(minute),
            to: Some(UnixNanos(minute.0 + MINUTE_NANOS)),
            limit: Some(BEGINS_MAX),
            count: Count::All,
            ..SearchQuery::default()
        };
        let search: Search<Span> = Search::new(&self.store.scan(), query)?;
        search.work()?;
        let page = search.finish()?;
        Ok(page.map_or_else(Default::default, |page| (page.rows, page.total)))
    }

    fn follow(&self, begin: &Span) -> Result<Reached, AskError> {
        let story = story::follow(&self.store, &[begin.trace_id], LIMITS)?;
        let at = SpanAt {
            trace_id: begin.trace_id,
            span_id: begin.span_id,
        };
        let is_end = |span: &Span| {
            span.name == self.end.name
                && span.service() == self.end.service
                && span.status != SpanStatus::Error
        };
        Ok(reached(&story, at, self.within, is_end))
    }
}

/// What those that were followed say of all.
fn scaled(in_time: u64, late: u64, all: u64) -> Counts {
    let followed = in_time + late;
    if followed == 0 {
        return Counts::default();
    }
    let bad = (u128::from(all) * u128::from(late)).div_ceil(u128::from(followed));
    let bad = u64::try_from(bad).unwrap_or(all).min(all);
    Counts {
        good: all - bad,
        bad,
    }
}

#[allow(clippy::disallowed_methods)] // an edge: following actions has a limit of time
fn moment() -> Instant {
    Instant::now()
}

/// What a statement may take: all others wait for it.
const SQL_TIME: Duration = Duration::from_secs(10);
/// How long actions are followed at once.
const TIME: Duration = Duration::from_secs(20);
/// Actions that are followed at once: after a start, when hours are counted that have gone by, fewer of each minute.
const FOLLOWED_AT_ONCE: usize = 300;
/// Of one minute.
const FOLLOWED_MIN: usize = 5;
const FOLLOWED_MAX: usize = 200;
/// Beginnings that these are taken from: the most that a search gives at once.
const BEGINS_MAX: usize = 1000;
/// What one action is looked for in.
const LIMITS: Limits = Limits {
    traces_max: 50,
    spans_max: 5000,
    loads_max: 100,
};

#[cfg(test)]
mod tests;
