use super::*;

const MINUTE: u64 = 60_000_000_000;

/// `41 → 42 at 7`, in minutes, of what was seen in each.
fn told(minutes: impl IntoIterator<Item = (u64, &'static str)>) -> Vec<String> {
    let mut recent = Recent::default();
    let mut told = Vec::new();
    for (minute, seen) in minutes {
        let seen = seen.split(' ').map(str::to_owned).collect();
        for Replaced { before, after, at } in recent.minute(&seen, UnixNanos(minute * MINUTE)) {
            told.push(format!("{before} → {after} at {}", at.0 / MINUTE));
        }
    }
    told
}

#[test]
fn an_alias_that_is_called_once_an_hour_changes_nothing() {
    let hourly = |minute: u64| match minute % 60 {
        20 => (minute, "41 42"),
        _ => (minute, "42"),
    };
    assert_eq!(told((0..600).map(hourly)), ["42 → 41 at 20"]);
    // Also where the other one is not called in the same minute, and not in every minute.
    let seldom = |minute: u64| match minute % 60 {
        20 => Some((minute, "41")),
        _ if minute.is_multiple_of(7) => Some((minute, "42")),
        _ => None,
    };
    assert_eq!(told((0..600).filter_map(seldom)), ["42 → 41 at 20"]);
    // A new version of the alias is told once.
    let new = |minute: u64| match (minute % 60, minute > 300) {
        (20, true) => (minute, "42 43"),
        _ => hourly(minute),
    };
    let all = told((0..600).map(new));
    assert_eq!(all, ["42 → 41 at 20", "42 → 43 at 320"]);
}

#[test]
fn whoever_goes_back_is_told_of() {
    let all = |minute: u64| match minute {
        0..100 => (minute, "41"),
        // For a minute both answer.
        100 => (minute, "41 42"),
        101..107 => (minute, "42"),
        107..200 => (minute, "41"),
        // And once more.
        _ => (minute, "42"),
    };
    let expected = ["41 → 42 at 100", "42 → 41 at 107", "41 → 42 at 200"];
    assert_eq!(told((0..300).map(all)), expected);
    // Also where nothing is known of the time before.
    assert_eq!(told((97..300).map(all)), expected);
}

#[test]
fn a_version_that_takes_over_long_after_it_came_is_told_again() {
    let alias = |minute: u64| match minute {
        0..10 => (minute, "41"),
        10..500 => (minute, "41 42"),
        _ => (minute, "42"),
    };
    let all = told((0..600).map(alias));
    assert_eq!(all, ["41 → 42 at 10", "41 → 42 at 500"]);
}

#[test]
fn the_first_that_are_seen_are_nothing_new() {
    assert_eq!(told([(0, "41 42"), (1, "41"), (2, "42 ")]), [""; 0]);
    assert_eq!(told((0..9).map(|minute| (minute, ""))), [""; 0]);
}

#[test]
fn so_many_are_remembered() {
    let mut recent = Recent::default();
    for version in 0..100 {
        let seen = BTreeSet::from([version.to_string()]);
        recent.minute(&seen, UnixNanos(version * MINUTE));
    }
    assert_eq!(recent.seen.len(), KNOWN_MAX);
    assert!(recent.seen.contains_key("99"));
}
