//! Lines of `json`, each one period of one metric:
//!
//! ```text
//! {"metric_stream_name":"s","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/SQS",
//!  "metric_name":"ApproximateAgeOfOldestMessage","dimensions":{"QueueName":"mails"},"timestamp":1643916600000,
//!  "value":{"max":9.0,"min":9.0,"sum":9.0,"count":1.0,"p99":9.0},"unit":"Seconds"}
//! ```

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, KeyValueList, any_value};
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Metric, ResourceMetrics, ScopeMetrics, Summary, SummaryDataPoint, metric,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message;
use serde::Deserialize;

use super::BadPiece;
use crate::wire::otlp::ExportMetricsServiceRequest;

/// Data points on their way into a request.
#[derive(Debug, Default)]
pub(super) struct Points {
    metrics: BTreeMap<Owner, BTreeMap<Name, Vec<SummaryDataPoint>>>,
    count: usize,
    /// What their lines had.
    bytes: usize,
    /// The number of the first line in it.
    first: u64,
}

/// What one resource stands for.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Owner {
    account: String,
    region: String,
    stream: String,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Name {
    name: String,
    unit: String,
}

impl Points {
    /// Adds the data point of a line, and gives what was there before if there is no room for it.
    pub(super) fn take(
        &mut self,
        line: &[u8],
        number: u64,
    ) -> Result<Option<(u64, Vec<u8>)>, BadPiece> {
        let bytes = line.len();
        let line = Line::read(line)?;
        let point = line.point()?;
        let is_full = self.count >= COUNT_MAX || self.bytes + bytes > LINES_BYTES_MAX;
        let full = if is_full { self.request() } else { None };
        if self.count == 0 {
            self.first = number;
        }
        self.count += 1;
        self.bytes += bytes;
        let name = Name {
            name: format!("{PREFIX}{}/{}", line.namespace, line.metric_name),
            unit: unit(&line.unit),
        };
        let owner = Owner {
            account: line.account_id,
            region: line.region,
            stream: line.metric_stream_name,
        };
        let metrics = self.metrics.entry(owner).or_default();
        metrics.entry(name).or_default().push(point);
        Ok(full)
    }

    /// What there is, with the number of the first line in it. Nothing is there afterwards.
    pub(super) fn request(&mut self) -> Option<(u64, Vec<u8>)> {
        let Points {
            metrics,
            count,
            first,
            bytes: _,
        } = std::mem::take(self);
        let resources = metrics.into_iter();
        let request = ExportMetricsServiceRequest {
            resource_metrics: resources.map(resource_metrics).collect(),
        };
        (count > 0).then(|| (first, request.encode_to_vec()))
    }
}

/// The lines of a record that are not empty.
pub(super) fn all(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = record.split(|byte| *byte == b'\n');
    lines
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
}

/// Whether a record begins with a data point, which may be cut.
pub(super) fn begins(record: &[u8]) -> bool {
    let Some((b'{', within)) = record.trim_ascii_start().split_first() else {
        return false;
    };
    within.trim_ascii_start().starts_with(MARK)
        || all(record).next().is_some_and(|it| Line::read(it).is_ok())
}

#[derive(Deserialize)]
struct Line {
    metric_stream_name: String,
    #[serde(default)]
    account_id: String,
    #[serde(default)]
    region: String,
    namespace: String,
    metric_name: String,
    dimensions: Option<BTreeMap<String, String>>,
    /// When the period began, in milliseconds.
    timestamp: u64,
    value: BTreeMap<String, Option<f64>>,
    #[serde(default)]
    unit: String,
}

impl Line {
    fn read(line: &[u8]) -> Result<Self, BadPiece> {
        if line.len() > BYTES_MAX {
            return Err(BadPiece::LongLine);
        }
        serde_json::from_slice(line).map_err(|error| {
            let what = error.to_string().chars().take(MESSAGE_CHARS_MAX).collect();
            BadPiece::NotAPoint(what)
        })
    }

    fn point(&self) -> Result<SummaryDataPoint, BadPiece> {
        let nanos = |millis: u64| millis.checked_mul(1_000_000);
        let end = self.timestamp.checked_add(PERIOD_MILLIS).and_then(nanos);
        let (Some(start), Some(end)) = (nanos(self.timestamp), end) else {
            return Err(BadPiece::BadNumber("timestamp"));
        };
        let statistic = |name: &str| self.value.get(name).copied().flatten();
        let count = statistic("count").filter(|count| *count >= 0.0);
        let dimensions = self.dimensions.iter().flatten();
        let dimensions = dimensions.map(|(name, value)| attribute(name, value));
        let dimensions = any_value::Value::KvlistValue(KeyValueList {
            values: dimensions.collect(),
        });
        Ok(SummaryDataPoint {
            attributes: vec![
                attribute("Namespace", &self.namespace),
                attribute("MetricName", &self.metric_name),
                key_value("Dimensions", dimensions),
            ],
            start_time_unix_nano: start,
            time_unix_nano: end,
            count: whole(count.ok_or(BadPiece::BadNumber("count"))?),
            sum: statistic("sum").ok_or(BadPiece::BadNumber("sum"))?,
            quantile_values: self.quantiles(),
            ..Default::default()
        })
    }

    /// The least, the greatest and all percentiles. OTLP has no place for other statistics (`TM(25%:75%)`).
    fn quantiles(&self) -> Vec<ValueAtQuantile> {
        let known = self.value.iter();
        let known = known.filter_map(|(name, value)| {
            Some(ValueAtQuantile {
                quantile: quantile(name)?,
                value: (*value)?,
            })
        });
        let mut known: Vec<_> = known.collect();
        known.sort_by(|one, other| one.quantile.total_cmp(&other.quantile));
        known
    }
}

/// `min` is 0, `p99.9` is 0.999, `max` is 1.
fn quantile(statistic: &str) -> Option<f64> {
    let percent = match statistic {
        "min" => "0",
        "max" => "100",
        other => other.strip_prefix('p')?,
    };
    let is_plain = |byte: u8| byte.is_ascii_digit() || byte == b'.';
    if !percent.bytes().all(is_plain) {
        return None;
    }
    // Divided by a hundred it would be 0.9990000000000001.
    let quantile = format!("{percent}e-2").parse::<f64>().ok()?;
    (quantile <= 1.0).then_some(quantile)
}

fn resource_metrics(
    (owner, metrics): (Owner, BTreeMap<Name, Vec<SummaryDataPoint>>),
) -> ResourceMetrics {
    let attributes = vec![
        attribute("cloud.provider", "aws"),
        attribute("cloud.account.id", &owner.account),
        attribute("cloud.region", &owner.region),
        // Not the ARN that the other form has: the stream may be of another account than the metric.
        attribute("aws.cloudwatch.metric_stream_name", &owner.stream),
    ];
    let metrics = metrics
        .into_iter()
        .map(|(Name { name, unit }, data_points)| Metric {
            name,
            unit,
            data: Some(metric::Data::Summary(Summary { data_points })),
            ..Default::default()
        });
    ResourceMetrics {
        resource: Some(Resource {
            attributes,
            ..Default::default()
        }),
        scope_metrics: vec![ScopeMetrics {
            metrics: metrics.collect(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn attribute(key: &str, value: &str) -> KeyValue {
    key_value(key, any_value::Value::StringValue(value.to_owned()))
}

fn key_value(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..Default::default()
    }
}

/// CloudWatch counts in fractions where whoever measured did.
#[allow(clippy::cast_possible_truncation)] // not negative, and what is too large becomes the largest
fn whole(count: f64) -> u64 {
    count.round() as u64
}

/// A unit of CloudWatch as it writes it in the other form, which is nearly UCUM: `Bytes/Second` is `By/s`.
fn unit(unit: &str) -> String {
    let parts = unit.split('/').map(|part| match part {
        "Second" | "Seconds" => "s",
        "Microseconds" => "us",
        "Milliseconds" => "ms",
        "Bytes" => "By",
        "Kilobytes" => "kBy",
        "Megabytes" => "MBy",
        "Gigabytes" => "GBy",
        "Terabytes" => "TBy",
        "Bits" => "bit",
        "Kilobits" => "kbit",
        "Megabits" => "MBit",
        "Gigabits" => "GBit",
        "Terabits" => "Tbit",
        "Percent" => "%",
        "Count" => "{Count}",
        "None" => "1",
        other => other,
    });
    parts.collect::<Vec<_>>().join("/")
}

/// Far more than a name of 255 characters and thirty dimensions of 1,280 take.
pub(super) const BYTES_MAX: usize = 128 << 10;

/// What CloudWatch writes first.
const MARK: &[u8] = b"\"metric_stream_name\"";

/// What stands before a namespace in the names of the other form.
const PREFIX: &str = "amazonaws.com/";

/// A stream has one data point a minute of each metric.
const PERIOD_MILLIS: u64 = 60_000;

/// Data points of a request: some megabytes.
const COUNT_MAX: usize = 5000;

/// What their lines may have: a dimension of eight bytes takes a hundred until it is encoded.
const LINES_BYTES_MAX: usize = 4 << 20;

/// What of an error goes into a message, which may have somebody else's text in it.
const MESSAGE_CHARS_MAX: usize = 200;
