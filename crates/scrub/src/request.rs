//! Every place of an OTLP request where text can stand.

mod metrics;
mod values;

use throughline_telemetry::UnixNanos;
use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::common::v1::{
    AnyValue, InstrumentationScope, any_value::Value,
};
use throughline_telemetry::wire::otlp::logs::v1::LogRecord;
use throughline_telemetry::wire::otlp::resource::v1::Resource;
use throughline_telemetry::wire::otlp::trace::v1::{Span, status::StatusCode};

use crate::payload::{Keep, NO_INVOCATION, Origin, is_withheld};
use crate::scrubber::Scrubber;
use values::{Around, of_attributes, of_text, of_value};

/// Says which invocation a span or a log record belongs to, by its trace and its time.
pub(crate) type Origins<'o> = &'o dyn Fn(&[u8], UnixNanos) -> Option<Origin>;

pub(crate) fn scrub(request: &mut Request, scrubber: &mut Scrubber, origins: Origins<'_>) {
    match request {
        Request::Traces(request) => {
            for (at, group) in request.resource_spans.iter_mut().enumerate() {
                within(scrubber, "resourceSpans", at, |scrubber| {
                    of_resource(&mut group.resource, scrubber);
                    for (at, scope) in group.scope_spans.iter_mut().enumerate() {
                        within(scrubber, "scopeSpans", at, |scrubber| {
                            of_scope(&mut scope.scope, scrubber);
                            for (at, span) in scope.spans.iter_mut().enumerate() {
                                within(scrubber, "spans", at, |s| of_span(span, s, origins));
                            }
                        });
                    }
                });
            }
        }
        Request::Logs(request) => {
            for (at, group) in request.resource_logs.iter_mut().enumerate() {
                within(scrubber, "resourceLogs", at, |scrubber| {
                    of_resource(&mut group.resource, scrubber);
                    for (at, scope) in group.scope_logs.iter_mut().enumerate() {
                        within(scrubber, "scopeLogs", at, |scrubber| {
                            of_scope(&mut scope.scope, scrubber);
                            for (at, record) in scope.log_records.iter_mut().enumerate() {
                                within(scrubber, "logRecords", at, |s| of_log(record, s, origins));
                            }
                        });
                    }
                });
            }
        }
        Request::Metrics(request) => {
            for (at, group) in request.resource_metrics.iter_mut().enumerate() {
                within(scrubber, "resourceMetrics", at, |scrubber| {
                    of_resource(&mut group.resource, scrubber);
                    for (at, scope) in group.scope_metrics.iter_mut().enumerate() {
                        within(scrubber, "scopeMetrics", at, |scrubber| {
                            of_scope(&mut scope.scope, scrubber);
                            for (at, metric) in scope.metrics.iter_mut().enumerate() {
                                within(scrubber, "metrics", at, |scrubber| {
                                    metrics::of_metric(metric, scrubber);
                                });
                            }
                        });
                    }
                });
            }
        }
    }
}

fn of_span(span: &mut Span, scrubber: &mut Scrubber, origins: Origins<'_>) {
    let failed = span
        .status
        .as_ref()
        .is_some_and(|status| status.code() == StatusCode::Error);
    let origin = origins(&span.trace_id, UnixNanos(span.start_time_unix_nano));
    let withheld = || is_withheld(&span.name, &span.attributes);
    let around = around(scrubber, origin, failed, withheld);
    field(scrubber, "name", |s| of_text(&mut span.name, s));
    field(scrubber, "traceState", |s| {
        of_text(&mut span.trace_state, s)
    });
    of_attributes(&mut span.attributes, scrubber, around, 0);
    for (at, event) in span.events.iter_mut().enumerate() {
        within(scrubber, "events", at, |scrubber| {
            field(scrubber, "name", |s| of_text(&mut event.name, s));
            of_attributes(&mut event.attributes, scrubber, around, 0);
        });
    }
    for (at, link) in span.links.iter_mut().enumerate() {
        within(scrubber, "links", at, |scrubber| {
            field(scrubber, "traceState", |s| {
                of_text(&mut link.trace_state, s)
            });
            of_attributes(&mut link.attributes, scrubber, around, 0);
        });
    }
    if let Some(status) = &mut span.status {
        field(scrubber, "status.message", |s| {
            of_text(&mut status.message, s)
        });
    }
}

fn of_log(record: &mut LogRecord, scrubber: &mut Scrubber, origins: Origins<'_>) {
    let written = match record.time_unix_nano {
        0 => record.observed_time_unix_nano,
        time => time,
    };
    let origin = origins(&record.trace_id, UnixNanos(written));
    let withheld = || is_withheld("", &record.attributes);
    let around = around(scrubber, origin, false, withheld);
    field(scrubber, "severityText", |s| {
        of_text(&mut record.severity_text, s)
    });
    field(scrubber, "eventName", |s| {
        of_text(&mut record.event_name, s)
    });
    of_attributes(&mut record.attributes, scrubber, around, 0);
    if let Some(body) = &mut record.body {
        field(scrubber, "body", |s| of_body(body, s, around));
    }
}

fn of_body(body: &mut AnyValue, scrubber: &mut Scrubber, around: Around) {
    match &mut body.value {
        Some(Value::StringValue(line)) => {
            let scrubbed = scrubber.line(line);
            if *scrubbed != **line {
                *line = scrubbed.into_owned();
            }
        }
        _ => of_value(body, scrubber, around, 0),
    }
}

fn around(
    scrubber: &Scrubber,
    origin: Option<Origin>,
    failed: bool,
    withheld: impl FnOnce() -> bool,
) -> Around {
    Around {
        keep: match Keep::of(scrubber.rules().payloads, origin, failed) {
            Keep::Nothing => Keep::Nothing,
            _ if withheld() => Keep::Withheld,
            keep => keep,
        },
        invocation: origin.map_or(NO_INVOCATION, |origin| origin.invocation),
    }
}

fn of_resource(resource: &mut Option<Resource>, scrubber: &mut Scrubber) {
    let Some(resource) = resource else { return };
    let attributes = &mut resource.attributes;
    if scrubber.known().has(attributes) {
        return;
    }
    let before = attributes.clone();
    let counts = scrubber.counts().clone();
    let around = around(scrubber, None, false, || false);
    field(scrubber, "resource", |s| {
        of_attributes(attributes, s, around, 0)
    });
    if *attributes == before && *scrubber.counts() == counts {
        scrubber.known().learn(before);
    }
}

fn of_scope(scope: &mut Option<InstrumentationScope>, scrubber: &mut Scrubber) {
    if let Some(scope) = scope {
        let around = around(scrubber, None, false, || false);
        field(scrubber, "scope", |scrubber| {
            field(scrubber, "name", |s| of_text(&mut scope.name, s));
            field(scrubber, "version", |s| of_text(&mut scope.version, s));
            of_attributes(&mut scope.attributes, scrubber, around, 0);
        });
    }
}

fn within<R>(
    scrubber: &mut Scrubber,
    list: &str,
    at: usize,
    work: impl FnOnce(&mut Scrubber) -> R,
) -> R {
    scrubber.within(|| format!("{list}[{at}]"), work)
}

fn field<R>(scrubber: &mut Scrubber, name: &str, work: impl FnOnce(&mut Scrubber) -> R) -> R {
    scrubber.within(|| name.to_owned(), work)
}

#[cfg(test)]
mod tests;
