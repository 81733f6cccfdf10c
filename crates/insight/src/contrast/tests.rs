use proptest::prelude::*;

use super::*;

type Row = (Side, Vec<(&'static str, Given<'static>)>);

fn differences(rows: &[Row], limits: Limits) -> Differences {
    let mut contrast = Contrast::new(limits);
    for (side, attributes) in rows {
        contrast.event(*side, || attributes.clone());
    }
    contrast.finish()
}

/// So many events of each side with these attributes.
fn rows(selection: usize, rest: usize, attributes: &[(&'static str, Given<'static>)]) -> Vec<Row> {
    let row = |side| (side, attributes.to_vec());
    let selection = std::iter::repeat_n(row(Side::Selection), selection);
    selection
        .chain(std::iter::repeat_n(row(Side::Rest), rest))
        .collect()
}

fn first(rows: &[Row]) -> Difference {
    differences(rows, Limits::default()).found.remove(0)
}

#[test]
fn a_value_is_told_with_its_counts() {
    let mut all = rows(
        90,
        20,
        &[("memory", Given::Number(128.0)), ("zone", Given::Text("a"))],
    );
    all.extend(rows(
        10,
        980,
        &[("memory", Given::Number(512.0)), ("zone", Given::Text("a"))],
    ));
    let found = differences(&all, Limits::default());
    assert_eq!(found.found.len(), 1, "{:?}", found.found);
    let memory = &found.found[0];
    let condition = Condition {
        key: "memory".to_owned(),
        test: Test::Number(128.0),
    };
    assert_eq!(memory.conditions, [condition]);
    assert_eq!(memory.selection, Share { hits: 90, of: 100 });
    assert_eq!(memory.rest, Share { hits: 20, of: 1000 });
    assert!(
        memory.effect > 0.5 && memory.false_discovery < 1e-9,
        "{memory:?}"
    );
    assert_eq!(
        found.selection,
        Events {
            count: 100,
            sampled: 100
        }
    );
}

#[test]
fn attributes_of_the_same_events_are_one_difference() {
    let mut all = rows(
        90,
        0,
        &[("name", Given::Text("pay")), ("log", Given::Text("/pay"))],
    );
    all.extend(rows(
        10,
        500,
        &[("name", Given::Text("list")), ("log", Given::Text("/list"))],
    ));
    let found = differences(&all, Limits::default()).found;
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].alike.len(), 1);
    assert_ne!(found[0].alike[0].key, found[0].conditions[0].key);
}

#[test]
fn what_is_there_and_what_is_missing_are_told() {
    let ids: Vec<&'static str> = (0..100).map(|id| &*format!("e{id}").leak()).collect();
    let mut all: Vec<Row> = Vec::new();
    for id in &ids {
        all.push((Side::Selection, vec![("error", Given::Text(id))]));
        all.push((Side::Rest, vec![("user", Given::Text(id))]));
    }
    let found = first(&all);
    let tests: Vec<(&str, &Test)> = found
        .conditions
        .iter()
        .chain(&found.alike)
        .map(|condition| (condition.key.as_str(), &condition.test))
        .collect();
    assert!(tests.contains(&("error", &Test::Present)), "{tests:?}");
    assert!(tests.contains(&("user", &Test::Absent)), "{tests:?}");
}

#[test]
fn numbers_are_told_with_the_bounds_that_matter() {
    let mut all = Vec::new();
    for number in 0..400 {
        let value = Given::Number(f64::from(number));
        let side = if number < 300 {
            Side::Rest
        } else {
            Side::Selection
        };
        all.push((side, vec![("rows", value)]));
    }
    let found = first(&all);
    let Test::Within(Some(least), None) = found.conditions[0].test else {
        panic!("{found:?}");
    };
    assert!((280.0..=320.0).contains(&least), "{found:?}");
}

#[test]
fn flags_and_numbers_that_are_none_are_understood() {
    let mut all = rows(
        50,
        0,
        &[("cold", Given::Flag(true)), ("x", Given::Number(f64::NAN))],
    );
    all.extend(rows(
        0,
        50,
        &[("cold", Given::Flag(false)), ("x", Given::Number(f64::NAN))],
    ));
    let found = differences(&all, Limits::default()).found;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].conditions[0].test, Test::Text("true".to_owned()));
}

#[test]
fn what_has_no_room_is_counted() {
    let limits = Limits {
        keys_max: 1,
        ..Limits::default()
    };
    let both = [
        ("a", Given::Flag(true)),
        ("b", Given::Flag(true)),
        ("a", Given::Flag(false)),
    ];
    assert_eq!(differences(&rows(3, 4, &both), limits).left_out, 7);
}

#[test]
fn attributes_of_telemetry_are_given() {
    assert_eq!(Given::of(&Value::Int(3)), Some(Given::Number(3.0)));
    assert_eq!(Given::of(&Value::Bool(true)), Some(Given::Flag(true)));
    assert_eq!(Given::of(&Value::from("x")), Some(Given::Text("x")));
    assert_eq!(Given::of(&Value::Null), None);
}

fn random_rows() -> impl Strategy<Value = Vec<Row>> {
    let given = prop_oneof![
        (0..4usize).prop_map(|at| Given::Text(["a", "b", "c", "d"][at])),
        (0..40u32).prop_map(|number| Given::Number(f64::from(number))),
        any::<bool>().prop_map(Given::Flag),
    ];
    let attribute = (
        (0..5usize).prop_map(|at| ["k", "l", "m", "n", "o"][at]),
        given,
    );
    let side = any::<bool>().prop_map(|rest| if rest { Side::Rest } else { Side::Selection });
    prop::collection::vec((side, prop::collection::vec(attribute, 0..6)), 0..300)
}

proptest! {
    /// What is told can be counted again in the events, if all of them were looked at.
    #[test]
    fn counts_are_those_of_the_events(mut rows in random_rows(), cause in 0..3u8) {
        // Something to be found, in most cases.
        for (side, attributes) in &mut rows {
            if *side == Side::Selection && cause > 0 {
                attributes.insert(0, ("k", Given::Text("cause")));
            }
        }
        let found = differences(&rows, Limits::default());
        for difference in &found.found {
            let count = |side: Side| {
                let of_side = rows.iter().filter(|row| row.0 == side);
                let (of, hits): (Vec<&Row>, Vec<&Row>) = (
                    of_side.clone().collect(),
                    of_side.filter(|row| difference.conditions.iter().all(|c| meets(&row.1, c))).collect(),
                );
                Share { hits: hits.len() as u64, of: of.len() as u64 }
            };
            prop_assert_eq!(count(Side::Selection), difference.selection);
            prop_assert_eq!(count(Side::Rest), difference.rest);
            prop_assert!(difference.false_discovery <= FALSE_DISCOVERIES);
            prop_assert!((0.0..=1.0).contains(&difference.effect));
        }
        prop_assert!(found.found.is_sorted_by(|a, b| a.effect >= b.effect));
    }

    /// Attributes that come some events after they were counted are as if they had come with them.
    #[test]
    fn attributes_may_come_later(rows in random_rows(), events_max in 2..40usize, held in 1..9usize) {
        let limits = Limits { events_max, ..Limits::default() };
        let mut contrast = Contrast::new(limits);
        for some in rows.chunks(held) {
            let counted: Vec<_> = some
                .iter()
                .filter_map(|(side, attributes)| Some((contrast.count(*side)?, attributes)))
                .collect();
            for (wanted, attributes) in counted {
                contrast.keep(wanted, attributes.clone());
            }
        }
        prop_assert_eq!(contrast.finish(), differences(&rows, limits));
    }

    /// However many come, what is kept stays within its limits, and is what came.
    #[test]
    fn a_sample_stays_within_its_limits(rows in random_rows(), events_max in 2..40usize, cells_max in 0..60usize) {
        let limits = Limits { events_max, cells_max, keys_max: 4 };
        let mut sample = sample::Sample::new(limits);
        let mut seen = [0u64; 2];
        for (side, attributes) in &rows {
            seen[*side as usize] += 1;
            if let Some(wanted) = sample.wants(*side) {
                sample.keep(wanted, attributes.clone());
            }
            for kept in &sample.sides {
                prop_assert!(kept.events.len() <= events_max && kept.cells.len() <= cells_max);
                let cells: usize = kept.events.iter().map(|event| event.cells.len()).sum();
                prop_assert_eq!(cells, kept.cells.len());
                for cell in &kept.cells {
                    let values = &sample.keys[cell.key as usize].values;
                    prop_assert!(values.get_index(cell.value as usize).is_some());
                }
            }
        }
        prop_assert_eq!([sample.sides[0].seen, sample.sides[1].seen], seen);
    }
}

/// Whether an event meets a condition, found out in the simplest way.
fn meets(attributes: &[(&str, Given<'_>)], condition: &Condition) -> bool {
    let given = attributes.iter().find(|(key, _)| *key == condition.key);
    match (&condition.test, given.map(|(_, given)| *given)) {
        (Test::Absent, given) => given.is_none(),
        (_, None) => false,
        (Test::Present, Some(_)) => true,
        (Test::Text(text), Some(Given::Text(given))) => text == given,
        (Test::Text(text), Some(Given::Flag(given))) => *text == given.to_string(),
        (Test::Number(number), Some(Given::Number(given))) => *number == given,
        (Test::Within(least, most), Some(Given::Number(given))) => {
            least.is_none_or(|least| given >= least) && most.is_none_or(|most| given <= most)
        }
        _ => false,
    }
}
