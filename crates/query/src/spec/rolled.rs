//! Queries that rollups can answer.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::compute::kernels::cmp::eq;
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::functions::core::expr_fn::coalesce;
use datafusion::functions_aggregate::expr_fn::{max, min, sum};
use datafusion::logical_expr::{Expr, cast, ident, lit};
use throughline_store::{Apart, Bounds, Dataset, RolledUp, Shape};

use super::plan::Plan;
use super::{Calculation, Combination, Operation, Operator};
use crate::engine::Session;
use crate::error::QueryError;
use crate::percentile::percentile_of;

/// Whether a query names nothing that a rollup does not know, and asks for whole minutes.
pub(super) fn can_be_rolled_up(plan: &Plan) -> bool {
    let spec = &plan.spec;
    let is_known = |name: &String| ABOUT.contains(&name.as_str()) || name == ENVIRONMENT;
    let is_summed = |calculation: &Calculation| match calculation.op {
        Operation::Count | Operation::Rate => {
            calculation.column.is_none() || calculation.column.as_deref() == Some(DURATION)
        }
        Operation::CountDistinct | Operation::Heatmap => false,
        _ => calculation.column.as_deref() == Some(DURATION),
    };
    let first_minute = plan.from.0.div_ceil(MINUTE_NANOS);
    let has_minute = first_minute < plan.to.0 / MINUTE_NANOS;
    let is_by_minute = plan.step_nanos.is_none_or(|step| step % MINUTE_NANOS == 0);
    spec.rollup != Some(false)
        && spec.dataset == Dataset::Spans
        && spec.breakdowns.iter().all(is_known)
        && spec.filters.iter().all(|filter| is_known(&filter.column))
        && plan.calculations.iter().all(is_summed)
        && plan.heatmaps.is_empty()
        && has_minute
        && is_by_minute
}

impl Session {
    /// What spans sum up to: `time`, the columns that a rollup knows, and its sums.
    pub(super) async fn rolled_up(
        &self,
        plan: &Plan,
    ) -> Result<Arc<dyn TableProvider>, QueryError> {
        let names = plan.spec.breakdowns.iter();
        let names = names.chain(plan.spec.filters.iter().map(|filter| &filter.column));
        let apart = Apart {
            names: names
                .clone()
                .any(|name| name == "service" || name == "name"),
            environments: names.clone().any(|name| name == ENVIRONMENT),
        };
        let bounds = bounds(plan);
        let (scan, wanted) = (self.scan.clone(), self.wanted.clone());
        let step_nanos = plan.step_nanos;
        let read = tokio::task::spawn_blocking(move || {
            scan.rolled_up(&bounds, step_nanos, apart, &|| wanted.check().is_ok())
        });
        let rolled = read
            .await
            .map_err(|error| QueryError::Failed(error.to_string()))?;
        let rolled = rolled.map_err(|error| self.failed(&error))?;
        self.cost.rows.fetch_add(rolled.rows, Ordering::Relaxed);
        self.cost.bytes.fetch_add(rolled.bytes, Ordering::Relaxed);
        self.cost.parts.fetch_add(rolled.parts, Ordering::Relaxed);
        self.cost
            .rollups
            .fetch_add(rolled.rollups, Ordering::Relaxed);
        self.provide(&rolled)
    }

    fn provide(&self, rolled: &RolledUp) -> Result<Arc<dyn TableProvider>, QueryError> {
        let schema = schema();
        let threads = self.config.target_partitions().max(1);
        let mut partitions = vec![Vec::new(); threads];
        for (number, batch) in rolled.batches.iter().enumerate() {
            // Slices, so that one large rollup keeps all threads busy.
            for start in (0..batch.num_rows()).step_by(ROWS) {
                let slice = batch.slice(start, ROWS.min(batch.num_rows() - start));
                partitions[(number + start / ROWS) % threads].push(shape(&slice, &schema)?);
            }
        }
        let table = MemTable::try_new(schema, partitions)?;
        Ok(Arc::new(table))
    }
}

/// A calculation over the sums.
pub(super) fn aggregate(calculation: &Calculation, seconds: f64) -> Expr {
    let count = || coalesce(vec![sum(ident("count")), lit(0_i64)]);
    match calculation.op {
        Operation::Rate => cast(count(), DataType::Float64) / lit(seconds),
        Operation::Sum => sum(ident("sum_ms")),
        Operation::Avg => sum(ident("sum_ms")) / cast(sum(ident("count")), DataType::Float64),
        Operation::Min => min(ident("min_ms")),
        Operation::Max => max(ident("max_ms")),
        Operation::Percentile(percent) => percentile_of(percent, ident("durations")),
        Operation::Count | Operation::CountDistinct | Operation::Heatmap => count(),
    }
}

/// The columns that calculations need.
pub(super) fn summed() -> impl Iterator<Item = Expr> {
    SUMS.iter().map(|(name, _)| ident(*name))
}

fn bounds(plan: &Plan) -> Bounds {
    let only = |column: &str| {
        let filters = plan.spec.filters.iter();
        let is_all =
            plan.spec.filter_combination == Combination::And || plan.spec.filters.len() == 1;
        let mut same =
            filters.filter(|filter| is_all && filter.column == column && filter.op == Operator::Eq);
        same.find_map(|filter| filter.value.as_str().map(str::to_owned))
    };
    Bounds {
        from: Some(plan.from),
        to: Some(plan.to),
        service: only("service"),
        name: only("name"),
        ..Bounds::default()
    }
}

fn schema() -> SchemaRef {
    let about = std::iter::once(("time", Shape::Time)).chain(shapes());
    let about = about.map(|(name, shape)| (name, shape.data_type()));
    let fields = about.chain(
        SUMS.iter()
            .map(|(name, data_type)| (*name, data_type.clone())),
    );
    let fields = fields.chain([(ENVIRONMENT, DataType::Utf8)]);
    let fields = fields.map(|(name, data_type)| Field::new(name, data_type, true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// What spans are told apart by, as a query over spans sees it.
fn shapes() -> impl Iterator<Item = (&'static str, Shape)> {
    ABOUT.iter().map(|name| {
        let column = Dataset::Spans.column(name);
        (*name, column.map_or(Shape::Text, |column| column.shape))
    })
}

fn shape(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, QueryError> {
    let column = |name: &str| {
        let column = rows.column_by_name(name).cloned();
        column.ok_or_else(|| QueryError::Failed(format!("a rollup has no column {name}")))
    };
    let mut columns: Vec<ArrayRef> = vec![column("time")?];
    for (name, shape) in shapes() {
        columns.push(shape.make(&column(name)?)?);
    }
    for (name, _) in SUMS {
        columns.push(column(name)?);
    }
    // Where spans say of no environment, a query sees none.
    let environments = column("environment")?;
    let is_none = eq(&environments, &StringArray::new_scalar(""))?;
    columns.push(nullif(&environments, &is_none)?);
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}

/// The columns of spans that rollups have.
const ABOUT: [&str; 4] = ["service", "name", "kind", "status"];

/// The attribute that rollups have too, as `environment`.
const ENVIRONMENT: &str = "deployment.environment.name";

/// What rollups have of the rows.
const SUMS: &[(&str, DataType)] = &[
    ("count", DataType::Int64),
    ("sum_ms", DataType::Float64),
    ("min_ms", DataType::Float64),
    ("max_ms", DataType::Float64),
    ("durations", DataType::Binary),
];

const DURATION: &str = "duration_ms";
const MINUTE_NANOS: u64 = 60 * 1_000_000_000;
/// Rows of one batch.
const ROWS: usize = 8192;
