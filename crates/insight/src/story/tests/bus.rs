//! Events of a bus, once and again.

use expect_test::expect;

use super::{World, check, span};

/// A replay has the ids of the events that it replays, and a trace of its own.
#[test]
fn what_a_bus_replays_goes_on_from_whoever_sent_it_first() {
    let sender = span(1, 1, 0, 0, 10).named("put").sends(&["eb:e"]);
    let consumer = |trace: u8, start: u64| {
        let consumer = span(trace, u64::from(trace), 0, start, start + 5);
        consumer.named("consume").receives(&["eb:e"]).build()
    };
    let world = World::of([sender.build(), consumer(2, 30), consumer(3, 86_400_000)]);
    check(
        &world,
        &[1, 3],
        &expect![[r#"
            1 put
              2 consume <- matched eb:e
              3 consume <- matched eb:e
        "#]],
    );
}
