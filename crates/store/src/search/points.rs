//! The points of metrics that a filter lets through.

use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::AsArray;
use arrow::datatypes::TimestampNanosecondType;
use throughline_telemetry::{MetricPoint, Signal, UnixNanos};

use super::predicate::Predicate;
use super::{Filter, SearchError};
use crate::batch::PointRows;
use crate::dataset::Dataset;
use crate::error::ReadError;
use crate::scan::{Bounds, Part, Place, Scan, ScanColumn};
use crate::segment::{Damage, runs};

/// Points that were found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FoundPoints {
    /// The points, those of the newest segments first.
    pub points: Vec<MetricPoint>,
    /// Whether there are more.
    pub truncated: bool,
    /// Rows that were looked at.
    pub rows_read: u64,
    /// Bytes of columns, unpacked, that were looked at.
    pub bytes_read: u64,
    /// Segments and buffers that were read.
    pub parts_read: u64,
}

impl Scan {
    /// The points from `from` on and before `to`, `max` of them at most. Blocks on the disk, and ends
    /// soon once `stopped` is true.
    pub fn points(
        &self,
        filter: &Filter,
        from: UnixNanos,
        to: UnixNanos,
        max: usize,
        stopped: &AtomicBool,
    ) -> Result<FoundPoints, SearchError> {
        let predicate = Predicate::new(self, Dataset::Metrics, filter)?;
        let bounds = Bounds {
            from: Some(from),
            to: Some(UnixNanos(to.0.saturating_sub(1))),
            ..Bounds::default()
        };
        let mut columns = predicate.columns();
        columns.push(ScanColumn::Stored("time"));
        let mut found = FoundPoints::default();
        for part in self.parts(Signal::Metrics, &bounds)? {
            found.parts_read += 1;
            let mut rows: Vec<u32> = Vec::new();
            for placed in part.placed(&columns, &part.ranges())? {
                if stopped.load(Ordering::Relaxed) {
                    found.truncated = true;
                    return Ok(found);
                }
                let placed = placed?;
                let batch = &placed.batch;
                let damaged = |error| part.damage(Damage::from(error));
                let holds = predicate.holds(batch).map_err(damaged)?;
                found.rows_read += batch.num_rows() as u64;
                found.bytes_read += super::run::bytes_of(batch);
                let times = batch.column(batch.num_columns() - 1);
                let times = times.as_primitive::<TimestampNanosecondType>();
                let places: Vec<u32> = placed.places.iter().cloned().flatten().collect();
                let matching = holds.set_indices().filter(|at| {
                    let time = UnixNanos(times.value(*at).cast_unsigned());
                    time >= from && time < to
                });
                rows.extend(matching.map(|at| places[at]));
            }
            let room = max - found.points.len();
            found.truncated |= rows.len() > room;
            rows.truncate(room);
            found.points.extend(read(&part, &rows)?);
        }
        Ok(found)
    }
}

/// The points at these places, which are in order.
fn read(part: &Part, rows: &[u32]) -> Result<Vec<MetricPoint>, ReadError> {
    match part.place() {
        Place::Segment { .. } if rows.is_empty() => Ok(Vec::new()),
        Place::Segment { segment, .. } => part.files().metric_rows(segment, &runs(rows)),
        Place::Buffer(chunks) => {
            let points = rows.iter().filter_map(|row| {
                let chunk = chunks.chunk_of(*row as usize)?;
                let read = PointRows::new(&chunk.batch).expect(BUILT);
                let point = read.at(chunk.owners(), *row as usize - chunk.first);
                Some(point.expect(BUILT))
            });
            Ok(points.collect())
        }
    }
}

const BUILT: &str = "the batch was built from rows and never left memory";
