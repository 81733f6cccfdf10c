//! The corpus as Parquet files, for engines that do not speak OTLP.
//!
//! One row a span or a log record, every attribute in a map by its type: nothing is promoted, and
//! nothing is left out that those engines' own exporters keep. Files have [`FILE_ROWS`] rows.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use arrow::array::{
    ArrayBuilder, ArrayRef, BooleanBuilder, Float64Builder, Int64Builder, ListBuilder, MapBuilder,
    RecordBatch, StringBuilder, UInt8Builder,
};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use throughline_telemetry::wire::{self, Request};
use throughline_telemetry::{
    Attributes, LogRecord, Resource, Scope, Span, SpanStatus, UnixNanos, Value,
};

use crate::corpus::Corpus;

/// Writes so many rows of a corpus of spans or log records to `NAME-0000.parquet` and so on.
pub fn write(corpus: &mut Corpus, rows: u64, folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let signal = corpus.signal();
    let mut files = Vec::new();
    let mut body = Vec::new();
    let mut left = rows;
    while left > 0 {
        let path = folder.join(format!("{signal}-{:04}.parquet", files.len()));
        let mut writer = None;
        let of_file = left.min(FILE_ROWS);
        let mut missing = of_file;
        while missing > 0 {
            let items = missing.min(GROUP_ROWS);
            corpus.body(usize::try_from(items)?, &mut body);
            let batch = match Request::from_protobuf(signal, &body)? {
                Request::Traces(request) => spans(&wire::spans(request)?)?,
                Request::Logs(request) => logs(&wire::logs(request)?)?,
                Request::Metrics(_) => anyhow::bail!("metrics have no export"),
            };
            if writer.is_none() {
                writer = Some(ArrowWriter::try_new(
                    File::create(&path)?,
                    batch.schema(),
                    Some(properties()?),
                )?);
            }
            let writer = writer.as_mut().context("it was just made")?;
            writer.write(&batch)?;
            missing -= items;
        }
        if let Some(writer) = writer {
            writer.close()?;
        }
        left -= of_file;
        files.push(path);
    }
    Ok(files)
}

fn properties() -> anyhow::Result<WriterProperties> {
    Ok(WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .build())
}

/// Named columns, in their order.
type Columns = Vec<(&'static str, ArrayRef)>;

fn spans(rows: &[Span]) -> anyhow::Result<RecordBatch> {
    let mut columns: Columns = vec![
        ("trace_id", texts(rows, |span| span.trace_id.to_string())),
        ("span_id", texts(rows, |span| span.span_id.to_string())),
        (
            "parent_span_id",
            texts(rows, |span| {
                span.parent_id.map_or(String::new(), |id| id.to_string())
            }),
        ),
        ("name", texts(rows, |span| span.name.clone())),
        ("kind", texts(rows, |span| span.kind.name().to_owned())),
        ("start_nanos", ints(rows, |span| nanos(span.start))),
        (
            "duration_nanos",
            ints(rows, |span| {
                i64::try_from(span.duration().as_nanos()).unwrap_or(i64::MAX)
            }),
        ),
        ("status", texts(rows, |span| status(span.status).to_owned())),
        (
            "status_message",
            texts(rows, |span| span.status_message.clone()),
        ),
    ];
    columns.extend(maps(rows.iter().map(|span| &span.attributes))?);
    columns.extend(origin(rows, |span| (&span.resource, &span.scope))?);
    columns.extend(events(rows)?);
    let mut traces = ListBuilder::new(StringBuilder::new());
    let mut ids = ListBuilder::new(StringBuilder::new());
    for span in rows {
        for link in &span.links {
            traces.values().append_value(link.trace_id.to_string());
            ids.values().append_value(link.span_id.to_string());
        }
        traces.append(true);
        ids.append(true);
    }
    columns.push(("link_trace_ids", Arc::new(traces.finish())));
    columns.push(("link_span_ids", Arc::new(ids.finish())));
    Ok(RecordBatch::try_from_iter(columns)?)
}

fn events(rows: &[Span]) -> anyhow::Result<Columns> {
    let mut times = ListBuilder::new(Int64Builder::new());
    let mut names = ListBuilder::new(StringBuilder::new());
    let attributes = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    let mut attributes = ListBuilder::new(attributes);
    for span in rows {
        for event in &span.events {
            times.values().append_value(nanos(event.time));
            names.values().append_value(&event.name);
            let map = attributes.values();
            for (key, value) in &event.attributes.0 {
                map.keys().append_value(key);
                map.values().append_value(value.to_text());
            }
            map.append(true)?;
        }
        times.append(true);
        names.append(true);
        attributes.append(true);
    }
    Ok(vec![
        ("event_times", Arc::new(times.finish())),
        ("event_names", Arc::new(names.finish())),
        ("event_attributes", Arc::new(attributes.finish())),
    ])
}

fn logs(rows: &[LogRecord]) -> anyhow::Result<RecordBatch> {
    let id = |id: Option<String>| id.unwrap_or_default();
    let mut severity = UInt8Builder::with_capacity(rows.len());
    for row in rows {
        severity.append_value(row.severity_number);
    }
    let mut columns: Columns = vec![
        ("time_nanos", ints(rows, |row| nanos(row.sort_time()))),
        (
            "trace_id",
            texts(rows, |row| id(row.trace_id.map(|id| id.to_string()))),
        ),
        (
            "span_id",
            texts(rows, |row| id(row.span_id.map(|id| id.to_string()))),
        ),
        (
            "severity_text",
            texts(rows, |row| row.severity_text.clone()),
        ),
        ("severity_number", Arc::new(severity.finish())),
        ("body", texts(rows, |row| row.body.to_text())),
    ];
    columns.extend(maps(rows.iter().map(|row| &row.attributes))?);
    columns.extend(origin(rows, |row| (&row.resource, &row.scope))?);
    Ok(RecordBatch::try_from_iter(columns)?)
}

/// The columns that say who emitted it.
fn origin<T>(
    rows: &[T],
    of: impl Fn(&T) -> (&Arc<Resource>, &Arc<Scope>),
) -> anyhow::Result<Columns> {
    let mut resource = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    for row in rows {
        for (key, value) in &of(row).0.attributes.0 {
            resource.keys().append_value(key);
            resource.values().append_value(value.to_text());
        }
        resource.append(true)?;
    }
    Ok(vec![
        ("service", texts(rows, |row| of(row).0.service().to_owned())),
        ("resource", Arc::new(resource.finish())),
        ("scope_name", texts(rows, |row| of(row).1.name.clone())),
        (
            "scope_version",
            texts(rows, |row| of(row).1.version.clone()),
        ),
    ])
}

/// A map for each type of value; what is neither text, number nor truth is JSON among the texts.
fn maps<'a>(rows: impl Iterator<Item = &'a Attributes>) -> anyhow::Result<Columns> {
    let mut texts = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    let mut ints = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    let mut doubles = MapBuilder::new(None, StringBuilder::new(), Float64Builder::new());
    let mut flags = MapBuilder::new(None, StringBuilder::new(), BooleanBuilder::new());
    for attributes in rows {
        for (key, value) in &attributes.0 {
            match value {
                Value::Int(value) => put(&mut ints, key).append_value(*value),
                Value::Double(value) => put(&mut doubles, key).append_value(*value),
                Value::Bool(value) => put(&mut flags, key).append_value(*value),
                other => put(&mut texts, key).append_value(other.to_text()),
            }
        }
        texts.append(true)?;
        ints.append(true)?;
        doubles.append(true)?;
        flags.append(true)?;
    }
    Ok(vec![
        ("texts", Arc::new(texts.finish())),
        ("ints", Arc::new(ints.finish())),
        ("doubles", Arc::new(doubles.finish())),
        ("flags", Arc::new(flags.finish())),
    ])
}

/// Begins an entry; its value is appended to what this returns.
fn put<'a, V: ArrayBuilder>(map: &'a mut MapBuilder<StringBuilder, V>, key: &str) -> &'a mut V {
    map.keys().append_value(key);
    map.values()
}

fn texts<T>(rows: &[T], of: impl Fn(&T) -> String) -> ArrayRef {
    let mut builder = StringBuilder::new();
    for row in rows {
        builder.append_value(of(row));
    }
    Arc::new(builder.finish())
}

fn ints<T>(rows: &[T], of: impl Fn(&T) -> i64) -> ArrayRef {
    let mut builder = Int64Builder::with_capacity(rows.len());
    for row in rows {
        builder.append_value(of(row));
    }
    Arc::new(builder.finish())
}

fn nanos(time: UnixNanos) -> i64 {
    i64::try_from(time.0).unwrap_or(i64::MAX)
}

fn status(status: SpanStatus) -> &'static str {
    match status {
        SpanStatus::Unset => "Unset",
        SpanStatus::Ok => "Ok",
        SpanStatus::Error => "Error",
    }
}

/// Rows of one file.
pub const FILE_ROWS: u64 = 1 << 20;
/// Rows encoded at once.
const GROUP_ROWS: u64 = 1 << 14;

#[cfg(test)]
mod tests {
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use throughline_telemetry::Signal;

    use super::*;
    use crate::corpus::Options;

    #[test]
    fn every_row_is_in_a_file() {
        for signal in [Signal::Traces, Signal::Logs] {
            let folder = tempfile::tempdir().unwrap();
            let mut corpus = Corpus::new(Options::of(20_000), signal);
            let files = write(&mut corpus, 20_000, folder.path()).unwrap();
            let reader = SerializedFileReader::new(File::open(&files[0]).unwrap()).unwrap();
            assert_eq!(reader.metadata().file_metadata().num_rows(), 20_000);
        }
    }
}
