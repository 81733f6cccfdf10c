//! By what rows of a selection differ.

use serde::Serialize;
use serde_json::{Value, json};
use throughline_insight::contrast::{self, Difference, Differences, TEXT_BYTES_MAX, Test};
use throughline_query::Cost;
use throughline_store::{Condition, Operator};

/// The differences, the most telling first.
#[derive(Serialize)]
pub(in crate::api) struct ContrastAnswer {
    differences: Vec<DifferenceView>,
    total: usize,
    selection: Events,
    rest: Events,
    compared: usize,
    left_out: u64,
    truncated: bool,
    cost: Value,
}

#[derive(Serialize)]
struct Events {
    count: u64,
    sampled: u64,
}

#[derive(Serialize)]
struct DifferenceView {
    filters: Vec<Condition>,
    selection: Share,
    rest: Share,
    effect: f64,
    false_discovery: f64,
    alike: Vec<Vec<Condition>>,
}

#[derive(Serialize)]
struct Share {
    hits: u64,
    of: u64,
    share: f64,
}

impl ContrastAnswer {
    pub(in crate::api) fn new(
        found: &Differences,
        limit: usize,
        truncated: bool,
        cost: &Cost,
    ) -> Self {
        let differences = found.found.iter().take(limit).map(DifferenceView::new);
        ContrastAnswer {
            differences: differences.collect(),
            total: found.found.len(),
            selection: events(found.selection),
            rest: events(found.rest),
            compared: found.compared,
            left_out: found.left_out,
            truncated,
            cost: cost.to_json(),
        }
    }
}

impl DifferenceView {
    fn new(difference: &Difference) -> Self {
        DifferenceView {
            filters: difference.conditions.iter().flat_map(filters).collect(),
            selection: share(difference.selection),
            rest: share(difference.rest),
            effect: difference.effect,
            false_discovery: difference.false_discovery,
            alike: difference.alike.iter().map(filters).collect(),
        }
    }
}

/// The filters that show the rows which meet a condition.
pub(in crate::api) fn filters(condition: &contrast::Condition) -> Vec<Condition> {
    let filter = |op, value| Condition {
        column: condition.key.clone(),
        op,
        value,
    };
    match &condition.test {
        // A text that was cut is the beginning of some, and a character has up to four bytes.
        Test::Text(text) if text.len() > TEXT_BYTES_MAX - 4 => {
            vec![filter(Operator::StartsWith, json!(text))]
        }
        Test::Text(text) => vec![filter(Operator::Eq, json!(text))],
        Test::Number(number) => vec![filter(Operator::Eq, json!(number))],
        Test::Within(least, most) => {
            let least = least.map(|least| filter(Operator::GtEq, json!(least)));
            let most = most.map(|most| filter(Operator::LtEq, json!(most)));
            least.into_iter().chain(most).collect()
        }
        Test::Present => vec![filter(Operator::Exists, Value::Null)],
        Test::Absent => vec![filter(Operator::DoesNotExist, Value::Null)],
    }
}

fn events(events: contrast::Events) -> Events {
    Events {
        count: events.count,
        sampled: events.sampled,
    }
}

fn share(share: contrast::Share) -> Share {
    Share {
        hits: share.hits,
        of: share.of,
        share: share.part(),
    }
}
