//! One condition on one column, decided for many rows at once.
//!
//! What a value is compared as depends on the column and on what it is compared with, as in a query
//! (`crates/query`), which a test holds the two to: numbers as numbers, a time with RFC 3339, and
//! everything else as text. A row without a value holds for no comparison, and so for every one that
//! says no.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, Float64Array, Int64Array, Scalar, StringArray,
};
use arrow::buffer::BooleanBuffer;
use arrow::compute::kernels::cmp;
use arrow::compute::kernels::comparison::{contains, ends_with, starts_with};
use arrow::compute::{CastOptions, cast, cast_with_options};
use arrow::datatypes::DataType;
use arrow::error::ArrowError;
use regex::Regex;
use serde_json::Value;

use super::{Condition, Operator};
use crate::limits::CONDITION_VALUES_MAX;

/// A condition that was understood.
#[derive(Debug)]
pub(super) struct Check {
    what: What,
    /// Whether it holds where the rest does not.
    negated: bool,
}

#[derive(Debug)]
enum What {
    Exists,
    Text(Kernel, Scalar<StringArray>),
    Matches(Regex),
    /// The comparison with one of these holds.
    Any(Kernel, Vec<Literal>),
}

type Kernel = fn(&dyn Datum, &dyn Datum) -> Result<BooleanArray, ArrowError>;

/// Something to compare with.
#[derive(Debug)]
struct Literal {
    as_what: As,
    value: Scalar<ArrayRef>,
}

/// What a column becomes for a comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum As {
    Itself,
    Number,
    Text,
}

impl Check {
    /// Of a column of this type, or what is wrong with it.
    pub(super) fn new(condition: &Condition, data_type: &DataType) -> Result<Self, String> {
        let (what, negated) = match condition.op {
            Operator::Exists => (What::Exists, false),
            Operator::DoesNotExist => (What::Exists, true),
            Operator::Contains => (text(contains, condition)?, false),
            Operator::DoesNotContain => (text(contains, condition)?, true),
            Operator::StartsWith => (text(starts_with, condition)?, false),
            Operator::DoesNotStartWith => (text(starts_with, condition)?, true),
            Operator::EndsWith => (text(ends_with, condition)?, false),
            Operator::Matches => (matches(condition)?, false),
            Operator::In => (any_of(condition, data_type)?, false),
            Operator::NotIn => (any_of(condition, data_type)?, true),
            Operator::Eq => (with(cmp::eq, condition, data_type)?, false),
            Operator::NotEq => (with(cmp::eq, condition, data_type)?, true),
            Operator::Lt => (with(cmp::lt, condition, data_type)?, false),
            Operator::LtEq => (with(cmp::lt_eq, condition, data_type)?, false),
            Operator::Gt => (with(cmp::gt, condition, data_type)?, false),
            Operator::GtEq => (with(cmp::gt_eq, condition, data_type)?, false),
        };
        Ok(Check { what, negated })
    }

    /// For which rows it holds.
    pub(super) fn holds(&self, column: &ArrayRef) -> Result<BooleanBuffer, ArrowError> {
        let holds = match &self.what {
            What::Exists => match column.logical_nulls() {
                None => BooleanBuffer::new_set(column.len()),
                Some(nulls) => nulls.into_inner(),
            },
            What::Text(kernel, with) => is_true(&kernel(&as_text(column)?, with)?),
            What::Matches(regex) => matched(&as_text(column)?, regex),
            What::Any(kernel, literals) => {
                let mut any = BooleanBuffer::new_unset(column.len());
                for literal in literals {
                    let side = literal.as_what.make(column)?;
                    any = &any | &is_true(&kernel(&side, &literal.value)?);
                }
                any
            }
        };
        Ok(if self.negated { !&holds } else { holds })
    }
}

impl As {
    fn make(self, column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
        match self {
            As::Itself => Ok(Arc::clone(column)),
            As::Text => as_text(column),
            As::Number => match column.data_type() {
                DataType::Float64 => Ok(Arc::clone(column)),
                DataType::Timestamp(..) => {
                    cast(&cast(column, &DataType::Int64)?, &DataType::Float64)
                }
                // Texts that are no numbers have none.
                _ => cast(&as_text_or_whole(column)?, &DataType::Float64),
            },
        }
    }
}

/// A column as text; where texts repeat they stay as they are.
fn as_text(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Utf8 => Ok(Arc::clone(column)),
        DataType::Dictionary(_, texts) if **texts == DataType::Utf8 => Ok(Arc::clone(column)),
        _ => cast(column, &DataType::Utf8),
    }
}

fn as_text_or_whole(column: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match column.data_type() {
        DataType::Utf8 | DataType::Int64 | DataType::Boolean => Ok(Arc::clone(column)),
        _ => cast(column, &DataType::Utf8),
    }
}

fn is_true(truth: &BooleanArray) -> BooleanBuffer {
    match truth.nulls() {
        None => truth.values().clone(),
        Some(nulls) => truth.values() & nulls.inner(),
    }
}

fn matched(column: &ArrayRef, regex: &Regex) -> BooleanBuffer {
    each_text(column, |text| regex.is_match(text))
}

/// For which rows something holds that depends on their text alone. A text that repeats is looked at
/// once.
pub(super) fn each_text(column: &ArrayRef, holds: impl Fn(&str) -> bool) -> BooleanBuffer {
    let Some(dictionary) = column.as_any_dictionary_opt() else {
        let texts = column.as_string::<i32>();
        return BooleanBuffer::collect_bool(texts.len(), |row| {
            texts.is_valid(row) && holds(texts.value(row))
        });
    };
    let texts = dictionary.values().as_string::<i32>();
    if texts.is_empty() {
        return BooleanBuffer::new_unset(column.len());
    }
    let of_text: Vec<bool> = texts.iter().map(|text| text.is_some_and(&holds)).collect();
    let keys = dictionary.normalized_keys();
    BooleanBuffer::collect_bool(keys.len(), |row| {
        dictionary.keys().is_valid(row) && of_text[keys[row]]
    })
}

fn text(kernel: Kernel, condition: &Condition) -> Result<What, String> {
    let text = needed_text(condition)?;
    Ok(What::Text(kernel, StringArray::new_scalar(text)))
}

fn matches(condition: &Condition) -> Result<What, String> {
    let pattern = needed_text(condition)?;
    let regex = Regex::new(pattern);
    regex
        .map(What::Matches)
        .map_err(|error| format!("`{pattern}` is no regular expression: {error}"))
}

fn needed_text(condition: &Condition) -> Result<&str, String> {
    condition.value.as_str().ok_or_else(|| {
        let column = &condition.column;
        format!("the filter on {column} needs a text as its `value`")
    })
}

fn any_of(condition: &Condition, data_type: &DataType) -> Result<What, String> {
    let column = &condition.column;
    let Value::Array(values) = &condition.value else {
        return Err(format!(
            "the filter on {column} needs a list as its `value`"
        ));
    };
    if values.len() > CONDITION_VALUES_MAX {
        return Err(format!(
            "the filter on {column} may have {CONDITION_VALUES_MAX} values at most, not {}",
            values.len()
        ));
    }
    let literals = values.iter().map(|value| literal(column, data_type, value));
    Ok(What::Any(cmp::eq, literals.collect::<Result<_, _>>()?))
}

fn with(kernel: Kernel, condition: &Condition, data_type: &DataType) -> Result<What, String> {
    let literal = literal(&condition.column, data_type, &condition.value)?;
    Ok(What::Any(kernel, vec![literal]))
}

fn literal(column: &str, data_type: &DataType, value: &Value) -> Result<Literal, String> {
    let numeric = matches!(data_type, DataType::Int64 | DataType::Float64);
    Ok(match value {
        Value::Number(number) => match number.as_i64() {
            Some(number) if *data_type == DataType::Int64 => Literal {
                as_what: As::Itself,
                value: scalar(Int64Array::from(vec![number])),
            },
            _ => a_number(number.as_f64().unwrap_or(f64::NAN)),
        },
        Value::Bool(truth) if *data_type == DataType::Boolean => Literal {
            as_what: As::Itself,
            value: scalar(BooleanArray::from(vec![*truth])),
        },
        Value::Bool(truth) => a_text(&truth.to_string()),
        Value::String(text) if numeric => a_number(
            text.parse()
                .map_err(|_| format!("{column} holds numbers, and `{text}` is none"))?,
        ),
        Value::String(text) if matches!(data_type, DataType::Timestamp(..)) => {
            a_time(column, data_type, text)?
        }
        Value::String(text) => a_text(text),
        _ => {
            return Err(format!(
                "the filter on {column} needs a text, a number or a truth value as its `value`"
            ));
        }
    })
}

fn a_number(number: f64) -> Literal {
    Literal {
        as_what: As::Number,
        value: scalar(Float64Array::from(vec![number])),
    }
}

fn a_text(text: &str) -> Literal {
    Literal {
        as_what: As::Text,
        value: scalar(StringArray::from(vec![text])),
    }
}

fn a_time(column: &str, data_type: &DataType, text: &str) -> Result<Literal, String> {
    let strictly = CastOptions {
        safe: false,
        ..CastOptions::default()
    };
    let time = cast_with_options(&StringArray::from(vec![text]), data_type, &strictly);
    let time = time.map_err(|_| {
        format!("{column} is a time, and `{text}` is none: write it as 2026-11-21T17:00:00Z")
    })?;
    Ok(Literal {
        as_what: As::Itself,
        value: Scalar::new(time),
    })
}

fn scalar(array: impl Array + 'static) -> Scalar<ArrayRef> {
    Scalar::new(Arc::new(array))
}
