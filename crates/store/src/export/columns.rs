//! Canonical columns to those of an exported file.

use std::fmt::Write;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, FixedSizeBinaryArray, Int64Array, MapArray, StringArray,
    StringBuilder, StructArray, TimestampNanosecondArray, UInt8Array,
};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use serde_json::json;
use throughline_telemetry::model::{MetricKind, SpanKind, SpanStatus};
use throughline_telemetry::{Signal, Span};

use super::schema::entry;
use crate::batch::{Owners, SpanRows};
use crate::error::ReadError;
use crate::segment::{Damage, Projected, attributes_from_json, value};

/// Makes columns of the rows of a canonical batch.
pub(super) struct Columns<'a> {
    read: &'a Projected,
    made: Vec<ArrayRef>,
}

impl Columns<'_> {
    /// All columns of a signal, in the order of its schema.
    pub(super) fn of(signal: Signal, read: &Projected) -> Result<Vec<ArrayRef>, ReadError> {
        let mut columns = Columns {
            read,
            made: Vec::new(),
        };
        match signal {
            Signal::Traces => columns.spans()?,
            Signal::Logs => columns.logs()?,
            Signal::Metrics => columns.points()?,
        }
        Ok(columns.made)
    }

    fn spans(&mut self) -> Result<(), ReadError> {
        let starts: &TimestampNanosecondArray = self.read.get("start")?;
        let durations: &Int64Array = self.read.get("duration")?;
        let ends = starts.values().iter().zip(durations.values());
        let ends = ends.map(|(start, duration)| start.wrapping_add(*duration));
        self.same("start")?;
        self.add(times(ends.map(Some)));
        self.same("duration")?;
        self.hex("trace_id")?;
        self.hex("span_id")?;
        self.hex("parent_span_id")?;
        self.text("trace_state")?;
        self.same("name")?;
        self.named("kind", |number| {
            Some(SpanKind::from_number(number.into()).name())
        })?;
        self.named("status", |number| {
            Some(SpanStatus::from_number(number.into()).name())
        })?;
        self.text("status_message")?;
        self.owner()?;
        self.events_and_links()
    }

    fn logs(&mut self) -> Result<(), ReadError> {
        let times_of: &TimestampNanosecondArray = self.read.get("time")?;
        let observed: &Int64Array = self.read.get("observed_time_offset")?;
        let observed = times_of.values().iter().zip(observed.values());
        let observed = observed.map(|(time, offset)| Some(time.wrapping_add(*offset)));
        self.same("time")?;
        self.add(times(observed.map(|time| time.filter(|time| *time != 0))));
        self.same("severity_number")?;
        self.text("severity_text")?;
        self.same("body")?;
        self.hex("trace_id")?;
        self.hex("span_id")?;
        self.text("event_name")?;
        self.owner()
    }

    fn points(&mut self) -> Result<(), ReadError> {
        let starts: &TimestampNanosecondArray = self.read.get("start")?;
        let starts = starts.values().iter().map(|start| Some(*start));
        self.same("time")?;
        self.add(times(starts.map(|start| start.filter(|start| *start != 0))));
        self.same("name")?;
        self.text("unit")?;
        self.named("kind", |number| {
            MetricKind::from_number(number).map(metric_kind)
        })?;
        self.same("value")?;
        self.same("count")?;
        self.owner()?;
        let otlp: &BinaryArray = self.read.get("otlp")?;
        self.add(Arc::new(otlp.clone()));
        Ok(())
    }

    fn owner(&mut self) -> Result<(), ReadError> {
        self.repeated("service")?;
        self.repeated("scope_name")?;
        self.repeated("scope_version")?;
        self.resources()?;
        self.attributes()
    }

    fn add(&mut self, column: ArrayRef) {
        self.made.push(column);
    }

    /// A column as it is.
    fn same(&mut self, name: &str) -> Result<(), ReadError> {
        self.made.push(self.read.column(name)?);
        Ok(())
    }

    /// Texts, null where there is none.
    fn text(&mut self, name: &str) -> Result<(), ReadError> {
        let texts: &StringArray = self.read.get(name)?;
        let texts = texts
            .iter()
            .map(|text| text.filter(|text| !text.is_empty()));
        self.made.push(Arc::new(texts.collect::<StringArray>()));
        Ok(())
    }

    fn repeated(&mut self, name: &str) -> Result<(), ReadError> {
        let texts = self.read.texts(name)?;
        let texts = (0..texts.len()).map(|row| Some(texts.value(row)).filter(|it| !it.is_empty()));
        self.made.push(Arc::new(texts.collect::<StringArray>()));
        Ok(())
    }

    fn hex(&mut self, name: &str) -> Result<(), ReadError> {
        let ids: &FixedSizeBinaryArray = self.read.get(name)?;
        let mut texts = StringBuilder::with_capacity(ids.len(), ids.len() * 32);
        for id in ids {
            match id {
                None => texts.append_null(),
                Some(id) => {
                    for byte in id {
                        write!(texts, "{byte:02x}").expect("memory takes any text");
                    }
                    texts.append_value("");
                }
            }
        }
        self.made.push(Arc::new(texts.finish()));
        Ok(())
    }

    fn named(
        &mut self,
        column: &str,
        name: impl Fn(u8) -> Option<&'static str>,
    ) -> Result<(), ReadError> {
        let numbers: &UInt8Array = self.read.get(column)?;
        let names = numbers
            .values()
            .iter()
            .map(|number| name(*number).unwrap_or("unknown"));
        self.made
            .push(Arc::new(StringArray::from_iter_values(names)));
        Ok(())
    }

    fn resources(&mut self) -> Result<(), ReadError> {
        let texts = self.read.texts("resource")?;
        let distinct = texts.distinct().map(|json| {
            let attributes = attributes_from_json(json)?;
            let pairs = attributes.iter().map(|(key, of)| {
                let (tag, text) = value::to_text(of);
                (key.to_owned(), tag, text.into_owned())
            });
            Ok(pairs.collect::<Vec<_>>())
        });
        let distinct: Result<Vec<_>, Damage> = distinct.collect();
        let distinct = distinct.map_err(|damage| self.read.damage(damage))?;
        let mut maps = Maps::default();
        for row in 0..texts.len() {
            for (key, tag, text) in &distinct[texts.code(row)] {
                maps.add(key, *tag, text);
            }
            maps.end();
        }
        self.made.push(maps.finish());
        Ok(())
    }

    fn attributes(&mut self) -> Result<(), ReadError> {
        let lists = self.read.residual()?;
        let mut maps = Maps::default();
        for row in 0..self.read.rows() {
            for item in lists.range(row) {
                let (key, tag, text) = lists.item(item);
                maps.add(key, tag, text);
            }
            maps.end();
        }
        self.made.push(maps.finish());
        Ok(())
    }

    /// As JSON, null where there are none, as in most rows.
    fn events_and_links(&mut self) -> Result<(), ReadError> {
        let events: &arrow::array::ListArray = self.read.get("events")?;
        let links: &arrow::array::ListArray = self.read.get("links")?;
        let damage = |damage| self.read.damage(damage);
        let batch = self.read.batch();
        let owners = Owners::read(batch).map_err(damage)?;
        let rows = SpanRows::new(batch).map_err(damage)?;
        let mut columns = [StringBuilder::new(), StringBuilder::new()];
        for row in 0..self.read.rows() {
            let has = [events, links].map(|list| list.value_length(row) > 0);
            let span = match has.contains(&true) {
                true => Some(rows.at(&owners, row).map_err(damage)?),
                false => None,
            };
            for ((column, has), json) in columns.iter_mut().zip(has).zip([events_of, links_of]) {
                column.append_option(span.as_ref().filter(|_| has).map(json));
            }
        }
        for mut column in columns {
            self.made.push(Arc::new(column.finish()));
        }
        Ok(())
    }
}

fn events_of(span: &Span) -> String {
    let events = span.events.iter().map(|event| {
        json!({
            "time_unix_nano": event.time.0.to_string(),
            "name": event.name,
            "attributes": event.attributes,
        })
    });
    json!(events.collect::<Vec<_>>()).to_string()
}

fn links_of(span: &Span) -> String {
    let links = span.links.iter().map(|link| {
        json!({
            "trace_id": link.trace_id.to_string(),
            "span_id": link.span_id.to_string(),
            "attributes": link.attributes,
        })
    });
    json!(links.collect::<Vec<_>>()).to_string()
}

fn metric_kind(kind: MetricKind) -> &'static str {
    match kind {
        MetricKind::Gauge => "gauge",
        MetricKind::Sum => "sum",
        MetricKind::Histogram => "histogram",
        MetricKind::ExponentialHistogram => "exponential_histogram",
        MetricKind::Summary => "summary",
    }
}

fn times(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    let times: TimestampNanosecondArray = times.collect();
    Arc::new(times.with_timezone("UTC"))
}

/// A column of maps of text. Of several values of one key the first is kept: a map has one.
struct Maps {
    keys: StringBuilder,
    values: StringBuilder,
    ends: Vec<i32>,
    /// Keys of the map that is being made.
    here: Vec<String>,
    used: usize,
}

impl Default for Maps {
    fn default() -> Self {
        Maps {
            keys: StringBuilder::new(),
            values: StringBuilder::new(),
            ends: vec![0],
            here: Vec::new(),
            used: 0,
        }
    }
}

impl Maps {
    fn add(&mut self, key: &str, tag: u8, text: &str) {
        if self.here[..self.used].iter().any(|here| here == key) {
            return;
        }
        // The texts are kept from row to row: most rows have the same keys in the same order.
        if let Some(here) = self.here.get_mut(self.used) {
            here.clear();
            here.push_str(key);
        } else {
            self.here.push(key.to_owned());
        }
        self.used += 1;
        self.keys.append_value(key);
        self.values
            .append_option((tag != value::NULL).then_some(text));
    }

    fn end(&mut self) {
        let before = self.ends[self.ends.len() - 1];
        let count = i32::try_from(self.used).expect("a row has fewer attributes");
        self.ends.push(before + count);
        self.used = 0;
    }

    fn finish(mut self) -> ArrayRef {
        let entry = Arc::new(entry());
        let columns: Vec<ArrayRef> =
            vec![Arc::new(self.keys.finish()), Arc::new(self.values.finish())];
        let arrow::datatypes::DataType::Struct(fields) = entry.data_type() else {
            unreachable!("an entry of a map is a struct");
        };
        let entries = StructArray::new(fields.clone(), columns, None);
        let ends = OffsetBuffer::new(ScalarBuffer::from(self.ends));
        Arc::new(MapArray::new(entry, ends, entries, None, false))
    }
}
