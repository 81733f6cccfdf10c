//! Rollups as files.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{RecordBatch, TimestampNanosecondArray};
use arrow::compute::concat_batches;
use arrow::datatypes::SchemaRef;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::{ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use throughline_telemetry::UnixNanos;

use super::{Fold, Grain, RollupMeta, schema};
use crate::directory::Layout;
use crate::disk;
use crate::error::ReadError;
use crate::probe::Probe;
use crate::segment::{self, Damage, SegmentId};
use crate::snapshot::Segments;

/// Writes the rollup of a segment. When it returns the file is on disk, and nothing points to it.
pub(crate) fn write(
    layout: &Layout,
    probe: &Probe,
    id: SegmentId,
    fold: &Fold,
) -> io::Result<RollupMeta> {
    let (rows, totals) = fold.finish_both();
    let times: &TimestampNanosecondArray =
        crate::batch::typed(rows.column(0), "time").map_err(io::Error::other)?;
    let minutes = times.values().iter().map(|time| time.cast_unsigned());
    let (first, last) = (minutes.clone().min(), minutes.max());
    let marked = KeyValue::new(TOTALS.to_owned(), "last row group".to_owned());
    let properties = properties()?.set_key_value_metadata(Some(vec![marked]));
    let (bytes, crc) = write_groups(
        probe,
        &layout.rollup(id),
        &[rows.clone(), totals],
        properties,
    )?;
    Ok(RollupMeta {
        id,
        rows: u32::try_from(rows.num_rows()).expect("there are no more rows than spans"),
        bytes,
        spans: fold.spans(),
        others: fold.others(),
        first: UnixNanos(first.unwrap_or_default()),
        last: UnixNanos(last.unwrap_or_default()),
        crc,
    })
}

/// Writes rows as a file that survives a crash. Its bytes and their CRC-32C.
pub(crate) fn write_batch(
    probe: &Probe,
    path: &Path,
    rows: &RecordBatch,
) -> io::Result<(u64, u32)> {
    write_groups(probe, path, std::slice::from_ref(rows), properties()?)
}

fn write_groups(
    probe: &Probe,
    path: &Path,
    groups: &[RecordBatch],
    properties: WriterPropertiesBuilder,
) -> io::Result<(u64, u32)> {
    let (checks, crc) = segment::durably(probe, path, |file| {
        let schema = groups[0].schema();
        let mut writer = ArrowWriter::try_new(file, schema, Some(properties.build()))?;
        for rows in groups {
            writer.write(rows)?;
            writer.flush()?;
        }
        Ok(writer.into_inner()?)
    })?;
    Ok((checks.bytes, crc))
}

/// Reads a rollup and checks it. A file without totals has its minutes instead, which say the same.
pub(crate) fn load(
    layout: &Layout,
    meta: &RollupMeta,
    grain: Grain,
) -> Result<RecordBatch, ReadError> {
    load_groups(&layout.rollup(meta.id), meta.crc, schema(), |file| {
        let groups = file.num_row_groups();
        let marks = file.file_metadata().key_value_metadata();
        let has_totals = marks.is_some_and(|marks| marks.iter().any(|mark| mark.key == TOTALS));
        match (has_totals, grain) {
            (true, Grain::Totals) => groups.saturating_sub(1)..groups,
            (true, Grain::Minutes) => 0..groups.saturating_sub(1),
            (false, _) => 0..groups,
        }
    })
}

/// Reads the rows of a file, all of them, and checks them.
pub(crate) fn load_batch(
    path: &Path,
    crc: u32,
    schema: &SchemaRef,
) -> Result<RecordBatch, ReadError> {
    load_groups(path, crc, schema, |file| 0..file.num_row_groups())
}

fn load_groups(
    path: &Path,
    crc: u32,
    schema: &SchemaRef,
    groups: impl Fn(&ParquetMetaData) -> Range<usize>,
) -> Result<RecordBatch, ReadError> {
    let bytes = Bytes::from(fs::read(path).map_err(ReadError::io(path))?);
    let corrupt = |damage: Damage| ReadError::corrupt(path, damage);
    if crc32c::crc32c(&bytes) != crc {
        return Err(corrupt(Damage::new("checksum mismatch")));
    }
    let read = || -> Result<RecordBatch, Damage> {
        let options = ArrowReaderOptions::new().with_schema(Arc::clone(schema));
        let reader = ParquetRecordBatchReaderBuilder::try_new_with_options(bytes, options)?;
        let groups = groups(reader.metadata()).collect();
        let reader = reader.with_row_groups(groups).with_batch_size(ROWS_AT_ONCE);
        let batches = reader.build()?;
        let batches = batches.collect::<Result<Vec<_>, _>>()?;
        Ok(concat_batches(schema, &batches)?)
    };
    read().map_err(corrupt)
}

/// Removes the files of rollups and of what lies beside them that the catalog does not know: of segments that were never published,
/// or are not any more.
pub(crate) fn clear(layout: &Layout, segments: &Segments) -> io::Result<()> {
    let with_census = segments.all().filter(|segment| segment.census.is_some());
    let censuses = with_census.map(|segment| layout.census(segment.signal, segment.id));
    let with_edges = segments.all().filter(|segment| segment.edges.is_some());
    let edges = with_edges.map(|segment| layout.edges(segment.id));
    let with_links = segments.all().filter(|segment| segment.links.is_some());
    let links = with_links.map(|segment| layout.links(segment.id));
    let with_costs = segments.all().filter(|segment| segment.costs.is_some());
    let costs = with_costs.map(|segment| layout.costs(segment.id));
    let known: HashSet<PathBuf> = segments
        .rollups()
        .map(|meta| layout.rollup(meta.id))
        .chain(edges)
        .chain(links)
        .chain(costs)
        .chain(censuses)
        .collect();
    for entry in fs::read_dir(layout.rollup_directory())? {
        let path = entry?.path();
        if segment::id_of_file(&path).is_some() && !known.contains(&path) {
            disk::remove_file(&path)?;
        }
    }
    Ok(())
}

fn properties() -> Result<WriterPropertiesBuilder, parquet::errors::ParquetError> {
    Ok(WriterProperties::builder()
        .set_created_by(concat!("throughline ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_column_dictionary_enabled("time".into(), false)
        .set_column_encoding("time".into(), Encoding::DELTA_BINARY_PACKED))
}

/// Says in a file that its last row group has the totals.
const TOTALS: &str = "throughline.totals";

const ZSTD_LEVEL: i32 = 3;

/// Rows that are unpacked at once.
const ROWS_AT_ONCE: usize = 64 << 10;
