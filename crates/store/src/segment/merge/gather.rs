//! Rows picked from blocks of several files, and the batch they make.

use std::collections::{HashMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::interleave_record_batch;

use super::super::SegmentMeta;
use super::super::files::SegmentFiles;
use super::super::table::{Damage, Table};
use super::Interrupted;
use crate::batch::compact;
use crate::error::ReadError;

type Load = fn(&SegmentFiles, &SegmentMeta, Range<u32>) -> Result<RecordBatch, ReadError>;

/// Where a row comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) input: usize,
    /// The first row of its block.
    pub(super) begin: u32,
    /// Whether it is of those of the block that were set aside.
    pub(super) is_aside: bool,
}

/// The batch that comes out next.
pub(super) struct Gather<'a> {
    files: &'a SegmentFiles,
    inputs: &'a [Arc<SegmentMeta>],
    load: Load,
    /// Of each input the blocks read last: rows come nearly in the order of the file.
    held: Vec<VecDeque<(u32, RecordBatch)>>,
    /// Blocks with a row in the batch.
    sources: Vec<RecordBatch>,
    places: HashMap<Place, usize>,
    picked: Vec<(usize, usize)>,
    /// Blocks that were read.
    #[cfg(test)]
    pub(super) loads: usize,
}

impl<'a> Gather<'a> {
    pub(super) fn new<T: Table>(files: &'a SegmentFiles, inputs: &'a [Arc<SegmentMeta>]) -> Self {
        Gather {
            files,
            inputs,
            load: SegmentFiles::batch::<T>,
            held: vec![VecDeque::new(); inputs.len()],
            sources: Vec::new(),
            places: HashMap::new(),
            picked: Vec::new(),
            #[cfg(test)]
            loads: 0,
        }
    }

    /// Whether the batch is large enough, in rows or in what it holds in memory.
    pub(super) fn is_full(&self) -> bool {
        self.picked.len() >= BATCH_ROWS || self.sources.len() >= 2 * HELD * self.inputs.len()
    }

    /// A block of an input of which nothing more is wanted than now. It is kept if it is its turn.
    pub(super) fn block_once(
        &mut self,
        input: usize,
        rows: Range<u32>,
    ) -> Result<RecordBatch, ReadError> {
        let last = self.held[input].back();
        let next = last.map_or(0, |(begin, block)| *begin as usize + block.num_rows());
        if next >= rows.start as usize {
            return self.block(input, rows);
        }
        self.load(input, rows)
    }

    /// A block of an input.
    pub(super) fn block(
        &mut self,
        input: usize,
        rows: Range<u32>,
    ) -> Result<RecordBatch, ReadError> {
        let held = &self.held[input];
        if let Some((_, block)) = held.iter().find(|(begin, _)| *begin == rows.start) {
            return Ok(block.clone());
        }
        let begin = rows.start;
        let block = self.load(input, rows)?;
        let held = &mut self.held[input];
        held.push_back((begin, block.clone()));
        if held.len() > HELD {
            held.pop_front();
        }
        Ok(block)
    }

    fn load(&mut self, input: usize, rows: Range<u32>) -> Result<RecordBatch, ReadError> {
        #[cfg(test)]
        {
            self.loads += 1;
        }
        (self.load)(self.files, &self.inputs[input], rows)
    }

    /// Adds a row of a block to the batch.
    pub(super) fn pick(&mut self, place: Place, block: &RecordBatch, row: usize) {
        let source = *self.places.entry(place).or_insert_with(|| {
            self.sources.push(block.clone());
            self.sources.len() - 1
        });
        self.picked.push((source, row));
    }

    /// The batch, if a row was picked.
    pub(super) fn take(&mut self) -> Result<Option<RecordBatch>, Interrupted> {
        if self.picked.is_empty() {
            return Ok(None);
        }
        let sources: Vec<&RecordBatch> = self.sources.iter().collect();
        let batch = interleave_record_batch(&sources, &self.picked).map_err(Damage::from)?;
        self.sources.clear();
        self.places.clear();
        self.picked.clear();
        Ok(Some(compact(&batch)))
    }
}

/// Rows of a batch, unless a trace needs more.
const BATCH_ROWS: usize = 8192;

/// Blocks of one input that are kept.
const HELD: usize = 2;
