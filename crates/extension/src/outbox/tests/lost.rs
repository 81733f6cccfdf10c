//! Answers that were lost in a panic.

use super::*;
use crate::outbox::frame::{Stored, decode_record};

fn key(sequence: u64) -> Key {
    Key {
        environment: "e-1".into(),
        sequence,
    }
}

/// Found by seed 6985 of the simulation.
#[test]
fn news_of_the_disk_that_is_lost_does_not_send_a_batch_twice_at_once() {
    let mut rig = Rig::spilling();
    rig.seal("x", Worth::Logs, 0);
    rig.outbox.flush(ms(0), ms(LONG));
    assert_eq!(rig.pump(0), [1]);
    rig.outbox.give_up_flush();
    rig.outbox.pump(ms(LONG));
    let orders = rig.outbox.orders();
    let [Order::Save(batch)] = &orders[..] else {
        panic!("it is kept safe while nobody knows: {orders:?}");
    };
    rig.outbox.unanswered(Question::Save, &batch.key());
    assert!(rig.outbox.is_balanced());
    assert_eq!(
        rig.outbox.orders(),
        [Order::Remove(key(1), batch.signal)],
        "if it was written nobody would remove it"
    );
    rig.outbox.give_last_chance(ms(LONG + 1));
    assert!(rig.pump(LONG + 1).is_empty(), "it is on its way");
    rig.answer(1, &failed(), LONG + 2);
    rig.outbox.give_last_chance(ms(LONG + 3));
    assert_eq!(rig.pump(LONG + 3), [1]);
}

#[test]
fn what_was_asked_for_is_asked_for_again() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    assert_eq!(rig.pump(0), [1]);
    rig.outbox.unanswered(Question::Load, &key(1));
    rig.outbox.unanswered(Question::Print, &key(1));
    assert!(rig.pump(1).is_empty(), "neither was asked for");
    rig.outbox.unanswered(Question::Send, &key(1));
    assert_eq!(rig.pump(2), [1]);
    rig.outbox.unanswered(Question::Send, &key(9));
    assert!(rig.outbox.is_balanced());
}

/// Found by seed 69194 of the simulation.
#[test]
fn what_is_being_printed_when_the_kill_comes_is_not_booked_twice() {
    let mut rig = Rig::spilling();
    rig.seal("x", Worth::Logs, 0);
    rig.pump(0);
    rig.answer(1, &failed(), 1);
    rig.outbox.pump(ms(1));
    rig.files(1);
    let stored = Stored {
        batch: Batch {
            body: Bytes::new(),
            ..rig.outbox.queue[0].batch.clone()
        },
        bytes: rig.outbox.queue[0].bytes,
    };
    rig.outbox.last_flush(ms(10), ms(1410));
    rig.pump(1400);
    rig.pump(1401);
    assert_eq!(rig.ledger()["printed"], 1, "the line itself says so");
    let (_, line) = rig.outbox.records().remove(0);
    let record = decode_record(line.as_bytes(), rig.outbox.limits.home).unwrap();
    assert_eq!(record.account.printed, 0);
    let leftover = Leftover {
        record: Some(record),
        batches: vec![stored],
    };
    let mut next = Rig::spilling();
    next.outbox = Outbox::new(
        "e-2",
        "checkout",
        Export::On,
        next.outbox.limits,
        Arc::clone(&next.counters),
    );
    assert_eq!(next.outbox.take_over(vec![leftover]).lives, 1);
    assert!(next.outbox.is_balanced());
    let (account, held) = next.outbox.books().remove(1);
    assert_eq!((account.taken, held.spilled), (1, 1));
}
