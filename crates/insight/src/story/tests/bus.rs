//! Events of a bus, once and again.

use expect_test::expect;
use throughline_telemetry::Span;

use super::{World, check, span};

/// As a rule with two targets has it, or a delivery that is tried again: one id, and traces of their own.
#[test]
fn what_a_bus_delivers_twice_goes_on_from_whoever_put_it() {
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

fn put(trace: u8, start: u64) -> Span {
    let put = span(trace, u64::from(trace), 0, start, start + 1).named("put");
    put.sends(&[&format!("eb:e-{trace}"), "ebd:d"]).build()
}

fn replayed(trace: u8, start: u64) -> Span {
    let replayed = span(trace, u64::from(trace), 0, start, start + 5).named("again");
    let id = format!("eb:again-{trace}");
    let replayed = replayed.receives(&[&format!("lam:r-{trace}"), &id, "ebd:d"]);
    replayed.through(&["bus:#ebd:d"]).build()
}

/// It has another id then, and says the same.
#[test]
fn what_an_archive_gives_back_is_inferred_from_whoever_put_it() {
    let first = span(2, 2, 0, 30, 35).named("consume");
    let first = first.receives(&["lam:r-2", "eb:e-1"]);
    let mut spans = vec![put(1, 10), first.build()];
    spans.extend([replayed(3, 3_600_000), replayed(4, 7_200_000)]);
    let world = World::of(spans);
    check(
        &world,
        &[1, 3, 4],
        &expect![[r#"
            1 put
              3 bus (waited 3599990 ms)
                3 again <- inferred ebd:d
              4 bus (waited 7199990 ms)
                4 again <- inferred ebd:d
              2 consume <- matched eb:e-1
        "#]],
    );
}

#[test]
fn of_two_who_put_the_same_the_last_before_the_replay_is_taken() {
    let senders = [put(1, 10), put(2, 20), put(3, 9_000)];
    let world = World::of(senders.into_iter().chain([replayed(9, 5_000)]));
    check(
        &world,
        &[2, 9],
        &expect![[r#"
            2 put
              9 bus (waited 4980 ms)
                9 again <- inferred ebd:d
        "#]],
    );
    check(&world, &[1], &expect!["1 put\n"]);
    check(&world, &[3], &expect!["3 put\n"]);
}

/// AWS does not say that an id never stays.
#[test]
fn a_replay_with_the_id_of_the_first_goes_on_from_whoever_put_that() {
    let again = span(9, 9, 0, 5_000, 5_005).named("again");
    let again = again.receives(&["lam:r-9", "eb:e-1", "ebd:d"]);
    let world = World::of([put(1, 10), put(2, 20), again.build()]);
    check(
        &world,
        &[1, 9],
        &expect![[r#"
            1 put
              9 again <- matched eb:e-1
        "#]],
    );
    check(&world, &[2], &expect!["2 put\n"]);
}
