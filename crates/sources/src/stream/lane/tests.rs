use std::fmt::Write;

use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

#[derive(Debug, Clone, PartialEq)]
struct Record {
    number: usize,
    arrived: UnixNanos,
}

impl Item for Record {
    fn arrived(&self) -> UnixNanos {
        self.arrived
    }

    fn bytes(&self) -> usize {
        10
    }
}

fn rules() -> Rules {
    Rules {
        batch_size: 4,
        batch_bytes: 1000,
        window: Duration::ZERO,
        retries_max: None,
        record_age_max: None,
        bisect: false,
        tumbling_window: None,
    }
}

fn at(millis: u64) -> UnixNanos {
    UnixNanos::from_millis(1_000_000 + millis)
}

/// What an invocation shall come to, by the numbers of its records.
type Decide = fn(&[usize]) -> Outcome;

/// Runs records through a lane, with the time going on as far as the lane wants to wait, and writes down what happens.
fn story(rules: Rules, arrivals: &[u64], decide: Decide, expected: Expect) {
    let mut lane = Lane::new(rules);
    for (number, millis) in arrivals.iter().enumerate() {
        let arrived = at(*millis);
        lane.push(Record { number, arrived }, at(0));
    }
    lane.end();
    let mut told = String::new();
    let mut now = at(0);
    for _ in 0..100 {
        let numbers = |items: &[Record]| items.iter().map(|item| item.number).collect::<Vec<_>>();
        match lane.next(now) {
            Step::Wait(Some(until)) => {
                writeln!(told, "wait {} ms", until.since(now).as_millis()).unwrap();
                now = until;
            }
            Step::Wait(None) => writeln!(told, "wait").unwrap(),
            Step::Invoke(batch) => {
                let numbers = numbers(batch.items);
                let span = batch.span.map_or(String::new(), |span| {
                    let start = span.start.since(at(0)).as_millis();
                    let last = if span.is_final { " final" } else { "" };
                    format!(" window {start}{last} {}", batch.state)
                });
                let outcome = decide(&numbers);
                writeln!(told, "invoke {numbers:?}{span}: {outcome:?}").unwrap();
                lane.ended(outcome, now);
            }
            Step::GiveUp(given_up) => writeln!(
                told,
                "give up {:?} after {}: {:?}",
                numbers(&given_up.items),
                given_up.invocations,
                given_up.why
            )
            .unwrap(),
            Step::Done => {
                told += "done\n";
                break;
            }
        }
    }
    expected.assert_eq(&told);
}

fn poison(numbers: &[usize], poison: usize) -> Outcome {
    if numbers.contains(&poison) {
        Outcome::Failed
    } else {
        Outcome::Done(None)
    }
}

fn names(numbers: &[usize], poison: usize) -> Outcome {
    match numbers.iter().position(|number| *number == poison) {
        Some(index) => Outcome::FailedFrom(index, None),
        None => Outcome::Done(None),
    }
}

#[test]
fn batches_are_full_and_the_last_is_what_is_left() {
    let decide: Decide = |_| Outcome::Done(None);
    story(
        rules(),
        &[0; 9],
        decide,
        expect![[r#"
            invoke [0, 1, 2, 3]: Done(None)
            invoke [4, 5, 6, 7]: Done(None)
            invoke [8]: Done(None)
            done
        "#]],
    );
}

#[test]
fn failed_batch_blocks_until_its_retries_are_up() {
    let rules = Rules {
        retries_max: Some(2),
        ..rules()
    };
    story(
        rules,
        &[0; 6],
        |numbers| poison(numbers, 1),
        expect![[r#"
            invoke [0, 1, 2, 3]: Failed
            wait 100 ms
            invoke [0, 1, 2, 3]: Failed
            wait 200 ms
            invoke [0, 1, 2, 3]: Failed
            give up [0, 1, 2, 3] after 3: RetriesExhausted
            invoke [4, 5]: Done(None)
            done
        "#]],
    );
}

#[test]
fn bisection_finds_the_record_and_is_no_retry() {
    let rules = Rules {
        retries_max: Some(0),
        bisect: true,
        ..rules()
    };
    story(
        rules,
        &[0; 5],
        |numbers| poison(numbers, 2),
        expect![[r#"
            invoke [0, 1, 2, 3]: Failed
            wait 100 ms
            invoke [0, 1]: Done(None)
            invoke [2, 3]: Failed
            wait 100 ms
            invoke [2]: Failed
            give up [2] after 3: RetriesExhausted
            invoke [3]: Done(None)
            invoke [4]: Done(None)
            done
        "#]],
    );
}

#[test]
fn what_came_before_the_lowest_failure_is_done_with() {
    let rules = Rules {
        retries_max: Some(1),
        ..rules()
    };
    story(
        rules,
        &[0; 4],
        |numbers| names(numbers, 2),
        expect![[r#"
            invoke [0, 1, 2, 3]: FailedFrom(2, None)
            wait 100 ms
            invoke [2, 3]: FailedFrom(0, None)
            give up [2, 3] after 2: RetriesExhausted
            done
        "#]],
    );
}

#[test]
fn bisection_goes_on_from_the_lowest_failure() {
    let rules = Rules {
        retries_max: Some(1),
        bisect: true,
        ..rules()
    };
    story(
        rules,
        &[0; 4],
        |numbers| names(numbers, 2),
        expect![[r#"
            invoke [0, 1, 2, 3]: FailedFrom(2, None)
            wait 100 ms
            invoke [2, 3]: FailedFrom(0, None)
            wait 200 ms
            invoke [2]: FailedFrom(0, None)
            wait 400 ms
            invoke [2]: FailedFrom(0, None)
            give up [2] after 4: RetriesExhausted
            invoke [3]: Done(None)
            done
        "#]],
    );
}

#[test]
fn records_that_grow_too_old_are_given_up_and_the_rest_is_tried() {
    let rules = Rules {
        record_age_max: Some(Duration::from_millis(500)),
        ..rules()
    };
    story(
        rules,
        &[0, 0, 900, 900],
        |numbers| poison(numbers, 0),
        expect![[r#"
            invoke [0, 1, 2, 3]: Failed
            wait 100 ms
            invoke [0, 1, 2, 3]: Failed
            wait 200 ms
            invoke [0, 1, 2, 3]: Failed
            wait 400 ms
            give up [0, 1] after 3: TooOld
            invoke [2, 3]: Done(None)
            done
        "#]],
    );
}

#[test]
fn window_hands_its_state_on_and_ends_with_an_invocation_of_its_own() {
    let rules = Rules {
        batch_size: 2,
        tumbling_window: Some(Duration::from_millis(1000)),
        ..rules()
    };
    let count: Decide = |numbers| Outcome::Done(Some(json!({ "last": numbers.last() })));
    story(
        rules,
        &[0, 10, 20, 1000, 3000],
        count,
        expect![[r#"
            invoke [0, 1] window 0 {}: Done(Some(Object {"last": Number(1)}))
            invoke [2] window 0 {"last":1}: Done(Some(Object {"last": Number(2)}))
            invoke [] window 0 final {"last":2}: Done(Some(Object {"last": Null}))
            invoke [3] window 1000 {}: Done(Some(Object {"last": Number(3)}))
            invoke [] window 1000 final {"last":3}: Done(Some(Object {"last": Null}))
            invoke [4] window 3000 {}: Done(Some(Object {"last": Number(4)}))
            invoke [] window 3000 final {"last":4}: Done(Some(Object {"last": Null}))
            done
        "#]],
    );
}

#[test]
fn window_stays_open_until_nothing_of_it_can_come() {
    let rules = Rules {
        tumbling_window: Some(Duration::from_millis(1000)),
        ..rules()
    };
    let mut lane = Lane::new(rules);
    let arrived = at(10);
    lane.push(Record { number: 0, arrived }, at(20));
    assert!(matches!(lane.next(at(20)), Step::Invoke(_)));
    lane.ended(Outcome::Done(None), at(30));
    lane.caught_up(at(999));
    assert!(matches!(lane.next(at(5000)), Step::Wait(None)));
    lane.caught_up(at(1000));
    assert!(matches!(lane.next(at(5000)), Step::Invoke(batch) if batch.span.unwrap().is_final));
}

#[test]
fn batch_waits_for_its_window_or_for_its_size() {
    let rules = Rules {
        window: Duration::from_millis(300),
        ..rules()
    };
    let mut lane = Lane::new(rules);
    let arrived = at(0);
    lane.push(Record { number: 0, arrived }, at(0));
    assert!(matches!(lane.next(at(10)), Step::Wait(Some(until)) if until == at(300)));
    for number in 1..5 {
        lane.push(Record { number, arrived }, at(10));
    }
    assert!(!lane.has_room());
    assert!(matches!(lane.next(at(10)), Step::Invoke(batch) if batch.items.len() == 4));
    lane.ended(Outcome::NotMade, at(10));
    assert!(matches!(lane.next(at(10)), Step::Invoke(batch) if batch.items.len() == 4));
    lane.ended(Outcome::Done(None), at(20));
    assert!(matches!(lane.next(at(20)), Step::Wait(Some(until)) if until == at(310)));
}

/// Whatever fails: each record ends once, in its order, and none is given up before its retries or its age are.
#[test]
fn nothing_is_skipped_or_reordered_whatever_fails() {
    for seed in 0..3000 {
        let mut random = fastrand::Rng::with_seed(seed);
        let rules = Rules {
            batch_size: random.usize(1..6),
            retries_max: random.bool().then(|| random.u32(0..4)),
            record_age_max: random
                .bool()
                .then(|| Duration::from_millis(random.u64(100..5000))),
            bisect: random.bool(),
            window: Duration::from_millis(random.u64(0..50)),
            tumbling_window: random
                .bool()
                .then(|| Duration::from_millis(random.u64(1..200))),
            ..rules()
        };
        one_life(&rules, &mut random, seed);
    }
}

fn one_life(rules: &Rules, random: &mut fastrand::Rng, seed: u64) {
    const RECORDS: usize = 20;
    let mut lane = Lane::new(rules.clone());
    let mut tried = [0_u32; RECORDS];
    let mut ended = Vec::new();
    let mut pushed = 0;
    let mut now = at(0);
    let mut finished = false;
    for _ in 0..100_000 {
        while pushed < RECORDS && lane.has_room() && random.bool() {
            let arrived = now;
            lane.push(
                Record {
                    number: pushed,
                    arrived,
                },
                now,
            );
            pushed += 1;
        }
        if pushed == RECORDS {
            lane.end();
        }
        let mut outcome = None;
        match lane.next(now) {
            Step::Wait(until) => now = until.unwrap_or(now + Duration::from_millis(1)),
            Step::Invoke(batch) => {
                let numbers: Vec<_> = batch.items.iter().map(|item| item.number).collect();
                let consecutive = numbers
                    .iter()
                    .copied()
                    .eq(ended.len()..ended.len() + numbers.len());
                assert!(
                    consecutive,
                    "seed {seed}: {numbers:?} after {}",
                    ended.len()
                );
                assert!(numbers.len() <= rules.batch_size, "seed {seed}");
                numbers.iter().for_each(|number| tried[*number] += 1);
                let first = random.usize(0..=numbers.len());
                let chosen = match random.u32(0..5) {
                    0 | 1 => Outcome::Failed,
                    2 if first < numbers.len() => Outcome::FailedFrom(first, None),
                    _ => Outcome::Done(None),
                };
                match &chosen {
                    Outcome::Done(_) => ended.extend(&numbers),
                    Outcome::FailedFrom(first, _) => ended.extend(&numbers[..*first]),
                    _ => {}
                }
                outcome = Some(chosen);
                now = now + Duration::from_millis(random.u64(0..100));
            }
            Step::GiveUp(given_up) => {
                for item in &given_up.items {
                    assert_eq!(item.number, ended.len(), "seed {seed}");
                    ended.push(item.number);
                    let enough = match given_up.why {
                        Why::TooOld => {
                            let age = now.since(item.arrived);
                            rules.record_age_max.is_some_and(|most| age > most)
                        }
                        Why::RetriesExhausted => rules
                            .retries_max
                            .is_some_and(|most| tried[item.number] > most),
                    };
                    assert!(enough, "seed {seed}: {item:?} tried {}", tried[item.number]);
                }
            }
            Step::Done => {
                finished = true;
                break;
            }
        }
        if let Some(outcome) = outcome {
            lane.ended(outcome, now);
        }
    }
    assert!(
        finished && ended.len() == RECORDS,
        "seed {seed}: {} ended",
        ended.len()
    );
}
