use throughline_telemetry::Signal;
use throughline_telemetry::wire::otlp::{ExportLogsServiceRequest, logs::v1 as logs};

use super::*;

mod late;
mod lost;
mod restored;
mod room;

fn request(texts: &[&str]) -> Scrubbed<Request> {
    let record = |text: &&str| logs::LogRecord {
        severity_text: (*text).to_owned(),
        ..Default::default()
    };
    let scope = logs::ScopeLogs {
        log_records: texts.iter().map(record).collect(),
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

/// An outbox with a server and a disk that do as they are told, or do not answer.
struct Rig {
    outbox: Outbox,
    counters: Arc<Counters>,
    /// What was ordered and not done yet.
    orders: Vec<Order>,
    disk_works: bool,
    files: std::collections::BTreeMap<Key, Bytes>,
}

impl Rig {
    fn new() -> Self {
        Rig::with(Limits::default())
    }

    fn with(limits: Limits) -> Self {
        let counters = Arc::new(Counters::default());
        let outbox = Outbox::new("e-1", "checkout", Export::On, limits, Arc::clone(&counters));
        Rig {
            outbox,
            counters,
            orders: Vec::new(),
            disk_works: true,
            files: Default::default(),
        }
    }

    fn spilling() -> Self {
        Rig::with(Limits {
            spill_bytes: 1000,
            ..Limits::default()
        })
    }

    fn seal(&mut self, text: &str, worth: Worth, at: u64) {
        self.outbox.seal(request(&[text]), worth, ms(at));
        self.files(at);
    }

    /// What was sent now.
    fn pump(&mut self, at: u64) -> Vec<u64> {
        self.outbox.pump(ms(at));
        self.files(at)
    }

    /// Does what is to be done with files; returns what is sent.
    fn files(&mut self, at: u64) -> Vec<u64> {
        let mut sent = Vec::new();
        let mut orders = self.outbox.orders();
        while !orders.is_empty() {
            for order in std::mem::take(&mut orders) {
                match order {
                    Order::Save(batch) => {
                        if self.disk_works {
                            self.files.insert(batch.key(), batch.body.clone());
                        }
                        self.outbox.saved(&batch.key(), self.disk_works, ms(at));
                    }
                    Order::Load(key, _) => {
                        let body = self.files.get(&key).cloned();
                        self.outbox.loaded(&key, body, ms(at));
                    }
                    Order::Remove(key, _) => {
                        self.files.remove(&key);
                    }
                    Order::Send(parcel) => {
                        assert!(parcel.batch.sequence == 0 || !parcel.batch.body.is_empty());
                        sent.push(parcel.batch.sequence);
                        self.orders.push(Order::Send(parcel));
                    }
                    other => self.orders.push(other),
                }
                assert!(self.outbox.is_balanced());
            }
            orders = self.outbox.orders();
        }
        sent
    }

    fn answer(&mut self, sequence: u64, outcome: &Outcome, at: u64) {
        let key = Key {
            environment: "e-1".into(),
            sequence,
        };
        self.outbox.answered(&key, outcome, ms(at));
        self.files(at);
        assert!(self.outbox.is_balanced());
    }

    fn sequences_of(&self, of: impl Fn(&Queued) -> bool) -> Vec<u64> {
        let queued = self.outbox.queue.iter().filter(|queued| of(queued));
        queued.map(|queued| queued.batch.sequence).collect()
    }

    /// The ledger of the last thing that left.
    fn ledger(&self) -> serde_json::Value {
        let ledger = match self.orders.last() {
            Some(Order::Send(parcel) | Order::Print(parcel)) => &parcel.ledger,
            other => panic!("{other:?}"),
        };
        serde_json::from_str(ledger).expect("JSON")
    }

    fn printed(&mut self, at: u64) -> Vec<u64> {
        let mut all = Vec::new();
        while let Some(Order::Print(parcel)) = self.orders.last().cloned() {
            self.orders.pop();
            all.push(parcel.batch.sequence);
            self.outbox.printed(&parcel.batch.key(), true);
            self.pump(at);
        }
        all
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        why: "503".into(),
        retry_after: None,
    }
}

const DELIVERED: Outcome = Outcome::Delivered { refused: 0 };
const LONG: u64 = 50;

#[test]
fn batches_are_numbered_without_gaps_and_repeats_keep_their_number() {
    let mut rig = Rig::new();
    (0..5).for_each(|_| rig.seal("x", Worth::Logs, 0));
    rig.outbox.flush(ms(0), ms(LONG));
    assert_eq!(rig.pump(0), [1, 2, 3], "three at once");
    rig.answer(2, &failed(), 1);
    assert!(
        rig.outbox.is_flushed(),
        "the server is down, so nobody waits"
    );
    rig.answer(1, &DELIVERED, 2);
    assert_eq!(rig.pump(2), [2, 4], "it was not down after all");
    for sequence in [2, 3, 4] {
        rig.answer(sequence, &DELIVERED, 3);
    }
    assert_eq!(rig.pump(3), [5]);
    rig.outbox.flush(ms(3), ms(LONG));
    assert!(!rig.outbox.is_flushed());
    rig.answer(5, &DELIVERED, 4);
    assert!(rig.outbox.is_flushed());
}

#[test]
fn a_dead_server_is_asked_ever_more_rarely_by_one_batch() {
    let mut longest_wait = 0;
    for seed in 0..20 {
        let mut rig = Rig::new();
        rig.outbox.breaker = Breaker::new(seed * 7919);
        (0..4).for_each(|_| rig.seal("x", Worth::Logs, 0));
        let mut now = 0;
        for sequence in rig.pump(now) {
            rig.answer(sequence, &failed(), now);
        }
        for attempt in 0..12 {
            let again = rig.outbox.wakes_at().expect("it tries again");
            rig.outbox.pump(UnixNanos(again.0 - 1));
            assert_eq!(rig.outbox.orders(), [], "not earlier");
            rig.outbox.flush(ms(now), ms(now + LONG));
            assert!(rig.outbox.is_flushed(), "nobody waits");
            let wait = again.since(ms(now));
            let longest = (200 << attempt.min(8)).min(30_000);
            assert!(wait.as_millis() <= longest, "wait {attempt}: {wait:?}");
            longest_wait = longest_wait.max(wait.as_millis());
            now = u64::try_from(again.since(ms(0)).as_millis()).expect("small") + 1;
            assert_eq!(rig.pump(now).len(), 1, "one probe");
            assert_eq!(rig.pump(now), [0; 0], "and only one");
            rig.answer(1, &failed(), now);
        }
        assert_eq!(rig.counters.lost(), 0);
    }
    assert!(longest_wait > 15_000, "{longest_wait} ms");
}

#[test]
fn retry_after_is_obeyed_within_reason() {
    for (asked, waited) in [(2, 2), (3600, 60)] {
        let mut rig = Rig::new();
        rig.seal("x", Worth::Logs, 0);
        rig.pump(0);
        let outcome = Outcome::Failed {
            why: "429".into(),
            retry_after: Some(Duration::from_secs(asked)),
        };
        rig.answer(1, &outcome, 0);
        assert_eq!(rig.outbox.wakes_at(), Some(ms(waited * 1000)));
    }
}

#[test]
fn what_is_worth_most_leaves_first_and_goes_last() {
    let mut rig = Rig::with(Limits {
        memory_bytes: 45,
        ..Limits::default()
    });
    rig.pump(0);
    let order = [Worth::Logs, Worth::Traces, Worth::Failure, Worth::Metrics];
    // Each takes about 13 bytes.
    for worth in order {
        rig.seal("12345", worth, 0);
    }
    assert_eq!(rig.sequences_of(|_| true), [2, 3, 4], "the logs went");
    rig.seal("12345", Worth::Logs, 0);
    assert_eq!(
        rig.sequences_of(|_| true),
        [2, 3, 4],
        "and these logs did not stay"
    );
    rig.seal("12345", Worth::Failure, 0);
    assert_eq!(rig.sequences_of(|_| true), [2, 3, 6], "then the metrics");
    rig.seal("12345", Worth::Traces, 0);
    assert_eq!(
        rig.sequences_of(|_| true),
        [3, 6, 7],
        "then the oldest traces"
    );
    assert_eq!(rig.pump(0), [3, 6, 7]);
    assert_eq!(rig.counters.count(Counter::BufferFull), 4);
    let ledger = rig.ledger();
    assert_eq!(ledger["accepted"], 7);
    assert_eq!(ledger["waiting"], 3);
    assert_eq!(ledger["dropped"]["buffer_full"], 4);
    assert_eq!(
        ledger["gone"].to_string(),
        r#"[[1,2,"buffer_full",2],[4,5,"buffer_full",2]]"#
    );
}

#[test]
fn what_is_in_flight_stays_when_the_room_is_full() {
    let mut rig = Rig::with(Limits {
        memory_bytes: 20,
        ..Limits::default()
    });
    rig.seal("12345", Worth::Logs, 0);
    assert_eq!(rig.pump(0), [1]);
    for _ in 0..3 {
        rig.seal("12345", Worth::Failure, 0);
    }
    assert_eq!(rig.sequences_of(|_| true), [1]);
    rig.answer(1, &DELIVERED, 1);
    assert_eq!(rig.counters.count(Counter::BufferFull), 3);
}

#[test]
fn what_the_server_refuses_is_counted_and_gone() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    rig.seal("x", Worth::Logs, 0);
    rig.outbox.flush(ms(0), ms(LONG));
    rig.pump(0);
    rig.answer(1, &Outcome::Rejected { why: "400".into() }, 1);
    rig.answer(2, &Outcome::Delivered { refused: 9 }, 1);
    rig.answer(2, &DELIVERED, 1);
    assert!(rig.outbox.is_flushed());
    assert_eq!(rig.counters.count(Counter::Rejected), 2);
}

#[test]
fn a_flush_that_takes_too_long_is_not_waited_for_again() {
    let mut rig = Rig::spilling();
    rig.seal("x", Worth::Logs, 0);
    rig.outbox.flush(ms(0), ms(LONG));
    assert_eq!(rig.pump(0), [1]);
    assert!(!rig.outbox.is_flushed());
    rig.outbox.give_up_flush();
    rig.pump(LONG);
    assert_eq!(rig.files.len(), 1, "a kill cannot lose it");
    rig.seal("y", Worth::Logs, 110);
    rig.outbox.flush(ms(110), ms(110 + LONG));
    assert!(rig.outbox.is_flushed(), "the next invocation pays nothing");
    assert_eq!(rig.pump(110), [2], "but the server may be there");
    rig.answer(1, &DELIVERED, 120);
    rig.answer(2, &DELIVERED, 121);
    assert!(rig.files.is_empty());
    assert_eq!(rig.outbox.memory_bytes(), 0);
}

#[test]
fn what_a_dead_server_leaves_is_in_tmp_and_nowhere_else() {
    let mut rig = Rig::spilling();
    (0..5).for_each(|_| rig.seal("x", Worth::Logs, 0));
    for sequence in rig.pump(0) {
        rig.answer(sequence, &failed(), 1);
    }
    rig.pump(2);
    assert_eq!((rig.files.len(), rig.outbox.memory_bytes()), (5, 0));
    let again = rig.outbox.wakes_at().expect("it tries again");
    let at = u64::try_from(again.since(ms(0)).as_millis()).expect("small") + 1;
    assert_eq!(rig.pump(at), [1]);
    assert_eq!(rig.ledger()["spilled"], 5);
    rig.answer(1, &DELIVERED, at);
    assert_eq!(rig.pump(at), [2, 3, 4]);
    for sequence in [2, 3, 4] {
        rig.answer(sequence, &DELIVERED, at);
    }
    assert_eq!(rig.pump(at), [5]);
    rig.answer(5, &DELIVERED, at);
    assert!(rig.files.is_empty());
}

#[test]
fn a_full_disk_keeps_what_is_worth_most() {
    let mut rig = Rig::with(Limits {
        spill_bytes: 40,
        memory_bytes: 15,
        ..Limits::default()
    });
    rig.outbox
        .breaker
        .failed(ms(0), Some(Duration::from_secs(60)));
    for worth in [
        Worth::Logs,
        Worth::Metrics,
        Worth::Traces,
        Worth::Logs,
        Worth::Failure,
    ] {
        rig.seal("12345", worth, 1);
        rig.pump(1);
    }
    let on_disk = rig.sequences_of(|queued| queued.on_disk == OnDisk::Yes);
    assert_eq!(on_disk, [2, 3, 5]);
    assert_eq!(
        rig.counters.count(Counter::SpillFull),
        2,
        "the older logs went for the newer, these for the failure"
    );
    rig.seal("12345", Worth::Failure, 2);
    rig.pump(2);
    let on_disk = rig.sequences_of(|queued| queued.on_disk == OnDisk::Yes);
    assert_eq!(on_disk, [3, 5, 6], "then the metrics");
    assert_eq!(rig.counters.lost(), 3);
}

#[test]
fn a_broken_disk_is_survived_and_tried_again() {
    let mut rig = Rig::spilling();
    rig.disk_works = false;
    rig.outbox
        .breaker
        .failed(ms(0), Some(Duration::from_secs(60)));
    rig.seal("x", Worth::Logs, 0);
    rig.pump(0);
    rig.pump(1);
    assert_eq!(rig.counters.count(Counter::SpillFailed), 1, "once");
    rig.disk_works = true;
    rig.pump(10_001);
    assert_eq!(rig.files.len(), 1);
    rig.files.clear();
    rig.pump(60_001);
    assert_eq!(
        rig.counters.count(Counter::SpillTorn),
        1,
        "somebody took the file"
    );
    rig.seal("y", Worth::Logs, 60_002);
    assert_eq!(
        rig.pump(60_002),
        [2],
        "which does not count against the server"
    );
}

#[test]
fn the_last_flush_tries_at_once_and_again_and_prints_the_rest() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    rig.seal("x", Worth::Failure, 0);
    rig.pump(0);
    let long = Outcome::Failed {
        why: "503".into(),
        retry_after: Some(Duration::from_secs(60)),
    };
    rig.answer(1, &long, 0);
    rig.answer(2, &long, 0);
    rig.outbox.last_flush(ms(10), ms(1410));
    assert_eq!(rig.pump(10), [2]);
    rig.answer(2, &failed(), 11);
    assert!(!rig.outbox.is_flushed());
    let again = rig.outbox.wakes_at().expect("again");
    assert!(again <= ms(11 + 200));
    rig.pump(1010);
    assert_eq!(rig.ledger()["final"], false);
    assert_eq!(rig.printed(1011), [2, 1], "the failure first");
    assert!(rig.outbox.is_flushed());
    assert_eq!(rig.outbox.abandon(false), (0, 0));
    assert_eq!(rig.outbox.printed_items(), 2);
}

#[test]
fn the_last_ledger_says_so() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    rig.pump(0);
    rig.answer(1, &DELIVERED, 1);
    rig.outbox.last_flush(ms(10), ms(1410));
    assert_eq!(rig.pump(10), [0], "it travels alone");
    let ledger = rig.ledger();
    assert_eq!(
        (&ledger["final"], &ledger["delivered"]),
        (&true.into(), &1.into())
    );
    assert!(!rig.outbox.is_flushed());
    rig.answer(0, &DELIVERED, 11);
    assert!(rig.outbox.is_flushed());
}

#[test]
fn nobody_is_told_of_a_life_in_which_nothing_was() {
    let mut rig = Rig::new();
    rig.outbox.last_flush(ms(10), ms(1410));
    assert_eq!(rig.pump(10), [0; 0]);
    assert!(rig.outbox.is_flushed());
}

#[test]
fn a_killed_life_is_sent_under_its_own_name() {
    let mut first = Rig::spilling();
    first.outbox.unsealed(3);
    first.seal("a", Worth::Logs, 0);
    first.seal("b", Worth::Failure, 0);
    first
        .outbox
        .breaker
        .failed(ms(0), Some(Duration::from_secs(60)));
    first.pump(1);
    first.outbox.unsealed(7);
    // It is killed: a batch lies in /tmp, another and what was not sealed are gone.
    let (_, line) = first.outbox.records().remove(0);
    let record = frame::decode_record(line.as_bytes(), 0).expect("its record");
    let stored = |queued: &Queued| frame::Stored {
        batch: Batch {
            body: Bytes::new(),
            ..queued.batch.clone()
        },
        bytes: queued.bytes,
    };
    let batches = first.outbox.queue.iter().skip(1).map(stored).collect();
    let leftover = Leftover {
        record: Some(record),
        batches,
    };
    let counters = Arc::new(Counters::default());
    let mut second = Rig {
        outbox: Outbox::new(
            "e-2",
            "checkout",
            Export::On,
            first.outbox.limits,
            Arc::clone(&counters),
        ),
        counters,
        orders: Vec::new(),
        disk_works: true,
        files: first.files.clone(),
    };
    let taken = second.outbox.take_over(vec![leftover.clone()]);
    assert_eq!((taken.lives, taken.killed, taken.left), (1, 8, 0));
    assert!(second.outbox.is_balanced());
    let again = second.outbox.take_over(vec![leftover]);
    assert_eq!(again, TakenOver::default(), "once");
    assert_eq!(second.pump(2), [2]);
    let Some(Order::Send(parcel)) = second.orders.last() else {
        panic!("it is sent")
    };
    assert_eq!(&*parcel.batch.environment, "e-1");
    let ledger = second.ledger();
    assert_eq!(
        (&ledger["accepted"], &ledger["spilled"]),
        (&9.into(), &1.into())
    );
    assert_eq!(ledger["dropped"]["extension_killed"], 8);
    assert_eq!(
        ledger["gone"].to_string(),
        r#"[[1,1,"extension_killed",1]]"#
    );
    second.answer(2, &DELIVERED, 3);
    assert_eq!(second.pump(3), [0], "and its last ledger");
    assert_eq!(second.ledger()["final"], true);
    second.answer(0, &DELIVERED, 4);
    assert_eq!(second.outbox.records().len(), 1, "only ours is left");
    assert_eq!(second.counters.lost(), 0, "it is the loss of another life");
}

#[test]
fn with_nowhere_to_send_to_all_is_counted() {
    let mut rig = Rig::new();
    rig.outbox.export = Export::Off;
    rig.seal("x", Worth::Logs, 0);
    rig.outbox.flush(ms(0), ms(LONG));
    assert_eq!(rig.pump(0), [0; 0]);
    assert!(rig.outbox.is_flushed());
    assert_eq!(rig.counters.count(Counter::ExportOff), 1);
    assert!(rig.outbox.is_balanced());
}

#[test]
fn large_bodies_are_packed_and_larger_ones_halved() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    rig.seal(&"x".repeat(5000), Worth::Logs, 0);
    let packed: Vec<_> = rig
        .outbox
        .queue
        .iter()
        .map(|queued| queued.batch.packed)
        .collect();
    assert_eq!(packed, [false, true]);
    assert!(rig.outbox.queue[1].bytes < 200);
    // Text that does not pack.
    let mut random = 1_u64;
    let mut noise = || {
        let letters = (0..80_000).map(|_| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            char::from(u8::try_from(random % 94).expect("small") + 33)
        });
        letters.collect::<String>()
    };
    let texts = [noise(), noise(), noise(), noise(), noise()];
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    rig.outbox.seal(request(&texts), Worth::Logs, ms(0));
    let parts: Vec<_> = rig.outbox.queue.iter().skip(2).collect();
    assert!(parts.iter().all(|queued| queued.bytes <= BODY_BYTES_MAX));
    assert_eq!(
        parts
            .iter()
            .map(|queued| queued.batch.items)
            .collect::<Vec<_>>(),
        [2, 1, 2]
    );
    assert!(
        parts
            .iter()
            .all(|queued| queued.batch.signal == Signal::Logs)
    );
}

#[test]
fn while_all_places_are_taken_there_is_nothing_to_wake_for() {
    let mut rig = Rig::new();
    (0..4).for_each(|_| rig.seal("x", Worth::Logs, 0));
    assert_eq!(rig.pump(0).len(), 3);
    rig.outbox.breaker.failed(ms(100), None);
    // The server still hangs when the breaker would let the next batch go.
    assert_eq!(rig.pump(2000), [0; 0]);
    assert_eq!(rig.outbox.wakes_at(), None, "an answer wakes");
    rig.answer(1, &failed(), 5000);
    let again = rig.outbox.wakes_at().expect("it tries again");
    rig.outbox.pump(again);
    assert_eq!(rig.files(5200).len(), 1);
}
