//! Batches that pile up, small ones merged, whose clones cost next to nothing.

use std::sync::{Arc, OnceLock};

use arrow::array::RecordBatch;
use throughline_telemetry::Signal;

use crate::batch::{Owners, concat};
use crate::segment::{Kinds, Projected};

/// The rows of one signal in a buffer, in the order received. A clone never changes.
#[derive(Clone, Debug)]
pub(crate) struct Chunks {
    signal: Signal,
    chunks: Arc<Vec<Arc<Chunk>>>,
    rows: usize,
}

/// Some rows that came one after the other.
#[derive(Debug)]
pub(crate) struct Chunk {
    /// The place of its first row among all.
    pub(crate) first: usize,
    pub(crate) batch: RecordBatch,
    owners: OnceLock<Owners>,
    kinds: OnceLock<Kinds>,
}

impl Chunks {
    pub(crate) fn new(signal: Signal) -> Self {
        Chunks {
            signal,
            chunks: Arc::default(),
            rows: 0,
        }
    }

    /// Adds a batch. Where small ones have piled up they become one: a row is copied a few times at
    /// most, and there are few chunks.
    pub(crate) fn push(&mut self, batch: RecordBatch) {
        let mut chunk = Chunk::new(self.rows, batch);
        self.rows += chunk.batch.num_rows();
        let chunks = Arc::make_mut(&mut self.chunks);
        while let Some(before) = chunks.last()
            && belong_together(before.batch.num_rows(), chunk.batch.num_rows())
        {
            let both = [before.batch.clone(), chunk.batch];
            chunk = Chunk::new(before.first, concat(self.signal, &both));
            chunks.pop();
        }
        chunks.push(Arc::new(chunk));
    }

    pub(crate) fn signal(&self) -> Signal {
        self.signal
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Chunk>> {
        self.chunks.iter()
    }

    /// The chunk that a row is in.
    pub(crate) fn chunk_of(&self, row: usize) -> Option<&Arc<Chunk>> {
        let after = self.chunks.partition_point(|chunk| chunk.first <= row);
        let chunk = self.chunks.get(after.checked_sub(1)?)?;
        (row < self.rows).then_some(chunk)
    }

    /// All rows as one batch.
    pub(crate) fn batch(&self) -> RecordBatch {
        let batches: Vec<RecordBatch> = self
            .chunks
            .iter()
            .map(|chunk| chunk.batch.clone())
            .collect();
        concat(self.signal, &batches)
    }
}

/// Whether two chunks that follow each other are to be merged: both are small, and the first is not
/// so much larger that its rows would be copied again and again.
fn belong_together(before: usize, after: usize) -> bool {
    before + after <= MERGED_ROWS_MAX && before < 2 * after
}

impl Chunk {
    fn new(first: usize, batch: RecordBatch) -> Self {
        Chunk {
            first,
            batch,
            owners: OnceLock::new(),
            kinds: OnceLock::new(),
        }
    }

    /// Which attributes its rows have, and of which kinds.
    pub(crate) fn kinds(&self) -> &Kinds {
        self.kinds.get_or_init(|| {
            let mut kinds = Kinds::default();
            let added = kinds.add(&Projected::of_canonical(self.batch.clone()));
            added.expect("the batch was built from rows and never left memory");
            kinds
        })
    }

    /// Its resources and scopes.
    pub(crate) fn owners(&self) -> &Owners {
        self.owners.get_or_init(|| {
            Owners::read(&self.batch).expect("the batch was built from rows and never left memory")
        })
    }
}

/// A batch costs some ten kilobytes besides its rows, which is nothing to as many rows.
const MERGED_ROWS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use throughline_testkit::span;

    use super::*;
    use crate::batch::{SpanBuilder, SpanRows};

    fn batch(numbers: std::ops::Range<u64>) -> RecordBatch {
        let mut builder = SpanBuilder::default();
        numbers.for_each(|number| builder.push(&span("a").id(number).at(number).build()));
        builder.finish()
    }

    fn starts(chunks: &Chunks) -> Vec<u64> {
        let mut starts = Vec::new();
        for (place, chunk) in chunks.iter().enumerate() {
            let rows = SpanRows::new(&chunk.batch).unwrap();
            assert_eq!(chunk.first, starts.len(), "chunk {place}");
            starts.extend((0..rows.len()).map(|row| rows.start(row).0));
        }
        starts
    }

    #[test]
    fn small_batches_become_few_chunks_and_a_clone_does_not_grow() {
        let mut chunks = Chunks::new(Signal::Traces);
        let mut clones = Vec::new();
        let (mut next, mut expected) = (0, Vec::new());
        for rows in [1, 1, 3, 1, 700, 1, 1, 2, 5000, 1].repeat(20) {
            clones.push((chunks.clone(), expected.len()));
            chunks.push(batch(next..next + rows));
            expected
                .extend((next..next + rows).map(|number| throughline_testkit::moment(number).0));
            next += rows;
        }
        assert_eq!(
            (starts(&chunks), chunks.len()),
            (expected.clone(), expected.len())
        );
        for (clone, len) in clones {
            assert_eq!(starts(&clone), expected[..len]);
            assert_eq!(clone.chunk_of(len).map(|chunk| chunk.first), None);
        }
        assert!(chunks.iter().count() <= 100, "{}", chunks.iter().count());
        for row in (0..expected.len()).step_by(97) {
            let chunk = chunks.chunk_of(row).unwrap();
            let rows = SpanRows::new(&chunk.batch).unwrap();
            assert_eq!(rows.start(row - chunk.first).0, expected[row]);
        }
    }

    #[test]
    fn single_rows_are_copied_a_few_times() {
        let mut chunks = Chunks::new(Signal::Traces);
        for number in 0..3000 {
            chunks.push(batch(number..number + 1));
            assert!(chunks.iter().count() <= 16, "after {number}");
        }
    }
}
