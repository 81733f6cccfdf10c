//! The product's own form of a query: groups, calculations, filters, a time range.
//!
//! Its shape is that of Honeycomb's query specification, so that one who knows it can write it:
//!
//! ```json
//! {"dataset": "spans", "time_range": 3600, "granularity": 60,
//!  "breakdowns": ["service", "http.route"],
//!  "calculations": [{"op": "COUNT"}, {"op": "P99", "column": "duration_ms"}],
//!  "filters": [{"column": "status", "op": "=", "value": "error"}],
//!  "havings": [{"calculate_op": "COUNT", "op": ">", "value": 10}],
//!  "orders": [{"op": "COUNT", "order": "descending"}], "limit": 20}
//! ```

mod plan;
mod rolled;
mod run;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use throughline_store::{Condition as Filter, Dataset, Operator};
use throughline_telemetry::UnixNanos;

use crate::error::QueryError;

pub(crate) use plan::Plan;
pub use run::QueryAnswer;

/// What to calculate, over which rows, in which groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Spec {
    /// What is asked.
    pub dataset: Dataset,
    /// Columns and attributes whose values make the groups.
    pub breakdowns: Vec<String>,
    /// What to calculate for each group; the number of rows if nothing is said.
    pub calculations: Vec<Calculation>,
    /// Which rows count.
    pub filters: Vec<Filter>,
    /// Whether all filters must hold or one of them.
    pub filter_combination: Combination,
    /// Which groups are shown.
    pub havings: Vec<Having>,
    /// In which order; the first calculation, largest first, if nothing is said.
    pub orders: Vec<Order>,
    /// How many groups at most, 1 to 1000; 100 if nothing is said.
    pub limit: Option<usize>,
    /// Seconds of time that are looked at, to `end_time` or from `start_time`; two hours if nothing
    /// is said.
    pub time_range: Option<f64>,
    /// From when on, in seconds since 1970.
    pub start_time: Option<f64>,
    /// Up to when, in seconds since 1970; now if nothing is said.
    pub end_time: Option<f64>,
    /// Seconds of one point of the series. Without it there is no series.
    pub granularity: Option<f64>,
    /// `false`: not from what was summed up at the seal, but from the rows.
    pub rollup: Option<bool>,
}

impl Spec {
    /// The time that is looked at: from when on, and before when.
    pub fn times(&self, now: UnixNanos) -> Result<(UnixNanos, UnixNanos), QueryError> {
        plan::time_range(self, now)
    }
}

/// Something to calculate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calculation {
    /// What.
    pub op: Operation,
    /// Of which column or attribute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// What can be calculated. Written in capitals, read in either.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Operation {
    /// Rows; of a column, rows that have a value there.
    Count,
    /// Rows a second.
    Rate,
    /// The sum.
    Sum,
    /// The mean.
    Avg,
    /// The least.
    Min,
    /// The greatest.
    Max,
    /// Different values, to about 1 %.
    CountDistinct,
    /// A percentile from 0 to 100, to about 1 % of rank: `P50`, `P99`, `P99.9`; `P999` is the same.
    Percentile(f64),
    /// How many rows have values of which size, over time.
    Heatmap,
}

/// Whether all filters must hold or one of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Combination {
    /// All.
    #[default]
    And,
    /// At least one.
    Or,
}

/// A condition on groups.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Having {
    /// One of the calculations.
    pub calculate_op: Operation,
    /// Its column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `=`, `!=`, `<`, `<=`, `>` or `>=`.
    pub op: Operator,
    /// With what.
    pub value: f64,
}

/// By what to order groups: a calculation, or a column of the breakdowns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// The calculation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<Operation>,
    /// Its column, or the breakdown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// Smallest first if nothing is said.
    #[serde(default)]
    pub order: Direction,
}

/// Which end comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

impl fmt::Display for Calculation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.column {
            None => write!(f, "{}", self.op),
            Some(column) => write!(f, "{}({column})", self.op),
        }
    }
}

impl fmt::Display for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Operation::Percentile(percent) => write!(f, "P{percent}"),
            other => f.write_str(
                NAMES
                    .iter()
                    .find(|(_, op)| op == other)
                    .map_or("", |(name, _)| name),
            ),
        }
    }
}

impl FromStr for Operation {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let upper = text.to_uppercase();
        if let Some((_, op)) = NAMES.iter().find(|(name, _)| *name == upper) {
            return Ok(*op);
        }
        let percent = upper.strip_prefix('P').and_then(percent);
        percent.map(Operation::Percentile).ok_or_else(|| {
            let names: Vec<&str> = NAMES.iter().map(|(name, _)| *name).collect();
            format!(
                "unknown calculation {text}: known are {} and P0 to P100",
                names.join(", ")
            )
        })
    }
}

/// `99` and `99.9` are what they say; `999` and `001`, three digits without a point, are tenths.
fn percent(digits: &str) -> Option<f64> {
    let number: f64 = digits.parse().ok()?;
    let tenths = digits.len() == 3 && digits != "100" && !digits.contains('.');
    let percent = if tenths { number / 10.0 } else { number };
    (digits.starts_with(|first: char| first.is_ascii_digit()) && (0.0..=100.0).contains(&percent))
        .then_some(percent)
}

impl TryFrom<String> for Operation {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Operation> for String {
    fn from(operation: Operation) -> String {
        operation.to_string()
    }
}

const NAMES: &[(&str, Operation)] = &[
    ("COUNT", Operation::Count),
    ("RATE", Operation::Rate),
    ("SUM", Operation::Sum),
    ("AVG", Operation::Avg),
    ("MIN", Operation::Min),
    ("MAX", Operation::Max),
    ("COUNT_DISTINCT", Operation::CountDistinct),
    ("HEATMAP", Operation::Heatmap),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_read_as_people_write_them() {
        let check = |text: &str, expect: Option<f64>| {
            let op: Result<Operation, _> = text.parse();
            assert_eq!(op.ok(), expect.map(Operation::Percentile), "{text}");
        };
        check("P50", Some(50.0));
        check("p99.9", Some(99.9));
        check("P999", Some(99.9));
        check("P001", Some(0.1));
        check("P05", Some(5.0));
        check("P100", Some(100.0));
        check("P101", Some(10.1));
        check("P-1", None);
        check("Pinf", None);
    }
}
