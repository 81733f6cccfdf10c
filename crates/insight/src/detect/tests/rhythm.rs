//! What is called once an hour or once a day, and is not called any more.

use super::*;

/// When something opened and ended, in minutes after `silent`, that is called once in each of these minutes before.
fn silent_after(is_called: impl Fn(Minute) -> bool, days: Minute) -> Vec<(Minute, Update)> {
    let mut detector = Detector::default();
    let (silent, ends) = (START + days * DAY, START + (days + 3) * DAY);
    let mut updates = Vec::new();
    for minute in START..ends {
        // For a day and a half nobody calls it.
        let is_silent = (silent..silent + DAY + 720).contains(&minute);
        if is_called(minute) && !is_silent {
            detector.take(&Subject::Node(node("x")), nanos_of(minute), &calls(1));
        }
        let news = detector.tick(nanos_of(minute + 1));
        let after = (minute + 1).saturating_sub(silent);
        updates.extend(news.into_iter().map(|update| (after, update)));
    }
    updates
}

#[test]
fn a_job_that_runs_once_an_hour_and_stops_is_found_after_some_hours() {
    let found = silent_after(|minute| minute % 60 == 7, 8);
    let [(opened, Update::Opened(1)), (closed, Update::Closed(1))] = found[..] else {
        panic!("{found:?}");
    };
    assert!((3 * 60..=5 * 60).contains(&opened), "{opened}");
    assert!((DAY..=DAY + 720 + 70).contains(&closed), "{closed}");
}

#[test]
fn a_job_that_runs_once_a_day_and_does_not_is_found_within_three_hours() {
    let found = silent_after(|minute| minute % DAY == 3 * 60 + 30, 9);
    let (opened, update) = found[0];
    assert_eq!(update, Update::Opened(1), "{found:?}");
    assert_eq!(opened / 60, 6, "{found:?}");
    assert_eq!(found.len(), 2, "{found:?}");
}

#[test]
fn what_is_not_called_every_day_is_missed_by_nobody() {
    // From Monday until Friday, and from Monday until Saturday: neither runs on a Sunday. The first day is a Monday.
    for days in [5, 6] {
        let runs =
            |minute: Minute| minute % DAY == 3 * 60 + 30 && (minute - START) / DAY % 7 < days;
        let silent = silent_after(runs, 12);
        let early = silent.iter().filter(|(after, _)| *after == 0);
        assert_eq!(early.count(), 0, "{days} days a week: {silent:?}");
    }
    // Now and then, by no rhythm.
    let now_and_then = |minute: Minute| minute.wrapping_mul(0x9E37_79B9) >> 7 & 63 == 0;
    let silent = silent_after(now_and_then, 12);
    assert!(silent.iter().all(|(after, _)| *after > 0), "{silent:?}");
}
