//! Lists, each with its total, whether it is cut, and how to go on.

use serde::Serialize;
use throughline_insight as insight;
use throughline_store::{self as store, LogCursor, ServiceRow, TraceCursor};
use throughline_telemetry::UnixNanos;

use super::{Log, Summary, Text};

/// Traces.
#[derive(Serialize)]
pub(in crate::api) struct TracePage {
    traces: Vec<Summary>,
    total: u64,
    truncated: bool,
    next_cursor: Option<Text<TraceCursor>>,
}

impl TracePage {
    pub(in crate::api) fn new(page: store::TracePage) -> Self {
        let summary = |(id, spans): (_, Vec<_>)| Summary::new(id, &insight::Summary::of(&spans));
        TracePage {
            traces: page.traces.into_iter().map(summary).collect(),
            total: page.total,
            truncated: page.truncated,
            next_cursor: page.next.map(Text),
        }
    }
}

/// Logs.
#[derive(Serialize)]
pub(in crate::api) struct LogPage<'a> {
    logs: Vec<Log<'a>>,
    total: u64,
    truncated: bool,
    next_cursor: Option<Text<&'a LogCursor>>,
}

impl<'a> LogPage<'a> {
    pub(in crate::api) fn new(page: &'a store::LogPage) -> Self {
        LogPage {
            logs: page.logs.iter().map(Log::new).collect(),
            total: page.total,
            truncated: page.truncated,
            next_cursor: page.next.as_ref().map(Text),
        }
    }
}

/// Services.
#[derive(Serialize)]
pub(in crate::api) struct ServiceList<'a> {
    services: Vec<Service<'a>>,
    total: usize,
    truncated: bool,
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
    pub(in crate::api) fn new(rows: &'a [ServiceRow], max: usize) -> Self {
        let mut services: Vec<Service> = rows.iter().map(Service::new).collect();
        services.sort_by_key(|service| service.name);
        services.truncate(max);
        ServiceList {
            total: rows.len(),
            truncated: services.len() < rows.len(),
            services,
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
