//! Finding one trace without the whole index.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use throughline_telemetry::TraceId;

use super::super::checks::Checks;
use super::super::filter::Filter;
use super::super::table::Damage;
use super::super::words::Words;
use super::blocks::{self, Directory};
use super::parts::{Header, Kind, load_range};
use super::{Layout, TraceRange, first, hash};
use crate::error::ReadError;

/// What is kept of an index to find single traces: some one and a half bytes a trace.
#[derive(Debug)]
pub(in crate::segment) struct Lookup {
    filter: Filter,
    directory: Directory,
    layout: Layout,
    /// Where the blocks are in the file.
    blocks: Range<u64>,
    words: Option<Words>,
}

/// What the parts of an index can be asked for.
#[derive(Debug)]
pub(in crate::segment) enum Access {
    /// A part at a time.
    Parts(Lookup),
    /// It is of version 1, and is read whole or not at all.
    Whole,
}

impl Access {
    pub(in crate::segment) fn load(path: &Path) -> Result<Self, ReadError> {
        let file = File::open(path).map_err(ReadError::io(path))?;
        let Some(header) = header(path, &file)? else {
            return Ok(Access::Whole);
        };
        let part = |kind| {
            let part = header.load_part(kind, &file);
            settled(path, part)
        };
        let corrupt = |damage| ReadError::corrupt(path, damage);
        let directory = Directory::read(&part(Kind::Directory)?).map_err(corrupt)?;
        let filter = Filter::from_bytes(&part(Kind::Filter)?);
        let filter = filter.ok_or_else(|| corrupt(Damage::new("not a filter")))?;
        let words = match header.place(Kind::Words) {
            Ok(place) => Some(settled(path, Words::load(&file, &place))?),
            Err(_) => None,
        };
        Ok(Access::Parts(Lookup {
            words,
            filter,
            directory,
            layout: header.layout,
            blocks: header.place(Kind::Traces).map_err(corrupt)?,
        }))
    }

    pub(in crate::segment) fn memory_bytes(&self) -> usize {
        size_of_val(self)
            + match self {
                Access::Parts(lookup) => {
                    let words = lookup.words.as_ref().map_or(0, Words::memory_bytes);
                    lookup.filter.memory_bytes() + lookup.directory.memory_bytes() + words
                }
                Access::Whole => 0,
            }
    }
}

impl Lookup {
    /// The rows of a trace, in order.
    pub(in crate::segment) fn find(
        &self,
        path: &Path,
        id: TraceId,
    ) -> Result<Option<Vec<Range<u32>>>, ReadError> {
        let found = self.trace(path, id)?;
        Ok(found.map(|(trace, postings)| match self.layout {
            Layout::Adjacent => std::iter::once(trace.rows()).collect(),
            Layout::Scattered => {
                let first = trace.first as usize;
                runs(&postings[first..first + trace.count as usize])
            }
        }))
    }

    /// What is known of a trace, and the rows that it may point to. The file is opened only if it may
    /// have the trace.
    pub(in crate::segment) fn trace(
        &self,
        path: &Path,
        id: TraceId,
    ) -> Result<Option<(TraceRange, Vec<u32>)>, ReadError> {
        if !self.filter.may_have(hash(id)) {
            return Ok(None);
        }
        let Some(number) = self.directory.find(id) else {
            return Ok(None);
        };
        let place = self.directory.range(number);
        let place = [place.start, place.end].map(|at| self.blocks.start + u64::from(at));
        let file = File::open(path).map_err(ReadError::io(path))?;
        let block = load_range(&file, place[0]..place[1]).map_err(ReadError::io(path))?;
        let corrupt = |damage| ReadError::corrupt(path, damage);
        self.directory.check(number, &block).map_err(corrupt)?;
        let mut postings = Vec::new();
        let traces = blocks::read(&block, self.layout, &mut postings);
        let traces = traces.ok_or_else(|| corrupt(Damage::new("not a block of traces")))?;
        let found = traces.into_iter().find(|trace| trace.trace_id == id);
        Ok(found.map(|trace| (trace, postings)))
    }
}

impl Lookup {
    /// The rows that may have all of these words, in order; none if the index does not know.
    pub(in crate::segment) fn rows_with(
        &self,
        path: &Path,
        words: &[u64],
    ) -> Result<Option<Vec<Range<u32>>>, ReadError> {
        let Some(known) = &self.words else {
            return Ok(None);
        };
        let file = File::open(path).map_err(ReadError::io(path))?;
        settled(path, known.rows_with(&file, words)).map(Some)
    }
}

/// The checksums of a file of rows, if its index has them.
pub(in crate::segment) fn load_checks(path: &Path) -> Result<Option<Arc<Checks>>, ReadError> {
    let file = File::open(path).map_err(ReadError::io(path))?;
    let Some(header) = header(path, &file)? else {
        return Ok(None);
    };
    let part = settled(path, header.load_part(Kind::Checks, &file))?;
    let checks = Checks::from_bytes(header.rows_bytes, &part);
    let checks = checks.ok_or_else(|| ReadError::corrupt(path, "not checksums"))?;
    Ok(Some(Arc::new(checks)))
}

/// None of version 1.
fn header(path: &Path, file: &File) -> Result<Option<Header>, ReadError> {
    let mut version = [0];
    std::os::unix::fs::FileExt::read_exact_at(file, &mut version, 0)
        .map_err(ReadError::io(path))?;
    if version == [first::VERSION] {
        return Ok(None);
    }
    settled(path, Header::load(file)).map(Some)
}

fn settled<T>(path: &Path, read: io::Result<Result<T, Damage>>) -> Result<T, ReadError> {
    let read = read.map_err(ReadError::io(path))?;
    read.map_err(|damage| ReadError::corrupt(path, damage))
}

/// Places in order as ranges.
pub(crate) fn runs(rows: &[u32]) -> Vec<Range<u32>> {
    let runs = rows.chunk_by(|a, b| a + 1 == *b);
    runs.map(|run| run[0]..run[run.len() - 1] + 1).collect()
}
