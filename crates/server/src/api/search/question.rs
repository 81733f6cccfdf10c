//! What is asked, from the parameters of an address or from JSON.

use serde::Deserialize;
use throughline_store::{Count, Dataset, Filter, Operator, SearchOrder, SearchQuery};

use super::super::error::ApiError;
use super::super::query::Query;
use super::terms;

/// A question in JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[serde(default)]
    pub(super) dataset: Dataset,
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    q: String,
    from: Option<String>,
    to: Option<String>,
    #[serde(default)]
    order: SearchOrder,
    limit: Option<usize>,
    cursor: Option<String>,
    #[serde(default)]
    count: Counted,
}

/// How far to count.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Counted {
    Page,
    #[default]
    Some,
    All,
}

impl Question {
    /// The question to the store, if nothing is wrong with it.
    pub(super) fn query(self) -> Result<SearchQuery, ApiError> {
        let bad = |what: &str| ApiError::BadQuery(what.to_owned());
        let time = |time: Option<String>| -> Result<_, ApiError> {
            let time = time.map(|text| text.parse().map(throughline_telemetry::UnixNanos));
            let time = time.transpose();
            time.map_err(|_| bad("`from` and `to` are Unix nanoseconds, as text"))
        };
        let limit = self.limit.unwrap_or(LIMIT_DEFAULT);
        if !(1..=LIMIT_MAX).contains(&limit) {
            let what = format!("`limit` must be from 1 to {LIMIT_MAX}, not {limit}");
            return Err(ApiError::BadQuery(what));
        }
        let cursor = self.cursor.map(|cursor| cursor.parse()).transpose();
        let mut filter = Filter::All(self.filters);
        if !self.q.is_empty() {
            filter = filter.and(Filter::of_words(&self.q).map_err(ApiError::BadQuery)?);
        }
        Ok(SearchQuery {
            filter,
            from: time(self.from)?,
            to: time(self.to)?,
            order: self.order,
            limit: Some(limit),
            after: cursor
                .map_err(|_| bad("`cursor` must be the `next_cursor` of the page before"))?,
            count: match self.count {
                Counted::Page => Count::Page,
                Counted::Some => Count::Some,
                Counted::All => Count::All,
            },
        })
    }
}

/// Which spans an address asks for.
pub(in crate::api) fn span_query(query: Option<&str>) -> Result<SearchQuery, ApiError> {
    let mut query = Query::parse(query, SPAN_PARAMETERS);
    let mut filters = equal(
        &mut query,
        &[
            ("service", "service"),
            ("name", "name"),
            ("kind", "kind"),
            ("status", "status"),
            ("function", "faas.name"),
        ],
    );
    for (parameter, op) in [
        ("min_duration_ms", Operator::GtEq),
        ("max_duration_ms", Operator::LtEq),
    ] {
        let millis = query.milliseconds(parameter);
        let millis = millis.map(|duration| duration.as_secs_f64() * 1e3);
        filters.extend(millis.map(|millis| Filter::is("duration_ms", op, millis)));
    }
    finish(query, filters)
}

/// Which log records an address asks for.
pub(in crate::api) fn log_query(query: Option<&str>) -> Result<SearchQuery, ApiError> {
    let mut query = Query::parse(query, LOG_PARAMETERS);
    let filters = log_filters(&mut query);
    finish(query, filters)
}

/// Which log records are to be followed.
pub(super) fn tail_filter(query: Option<&str>) -> Result<Filter, ApiError> {
    let mut query = Query::parse(query, TAIL_PARAMETERS);
    let mut filters = log_filters(&mut query);
    filters.extend(query.each("where", CONDITIONS_MAX, terms::read));
    query.finish(Filter::All(filters))
}

/// Parameters whose value a column has, and the trace.
fn equal(query: &mut Query, columns: &[(&'static str, &str)]) -> Vec<Filter> {
    let mut filters = Vec::new();
    for (parameter, column) in columns {
        let text = query.text(parameter);
        filters.extend(text.map(|text| Filter::is(column, Operator::Eq, text)));
    }
    let id = query.trace_id("trace_id").map(|id| id.to_string());
    filters.extend(id.map(|id| Filter::is("trace_id", Operator::Eq, id)));
    filters
}

fn log_filters(query: &mut Query) -> Vec<Filter> {
    let mut filters = equal(
        query,
        &[
            ("service", "service"),
            ("function", "faas.name"),
            ("request_id", "faas.invocation_id"),
        ],
    );
    let severity: Option<u8> = query.number("min_severity", 1, 24);
    filters
        .extend(severity.map(|severity| Filter::is("severity_number", Operator::GtEq, severity)));
    filters.extend(query.read("q", Filter::of_words));
    filters
}

/// What all questions have in common.
fn finish(mut query: Query, mut filters: Vec<Filter>) -> Result<SearchQuery, ApiError> {
    filters.extend(query.each("where", CONDITIONS_MAX, terms::read));
    let question = SearchQuery {
        filter: Filter::All(filters),
        from: query.time("from"),
        to: query.time("to"),
        order: query
            .choice(
                "order",
                &[
                    ("newest", SearchOrder::Newest),
                    ("oldest", SearchOrder::Oldest),
                ],
            )
            .unwrap_or_default(),
        limit: Some(query.number("limit", 1, LIMIT_MAX).unwrap_or(LIMIT_DEFAULT)),
        after: query.cursor("cursor"),
        count: query
            .choice(
                "count",
                &[
                    ("page", Count::Page),
                    ("some", Count::Some),
                    ("all", Count::All),
                ],
            )
            .unwrap_or_default(),
    };
    query.finish(question)
}

pub(in crate::api) const SPAN_PARAMETERS: &[&str] = &[
    "service",
    "name",
    "kind",
    "status",
    "function",
    "trace_id",
    "min_duration_ms",
    "max_duration_ms",
    "where",
    "from",
    "to",
    "order",
    "limit",
    "cursor",
    "count",
];
pub(in crate::api) const LOG_PARAMETERS: &[&str] = &[
    "service",
    "function",
    "request_id",
    "trace_id",
    "min_severity",
    "q",
    "where",
    "from",
    "to",
    "order",
    "limit",
    "cursor",
    "count",
];
pub(in crate::api) const TAIL_PARAMETERS: &[&str] = &[
    "service",
    "function",
    "request_id",
    "trace_id",
    "min_severity",
    "q",
    "where",
];
const LIMIT_DEFAULT: usize = 100;
const LIMIT_MAX: usize = 1000;
/// Each is looked for in every row that may match.
const CONDITIONS_MAX: usize = 32;
