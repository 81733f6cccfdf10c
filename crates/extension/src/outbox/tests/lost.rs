//! Answers that were lost in a panic.

use super::*;

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
