//! Data points of metrics.

use super::Sink;
use super::anything::check;
use super::field::{Fault, Fields, Flaw, Within};
use super::scratch::Scratch;
use super::spans::{Names, owners};
use super::value::{AttributeView, attribute};
use crate::model::{MetricKind, UnixNanos};
use crate::wire::json::{
    EXPONENTIAL_HISTOGRAM_DATA_POINT, HISTOGRAM_DATA_POINT, Message, NUMBER_DATA_POINT,
    SUMMARY_DATA_POINT,
};

/// One data point of one metric.
#[derive(Clone, Copy, Debug)]
pub struct PointView<'s, 'a> {
    /// Name of the metric.
    pub name: &'a str,
    /// Unit, in UCUM notation.
    pub unit: &'a str,
    /// What the numbers mean.
    pub kind: MetricKind,
    /// When it was measured.
    pub time: UnixNanos,
    /// Since when a sum or histogram counts, or zero.
    pub start: UnixNanos,
    /// Dimensions.
    pub attributes: &'s [AttributeView<'a>],
    /// The number of a gauge or sum; the sum of all others.
    pub value: f64,
    /// How many measurements a histogram or summary holds; 1 for gauges and sums.
    pub count: u64,
    /// The metric without its data, the data without its points, and the point.
    metric: &'s [u8],
    data: (u32, &'s [u8]),
    point: &'a [u8],
}

impl PointView<'_, '_> {
    /// The whole OTLP `Metric` with only this point, as protobuf. Takes the place of what is in `out`.
    pub fn otlp(&self, out: &mut Vec<u8>) {
        let (number, data) = self.data;
        let point_bytes = 1 + length_bytes(self.point.len()) + self.point.len();
        out.clear();
        out.extend_from_slice(self.metric);
        prost::encoding::encode_key(number, LENGTH_DELIMITED, out);
        prost::encoding::encode_varint((data.len() + point_bytes) as u64, out);
        out.extend_from_slice(data);
        prost::encoding::encode_key(1, LENGTH_DELIMITED, out);
        prost::encoding::encode_varint(self.point.len() as u64, out);
        out.extend_from_slice(self.point);
    }
}

pub(super) fn walk<'a>(
    body: &'a [u8],
    scratch: &mut Scratch<'a>,
    sink: &mut impl Sink,
) -> Result<(), Fault> {
    owners(body, NAMES, scratch, sink, |fields, scratch, sink| {
        scratch.weight.add(ROW_BYTES)?;
        scratch.items += 1;
        let Some(metric) = metric(fields, scratch)? else {
            return Ok(());
        };
        points(&metric, scratch, sink).within(metric.kind.name)
    })
}

const NAMES: Names = Names {
    by_resource: "resourceMetrics",
    by_scope: "scopeMetrics",
    items: "metrics",
};

/// A metric that has data.
struct Metric<'a> {
    name: &'a str,
    unit: &'a str,
    kind: &'static Kind,
    data: Fields<'a>,
}

/// A kind of data, and the numbers of the fields of its points.
struct Kind {
    /// Of the field of the metric.
    number: u32,
    name: &'static str,
    kind: MetricKind,
    point: &'static Message,
    attributes: u32,
    /// Whether `aggregationTemporality` and `isMonotonic` are fields.
    is_temporal: bool,
    is_monotonic: bool,
}

static KINDS: [Kind; 5] = [
    Kind {
        number: 5,
        name: "gauge",
        kind: MetricKind::Gauge,
        point: &NUMBER_DATA_POINT,
        attributes: 7,
        is_temporal: false,
        is_monotonic: false,
    },
    Kind {
        number: 7,
        name: "sum",
        kind: MetricKind::Sum,
        point: &NUMBER_DATA_POINT,
        attributes: 7,
        is_temporal: true,
        is_monotonic: true,
    },
    Kind {
        number: 9,
        name: "histogram",
        kind: MetricKind::Histogram,
        point: &HISTOGRAM_DATA_POINT,
        attributes: 9,
        is_temporal: true,
        is_monotonic: false,
    },
    Kind {
        number: 10,
        name: "exponentialHistogram",
        kind: MetricKind::ExponentialHistogram,
        point: &EXPONENTIAL_HISTOGRAM_DATA_POINT,
        attributes: 1,
        is_temporal: true,
        is_monotonic: false,
    },
    Kind {
        number: 11,
        name: "summary",
        kind: MetricKind::Summary,
        point: &SUMMARY_DATA_POINT,
        attributes: 7,
        is_temporal: false,
        is_monotonic: false,
    },
];

/// Reads a metric but for its points. What is not its data goes into the scratch as it is.
fn metric<'a>(
    mut fields: Fields<'a>,
    scratch: &mut Scratch<'a>,
) -> Result<Option<Metric<'a>>, Fault> {
    let (mut name, mut unit) = ("", "");
    let mut data = None;
    scratch.metric.clear();
    loop {
        let before = fields.rest();
        let Some((number, field)) = fields.next()? else {
            break;
        };
        let mut is_data = false;
        match number {
            1 => name = field.text().within("name")?,
            2 => drop(field.text().within("description")?),
            3 => unit = field.text().within("unit")?,
            5 | 7 | 9 | 10 | 11 => {
                is_data = true;
                field.bytes()?;
                if data.replace((number, field)).is_some() {
                    return Err(Flaw::Repeated.into());
                }
            }
            12 => {
                let inner = fields.of(field);
                inner
                    .and_then(|inner| attribute(inner, &mut scratch.weight))
                    .within("metadata")?;
            }
            _ => fields.skip()?,
        }
        if !is_data {
            let length = before.len() - fields.rest().len();
            scratch.metric.extend_from_slice(&before[..length]);
        }
    }
    let Some((number, field)) = data else {
        return Ok(None);
    };
    let kind = KINDS.iter().find(|kind| kind.number == number);
    let kind = kind.ok_or(Flaw::Malformed("an unknown kind of metric"))?;
    Ok(Some(Metric {
        name,
        unit,
        kind,
        data: fields.of(field).within(kind.name)?,
    }))
}

fn points<'a>(
    metric: &Metric<'a>,
    scratch: &mut Scratch<'a>,
    sink: &mut impl Sink,
) -> Result<(), Fault> {
    read_data(metric, scratch)?;
    let mut fields = metric.data;
    let mut place = 0;
    while let Some((number, field)) = fields.next()? {
        if number != 1 {
            continue;
        }
        let inner = fields.of(field);
        let view = inner.and_then(|inner| point(metric, inner, scratch));
        sink.point(&view.within_item("dataPoints", place)?);
        place += 1;
    }
    Ok(())
}

/// Checks what is beside the points, which goes into the scratch as it is.
fn read_data<'a>(metric: &Metric<'a>, scratch: &mut Scratch<'a>) -> Result<(), Fault> {
    let mut fields = metric.data;
    scratch.data.clear();
    loop {
        let before = fields.rest();
        let Some((number, field)) = fields.next()? else {
            return Ok(());
        };
        match number {
            1 => {
                field.bytes().within("dataPoints")?;
                continue;
            }
            2 if metric.kind.is_temporal => drop(field.varint().within("aggregationTemporality")?),
            3 if metric.kind.is_monotonic => drop(field.varint().within("isMonotonic")?),
            _ => fields.skip()?,
        }
        let length = before.len() - fields.rest().len();
        scratch.data.extend_from_slice(&before[..length]);
    }
}

fn point<'s, 'a>(
    metric: &Metric<'a>,
    fields: Fields<'a>,
    scratch: &'s mut Scratch<'a>,
) -> Result<PointView<'s, 'a>, Fault> {
    // Each point has its metric with it.
    let shared = scratch.metric.len() + scratch.data.len() + metric.name.len();
    scratch.weight.add(ROW_BYTES + shared + metric.unit.len())?;
    scratch.rows += 1;
    check(metric.kind.point, fields, &mut scratch.weight)?;
    scratch.clear();
    let bytes = fields.rest();
    let is_number = matches!(metric.kind.kind, MetricKind::Gauge | MetricKind::Sum);
    let (mut time, mut start) = (0, 0);
    let mut count = u64::from(is_number);
    let mut value = match metric.kind.kind {
        MetricKind::Summary => 0.0,
        _ => f64::NAN,
    };
    let mut fields = fields;
    while let Some((number, field)) = fields.next()? {
        match number {
            number if number == metric.kind.attributes => scratch.attribute(&fields, field)?,
            2 => start = field.fixed64()?,
            3 => time = field.fixed64()?,
            4 if is_number => value = field.double()?,
            6 if is_number => value = whole(field.fixed64()?.cast_signed()),
            4 => count = field.fixed64()?,
            5 if !is_number => value = field.double()?,
            _ => {}
        }
    }
    Ok(PointView {
        name: metric.name,
        unit: metric.unit,
        kind: metric.kind.kind,
        time: UnixNanos(time),
        start: UnixNanos(start),
        attributes: &scratch.attributes,
        value,
        count,
        metric: &scratch.metric,
        data: (metric.kind.number, &scratch.data),
        point: bytes,
    })
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the exact integer stays in `otlp`"
)]
fn whole(number: i64) -> f64 {
    number as f64
}

fn length_bytes(length: usize) -> usize {
    prost::encoding::encoded_len_varint(length as u64)
}

const LENGTH_DELIMITED: prost::encoding::WireType = prost::encoding::WireType::LengthDelimited;

/// The columns of a data point besides its texts.
const ROW_BYTES: usize = 128;
