//! What a restore from a snapshot leaves of the environment before it.

use super::*;

/// Where and under which number everything is sent.
fn sent<'o>(orders: &'o [Order]) -> Vec<(&'o str, u64)> {
    let parcel = |order: &'o Order| match order {
        Order::Send(parcel) => Some((&*parcel.batch.environment, parcel.batch.sequence)),
        _ => None,
    };
    orders.iter().filter_map(parcel).collect()
}

#[test]
fn an_environment_that_was_restored_counts_from_one_and_what_was_sealed_before_keeps_its_number() {
    let mut outbox = Rig::new().outbox;
    outbox.seal(request(&["before"]), Worth::Logs, ms(0));
    outbox.unsealed(2);
    outbox.orders();
    outbox.renew("e-2");
    assert!(outbox.is_balanced());
    outbox.unsealed(0);
    outbox.unsealed(1);
    outbox.seal(request(&["after"]), Worth::Logs, ms(1));
    outbox.unsealed(0);
    outbox.pump(ms(2));
    let orders = outbox.orders();
    assert_eq!(sent(&orders), [("e-1", 1), ("e-2", 1)]);
    assert!(outbox.is_balanced());
}

#[test]
fn of_an_environment_that_took_nothing_nothing_is_left_after_the_restore() {
    let mut outbox = Rig::new().outbox;
    outbox.renew("e-2");
    assert_eq!(outbox.orders(), [Order::Close("e-1".into())]);
    outbox.pump(ms(0));
    assert_eq!(outbox.orders(), []);
}

#[test]
fn a_ledger_may_be_answered_when_it_was_printed_meanwhile() {
    let mut rig = Rig::new();
    rig.seal("before", Worth::Logs, 0);
    assert_eq!(rig.pump(0), [1]);
    rig.answer(1, &DELIVERED, 1);
    rig.outbox.renew("e-2");
    assert_eq!(rig.pump(2), [0], "the last one of e-1");
    rig.outbox.last_flush(ms(3), ms(LONG));
    rig.pump(LONG);
    assert_eq!(rig.printed(LONG), [0], "no answer came");
    rig.answer(0, &DELIVERED, LONG);
    assert!(rig.outbox.is_flushed());
}
