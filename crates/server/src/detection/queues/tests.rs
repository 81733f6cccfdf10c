use std::sync::Arc;

use super::*;

const MINUTE: u64 = 60_000_000_000;

/// A point of the last minute, as a stream of CloudWatch's metrics has it: the sum of so many measurements.
fn period(name: &str, of: (&str, &str), sum: f64, count: u64) -> MetricPoint {
    let dimensions: Attributes = [of].into_iter().collect();
    let mut attributes = Attributes::default();
    attributes.set("Dimensions", Value::Map(dimensions));
    MetricPoint {
        name: format!("amazonaws.com/{name}"),
        unit: String::new(),
        kind: MetricKind::Summary,
        time: UnixNanos(10 * MINUTE),
        start: UnixNanos(9 * MINUTE),
        attributes,
        value: sum,
        count,
        otlp: Vec::new(),
        resource: Arc::default(),
        scope: Arc::default(),
    }
}

/// A number that somebody measured half a minute after the ninth.
fn gauge(name: &str, of: (&str, &str), value: f64) -> MetricPoint {
    MetricPoint {
        name: name.to_owned(),
        kind: MetricKind::Gauge,
        time: UnixNanos(9 * MINUTE + MINUTE / 2),
        start: UnixNanos(0),
        attributes: [of].into_iter().collect(),
        ..period(name, of, value, 1)
    }
}

fn told(points: &[MetricPoint]) -> Queues {
    let mut queues = Queues::default();
    queues.told(points);
    queues
}

#[test]
fn a_stream_of_metrics_tells_what_lies_in_a_queue() {
    let of = ("QueueName", "mails");
    let queues = told(&[
        period("AWS/SQS/ApproximateNumberOfMessagesVisible", of, 30.0, 3),
        period("AWS/SQS/ApproximateNumberOfMessagesNotVisible", of, 4.0, 1),
        period("AWS/SQS/NumberOfMessagesSent", of, 12.0, 3),
        period("AWS/SQS/ApproximateAgeOfOldestMessage", of, 90.0, 1),
        period("AWS/SQS/SentMessageSize", of, 9.0, 1),
        period("AWS/SQS/NumberOfMessagesSent", ("Other", "x"), 9.0, 1),
    ]);
    let expected = Lying {
        messages: Some(14.0),
        sent: Some(12.0),
        oldest_ms: Some(90_000.0),
        given_up: None,
        lost: None,
    };
    let key = (UnixNanos(9 * MINUTE), "queue:mails".to_owned());
    assert_eq!(queues.lying, BTreeMap::from([(key, expected)]));
}

#[test]
fn plain_numbers_tell_it_as_well_and_the_greatest_of_a_minute_counts() {
    let of = ("QueueName", "mails");
    let mut visible = gauge("ApproximateNumberOfMessagesVisible", of, 7.0);
    visible.attributes.set(DEAD_LETTER_QUEUE, "undeliverable");
    let queues = told(&[
        visible,
        gauge("ApproximateNumberOfMessagesVisible", of, 5.0),
        gauge("IteratorAge", ("FunctionName", "stats"), 1500.0),
        gauge("AsyncEventsDropped", ("FunctionName", "stats"), 2.0),
        gauge("DeadLetterErrors", ("FunctionName", "stats"), 1.0),
    ]);
    let at = UnixNanos(9 * MINUTE);
    let mails = queues.lying[&(at, "queue:mails".to_owned())];
    assert_eq!((mails.messages, mails.sent), (Some(7.0), None));
    let stats = queues.lying[&(at, "function:stats".to_owned())];
    let expected = (Some(1500.0), Some(2.0), Some(1.0));
    assert_eq!((stats.oldest_ms, stats.given_up, stats.lost), expected);
    let pair = ("queue:mails".to_owned(), "queue:undeliverable".to_owned());
    assert_eq!(queues.dead, BTreeMap::from([(pair, at)]));
}

#[test]
fn the_metric_stream_that_is_set_up_has_what_is_read() {
    let template = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../deploy/metric-stream/template.yaml"
    ));
    let words = template.split(|it: char| !it.is_ascii_alphanumeric() && it != '/');
    let words: Vec<&str> = words.collect();
    for (namespace, name, _) in METRICS {
        assert!(
            words.contains(&namespace) && words.contains(&name),
            "{name}"
        );
    }
}
