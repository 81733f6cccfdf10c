//! One request into two, each with the resources and scopes of its items.

use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::{
    ExportLogsServiceRequest, ExportMetricsServiceRequest, ExportTraceServiceRequest,
    logs::v1::{LogRecord, ResourceLogs, ScopeLogs},
    metrics::v1::{Metric, ResourceMetrics, ScopeMetrics},
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};

/// One item of a request.
#[derive(Clone, Copy)]
pub(crate) enum Item<'a> {
    Span(&'a Span),
    Log(&'a LogRecord),
    Metric(#[allow(dead_code)] &'a Metric),
}

/// Those for which `is_first` holds, and the others. What has no items is `None`.
pub(crate) fn split(
    request: Request,
    mut is_first: impl FnMut(Item<'_>) -> bool,
) -> (Option<Request>, Option<Request>) {
    let (first, second) = match request {
        Request::Traces(request) => {
            let (first, second) = groups(request.resource_spans, |group: ResourceSpans| {
                let (first, second) = groups(group.scope_spans, |scope: ScopeSpans| {
                    let of = |span: &Span| is_first(Item::Span(span));
                    let (first, second) = scope.spans.into_iter().partition(of);
                    let with = |spans: Vec<Span>| {
                        let (scope, schema_url) = (scope.scope.clone(), scope.schema_url.clone());
                        (!spans.is_empty()).then_some(ScopeSpans {
                            scope,
                            spans,
                            schema_url,
                        })
                    };
                    (with(first), with(second))
                });
                let with = |scope_spans: Vec<ScopeSpans>| {
                    let (resource, schema_url) = (group.resource.clone(), group.schema_url.clone());
                    let group = ResourceSpans {
                        resource,
                        scope_spans,
                        schema_url,
                    };
                    (!group.scope_spans.is_empty()).then_some(group)
                };
                (with(first), with(second))
            });
            let with =
                |resource_spans| Request::Traces(ExportTraceServiceRequest { resource_spans });
            (with(first), with(second))
        }
        Request::Logs(request) => {
            let (first, second) = groups(request.resource_logs, |group: ResourceLogs| {
                let (first, second) = groups(group.scope_logs, |scope: ScopeLogs| {
                    let of = |record: &LogRecord| is_first(Item::Log(record));
                    let (first, second) = scope.log_records.into_iter().partition(of);
                    let with = |log_records: Vec<LogRecord>| {
                        let (scope, schema_url) = (scope.scope.clone(), scope.schema_url.clone());
                        let scope = ScopeLogs {
                            scope,
                            log_records,
                            schema_url,
                        };
                        (!scope.log_records.is_empty()).then_some(scope)
                    };
                    (with(first), with(second))
                });
                let with = |scope_logs: Vec<ScopeLogs>| {
                    let (resource, schema_url) = (group.resource.clone(), group.schema_url.clone());
                    let group = ResourceLogs {
                        resource,
                        scope_logs,
                        schema_url,
                    };
                    (!group.scope_logs.is_empty()).then_some(group)
                };
                (with(first), with(second))
            });
            let with = |resource_logs| Request::Logs(ExportLogsServiceRequest { resource_logs });
            (with(first), with(second))
        }
        Request::Metrics(request) => {
            let (first, second) = groups(request.resource_metrics, |group: ResourceMetrics| {
                let (first, second) = groups(group.scope_metrics, |scope: ScopeMetrics| {
                    let of = |metric: &Metric| is_first(Item::Metric(metric));
                    let (first, second) = scope.metrics.into_iter().partition(of);
                    let with = |metrics: Vec<Metric>| {
                        let (scope, schema_url) = (scope.scope.clone(), scope.schema_url.clone());
                        let scope = ScopeMetrics {
                            scope,
                            metrics,
                            schema_url,
                        };
                        (!scope.metrics.is_empty()).then_some(scope)
                    };
                    (with(first), with(second))
                });
                let with = |scope_metrics: Vec<ScopeMetrics>| {
                    let (resource, schema_url) = (group.resource.clone(), group.schema_url.clone());
                    let group = ResourceMetrics {
                        resource,
                        scope_metrics,
                        schema_url,
                    };
                    (!group.scope_metrics.is_empty()).then_some(group)
                };
                (with(first), with(second))
            });
            let with = |resource_metrics| {
                Request::Metrics(ExportMetricsServiceRequest { resource_metrics })
            };
            (with(first), with(second))
        }
    };
    let kept = |request: Request| (request.items() > 0).then_some(request);
    (kept(first), kept(second))
}

/// The first half of the items, and the second; `None` where there are fewer than two.
pub(crate) fn halve(request: Request) -> Option<(Request, Request)> {
    let half = request.items() / 2;
    let mut seen = 0;
    let (first, second) = split(request, |_| {
        seen += 1;
        seen <= half
    });
    first.zip(second)
}

fn groups<G, T>(
    groups: Vec<G>,
    mut each: impl FnMut(G) -> (Option<T>, Option<T>),
) -> (Vec<T>, Vec<T>) {
    let (mut firsts, mut seconds) = (Vec::new(), Vec::new());
    for group in groups {
        let (first, second) = each(group);
        firsts.extend(first);
        seconds.extend(second);
    }
    (firsts, seconds)
}

#[cfg(test)]
mod tests {
    use throughline_telemetry::Signal;

    use super::*;

    #[test]
    fn halves_keep_their_resource_and_scope() {
        let json = br#"{"resourceSpans":[
            {"resource":{"attributes":[{"key":"a","value":{"stringValue":"1"}}]},"scopeSpans":[{"scope":{"name":"s"},"spans":[{"name":"1"},{"name":"2"},{"name":"3"}]}]},
            {"scopeSpans":[{"spans":[{"name":"4"}]}]}]}"#;
        let request = Request::from_json(Signal::Traces, json).unwrap();
        let (first, second) = halve(request).unwrap();
        let names = |request: &Request| {
            let Request::Traces(request) = request else {
                panic!("traces")
            };
            let groups = request.resource_spans.iter().map(|group| {
                let names = group.scope_spans[0]
                    .spans
                    .iter()
                    .map(|span| span.name.as_str());
                let (with, scope) = (group.resource.is_some(), &group.scope_spans[0].scope);
                format!("{} {with} {}", names.collect::<String>(), scope.is_some())
            });
            groups.collect::<Vec<_>>()
        };
        assert_eq!(names(&first), ["12 true true"]);
        assert_eq!(names(&second), ["3 true true", "4 false false"]);
        let one = split(
            first,
            |item| matches!(item, Item::Span(span) if span.name == "1"),
        );
        assert!(halve(one.0.unwrap()).is_none(), "one item has no halves");
    }
}
