//! Buffers to files that survive a crash.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{FixedSizeBinaryArray, RecordBatch};
use throughline_telemetry::Signal;

use super::checks::Checks;
use super::columns::Columns;
use super::form::Form;
use super::logs::LogTable;
use super::metrics::MetricTable;
use super::promotion::Counts;
use super::serializer::SegmentSerializer;
use super::spans::SpanTable;
use super::table::{Damage, Table};
use super::window::windows;
use super::{SegmentId, SegmentMeta, index_path, rows_path};
use crate::batch::{by_name, compact, sort};
use crate::buffer::{BufferRows, Chunks};
use crate::census;
use crate::costs;
use crate::directory::Layout;
use crate::disk::{self, File, sync_directory};
use crate::edges;
use crate::links;
use crate::probe::{Probe, Step};
use crate::rollup;

/// Writes the segments of a generation. When it returns, their files are on disk; nothing points
/// to them yet.
pub(crate) fn write_all(
    layout: &Layout,
    probe: &Probe,
    generation: u64,
    rows: &BufferRows,
) -> io::Result<Vec<SegmentMeta>> {
    let mut writer = SegmentWriter {
        layout,
        probe,
        generation,
        made: Vec::new(),
    };
    writer.signal::<SpanTable>(&rows.spans)?;
    writer.signal::<LogTable>(&rows.logs)?;
    writer.signal::<MetricTable>(&rows.metrics)?;
    if !writer.made.is_empty() {
        sync_made(layout)?;
    }
    Ok(writer.made)
}

/// Makes the names of new files survive a crash.
pub(super) fn sync_made(layout: &Layout) -> io::Result<()> {
    sync_directory(&layout.segment_directory())?;
    sync_directory(&layout.rollup_directory())
}

/// Writes the files of segments.
struct SegmentWriter<'a> {
    layout: &'a Layout,
    probe: &'a Probe,
    generation: u64,
    made: Vec<SegmentMeta>,
}

impl SegmentWriter<'_> {
    /// Sorts the rows of a signal, cuts them into windows and writes a segment for each.
    fn signal<T: Table>(&mut self, rows: &Chunks) -> io::Result<()> {
        if rows.len() == 0 {
            return Ok(());
        }
        let sorted = sort(T::SIGNAL, &rows.batch()).map_err(io::Error::other)?;
        for window in windows(&sorted.times) {
            let batch = sorted.batch.slice(window.start, window.len());
            match T::SIGNAL {
                Signal::Metrics => {
                    let by_name = by_name(&batch).map_err(io::Error::other)?;
                    self.segment::<T>(&by_name)?;
                }
                _ => self.segment::<T>(&batch)?,
            }
        }
        Ok(())
    }

    /// Writes the segment of one window.
    fn segment<T: Table>(&mut self, rows: &RecordBatch) -> io::Result<()> {
        let batches = pieces(T::SIGNAL, rows).map_err(io::Error::other)?;
        let mut counts = Counts::default();
        for batch in &batches {
            counts.add(batch).map_err(io::Error::other)?;
        }
        let number = u16::try_from(self.made.len()).expect("the number of windows is limited");
        let id = SegmentId::new(self.generation, number);
        let form = Form::with(counts.promoted());
        let meta = write_segment::<T>(self.layout, self.probe, id, &form, |serializer| {
            batches.iter().try_for_each(|batch| serializer.push(batch))
        })?;
        let written = meta.rows as usize;
        assert_eq!(written, rows.num_rows(), "a segment leaves out a row");
        self.made.push(meta);
        Ok(())
    }
}

/// Writes the files of a segment, whose rows `push` gives in their order.
pub(super) fn write_segment<T: Table>(
    layout: &Layout,
    probe: &Probe,
    id: SegmentId,
    form: &Form,
    push: impl FnOnce(&mut SegmentSerializer<Checksummed>) -> io::Result<()>,
) -> io::Result<SegmentMeta> {
    probe.at(Step::SegmentWrite)?;
    let path = rows_path(layout, T::SIGNAL, id);
    let mut collected = None;
    let (rows_checks, crc) = durably(probe, &path, |file| {
        let mut serializer = SegmentSerializer::new::<T>(file, form)?;
        push(&mut serializer)?;
        let (file, found) = serializer.finish()?;
        collected = Some(found);
        Ok(file)
    })?;
    let collected = collected.expect("it was written");
    let (mut meta, index) = collected.summary.finish(id, &rows_checks);
    let path = index_path(layout, T::SIGNAL, id);
    let (index_checks, _) = durably(probe, &path, |mut file| {
        file.write_all(&index)?;
        Ok(file)
    })?;
    meta.bytes = rows_checks.bytes + index_checks.bytes;
    meta.crc = Some(crc);
    if let Some(sums) = collected.sums {
        let rollup = rollup::write(layout, probe, id, &sums.rollup)?;
        meta.rollup = Some(Arc::new(rollup));
        meta.edges = Some(edges::write(layout, probe, id, &sums.edges)?);
        meta.links = Some(links::write(probe, &layout.links(id), sums.links.finish())?);
    }
    if let Some(sums) = collected.log_sums {
        meta.costs = Some(costs::write(layout, probe, id, &sums.costs)?);
    }
    meta.census = Some(census::write(layout, probe, &meta, &collected.census)?);
    Ok(meta)
}

/// Writes an index where there is none.
pub(crate) fn write_index(path: &Path, index: &[u8]) -> io::Result<()> {
    let written = durably(&Probe::default(), path, |mut file| {
        file.write_all(index)?;
        Ok(file)
    });
    written.map(drop)
}

/// Writes a file under a temporary name, syncs it and gives it its name. The checksums of its blocks and
/// of all of it.
pub(crate) fn durably(
    probe: &Probe,
    path: &Path,
    write: impl FnOnce(Checksummed) -> io::Result<Checksummed>,
) -> io::Result<(Checks, u32)> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    let new = PathBuf::from(new);
    let written = write(Checksummed {
        file: BufWriter::new(File::create(&new)?),
        crc: 0,
        checks: Checks::default(),
    })?;
    let Checksummed { file, crc, checks } = written;
    let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.sync_all()?;
    probe.at(Step::SegmentSynced)?;
    disk::rename(&new, path)?;
    Ok((checks, crc))
}

/// A file in the making, and the checksums of what was written.
#[derive(Debug)]
pub(crate) struct Checksummed {
    file: BufWriter<File>,
    crc: u32,
    checks: Checks,
}

impl Write for Checksummed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.crc = crc32c::crc32c_append(self.crc, &bytes[..written]);
        self.checks.add(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Sorted rows in pieces that can each be turned into columns of a file on its own: of each trace
/// all spans or none.
fn pieces(signal: Signal, rows: &RecordBatch) -> Result<Vec<RecordBatch>, Damage> {
    let trace_ids: Option<&FixedSizeBinaryArray> = match signal {
        Signal::Traces => Some(Columns(rows).get("trace_id")?),
        Signal::Logs | Signal::Metrics => None,
    };
    let is_inside = |row: usize| trace_ids.is_some_and(|ids| ids.value(row) == ids.value(row - 1));
    let mut pieces = Vec::new();
    let mut start = 0;
    while start < rows.num_rows() {
        let mut end = rows.num_rows().min(start + BATCH_ROWS);
        while end < rows.num_rows() && is_inside(end) {
            end += 1;
        }
        pieces.push(compact(&rows.slice(start, end - start)));
        start = end;
    }
    Ok(pieces)
}

/// Rows of one batch, unless a trace needs more.
const BATCH_ROWS: usize = 8192;
