//! Many rows to one: counts, sums and the like, by group.

use std::collections::HashSet;

use foldhash::fast::RandomState;

use super::plan::AggregateCall;
use super::value::Value;
use super::vocabulary::Aggregate;

/// What an aggregate has seen of a group.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    count: u64,
    /// The sum while it is whole, and as a number.
    whole: Option<i64>,
    sum: f64,
    numbers: u64,
    extreme: Option<Value>,
    list: Vec<Value>,
    /// What was seen, where each counts once.
    distinct: HashSet<Vec<u8>, RandomState>,
}

impl Folded {
    pub(super) fn new() -> Self {
        Folded {
            whole: Some(0),
            ..Folded::default()
        }
    }

    /// Takes in the value of a row; none where rows are counted.
    pub(super) fn add(&mut self, call: &AggregateCall, value: Option<Value>) {
        let Some(value) = value else {
            self.count += 1;
            return;
        };
        if value.is_null() {
            return;
        }
        if call.is_distinct {
            let mut key = Vec::new();
            value.key(&mut key);
            if !self.distinct.insert(key) {
                return;
            }
        }
        self.count += 1;
        match call.aggregate {
            Aggregate::Count => {}
            Aggregate::Sum | Aggregate::Avg => self.number(&value),
            Aggregate::Min => self.keep(value, std::cmp::Ordering::is_lt),
            Aggregate::Max => self.keep(value, std::cmp::Ordering::is_gt),
            Aggregate::Collect => {
                if self.list.len() < COLLECTED_MAX {
                    self.list.push(value);
                }
            }
        }
    }

    fn number(&mut self, value: &Value) {
        let Some(number) = value.number() else {
            return;
        };
        self.numbers += 1;
        self.sum += number;
        self.whole = match value {
            Value::Int(whole) => self.whole.and_then(|sum| sum.checked_add(*whole)),
            _ => None,
        };
    }

    fn keep(&mut self, value: Value, is_better: fn(std::cmp::Ordering) -> bool) {
        let replaces = match &self.extreme {
            None => true,
            Some(known) => is_better(value.order(known)),
        };
        if replaces {
            self.extreme = Some(value);
        }
    }

    #[allow(clippy::cast_precision_loss)] // a mean
    pub(super) fn finish(&self, call: &AggregateCall) -> Value {
        match call.aggregate {
            Aggregate::Count => Value::count(self.count),
            Aggregate::Sum => match self.whole {
                Some(whole) => Value::Int(whole),
                None => Value::float(self.sum),
            },
            Aggregate::Avg => match self.numbers {
                0 => Value::Null,
                numbers => Value::float(self.sum / numbers as f64),
            },
            Aggregate::Min | Aggregate::Max => self.extreme.clone().unwrap_or(Value::Null),
            Aggregate::Collect => Value::list(self.list.iter().cloned()),
        }
    }
}

/// Values that a list takes.
const COLLECTED_MAX: usize = 1000;
