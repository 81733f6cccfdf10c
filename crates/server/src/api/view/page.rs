//! Lists, each with its total, whether it is cut, and how to go on.

use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use throughline_insight as insight;
use throughline_query::Cost;
use throughline_store::{self as store, SearchCursor, SearchPage, ServiceRow, TraceCursor};
use throughline_telemetry::{LogRecord, Span, UnixNanos};

use super::span::FoundSpan;
use super::{Log, Summary, Text};

/// Traces.
#[derive(Serialize)]
pub(in crate::api) struct TracePage {
    traces: Vec<Summary>,
    total: u64,
    truncated: bool,
    next_cursor: Option<Text<TraceCursor>>,
    cost: Value,
}

impl TracePage {
    pub(in crate::api) fn new(page: store::TracePage, elapsed: Duration) -> Self {
        let cost = Cost {
            rows: page.rows_read,
            bytes: page.bytes_read,
            segments: page.parts_read,
            rollups: 0,
            elapsed,
        };
        let summary = |(id, spans): (_, Vec<_>)| Summary::new(id, &insight::Summary::of(&spans));
        TracePage {
            traces: page.traces.into_iter().map(summary).collect(),
            total: page.total,
            truncated: page.truncated,
            next_cursor: page.next.map(Text),
            cost: cost.to_json(),
        }
    }
}

/// Spans, wherever they are.
#[derive(Serialize)]
pub(in crate::api) struct SpanPage<'a> {
    spans: Vec<FoundSpan<'a>>,
    total: u64,
    truncated: bool,
    next_cursor: Option<Text<SearchCursor>>,
    cost: Value,
}

impl<'a> SpanPage<'a> {
    pub(in crate::api) fn new(page: &'a SearchPage<Span>, cost: &Cost) -> Self {
        SpanPage {
            spans: page.rows.iter().map(FoundSpan::new).collect(),
            total: page.total,
            truncated: page.truncated,
            next_cursor: page.next.map(Text),
            cost: cost.to_json(),
        }
    }
}

/// Logs.
#[derive(Serialize)]
pub(in crate::api) struct LogPage<'a> {
    logs: Vec<Log<'a>>,
    total: u64,
    truncated: bool,
    next_cursor: Option<Text<SearchCursor>>,
    cost: Value,
}

impl<'a> LogPage<'a> {
    pub(in crate::api) fn new(page: &'a SearchPage<LogRecord>, cost: &Cost) -> Self {
        LogPage {
            logs: page.rows.iter().map(Log::new).collect(),
            total: page.total,
            truncated: page.truncated,
            next_cursor: page.next.map(Text),
            cost: cost.to_json(),
        }
    }
}

/// Services.
#[derive(Serialize)]
pub(in crate::api) struct ServiceList<'a> {
    services: Vec<Service<'a>>,
    total: usize,
    truncated: bool,
    cost: Value,
}

#[derive(Serialize)]
struct Service<'a> {
    name: &'a str,
    span_count: u64,
    error_count: u64,
    operations: &'a [String],
    last_seen_unix_nanos: Text<UnixNanos>,
}

impl<'a> ServiceList<'a> {
    /// At most `max` of the services, sorted by name.
    pub(in crate::api) fn new(list: &'a store::ServiceList, elapsed: Duration, max: usize) -> Self {
        let rows = &list.services;
        let cost = Cost {
            rows: list.rows_read,
            bytes: list.bytes_read,
            segments: list.parts_read,
            rollups: list.rollups_read,
            elapsed,
        };
        ServiceList {
            services: rows.iter().take(max).map(Service::new).collect(),
            total: rows.len(),
            truncated: rows.len() > max,
            cost: cost.to_json(),
        }
    }
}

impl<'a> Service<'a> {
    fn new(row: &'a ServiceRow) -> Self {
        Service {
            name: &row.name,
            span_count: row.span_count,
            error_count: row.error_count,
            operations: &row.operations,
            last_seen_unix_nanos: Text(row.last_seen),
        }
    }
}
