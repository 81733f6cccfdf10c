//! A query that was checked: nothing in it can be meant in two ways.

use throughline_telemetry::UnixNanos;

use super::{Calculation, Direction, Operation, Operator, Order, Spec};
use crate::error::QueryError;

/// A checked query with every default filled in.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Plan {
    pub(crate) spec: Spec,
    pub(crate) from: UnixNanos,
    pub(crate) to: UnixNanos,
    /// Without heat maps, which are calculated apart.
    pub(crate) calculations: Vec<Calculation>,
    /// Columns of heat maps.
    pub(crate) heatmaps: Vec<String>,
    pub(crate) orders: Vec<(OrderBy, Direction)>,
    /// The calculation, the comparison and the number of each condition on groups.
    pub(crate) havings: Vec<(usize, Operator, f64)>,
    pub(crate) limit: usize,
    /// Width of a point of the series.
    pub(crate) step_nanos: Option<u64>,
    /// Width of a column of a heat map.
    pub(crate) heatmap_step_nanos: u64,
}

/// What groups are ordered by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OrderBy {
    Breakdown(usize),
    Calculation(usize),
}

impl Plan {
    pub(crate) fn new(spec: &Spec, now: UnixNanos) -> Result<Self, QueryError> {
        let (from, to) = time_range(spec, now)?;
        let width = to.0 - from.0;
        let (heatmaps, mut calculations): (Vec<_>, Vec<_>) = spec
            .calculations
            .iter()
            .cloned()
            .partition(|calculation| calculation.op == Operation::Heatmap);
        for calculation in heatmaps.iter().chain(&calculations) {
            check(calculation)?;
        }
        if calculations.is_empty() {
            calculations.push(Calculation {
                op: Operation::Count,
                column: None,
            });
        }
        limit_of("breakdowns", spec.breakdowns.len(), BREAKDOWNS_MAX)?;
        limit_of("calculations", spec.calculations.len(), CALCULATIONS_MAX)?;
        limit_of("filters", spec.filters.len(), FILTERS_MAX)?;
        let limit = spec.limit.unwrap_or(GROUPS);
        if !(1..=GROUPS_MAX).contains(&limit) {
            return Err(invalid(format!(
                "`limit` must be from 1 to {GROUPS_MAX}, not {limit}"
            )));
        }
        let step_nanos = spec
            .granularity
            .map(|seconds| step(seconds, width))
            .transpose()?;
        let heatmaps = heatmaps
            .into_iter()
            .filter_map(|calculation| calculation.column);
        let mut plan = Plan {
            spec: spec.clone(),
            from,
            to,
            calculations,
            heatmaps: heatmaps.collect(),
            orders: Vec::new(),
            havings: Vec::new(),
            limit,
            step_nanos,
            heatmap_step_nanos: step_nanos.unwrap_or((width / HEATMAP_COLUMNS).max(1)),
        };
        plan.havings = plan.find_havings()?;
        plan.orders = plan.find_orders()?;
        Ok(plan)
    }

    fn find_havings(&self) -> Result<Vec<(usize, Operator, f64)>, QueryError> {
        let havings = self.spec.havings.iter().map(|having| {
            let compares = matches!(
                having.op,
                Operator::Eq
                    | Operator::NotEq
                    | Operator::Lt
                    | Operator::LtEq
                    | Operator::Gt
                    | Operator::GtEq
            );
            if !compares {
                return Err(invalid(
                    "`havings` compare with =, !=, <, <=, > or >=".to_owned(),
                ));
            }
            let place = self.calculation(having.calculate_op, having.column.as_deref());
            let place = place.ok_or_else(|| {
                invalid(format!(
                    "`havings` names {}, which is not among the calculations",
                    having.calculate_op
                ))
            })?;
            Ok((place, having.op, having.value))
        });
        havings.collect()
    }

    fn find_orders(&self) -> Result<Vec<(OrderBy, Direction)>, QueryError> {
        if self.spec.orders.is_empty() {
            return Ok(vec![(OrderBy::Calculation(0), Direction::Descending)]);
        }
        let orders = self.spec.orders.iter().map(|order| {
            let by = self.order_by(order).ok_or_else(|| {
                let named = order.op.map(|op| op.to_string());
                let named = named.or(order.column.clone()).unwrap_or_default();
                invalid(format!(
                    "`orders` names {named}, which is neither a calculation nor a breakdown"
                ))
            })?;
            Ok((by, order.order))
        });
        orders.collect()
    }

    fn order_by(&self, order: &Order) -> Option<OrderBy> {
        if let Some(op) = order.op {
            return self
                .calculation(op, order.column.as_deref())
                .map(OrderBy::Calculation);
        }
        let column = order.column.as_ref()?;
        let place = self.spec.breakdowns.iter().position(|name| name == column);
        place.map(OrderBy::Breakdown)
    }

    fn calculation(&self, op: Operation, column: Option<&str>) -> Option<usize> {
        self.calculations
            .iter()
            .position(|known| known.op == op && known.column.as_deref() == column)
    }

    /// How long the time that is looked at is, in seconds.
    #[allow(clippy::cast_precision_loss)] // a rate needs no nanoseconds
    pub(crate) fn seconds(&self) -> f64 {
        (self.to.0 - self.from.0) as f64 / 1e9
    }
}

fn check(calculation: &Calculation) -> Result<(), QueryError> {
    let needs_column = !matches!(calculation.op, Operation::Count | Operation::Rate);
    if needs_column && calculation.column.is_none() {
        return Err(invalid(format!("{} needs a `column`", calculation.op)));
    }
    if calculation.op == Operation::Rate && calculation.column.is_some() {
        return Err(invalid("RATE counts rows and takes no `column`".to_owned()));
    }
    Ok(())
}

fn limit_of(what: &str, count: usize, max: usize) -> Result<(), QueryError> {
    if count > max {
        return Err(invalid(format!(
            "`{what}` may have {max} entries at most, not {count}"
        )));
    }
    Ok(())
}

pub(super) fn time_range(
    spec: &Spec,
    now: UnixNanos,
) -> Result<(UnixNanos, UnixNanos), QueryError> {
    let at = |name: &str, seconds: f64| {
        nanos(seconds).map(UnixNanos).ok_or_else(|| {
            invalid(format!(
                "`{name}` must be seconds since 1970, not {seconds}"
            ))
        })
    };
    let range = match spec.time_range {
        None => RANGE_NANOS,
        Some(seconds) => nanos(seconds).filter(|nanos| *nanos > 0).ok_or_else(|| {
            invalid(format!(
                "`time_range` must be seconds, more than 0, not {seconds}"
            ))
        })?,
    };
    let (from, to) = match (spec.start_time, spec.end_time) {
        (Some(_), Some(_)) if spec.time_range.is_some() => {
            return Err(invalid(
                "of `start_time`, `end_time` and `time_range` two at most may be given".to_owned(),
            ));
        }
        (Some(from), Some(to)) => (at("start_time", from)?, at("end_time", to)?),
        (Some(from), None) => {
            let from = at("start_time", from)?;
            let to = spec
                .time_range
                .map_or(now.0, |_| from.0.saturating_add(range));
            (from, UnixNanos(to))
        }
        (None, to) => {
            let to = to.map_or(Ok(now), |to| at("end_time", to))?;
            (UnixNanos(to.0.saturating_sub(range)), to)
        }
    };
    if from >= to {
        return Err(invalid(
            "the time range is empty: it ends before it begins".to_owned(),
        ));
    }
    Ok((from, to))
}

fn step(seconds: f64, width: u64) -> Result<u64, QueryError> {
    let step = nanos(seconds).filter(|step| *step > 0);
    let step = step.ok_or_else(|| {
        invalid(format!(
            "`granularity` must be seconds, more than 0, not {seconds}"
        ))
    })?;
    if width / step > POINTS_MAX {
        return Err(invalid(format!(
            "`granularity` of {seconds} s makes more than {POINTS_MAX} points of the time range"
        )));
    }
    Ok(step)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // within the range that is checked
fn nanos(seconds: f64) -> Option<u64> {
    let nanos = seconds * 1e9;
    (0.0..9.2e18).contains(&nanos).then_some(nanos as u64)
}

fn invalid(what: String) -> QueryError {
    QueryError::Invalid(what)
}

const BREAKDOWNS_MAX: usize = 20;
const CALCULATIONS_MAX: usize = 20;
const FILTERS_MAX: usize = 100;
/// Groups of an answer, unless asked otherwise.
const GROUPS: usize = 100;
/// Groups of an answer at most.
const GROUPS_MAX: usize = 1000;
/// Points of one line.
const POINTS_MAX: u64 = 2000;
/// Columns of a heat map, unless a granularity is asked for.
const HEATMAP_COLUMNS: u64 = 60;
/// Two hours.
const RANGE_NANOS: u64 = 7200 * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixNanos = UnixNanos(1_000_000 * 1_000_000_000);

    fn check(json: &str) -> Result<Plan, String> {
        let spec: Spec = serde_json::from_str(json).map_err(|error| error.to_string())?;
        Plan::new(&spec, NOW).map_err(|error| error.to_string())
    }

    #[test]
    fn nothing_said_counts_the_last_two_hours() {
        let plan = check("{}").unwrap();
        assert_eq!(plan.from.0, NOW.0 - RANGE_NANOS);
        assert_eq!(plan.to, NOW);
        assert_eq!(plan.calculations[0].to_string(), "COUNT");
        assert_eq!(
            plan.orders,
            [(OrderBy::Calculation(0), Direction::Descending)]
        );
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let bad = [
            r#"{"calculations": [{"op": "SUM"}]}"#,
            r#"{"calculations": [{"op": "MODE", "column": "x"}]}"#,
            r#"{"limit": 0}"#,
            r#"{"start_time": 5, "end_time": 4}"#,
            r#"{"start_time": 5, "end_time": 9, "time_range": 3}"#,
            r#"{"time_range": -1}"#,
            r#"{"granularity": 0.001}"#,
            r#"{"havings": [{"calculate_op": "SUM", "column": "x", "op": ">", "value": 1}]}"#,
            r#"{"orders": [{"column": "nowhere"}]}"#,
            r#"{"filter": []}"#,
        ];
        for json in bad {
            assert!(check(json).is_err(), "{json}");
        }
    }
}
