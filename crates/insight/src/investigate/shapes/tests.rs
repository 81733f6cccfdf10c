use throughline_telemetry::Attributes;

use super::*;
use crate::testing::{resource, span};

/// Adds a span below another (0: none), the n-th of its trace beginning at n.
fn add(spans: &mut Vec<Span>, parent: u64, name: &str, says: &[(&str, &str)]) -> u64 {
    let id = spans.len() as u64 + 1;
    let mut made = span(id, parent, id, id + 1);
    made.name = name.to_owned();
    made.resource = resource("shop");
    if !says.is_empty() {
        made.kind = SpanKind::Client;
        made.attributes = says.iter().copied().collect::<Attributes>();
    }
    spans.push(made);
    id
}

const USERS: [(&str, &str); 1] = [("aws.dynamodb.table_names", "users")];
const CARDS: [(&str, &str); 1] = [("db.collection.name", "arn:aws:dynamodb:a:1:table/cards")];

/// Reads a table so many times, and another once.
fn reads(users: usize) -> Vec<Span> {
    let mut spans = Vec::new();
    let shop = add(&mut spans, 0, "shop", &[]);
    for _ in 0..users {
        add(&mut spans, shop, "GetItem", &USERS);
    }
    add(&mut spans, shop, "GetItem", &CARDS);
    spans
}

/// `GetItem on users: More 1 → 40`.
fn told(before: &[Vec<Span>], now: &[Vec<Span>]) -> Vec<String> {
    let line = |it: &Shape| {
        let on = it.target.as_ref();
        let on = on.map_or(String::new(), |target| format!(" on {}", target.name));
        let [was, is] = it.often;
        format!("{}{on}: {:?} {was} → {is}", it.name, it.seen)
    };
    shapes(before, now).iter().map(line).collect()
}

fn traces(times: &[usize], of: impl Fn(usize) -> Vec<Span>) -> Vec<Vec<Span>> {
    times.iter().map(|times| of(*times)).collect()
}

#[test]
fn a_call_for_each_row_instead_of_one_is_told() {
    let found = shapes(&traces(&[1; 12], reads), &traces(&[40; 12], reads));
    assert_eq!(found.len(), 1, "{found:?}");
    let target = Target {
        column: "aws.dynamodb.table_names",
        name: "users".to_owned(),
    };
    assert_eq!(
        found[0],
        Shape {
            service: "shop".to_owned(),
            name: "GetItem".to_owned(),
            target: Some(target),
            seen: Seen::More,
            often: [1.0, 40.0],
            traces: [12, 12],
        }
    );
}

#[test]
fn what_is_as_it_was_is_not_told() {
    let some = traces(&[1, 2, 3, 1, 2, 4, 2, 1, 3, 2], reads);
    assert_eq!(told(&some, &some), [""; 0]);
    assert_eq!(told(&[], &some), [""; 0]);
    assert_eq!(told(&some, &[]), [""; 0]);
    // Twice as often, and not once more.
    let [none, one] = [
        [0, 0, 0, 0, 1, 0, 0, 0, 0, 0],
        [0, 1, 0, 1, 0, 1, 0, 1, 0, 1],
    ];
    assert_eq!(told(&traces(&none, reads), &traces(&one, reads)), [""; 0]);
    // Half as often again.
    assert_eq!(
        told(&traces(&[10; 12], reads), &traces(&[15; 12], reads)),
        [""; 0]
    );
    // And less often is no more.
    assert_eq!(
        told(&traces(&[40; 12], reads), &traces(&[1; 12], reads)),
        [""; 0]
    );
}

#[test]
fn what_chance_may_bring_is_not_told() {
    // One large order of twelve.
    let mut now = [1; 12];
    now[3] = 60;
    assert_eq!(
        told(&traces(&[1; 12], reads), &traces(&now, reads)),
        [""; 0]
    );
    // Twice the mean, of orders that are as different before.
    let (before, now) = ([1, 3, 2, 9, 1, 2, 4, 12], [2, 14, 9, 3, 13, 8, 11, 12]);
    assert_eq!(told(&traces(&before, reads), &traces(&now, reads)), [""; 0]);
    // Four traces of either may be any.
    assert_eq!(
        told(&traces(&[1; 12], reads), &traces(&[40; 4], reads)),
        [""; 0]
    );
    assert_eq!(
        told(&traces(&[1; 5], reads), &traces(&[40; 5], reads)).len(),
        1
    );
    // A step that half of all traces have, as it happens those of now.
    let (before, now) = ([0, 0, 0, 0, 1], [1, 1, 1, 1, 0]);
    assert_eq!(told(&traces(&before, reads), &traces(&now, reads)), [""; 0]);
}

#[test]
fn the_more_steps_there_are_the_surer_one_must_be() {
    // Each trace has a step of its own name besides, as where an id is part of it.
    let with_ids = |count: usize, side: &str| -> Vec<Vec<Span>> {
        let traces = (0..5).map(|trace| {
            let mut spans = reads(count);
            for id in 0..10 {
                add(&mut spans, 1, &format!("GET /{side}/{trace}/{id}"), &[]);
            }
            spans
        });
        traces.collect()
    };
    assert_eq!(told(&with_ids(1, "a"), &with_ids(40, "b")), [""; 0]);
}

#[test]
fn what_came_or_went_is_told() {
    let [with, without] = [[1; 8], [0; 8]];
    assert_eq!(
        told(&traces(&without, reads), &traces(&with, reads)),
        ["GetItem on users: Appeared 0 → 1"]
    );
    assert_eq!(
        told(&traces(&with, reads), &traces(&without, reads)),
        ["GetItem on users: Vanished 1 → 0"]
    );
}

#[test]
fn what_is_below_a_step_that_is_told_is_told_only_if_there_is_more_to_it() {
    let pays = |(times, reads): (usize, usize)| {
        let mut spans = Vec::new();
        let shop = add(&mut spans, 0, "shop", &[]);
        for _ in 0..times {
            let pay = add(&mut spans, shop, "pay", &[]);
            for _ in 0..reads {
                let get = add(&mut spans, pay, "GetItem", &USERS);
                add(&mut spans, get, "connect", &[]);
            }
        }
        vec![spans; 10]
    };
    assert_eq!(
        told(&pays((1, 1)), &pays((20, 1))),
        ["pay: More 1 → 20"],
        "each pays once and reads once"
    );
    assert_eq!(
        told(&pays((1, 1)), &pays((2, 10))),
        ["GetItem on users: More 1 → 20", "pay: More 1 → 2"]
    );
    assert_eq!(told(&pays((0, 0)), &pays((1, 1))), ["pay: Appeared 0 → 1"]);
    assert_eq!(told(&pays((1, 1)), &pays((0, 0))), ["pay: Vanished 1 → 0"]);
}

#[test]
fn steps_that_call_each_other_do_not_hide_each_other() {
    let chain = |depth: usize| {
        let mut spans = Vec::new();
        let mut above = add(&mut spans, 0, "shop", &[]);
        for _ in 0..depth {
            above = add(&mut spans, above, "ask", &[]);
            above = add(&mut spans, above, "answer", &[]);
        }
        vec![spans; 10]
    };
    assert_eq!(told(&chain(1), &chain(10)), ["ask: More 1 → 10"]);
}

#[test]
fn chance_is_of_all_ways_to_be_drawn() {
    // All five of one bag, out of ten: one of 252.
    assert!((chance(5, 5, 5) * 252.0 - 1.0).abs() < 1e-9);
    assert_eq!(chance(0, 5, 5), 1.0);
}
