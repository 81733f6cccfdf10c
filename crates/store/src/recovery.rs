//! What happens when a data directory is opened after whatever ended the last run.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;

use crate::body::Body;
use crate::buffer::{Buffer, Entry, Group};
use crate::catalog::{Catalog, Contents};
use crate::damage::{self, Fate};
use crate::directory::{Directory, Layout};
use crate::disk::{self, sync_directory};
use crate::error::OpenError;
use crate::known::Known;
use crate::limits::REPLAY_ROWS;
use crate::rollup;
use crate::segment::{self, SegmentFiles};
use crate::snapshot::Segments;
use crate::store::{Options, cost};
use crate::wal::{HEADER_BYTES_MAX, Piece, WalHeader, WalReader, WalWriter};

/// What the replay of the WAL found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// Bodies read back.
    pub frames: u64,
    /// Bytes that were no whole frame. They are kept in `wal/*.damaged`.
    pub skipped_bytes: u64,
    /// One line for each segment that was damaged: made whole again, or not served.
    pub damaged: Vec<String>,
    /// One line for each other thing an operator should know.
    pub notes: Vec<String>,
}

/// Everything that a store starts from.
pub(crate) struct Recovered {
    pub(crate) recovery: Recovery,
    pub(crate) catalog: Catalog,
    pub(crate) segments: Segments,
    pub(crate) frozen: Vec<Arc<Buffer>>,
    pub(crate) active: Buffer,
    pub(crate) wal: WalWriter,
    pub(crate) known: Known,
    /// The highest number of a merged segment, whether it counts or not.
    pub(crate) last_merged: u64,
}

/// Brings a directory back to a state where each acknowledged row is in one place.
pub(crate) fn recover(directory: &Directory, options: &Options) -> Result<Recovered, OpenError> {
    let layout = directory.layout();
    let io_failed = |source| OpenError::Unwritable {
        directory: directory.path().to_owned(),
        source,
    };
    let mut recovery = Recovery::default();
    let (catalog, contents) = open_catalog(directory)?;
    layout.remove_unfinished_wal().map_err(io_failed)?;
    let generations = layout.wal_generations().map_err(io_failed)?;
    let (done, open): (Vec<u64>, Vec<u64>) = generations
        .into_iter()
        .partition(|generation| *generation <= contents.checkpoint);
    for generation in done {
        disk::remove_file(&layout.wal(generation)).map_err(io_failed)?;
    }
    let last_merged = last_merged(&layout, &contents).map_err(io_failed)?;
    delete_retired(&layout, &catalog, &contents).map_err(io_failed)?;
    rollup::clear(&layout, &contents.segments).map_err(io_failed)?;
    clear_leftovers(&layout, &contents.segments, &open, &mut recovery).map_err(io_failed)?;
    let segments =
        check_segments(directory, contents.segments, &mut recovery).map_err(io_failed)?;
    let mut frozen = Vec::new();
    for generation in &open {
        let end = match open.contains(&(generation + 1)) {
            true => end_before(&layout, generation + 1).map_err(io_failed)?,
            false => None,
        };
        let replayed = replay(&layout, *generation, end, &mut recovery).map_err(io_failed)?;
        frozen.push(Arc::new(replayed));
    }
    let next = 1 + open.last().copied().unwrap_or(contents.checkpoint);
    let known =
        Known::open(&layout.catalog(), options.known_environments_max).map_err(|error| {
            OpenError::Corrupt {
                directory: directory.path().to_owned(),
                what: format!("catalog.sqlite: {error}"),
            }
        })?;
    let header = WalHeader {
        generation: next,
        before: None,
    };
    let wal = WalWriter::create(&layout, header, options.probe.clone()).map_err(io_failed)?;
    Ok(Recovered {
        recovery,
        catalog,
        segments,
        frozen,
        active: Buffer::new(next),
        wal,
        known,
        last_merged,
    })
}

/// Opens the catalog. Without it the segments would all look like leftovers, so it must be there
/// when they are.
fn open_catalog(directory: &Directory) -> Result<(Catalog, Contents), OpenError> {
    let layout = directory.layout();
    let corrupt = |what| OpenError::Corrupt {
        directory: directory.path().to_owned(),
        what,
    };
    let unreadable = |source| OpenError::Unwritable {
        directory: directory.path().to_owned(),
        source,
    };
    let path = layout.catalog();
    if !path.exists() {
        let mut segments = fs::read_dir(layout.segment_directory()).map_err(unreadable)?;
        if segments.next().is_some() {
            return Err(corrupt("it has segments but no catalog.sqlite".to_owned()));
        }
    }
    let failed = |error: rusqlite::Error| corrupt(format!("catalog.sqlite: {error}"));
    let catalog = Catalog::open(&path).map_err(failed)?;
    sync_directory(directory.path()).map_err(unreadable)?;
    let contents = catalog.contents().map_err(failed)?;
    Ok((catalog, contents))
}

/// Those that are about to be set aside keep their place in the catalog, so that their numbers are
/// not free.
fn last_merged(layout: &Layout, contents: &Contents) -> io::Result<u64> {
    let mut last = 0;
    for segment in contents.segments.all() {
        last = last.max(segment.id.compacted_number().unwrap_or_default());
    }
    for entry in fs::read_dir(layout.segment_directory())? {
        let id = segment::id_of_file(&entry?.path());
        last = last.max(id.and_then(|id| id.compacted_number()).unwrap_or_default());
    }
    Ok(last)
}

/// Deletes the files of segments that were replaced or dropped, and has the catalog forget them.
fn delete_retired(layout: &Layout, catalog: &Catalog, contents: &Contents) -> io::Result<()> {
    let retired = contents.retired.iter();
    for path in retired.flat_map(|(id, signal)| segment::paths(layout, *signal, *id)) {
        match disk::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    sync_directory(&layout.segment_directory())?;
    for (id, _) in &contents.retired {
        catalog.forget(*id).map_err(io::Error::other)?;
    }
    Ok(())
}

/// Looks at the files of every segment of the catalog. Those that cannot be read are set aside, and
/// the start goes on without them.
fn check_segments(
    directory: &Directory,
    segments: Segments,
    recovery: &mut Recovery,
) -> io::Result<Segments> {
    let layout = directory.layout();
    let files = SegmentFiles::new(layout.clone());
    let mut lost = Vec::new();
    for segment in segments.all() {
        // Twice, because where the index was mended the rows may be damaged, too.
        for _ in 0..2 {
            let Err(error) = damage::inspect(&layout, &files, segment) else {
                break;
            };
            if !error.is_damage() {
                return Err(io::Error::other(error));
            }
            let (fate, note) = damage::mend(&layout, &files, segment, &error)?;
            recovery.damaged.push(note);
            if fate == Fate::SetAside {
                lost.push(segment.id);
                break;
            }
        }
    }
    Ok(lost.into_iter().fold(segments, |left, id| left.without(id)))
}

/// Files that the catalog does not know are leftovers of a seal that did not finish: they go if the
/// WAL still has their rows, and stay with a note if it has not.
fn clear_leftovers(
    layout: &Layout,
    segments: &Segments,
    open: &[u64],
    recovery: &mut Recovery,
) -> io::Result<()> {
    let known: HashSet<PathBuf> = segments
        .all()
        .flat_map(|segment| segment::paths(layout, segment.signal, segment.id))
        .collect();
    for entry in fs::read_dir(layout.segment_directory())? {
        let path = entry?.path();
        if known.contains(&path) {
            continue;
        }
        match segment::id_of_file(&path) {
            // Of a merge that did not finish: its rows are in the segments that it began with.
            Some(id) if id.compacted_number().is_some() || open.contains(&id.generation()) => {
                disk::remove_file(&path)?;
            }
            _ => recovery.notes.push(format!(
                "{} is not in the catalog and was left where it is",
                path.display()
            )),
        }
    }
    Ok(())
}

/// Where the file of the generation before this one ends, if not where it is cut off.
pub(crate) fn end_before(layout: &Layout, generation: u64) -> io::Result<Option<usize>> {
    let mut bytes = Vec::new();
    let file = fs::File::open(layout.wal(generation))?;
    file.take(HEADER_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    let before = WalHeader::read(&bytes, generation).and_then(|header| header.before);
    Ok(before.map(|end| usize::try_from(end).unwrap_or(usize::MAX)))
}

/// Reads a WAL file up to its end into a buffer, the way its rows came in the first time.
fn replay(
    layout: &Layout,
    generation: u64,
    end: Option<usize>,
    recovery: &mut Recovery,
) -> io::Result<Buffer> {
    let path = layout.wal(generation);
    // One file at a time, and none is larger than a buffer may be plus one body.
    let mut file = Bytes::from(fs::read(&path)?);
    if let Some(end) = end.filter(|end| *end < file.len()) {
        let bytes = file.len() - end;
        let path = path.display();
        recovery.notes.push(format!(
            "{path}: its last {bytes} bytes were left out: their write failed, and their senders were told so"
        ));
        file.truncate(end);
    }
    let buffer = Buffer::new(generation);
    let mut damaged = Vec::new();
    let mut group = Vec::new();
    let mut rows = 0;
    for piece in WalReader::new(&file, generation) {
        match piece {
            Piece::Damaged(range) => damaged.push(range),
            Piece::Frame {
                signal,
                received,
                body,
                origin,
                range,
            } => match Body::check(signal, file.slice_ref(body), usize::MAX) {
                Ok(body) => {
                    let totals = body.totals();
                    rows += totals.rows;
                    group.push(Entry {
                        cost: cost(&body, origin.as_deref()),
                        rows: body.into_parts().1,
                        received,
                        items: totals.items as u64,
                        origin,
                    });
                    recovery.frames += 1;
                    if rows >= REPLAY_ROWS {
                        buffer.insert(Group::new(std::mem::take(&mut group)));
                        rows = 0;
                    }
                }
                Err(error) => {
                    let path = path.display();
                    let at = range.start;
                    let note = format!("{path}: frame at byte {at} left out: {error}");
                    recovery.notes.push(note);
                    damaged.push(range);
                }
            },
        }
    }
    buffer.insert(Group::new(group));
    if !damaged.is_empty() {
        let bytes = damaged.iter().map(|range| range.len() as u64).sum::<u64>();
        recovery.skipped_bytes += bytes;
        let aside = layout.damaged(generation);
        recovery.notes.push(format!(
            "{}: {bytes} of {} bytes are no whole frames and were skipped; they are kept in {}",
            path.display(),
            file.len(),
            aside.display(),
        ));
        keep_aside(&aside, damaged.into_iter().map(|range| &file[range]))?;
        sync_directory(&layout.wal_directory())?;
    }
    Ok(buffer)
}

/// Writes what could not be read to a file of its own, before the file it was in is let go.
fn keep_aside<'a>(path: &Path, pieces: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
    let mut file = disk::File::create(path)?;
    for piece in pieces {
        file.write_all(piece)?;
    }
    file.sync_all()
}
