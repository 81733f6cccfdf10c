//! Rollups as files.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{BinaryArray, RecordBatch, TimestampNanosecondArray, new_null_array};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use bytes::Bytes;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::file::metadata::{KeyValue, ParquetMetaData};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use throughline_telemetry::UnixNanos;

use super::{Fold, Grain, RollupMeta, packed, schema};
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
    let groups = [&rows, &totals].map(packed::pack);
    let [minutes, totals] = groups.map(|packed| packed.map_err(io::Error::other));
    let path = layout.rollup(id);
    let (bytes, crc) = write_groups(probe, &path, &[minutes?, totals?], properties)?;
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

/// Writes sums as a file that survives a crash. Its bytes and their CRC-32C.
pub(crate) fn write_sums(probe: &Probe, path: &Path, rows: &RecordBatch) -> io::Result<(u64, u32)> {
    let packed = packed::pack(rows).map_err(io::Error::other)?;
    write_batch(probe, path, &packed)
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
    let path = layout.rollup(meta.id);
    let left_out: &[&str] = match grain {
        Grain::Minutes | Grain::Totals => &[],
        Grain::Counts => &[packed::BUCKETS, "durations"],
    };
    load_groups(&path, meta.crc, schema(), left_out, &|file| {
        let groups = file.num_row_groups();
        let marks = file.file_metadata().key_value_metadata();
        let has_totals = marks.is_some_and(|marks| marks.iter().any(|mark| mark.key == TOTALS));
        match (has_totals, grain) {
            (true, Grain::Totals | Grain::Counts) => groups.saturating_sub(1)..groups,
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
    load_groups(path, crc, schema, &[], &|file| 0..file.num_row_groups())
}

fn load_groups(
    path: &Path,
    crc: u32,
    schema: &SchemaRef,
    left_out: &[&str],
    groups: &dyn Fn(&ParquetMetaData) -> Range<usize>,
) -> Result<RecordBatch, ReadError> {
    let bytes = Bytes::from(fs::read(path).map_err(ReadError::io(path))?);
    let corrupt = |damage: Damage| ReadError::corrupt(path, damage);
    if crc32c::crc32c(&bytes) != crc {
        return Err(corrupt(Damage::new("checksum mismatch")));
    }
    read_groups(bytes, schema, left_out, groups).map_err(corrupt)
}

/// The columns that are left out, of bytes all of them, are empty.
fn read_groups(
    bytes: Bytes,
    schema: &SchemaRef,
    left_out: &[&str],
    groups: &dyn Fn(&ParquetMetaData) -> Range<usize>,
) -> Result<RecordBatch, Damage> {
    let mut file = ArrowReaderMetadata::load(&bytes, ArrowReaderOptions::new())?;
    let mut columns = file.schema().fields().iter();
    let is_packed = columns.any(|field| packed::is_mark(field.name()));
    if !is_packed {
        // An older file may say less of its types, and not have the newest columns.
        let known: Vec<_> = file.schema().fields().iter().map(|it| it.name()).collect();
        let fields = schema.fields().iter();
        let fields = fields.filter(|field| !field.is_nullable() || known.contains(&field.name()));
        let of_file = Arc::new(Schema::new(fields.cloned().collect::<Vec<_>>()));
        let options = ArrowReaderOptions::new().with_schema(of_file);
        file = ArrowReaderMetadata::try_new(Arc::clone(file.metadata()), options)?;
    }
    let groups = groups(file.metadata()).collect();
    let all = Arc::clone(file.schema());
    let (out, read): (Vec<usize>, Vec<usize>) =
        (0..all.fields().len()).partition(|at| left_out.contains(&all.field(*at).name().as_str()));
    let found = Arc::new(all.project(&read)?);
    let columns = ProjectionMask::roots(file.parquet_schema(), read);
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, file);
    let reader = reader.with_row_groups(groups).with_projection(columns);
    let reader = reader.with_batch_size(ROWS_AT_ONCE).build()?;
    let batches = reader.collect::<Result<Vec<_>, _>>()?;
    let mut rows = concat_batches(&found, &batches)?;
    for at in out {
        rows = with_empty(&rows, all.field(at).name())?;
    }
    if is_packed {
        return packed::unpack(&rows, schema);
    }
    let columns = schema.fields().iter().map(|field| {
        let column = rows.column_by_name(field.name()).cloned();
        column.unwrap_or_else(|| new_null_array(field.data_type(), rows.num_rows()))
    });
    Ok(RecordBatch::try_new(Arc::clone(schema), columns.collect())?)
}

/// The rows with another column, which is empty in each of them.
fn with_empty(rows: &RecordBatch, name: &str) -> Result<RecordBatch, Damage> {
    let mut fields = rows.schema().fields().to_vec();
    fields.push(Arc::new(Field::new(name, DataType::Binary, false)));
    let mut columns = rows.columns().to_vec();
    let empty = std::iter::repeat_n([0_u8; 0], rows.num_rows());
    columns.push(Arc::new(BinaryArray::from_iter_values(empty)));
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(fields)),
        columns,
    )?)
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
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("throughline ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        // These files are read whole: least and greatest of a column help nobody.
        .set_statistics_enabled(EnabledStatistics::None)
        .set_offset_index_disabled(true)
        .set_column_dictionary_enabled("time".into(), false)
        .set_column_encoding("time".into(), Encoding::DELTA_BINARY_PACKED)
        .set_column_dictionary_enabled(packed::BUCKETS.into(), false);
    for name in packed::DELTAS {
        properties = properties
            .set_column_dictionary_enabled(name.into(), false)
            .set_column_encoding(name.into(), Encoding::DELTA_BINARY_PACKED);
    }
    Ok(properties)
}

/// Says in a file that its last row group has the totals.
const TOTALS: &str = "throughline.totals";

const ZSTD_LEVEL: i32 = 3;

/// Rows that are unpacked at once.
const ROWS_AT_ONCE: usize = 64 << 10;
