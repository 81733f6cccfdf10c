//! What is asked of rows: conditions, and how they belong together.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::token::Phrase;

/// A condition on rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// Column or attribute.
    pub column: String,
    /// How to compare.
    pub op: Operator,
    /// With what: a text, a number, a truth value; for `in`, a list of them; for `exists`, nothing.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

/// How to compare. What says no (`!=`, `not-in`, `does-not-...`) holds for rows without a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operator {
    /// Equal.
    #[serde(rename = "=")]
    Eq,
    /// Not equal.
    #[serde(rename = "!=")]
    NotEq,
    /// Less.
    #[serde(rename = "<")]
    Lt,
    /// Less or equal.
    #[serde(rename = "<=")]
    LtEq,
    /// Greater.
    #[serde(rename = ">")]
    Gt,
    /// Greater or equal.
    #[serde(rename = ">=")]
    GtEq,
    /// One of a list.
    In,
    /// None of a list.
    NotIn,
    /// Has this in it.
    Contains,
    /// Has not.
    DoesNotContain,
    /// Begins with this.
    StartsWith,
    /// Does not.
    DoesNotStartWith,
    /// Ends with this.
    EndsWith,
    /// A regular expression matches some of it.
    Matches,
    /// Has a value.
    Exists,
    /// Has none.
    DoesNotExist,
}

/// Which rows are asked for. In JSON a condition stands as it is, and besides there are
/// `{"and": [...]}`, `{"or": [...]}` and `{"not": {...}}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// The condition holds.
    Is(Condition),
    /// The body of the log record has these words, one after the other.
    Says(Phrase),
    /// All of them hold; of none, always.
    All(Vec<Filter>),
    /// At least one of them holds; of none, never.
    Any(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
}

impl Default for Filter {
    /// All rows.
    fn default() -> Self {
        Filter::All(Vec::new())
    }
}

impl Filter {
    /// A condition.
    pub fn is(column: &str, op: Operator, value: impl Into<Value>) -> Self {
        Filter::Is(Condition {
            column: column.to_owned(),
            op,
            value: value.into(),
        })
    }

    /// Both hold.
    #[must_use]
    pub fn and(self, other: Filter) -> Self {
        match self {
            Filter::All(mut all) => {
                all.push(other);
                Filter::All(all)
            }
            one => Filter::All(vec![one, other]),
        }
    }
}

impl<'de> Deserialize<'de> for Filter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        read(value).map_err(D::Error::custom)
    }
}

/// JSON is nested 128 times at most, which its parser sees to.
fn read(value: Value) -> Result<Filter, serde_json::Error> {
    let Value::Object(mut object) = value else {
        return Err(serde_json::Error::custom(
            "a filter is a condition, or an object with `and`, `or` or `not`",
        ));
    };
    let only = (object.len() == 1).then(|| object.keys().next().cloned());
    let list = |value: Option<Value>| -> Result<Vec<Filter>, serde_json::Error> {
        let values: Vec<Value> = serde_json::from_value(value.unwrap_or_default())?;
        values.into_iter().map(read).collect()
    };
    match only.flatten().as_deref() {
        Some("and") => Ok(Filter::All(list(object.remove("and"))?)),
        Some("or") => Ok(Filter::Any(list(object.remove("or"))?)),
        Some("not") => {
            let inner = object.remove("not").unwrap_or_default();
            Ok(Filter::Not(Box::new(read(inner)?)))
        }
        _ => serde_json::from_value(Value::Object(object)).map(Filter::Is),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_are_read_as_people_write_them() {
        let json = r#"{"or": [{"column": "status", "op": "=", "value": "error"},
            {"not": {"and": [{"column": "user", "op": "exists"}]}}]}"#;
        let filter: Filter = serde_json::from_str(json).unwrap();
        let user = Filter::is("user", Operator::Exists, Value::Null);
        let expect = Filter::Any(vec![
            Filter::is("status", Operator::Eq, "error"),
            Filter::Not(Box::new(Filter::All(vec![user]))),
        ]);
        assert_eq!(filter, expect);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for json in [
            "7",
            r#"{"and": 7}"#,
            r#"{"column": "a"}"#,
            r#"{"column": "a", "op": "like", "value": "b"}"#,
            r#"{"column": "a", "op": "=", "values": "b"}"#,
            r#"{"not": [{"column": "a", "op": "exists"}]}"#,
        ] {
            assert!(serde_json::from_str::<Filter>(json).is_err(), "{json}");
        }
    }
}
