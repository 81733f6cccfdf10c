//! What makes way for what, and what nobody takes.

use super::*;

#[test]
fn nothing_makes_way_for_what_does_not_fit_then_either() {
    let mut rig = Rig::with(Limits {
        spill_bytes: 40,
        memory_bytes: 15,
        ..Limits::default()
    });
    rig.outbox
        .breaker
        .failed(ms(0), Some(Duration::from_secs(60)));
    rig.seal("12345", Worth::Logs, 1);
    rig.pump(1);
    rig.seal("123456789012345", Worth::Failure, 1);
    rig.pump(1);
    // Without the first there is still no room for the third beside the second.
    rig.seal("1234567890", Worth::Metrics, 2);
    rig.pump(2);
    let on_disk = rig.sequences_of(|queued| queued.on_disk == OnDisk::Yes);
    assert_eq!(on_disk, [1, 2]);
    assert_eq!(
        rig.counters.outline(crate::counters::Kind::Lost),
        "buffer_full 1"
    );
}

#[test]
fn a_ledger_that_the_server_refuses_is_printed() {
    let mut rig = Rig::new();
    rig.seal("x", Worth::Logs, 0);
    assert_eq!(rig.pump(0), [1]);
    let refused = Outcome::Rejected { why: "400".into() };
    rig.answer(1, &refused, 1);
    rig.outbox.last_flush(ms(2), ms(1000));
    assert_eq!(rig.pump(2), [0], "the last ledger travels alone");
    rig.answer(0, &refused, 3);
    assert!(rig.pump(3).is_empty(), "it is not sent again");
    assert_eq!(rig.printed(3), [0]);
    assert!(rig.outbox.is_flushed());
}
