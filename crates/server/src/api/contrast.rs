//! `POST /api/v1/contrast`: by what spans or log records of a selection differ from the rest.

mod compared;

use std::marker::PhantomData;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use serde::Deserialize;
use throughline_insight::Contrast;
use throughline_insight::contrast::{Given, Limits, Side, Wanted};
use throughline_query::Spec;
use throughline_store::{Dataset, Filter, SplitQuery, Stretch, Viewer};
use throughline_telemetry::{Attributes, LogRecord, Span, UnixNanos};

use super::error::ApiError;
use super::queries::{Queries, now, read};
use super::view;
use compared::{Compared, DURATION};

/// The path.
pub(super) const CONTRAST: &str = "/api/v1/contrast";

/// What is asked. Its times are those of a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default)]
    dataset: Dataset,
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    q: String,
    start_time: Option<f64>,
    end_time: Option<f64>,
    time_range: Option<f64>,
    selection: Chosen,
    rest: Option<Chosen>,
    #[serde(default)]
    leave_out: Vec<String>,
    limit: Option<usize>,
}

/// Some of the rows.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    q: String,
    start_time: Option<f64>,
    end_time: Option<f64>,
}

pub(super) async fn contrast(
    State(queries): State<Queries>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let question: Question = read(body)?;
    match question.dataset {
        Dataset::Spans => compare::<Span>(&queries, question).await,
        Dataset::Logs => compare::<LogRecord>(&queries, question).await,
        Dataset::Metrics => Err(ApiError::BadQuery(
            "spans and logs can be compared; metrics can be asked with SQL".to_owned(),
        )),
    }
}

async fn compare<T: Compared + 'static>(
    queries: &Queries,
    question: Question,
) -> Result<Response, ApiError> {
    let limit = question.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let what = format!("`limit` must be from 1 to {LIMIT_MAX}, not {limit}");
        return Err(ApiError::BadQuery(what));
    }
    let left_out = Arc::new(question.left_out());
    let query = question.query(now())?;
    let split = queries
        .split(query, move || Sides::<T>::new(Arc::clone(&left_out)))
        .await?;
    let contrast = split.viewer.contrast;
    let found = queries.blocking(move || contrast.finish()).await?;
    let answer = view::ContrastAnswer::new(&found, limit, split.truncated, &split.cost);
    Ok(view::json_response(view::json(&answer)))
}

impl Question {
    fn query(self, now: UnixNanos) -> Result<SplitQuery, ApiError> {
        let spec = Spec {
            start_time: self.start_time,
            end_time: self.end_time,
            time_range: self.time_range,
            ..Spec::default()
        };
        let (from, to) = spec.times(now)?;
        let of = Stretch {
            filter: all(self.filters, &self.q)?,
            from: Some(from),
            to: Some(to),
        };
        Ok(SplitQuery {
            of,
            selection: self.selection.stretch()?,
            rest: self.rest.map(Chosen::stretch).transpose()?,
        })
    }

    /// What is not compared: what was asked not to be, and what the sides were made by, which would come
    /// first and say nothing.
    fn left_out(&self) -> LeftOut {
        let chosen = [Some(&self.selection), self.rest.as_ref()];
        let filters = chosen.into_iter().flatten().flat_map(|it| &it.filters);
        LeftOut::new(self.leave_out.clone(), filters)
    }
}

impl Chosen {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the range
    fn stretch(self) -> Result<Stretch, ApiError> {
        let time = |name: &str, seconds: Option<f64>| {
            let nanos = seconds.map(|seconds| {
                (0.0..9.2e9)
                    .contains(&seconds)
                    .then_some(UnixNanos((seconds * 1e9) as u64))
                    .ok_or_else(|| {
                        let what = format!("`{name}` must be seconds since 1970, not {seconds}");
                        ApiError::BadQuery(what)
                    })
            });
            nanos.transpose()
        };
        Ok(Stretch {
            filter: all(self.filters, &self.q)?,
            from: time("start_time", self.start_time)?,
            to: time("end_time", self.end_time)?,
        })
    }
}

fn add_columns(filter: &Filter, keys: &mut Vec<String>) {
    match filter {
        Filter::Is(condition) => keys.push(condition.column.clone()),
        Filter::All(filters) | Filter::Any(filters) => {
            filters.iter().for_each(|filter| add_columns(filter, keys));
        }
        Filter::Not(filter) => add_columns(filter, keys),
        Filter::Says(_) => {}
    }
}

/// Rows for which all of these hold and whose bodies have these words.
fn all(filters: Vec<Filter>, words: &str) -> Result<Filter, ApiError> {
    let filter = Filter::All(filters);
    if words.is_empty() {
        return Ok(filter);
    }
    Ok(filter.and(Filter::of_words(words).map_err(ApiError::BadQuery)?))
}

/// What is not compared.
pub(super) struct LeftOut {
    keys: Vec<String>,
    /// Whether a side was made by how long spans took.
    of_duration: bool,
}

impl LeftOut {
    /// What filters are made of.
    pub(super) fn of(filters: &[Filter]) -> Self {
        LeftOut::new(Vec::new(), filters)
    }

    fn new<'a>(mut keys: Vec<String>, filters: impl IntoIterator<Item = &'a Filter>) -> Self {
        let filters = filters.into_iter();
        filters.for_each(|filter| add_columns(filter, &mut keys));
        let of_duration = keys.iter().any(|key| key == DURATION);
        if keys.iter().any(|key| SEVERITY.contains(&key.as_str())) {
            keys.extend(SEVERITY.map(str::to_owned));
        }
        LeftOut { keys, of_duration }
    }

    fn has(&self, key: &str) -> bool {
        key.starts_with(PAYLOADS)
            || self.of_duration && OF_DURATION.iter().any(|prefix| key.starts_with(prefix))
            || self.keys.iter().any(|left_out| left_out == key)
    }
}

/// Tells rows to a contrast, with their columns and attributes as filters name them.
pub(super) struct Sides<T> {
    pub(super) contrast: Contrast,
    left_out: Arc<LeftOut>,
    rows: PhantomData<fn(T)>,
}

impl<T> Sides<T> {
    pub(super) fn new(left_out: Arc<LeftOut>) -> Self {
        Sides {
            contrast: Contrast::new(Limits::default()),
            left_out,
            rows: PhantomData,
        }
    }
}

impl<T: Compared> Viewer for Sides<T> {
    type Row = T;
    type Wanted = Wanted;

    fn count(&mut self, is_selected: bool) -> Option<Wanted> {
        self.contrast.count(match is_selected {
            true => Side::Selection,
            false => Side::Rest,
        })
    }

    fn show(&mut self, wanted: Wanted, row: &T) {
        let left_out = &self.left_out;
        let trace = row.told_by_trace().map(|id| id.to_string());
        let trace = trace.as_deref().map(|id| (TRACE, Given::Text(id)));
        let compared = row
            .columns()
            .chain(trace)
            .chain(attributes(row))
            .filter(|(key, _)| !left_out.has(key));
        self.contrast.keep(wanted, compared);
    }
}

/// Those of the resource stand behind its own, as in a filter; what has the name of a column cannot be
/// asked for.
fn attributes<T: Compared>(row: &T) -> impl Iterator<Item = (&str, Given<'_>)> {
    let all = row.attributes().into_iter().flat_map(Attributes::iter);
    all.filter(|(key, _)| T::DATASET.column(key).is_none())
        .filter_map(|(key, value)| Some((key, Given::of(value)?)))
}

/// What follows from how long a span took.
const OF_DURATION: [&str; 2] = ["throughline.duration.", "throughline.cost"];
/// The one follows from the other.
const SEVERITY: [&str; 2] = ["severity", "severity_number"];
const TRACE: &str = "trace_id";
const PAYLOADS: &str = "throughline.payload.";
const LIMIT: usize = 20;
const LIMIT_MAX: usize = 100;
