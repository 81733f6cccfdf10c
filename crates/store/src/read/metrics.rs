//! Searching metric points, newest first.

use std::cmp::Reverse;
use std::sync::Arc;

use throughline_telemetry::{MetricPoint, Signal, UnixNanos};

use super::work::Work;
use super::{MetricFilter, Reader};
use crate::error::ReadError;
use crate::limits::PAGE_MAX;
use crate::segment::{SegmentMeta, blocks};

/// Metric points, newest first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetricPage {
    /// The points.
    pub points: Vec<MetricPoint>,
    /// How many points the filter lets through, as far as was looked.
    pub total: u64,
    /// Whether `total` is only a lower bound, because not everything was looked at.
    pub truncated: bool,
}

impl Reader<'_> {
    pub(crate) fn find_metrics(&self, filter: &MetricFilter) -> Result<MetricPage, ReadError> {
        let limit = filter.limit.clamp(1, PAGE_MAX);
        let mut work = Work::new(self.work_max);
        let mut points: Vec<Arc<MetricPoint>> = Vec::new();
        for view in &self.snapshot.buffers {
            let found =
                view.find_points(|rows, row| filter.allows_of(rows.name(row), rows.time(row)));
            points.extend(found.into_iter().map(Arc::new));
        }
        let all = self.snapshot.segments.of(Signal::Metrics).iter();
        let mut segments: Vec<_> = all.filter(|segment| filter.may_be_in(segment)).collect();
        segments.sort_by_key(|segment| Reverse(segment.last));
        let mut truncated = false;
        for segment in segments {
            newest_first(&mut points);
            if work.is_done() || (points.len() >= limit && is_older(segment, &points, limit)) {
                truncated = true;
                break;
            }
            for number in 0..blocks(segment) {
                let rows = self.files.metric_block(segment, number)?;
                work.rows(rows.len());
                points.extend(
                    rows.into_iter()
                        .filter(|point| filter.allows(point))
                        .map(Arc::new),
                );
            }
        }
        let total = points.len() as u64;
        newest_first(&mut points);
        points.truncate(limit);
        Ok(MetricPage {
            points: points.into_iter().map(Arc::unwrap_or_clone).collect(),
            total,
            truncated,
        })
    }
}

fn newest_first(points: &mut [Arc<MetricPoint>]) {
    points.sort_by(|a, b| (Reverse(a.time), &a.name).cmp(&(Reverse(b.time), &b.name)));
}

/// Whether a segment has nothing for a page that is full already.
fn is_older(segment: &SegmentMeta, points: &[Arc<MetricPoint>], limit: usize) -> bool {
    let oldest = points.get(limit.saturating_sub(1));
    segment.last < oldest.map_or(UnixNanos(u64::MAX), |point| point.time)
}
