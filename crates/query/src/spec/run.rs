//! A checked query as plans of the engine: one for the groups, one for their series, one a heat map.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, IntervalMonthDayNano, Schema};
use datafusion::catalog::TableProvider;
use datafusion::common::{JoinType, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions::expr_fn::{
    ceil, contains, date_bin, ends_with, log2, power, regexp_like, starts_with,
};
use datafusion::functions_aggregate::expr_fn::{
    approx_distinct, approx_percentile_cont, avg, count, max, min, sum,
};
use datafusion::logical_expr::{Expr, SortExpr, cast, ident, lit, try_cast};
use datafusion::prelude::SessionContext;

use super::plan::{OrderBy, Plan};
use super::rolled::{self, can_be_rolled_up};
use super::{Calculation, Combination, Direction, Filter, Operation, Operator};
use crate::engine::{Answer, Session};
use crate::error::QueryError;
use crate::names::Names;

/// What a query of the product's own form found.
#[derive(Clone, Debug)]
pub struct QueryAnswer {
    /// A row for each group: its values of the breakdowns, then the calculations, named as
    /// `COUNT` or `P99(duration_ms)`.
    pub results: Answer,
    /// The same for each point of time, which is the first column, and the groups of `results`
    /// only. None without a granularity.
    pub series: Option<Answer>,
    /// For each heat map: time, the upper bound of a bucket of values, and how many rows are in it.
    /// A bucket reaches down to its bound divided by the fourth root of 2.
    pub heatmaps: Vec<Answer>,
}

impl Session {
    pub(crate) async fn query(&self, plan: &Plan) -> Result<QueryAnswer, QueryError> {
        let context = self.context(&Names::default())?;
        let is_rolled_up = can_be_rolled_up(plan);
        let rows = match is_rolled_up {
            true => self.rolled_rows(plan, &context).await?,
            false => self.rows(plan, &context)?,
        };
        let query = Query {
            rows,
            is_rolled_up,
            plan,
            context,
        };
        let groups = query.groups()?;
        let mut results = self.collect(groups).await?;
        let mut series = None;
        if plan.step_nanos.is_some() && results.rows() > 0 {
            let lines = query.series(&results)?;
            series = Some(query.named(self.collect(lines).await?, 1)?);
        }
        results.truncated |= trim(&mut results, plan.limit);
        let mut heatmaps = Vec::new();
        for (number, _) in plan.heatmaps.iter().enumerate() {
            heatmaps.push(self.collect(query.heatmap(number)?).await?);
        }
        Ok(QueryAnswer {
            results: query.named(results, 0)?,
            series,
            heatmaps,
        })
    }

    /// The sums of the rows that count: `time`, breakdowns and sums.
    async fn rolled_rows(
        &self,
        plan: &Plan,
        context: &SessionContext,
    ) -> Result<DataFrame, QueryError> {
        let table = self.rolled_up(plan).await?;
        let schema = table.schema();
        let frame = filtered_by(plan, context.read_table(table)?, &schema)?;
        let mut columns = vec![ident("time")];
        columns.extend(breakdowns(plan));
        columns.extend(rolled::summed());
        Ok(frame.select(columns)?)
    }

    /// The rows that count, with what is needed of them: `time`, breakdowns `b0`.., the columns of
    /// calculations `c0`.. and of heat maps `h0`...
    fn rows(&self, plan: &Plan, context: &SessionContext) -> Result<DataFrame, QueryError> {
        let dataset = plan.spec.dataset;
        let mut attributes = BTreeSet::new();
        let calculated = plan
            .calculations
            .iter()
            .filter_map(|calculation| calculation.column.as_ref());
        let filtered = plan.spec.filters.iter().map(|filter| &filter.column);
        let named = plan
            .spec
            .breakdowns
            .iter()
            .chain(calculated)
            .chain(filtered)
            .chain(&plan.heatmaps);
        for name in named {
            if dataset.column(name).is_none() {
                attributes.insert(name.clone());
            }
        }
        let table: Arc<dyn TableProvider> = Arc::new(self.table(dataset, attributes)?);
        let schema = table.schema();
        let type_of = |name: &str| {
            schema
                .field_with_name(name)
                .map(|field| field.data_type().clone())
        };
        let frame = context.read_table(table)?;

        let time = |nanos: u64| {
            let nanos = i64::try_from(nanos).unwrap_or(i64::MAX);
            lit(ScalarValue::TimestampNanosecond(
                Some(nanos),
                Some("UTC".into()),
            ))
        };
        let mut frame = frame.filter(
            ident("time")
                .gt_eq(time(plan.from.0))
                .and(ident("time").lt(time(plan.to.0))),
        )?;
        frame = filtered_by(plan, frame, &schema)?;
        let mut columns = vec![ident("time")];
        columns.extend(breakdowns(plan));
        for (number, calculation) in plan.calculations.iter().enumerate() {
            if let Some(name) = &calculation.column {
                let counts = matches!(calculation.op, Operation::Count | Operation::CountDistinct);
                let value = if counts {
                    ident(name)
                } else {
                    number_of(name, &type_of(name).map_err(unknown)?)
                };
                columns.push(value.alias(format!("c{number}")));
            }
        }
        for (number, name) in plan.heatmaps.iter().enumerate() {
            let value = number_of(name, &type_of(name).map_err(unknown)?);
            columns.push(value.alias(format!("h{number}")));
        }
        Ok(frame.select(columns)?)
    }
}

/// The rows that the filters let through.
fn filtered_by(plan: &Plan, frame: DataFrame, schema: &Schema) -> Result<DataFrame, QueryError> {
    let mut filters = Vec::new();
    for filter in &plan.spec.filters {
        let field = schema.field_with_name(&filter.column).map_err(unknown)?;
        filters.push(condition(filter, field.data_type())?);
    }
    let combined = filters
        .into_iter()
        .reduce(|a, b| match plan.spec.filter_combination {
            Combination::And => a.and(b),
            Combination::Or => a.or(b),
        });
    Ok(match combined {
        Some(filter) => frame.filter(filter)?,
        None => frame,
    })
}

/// The columns of the breakdowns as `b0`..
fn breakdowns(plan: &Plan) -> impl Iterator<Item = Expr> {
    let names = plan.spec.breakdowns.iter().enumerate();
    names.map(|(number, name)| ident(name).alias(format!("b{number}")))
}

/// A query that is being run.
struct Query<'a> {
    plan: &'a Plan,
    context: SessionContext,
    rows: DataFrame,
    /// Rows are sums of rows.
    is_rolled_up: bool,
}

impl Query<'_> {
    fn groups(&self) -> Result<DataFrame, QueryError> {
        let frame = self
            .rows
            .clone()
            .aggregate(self.breakdowns(), self.calculations(self.plan.seconds()))?;
        let frame = self.having(frame)?;
        Ok(frame
            .sort(self.orders())?
            .limit(0, Some(self.plan.limit + 1))?)
    }

    /// Points of time of the groups that are shown.
    fn series(&self, results: &Answer) -> Result<DataFrame, QueryError> {
        let step = self.plan.step_nanos.unwrap_or(1);
        let groups = self.context.read_batches(
            results
                .batches
                .iter()
                .map(|batch| batch.slice(0, batch.num_rows())),
        )?;
        let renamed = (0..self.plan.spec.breakdowns.len())
            .map(|number| ident(format!("b{number}")).alias(format!("g{number}")));
        let mut rows = self.rows.clone();
        if !self.plan.spec.breakdowns.is_empty() {
            let groups = groups
                .limit(0, Some(self.plan.limit))?
                .select(renamed.collect::<Vec<_>>())?;
            let same = (0..self.plan.spec.breakdowns.len()).map(|number| {
                datafusion::logical_expr::binary_expr(
                    ident(format!("b{number}")),
                    datafusion::logical_expr::Operator::IsNotDistinctFrom,
                    ident(format!("g{number}")),
                )
            });
            rows = rows.join_on(groups, JoinType::LeftSemi, same)?;
        }
        let mut by = vec![bucket(step).alias("time")];
        by.extend(self.breakdowns());
        #[allow(clippy::cast_precision_loss)] // a rate needs no nanoseconds
        let seconds = step as f64 / 1e9;
        let frame = rows.aggregate(by, self.calculations(seconds))?;
        let mut order = vec![ident("time").sort(true, false)];
        let breakdowns = self.breakdowns();
        order.extend(breakdowns.into_iter().map(|name| name.sort(true, false)));
        Ok(frame.sort(order)?)
    }

    fn heatmap(&self, number: usize) -> Result<DataFrame, QueryError> {
        let value = || ident(format!("h{number}"));
        // Four buckets for each doubling; what is not above zero is in the bucket 0.
        let exponent = ceil(log2(value()) * lit(4.0)) / lit(4.0);
        let bound = datafusion::logical_expr::when(value().gt(lit(0.0)), power(lit(2.0), exponent))
            .otherwise(lit(0.0))?;
        let rows = self.rows.clone().filter(value().is_not_null())?;
        let by = vec![
            bucket(self.plan.heatmap_step_nanos).alias("time"),
            bound.alias("up_to"),
        ];
        let frame = rows.aggregate(by, vec![count(lit(1)).alias("rows")])?;
        Ok(frame.sort(vec![
            ident("time").sort(true, false),
            ident("up_to").sort(true, false),
        ])?)
    }

    fn breakdowns(&self) -> Vec<Expr> {
        let numbers = 0..self.plan.spec.breakdowns.len();
        numbers.map(|number| ident(format!("b{number}"))).collect()
    }

    fn calculations(&self, seconds: f64) -> Vec<Expr> {
        let calculations = self.plan.calculations.iter().enumerate();
        let exprs = calculations.map(|(number, calculation)| {
            let value = ident(format!("c{number}"));
            let result = match self.is_rolled_up {
                true => rolled::aggregate(calculation, seconds),
                false => aggregate(calculation, value, seconds),
            };
            result.alias(format!("r{number}"))
        });
        exprs.collect()
    }

    fn having(&self, frame: DataFrame) -> Result<DataFrame, QueryError> {
        self.plan
            .havings
            .iter()
            .try_fold(frame, |frame, (place, op, value)| {
                let (result, value) = (ident(format!("r{place}")), lit(*value));
                let holds = match op {
                    Operator::Eq => result.eq(value),
                    Operator::NotEq => result.not_eq(value),
                    Operator::Lt => result.lt(value),
                    Operator::LtEq => result.lt_eq(value),
                    Operator::Gt => result.gt(value),
                    _ => result.gt_eq(value),
                };
                Ok(frame.filter(holds)?)
            })
    }

    fn orders(&self) -> Vec<SortExpr> {
        let orders = self.plan.orders.iter().map(|(by, direction)| {
            let by = match by {
                OrderBy::Breakdown(number) => ident(format!("b{number}")),
                OrderBy::Calculation(number) => ident(format!("r{number}")),
            };
            by.sort(*direction == Direction::Ascending, false)
        });
        // Groups that are equal in it have an order too, so that an answer is the same each time.
        orders
            .chain(
                self.breakdowns()
                    .into_iter()
                    .map(|name| name.sort(true, false)),
            )
            .collect()
    }

    /// Gives the columns after the first `before` the names that were asked for.
    fn named(&self, mut answer: Answer, before: usize) -> Result<Answer, QueryError> {
        let breakdowns = self.plan.spec.breakdowns.iter().cloned();
        let calculations = self.plan.calculations.iter().map(ToString::to_string);
        let names: Vec<String> = breakdowns.chain(calculations).collect();
        let fields = answer
            .schema
            .fields()
            .iter()
            .enumerate()
            .map(|(place, field)| {
                match place.checked_sub(before).and_then(|place| names.get(place)) {
                    Some(name) => Arc::new(field.as_ref().clone().with_name(name)),
                    None => Arc::clone(field),
                }
            });
        answer.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        for batch in &mut answer.batches {
            let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
            let (schema, columns) = (Arc::clone(&answer.schema), batch.columns().to_vec());
            let renamed = RecordBatch::try_new_with_options(schema, columns, &options);
            *batch = renamed.map_err(|error| QueryError::Failed(error.to_string()))?;
        }
        Ok(answer)
    }
}

fn aggregate(calculation: &Calculation, value: Expr, seconds: f64) -> Expr {
    match calculation.op {
        Operation::Count | Operation::Heatmap => match calculation.column {
            None => count(lit(1)),
            Some(_) => count(value),
        },
        Operation::Rate => cast(count(lit(1)), DataType::Float64) / lit(seconds),
        Operation::Sum => sum(value),
        Operation::Avg => avg(value),
        Operation::Min => min(value),
        Operation::Max => max(value),
        Operation::CountDistinct => approx_distinct(value),
        Operation::Percentile(percent) => {
            approx_percentile_cont(value.sort(true, false), lit(percent / 100.0), None)
        }
    }
}

fn bucket(step_nanos: u64) -> Expr {
    let step = IntervalMonthDayNano::new(0, 0, i64::try_from(step_nanos).unwrap_or(i64::MAX));
    date_bin(
        lit(ScalarValue::IntervalMonthDayNano(Some(step))),
        ident("time"),
        lit(ScalarValue::TimestampNanosecond(
            Some(0),
            Some("UTC".into()),
        )),
    )
}

/// A column as a number; texts that are no numbers have none.
fn number_of(name: &str, data_type: &DataType) -> Expr {
    if data_type == &DataType::Float64 {
        ident(name)
    } else if matches!(data_type, DataType::Timestamp(..)) {
        cast(cast(ident(name), DataType::Int64), DataType::Float64)
    } else {
        try_cast(text_of(name, data_type), DataType::Float64)
    }
}

fn text_of(name: &str, data_type: &DataType) -> Expr {
    match data_type {
        DataType::Utf8 | DataType::Int64 | DataType::Boolean => ident(name),
        _ => cast(ident(name), DataType::Utf8),
    }
}

fn condition(filter: &Filter, data_type: &DataType) -> Result<Expr, QueryError> {
    use serde_json::Value;
    let name = filter.column.as_str();
    let text = || cast(ident(name), DataType::Utf8);
    let needs_text = || {
        filter.value.as_str().map(str::to_owned).ok_or_else(|| {
            QueryError::Invalid(format!("the filter on {name} needs a text as its `value`"))
        })
    };
    let no = |holds: Expr| holds.is_not_true();
    Ok(match filter.op {
        Operator::Exists => ident(name).is_not_null(),
        Operator::DoesNotExist => ident(name).is_null(),
        Operator::Contains => contains(text(), lit(needs_text()?)),
        Operator::DoesNotContain => no(contains(text(), lit(needs_text()?))),
        Operator::StartsWith => starts_with(text(), lit(needs_text()?)),
        Operator::DoesNotStartWith => no(starts_with(text(), lit(needs_text()?))),
        Operator::EndsWith => ends_with(text(), lit(needs_text()?)),
        Operator::Matches => regexp_like(text(), lit(needs_text()?), None),
        Operator::In | Operator::NotIn => {
            let Value::Array(values) = &filter.value else {
                return Err(QueryError::Invalid(format!(
                    "the filter on {name} needs a list as its `value`"
                )));
            };
            let mut any = lit(false);
            for value in values {
                let (left, right) = sides(name, data_type, value)?;
                any = any.or(left.eq(right));
            }
            if filter.op == Operator::In {
                any
            } else {
                no(any)
            }
        }
        Operator::Eq => compare(name, data_type, &filter.value, Expr::eq)?,
        Operator::NotEq => no(compare(name, data_type, &filter.value, Expr::eq)?),
        Operator::Lt => compare(name, data_type, &filter.value, Expr::lt)?,
        Operator::LtEq => compare(name, data_type, &filter.value, Expr::lt_eq)?,
        Operator::Gt => compare(name, data_type, &filter.value, Expr::gt)?,
        Operator::GtEq => compare(name, data_type, &filter.value, Expr::gt_eq)?,
    })
}

fn compare(
    name: &str,
    data_type: &DataType,
    value: &serde_json::Value,
    with: impl FnOnce(Expr, Expr) -> Expr,
) -> Result<Expr, QueryError> {
    let (left, right) = sides(name, data_type, value)?;
    Ok(with(left, right))
}

/// A column and a value, as something that can be compared.
fn sides(
    name: &str,
    data_type: &DataType,
    value: &serde_json::Value,
) -> Result<(Expr, Expr), QueryError> {
    use serde_json::Value;
    let numeric = matches!(data_type, DataType::Int64 | DataType::Float64);
    Ok(match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) if data_type == &DataType::Int64 => (ident(name), lit(number)),
            _ => {
                let number = number.as_f64().unwrap_or(f64::NAN);
                (number_of(name, data_type), lit(number))
            }
        },
        Value::Bool(truth) if data_type == &DataType::Boolean => (ident(name), lit(*truth)),
        Value::Bool(truth) => (cast(ident(name), DataType::Utf8), lit(truth.to_string())),
        Value::String(text) if numeric => {
            let number: f64 = text.parse().map_err(|_| {
                QueryError::Invalid(format!("{name} holds numbers, and `{text}` is none"))
            })?;
            (number_of(name, data_type), lit(number))
        }
        // Times too: the engine reads RFC 3339 where a time is compared with a text.
        Value::String(text) if data_type == &DataType::Boolean => {
            (cast(ident(name), DataType::Utf8), lit(text.clone()))
        }
        Value::String(text) => (ident(name), lit(text.clone())),
        _ => {
            return Err(QueryError::Invalid(format!(
                "the filter on {name} needs a text, a number or a truth value as its `value`"
            )));
        }
    })
}

/// Leaves as many rows as were asked for, and says whether there were more.
fn trim(answer: &mut Answer, rows_max: usize) -> bool {
    let more = answer.rows() > rows_max;
    crate::engine::cut(&mut answer.batches, rows_max);
    more
}

fn unknown(error: arrow::error::ArrowError) -> QueryError {
    QueryError::Invalid(error.to_string())
}
