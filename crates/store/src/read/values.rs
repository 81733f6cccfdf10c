//! Traces by a value, whichever attribute has it.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{Array, FixedSizeBinaryArray, Int64Array, RecordBatch, StringArray};
use throughline_telemetry::{Signal, TraceId};

use super::Reader;
use crate::batch::typed;
use crate::buffer::Chunks;
use crate::error::ReadError;
use crate::scan::{ScanColumn, Shaper};
use crate::segment::{
    Damage, Kind, SegmentMeta, attribute_hash, attribute_lists, attributes_from_json, texts_of,
};

/// Which traces have a value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValueTraces {
    /// By the key of the attribute.
    pub by_key: BTreeMap<String, BTreeSet<TraceId>>,
    /// Whether there may be others, because not everything was looked at.
    pub truncated: bool,
}

impl Reader<'_> {
    /// The traces of the spans or log records that have this text, or the whole number that it is, in any of these
    /// attributes; the newest first, as long as it may go on. What is buffered is asked for all attributes.
    pub(crate) fn traces_with_value(
        &self,
        signal: Signal,
        text: &str,
        keys: &[String],
        may_go_on: &dyn Fn() -> bool,
    ) -> Result<ValueTraces, ReadError> {
        let mut found = ValueTraces::default();
        for buffer in &self.snapshot.buffers {
            let rows = match signal {
                Signal::Traces => &buffer.rows.spans,
                Signal::Logs => &buffer.rows.logs,
                Signal::Metrics => &buffer.rows.metrics,
            };
            buffered(rows, text, &mut found).expect(BUILT);
        }
        for segment in self.snapshot.segments.of(signal).iter().rev() {
            for key in keys {
                if !may_go_on() {
                    found.truncated = true;
                    return Ok(found);
                }
                self.values_in(segment, key, text, &mut found)?;
            }
        }
        Ok(found)
    }

    fn values_in(
        &self,
        segment: &SegmentMeta,
        key: &str,
        text: &str,
        found: &mut ValueTraces,
    ) -> Result<(), ReadError> {
        let hash = attribute_hash(key, text);
        let Some(rows) = self.files.rows_with(segment, &[hash])? else {
            // Only the oldest indexes do not know values.
            found.truncated = true;
            return Ok(());
        };
        if rows.is_empty() {
            return Ok(());
        }
        let attribute = |kind| ScanColumn::Attribute {
            key: key.to_owned(),
            kind,
        };
        let columns = [
            ScanColumn::Stored("trace_id"),
            attribute(Kind::String),
            attribute(Kind::Int),
        ];
        let mut shaper = Shaper::new(&columns);
        let projection = shaper.projection(segment.signal);
        let read = self.files.stream(segment, &projection, &rows)?;
        for rows in read {
            let rows = rows?;
            let batch = shaper.shape(&rows, None)?;
            let told = matches(&batch, text, |trace| found.add(key, trace));
            told.map_err(|damage| rows.damage(damage))?;
        }
        Ok(())
    }
}

impl ValueTraces {
    fn add(&mut self, key: &str, trace: &[u8]) {
        if let Ok(trace) = TraceId::from_slice(trace) {
            let of_key = self.by_key.entry(key.to_owned());
            of_key.or_default().insert(trace);
        }
    }
}

/// Tells the traces of the rows whose attribute is a text, or a whole number.
fn matches(batch: &RecordBatch, text: &str, mut tell: impl FnMut(&[u8])) -> Result<(), Damage> {
    let traces: &FixedSizeBinaryArray = typed(batch.column(0), "trace_id")?;
    let texts: &StringArray = typed(batch.column(1), "text")?;
    let numbers: &Int64Array = typed(batch.column(2), "number")?;
    let number: Option<i64> = text.parse().ok();
    for row in (0..batch.num_rows()).filter(|row| traces.is_valid(*row)) {
        let is_text = texts.is_valid(row) && texts.value(row) == text;
        let is_number = numbers.is_valid(row) && number == Some(numbers.value(row));
        if is_text || is_number {
            tell(traces.value(row));
        }
    }
    Ok(())
}

fn buffered(rows: &Chunks, text: &str, found: &mut ValueTraces) -> Result<(), Damage> {
    for chunk in rows.iter() {
        let column = |name: &str| {
            let column = chunk.batch.column_by_name(name);
            column.ok_or_else(|| Damage::new(format!("no column {name}")))
        };
        let traces: &FixedSizeBinaryArray = typed(column("trace_id")?, "trace_id")?;
        let lists = attribute_lists(column("attributes")?)?;
        let resources = texts_of(column("resource")?, "resource")?;
        let of_resource = resources.distinct().map(|json| {
            let attributes = attributes_from_json(json)?;
            let same = attributes
                .iter()
                .filter(|(_, value)| value.to_text() == text);
            Ok(same.map(|(key, _)| key.to_owned()).collect())
        });
        let of_resource = of_resource.collect::<Result<Vec<Vec<String>>, Damage>>()?;
        for row in (0..traces.len()).filter(|row| traces.is_valid(*row)) {
            for item in lists.range(row) {
                let (key, _, value) = lists.item(item);
                if value == text {
                    found.add(key, traces.value(row));
                }
            }
            for key in &of_resource[resources.code(row)] {
                found.add(key, traces.value(row));
            }
        }
    }
    Ok(())
}

const BUILT: &str = "batches in a buffer were built from checked rows and never left memory";
