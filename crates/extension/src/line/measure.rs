//! Numbers that a line carries for a metrics service: CloudWatch's embedded metric format,
//! `MONITORING|epoch|value|type|name`, and Datadog's `{"e", "m", "t", "v"}`.

use serde_json::{Map, Value as Json};
use throughline_telemetry::{Attributes, UnixNanos, Value};

use super::json::epoch;

/// One metric of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure {
    /// Its name.
    pub name: String,
    /// Its unit in UCUM notation; empty if it has none.
    pub unit: String,
    /// What was measured.
    pub numbers: Numbers,
    /// When, if the line says so.
    pub time: Option<UnixNanos>,
    /// Its dimensions, and the namespace if it has one.
    pub attributes: Attributes,
}

/// What was measured.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// So many more.
    Count(f64),
    /// The value at this moment.
    Gauge(f64),
    /// Each measured value.
    Values(Vec<f64>),
    /// Only what is left of many values.
    Summary {
        /// How many there were.
        count: u64,
        /// Their sum.
        sum: f64,
        /// The least.
        min: f64,
        /// The greatest.
        max: f64,
    },
}

/// The measures of an object, and how many were left out beyond the limits.
pub(super) fn of_object(fields: &Map<String, Json>) -> (Vec<Measure>, u64) {
    if let Some(found) = embedded(fields) {
        return found;
    }
    (datadog(fields).into_iter().collect(), 0)
}

/// `{"_aws": {"CloudWatchMetrics": [...]}, ...}`. CloudWatch makes a metric of its own for every set of
/// dimensions; here there is one point that carries all of them, so that a sum over it counts
/// nothing twice and each set is a view of it.
fn embedded(fields: &Map<String, Json>) -> Option<(Vec<Measure>, u64)> {
    let about = fields.get("_aws")?;
    let directives = about.get("CloudWatchMetrics")?.as_array()?;
    let time = about.get("Timestamp").and_then(epoch);
    let (mut measures, mut cut) = (Vec::<Measure>::new(), 0);
    for directive in directives {
        let namespace = directive
            .get("Namespace")
            .and_then(Json::as_str)
            .unwrap_or("");
        let dimensions = dimensions(directive, fields);
        for metric in directive
            .get("Metrics")
            .and_then(Json::as_array)
            .into_iter()
            .flatten()
        {
            let Some(name) = metric.get("Name").and_then(Json::as_str) else {
                continue;
            };
            let Some((numbers, more)) = fields.get(name).and_then(numbers) else {
                continue;
            };
            cut += more;
            let of_same = |known: &&mut Measure| {
                known.name == name && known.attributes.text(NAMESPACE) == Some(namespace)
            };
            // The same metric again under other dimensions: still one measurement.
            if let Some(known) = measures.iter_mut().find(of_same) {
                for (key, value) in dimensions.iter() {
                    known.attributes.set(key, value.clone());
                }
                continue;
            }
            if measures.len() == MEASURES_MAX {
                cut += 1;
                continue;
            }
            let mut attributes = dimensions.clone();
            attributes.set(NAMESPACE, namespace);
            measures.push(Measure {
                name: name.to_owned(),
                unit: unit(metric.get("Unit").and_then(Json::as_str).unwrap_or("")),
                numbers,
                time,
                attributes,
            });
        }
    }
    Some((measures, cut))
}

/// All dimensions of all sets, with their values, which are root members of the line.
fn dimensions(directive: &Json, fields: &Map<String, Json>) -> Attributes {
    let sets = directive
        .get("Dimensions")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    let names = sets
        .filter_map(Json::as_array)
        .flatten()
        .filter_map(Json::as_str);
    let mut attributes = Attributes::default();
    for name in names {
        let value = match fields.get(name) {
            Some(Json::String(text)) => text.clone(),
            Some(other @ (Json::Number(_) | Json::Bool(_))) => other.to_string(),
            _ => continue,
        };
        if attributes.0.len() < DIMENSIONS_MAX {
            attributes.set(name, value);
        }
    }
    attributes
}

/// A number, a list of numbers, or what is left of many; and how many were left out.
fn numbers(json: &Json) -> Option<(Numbers, u64)> {
    match json {
        Json::Number(number) => Some((Numbers::Values(vec![number.as_f64()?]), 0)),
        Json::Array(values) => {
            let all: Vec<f64> = values
                .iter()
                .filter_map(Json::as_f64)
                .take(VALUES_MAX)
                .collect();
            let cut = (values.len() - all.len()) as u64;
            (!all.is_empty()).then_some((Numbers::Values(all), cut))
        }
        Json::Object(of) => {
            let part = |name: &str| of.get(name).and_then(Json::as_f64);
            let count = of
                .get("Count")
                .and_then(|count| count.as_u64().or_else(|| count.as_f64().and_then(whole)));
            let numbers = Numbers::Summary {
                count: count?,
                sum: part("Sum")?,
                min: part("Min")?,
                max: part("Max")?,
            };
            Some((numbers, 0))
        }
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it was checked to be a small whole number"
)]
fn whole(number: f64) -> Option<u64> {
    (number.fract() == 0.0 && (0.0..1e15).contains(&number)).then_some(number as u64)
}

/// `{"e": 1795220640, "m": "coffee.orders", "t": ["size:l"], "v": 1}`, and nothing else in it.
fn datadog(fields: &Map<String, Json>) -> Option<Measure> {
    let is_its = |key: &String| matches!(key.as_str(), "e" | "m" | "t" | "v");
    if !fields.keys().all(is_its) {
        return None;
    }
    let tags = fields
        .get("t")
        .and_then(Json::as_array)
        .into_iter()
        .flatten();
    Some(Measure {
        name: fields.get("m")?.as_str()?.to_owned(),
        unit: String::new(),
        numbers: Numbers::Values(vec![fields.get("v")?.as_f64()?]),
        time: Some(fields.get("e").and_then(epoch)?),
        attributes: tags_of(tags.filter_map(Json::as_str)),
    })
}

/// `MONITORING|1489795335|27.4|latency|name|#tag:value,tag`, with or without blanks around the bars.
pub(super) fn monitoring(line: &str) -> Option<Measure> {
    let rest = line.trim().strip_prefix("MONITORING")?;
    let mut parts = rest
        .trim_start()
        .strip_prefix('|')?
        .split('|')
        .map(str::trim);
    let time = epoch(&Json::from(parts.next()?.parse::<f64>().ok()?))?;
    let number = parts
        .next()?
        .parse::<f64>()
        .ok()
        .filter(|number| number.is_finite())?;
    let kind = parts.next()?;
    let name = parts.next().filter(|name| !name.is_empty())?;
    let tags = parts.next().unwrap_or("");
    let tags = tags.strip_prefix('#').unwrap_or(tags).split(',');
    let numbers = match kind {
        "count" if number >= 0.0 => Numbers::Count(number),
        "gauge" | "check" => Numbers::Gauge(number),
        _ => Numbers::Values(vec![number]),
    };
    Some(Measure {
        name: name.to_owned(),
        unit: unit(kind),
        numbers,
        time: Some(time),
        attributes: tags_of(tags),
    })
}

/// `key:value`; a tag without a value is true.
fn tags_of<'a>(tags: impl Iterator<Item = &'a str>) -> Attributes {
    let tags = tags
        .map(str::trim)
        .filter(|tag| !tag.is_empty())
        .take(DIMENSIONS_MAX);
    let pairs = tags.map(|tag| match tag.split_once(':') {
        Some((key, value)) => (key.to_owned(), Value::from(value)),
        None => (tag.to_owned(), Value::Bool(true)),
    });
    Attributes(pairs.collect())
}

/// CloudWatch's unit, or the type of a `MONITORING` line that is a unit, in UCUM notation.
fn unit(name: &str) -> String {
    let (base, per_second) = match name.strip_suffix("/Second") {
        Some(base) => (base, "/s"),
        None => (name, ""),
    };
    let found = UNITS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(base));
    found.map_or(String::new(), |(_, unit)| format!("{unit}{per_second}"))
}

/// Where CloudWatch keeps metrics apart.
const NAMESPACE: &str = "throughline.metric.namespace";
/// CloudWatch's own limits for one line.
const MEASURES_MAX: usize = 100;
const VALUES_MAX: usize = 100;
const DIMENSIONS_MAX: usize = 30;
const UNITS: &[(&str, &str)] = &[
    ("Seconds", "s"),
    ("Milliseconds", "ms"),
    ("Microseconds", "us"),
    ("latency", "ms"),
    ("ms", "ms"),
    ("Bytes", "By"),
    ("Kilobytes", "kBy"),
    ("Megabytes", "MBy"),
    ("Gigabytes", "GBy"),
    ("Terabytes", "TBy"),
    ("Bits", "bit"),
    ("Kilobits", "kbit"),
    ("Megabits", "Mbit"),
    ("Gigabits", "Gbit"),
    ("Terabits", "Tbit"),
    ("Percent", "%"),
    ("Count", "1"),
];
