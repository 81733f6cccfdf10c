//! Every place of an OTLP request where text can stand.

use throughline_telemetry::wire::Request;
use throughline_telemetry::wire::otlp::common::v1::any_value::Value;
use throughline_telemetry::wire::otlp::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use throughline_telemetry::wire::otlp::metrics::v1::{Exemplar, metric::Data};
use throughline_telemetry::wire::otlp::resource::v1::Resource;
use throughline_telemetry::wire::otlp::trace::v1::Span;

use crate::counts::Rule;
use crate::keys::{Kind, is_secret};
use crate::scrubber::Scrubber;

pub(crate) fn scrub(request: &mut Request, scrubber: &mut Scrubber) {
    match request {
        Request::Traces(request) => {
            for group in &mut request.resource_spans {
                of_resource(&mut group.resource, scrubber);
                for scope in &mut group.scope_spans {
                    of_scope(&mut scope.scope, scrubber);
                    for span in &mut scope.spans {
                        of_span(span, scrubber);
                    }
                }
            }
        }
        Request::Logs(request) => {
            for group in &mut request.resource_logs {
                of_resource(&mut group.resource, scrubber);
                for scope in &mut group.scope_logs {
                    of_scope(&mut scope.scope, scrubber);
                    for record in &mut scope.log_records {
                        of_attributes(&mut record.attributes, scrubber, 0);
                        if let Some(body) = &mut record.body {
                            of_value(body, scrubber, 0);
                        }
                    }
                }
            }
        }
        Request::Metrics(request) => {
            for group in &mut request.resource_metrics {
                of_resource(&mut group.resource, scrubber);
                for scope in &mut group.scope_metrics {
                    of_scope(&mut scope.scope, scrubber);
                    for metric in &mut scope.metrics {
                        of_attributes(&mut metric.metadata, scrubber, 0);
                        if let Some(data) = &mut metric.data {
                            of_points(data, scrubber);
                        }
                    }
                }
            }
        }
    }
}

fn of_span(span: &mut Span, scrubber: &mut Scrubber) {
    of_text(&mut span.name, scrubber);
    of_attributes(&mut span.attributes, scrubber, 0);
    for event in &mut span.events {
        of_text(&mut event.name, scrubber);
        of_attributes(&mut event.attributes, scrubber, 0);
    }
    for link in &mut span.links {
        of_attributes(&mut link.attributes, scrubber, 0);
    }
    if let Some(status) = &mut span.status {
        of_text(&mut status.message, scrubber);
    }
}

fn of_points(data: &mut Data, scrubber: &mut Scrubber) {
    match data {
        Data::Gauge(gauge) => {
            for point in &mut gauge.data_points {
                of_point(&mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Data::Sum(sum) => {
            for point in &mut sum.data_points {
                of_point(&mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Data::Histogram(histogram) => {
            for point in &mut histogram.data_points {
                of_point(&mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Data::ExponentialHistogram(histogram) => {
            for point in &mut histogram.data_points {
                of_point(&mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Data::Summary(summary) => {
            for point in &mut summary.data_points {
                of_point(&mut point.attributes, &mut [], scrubber);
            }
        }
    }
}

fn of_point(attributes: &mut [KeyValue], exemplars: &mut [Exemplar], scrubber: &mut Scrubber) {
    of_attributes(attributes, scrubber, 0);
    for exemplar in exemplars {
        of_attributes(&mut exemplar.filtered_attributes, scrubber, 0);
    }
}

fn of_resource(resource: &mut Option<Resource>, scrubber: &mut Scrubber) {
    if let Some(resource) = resource {
        of_attributes(&mut resource.attributes, scrubber, 0);
    }
}

fn of_scope(scope: &mut Option<InstrumentationScope>, scrubber: &mut Scrubber) {
    if let Some(scope) = scope {
        of_attributes(&mut scope.attributes, scrubber, 0);
    }
}

fn of_attributes(attributes: &mut [KeyValue], scrubber: &mut Scrubber, depth: usize) {
    for attribute in attributes {
        let Some(value) = &mut attribute.value else {
            continue;
        };
        if let Some(kind) = kind_of(value)
            && is_secret(&attribute.key, kind, scrubber.rules())
        {
            replace(value, "[redacted]");
            scrubber.count(Rule::Key);
        } else {
            of_value(value, scrubber, depth);
        }
    }
}

fn of_value(value: &mut AnyValue, scrubber: &mut Scrubber, depth: usize) {
    if depth >= DEPTH_MAX {
        replace(value, "[too deep]");
        return scrubber.count(Rule::Depth);
    }
    match &mut value.value {
        Some(Value::StringValue(text)) => of_text(text, scrubber),
        Some(Value::IntValue(number)) => {
            // A card number is a number to some serialisers.
            let text = number.to_string();
            let scrubbed = scrubber.text(&text);
            if *scrubbed != *text {
                let scrubbed = scrubbed.into_owned();
                replace(value, &scrubbed);
            }
        }
        Some(Value::BytesValue(bytes)) => {
            let scrubbed = std::str::from_utf8(bytes)
                .ok()
                .map(|text| scrubber.text(text).into_owned());
            if let Some(scrubbed) = scrubbed {
                *bytes = scrubbed.into_bytes();
            }
        }
        Some(Value::ArrayValue(array)) => {
            for value in &mut array.values {
                of_value(value, scrubber, depth + 1);
            }
        }
        Some(Value::KvlistValue(list)) => of_attributes(&mut list.values, scrubber, depth + 1),
        _ => {}
    }
}

fn of_text(text: &mut String, scrubber: &mut Scrubber) {
    if let std::borrow::Cow::Owned(scrubbed) = scrubber.text(text) {
        *text = scrubbed;
    }
}

/// `None` for what cannot be a secret: nothing, a yes or no, an empty text.
fn kind_of(value: &AnyValue) -> Option<Kind> {
    match value.value.as_ref()? {
        Value::BoolValue(_) => None,
        Value::IntValue(_) | Value::DoubleValue(_) => Some(Kind::Number),
        Value::StringValue(text) if text.is_empty() => None,
        _ => Some(Kind::Text),
    }
}

fn replace(value: &mut AnyValue, word: &str) {
    value.value = Some(Value::StringValue(word.to_owned()));
}

/// OTLP itself has no end; protobuf decoders stop at a hundred.
const DEPTH_MAX: usize = 16;

#[cfg(test)]
mod tests;
