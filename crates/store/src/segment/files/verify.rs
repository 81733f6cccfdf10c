//! Whether the files of a segment are as they were written, and an index again from its rows.

use std::fs;
use std::io::Read;
use std::sync::Arc;

use throughline_telemetry::Signal;

use super::SegmentFiles;
use crate::error::ReadError;
use crate::segment::checks::Checks;
use crate::segment::index::{TraceIndex, load_checks};
use crate::segment::logs::LogTable;
use crate::segment::metrics::MetricTable;
use crate::segment::reader::{Footer, SegmentReader};
use crate::segment::spans::SpanTable;
use crate::segment::summary::Summary;
use crate::segment::table::{Damage, Table};
use crate::segment::{SegmentMeta, index_path, rows_path};

impl SegmentFiles {
    /// Whether the index is whole on the disk, whatever is in the cache.
    pub(crate) fn check_index(&self, segment: &SegmentMeta) -> Result<(), ReadError> {
        self.load_index(segment).map(drop)
    }

    /// Whether a file of rows of this length is what the index was written for. Of an index that does not
    /// say, no.
    pub(crate) fn is_index_of(
        &self,
        segment: &SegmentMeta,
        rows_bytes: u64,
    ) -> Result<bool, ReadError> {
        let index = self.load_index(segment)?;
        Ok(index.rows_bytes() == Some(rows_bytes))
    }

    /// The bytes of a new index, from the rows. They must be as they were written.
    pub(crate) fn index_from_rows(&self, segment: &SegmentMeta) -> Result<Vec<u8>, ReadError> {
        let checks = self.checks_from_rows(segment)?;
        let summary = match segment.signal {
            Signal::Traces => self.summary::<SpanTable>(segment, &checks),
            Signal::Logs => self.summary::<LogTable>(segment, &checks),
            Signal::Metrics => self.summary::<MetricTable>(segment, &checks),
        };
        Ok(summary?.finish(segment.id, &checks).1)
    }

    /// What the rows say, without a look at the index.
    fn summary<T: Table>(
        &self,
        segment: &SegmentMeta,
        checks: &Checks,
    ) -> Result<Summary, ReadError> {
        let path = rows_path(&self.layout, segment.signal, segment.id);
        let footer = Footer::load(&path, &T::schema(), Some(Arc::new(checks.clone())))?;
        SegmentReader::<T>::new(path, &footer).summary(segment.rows)
    }

    /// The checksums of the rows' file, if it is as it was written as far as the catalog can tell.
    fn checks_from_rows(&self, segment: &SegmentMeta) -> Result<Checks, ReadError> {
        let path = rows_path(&self.layout, segment.signal, segment.id);
        let mut file = fs::File::open(&path).map_err(ReadError::io(&path))?;
        let mut bytes = vec![0; VERIFIED_BYTES];
        let (mut checks, mut crc) = (Checks::default(), 0);
        loop {
            let read = file.read(&mut bytes).map_err(ReadError::io(&path))?;
            if read == 0 {
                break;
            }
            crc = crc32c::crc32c_append(crc, &bytes[..read]);
            checks.add(&bytes[..read]);
        }
        match segment.crc {
            Some(expected) if expected != crc => {
                let damage = Damage::new("checksum mismatch");
                Err(ReadError::corrupt(&path, damage))
            }
            _ => Ok(checks),
        }
    }

    /// Checks that the files of a segment are as they were written, every byte of them.
    pub(crate) fn verify(&self, segment: &SegmentMeta) -> Result<(), ReadError> {
        self.verify_index(segment)?;
        self.verify_rows(segment)
    }

    /// Checks that the index is as it was written.
    pub(crate) fn verify_index(&self, segment: &SegmentMeta) -> Result<(), ReadError> {
        let index = self.load_index(segment)?;
        if (index.rows(), index.traces()) != (segment.rows, segment.traces as usize) {
            let path = index_path(&self.layout, segment.signal, segment.id);
            let damage = Damage::new("it is the index of another segment");
            return Err(ReadError::corrupt(&path, damage));
        }
        Ok(())
    }

    /// Checks that the rows are as they were written: by what the catalog and the index say of them or,
    /// where neither does because they are older, by reading them all.
    pub(crate) fn verify_rows(&self, segment: &SegmentMeta) -> Result<(), ReadError> {
        let read = self.checks_from_rows(segment)?;
        let index = index_path(&self.layout, segment.signal, segment.id);
        match (load_checks(&index), segment.crc) {
            (Ok(Some(written)), crc) if *written != read => {
                // The catalog has the last word on who is wrong.
                let (path, damage) = match crc {
                    Some(_) => (index, "its checksums are not those of the rows"),
                    None => {
                        let rows = rows_path(&self.layout, segment.signal, segment.id);
                        (rows, "checksum mismatch")
                    }
                };
                Err(ReadError::corrupt(&path, Damage::new(damage)))
            }
            (Ok(None), None) => self.read_through(segment),
            (Err(error), None) => Err(error),
            _ => Ok(()),
        }
    }

    /// Checks that the index is the one of the rows.
    pub(crate) fn index_agrees(&self, segment: &SegmentMeta) -> Result<(), ReadError> {
        let path = index_path(&self.layout, segment.signal, segment.id);
        let from_rows = TraceIndex::read(&self.index_from_rows(segment)?);
        let from_rows = from_rows.map_err(|damage| ReadError::corrupt(&path, damage))?;
        if !from_rows.finds_the_same(&self.load_index(segment)?) {
            let damage = Damage::new("it says other things than the rows do");
            return Err(ReadError::corrupt(&path, damage));
        }
        Ok(())
    }
}

/// Bytes of a file that are checked at once.
const VERIFIED_BYTES: usize = 1 << 20;
