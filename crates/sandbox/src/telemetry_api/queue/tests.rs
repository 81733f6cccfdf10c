use expect_test::expect;
use serde_json::Value;

use super::*;

fn at(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(millis)
}

/// An event that says just this.
fn event(record: Value) -> Event {
    Event::new(at(0), "function", &record)
}

/// An event with so much text in it that it has this length.
fn event_of(bytes: usize) -> Event {
    let least = event(json!("")).len();
    event(json!("x".repeat(bytes - least)))
}

fn queue_for(destination: Destination) -> Queue {
    Queue::new(&Subscription {
        platform: true,
        function: true,
        extension: true,
        newer_schema: false,
        api: crate::lifecycle::LogsOrTelemetry::Telemetry,
        items_max: 3,
        bytes_max: 1_000,
        timeout: Duration::from_millis(25),
        destination,
        profile: crate::lifecycle::Profile::Classic,
    })
}

fn queue() -> Queue {
    queue_for(Destination::Http {
        port: 1,
        path: "/".to_owned(),
        put: false,
    })
}

/// The records of a batch, each with its type where that is not `function`.
fn text(batch: Option<&Batch>) -> String {
    let Some(batch) = batch else {
        return "nothing".to_owned();
    };
    let events: Vec<Value> = serde_json::from_slice(&batch.array()).unwrap();
    let show = |event: &Value| match event["type"].as_str() {
        Some("function") => event["record"].to_string(),
        Some(kind) => format!("{kind} {}", event["record"]),
        None => "no type".to_owned(),
    };
    events.iter().map(show).collect::<Vec<_>>().join(" ")
}

#[test]
fn batch_is_due_by_time_count_or_size() {
    let mut queue = queue();
    assert_eq!(queue.due(at(0)), Due::Never);
    queue.push(Kind::Log, event(json!(1)), at(10));
    queue.push(Kind::Log, event(json!(2)), at(20));
    assert_eq!(queue.due(at(34)), Due::At(at(35)));
    assert_eq!(queue.due(at(35)), Due::Now);
    queue.push(Kind::Log, event(json!(3)), at(21));
    assert_eq!(queue.due(at(21)), Due::Now);
    queue.push(Kind::Log, event(json!(4)), at(22));
    assert_eq!(text(queue.take(at(22)).as_ref()), "1 2 3");
    assert_eq!(queue.due(at(35)), Due::Now);
    assert_eq!(text(queue.take(at(35)).as_ref()), "4");
    assert_eq!(queue.due(at(99)), Due::Never);

    queue.push(Kind::Log, event_of(1_000), at(40));
    assert_eq!(queue.due(at(40)), Due::Now);
}

#[test]
fn flush_makes_due_what_is_there_and_nothing_else() {
    let mut queue = queue();
    queue.flush();
    queue.push(Kind::Platform, event(json!(1)), at(0));
    assert_eq!(queue.due(at(0)), Due::At(at(25)));
    queue.flush();
    assert_eq!(queue.due(at(0)), Due::Now);
}

#[test]
fn event_larger_than_a_batch_is_cut_and_its_tail_has_company() {
    let mut queue = queue();
    queue.push(Kind::Log, event(json!(1)), at(0));
    queue.push(Kind::Log, event_of(1_200), at(0));
    queue.push(Kind::Log, event(json!(2)), at(0));
    assert_eq!(text(queue.take(at(0)).as_ref()), "1");
    let head = queue.take(at(0)).unwrap().array();
    assert_eq!(head.len(), 1_002, "a full batch and its brackets");
    assert!(head.ends_with(b"xxx}]"));
    let tail = queue.take(at(0)).unwrap().array();
    let tail = std::str::from_utf8(&tail).unwrap();
    assert!(tail.contains(r#""record":xxx"#), "{tail}");
    assert!(tail.contains(r#"xxx"},{"time":"#), "{tail}");
    assert!(tail.ends_with(r#""record":2}]"#), "{tail}");
    assert_eq!((queue.take(at(0)), queue.bytes), (None, 0));
}

#[test]
fn lines_are_not_cut() {
    let mut queue = queue_for(Destination::Tcp { port: 1 });
    queue.push(Kind::Log, event_of(1_200), at(0));
    queue.push(Kind::Log, event(json!(2)), at(0));
    assert_eq!(queue.take(at(0)).unwrap().lines().len(), 1_201);
    let last = queue.take(at(0)).unwrap().lines();
    expect![[r#"
        {"time":"1970-01-01T00:00:00.000Z","type":"function","record":2}
    "#]]
    .assert_eq(std::str::from_utf8(&last).unwrap());
}

#[test]
fn full_queue_drops_logs_before_platform_events_and_tells_so() {
    let mut queue = queue_for(Destination::Tcp { port: 1 });
    queue.push(Kind::Log, event_of(QUEUE_BYTES_MAX), at(0));
    let lost = event(json!("lost"));
    queue.push(Kind::Log, lost.clone(), at(1));
    assert_eq!(queue.dropped().bytes, lost.len());
    queue.push(Kind::Platform, event(json!(2)), at(2));
    let first = queue.take(at(3)).expect("the large one");
    expect![[r#"{"droppedBytes":69,"droppedRecords":1,"reason":"Some logs were dropped because the downstream consumer is slower than the logs production rate"}"#]]
        .assert_eq(&first.all().next().map(|event| {
            let event: Value = serde_json::from_slice(event.text()).unwrap();
            assert_eq!(event["type"], "platform.logsDropped");
            assert_eq!(event["time"], "1970-01-01T00:00:00.003Z");
            event["record"].to_string()
        }).unwrap());
    assert_eq!(text(queue.take(at(4)).as_ref()), "2");
}

#[test]
fn batch_that_came_back_goes_again_with_what_came_since() {
    let mut queue = queue();
    queue.push(Kind::Log, event(json!(1)), at(0));
    queue.push(Kind::Log, event(json!(2)), at(0));
    queue.drop_records(7, 70);
    let batch = queue.take(at(25)).unwrap();
    assert_eq!(queue.dropped(), Dropped::default());
    queue.push(Kind::Log, event(json!(3)), at(26));
    queue.push(Kind::Log, event(json!(4)), at(26));
    assert_eq!(queue.put_back(batch, at(27)), Dropped::default());
    assert_eq!(
        queue.due(at(27)),
        Due::Now,
        "the delivery waits, not the queue"
    );
    let again = text(queue.take(at(27)).as_ref());
    assert!(
        again.starts_with(r#"platform.logsDropped {"droppedBytes":70,"droppedRecords":7,"#),
        "{again}"
    );
    assert!(again.ends_with("} 1 2 3"), "{again}");
    assert_eq!(text(queue.take(at(27)).as_ref()), "4");
    assert_eq!(queue.bytes, 0);
}

#[test]
fn event_is_given_up_after_five_attempts_and_younger_ones_are_not() {
    let mut queue = queue();
    let old = event(json!("old"));
    queue.push(Kind::Platform, old.clone(), at(0));
    for attempt in 1..=5 {
        let batch = queue.take(at(attempt)).unwrap();
        if attempt == 3 {
            queue.push(Kind::Platform, event(json!("young")), at(attempt));
        }
        let lost = queue.put_back(batch, at(attempt));
        assert_eq!(lost.records, usize::from(attempt == 5), "{attempt}");
    }
    let dropped = Dropped {
        records: 1,
        bytes: old.len(),
    };
    assert_eq!(queue.dropped(), dropped);
    let last = text(queue.take(at(6)).as_ref());
    assert!(last.ends_with(r#"} "young""#), "{last}");
}
