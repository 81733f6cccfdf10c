//! Metrics: their names and descriptions, their points, the exemplars of these.

use throughline_telemetry::wire::otlp::common::v1::KeyValue;
use throughline_telemetry::wire::otlp::metrics::v1::{Exemplar, Metric, metric::Data};

use super::values::{Around, of_attributes, of_text};
use super::{field, within};
use crate::payload::{Keep, NO_INVOCATION};
use crate::scrubber::Scrubber;

pub(super) fn of_metric(metric: &mut Metric, scrubber: &mut Scrubber) {
    field(scrubber, "name", |s| of_text(&mut metric.name, s));
    field(scrubber, "description", |s| {
        of_text(&mut metric.description, s)
    });
    field(scrubber, "unit", |s| of_text(&mut metric.unit, s));
    field(scrubber, "metadata", |s| {
        of_attributes(&mut metric.metadata, s, AROUND, 0)
    });
    match &mut metric.data {
        Some(Data::Gauge(gauge)) => {
            for (at, point) in gauge.data_points.iter_mut().enumerate() {
                of_point(at, &mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Some(Data::Sum(sum)) => {
            for (at, point) in sum.data_points.iter_mut().enumerate() {
                of_point(at, &mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Some(Data::Histogram(histogram)) => {
            for (at, point) in histogram.data_points.iter_mut().enumerate() {
                of_point(at, &mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Some(Data::ExponentialHistogram(histogram)) => {
            for (at, point) in histogram.data_points.iter_mut().enumerate() {
                of_point(at, &mut point.attributes, &mut point.exemplars, scrubber);
            }
        }
        Some(Data::Summary(summary)) => {
            for (at, point) in summary.data_points.iter_mut().enumerate() {
                of_point(at, &mut point.attributes, &mut [], scrubber);
            }
        }
        None => {}
    }
}

fn of_point(
    at: usize,
    attributes: &mut Vec<KeyValue>,
    exemplars: &mut [Exemplar],
    scrubber: &mut Scrubber,
) {
    within(scrubber, "dataPoints", at, |scrubber| {
        of_attributes(attributes, scrubber, AROUND, 0);
        for (at, exemplar) in exemplars.iter_mut().enumerate() {
            within(scrubber, "exemplars", at, |scrubber| {
                of_attributes(&mut exemplar.filtered_attributes, scrubber, AROUND, 0);
            });
        }
    });
}

/// A payload would make every point a series of its own.
const AROUND: Around = Around {
    keep: Keep::Nothing,
    invocation: NO_INVOCATION,
};
