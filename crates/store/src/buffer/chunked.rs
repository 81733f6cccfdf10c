//! A list that grows at its end and whose clones cost next to nothing.

use std::sync::Arc;

/// Rows in chunks. A clone shares all of them; a push after it copies at most one chunk's pointers.
#[derive(Debug)]
pub(crate) struct Chunked<T> {
    full: Arc<Vec<Chunk<T>>>,
    tail: Chunk<T>,
}

type Chunk<T> = Arc<Vec<Arc<T>>>;

impl<T> Chunked<T> {
    pub(crate) fn push(&mut self, row: T) {
        let tail = Arc::make_mut(&mut self.tail);
        tail.push(Arc::new(row));
        if tail.len() == CHUNK_ROWS {
            let chunk = Arc::new(std::mem::take(tail));
            Arc::make_mut(&mut self.full).push(chunk);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.full.len() * CHUNK_ROWS + self.tail.len()
    }

    pub(crate) fn at(&self, index: usize) -> Option<Arc<T>> {
        let chunk = self
            .full
            .get(index / CHUNK_ROWS)
            .or_else(|| (index / CHUNK_ROWS == self.full.len()).then_some(&self.tail))?;
        chunk.get(index % CHUNK_ROWS).cloned()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<T>> {
        self.full
            .iter()
            .flat_map(|chunk| chunk.iter())
            .chain(self.tail.iter())
    }
}

// Derived, both would ask the same of `T`, which is behind a pointer.
impl<T> Clone for Chunked<T> {
    fn clone(&self) -> Self {
        Chunked {
            full: Arc::clone(&self.full),
            tail: Arc::clone(&self.tail),
        }
    }
}

impl<T> Default for Chunked<T> {
    fn default() -> Self {
        Chunked {
            full: Arc::default(),
            tail: Arc::default(),
        }
    }
}

const CHUNK_ROWS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clone_does_not_grow() {
        let mut rows = Chunked::default();
        let mut clones = Vec::new();
        for row in 0..3 * CHUNK_ROWS {
            clones.push(rows.clone());
            rows.push(row);
        }
        for (len, clone) in clones.iter().enumerate() {
            assert_eq!(clone.len(), len);
            assert_eq!(clone.at(len), None);
            assert_eq!(clone.iter().count(), len);
        }
        assert_eq!(rows.at(700).as_deref(), Some(&700));
        assert!(rows.iter().map(|row| **row).eq(0..3 * CHUNK_ROWS));
    }
}
