//! Rollups, edges, links, costs and censuses, and files in their directory that are neither.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use super::{Check, entries};
use crate::catalog::Contents;
use crate::error::ReadError;
use crate::rollup::Grain;
use crate::{census, costs, edges, links, rollup};

impl Check<'_> {
    /// Every one that the catalog knows, byte by byte.
    pub(super) fn rollups(&mut self, contents: &Contents) -> io::Result<()> {
        let segments = &contents.segments;
        let mut known: HashSet<PathBuf> = HashSet::new();
        for meta in segments.rollups() {
            let path = self.layout.rollup(meta.id);
            let load = |grain| rollup::load(self.layout, meta, grain).err();
            self.sums(&path, load(Grain::Minutes).or_else(|| load(Grain::Totals)));
            known.insert(path);
        }
        for segment in segments.all() {
            if let Some(meta) = segment.edges {
                let path = self.layout.edges(segment.id);
                self.sums(&path, edges::load(self.layout, segment.id, meta).err());
                known.insert(path);
            }
            if let Some(meta) = segment.links {
                let path = self.layout.links(segment.id);
                self.sums(&path, links::verify(&path, meta).err());
                known.insert(path);
            }
            if let Some(meta) = segment.costs {
                let path = self.layout.costs(segment.id);
                self.sums(&path, costs::load(self.layout, segment.id, meta).err());
                known.insert(path);
            }
            if let Some(meta) = segment.census {
                let path = self.layout.census(segment.signal, segment.id);
                self.sums(&path, census::load(self.layout, segment, meta).err());
                known.insert(path);
            }
        }
        for path in entries(&self.layout.rollup_directory())? {
            if !known.contains(&path) {
                self.note(&path, "is not in the catalog, and goes at the next start");
            }
        }
        Ok(())
    }

    fn sums(&mut self, path: &std::path::Path, error: Option<ReadError>) {
        if let Some(error) = error {
            let without = "what it says is read from the rows as long as they are there";
            self.fault(path, format!("{}: {without}", error.what()));
        }
    }
}
