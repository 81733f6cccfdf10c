//! The links of segments, found or made.

use std::ops::Range;
use std::sync::Arc;

use super::SegmentFiles;
use crate::error::ReadError;
use crate::links::{LinkFold, LinkIndex};
use crate::segment::SegmentMeta;
use crate::segment::projection::{Projected, Projection};

impl SegmentFiles {
    /// Whether a lookup of links needs no look at all the rows.
    pub(crate) fn has_links(&self, segment: &SegmentMeta) -> bool {
        segment.links.is_some() || self.links.get(segment.id).is_some()
    }

    /// The first rows of traces that may have ends with these hashes, each with the place of its hash; and
    /// whether there may be more.
    pub(crate) fn linked_rows(
        &self,
        segment: &SegmentMeta,
        hashes: &[u64],
    ) -> Result<(Vec<(u32, usize)>, bool), ReadError> {
        let index = self.link_index(segment)?;
        match self.rows_in(&index, segment, hashes) {
            Err(error) => {
                let index = self.made_anew(segment, &error)?;
                self.rows_in(&index, segment, hashes)
            }
            found => found,
        }
    }

    fn rows_in(
        &self,
        index: &LinkIndex,
        segment: &SegmentMeta,
        hashes: &[u64],
    ) -> Result<(Vec<(u32, usize)>, bool), ReadError> {
        let path = self.layout.links(segment.id);
        let mut found = Vec::new();
        let mut is_partial = index.is_partial();
        for (place, hash) in hashes.iter().enumerate() {
            let (rows, more) = index.rows(&path, *hash)?;
            is_partial |= more;
            let rows = rows.into_iter().filter(|row| *row < segment.rows);
            found.extend(rows.map(|row| (row, place)));
        }
        Ok((found, is_partial))
    }

    fn link_index(&self, segment: &SegmentMeta) -> Result<Arc<LinkIndex>, ReadError> {
        if let Some(index) = self.links.get(segment.id) {
            return Ok(index);
        }
        if segment.links.is_none() {
            return self.made(segment);
        }
        match LinkIndex::load(&self.layout.links(segment.id)) {
            Ok(index) => {
                let bytes = index.memory_bytes();
                Ok(self.links.put(segment.id, index, bytes))
            }
            Err(error) => self.made_anew(segment, &error),
        }
    }

    fn made_anew(
        &self,
        segment: &SegmentMeta,
        error: &ReadError,
    ) -> Result<Arc<LinkIndex>, ReadError> {
        tracing::error!(%error, "index of links cannot be read; it is made of the rows instead");
        self.made(segment)
    }

    fn made(&self, segment: &SegmentMeta) -> Result<Arc<LinkIndex>, ReadError> {
        let mut fold = LinkFold::default();
        for rows in self.whole_blocks(segment)? {
            let batch = self.canonical(segment, rows)?;
            fold.add(&batch)
                .map_err(|damage| self.damage(segment, damage))?;
        }
        let index = LinkIndex::Made(fold.finish());
        let bytes = index.memory_bytes();
        Ok(self.links.put(segment.id, index, bytes))
    }

    /// The trace ids of rows in order.
    pub(crate) fn trace_ids(
        &self,
        segment: &SegmentMeta,
        rows: &[Range<u32>],
    ) -> Result<Projected, ReadError> {
        let projection = Projection {
            columns: vec!["trace_id"],
            attributes: Vec::new(),
        };
        self.project(segment, &projection, rows)
    }
}
