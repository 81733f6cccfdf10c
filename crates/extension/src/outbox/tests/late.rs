//! What comes when the end was already said, and lives that are too many.

use super::*;
use crate::outbox::Leftover;
use crate::outbox::frame::Record;

#[test]
fn what_comes_after_the_last_ledger_is_followed_by_another() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    assert_eq!(rig.pump(0), [1]);
    rig.outbox.last_flush(ms(0), ms(LONG));
    assert!(!rig.outbox.has_said_farewell());
    rig.answer(1, &DELIVERED, 1);
    assert_eq!(rig.pump(1), [0], "the last ledger alone");
    assert!(rig.outbox.has_said_farewell());
    assert_eq!(rig.ledger()["final"], true);
    rig.seal("late", Worth::Logs, 2);
    assert_eq!(rig.pump(2), [2]);
    rig.answer(2, &DELIVERED, 3);
    assert!(rig.pump(3).is_empty(), "the first one is still on its way");
    rig.answer(0, &DELIVERED, 4);
    assert!(!rig.outbox.is_flushed(), "it was not the last");
    assert_eq!(rig.pump(4), [0]);
    assert_eq!(rig.ledger()["final"], true);
    rig.answer(0, &DELIVERED, 5);
    rig.pump(5);
    assert!(rig.outbox.is_flushed());
    assert!(rig.outbox.is_balanced());
}

#[test]
fn lives_for_which_there_is_no_room_are_counted() {
    let mut rig = Rig::spilling();
    let leftover = |at: usize| Leftover {
        record: Some(Record {
            account: Account {
                taken: 3,
                ..Account::new(&format!("old-{at}"), "checkout")
            },
            open: Vec::new(),
        }),
        batches: Vec::new(),
    };
    let taken = rig.outbox.take_over((0..10).map(leftover).collect());
    assert_eq!((taken.lives, taken.killed, taken.left), (7, 21, 3));
    assert_eq!(rig.counters.count(Counter::LivesLeft), 3);
}
