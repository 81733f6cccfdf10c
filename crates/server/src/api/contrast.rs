//! `POST /api/v1/contrast`: by what spans of a selection differ from the rest.

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
use throughline_telemetry::{Span, UnixNanos};

use super::error::ApiError;
use super::queries::{Queries, now, read};
use super::view;

/// The path.
pub(super) const CONTRAST: &str = "/api/v1/contrast";

/// What is asked. Its times are those of a query.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Question {
    #[serde(default)]
    filters: Vec<Filter>,
    start_time: Option<f64>,
    end_time: Option<f64>,
    time_range: Option<f64>,
    selection: Chosen,
    rest: Option<Chosen>,
    #[serde(default)]
    leave_out: Vec<String>,
    limit: Option<usize>,
}

/// Some of the spans.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Chosen {
    #[serde(default)]
    filters: Vec<Filter>,
    start_time: Option<f64>,
    end_time: Option<f64>,
}

pub(super) async fn contrast(
    State(queries): State<Queries>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let question: Question = read(body)?;
    let limit = question.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        let what = format!("`limit` must be from 1 to {LIMIT_MAX}, not {limit}");
        return Err(ApiError::BadQuery(what));
    }
    let left_out = Arc::new(question.left_out());
    let query = question.query(now())?;
    let split = queries
        .split(query, move || Sides::new(Arc::clone(&left_out)))
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
            filter: Filter::All(self.filters),
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
        let mut keys = self.leave_out.clone();
        let chosen = [Some(&self.selection), self.rest.as_ref()];
        for filter in chosen.into_iter().flatten().flat_map(|it| &it.filters) {
            add_columns(filter, &mut keys);
        }
        let of_duration = keys.iter().any(|key| key == DURATION);
        LeftOut { keys, of_duration }
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
            filter: Filter::All(self.filters),
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

/// What is not compared.
pub(super) struct LeftOut {
    keys: Vec<String>,
    /// Whether a side was made by how long spans took.
    of_duration: bool,
}

impl LeftOut {
    /// What filters are made of.
    pub(super) fn of(filters: &[Filter]) -> Self {
        let mut keys = Vec::new();
        filters
            .iter()
            .for_each(|filter| add_columns(filter, &mut keys));
        let of_duration = keys.iter().any(|key| key == DURATION);
        LeftOut { keys, of_duration }
    }

    fn has(&self, key: &str) -> bool {
        key.starts_with(PAYLOADS)
            || self.of_duration && OF_DURATION.iter().any(|prefix| key.starts_with(prefix))
            || self.keys.iter().any(|left_out| left_out == key)
    }
}

/// Tells spans to a contrast, with their columns and attributes as filters name them.
pub(super) struct Sides {
    pub(super) contrast: Contrast,
    left_out: Arc<LeftOut>,
}

impl Sides {
    pub(super) fn new(left_out: Arc<LeftOut>) -> Self {
        Sides {
            contrast: Contrast::new(Limits::default()),
            left_out,
        }
    }
}

impl Viewer for Sides {
    type Wanted = Wanted;

    fn count(&mut self, is_selected: bool) -> Option<Wanted> {
        self.contrast.count(match is_selected {
            true => Side::Selection,
            false => Side::Rest,
        })
    }

    fn show(&mut self, wanted: Wanted, span: &Span) {
        let left_out = &self.left_out;
        let compared = columns(span)
            .chain(attributes(span))
            .filter(|(key, _)| !left_out.has(key));
        self.contrast.keep(wanted, compared);
    }
}

/// The columns that every span has, but for those that tell it from all others.
fn columns(span: &Span) -> impl Iterator<Item = (&str, Given<'_>)> {
    let texts: [(&str, &str); 6] = [
        ("service", span.service()),
        ("name", &span.name),
        ("kind", span.kind.name()),
        ("status", span.status.name()),
        ("status_message", &span.status_message),
        ("scope", &span.scope.name),
    ];
    let millis = span.duration().as_secs_f64() * 1e3;
    texts
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .map(|(key, text)| (key, Given::Text(text)))
        .chain([(DURATION, Given::Number(millis))])
}

/// Those of the resource stand behind its own, as in a filter; what has the name of a column cannot be
/// asked for.
fn attributes(span: &Span) -> impl Iterator<Item = (&str, Given<'_>)> {
    let own = span.attributes.iter();
    let all = own.chain(span.resource.attributes.iter());
    all.filter(|(key, _)| Dataset::Spans.column(key).is_none())
        .filter_map(|(key, value)| Some((key, Given::of(value)?)))
}

const DURATION: &str = "duration_ms";
/// What follows from how long a span took.
const OF_DURATION: [&str; 2] = ["throughline.duration.", "throughline.cost"];
const PAYLOADS: &str = "throughline.payload.";
const LIMIT: usize = 20;
const LIMIT_MAX: usize = 100;
