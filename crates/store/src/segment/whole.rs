//! All rows of a segment, some at a time, as canonical batches.

use std::ops::Range;

use arrow::array::RecordBatch;
use throughline_telemetry::Signal;

use super::SegmentMeta;
use super::files::SegmentFiles;
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::spans::SpanTable;
use crate::error::ReadError;
use crate::limits::WHOLE_ROWS;

impl SegmentFiles {
    /// Rows with all that is known of them. They begin and end where one of [`whole_blocks`] does.
    ///
    /// [`whole_blocks`]: Self::whole_blocks
    pub(crate) fn canonical(
        &self,
        segment: &SegmentMeta,
        rows: Range<u32>,
    ) -> Result<RecordBatch, ReadError> {
        match segment.signal {
            Signal::Traces => self.batch::<SpanTable>(segment, rows),
            Signal::Logs => self.batch::<LogTable>(segment, rows),
            Signal::Metrics => self.batch::<MetricTable>(segment, rows),
        }
    }

    /// The rows of a segment in blocks of some thousand. A trace is in one block: what a span's parent
    /// is, a file says by its place in the trace.
    pub(crate) fn whole_blocks(&self, segment: &SegmentMeta) -> Result<Vec<Range<u32>>, ReadError> {
        let mut cuts = vec![0];
        let mut last = 0;
        let mut cut = |row: u32| {
            if row >= last + WHOLE_ROWS {
                cuts.push(row);
                last = row;
            }
        };
        match segment.signal {
            Signal::Traces => {
                let index = self.index(segment)?;
                index.firsts().iter().for_each(|first| cut(*first));
            }
            Signal::Logs | Signal::Metrics => {
                let rows = (0..segment.rows).step_by(WHOLE_ROWS as usize);
                rows.for_each(cut);
            }
        }
        cuts.push(segment.rows);
        let pairs = cuts.windows(2).map(|pair| pair[0]..pair[1]);
        Ok(pairs.filter(|block| !block.is_empty()).collect())
    }

    /// Reads every row, to see whether that can be done.
    pub(super) fn read_through(&self, segment: &SegmentMeta) -> Result<(), ReadError> {
        for rows in self.whole_blocks(segment)? {
            self.canonical(segment, rows)?;
        }
        Ok(())
    }
}
