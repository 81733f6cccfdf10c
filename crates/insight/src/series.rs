//! Lines of a chart from the points of a metric.
//!
//! Points belong to series: one sender, one set of attributes. What a point counts since its start
//! (cumulative) becomes what it counts since the point before of its series; where a counter began anew,
//! what it has counted since. Then the series of a group are put together, step by step.

mod cell;

use std::collections::BTreeMap;

use throughline_telemetry::model::MetricKind;
use throughline_telemetry::wire::{Bucket, PointDetail, Temporality};
use throughline_telemetry::{MetricPoint, UnixNanos};

use cell::Cell;

/// What to draw.
#[derive(Clone, Debug, PartialEq)]
pub struct LineQuery {
    /// From when on. Points before it only say where counters stood.
    pub from: UnixNanos,
    /// Up to when.
    pub to: UnixNanos,
    /// How long one step is, in nanoseconds; at least one.
    pub step_nanos: u64,
    /// What to calculate of each step.
    pub calculation: LineCalculation,
    /// Attributes of the points, or of who emitted them, whose values make the groups.
    pub group_by: Vec<String>,
    /// How many groups at most: those that add up to most.
    pub lines_max: usize,
}

/// What to calculate of the points of one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LineCalculation {
    /// What a sum grows by in a second; of a histogram, measurements in a second.
    Rate,
    /// What a sum grows by; of a gauge, the sum of its values.
    Sum,
    /// Measurements of a histogram; of all else, points.
    Count,
    /// The mean of the measurements of a histogram; of all else, of the values.
    Avg,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The last value of each series, added up.
    Last,
    /// A percentile, from 0 to 1, of the measurements of a histogram; of all else, of the values.
    Percentile(f64),
}

/// What was drawn.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    /// In the order of their groups.
    pub lines: Vec<Line>,
    /// Whether there are more groups than may be.
    pub truncated: bool,
    /// Points that could not be understood.
    pub unreadable: u64,
}

/// One group.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its values of what the groups are made of; none where the points have none.
    pub group: Vec<Option<String>>,
    /// One value for each step; none where there were no points.
    pub values: Vec<Option<f64>>,
}

/// Draws the points of one metric.
pub fn lines(points: &[MetricPoint], query: &LineQuery) -> Lines {
    let mut series: BTreeMap<String, Vec<&MetricPoint>> = BTreeMap::new();
    for point in points {
        series.entry(series_of(point)).or_default().push(point);
    }
    let steps = usize::try_from((query.to.0 - query.from.0).div_ceil(query.step_nanos.max(1)));
    let steps = steps.unwrap_or(usize::MAX);
    let mut groups: BTreeMap<Vec<Option<String>>, Vec<Cell>> = BTreeMap::new();
    let mut unreadable = 0;
    for points in series.values_mut() {
        points.sort_by_key(|point| point.time);
        let group = query.group_by.iter().map(|key| value_of(points[0], key));
        let cells = groups.entry(group.collect());
        let cells = cells.or_insert_with(|| vec![Cell::default(); steps]);
        unreadable += add(points, query, cells);
    }
    let mut drawn: Vec<(f64, Line)> = groups
        .into_iter()
        .filter(|(_, cells)| cells.iter().any(|cell| !cell.is_empty()))
        .map(|(group, cells)| {
            let values: Vec<Option<f64>> = cells.iter().map(|cell| cell.value(query)).collect();
            let weight = values.iter().flatten().map(|value| value.abs()).sum();
            (weight, Line { group, values })
        })
        .collect();
    let truncated = drawn.len() > query.lines_max;
    if truncated {
        drawn.sort_by(|a, b| b.0.total_cmp(&a.0));
        drawn.truncate(query.lines_max);
        drawn.sort_by(|a, b| a.1.group.cmp(&b.1.group));
    }
    Lines {
        lines: drawn.into_iter().map(|(_, line)| line).collect(),
        truncated,
        unreadable,
    }
}

/// Adds the points of one series, which are in order, and says how many cannot be understood.
fn add(points: &[&MetricPoint], query: &LineQuery, cells: &mut [Cell]) -> u64 {
    let mut unreadable = 0;
    let mut before: Option<(&MetricPoint, PointDetail)> = None;
    let mut last: BTreeMap<usize, f64> = BTreeMap::new();
    for point in points {
        let Ok(detail) = PointDetail::read(&point.otlp) else {
            unreadable += 1;
            continue;
        };
        let grown = growth(before.as_ref(), point, &detail, query.from);
        let step = point.time.0.checked_sub(query.from.0);
        let step = step.and_then(|nanos| usize::try_from(nanos / query.step_nanos.max(1)).ok());
        if let Some((step, cell)) = step.and_then(|step| Some((step, cells.get_mut(step)?))) {
            cell.add(point, grown.as_ref());
            last.insert(step, point.value);
        }
        before = Some((point, detail));
    }
    for (step, value) in last {
        cells[step].last += value;
    }
    unreadable
}

/// What a point counts since the one before.
#[derive(Clone, Debug, Default, PartialEq)]
struct Growth {
    value: f64,
    count: u64,
    buckets: Vec<Bucket>,
}

/// None where it cannot be known: the first point of a counter that began before anybody looked.
fn growth(
    before: Option<&(&MetricPoint, PointDetail)>,
    point: &MetricPoint,
    detail: &PointDetail,
    from: UnixNanos,
) -> Option<Growth> {
    let whole = || Growth {
        value: point.value,
        count: point.count,
        buckets: detail.buckets.clone(),
    };
    if detail.temporality != Temporality::Cumulative {
        return Some(whole());
    }
    let counts = matches!(
        point.kind,
        MetricKind::Histogram | MetricKind::ExponentialHistogram
    );
    let Some((earlier, known)) = before else {
        // What was counted since then is all within what is looked at.
        return (point.start.is_known() && point.start >= from).then(whole);
    };
    let began_anew = point.start.is_known() && point.start > earlier.start
        || detail.monotonic && !counts && point.value < earlier.value
        || counts && point.count < earlier.count;
    if began_anew {
        return Some(whole());
    }
    Some(Growth {
        value: point.value - earlier.value,
        count: point.count.saturating_sub(earlier.count),
        buckets: less(&detail.buckets, &known.buckets),
    })
}

/// The measurements that were not there before. A histogram that has other buckets now than it had
/// cannot say which are new.
fn less(now: &[Bucket], before: &[Bucket]) -> Vec<Bucket> {
    let same = |bucket: &Bucket| {
        before
            .iter()
            .find(|old| (old.above, old.up_to) == (bucket.above, bucket.up_to))
    };
    let all_known = before.iter().all(|old| {
        now.iter()
            .any(|new| (old.above, old.up_to) == (new.above, new.up_to))
    });
    if !all_known {
        return Vec::new();
    }
    let grown = now.iter().map(|bucket| Bucket {
        count: bucket
            .count
            .saturating_sub(same(bucket).map_or(0, |old| old.count)),
        ..*bucket
    });
    grown.filter(|bucket| bucket.count > 0).collect()
}

/// What the points of one series have in common.
fn series_of(point: &MetricPoint) -> String {
    let mut name = String::new();
    for attributes in [&point.resource.attributes, &point.attributes] {
        let mut pairs: Vec<(&str, String)> = attributes
            .iter()
            .map(|(key, value)| (key, value.to_text()))
            .collect();
        pairs.sort();
        for (key, value) in pairs {
            name.push_str(key);
            name.push('\u{1}');
            name.push_str(&value);
            name.push('\u{2}');
        }
        name.push('\u{3}');
    }
    name
}

fn value_of(point: &MetricPoint, key: &str) -> Option<String> {
    if key == "service" {
        return Some(point.resource.service().to_owned());
    }
    let own = point.attributes.get(key);
    let value = own.or_else(|| point.resource.attributes.get(key))?;
    Some(value.to_text())
}

#[cfg(test)]
mod tests;
