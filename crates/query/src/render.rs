//! Answers as JSON, CSV, text and Arrow.

use std::io::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type, UInt64Type};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use arrow::util::pretty::pretty_format_batches_with_options;
use serde_json::{Map, Number, Value, json};

use crate::engine::{Answer, Cost};
use crate::error::QueryError;

/// Integers beyond these are no exact numbers to most readers of JSON, and are written as text.
const EXACT_MAX: i64 = (1 << 53) - 1;

impl Answer {
    /// `{"columns": [{"name", "type"}], "rows": [[...]], "truncated", "cost"}`. Times are RFC 3339,
    /// numbers that a double cannot hold are texts, and so is what JSON has no form for.
    pub fn to_json(&self) -> Result<Value, QueryError> {
        let columns = self
            .schema
            .fields()
            .iter()
            .map(|field| json!({"name": field.name(), "type": type_name(field.data_type())}));
        let mut rows: Vec<Value> = Vec::with_capacity(self.rows());
        for batch in &self.batches {
            rows.extend(rows_of(batch)?);
        }
        let mut answer = Map::new();
        answer.insert("columns".to_owned(), columns.collect());
        answer.insert("rows".to_owned(), Value::Array(rows));
        answer.insert("truncated".to_owned(), self.truncated.into());
        answer.insert("cost".to_owned(), self.cost.to_json());
        Ok(Value::Object(answer))
    }

    /// A line of names, then a line for each row, as RFC 4180 says; nulls are empty.
    pub fn to_csv(&self) -> Result<String, QueryError> {
        let names = self
            .schema
            .fields()
            .iter()
            .map(|field| quoted(field.name()));
        let mut text = names.collect::<Vec<_>>().join(",") + "\r\n";
        for batch in &self.batches {
            let options = formats().with_null("");
            let columns = batch.columns().iter();
            let columns = columns.map(|column| ArrayFormatter::try_new(column, &options));
            let columns = columns.collect::<Result<Vec<_>, _>>()?;
            for row in 0..batch.num_rows() {
                let cells = columns
                    .iter()
                    .map(|column| quoted(&column.value(row).to_string()));
                text += &(cells.collect::<Vec<_>>().join(",") + "\r\n");
            }
        }
        Ok(text)
    }

    /// A table for people.
    pub fn to_text(&self) -> Result<String, QueryError> {
        if self.batches.is_empty() {
            let empty = RecordBatch::new_empty(self.schema.clone());
            return Ok(pretty_format_batches_with_options(&[empty], &formats())?.to_string());
        }
        Ok(pretty_format_batches_with_options(&self.batches, &formats())?.to_string())
    }

    /// A stream of Arrow's IPC format, `application/vnd.apache.arrow.stream`.
    pub fn to_arrow(&self) -> Result<Vec<u8>, QueryError> {
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
        for batch in &self.batches {
            // Batches of one answer may differ in what may be null, which readers do not forgive.
            let batch = batch.clone().with_schema(self.schema.clone());
            writer.write(&batch?)?;
        }
        let mut bytes = writer.into_inner()?;
        bytes.flush().map_err(ArrowError::from)?;
        Ok(bytes)
    }
}

impl Cost {
    /// `{"rows", "bytes", "segments", "rollups", "elapsed_ms"}`.
    pub fn to_json(&self) -> Value {
        let millis = self.elapsed.as_secs_f64() * 1e3;
        json!({
            "rows": self.rows,
            "bytes": self.bytes,
            "segments": self.segments,
            "rollups": self.rollups,
            "elapsed_ms": (millis * 1e3).round() / 1e3,
        })
    }
}

fn rows_of(batch: &RecordBatch) -> Result<Vec<Value>, ArrowError> {
    let mut columns = Vec::with_capacity(batch.num_columns());
    for column in batch.columns() {
        columns.push(values(column)?.into_iter());
    }
    let rows = (0..batch.num_rows()).map(|_| {
        let cells = columns
            .iter_mut()
            .map(|column| column.next().unwrap_or_default());
        cells.collect()
    });
    Ok(rows.collect())
}

fn values(column: &ArrayRef) -> Result<Vec<Value>, ArrowError> {
    use DataType::{Boolean, Float16, Float32, Float64, UInt64};
    let data_type = column.data_type();
    Ok(match data_type {
        Boolean => column
            .as_boolean()
            .iter()
            .map(|truth| truth.map_or(Value::Null, Value::Bool))
            .collect(),
        UInt64 => column
            .as_primitive::<UInt64Type>()
            .iter()
            .map(|number| {
                number.map_or(Value::Null, |number| match i64::try_from(number) {
                    Ok(number) => integer(number),
                    Err(_) => Value::String(number.to_string()),
                })
            })
            .collect(),
        data_type if data_type.is_integer() => cast(column, &DataType::Int64)?
            .as_primitive::<Int64Type>()
            .iter()
            .map(|number| number.map_or(Value::Null, integer))
            .collect(),
        Float16 | Float32 | Float64 => cast(column, &Float64)?
            .as_primitive::<Float64Type>()
            .iter()
            .map(|number| match number {
                None => Value::Null,
                Some(number) => Number::from_f64(number)
                    .map_or_else(|| Value::String(number.to_string()), Value::Number),
            })
            .collect(),
        _ => {
            let options = formats();
            let texts = ArrayFormatter::try_new(column, &options)?;
            let rows = 0..column.len();
            rows.map(|row| match column.is_null(row) {
                true => Value::Null,
                false => Value::String(texts.value(row).to_string()),
            })
            .collect()
        }
    })
}

fn integer(number: i64) -> Value {
    if number.abs() > EXACT_MAX {
        Value::String(number.to_string())
    } else {
        number.into()
    }
}

fn type_name(data_type: &DataType) -> &'static str {
    match data_type {
        DataType::Boolean => "bool",
        DataType::Timestamp(..) => "time",
        data_type if data_type.is_integer() => "int",
        data_type if data_type.is_floating() => "double",
        _ => "text",
    }
}

fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn formats() -> FormatOptions<'static> {
    FormatOptions::new()
        .with_timestamp_tz_format(Some("%Y-%m-%dT%H:%M:%S%.fZ"))
        .with_timestamp_format(Some("%Y-%m-%dT%H:%M:%S%.f"))
}
