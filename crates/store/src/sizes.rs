//! What takes the room of a data directory: each column of the rows, and each thing beside them.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::SerializedFileReader;
use serde::Serialize;
use throughline_telemetry::Signal;

use crate::directory::{Directory, Layout};
use crate::error::OpenError;
use crate::segment;

/// What one signal takes on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignalSizes {
    /// `traces`, `logs` or `metrics`.
    pub signal: &'static str,
    /// Spans, log records or points, with those that are there twice until a merge.
    pub rows: u64,
    /// Files with rows.
    pub segments: u64,
    /// All of it.
    pub bytes: u64,
    /// The largest first.
    pub parts: Vec<PartSize>,
}

/// A column, or what lies beside the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PartSize {
    /// `column NAME`, and `footer` for what Parquet says of its columns; `index NAME`, and `index`
    /// for the rest of it; `rollup`, `edges`, `links`, `costs` or `census`.
    pub name: String,
    /// Compressed, over all files.
    pub bytes: u64,
}

/// Weighs the segments of a data directory, from the beginnings and the ends of its files. What waits
/// in the WAL is not in them yet. Signals without rows are left out.
///
/// Fails if the directory cannot be read, is none of ours or of a newer version, or is in use.
pub fn sizes(directory: &Path) -> Result<Vec<SignalSizes>, OpenError> {
    let locked = Directory::open_unchanged(directory)?;
    let layout = locked.layout();
    let weighed = Signal::ALL
        .into_iter()
        .map(|signal| weigh(&layout, signal))
        .collect::<io::Result<Vec<_>>>();
    let mut weighed = weighed.map_err(|source| OpenError::Unwritable {
        directory: directory.to_owned(),
        source,
    })?;
    weighed.retain(|sizes| sizes.segments > 0);
    Ok(weighed)
}

fn weigh(layout: &Layout, signal: Signal) -> io::Result<SignalSizes> {
    let mut sizes = SignalSizes {
        signal: signal.name(),
        rows: 0,
        segments: 0,
        bytes: 0,
        parts: Vec::new(),
    };
    let mut parts = BTreeMap::new();
    for (path, kind) in files(&layout.segment_directory(), signal)? {
        let file = File::open(&path)?;
        let bytes = file.metadata()?.len();
        sizes.bytes += bytes;
        match kind.as_str() {
            "parquet" => {
                sizes.segments += 1;
                sizes.rows += weigh_rows(file, bytes, &mut parts)?;
            }
            _ => weigh_index(&file, bytes, &mut parts)?,
        }
    }
    for (path, kind) in files(&layout.rollup_directory(), signal)? {
        let bytes = fs::metadata(&path)?.len();
        sizes.bytes += bytes;
        let name = match kind.strip_suffix("parquet") {
            Some("") => "rollup",
            Some(name) => name.trim_end_matches('.'),
            None => &kind,
        };
        *parts.entry(name.to_owned()).or_default() += bytes;
    }
    sizes.parts = parts
        .into_iter()
        .map(|(name, bytes)| PartSize { name, bytes })
        .collect();
    sizes
        .parts
        .sort_by_key(|part| std::cmp::Reverse(part.bytes));
    Ok(sizes)
}

/// The files of a signal's segments, each with what its name ends in; none of a folder that an older
/// version did not make.
fn files(directory: &Path, signal: Signal) -> io::Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(files),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let kind = name
            .filter(|_| segment::of_file(&path).is_some_and(|(of, _)| of == signal))
            .and_then(|name| name.split_once('.'));
        if let Some((_, kind)) = kind {
            let kind = kind.to_owned();
            files.push((path, kind));
        }
    }
    Ok(files)
}

fn weigh_rows(file: File, bytes: u64, parts: &mut BTreeMap<String, u64>) -> io::Result<u64> {
    let reader = SerializedFileReader::new(file).map_err(io::Error::other)?;
    let (mut rest, mut rows) = (bytes, 0);
    for group in reader.metadata().row_groups() {
        rows += u64::try_from(group.num_rows()).unwrap_or(0);
        for column in group.columns() {
            let compressed = u64::try_from(column.compressed_size()).unwrap_or(0);
            let name = column.column_path().string();
            *parts.entry(format!("column {name}")).or_default() += compressed;
            rest = rest.saturating_sub(compressed);
        }
    }
    *parts.entry("footer".to_owned()).or_default() += rest;
    Ok(rows)
}

fn weigh_index(file: &File, bytes: u64, parts: &mut BTreeMap<String, u64>) -> io::Result<()> {
    let mut rest = bytes;
    for (name, bytes) in segment::index_parts(file)? {
        *parts.entry(format!("index {name}")).or_default() += bytes;
        rest = rest.saturating_sub(bytes);
    }
    *parts.entry("index".to_owned()).or_default() += rest;
    Ok(())
}

#[cfg(test)]
mod tests {
    use throughline_testkit::{log, span};

    use super::*;
    use crate::testing::{TestDirectory, put, put_logs};

    #[tokio::test]
    async fn the_parts_are_all_that_the_files_have() {
        let directory = TestDirectory::new();
        let store = directory.open();
        put(&store, &[span("shop").build()]).await;
        put_logs(&store, &[log("shop").says("a").at(1).build()]).await;
        store.seal().unwrap();
        assert!(matches!(
            sizes(directory.path()),
            Err(OpenError::Locked { .. })
        ));
        drop(store);

        let all = sizes(directory.path()).unwrap();
        let told: Vec<_> = all.iter().map(|sizes| (sizes.signal, sizes.rows)).collect();
        assert_eq!(told, [("traces", 1), ("logs", 1)]);
        for sizes in &all {
            let parts: u64 = sizes.parts.iter().map(|part| part.bytes).sum();
            assert_eq!(parts, sizes.bytes, "{}", sizes.signal);
            let has = |name: &str| sizes.parts.iter().any(|part| part.name == name);
            assert!(
                has("index traces") && has("census") && has("footer"),
                "{sizes:?}"
            );
        }
        let files = directory.bytes("segments") + directory.bytes("rollups");
        assert_eq!(all.iter().map(|sizes| sizes.bytes).sum::<u64>(), files);

        fs::remove_dir_all(directory.path().join("rollups")).unwrap();
        let rows = directory.bytes("segments");
        let all = sizes(directory.path()).unwrap();
        assert_eq!(all.iter().map(|sizes| sizes.bytes).sum::<u64>(), rows);
    }
}
