use throughline_telemetry::wire::otlp::{ExportLogsServiceRequest, logs::v1 as logs};

use super::*;

fn request(text: &str) -> Scrubbed<Request> {
    let record = logs::LogRecord {
        severity_text: text.to_owned(),
        ..Default::default()
    };
    let scope = logs::ScopeLogs {
        log_records: vec![record],
        ..Default::default()
    };
    let resource = logs::ResourceLogs {
        scope_logs: vec![scope],
        ..Default::default()
    };
    let request = Request::Logs(ExportLogsServiceRequest {
        resource_logs: vec![resource],
    });
    throughline_scrub::Scrubber::new(throughline_scrub::Rules::default()).request(request)
}

fn ms(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(1_000_000 + millis)
}

fn outbox() -> (Outbox, Arc<Counters>) {
    let counters = Arc::new(Counters::default());
    (Outbox::new(Export::On, 42, Arc::clone(&counters)), counters)
}

fn sequences(batches: &[Batch]) -> Vec<u64> {
    batches.iter().map(|batch| batch.sequence).collect()
}

fn failed() -> Outcome {
    Outcome::Failed {
        why: "503".into(),
        retry_after: None,
    }
}

const DELIVERED: Outcome = Outcome::Delivered { refused: 0 };

#[test]
fn batches_are_numbered_without_gaps_and_repeats_keep_their_number() {
    let (mut outbox, _) = outbox();
    (0..5).for_each(|_| outbox.seal(&request("x")));
    outbox.flush();
    assert_eq!(sequences(&outbox.pump(ms(0))), [1, 2, 3], "three at once");
    outbox.answered(2, &failed(), ms(1));
    assert!(outbox.is_flushed(), "the server is down, so nobody waits");
    outbox.answered(1, &DELIVERED, ms(2));
    assert_eq!(
        sequences(&outbox.pump(ms(2))),
        [2, 4],
        "it was not down after all"
    );
    for sequence in [2, 3, 4] {
        outbox.answered(sequence, &DELIVERED, ms(3));
    }
    assert_eq!(sequences(&outbox.pump(ms(3))), [5]);
    outbox.flush();
    assert!(!outbox.is_flushed());
    outbox.answered(5, &DELIVERED, ms(4));
    assert!(outbox.is_flushed());
}

#[test]
fn a_dead_server_is_asked_ever_more_rarely_by_one_batch() {
    let (mut outbox, counters) = outbox();
    (0..4).for_each(|_| outbox.seal(&request("x")));
    let mut now = ms(0);
    let mut waits = Vec::new();
    for batch in outbox.pump(now) {
        outbox.answered(batch.sequence, &failed(), now);
    }
    for _ in 0..12 {
        let again = outbox.wakes_at().expect("it tries again");
        assert!(
            outbox.pump(UnixNanos(again.0 - 1)).is_empty(),
            "not earlier"
        );
        assert!(
            outbox.is_flushed() || {
                outbox.flush();
                outbox.is_flushed()
            },
            "nobody waits"
        );
        waits.push(again.since(now).as_millis());
        now = again;
        assert_eq!(outbox.pump(now).len(), 1, "one probe");
        assert!(outbox.pump(now).is_empty(), "and only one");
        outbox.answered(1, &failed(), now);
    }
    for (at, wait) in waits.iter().enumerate() {
        let longest = (200 << at.min(8)).min(30_000);
        assert!(
            (longest / 2..=longest).contains(wait),
            "wait {at} took {wait} ms of {longest}"
        );
    }
    assert_eq!(counters.count(Counter::FailedAttempt), 15);
    assert_eq!(counters.lost(), 0);
}

#[test]
fn retry_after_is_obeyed_within_reason() {
    for (asked, waited) in [(2, 2), (3600, 60)] {
        let (mut outbox, _) = outbox();
        outbox.seal(&request("x"));
        outbox.pump(ms(0));
        let outcome = Outcome::Failed {
            why: "429".into(),
            retry_after: Some(Duration::from_secs(asked)),
        };
        outbox.answered(1, &outcome, ms(0));
        assert_eq!(outbox.wakes_at(), Some(ms(waited * 1000)));
    }
}

#[test]
fn the_oldest_go_when_the_room_is_full_and_are_counted() {
    let (mut outbox, counters) = outbox();
    // Text that does not pack, so that five bodies of 1 MiB fill the buffer.
    let mut random = 1_u64;
    let mut noise = || {
        let letters = (0..1 << 20).map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            char::from(u8::try_from(random % 94).expect("small") + 33)
        });
        letters.collect::<String>()
    };
    for _ in 0..2 {
        outbox.seal(&request(&noise()));
    }
    assert_eq!(sequences(&outbox.pump(ms(0))), [1, 2]);
    for _ in 0..6 {
        outbox.seal(&request(&noise()));
    }
    assert!(outbox.bytes <= BUFFER_BYTES_MAX);
    let kept: Vec<u64> = outbox
        .queue
        .iter()
        .map(|queued| queued.batch.sequence)
        .collect();
    assert_eq!(kept[..2], [1, 2], "what is in flight stays");
    assert_eq!(kept.last(), Some(&8), "the newest stays");
    assert_eq!(counters.count(Counter::BufferFull), 8 - kept.len() as u64);
}

#[test]
fn what_the_server_refuses_is_counted_and_gone() {
    let (mut outbox, counters) = outbox();
    outbox.seal(&request("x"));
    outbox.seal(&request("x"));
    outbox.flush();
    outbox.pump(ms(0));
    outbox.answered(1, &Outcome::Rejected { why: "400".into() }, ms(1));
    outbox.answered(2, &Outcome::Delivered { refused: 1 }, ms(1));
    outbox.answered(2, &DELIVERED, ms(1));
    assert!(outbox.is_flushed());
    assert_eq!(counters.count(Counter::Rejected), 2);
}

#[test]
fn a_flush_that_takes_too_long_opens_the_breaker_and_keeps_the_batch() {
    let (mut outbox, _) = outbox();
    outbox.seal(&request("x"));
    outbox.flush();
    assert_eq!(outbox.pump(ms(0)).len(), 1);
    outbox.give_up_flush(ms(100));
    outbox.seal(&request("y"));
    outbox.flush();
    assert!(outbox.pump(ms(110)).is_empty());
    assert!(outbox.is_flushed(), "the next invocation pays nothing");
    outbox.answered(1, &DELIVERED, ms(120));
    assert_eq!(
        sequences(&outbox.pump(ms(120))),
        [2],
        "a late answer is an answer"
    );
}

#[test]
fn the_last_flush_tries_at_once_and_again_until_it_is_stopped() {
    let (mut outbox, counters) = outbox();
    outbox.seal(&request("x"));
    outbox.pump(ms(0));
    let long = Outcome::Failed {
        why: "503".into(),
        retry_after: Some(Duration::from_secs(60)),
    };
    outbox.answered(1, &long, ms(0));
    outbox.last_flush(ms(10));
    assert_eq!(outbox.pump(ms(10)).len(), 1);
    outbox.answered(1, &failed(), ms(11));
    assert!(!outbox.is_flushed());
    let again = outbox.wakes_at().expect("again");
    assert!(again <= ms(11 + 200));
    assert_eq!(outbox.pump(again).len(), 1);
    assert_eq!(outbox.abandon(), (1, 1));
    assert_eq!(counters.count(Counter::NotDelivered), 1);
}

#[test]
fn with_nowhere_to_send_to_all_is_counted() {
    let counters = Arc::new(Counters::default());
    let mut outbox = Outbox::new(Export::Off, 1, Arc::clone(&counters));
    outbox.seal(&request("x"));
    outbox.flush();
    assert!(outbox.pump(ms(0)).is_empty());
    assert!(outbox.is_flushed());
    assert_eq!(counters.count(Counter::ExportOff), 1);
}

#[test]
fn large_bodies_are_packed() {
    let (mut outbox, _) = outbox();
    outbox.seal(&request("x"));
    outbox.seal(&request(&"x".repeat(5000)));
    let batches = outbox.pump(ms(0));
    assert_eq!((batches[0].packed, batches[1].packed), (false, true));
    assert!(batches[1].body.len() < 200);
}

#[test]
fn while_all_places_are_taken_there_is_nothing_to_wake_for() {
    let (mut outbox, _) = outbox();
    (0..4).for_each(|_| outbox.seal(&request("x")));
    assert_eq!(outbox.pump(ms(0)).len(), 3);
    outbox.give_up_flush(ms(100));
    // The server still hangs when the breaker would let the next batch go.
    assert!(outbox.pump(ms(2000)).is_empty());
    assert_eq!(outbox.wakes_at(), None, "an answer wakes");
    outbox.answered(1, &failed(), ms(5000));
    let again = outbox.wakes_at().expect("it tries again");
    assert_eq!(outbox.pump(again).len(), 1);
}
