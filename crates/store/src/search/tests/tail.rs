//! Following agrees with what was stored, whatever is sealed between two looks.

use std::collections::BTreeSet;

use fastrand::Rng;
use throughline_testkit::{log, moment};

use super::super::*;
use crate::testing::{TestDirectory, put_logs};

#[tokio::test]
async fn every_record_is_met_once_and_in_order() {
    for seed in 0..20 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let store = directory.open();
        put_logs(&store, &[log("early").says("0 even").build()]).await;
        let filter = Filter::of_words("even").unwrap();
        let follow = |after| Tail::new(store.clone(), filter.clone(), after, moment(0)).unwrap();
        let mut tail = follow(None);
        let (mut sent, mut met) = (Vec::new(), Vec::new());
        let mut last = None;
        for _ in 0..rng.u64(1..12) {
            for _ in 0..rng.usize(0..3) {
                let logs = (0..rng.usize(1..30)).map(|_| {
                    let number = sent.len() + 1;
                    let parity = if number.is_multiple_of(2) {
                        "even"
                    } else {
                        "odd"
                    };
                    sent.push(number);
                    log("shop")
                        .says(format!("{number} {parity}"))
                        .at(rng.u64(0..1000))
                        .build()
                });
                let logs: Vec<_> = logs.collect();
                put_logs(&store, &logs).await;
                match rng.u32(0..4) {
                    0 => store.seal().unwrap(),
                    1 => store.compact(moment(1 << 30)).unwrap(),
                    _ => {}
                }
            }
            if rng.u32(0..4) == 0 && last.is_some() {
                tail = follow(last);
            }
            loop {
                let arrived = tail.next(rng.usize(1..9), 1000).unwrap();
                assert_eq!(arrived.dropped, 0);
                last = arrived.logs.last().map(|(place, _)| *place).or(last);
                met.extend(arrived.logs.into_iter().map(|(_, log)| log.body.to_text()));
                if !arrived.more {
                    break;
                }
            }
        }
        let even = sent.iter().filter(|number| number.is_multiple_of(2));
        let expected: Vec<String> = even.map(|number| format!("{number} even")).collect();
        assert_eq!(met, expected, "seed {seed}");
    }
}

#[tokio::test]
async fn who_is_too_slow_is_told_what_is_left_out() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let mut tail = Tail::new(store.clone(), Filter::default(), None, moment(0)).unwrap();
    for number in 0..10 {
        put_logs(&store, &[log("shop").says(number.to_string()).build()]).await;
    }
    let arrived = tail.next(2, 5).unwrap();
    assert_eq!(
        (arrived.logs.len(), arrived.dropped, arrived.more),
        (2, 5, true)
    );
    let rest = tail.next(9, 5).unwrap();
    let numbers = arrived.logs.iter().chain(&rest.logs);
    let numbers: BTreeSet<String> = numbers.map(|(_, log)| log.body.to_text()).collect();
    assert_eq!(numbers, ["5", "6", "7", "8", "9"].map(str::to_owned).into());
    assert_eq!(tail.next(9, 5).unwrap(), Arrived::default());
}
