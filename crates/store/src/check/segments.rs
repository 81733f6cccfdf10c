//! Segments, and files in their directory that belong to none.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;

use throughline_telemetry::Signal;

use super::{Area, Check, entries};
use crate::catalog::Contents;
use crate::error::ReadError;
use crate::segment::{self, SegmentFiles, SegmentMeta};

impl Check<'_> {
    /// Every segment that the catalog knows, byte by byte.
    pub(super) fn segments(&mut self, contents: &Contents) {
        for signal in Signal::ALL {
            let mut area = Area {
                name: signal.name(),
                files: 0,
                bytes: 0,
                rows: 0,
            };
            for segment in contents.segments.of(signal) {
                self.segment(segment);
                area.files += 2;
                area.bytes += segment.bytes;
                area.rows += u64::from(segment.rows);
                self.went_on(segment.bytes);
            }
            self.report.areas.push(area);
        }
    }

    fn segment(&mut self, segment: &SegmentMeta) {
        let paths = segment::paths(self.layout, segment.signal, segment.id);
        let missing: Vec<&PathBuf> = paths.iter().filter(|path| !path.exists()).collect();
        for path in &missing {
            let name = path.file_name().unwrap_or_default();
            let aside = self.layout.damaged_directory().join(name);
            let kept = match aside.exists() {
                true => "; it was found damaged earlier and is kept in damaged/",
                false => "",
            };
            let of = format!(
                "is gone: {} of {}{kept}",
                rows(segment),
                segment.signal.name()
            );
            self.fault(path, of);
        }
        // No cache: what one file has is looked at once.
        let files = SegmentFiles::new(self.layout.clone());
        let [rows_path, index_path] = &paths;
        let mut faults: Vec<ReadError> = Vec::new();
        if index_path.exists() {
            faults.extend(files.verify_index(segment).err());
        }
        if rows_path.exists() {
            faults.extend(files.verify_rows(segment).err());
        }
        if missing.is_empty() && faults.is_empty() {
            faults.extend(files.index_agrees(segment).err());
        }
        // Of one file the first fault says it best.
        let mut told: HashSet<PathBuf> = missing.into_iter().cloned().collect();
        for error in faults {
            let about = error.path().unwrap_or(rows_path).to_owned();
            if told.insert(about.clone()) {
                let lost = match about == *rows_path {
                    true => format!(": {}", rows(segment)),
                    false => String::new(),
                };
                self.fault(&about, error.what() + &lost);
            }
        }
        let bytes = super::bytes_of(paths.iter().cloned());
        if told.is_empty() && bytes != segment.bytes {
            let written = segment.bytes;
            let what = format!("has {bytes} bytes with its index, and had {written}");
            self.fault(rows_path, what);
        }
    }

    /// Files that belong to no segment that counts.
    pub(super) fn leftovers(
        &mut self,
        contents: Option<&Contents>,
        generations: &[u64],
    ) -> io::Result<()> {
        self.others()?;
        let Some(contents) = contents else {
            return Ok(());
        };
        let known: HashSet<PathBuf> = contents
            .segments
            .all()
            .flat_map(|segment| segment::paths(self.layout, segment.signal, segment.id))
            .collect();
        let retired: HashSet<PathBuf> = contents
            .retired
            .iter()
            .flat_map(|(id, signal)| segment::paths(self.layout, *signal, *id))
            .collect();
        for path in entries(&self.layout.segment_directory())? {
            if known.contains(&path) {
                continue;
            }
            let id = segment::id_of_file(&path);
            let waits = |generation: u64| {
                generation > contents.checkpoint && generations.contains(&generation)
            };
            if retired.contains(&path) {
                self.note(&path, "was replaced or dropped, and goes at the next start");
            } else if id.is_some_and(|id| id.compacted_number().is_some()) {
                self.note(&path, "is left of a merge, and goes at the next start");
            } else if id.is_some_and(|id| waits(id.generation())) {
                self.note(&path, "is left of a seal, and goes at the next start");
            } else {
                self.fault(&path, "is not in the catalog: nothing in it is served");
            }
        }
        Ok(())
    }
}

fn rows(segment: &SegmentMeta) -> String {
    match segment.rows {
        1 => "1 row".to_owned(),
        rows => format!("{rows} rows"),
    }
}
