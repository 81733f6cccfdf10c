//! Keys and values of attributes.

use serde::Serialize;
use throughline_store::{AttributeKey, AttributeValue, Kind, Listed};

/// Keys, those that most rows have first.
#[derive(Serialize)]
pub(in crate::api) struct AttributeList<'a> {
    attributes: Vec<Attribute<'a>>,
    truncated: bool,
}

#[derive(Serialize)]
struct Attribute<'a> {
    key: &'a str,
    types: Vec<&'static str>,
    rows: u64,
}

impl<'a> AttributeList<'a> {
    pub(in crate::api) fn new(keys: &'a Listed<AttributeKey>) -> Self {
        let attributes = keys.items.iter().map(|found| Attribute {
            key: &found.key,
            types: found.kinds.iter().copied().map(name).collect(),
            rows: found.rows,
        });
        AttributeList {
            attributes: attributes.collect(),
            truncated: keys.truncated,
        }
    }
}

/// Values, those that most rows have first.
#[derive(Serialize)]
pub(in crate::api) struct ValueList<'a> {
    values: Vec<ValueCount<'a>>,
    truncated: bool,
}

#[derive(Serialize)]
struct ValueCount<'a> {
    value: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    rows: u64,
}

impl<'a> ValueList<'a> {
    pub(in crate::api) fn new(values: &'a Listed<AttributeValue>) -> Self {
        let counts = values.items.iter().map(|found| ValueCount {
            value: &found.value,
            kind: name(found.kind),
            rows: found.rows,
        });
        ValueList {
            values: counts.collect(),
            truncated: values.truncated,
        }
    }
}

/// As the columns of a query's answer say it.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::String => "text",
        Kind::Int => "int",
        Kind::Double => "double",
        Kind::Bool => "bool",
    }
}
