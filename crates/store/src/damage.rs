//! What becomes of a segment whose files are not as they were written.
//!
//! The server starts and goes on without what is damaged, says what that is, and serves the rest. An
//! index is made again from the rows. If the rows cannot be read, the files are moved to `damaged/`.
//! The catalog keeps the segment: whoever moves good files back has its rows after the next start.
//!
//! A start looks at the names and lengths of all files, which takes no time; what is wrong inside of
//! them shows when they are read.
//!
//! What the disk does not give out now (`EIO`, too many open files) is no damage: who reads gets the error,
//! and the next one tries again.
//!
//! **Invariant**: a damaged file is neither overwritten nor deleted.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::directory::Layout;
use crate::disk::{self, make_directory, sync_directory};
use crate::error::ReadError;
use crate::limits::SAME_NAME_MAX;
use crate::segment::{self, SegmentFiles, SegmentId, SegmentMeta};
use crate::snapshot::Live;

/// Whether a segment can be read after something was found wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Mended,
    SetAside,
}

/// Looks at the files of a segment from outside.
pub(crate) fn inspect(
    layout: &Layout,
    files: &SegmentFiles,
    segment: &SegmentMeta,
) -> Result<(), ReadError> {
    let paths = segment::paths(layout, segment.signal, segment.id);
    let mut bytes = 0;
    for path in &paths {
        bytes += fs::metadata(path).map_err(ReadError::io(path))?.len();
    }
    if bytes == segment.bytes {
        return Ok(());
    }
    // An index that was made again need not be as long as the one before.
    let rows_bytes = fs::metadata(&paths[0])
        .map_err(ReadError::io(&paths[0]))?
        .len();
    if files.is_index_of(segment, rows_bytes)? {
        return Ok(());
    }
    let written = segment.bytes;
    let what = format!("it has {bytes} bytes with its index, and had {written}");
    Err(ReadError::corrupt(&paths[0], what))
}

/// Makes the index of a segment again or sets the segment aside. What became of it, and what is to be
/// told of that.
pub(crate) fn mend(
    layout: &Layout,
    files: &SegmentFiles,
    segment: &SegmentMeta,
    error: &ReadError,
) -> io::Result<(Fate, String)> {
    let [rows, index] = segment::paths(layout, segment.signal, segment.id);
    let made = match error.path() == Some(&index) {
        true => Some(files.index_from_rows(segment)),
        false => None,
    };
    if let Some(Err(failed)) = &made
        && !failed.is_damage()
    {
        // Rows that a disk does not give out now may be good.
        return Err(io::Error::other(failed.to_string()));
    }
    if let Some(Ok(bytes)) = made {
        let kept = match index.exists() {
            true => format!("; the old one is {}", aside(layout, &index)?.display()),
            false => String::new(),
        };
        segment::write_index(&index, &bytes)?;
        sync_directory(&layout.segment_directory())?;
        return Ok((
            Fate::Mended,
            format!("{error}: it was made again from the rows{kept}"),
        ));
    }
    for path in [&rows, &index] {
        if path.exists() {
            aside(layout, path)?;
        }
    }
    sync_directory(&layout.segment_directory())?;
    Ok((Fate::SetAside, told(layout, segment, error)))
}

fn told(layout: &Layout, segment: &SegmentMeta, error: &ReadError) -> String {
    let (count, signal) = (segment.rows, segment.signal.name());
    let kept = layout.damaged_directory();
    format!(
        "{error}: {count} rows of {signal} are not served; what there is of them is kept in {}, and \
         is looked at again at a start after it was moved back",
        kept.display()
    )
}

/// Moves a file to where damaged files are kept, beside those of its name that are there already.
fn aside(layout: &Layout, path: &Path) -> io::Result<PathBuf> {
    let directory = layout.damaged_directory();
    make_directory(&directory)?;
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let names = (1..SAME_NAME_MAX).map(|number| format!("{name}.{number}"));
    let free = std::iter::once(name.to_string())
        .chain(names)
        .map(|name| directory.join(name))
        .find(|path| !path.exists());
    let to = free.ok_or_else(|| io::Error::other(format!("too many files called {name}")))?;
    disk::rename(path, &to)?;
    sync_directory(&directory)?;
    Ok(to)
}

/// What was found wrong while the store is open.
#[derive(Debug, Default)]
pub(crate) struct Damages(Mutex<Found>);

#[derive(Debug, Default)]
struct Found {
    /// Segments whose index was made again; if it is found wrong once more, the disk is.
    mended: HashSet<SegmentId>,
    notes: Vec<String>,
}

impl Damages {
    pub(crate) fn new(notes: Vec<String>) -> Self {
        let mended = HashSet::new();
        Damages(Mutex::new(Found { mended, notes }))
    }

    /// One line for each thing that was found, since the store was opened or when it was.
    pub(crate) fn notes(&self) -> Vec<String> {
        let found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        found.notes.clone()
    }

    /// Sees to a segment that could not be read. Whether it is worth reading again.
    pub(crate) fn found(
        &self,
        layout: &Layout,
        files: &SegmentFiles,
        live: &Live,
        error: &ReadError,
    ) -> bool {
        // Several readers may find the same; the first does what is to be done.
        let mut found = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(path) = error.path().filter(|_| error.is_damage()) else {
            return false;
        };
        let Some(id) = segment::id_of_file(path) else {
            return false;
        };
        let segments = live.segments();
        let Some(segment) = segments.all().find(|segment| segment.id == id) else {
            return true; // another reader set it aside
        };
        if found.mended.contains(&id) && files.check_index(segment).is_ok() && is_index(path) {
            return true; // another reader had it mended
        }
        match mend(layout, files, segment, error) {
            Ok((fate, note)) => {
                tracing::error!("{note}");
                found.notes.push(note);
                match fate {
                    Fate::Mended => {
                        found.mended.insert(id);
                    }
                    Fate::SetAside => live.set_aside(id),
                }
                true
            }
            Err(failed) => {
                tracing::error!(%error, %failed, "a damaged segment cannot be set aside");
                false
            }
        }
    }
}

fn is_index(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| extension == "index")
}
