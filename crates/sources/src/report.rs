//! What a function says of its batch, when it says which items failed (`ReportBatchItemFailures`).

use std::collections::BTreeSet;

use serde_json::Value;

/// How a batch went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// All of it is done with.
    Success,
    /// These failed, by their place in the batch; never empty.
    Some(BTreeSet<usize>),
    /// All of it failed, for this reason.
    Failure(String),
}

/// Reads an answer by Lambda's rules: an answer that names something which is not in the batch counts for a failure of
/// the whole batch, since nobody can know what the function meant.
pub(crate) fn read(answer: &[u8], ids: &[&str]) -> Report {
    if answer.iter().all(u8::is_ascii_whitespace) {
        return Report::Success;
    }
    let answer: Value = match serde_json::from_slice(answer) {
        Ok(answer) => answer,
        Err(error) => return Report::Failure(format!("the answer is no JSON: {error}")),
    };
    let failures = match answer.get(LIST) {
        None | Some(Value::Null) => return Report::Success,
        Some(Value::Array(failures)) => failures,
        Some(_) => return Report::Failure(format!("{LIST} is no list")),
    };
    let mut failed = BTreeSet::new();
    for failure in failures {
        let Some(id) = failure.get(IDENTIFIER) else {
            return Report::Failure(format!("an item failure without {IDENTIFIER}"));
        };
        match id.as_str() {
            None | Some("") => return Report::Failure(format!("an {IDENTIFIER} without a value")),
            Some(id) => match ids.iter().position(|known| *known == id) {
                Some(index) => failed.insert(index),
                None => return Report::Failure(format!("{IDENTIFIER} {id} is not in the batch")),
            },
        };
    }
    if failed.is_empty() {
        Report::Success
    } else {
        Report::Some(failed)
    }
}

const LIST: &str = "batchItemFailures";
const IDENTIFIER: &str = "itemIdentifier";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_read_by_the_rules() {
        let failed = |indexes: &[usize]| Ok(indexes.to_vec());
        let cases: &[(&str, Result<Vec<usize>, &str>)] = &[
            ("", failed(&[])),
            ("null", failed(&[])),
            ("{}", failed(&[])),
            ("\"done\"", failed(&[])),
            (r#"{"batchItemFailures":[]}"#, failed(&[])),
            (r#"{"batchItemFailures":null}"#, failed(&[])),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"b"}]}"#,
                failed(&[1]),
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"c"},{"itemIdentifier":"a"}]}"#,
                failed(&[0, 2]),
            ),
            ("{", Err("the answer is no JSON")),
            (
                r#"{"batchItemFailures":{}}"#,
                Err("batchItemFailures is no list"),
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":""}]}"#,
                Err("an itemIdentifier without a value"),
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":null}]}"#,
                Err("an itemIdentifier without a value"),
            ),
            (
                r#"{"batchItemFailures":[{"id":"a"}]}"#,
                Err("an item failure without itemIdentifier"),
            ),
            (
                r#"{"batchItemFailures":[{"itemIdentifier":"a"},{"itemIdentifier":"z"}]}"#,
                Err("itemIdentifier z is not in the batch"),
            ),
        ];
        for (answer, expected) in cases {
            match (read(answer.as_bytes(), &["a", "b", "c"]), expected) {
                (Report::Success, Ok(indexes)) if indexes.is_empty() => {}
                (Report::Some(failed), Ok(indexes)) if failed.iter().eq(indexes) => {}
                (Report::Failure(reason), Err(expected)) if reason.starts_with(expected) => {}
                (report, _) => panic!("{answer}: {report:?}"),
            }
        }
    }
}
