//! Log records and metric points, by their keys.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use arrow::array::{RecordBatch, StringArray, TimestampNanosecondArray, UInt64Array};

use super::super::SegmentMeta;
use super::super::columns::Columns;
use super::super::files::SegmentFiles;
use super::super::table::{Damage, Table};
use super::gather::{Gather, Place};
use super::{Interrupted, Order};
use crate::limits::MERGE_BLOCK_ROWS;

/// What rows are ordered by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Time and sequence.
    Log(u64, u64),
    /// Name and time.
    Point(Arc<str>, u64),
}

type Keys = fn(&RecordBatch) -> Result<Vec<Key>, Damage>;

/// The inputs, each at its next row.
pub(super) struct RowOrder {
    cursors: Vec<Cursor>,
    /// The next row of each input. Of equal ones that of the older input comes first.
    heads: BinaryHeap<Reverse<(Key, usize)>>,
    keys: Keys,
}

struct Cursor {
    rows: u32,
    /// Where the block begins.
    begin: u32,
    block: Option<RecordBatch>,
    /// Of the rows of the block that are still to come, the last of them first.
    keys: Vec<Key>,
}

impl RowOrder {
    pub(super) fn new<T: Table>(
        files: &SegmentFiles,
        inputs: &[Arc<SegmentMeta>],
        keys: Keys,
    ) -> Result<Self, Interrupted> {
        let cursors = inputs.iter().map(|input| Cursor {
            rows: input.rows,
            begin: 0,
            block: None,
            keys: Vec::new(),
        });
        let mut order = RowOrder {
            cursors: cursors.collect(),
            heads: BinaryHeap::new(),
            keys,
        };
        let mut gather = Gather::new::<T>(files, inputs);
        for input in 0..inputs.len() {
            order.advance(input, &mut gather)?;
        }
        Ok(order)
    }

    /// Puts the next row of an input into the heap.
    fn advance(&mut self, input: usize, gather: &mut Gather<'_>) -> Result<(), Interrupted> {
        let cursor = &mut self.cursors[input];
        if cursor.keys.is_empty() {
            if cursor.block.is_some() {
                cursor.begin += MERGE_BLOCK_ROWS;
            }
            if cursor.begin >= cursor.rows {
                cursor.block = None;
                return Ok(());
            }
            let end = cursor.rows.min(cursor.begin + MERGE_BLOCK_ROWS);
            let block = gather.block(input, cursor.begin..end)?;
            cursor.keys = (self.keys)(&block)?;
            cursor.keys.reverse();
            cursor.block = Some(block);
        }
        if let Some(key) = cursor.keys.last() {
            self.heads.push(Reverse((key.clone(), input)));
        }
        Ok(())
    }
}

impl Order for RowOrder {
    fn pick(&mut self, gather: &mut Gather<'_>) -> Result<(), Interrupted> {
        while !gather.is_full() {
            let Some(Reverse((_, input))) = self.heads.pop() else {
                break;
            };
            let cursor = &mut self.cursors[input];
            if let Some(block) = &cursor.block {
                let row = block.num_rows() - cursor.keys.len();
                let place = Place {
                    input,
                    begin: cursor.begin,
                    is_aside: false,
                };
                gather.pick(place, block, row);
            }
            cursor.keys.pop();
            self.advance(input, gather)?;
        }
        Ok(())
    }
}

pub(super) fn log_keys(batch: &RecordBatch) -> Result<Vec<Key>, Damage> {
    let columns = Columns(batch);
    let times: &TimestampNanosecondArray = columns.get("time")?;
    let sequences: &UInt64Array = columns.get("sequence")?;
    let pairs = times.values().iter().zip(sequences.values());
    Ok(pairs
        .map(|(time, sequence)| Key::Log(time.cast_unsigned(), *sequence))
        .collect())
}

pub(super) fn point_keys(batch: &RecordBatch) -> Result<Vec<Key>, Damage> {
    let columns = Columns(batch);
    let names: &StringArray = columns.get("name")?;
    let times: &TimestampNanosecondArray = columns.get("time")?;
    let mut keys: Vec<Key> = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        let name = match keys.last() {
            Some(Key::Point(name, _)) if **name == *names.value(row) => Arc::clone(name),
            _ => names.value(row).into(),
        };
        keys.push(Key::Point(name, times.value(row).cast_unsigned()));
    }
    Ok(keys)
}
