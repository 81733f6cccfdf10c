//! Batches of log records.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, FixedSizeBinaryArray, FixedSizeBinaryBuilder, Int64Array, RecordBatch, StringArray,
    StringBuilder, TimestampNanosecondArray, UInt8Array, UInt64Array,
};
use throughline_telemetry::wire::walk::{AttributeView, LogView};
use throughline_telemetry::{LogRecord, Signal, SpanId, TraceId, UnixNanos};

use super::attributes::{AttributeLists, AttributesBuilder, append_view};
use super::owner::{OwnerBuilder, OwnerColumns, Owners};
use super::rows::{column, id_at};
use super::schema::schema;
use crate::rows::LogRow;
use crate::segment::{Damage, value};

/// Makes a canonical batch of log records.
#[derive(Debug)]
pub(crate) struct LogBuilder {
    times: Vec<i64>,
    own_offsets: Vec<i64>,
    observed_offsets: Vec<i64>,
    severity_numbers: Vec<u8>,
    severity_texts: StringBuilder,
    body_types: Vec<u8>,
    bodies: StringBuilder,
    trace_ids: FixedSizeBinaryBuilder,
    span_ids: FixedSizeBinaryBuilder,
    event_names: StringBuilder,
    owner: OwnerBuilder,
    attributes: AttributesBuilder,
    sequences: Vec<u64>,
    /// When the views that follow were received.
    received: UnixNanos,
}

impl Default for LogBuilder {
    fn default() -> Self {
        LogBuilder {
            times: Vec::new(),
            own_offsets: Vec::new(),
            observed_offsets: Vec::new(),
            severity_numbers: Vec::new(),
            severity_texts: StringBuilder::new(),
            body_types: Vec::new(),
            bodies: StringBuilder::new(),
            trace_ids: FixedSizeBinaryBuilder::new(16),
            span_ids: FixedSizeBinaryBuilder::new(8),
            event_names: StringBuilder::new(),
            owner: OwnerBuilder::default(),
            attributes: AttributesBuilder::default(),
            sequences: Vec::new(),
            received: UnixNanos::default(),
        }
    }
}

impl LogBuilder {
    /// Adds a record that was received then; its sequence is zero.
    #[cfg(test)]
    pub(crate) fn push(&mut self, log: &LogRecord, received: UnixNanos) {
        let own = log.sort_time();
        let time = if own.is_known() { own } else { received };
        self.push_at(log, time, 0);
    }

    /// Adds a record with its time and sequence.
    #[cfg(test)]
    pub(crate) fn push_row(&mut self, row: &LogRow) {
        self.push_at(&row.record, row.time, row.sequence);
    }

    #[cfg(test)]
    fn push_at(&mut self, log: &LogRecord, time: UnixNanos, sequence: u64) {
        self.times(time, log.time, log.observed_time);
        self.sequences.push(sequence);
        self.severity_numbers.push(log.severity_number);
        self.severity_texts.append_value(&log.severity_text);
        let (tag, text) = value::to_text(&log.body);
        self.body_types.push(tag);
        self.bodies.append_value(text);
        self.ids(log.trace_id, log.span_id);
        self.event_names.append_value(&log.event_name);
        self.owner.begin(&log.resource, &log.scope);
        self.owner.push();
        self.attributes.push(&log.attributes);
    }

    /// The attributes of the resource of the views that follow.
    pub(crate) fn begin_resource(&mut self, attributes: &[AttributeView<'_>]) {
        self.owner.begin_resource_view(attributes);
    }

    /// The scope of the views that follow.
    pub(crate) fn begin_scope(&mut self, name: &str, version: &str) {
        self.owner.begin_scope(name, version);
    }

    /// When the views that follow were received.
    pub(crate) fn received(&mut self, at: UnixNanos) {
        self.received = at;
    }

    /// Adds a record; its sequence is zero.
    pub(crate) fn push_view(&mut self, log: &LogView<'_, '_>) {
        let known = [log.time, log.observed_time, self.received];
        let time = known.into_iter().find(|time| time.is_known());
        self.times(time.unwrap_or(self.received), log.time, log.observed_time);
        self.sequences.push(0);
        self.severity_numbers.push(log.severity_number);
        self.severity_texts.append_value(log.severity_text);
        self.body_types
            .push(append_view(&mut self.bodies, &log.body));
        self.ids(log.trace_id, log.span_id);
        self.event_names.append_value(log.event_name);
        self.owner.push();
        self.attributes.push_views(log.attributes);
    }

    /// How many records there are so far.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    /// The batch.
    pub(crate) fn finish(mut self) -> RecordBatch {
        let [service, resource, scope_name, scope_version] = self.owner.finish();
        let time = TimestampNanosecondArray::from(self.times).with_timezone("UTC");
        let columns: Vec<ArrayRef> = vec![
            Arc::new(time),
            Arc::new(UInt64Array::from(self.sequences)),
            Arc::new(Int64Array::from(self.own_offsets)),
            Arc::new(Int64Array::from(self.observed_offsets)),
            Arc::new(UInt8Array::from(self.severity_numbers)),
            Arc::new(self.severity_texts.finish()),
            Arc::new(UInt8Array::from(self.body_types)),
            Arc::new(self.bodies.finish()),
            Arc::new(self.trace_ids.finish()),
            Arc::new(self.span_ids.finish()),
            Arc::new(self.event_names.finish()),
            service,
            resource,
            scope_name,
            scope_version,
            self.attributes.finish(),
        ];
        let batch = RecordBatch::try_new(Arc::clone(schema(Signal::Logs)), columns);
        batch.expect("the columns are built to the schema")
    }

    fn times(&mut self, time: UnixNanos, own: UnixNanos, observed: UnixNanos) {
        let offset = |of: UnixNanos| of.0.wrapping_sub(time.0).cast_signed();
        self.times.push(time.0.cast_signed());
        self.own_offsets.push(offset(own));
        self.observed_offsets.push(offset(observed));
    }

    fn ids(&mut self, trace_id: Option<TraceId>, span_id: Option<SpanId>) {
        optional(
            &mut self.trace_ids,
            trace_id.as_ref().map(TraceId::as_bytes),
        );
        optional(&mut self.span_ids, span_id.as_ref().map(SpanId::as_bytes));
    }
}

/// The batch with the sequences from `first` on.
pub(crate) fn with_sequences(batch: RecordBatch, first: u64) -> RecordBatch {
    let rows = batch.num_rows() as u64;
    let sequences = UInt64Array::from_iter_values(first..first + rows);
    let (schema, mut columns, _) = batch.into_parts();
    let column = schema.index_of("sequence").expect("log records have it");
    columns[column] = Arc::new(sequences);
    let batch = RecordBatch::try_new(schema, columns);
    batch.expect("it has as many rows")
}

fn optional<const N: usize>(column: &mut FixedSizeBinaryBuilder, id: Option<&[u8; N]>) {
    match id {
        Some(id) => column
            .append_value(id)
            .expect("the column is of this width"),
        None => column.append_null(),
    }
}

/// A canonical batch of log records, to read row by row.
#[derive(Clone, Copy)]
pub(crate) struct LogRows<'a> {
    times: &'a [i64],
    sequences: &'a [u64],
    own_offsets: &'a [i64],
    observed_offsets: &'a [i64],
    severity_numbers: &'a [u8],
    severity_texts: &'a StringArray,
    body_types: &'a [u8],
    bodies: &'a StringArray,
    trace_ids: &'a FixedSizeBinaryArray,
    span_ids: &'a FixedSizeBinaryArray,
    event_names: &'a StringArray,
    owner: OwnerColumns<'a>,
    attributes: AttributeLists<'a>,
}

impl<'a> LogRows<'a> {
    pub(crate) fn new(batch: &'a RecordBatch) -> Result<Self, Damage> {
        Ok(LogRows {
            times: column::<TimestampNanosecondArray>(batch, "time")?.values(),
            sequences: column::<UInt64Array>(batch, "sequence")?.values(),
            own_offsets: column::<Int64Array>(batch, "own_time_offset")?.values(),
            observed_offsets: column::<Int64Array>(batch, "observed_time_offset")?.values(),
            severity_numbers: column::<UInt8Array>(batch, "severity_number")?.values(),
            severity_texts: column(batch, "severity_text")?,
            body_types: column::<UInt8Array>(batch, "body_type")?.values(),
            bodies: column(batch, "body")?,
            trace_ids: column(batch, "trace_id")?,
            span_ids: column(batch, "span_id")?,
            event_names: column(batch, "event_name")?,
            owner: OwnerColumns::new(batch)?,
            attributes: AttributeLists::new(column(batch, "attributes")?)?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.times.len()
    }

    pub(crate) fn time(&self, row: usize) -> UnixNanos {
        UnixNanos(self.times[row].cast_unsigned())
    }

    pub(crate) fn sequence(&self, row: usize) -> u64 {
        self.sequences[row]
    }

    pub(crate) fn severity_number(&self, row: usize) -> u8 {
        self.severity_numbers[row]
    }

    pub(crate) fn trace_id(&self, row: usize) -> Result<Option<TraceId>, Damage> {
        id_at(self.trace_ids, row, TraceId::from_slice)
    }

    /// The name of its scope.
    pub(crate) fn scope(&self, row: usize) -> &'a str {
        self.owner.scope(row)
    }

    /// The body, as text.
    pub(crate) fn body(&self, row: usize) -> &'a str {
        self.bodies.value(row)
    }

    /// The whole record. The owners are those of this batch.
    pub(crate) fn at(&self, owners: &Owners, row: usize) -> Result<LogRow, Damage> {
        let (resource, scope) = self.owner.at(owners, row);
        let time = self.time(row);
        let at = |offsets: &[i64]| UnixNanos(time.0.wrapping_add(offsets[row].cast_unsigned()));
        let record = LogRecord {
            time: at(self.own_offsets),
            observed_time: at(self.observed_offsets),
            severity_number: self.severity_number(row),
            severity_text: self.severity_texts.value(row).to_owned(),
            body: value::from_text(self.body_types[row], self.bodies.value(row))?,
            attributes: self.attributes.sorted_at(row)?,
            trace_id: self.trace_id(row)?,
            span_id: id_at(self.span_ids, row, SpanId::from_slice)?,
            event_name: self.event_names.value(row).to_owned(),
            resource,
            scope,
        };
        Ok(LogRow {
            time,
            sequence: self.sequence(row),
            record,
        })
    }
}
