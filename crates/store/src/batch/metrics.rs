//! Batches of metric points.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BinaryBuilder, Float64Array, RecordBatch, StringArray, StringBuilder,
    TimestampNanosecondArray, UInt8Array, UInt64Array,
};
use throughline_telemetry::model::MetricKind;
use throughline_telemetry::wire::walk::{AttributeView, PointView};
use throughline_telemetry::{MetricPoint, Signal, UnixNanos};

use super::attributes::{AttributeLists, AttributesBuilder};
use super::owner::{OwnerBuilder, OwnerColumns, Owners};
use super::rows::column;
use super::schema::schema;
use crate::segment::Damage;

/// Makes a canonical batch of metric points.
#[derive(Debug, Default)]
pub(crate) struct PointBuilder {
    names: StringBuilder,
    units: StringBuilder,
    kinds: Vec<u8>,
    times: Vec<i64>,
    starts: Vec<i64>,
    values: Vec<f64>,
    counts: Vec<u64>,
    owner: OwnerBuilder,
    attributes: AttributesBuilder,
    otlps: BinaryBuilder,
    /// Of the point that is being added.
    otlp: Vec<u8>,
}

impl PointBuilder {
    /// Adds a point.
    #[cfg(test)]
    pub(crate) fn push(&mut self, point: &MetricPoint) {
        self.names.append_value(&point.name);
        self.units.append_value(&point.unit);
        self.kinds.push(point.kind as u8);
        self.times.push(point.time.0.cast_signed());
        self.starts.push(point.start.0.cast_signed());
        self.values.push(point.value);
        self.counts.push(point.count);
        self.owner.begin(&point.resource, &point.scope);
        self.owner.push();
        self.attributes.push(&point.attributes);
        self.otlps.append_value(&point.otlp);
    }

    /// The attributes of the resource of the views that follow.
    pub(crate) fn begin_resource(&mut self, attributes: &[AttributeView<'_>]) {
        self.owner.begin_resource_view(attributes);
    }

    /// The scope of the views that follow.
    pub(crate) fn begin_scope(&mut self, name: &str, version: &str) {
        self.owner.begin_scope(name, version);
    }

    /// Adds a point.
    pub(crate) fn push_view(&mut self, point: &PointView<'_, '_>) {
        self.names.append_value(point.name);
        self.units.append_value(point.unit);
        self.kinds.push(point.kind as u8);
        self.times.push(point.time.0.cast_signed());
        self.starts.push(point.start.0.cast_signed());
        self.values.push(point.value);
        self.counts.push(point.count);
        self.owner.push();
        self.attributes.push_views(point.attributes);
        point.otlp(&mut self.otlp);
        self.otlps.append_value(&self.otlp);
    }

    /// How many points there are so far.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    /// The batch.
    pub(crate) fn finish(mut self) -> RecordBatch {
        let [service, resource, scope_name, scope_version] = self.owner.finish();
        let nanos = |times: Vec<i64>| -> ArrayRef {
            Arc::new(TimestampNanosecondArray::from(times).with_timezone("UTC"))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(self.names.finish()),
            Arc::new(self.units.finish()),
            Arc::new(UInt8Array::from(self.kinds)),
            nanos(self.times),
            nanos(self.starts),
            Arc::new(Float64Array::from(self.values)),
            Arc::new(UInt64Array::from(self.counts)),
            service,
            resource,
            scope_name,
            scope_version,
            self.attributes.finish(),
            Arc::new(self.otlps.finish()),
        ];
        let batch = RecordBatch::try_new(Arc::clone(schema(Signal::Metrics)), columns);
        batch.expect("the columns are built to the schema")
    }
}

/// A canonical batch of metric points, to read row by row.
#[derive(Clone, Copy)]
pub(crate) struct PointRows<'a> {
    names: &'a StringArray,
    units: &'a StringArray,
    kinds: &'a [u8],
    times: &'a [i64],
    starts: &'a [i64],
    values: &'a [f64],
    counts: &'a [u64],
    owner: OwnerColumns<'a>,
    attributes: AttributeLists<'a>,
    otlps: &'a BinaryArray,
}

impl<'a> PointRows<'a> {
    pub(crate) fn new(batch: &'a RecordBatch) -> Result<Self, Damage> {
        Ok(PointRows {
            names: column(batch, "name")?,
            units: column(batch, "unit")?,
            kinds: column::<UInt8Array>(batch, "kind")?.values(),
            times: column::<TimestampNanosecondArray>(batch, "time")?.values(),
            starts: column::<TimestampNanosecondArray>(batch, "start")?.values(),
            values: column::<Float64Array>(batch, "value")?.values(),
            counts: column::<UInt64Array>(batch, "count")?.values(),
            owner: OwnerColumns::new(batch)?,
            attributes: AttributeLists::new(column(batch, "attributes")?)?,
            otlps: column(batch, "otlp")?,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.kinds.len()
    }

    pub(crate) fn name(&self, row: usize) -> &'a str {
        self.names.value(row)
    }

    pub(crate) fn time(&self, row: usize) -> UnixNanos {
        UnixNanos(self.times[row].cast_unsigned())
    }

    /// The whole point. The owners are those of this batch.
    pub(crate) fn at(&self, owners: &Owners, row: usize) -> Result<MetricPoint, Damage> {
        let (resource, scope) = self.owner.at(owners, row);
        let kind = MetricKind::from_number(self.kinds[row]);
        Ok(MetricPoint {
            name: self.name(row).to_owned(),
            unit: self.units.value(row).to_owned(),
            kind: kind.ok_or_else(|| Damage::new("unknown kind of metric"))?,
            time: self.time(row),
            start: UnixNanos(self.starts[row].cast_unsigned()),
            attributes: self.attributes.sorted_at(row)?,
            value: self.values[row],
            count: self.counts[row],
            otlp: self.otlps.value(row).to_vec(),
            resource,
            scope,
        })
    }
}
