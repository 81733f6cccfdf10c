//! What functions were given that somebody had received before.

use throughline_telemetry::correlation::{IN_AGAIN, IN_PATH};
use throughline_telemetry::{Span, SpanStatus};

use crate::detect::CameAgain;
use crate::story::texts;

/// The records of an invocation that came again, as its span tells.
pub fn came_again(span: &Span) -> impl Iterator<Item = CameAgain<'_>> {
    let is_failed = span.status == SpanStatus::Error;
    texts(&span.attributes, IN_AGAIN).filter_map(move |text| {
        let (times, key) = text.split_once('#')?;
        Some(CameAgain {
            key,
            times: times.parse().ok()?,
            is_failed,
        })
    })
}

/// Whether an invocation had nothing to do but what had been received before.
pub fn is_retry(span: &Span) -> bool {
    let again = texts(&span.attributes, IN_AGAIN).count();
    again > 0 && again >= texts(&span.attributes, IN_PATH).count()
}

#[cfg(test)]
mod tests {
    use throughline_telemetry::Value;

    use super::*;
    use crate::testing::span;

    fn given(paths: &[&str], again: &[&str]) -> Span {
        let mut made = span(1, 0, 1, 2);
        made.status = SpanStatus::Error;
        let list = |of: &[&str]| Value::Array(of.iter().map(|it| Value::from(*it)).collect());
        made.attributes.set(IN_PATH, list(paths));
        made.attributes.set(IN_AGAIN, list(again));
        made
    }

    #[test]
    fn a_batch_tells_which_of_its_records_came_again_and_how_often() {
        let span = given(
            &["queue:a#sqs:1", "queue:a#sqs:2"],
            &["3#sqs:2", "x#sqs:9", "4"],
        );
        let told: Vec<CameAgain<'_>> = came_again(&span).collect();
        let expected = CameAgain {
            key: "sqs:2",
            times: 3,
            is_failed: true,
        };
        assert_eq!(told, [expected]);
    }

    #[test]
    fn only_a_batch_of_which_all_came_again_is_a_retry() {
        assert!(is_retry(&given(&["queue:a#sqs:1"], &["2#sqs:1"])));
        assert!(!is_retry(&given(
            &["queue:a#sqs:1", "queue:a#sqs:2"],
            &["2#sqs:1"]
        )));
        assert!(!is_retry(&given(&[], &[])));
    }
}
