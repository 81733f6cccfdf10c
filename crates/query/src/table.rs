//! A dataset as the engine sees it, for one query: its columns, and streams of its rows.

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::datatypes::{Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchReceiverStream;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};
use throughline_store::{Dataset, Kind, Part, ReadError, Scan, ScanColumn, Shape};

use crate::bounds::{Known, bounds};

/// What a query has cost so far.
#[derive(Debug, Default)]
pub(crate) struct Cost {
    pub(crate) rows: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) parts: AtomicU64,
    pub(crate) rollups: AtomicU64,
    /// What there is without a segment that was found damaged.
    rest: Mutex<Option<Scan>>,
}

impl Cost {
    /// Notes what there is without the damage that an error tells of, if it does.
    pub(crate) fn note(&self, scan: &Scan, error: &ReadError) {
        if let Some(rest) = scan.without_damage(error) {
            *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(rest);
        }
    }

    fn failed(&self, scan: &Scan, error: ReadError) -> DataFusionError {
        self.note(scan, &error);
        external(error)
    }

    /// What to ask again, if the query failed because of damage.
    pub(crate) fn rest(&self) -> Option<Scan> {
        let mut rest = self.rest.lock().unwrap_or_else(PoisonError::into_inner);
        rest.take()
    }
}

/// A dataset of one snapshot with the attributes that a query names.
#[derive(Debug)]
pub(crate) struct Table {
    dataset: Dataset,
    scan: Scan,
    cost: Arc<Cost>,
    columns: Vec<TableColumn>,
    schema: SchemaRef,
}

/// Where a column of a table comes from.
#[derive(Clone, Debug)]
struct TableColumn {
    read: ScanColumn,
    shape: Shape,
}

impl Table {
    pub(crate) fn new(
        dataset: Dataset,
        attributes: impl IntoIterator<Item = String>,
        scan: Scan,
        cost: Arc<Cost>,
    ) -> Result<Self, ReadError> {
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        for column in dataset.columns() {
            columns.push(TableColumn {
                read: ScanColumn::Stored(column.stored),
                shape: column.shape,
            });
            fields.push(Field::new(column.name, column.shape.data_type(), true));
        }
        for key in attributes {
            let kind = scan.kind(dataset.signal(), &key)?.unwrap_or(Kind::String);
            let shape = Shape::of(kind);
            fields.push(Field::new(&key, shape.data_type(), true));
            columns.push(TableColumn {
                read: ScanColumn::Attribute { key, kind },
                shape,
            });
        }
        Ok(Table {
            dataset,
            scan,
            cost,
            columns,
            schema: Arc::new(Schema::new(fields)),
        })
    }

    /// What filters of words know of a column.
    fn known(&self, name: &str) -> Option<Known> {
        let at = self.schema.index_of(name).ok()?;
        match &self.columns[at].read {
            ScanColumn::Attribute { kind, .. } => (*kind == Kind::String).then_some(Known::Text),
            ScanColumn::Stored(stored) => (*stored == "body").then_some(Known::Words),
        }
    }
}

#[async_trait]
impl TableProvider for Table {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    /// Filters help to leave parts out; the engine applies them to the rows.
    fn supports_filters_pushdown(
        &self,
        filters: &[&Expr],
    ) -> Result<Vec<TableProviderFilterPushDown>> {
        Ok(vec![TableProviderFilterPushDown::Inexact; filters.len()])
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let columns: Vec<usize> = match projection {
            Some(projection) => projection.clone(),
            None => (0..self.columns.len()).collect(),
        };
        let (scan, signal) = (self.scan.clone(), self.dataset.signal());
        let mut bounds = bounds(filters, &|name| self.known(name));
        if columns.iter().any(|at| self.columns[*at].read == PARENT) {
            // Parents are places in whole traces, as in a search.
            bounds.attributes.clear();
        }
        let parts = tokio::task::spawn_blocking(move || scan.parts(signal, &bounds)).await;
        let parts = parts.map_err(external)?;
        let parts = parts.map_err(|error| self.cost.failed(&self.scan, error))?;
        let streams = state.config().target_partitions().min(parts.len()).max(1);
        let schema = Arc::new(self.schema.project(&columns)?);
        let columns = columns.into_iter().map(|at| self.columns[at].clone());
        let work = Arc::new(Work {
            parts,
            next: AtomicUsize::new(0),
            columns: columns.collect(),
            schema: Arc::clone(&schema),
            cost: Arc::clone(&self.cost),
            scan: self.scan.clone(),
        });
        let streams = (0..streams).map(|_| {
            let stream: Arc<dyn PartitionStream> = Arc::new(Stream(Arc::clone(&work)));
            stream
        });
        let plan = StreamingTableExec::try_new(
            schema,
            streams.collect(),
            None,
            [],
            false,
            // A limit with filters would count rows that they take away.
            limit.filter(|_| filters.is_empty()),
        )?;
        Ok(Arc::new(plan))
    }
}

/// The parts of a scan. Streams take them one after the other, so that they end together.
#[derive(Debug)]
struct Work {
    parts: Vec<Part>,
    next: AtomicUsize,
    columns: Vec<TableColumn>,
    schema: SchemaRef,
    cost: Arc<Cost>,
    scan: Scan,
}

struct Stream(Arc<Work>);

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl PartitionStream for Stream {
    fn schema(&self) -> &SchemaRef {
        &self.0.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let mut builder =
            RecordBatchReceiverStream::builder(Arc::clone(&self.0.schema), BATCHES_AHEAD);
        let (work, batches) = (Arc::clone(&self.0), builder.tx());
        builder.spawn_blocking(move || {
            while let Some(part) = work.take() {
                for batch in work.read(part)? {
                    // Nobody listens any more once the client has gone or has enough.
                    if batches.blocking_send(batch).is_err() {
                        return Ok(());
                    }
                }
            }
            Ok(())
        });
        builder.build()
    }
}

impl Work {
    fn take(&self) -> Option<&Part> {
        let next = self.next.fetch_add(1, Ordering::Relaxed);
        self.parts.get(next)
    }

    fn read(
        self: &Arc<Self>,
        part: &Part,
    ) -> Result<impl Iterator<Item = Result<RecordBatch>> + use<>> {
        let columns: Vec<ScanColumn> = self
            .columns
            .iter()
            .map(|column| column.read.clone())
            .collect();
        let failed = |error| self.cost.failed(&self.scan, error);
        let batches = part.read(&columns).map_err(failed)?;
        self.cost.parts.fetch_add(1, Ordering::Relaxed);
        let work = Arc::clone(self);
        Ok(batches.map(move |batch| {
            let failed = |error| work.cost.failed(&work.scan, error);
            work.shape(&batch.map_err(failed)?)
        }))
    }

    /// The columns of the store as the query sees them.
    fn shape(&self, batch: &RecordBatch) -> Result<RecordBatch> {
        let rows = batch.num_rows();
        self.cost.rows.fetch_add(rows as u64, Ordering::Relaxed);
        let columns = self.columns.iter().zip(batch.columns());
        let columns = columns.map(|(column, stored)| column.shape.make(stored));
        let columns = columns.collect::<Result<Vec<ArrayRef>, _>>()?;
        let bytes = columns
            .iter()
            .map(|column| column.to_data().get_slice_memory_size());
        let bytes = bytes.sum::<Result<usize, _>>()? as u64;
        self.cost.bytes.fetch_add(bytes, Ordering::Relaxed);
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        let schema = Arc::clone(&self.schema);
        Ok(RecordBatch::try_new_with_options(
            schema, columns, &options,
        )?)
    }
}

fn external(error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

const PARENT: ScanColumn = ScanColumn::Stored("parent_span_id");

/// Batches that a stream reads before they are asked for.
const BATCHES_AHEAD: usize = 2;
