//! The same questions asked row by row, without any column.

use regex::Regex;
use serde_json::Value as Json;
use throughline_telemetry::{Attributes, LogRecord, Span, UnixNanos, Value};

use super::super::{Condition, Filter, Operator, SearchOrder, SearchQuery};

/// A row as a question sees it.
pub(super) trait Row {
    fn time(&self) -> UnixNanos;
    /// What tells rows of the same time apart; none where the order of arrival does.
    fn id(&self) -> String;
    /// One of the columns that every row has.
    fn column(&self, name: &str) -> Option<Option<Value>>;
    fn attributes(&self) -> [&Attributes; 2];
    fn text(&self) -> String;
}

impl Row for Span {
    fn time(&self) -> UnixNanos {
        self.start
    }

    fn id(&self) -> String {
        format!("{}{}", self.trace_id, self.span_id)
    }

    #[allow(clippy::cast_precision_loss)]
    fn column(&self, name: &str) -> Option<Option<Value>> {
        let text = |text: &str| Some(Some(Value::from(text)));
        match name {
            "service" => text(self.service()),
            "name" => text(&self.name),
            "status" => text(self.status.name()),
            "kind" => text(self.kind.name()),
            "trace_id" => text(&self.trace_id.to_string()),
            "parent_span_id" => Some(self.parent_id.map(|id| Value::from(&*id.to_string()))),
            "duration_ms" => {
                let millis = (self.end.0 - self.start.0) as f64 / 1e6;
                Some(Some(Value::Double(millis)))
            }
            // 2026-01-01T00:17:00Z is what one condition compares with.
            "time" => Some(Some(Value::Int(self.start.0.cast_signed()))),
            _ => None,
        }
    }

    fn attributes(&self) -> [&Attributes; 2] {
        [&self.attributes, &self.resource.attributes]
    }

    fn text(&self) -> String {
        let mut span = self.clone();
        crate::testing::sort_by_key(&mut span.attributes);
        format!("{span:?}")
    }
}

impl Row for LogRecord {
    fn time(&self) -> UnixNanos {
        self.time
    }

    fn id(&self) -> String {
        String::new()
    }

    fn column(&self, name: &str) -> Option<Option<Value>> {
        let text = |text: &str| Some(Some(Value::from(text)));
        match name {
            "service" => text(self.resource.service()),
            "body" => text(self.body.as_str().unwrap()),
            "severity" => text(&self.severity_text),
            "severity_number" => Some(Some(Value::Int(self.severity_number.into()))),
            "trace_id" => Some(self.trace_id.map(|id| Value::from(&*id.to_string()))),
            _ => None,
        }
    }

    fn attributes(&self) -> [&Attributes; 2] {
        [&self.attributes, &self.resource.attributes]
    }

    fn text(&self) -> String {
        let mut log = self.clone();
        crate::testing::sort_by_key(&mut log.attributes);
        format!("{log:?}")
    }
}

/// All that a question asks for, in order.
pub(super) fn find<'a>(all: &[&'a dyn Row], query: &SearchQuery) -> Vec<&'a dyn Row> {
    let mut found: Vec<&dyn Row> = all.to_vec();
    found.retain(|row| {
        query.from.is_none_or(|from| row.time() >= from)
            && query.to.is_none_or(|to| row.time() < to)
            && holds(all, *row, &query.filter)
    });
    found.sort_by_key(|row| (row.time(), row.id()));
    if query.order == SearchOrder::Newest {
        found.reverse();
    }
    found
}

fn holds(all: &[&dyn Row], row: &dyn Row, filter: &Filter) -> bool {
    match filter {
        Filter::All(filters) => filters.iter().all(|filter| holds(all, row, filter)),
        Filter::Any(filters) => filters.iter().any(|filter| holds(all, row, filter)),
        Filter::Not(filter) => !holds(all, row, filter),
        Filter::Is(condition) => is(all, row, condition),
        Filter::Says(phrase) => {
            let body = row
                .column("body")
                .flatten()
                .unwrap()
                .to_text()
                .to_lowercase();
            let words: Vec<&str> = body.split(|it: char| !it.is_alphanumeric()).collect();
            let asked = phrase.words();
            words.windows(asked.len()).any(|words| words == asked)
        }
    }
}

fn value(row: &dyn Row, name: &str) -> Option<Value> {
    if let Some(value) = row.column(name) {
        return value;
    }
    let [own, resource] = row.attributes();
    let found = own.get(name).or_else(|| resource.get(name));
    found.filter(|value| **value != Value::Null).cloned()
}

fn is(all: &[&dyn Row], row: &dyn Row, condition: &Condition) -> bool {
    let (name, with) = (condition.column.as_str(), &condition.value);
    let values = || all.iter().filter_map(|row| value(*row, name));
    // Numbers are compared as numbers if there are no other values.
    let numeric = values().all(|value| matches!(value, Value::Int(_) | Value::Double(_)));
    let truths = values().all(|value| matches!(value, Value::Bool(_)));
    let numeric = numeric && values().next().is_some();
    let have = value(row, name);
    let compare = |with: &Json, holds: fn(std::cmp::Ordering) -> bool| {
        let Some(have) = &have else { return false };
        let order = match with {
            _ if name == "time" => number(have).partial_cmp(&Some(MINUTE_17)),
            Json::Number(with) => match number(have) {
                None => return false,
                have => have.partial_cmp(&with.as_f64()),
            },
            Json::Bool(with) if truths => Some(have.to_text().cmp(&with.to_string())),
            Json::Bool(with) => Some(have.to_text().cmp(&with.to_string())),
            Json::String(with) if numeric => number(have).partial_cmp(&with.parse().ok()),
            Json::String(with) => Some(have.to_text().as_str().cmp(with)),
            other => panic!("{other}"),
        };
        order.is_some_and(holds)
    };
    let text = || have.as_ref().map(Value::to_text);
    let says = |holds: fn(&str, &str) -> bool| {
        text().is_some_and(|text| holds(&text, with.as_str().unwrap()))
    };
    let listed = || {
        with.as_array()
            .unwrap()
            .iter()
            .any(|with| compare(with, |it| it.is_eq()))
    };
    match condition.op {
        Operator::Eq => compare(with, |it| it.is_eq()),
        Operator::NotEq => !compare(with, |it| it.is_eq()),
        Operator::Lt => compare(with, |it| it.is_lt()),
        Operator::LtEq => compare(with, |it| it.is_le()),
        Operator::Gt => compare(with, |it| it.is_gt()),
        Operator::GtEq => compare(with, |it| it.is_ge()),
        Operator::In => listed(),
        Operator::NotIn => !listed(),
        Operator::Contains => says(|have, with| have.contains(with)),
        Operator::DoesNotContain => !says(|have, with| have.contains(with)),
        Operator::StartsWith => says(|have, with| have.starts_with(with)),
        Operator::DoesNotStartWith => !says(|have, with| have.starts_with(with)),
        Operator::EndsWith => says(|have, with| have.ends_with(with)),
        Operator::Matches => says(|have, with| Regex::new(with).unwrap().is_match(have)),
        Operator::Exists => have.is_some(),
        Operator::DoesNotExist => have.is_none(),
    }
}

#[allow(clippy::cast_precision_loss)]
fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Int(number) => Some(*number as f64),
        Value::Double(number) => Some(*number),
        Value::Bool(_) => None,
        other => other.to_text().parse().ok(),
    }
}

/// 2026-01-01T00:17:00Z.
const MINUTE_17: f64 = 1_767_226_620e9;
