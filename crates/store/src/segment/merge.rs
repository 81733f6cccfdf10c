//! Several segments of a window become one, or a few where it is large.
//!
//! Rows are taken from their files in blocks of some thousand and go out in batches, so that memory
//! is bounded by the number of inputs and not by the window. Spans are taken trace by trace, in the
//! order of where a trace starts in all inputs together; of spans with the same id one is left, by
//! the rule that reads have: the one that ended last, and of those that ended together the one that
//! was received first. Log records and metric points are merged by their keys.

mod aside;
mod gather;
mod rows;
mod traces;

use std::io;
use std::sync::Arc;

use arrow::array::RecordBatch;
use throughline_telemetry::Signal;

use super::files::SegmentFiles;
use super::form::Form;
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::promotion::Counts;
use super::spans::SpanTable;
use super::table::{Damage, Table};
use super::writer::{sync_made, write_segment};
use super::{SegmentId, SegmentMeta};
use crate::directory::Layout;
use crate::error::ReadError;
use crate::probe::Probe;
use gather::Gather;
use rows::RowOrder;
use traces::TraceOrder;

/// Why segments were not merged. Nothing refers to what was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Interrupted {
    /// An input cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An output cannot be written.
    #[error("cannot write a segment: {0}")]
    Write(#[from] io::Error),
    /// There is something more urgent.
    #[error("the store is being closed")]
    Closing,
}

impl From<Damage> for Interrupted {
    fn from(damage: Damage) -> Self {
        Interrupted::Write(io::Error::other(damage))
    }
}

/// Where merged segments go, and who says when to go on.
pub(crate) struct Target<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) probe: &'a Probe,
    /// The id of the next segment.
    pub(crate) next_id: &'a mut dyn FnMut() -> SegmentId,
    /// Called before each batch. It may wait, or say that it is over.
    pub(crate) pace: &'a mut dyn FnMut() -> Result<(), Interrupted>,
    /// Rows of one output.
    pub(crate) rows_max: u32,
}

/// Merges segments of one signal, the oldest first. When it returns, the files are on disk; nothing
/// points to them yet.
pub(crate) fn merge(
    files: &SegmentFiles,
    inputs: &[Arc<SegmentMeta>],
    target: &mut Target<'_>,
) -> Result<Vec<SegmentMeta>, Interrupted> {
    let Some(first) = inputs.first() else {
        return Ok(Vec::new());
    };
    let made = match first.signal {
        Signal::Traces => {
            let order = TraceOrder::new(files, inputs)?;
            write::<SpanTable>(files, inputs, order, target)
        }
        Signal::Logs => {
            let order = RowOrder::new::<LogTable>(files, inputs, rows::log_keys)?;
            write::<LogTable>(files, inputs, order, target)
        }
        Signal::Metrics => {
            let order = RowOrder::new::<MetricTable>(files, inputs, rows::point_keys)?;
            write::<MetricTable>(files, inputs, order, target)
        }
    }?;
    sync_made(target.layout)?;
    Ok(made)
}

/// In which order rows come out.
trait Order {
    /// Picks rows for the next batch, of each trace all or none. None at the end.
    fn pick(&mut self, gather: &mut Gather<'_>) -> Result<(), Interrupted>;
}

fn write<T: Table>(
    files: &SegmentFiles,
    inputs: &[Arc<SegmentMeta>],
    mut order: impl Order,
    target: &mut Target<'_>,
) -> Result<Vec<SegmentMeta>, Interrupted> {
    let mut counts = Counts::default();
    for input in inputs {
        files.count::<T>(input, &mut counts)?;
    }
    let form = Form::with(counts.promoted());
    let mut gather = Gather::new::<T>(files, inputs);
    let mut next = next_batch(&mut order, &mut gather)?;
    let mut made = Vec::new();
    while next.is_some() {
        let mut interrupted = None;
        let id = (target.next_id)();
        let (layout, probe) = (target.layout, target.probe);
        let written = write_segment::<T>(layout, probe, id, &form, |serializer| {
            let mut rows = 0;
            while let Some(batch) = next.take() {
                rows += batch.num_rows();
                serializer.push(&batch)?;
                let went_on = (target.pace)();
                match went_on.and_then(|()| next_batch(&mut order, &mut gather)) {
                    Ok(batch) => next = batch,
                    Err(why) => {
                        interrupted = Some(why);
                        return Err(io::Error::other("interrupted"));
                    }
                }
                if rows >= target.rows_max as usize {
                    break;
                }
            }
            Ok(())
        });
        match interrupted {
            Some(why) => return Err(why),
            None => made.push(written?),
        }
    }
    Ok(made)
}

fn next_batch(
    order: &mut impl Order,
    gather: &mut Gather<'_>,
) -> Result<Option<RecordBatch>, Interrupted> {
    order.pick(gather)?;
    gather.take()
}

#[cfg(test)]
mod tests;
