//! Statements of SQL that show what lies somewhere.

use std::ops::Range;

use throughline_insight::investigate::Measured;
use throughline_telemetry::UnixNanos;

use super::{METRICS, Tells, spellings};

/// The statement that shows by the minute what waits at a node, as it is told; none of a node of which nothing can be.
pub(crate) fn statement(node: &str, what: Measured, times: &Range<UnixNanos>) -> Option<String> {
    let (kind, name) = node.split_once(':')?;
    let (dimension, column) = match (kind, what) {
        ("queue", Measured::Oldest) => ("QueueName", "oldest_s"),
        ("queue", Measured::Messages) => ("QueueName", "messages"),
        ("function", Measured::Oldest) => ("FunctionName", "oldest_ms"),
        _ => return None,
    };
    let tells: &[Tells] = match (kind, what) {
        ("function", _) => &[Tells::OldestMillis],
        (_, Measured::Oldest) => &[Tells::OldestSeconds],
        (_, Measured::Messages) => &[Tells::Visible, Tells::InWork, Tells::Delayed],
    };
    let metrics = METRICS.iter().filter(|(_, _, it)| tells.contains(it));
    let names = metrics.flat_map(|(namespace, name, _)| spellings(namespace, name));
    let names: Vec<String> = names.map(|name| quoted(&name)).collect();
    let in_json = serde_json::Value::from(name).to_string();
    let nested = quoted(&format!("\"{dimension}\":{in_json}"));
    let plain = quoted(name);
    let of_it = format!(r#"("{dimension}" = {plain} or contains("Dimensions", {nested}))"#);
    let at = |time: UnixNanos| format!("to_timestamp_nanos({})", time.0);
    Some(
        STATEMENT
            .replace("$column", column)
            .replace("$from", &at(times.start))
            .replace("$to", &at(times.end))
            .replace("$names", &names.join(", "))
            // Last, because a name may be anything.
            .replace("$of_it", &of_it),
    )
}

/// A text as SQL has it.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// Of several measurements of a minute the greatest counts, and of a summary its mean, as for detection.
const STATEMENT: &str = r#"
select minute, sum(most) as $column from (
    select date_bin(interval '1 minute', case
            when kind = 'summary' and start_time > to_timestamp_nanos(0) then start_time else time
        end) as minute,
        regexp_replace(name, '^.*/', '') as metric,
        max(case when kind = 'summary' and count > 0 then value / count else value end) as most
    from metrics where time >= $from and time < $to + interval '1 minute' and name in ($names)
        and $of_it
    group by 1, 2
) where minute >= $from and minute < $to group by minute order by minute"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_queue_names_it_in_both_ways() {
        let times = UnixNanos(60)..UnixNanos(120);
        let asked = |node: &str, what: Measured| statement(node, what, &times);
        let oldest = asked("queue:it's", Measured::Oldest).expect("it is told");
        for part in [
            "sum(most) as oldest_s",
            "'amazonaws.com/AWS/SQS/ApproximateAgeOfOldestMessage'",
            r#""QueueName" = 'it''s' or contains("Dimensions", '"QueueName":"it''s"')"#,
            "time >= to_timestamp_nanos(60) and time < to_timestamp_nanos(120) + interval '1 minute'",
        ] {
            assert!(oldest.contains(part), "{part} is not in {oldest}");
        }
        let messages = asked("queue:mails", Measured::Messages).expect("it is told");
        assert!(messages.contains("ApproximateNumberOfMessagesDelayed"));
        let behind = asked("function:mail", Measured::Oldest).expect("it is told");
        assert!(behind.contains("'IteratorAge'") && behind.contains("oldest_ms"));
        assert_eq!(asked("function:mail", Measured::Messages), None);
        assert_eq!(asked("table:users", Measured::Oldest), None);
    }
}
