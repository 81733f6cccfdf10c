//! Whether user actions reach their ends in time, over hops that start new traces.

use std::time::Duration;

use super::*;

/// An order, whose mail is sent by who takes it from a queue so many milliseconds after it began.
fn world(mailed_at: u64) -> World {
    let consumer = span(2, 3, 0, mailed_at - 30, mailed_at + 10).named("notify");
    let consumer = consumer.invocation("r-2").receives(&["sqs:m-1", "lam:r-2"]);
    let mail = span(2, 4, 3, mailed_at - 20, mailed_at).named("mail");
    World::of(order().into_iter().chain([consumer.build(), mail.build()]))
}

fn check(world: &World, limits: Limits, expected: Reached) {
    let mut world = world.clone();
    let begin = SpanAt {
        trace_id: id(1),
        span_id: SpanId::new(1_u64.to_be_bytes()).unwrap(),
    };
    let story = world.story(1, limits);
    let within = Duration::from_millis(200);
    let found = reached(&story, begin, within, |span| span.name == "mail");
    assert_eq!(found, expected, "{}", shown(&story));
}

#[test]
fn an_end_behind_a_queue_is_in_time_or_late() {
    check(&world(200), Limits::default(), Reached::InTime);
    check(&world(201), Limits::default(), Reached::Late);
    let mut silent = world(200);
    silent.parts.remove(&id(2));
    check(&silent, Limits::default(), Reached::Late);
}

#[test]
fn where_the_story_is_not_whole_nobody_knows() {
    let one = Limits {
        traces_max: 1,
        ..Limits::default()
    };
    check(&world(200), one, Reached::NotKnown);
}

#[test]
fn the_end_of_another_action_of_the_same_trace_is_not_its_own() {
    // Two orders below one job; only the second is mailed.
    let job = span(1, 9, 0, 0, 300).named("job").build();
    let first = span(1, 1, 9, 0, 50).named("order").build();
    let second = span(1, 2, 9, 50, 100).named("order").build();
    let mail = |parent| span(1, 3, parent, 60, 90).named("mail").build();
    let spans = [job, first, second];
    let of = |parent| World::of(spans.iter().cloned().chain([mail(parent)]));
    check(&of(2), Limits::default(), Reached::Late);
    check(&of(1), Limits::default(), Reached::InTime);
    // Whose it is, is not known: then it is taken for its own.
    check(&of(77), Limits::default(), Reached::InTime);
}
