use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::completeness::Gone;

/// What is said where these numbers with ten items each are stored.
fn check(stored: &[u64], ledger: Option<&str>, expect: Expect) {
    let mut ranges = Ranges::default();
    stored
        .iter()
        .for_each(|number| ranges.add(*number, *number, 10));
    let ledger = ledger.map(|text| Ledger::parse(text).unwrap());
    let verdict = account(&ranges, ranges.items(), ledger.as_ref());
    let mut said = format!("{} of {}", verdict.received, verdict.accepted);
    if verdict.open {
        said += ", open";
    }
    for missing in &verdict.missing {
        let numbers = match missing.numbers {
            Some((first, last)) => format!("{first}-{last}"),
            None => "unnumbered".to_owned(),
        };
        let items = missing
            .items
            .map_or("?".to_owned(), |items| items.to_string());
        said += &format!("; {numbers} {items} {}", missing.why.name());
    }
    for (reason, items) in &verdict.dropped {
        said += &format!("; dropped {items} {reason}");
    }
    if verdict.is_whole() {
        said += "; whole";
    }
    expect.assert_eq(&said);
}

#[test]
fn nothing_missing() {
    check(&[], None, expect!["0 of 0, open; whole"]);
    check(&[1, 2, 3], None, expect!["30 of 30, open; whole"]);
    let ledger = r#"{"revision":3,"sealed":3,"accepted":30,"delivered":20,"waiting":10}"#;
    check(&[1, 2, 3], Some(ledger), expect!["30 of 30, open; whole"]);
    let last = r#"{"revision":3,"sealed":3,"accepted":30,"delivered":30,"final":true}"#;
    check(&[1, 2, 3], Some(last), expect!["30 of 30; whole"]);
}

#[test]
fn gaps_without_a_ledger_are_unknown() {
    check(
        &[2, 5],
        None,
        expect!["20 of 20, open; 1-1 ? unknown; 3-4 ? unknown"],
    );
}

#[test]
fn the_reason_of_the_ledger() {
    let ledger = r#"{"revision":1,"sealed":6,"accepted":60,"delivered":30,
        "dropped":{"buffer_full":20,"rejected":10},"gone":[[2,3,"buffer_full",20],[4,4,"rejected",10]]}"#;
    check(
        &[1, 5, 6],
        Some(ledger),
        expect![
            "30 of 60, open; 2-3 20 buffer_full; 4-4 10 rejected; dropped 20 buffer_full; dropped 10 rejected"
        ],
    );
}

#[test]
fn what_was_dropped_and_stored_all_the_same_is_not_missing() {
    let ledger = r#"{"revision":1,"sealed":3,"accepted":30,"delivered":20,"final":true,
        "dropped":{"rejected":10},"gone":[[2,2,"rejected",10]]}"#;
    check(&[1, 2, 3], Some(ledger), expect!["30 of 30; whole"]);
    // Of a part that arrived nobody knows the items.
    let ledger = r#"{"revision":1,"sealed":3,"accepted":30,"delivered":10,"final":true,
        "dropped":{"rejected":20},"gone":[[2,3,"rejected",20]]}"#;
    check(
        &[1, 2],
        Some(ledger),
        expect!["20 of 30; 3-3 ? rejected; dropped 20 rejected"],
    );
}

#[test]
fn on_its_way_with_a_number_or_without() {
    let ledger =
        r#"{"revision":1,"sealed":3,"accepted":30,"delivered":10,"waiting":10,"spilled":10}"#;
    check(
        &[1],
        Some(ledger),
        expect!["10 of 30, open; 2-3 ? on_its_way"],
    );
    let ledger = r#"{"revision":1,"sealed":1,"accepted":17,"delivered":0,"waiting":17}"#;
    check(
        &[1],
        Some(ledger),
        expect!["10 of 17, open; unnumbered 7 on_its_way"],
    );
    let two = r#"{"revision":1,"sealed":3,"accepted":45,"delivered":10,"waiting":35}"#;
    check(
        &[2],
        Some(two),
        expect!["10 of 45, open; 1-1 ? on_its_way; 3-3 ? on_its_way"],
    );
}

#[test]
fn printed_until_it_is_read_back() {
    let ledger =
        r#"{"revision":9,"sealed":3,"accepted":30,"delivered":10,"printed":20,"final":true}"#;
    check(&[1], Some(ledger), expect!["10 of 30; 2-3 20 printed"]);
    check(&[1, 3], Some(ledger), expect!["20 of 30; 2-2 10 printed"]);
    check(&[1, 2, 3], Some(ledger), expect!["30 of 30; whole"]);
}

#[test]
fn nothing_comes_after_the_last_ledger() {
    let ledger =
        r#"{"revision":9,"sealed":2,"accepted":20,"delivered":10,"waiting":10,"final":true}"#;
    check(&[1], Some(ledger), expect!["10 of 20; 2-2 10 unknown"]);
    let delivered = r#"{"revision":9,"sealed":2,"accepted":20,"delivered":20,"final":true}"#;
    check(&[1], Some(delivered), expect!["10 of 20; 2-2 10 unknown"]);
}

#[test]
fn dropped_before_it_had_a_number() {
    let ledger =
        r#"{"revision":1,"sealed":1,"accepted":15,"delivered":10,"dropped":{"buffer_full":5}}"#;
    check(
        &[1],
        Some(ledger),
        expect!["10 of 15, open; dropped 5 buffer_full"],
    );
}

#[test]
fn reasons_outlive_the_list() {
    let gone: Vec<String> = (0..32)
        .map(|n| format!("[{0},{0},\"rejected\",10]", 11 + n * 2))
        .collect();
    let ledger = |dropped: &str| {
        format!(
            r#"{{"revision":1,"sealed":73,"accepted":730,"delivered":370,"dropped":{{{dropped}}},"gone":[{}]}}"#,
            gone.join(",")
        )
    };
    let stored: Vec<u64> = (1..=73)
        .filter(|n| *n < 3 || *n % 2 == 0 || *n > 73)
        .collect();
    let ranges = |stored: &[u64]| {
        let mut ranges = Ranges::default();
        stored
            .iter()
            .for_each(|number| ranges.add(*number, *number, 10));
        ranges
    };
    let first = |text: &str| {
        let ledger = Ledger::parse(text).unwrap();
        account(&ranges(&stored), 370, Some(&ledger))
            .missing
            .remove(0)
    };
    let one = first(&ledger(r#""rejected":320,"buffer_full":40"#));
    assert_eq!((one.numbers, one.why.name()), (Some((3, 3)), "buffer_full"));
    let two = first(&ledger(r#""rejected":330,"buffer_full":30"#));
    assert_eq!((two.numbers, two.why), (Some((3, 3)), Why::Unknown));
}

#[test]
fn a_ledger_that_lags_behind_makes_nothing_negative() {
    let ledger = r#"{"revision":1,"sealed":1,"accepted":10,"waiting":10}"#;
    check(&[1, 2, 3], Some(ledger), expect!["30 of 30, open; whole"]);
    let more_dropped =
        r#"{"revision":1,"sealed":1,"accepted":5,"dropped":{"x":50},"gone":[[1,1,"x",99]]}"#;
    check(
        &[2],
        Some(more_dropped),
        expect!["10 of 10, open; 1-1 99 x; dropped 50 x"],
    );
}

proptest! {
    /// An environment that keeps honest books: whatever is delivered, dropped, printed or still
    /// there, exactly the lacking numbers are named, and nothing is called whole that is not.
    #[test]
    fn honest_books_explain_every_number(fates in prop::collection::vec((0u8..5, 1u64..9), 0..40), last in any::<bool>()) {
        let mut stored = Ranges::default();
        let mut ledger = Ledger { revision: 1, sealed: fates.len() as u64, last, ..Ledger::default() };
        let mut expected: Vec<(u64, &str)> = Vec::new();
        for ((fate, items), number) in fates.iter().zip(1..) {
            ledger.accepted += items;
            match fate {
                0 | 1 => { stored.add(number, number, *items); ledger.delivered += items; }
                2 => {
                    *ledger.dropped.entry("rejected".into()).or_default() += items;
                    ledger.gone.push(Gone { first: number, last: number, reason: "rejected".into(), items: *items });
                    expected.push((number, "rejected"));
                }
                3 if !last => { ledger.waiting += items; expected.push((number, "on_its_way")); }
                3 => { ledger.printed += items; expected.push((number, "printed")); }
                _ => { stored.add(number, number, *items); ledger.waiting += items; }
            }
        }
        let verdict = account(&stored, stored.items(), Some(&ledger));
        let named: Vec<(u64, &str)> = verdict.missing.iter()
            .flat_map(|missing| { let (first, last) = missing.numbers.unwrap(); (first..=last).map(|n| (n, missing.why.name())) })
            .collect();
        prop_assert_eq!(named, expected);
        prop_assert_eq!(verdict.is_whole(), verdict.accepted == stored.items());
        prop_assert_eq!(verdict.accepted, ledger.accepted);
    }
}
