//! The WAL: every frame, and what is in it.

use std::fs;
use std::path::Path;

use bytes::Bytes;

use super::{Area, Check, entries};
use crate::body::Body;
use crate::recovery::end_before;
use crate::wal::{Piece, WalHeader, WalReader};

impl Check<'_> {
    /// The files of these generations. Those up to the checkpoint are in segments.
    pub(super) fn wal(&mut self, generations: &[u64], checkpoint: u64) {
        let mut area = Area {
            name: "wal",
            files: 0,
            bytes: 0,
            rows: 0,
        };
        for generation in generations {
            let path = self.layout.wal(*generation);
            match fs::read(&path) {
                Err(error) => self.fault(&path, format!("cannot be read: {error}")),
                Ok(file) => {
                    let bytes = file.len() as u64;
                    area.files += 1;
                    area.bytes += bytes;
                    if *generation <= checkpoint {
                        let what = "is in segments already, and goes at the next start";
                        self.note(&path, what);
                    } else {
                        let next = generations.contains(&(generation + 1));
                        area.rows += self.frames(&path, *generation, file, next);
                    }
                    self.went_on(bytes);
                }
            }
        }
        self.report.areas.push(area);
        for path in entries(&self.layout.wal_directory()).unwrap_or_default() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if name.ends_with(".damaged") {
                self.note(&path, "is what could not be read at an earlier start");
            } else if name.ends_with(".wal.new") {
                self.note(
                    &path,
                    "was being made, has nothing in it, and goes at the next start",
                );
            } else if !name.ends_with(".wal") {
                self.note(&path, "is not known here");
            }
        }
    }

    /// How many bodies there are in a file.
    fn frames(&mut self, path: &Path, generation: u64, file: Vec<u8>, has_next: bool) -> u64 {
        let mut file = Bytes::from(file);
        if WalHeader::read(&file, generation).is_none() {
            self.fault(path, "its header is not as it was written");
        }
        let end = match has_next {
            true => end_before(self.layout, generation + 1).ok().flatten(),
            false => None,
        };
        if let Some(end) = end.filter(|end| *end < file.len()) {
            let bytes = file.len() - end;
            let what = format!("its last {bytes} bytes do not count: their write had failed");
            self.note(path, what);
            file.truncate(end);
        }
        let mut bodies = 0;
        for piece in WalReader::new(&file, generation) {
            match piece {
                Piece::Damaged(range) if range.end == file.len() => {
                    let (at, bytes) = (range.start, range.len());
                    self.fault(path, format!(
                        "the last {bytes} bytes, from byte {at}, are no whole frame: a write that \
                         was cut off, or damage"
                    ));
                }
                Piece::Damaged(range) => {
                    let (at, bytes) = (range.start, range.len());
                    self.fault(
                        path,
                        format!("{bytes} bytes from byte {at} are no whole frame"),
                    );
                }
                Piece::Frame {
                    signal,
                    body,
                    range,
                    ..
                } => match Body::check(signal, file.slice_ref(body), usize::MAX) {
                    Ok(_) => bodies += 1,
                    Err(error) => {
                        let at = range.start;
                        self.fault(
                            path,
                            format!("the body at byte {at} cannot be read: {error}"),
                        );
                    }
                },
            }
        }
        bodies
    }
}
