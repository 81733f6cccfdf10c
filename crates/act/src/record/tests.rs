use proptest::prelude::*;

use super::*;
use crate::gate::ACTS_PER_HOUR;

fn id(number: u8) -> ActionId {
    format!("action{number:012}").parse().unwrap()
}

fn stop() -> Action {
    serde_json::from_str(r#"{"do":"stop","function":"pay","hours":1}"#).unwrap()
}

fn ignore() -> Action {
    serde_json::from_str(
        r#"{"do":"ignore","node":"function:pay","kind":"latency","reason":"known","days":1}"#,
    )
    .unwrap()
}

fn entry(at: u64, event: Event) -> Entry {
    Entry {
        at: UnixSeconds(at),
        who: "ada".to_owned(),
        by_link_for: None,
        event,
    }
}

fn proposed(number: u8, action: Action) -> Event {
    Event::Proposed {
        id: id(number),
        action,
        incident: Some(3),
    }
}

fn began(number: u8) -> Event {
    Event::Began {
        id: id(number),
        before: Box::default(),
        keep: false,
    }
}

fn did(number: u8, until: u64) -> Event {
    Event::Did {
        id: id(number),
        until: Some(UnixSeconds(until)),
        done: vec![],
    }
}

#[test]
fn an_action_from_proposal_to_undo() {
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, stop())));
    record.take(&entry(10, began(1)));
    record.take(&entry(11, did(1, 3610)));
    let done = record.action(&id(1)).unwrap();
    assert_eq!(
        (done.state, done.who.as_deref()),
        (State::Done, Some("ada"))
    );
    assert!(done.is_in_force());
    assert_eq!(record.due(UnixSeconds(3609)), []);
    assert_eq!(record.due(UnixSeconds(3610)), [id(1)]);
    let failed = |drifted| Event::UndoFailed {
        id: id(1),
        why: "no route".to_owned(),
        drifted,
    };
    record.take(&entry(3611, failed(false)));
    assert_eq!(record.due(UnixSeconds(3612)), [id(1)], "it is tried again");
    record.take(&entry(3613, failed(true)));
    assert_eq!(record.due(UnixSeconds(3614)), []);
    let drifted = record.action(&id(1)).unwrap();
    assert!(drifted.state == State::Drifted && !drifted.is_in_force());
}

/// A server that is killed while AWS is asked does not know whether it was done: its end comes all the same.
#[test]
fn what_was_begun_and_never_told_is_undone_at_its_end() {
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, stop())));
    record.take(&entry(10, began(1)));
    assert_eq!(record.action(&id(1)).unwrap().state, State::Begun);
    assert_eq!(record.due(UnixSeconds(3610)), [id(1)]);
}

#[test]
fn what_is_ignored_is_so_until_its_end_or_until_it_is_undone() {
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, ignore())));
    assert_eq!(record.ignored(UnixSeconds(1)), []);
    record.take(&entry(1, began(1)));
    record.take(&entry(1, did(1, 100)));
    assert_eq!(record.ignored(UnixSeconds(99)).len(), 1);
    assert_eq!(record.ignored(UnixSeconds(100)), []);
    record.take(&entry(
        50,
        Event::Undid {
            id: id(1),
            done: vec![],
        },
    ));
    assert_eq!(record.ignored(UnixSeconds(51)), []);
}

#[test]
fn what_is_ignored_or_muted_is_as_narrow_as_it_was_said() {
    let mut record = Record::default();
    for (number, json) in [
        r#"{"do":"ignore","node":"function:pay","signature":"Declined","kind":"new_error","reason":"known","days":1}"#,
        r#"{"do":"ignore","node":"function:pay","operation":"GET /","kind":"latency","reason":"known","days":1}"#,
        r#"{"do":"mute","person":"ada","node":"function:pay","to":"table:users","kind":"new_edge","days":1}"#,
    ]
    .iter()
    .enumerate()
    {
        let number = u8::try_from(number).unwrap();
        let action = serde_json::from_str(json).unwrap();
        record.take(&entry(0, proposed(number, action)));
        record.take(&entry(1, began(number)));
        record.take(&entry(1, did(number, 100)));
    }
    let [error, slow] = &record.ignored(UnixSeconds(2))[..] else {
        panic!("two are ignored");
    };
    assert_eq!(error.signature.as_deref(), Some("Declined"));
    assert_eq!(slow.operation.as_deref(), Some("GET /"));
    let muted = record.muted(UnixSeconds(2));
    assert_eq!(muted[0].to.as_deref(), Some("table:users"));
}

#[test]
fn an_entry_that_cannot_be_read_may_be_the_one_that_stopped_everything() {
    let why = "game day".to_owned();
    let stopped = || entry(1, Event::Stopped { why: why.clone() });
    let resumed = entry(2, Event::Resumed);
    let mut record = Record::default();
    record.miss(1);
    let refused = record.gate().check(UnixSeconds(3)).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "throughline has stopped all actions: line 1 of the audit log cannot be read, and may be one that stopped them"
    );
    // Somebody has read it, and goes on.
    record.take(&resumed);
    assert_eq!(record.gate().check(UnixSeconds(3)), Ok(()));
    // What comes after it counts again.
    record.miss(3);
    assert!(record.gate().stopped().is_some());
    // It may as well be the one that let them be done again.
    record.take(&stopped());
    record.miss(5);
    assert_eq!(record.gate().stopped(), Some(("ada", "game day")));
}

#[test]
fn a_proposal_is_forgotten_after_a_day() {
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, stop())));
    record.take(&entry(LINK_LIFE_SECONDS, proposed(2, stop())));
    assert!(record.action(&id(1)).is_none());
    assert!(record.action(&id(2)).is_some());
    // The same name again is not another action.
    record.take(&entry(LINK_LIFE_SECONDS + 1, proposed(2, ignore())));
    assert_eq!(record.action(&id(2)).unwrap().action, stop());
    assert!(record.has_room(UnixSeconds(0)));
}

#[test]
fn only_so_many_are_proposed_in_a_day_whatever_became_of_them() {
    let mut record = Record::default();
    for number in 0..PROPOSED_MAX {
        assert!(record.has_room(UnixSeconds(0)), "{number}");
        let id: ActionId = format!("action{number:012}").parse().unwrap();
        let (action, incident) = (ignore(), None);
        let proposed = Event::Proposed {
            id: id.clone(),
            action,
            incident,
        };
        let did = Event::Did {
            id,
            until: None,
            done: vec![],
        };
        record.take(&entry(0, proposed));
        record.take(&entry(0, did));
    }
    assert!(!record.has_room(UnixSeconds(LINK_LIFE_SECONDS - 1)));
    assert!(record.has_room(UnixSeconds(LINK_LIFE_SECONDS)));
}

#[test]
fn what_is_offered_is_proposed_once_and_not_when_it_is_done() {
    let mut record = Record::default();
    let at = UnixSeconds;
    let half = OFFERED_SECONDS_MIN;
    assert_eq!(record.offer(&stop(), 3, at(100)), Offer::Anew);
    record.take(&entry(100, proposed(1, stop())));
    let again = Offer::Again(id(1), at(100 + LINK_LIFE_SECONDS));
    assert_eq!(record.offer(&stop(), 3, at(100)), again);
    assert_eq!(record.offer(&stop(), 3, at(100 + half)), again);
    // Another incident, another action, and a link that would soon be over.
    assert_eq!(record.offer(&stop(), 4, at(100)), Offer::Anew);
    assert_eq!(record.offer(&ignore(), 3, at(100)), Offer::Anew);
    assert_eq!(record.offer(&stop(), 3, at(101 + half)), Offer::Anew);

    record.take(&entry(200, began(1)));
    assert_eq!(record.offer(&stop(), 3, at(201)), Offer::Done);
    record.take(&entry(202, did(1, 3800)));
    assert_eq!(record.offer(&stop(), 3, at(203)), Offer::Done);
    let undid = Event::Undid {
        id: id(1),
        done: vec![],
    };
    record.take(&entry(204, undid));
    assert_eq!(record.offer(&stop(), 3, at(205)), Offer::Anew);
    record.take(&entry(206, proposed(2, stop())));
    let again = Offer::Again(id(2), at(206 + LINK_LIFE_SECONDS));
    assert_eq!(record.offer(&stop(), 3, at(207)), again);
}

#[test]
fn what_is_offered_leaves_room_for_people() {
    let mut record = Record::default();
    for number in 0..OFFERED_MAX {
        assert_eq!(record.offer(&stop(), 3, UnixSeconds(0)), Offer::Anew);
        let proposed = Event::Proposed {
            id: format!("action{number:012}").parse().unwrap(),
            action: ignore(),
            incident: None,
        };
        record.take(&entry(0, proposed));
    }
    assert_eq!(record.offer(&stop(), 3, UnixSeconds(1)), Offer::Full);
    assert!(record.has_room(UnixSeconds(1)));
    let tomorrow = UnixSeconds(LINK_LIFE_SECONDS);
    assert_eq!(record.offer(&stop(), 3, tomorrow), Offer::Anew);
}

#[test]
fn the_switch_and_the_limit_outlive_a_restart() {
    let mut entries = Vec::new();
    for number in 0..=u8::try_from(ACTS_PER_HOUR).unwrap() {
        entries.push(entry(u64::from(number), proposed(number, stop())));
    }
    for number in 0..u8::try_from(ACTS_PER_HOUR).unwrap() {
        entries.push(entry(100, began(number)));
    }
    let fold = |entries: &[Entry]| {
        let mut record = Record::default();
        entries.iter().for_each(|entry| record.take(entry));
        record
    };
    assert!(fold(&entries).gate().check(UnixSeconds(200)).is_err());
    assert!(fold(&entries).gate().check(UnixSeconds(3700)).is_ok());
    let why = "game day".to_owned();
    entries.push(entry(300, Event::Stopped { why }));
    assert!(fold(&entries).gate().check(UnixSeconds(9999)).is_err());
    entries.push(entry(301, Event::Resumed));
    assert!(fold(&entries).gate().check(UnixSeconds(9999)).is_ok());
}

fn events() -> impl Strategy<Value = Event> {
    (0..4u8, 0..9u8, any::<bool>(), 0..5000u64).prop_map(|(number, which, flag, until)| match which
    {
        0 => proposed(number, if flag { stop() } else { tried() }),
        1 => Event::Began {
            id: id(number),
            before: Box::default(),
            keep: flag,
        },
        8 => Event::Kept { id: id(number) },
        2 => did(number, until),
        3 => Event::Failed {
            id: id(number),
            why: "no".to_owned(),
            done: vec![],
            unsure: flag,
        },
        4 => Event::Undid {
            id: id(number),
            done: vec![],
        },
        5 => Event::UndoFailed {
            id: id(number),
            why: "no".to_owned(),
            drifted: flag,
        },
        6 => Event::Stopped {
            why: "so".to_owned(),
        },
        _ => Event::Resumed,
    })
}

proptest! {
    /// The log is all that there is: read again, line by line, it gives the same.
    #[test]
    fn a_log_that_is_read_again_gives_the_same(events in prop::collection::vec(events(), 0..60)) {
        let (mut live, mut again) = (Record::default(), Record::default());
        for (at, event) in (0u64..).zip(events) {
            let entry = entry(at, event);
            live.take(&entry);
            let line = serde_json::to_string(&entry).unwrap();
            prop_assert!(!line.contains('\n'));
            again.take(&serde_json::from_str(&line).unwrap());
        }
        let all = |record: &Record| record.actions().cloned().collect::<Vec<_>>();
        prop_assert_eq!(all(&live), all(&again));
        for at in [0, 100, 4000, 100_000] {
            prop_assert_eq!(live.due(UnixSeconds(at)), again.due(UnixSeconds(at)));
            prop_assert_eq!(live.ignored(UnixSeconds(at)), again.ignored(UnixSeconds(at)));
            prop_assert_eq!(live.gate().check(UnixSeconds(at)), again.gate().check(UnixSeconds(at)));
        }
    }
}

fn tried() -> Action {
    memory().with_end()
}

fn memory() -> Action {
    serde_json::from_str(r#"{"do":"memory","function":"pay","memory_mb":1024}"#).unwrap()
}

#[test]
fn another_memory_size_waits_for_what_came_of_it() {
    const DAY: u64 = 24 * 3600;
    let mut record = Record::default();
    for (number, action) in [(1, memory()), (2, memory()), (3, stop())] {
        record.take(&entry(0, proposed(number, action)));
        record.take(&entry(10, began(number)));
        let done = Event::Did {
            id: id(number),
            until: None,
            done: vec![],
        };
        record.take(&entry(11, done));
    }
    record.take(&entry(12, proposed(4, memory())));
    let waiting = |record: &Record, now| {
        let all = record.unverified(UnixSeconds(now));
        all.into_iter().map(|it| it.id).collect::<Vec<_>>()
    };
    assert_eq!(waiting(&record, 20), [id(2), id(1)], "no others, no sooner");
    assert_eq!(waiting(&record, 11 + 14 * DAY), []);
    let verified = Event::Verified {
        id: id(2),
        verdict: Verdict::Slower,
        sentence: "slower than predicted".to_owned(),
    };
    let line = serde_json::to_string(&entry(30, verified.clone())).unwrap();
    assert_eq!(
        line,
        r#"{"at":30,"who":"ada","event":"verified","id":"action000000000002","verdict":"slower","sentence":"slower than predicted"}"#
    );
    record.take(&serde_json::from_str(&line).unwrap());
    assert_eq!(waiting(&record, 40), [id(1)]);
    let known = record.action(&id(2)).unwrap();
    assert_eq!(known.state, State::Done, "nobody undoes it by itself");
    assert_eq!(record.due(UnixSeconds(100 * DAY)), []);
    let undid = Event::Undid {
        id: id(2),
        done: vec![],
    };
    record.take(&entry(50, undid));
    let known = record.action(&id(2)).unwrap();
    assert_eq!(known.verified.as_ref().unwrap().at, UnixSeconds(30));
}

const WEEK: u64 = 7 * 24 * 3600;

/// Another memory size that was done at second 11, and when it ends.
fn done_memory(keep: bool) -> Record {
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, tried())));
    let began = Event::Began {
        id: id(1),
        before: Box::default(),
        keep,
    };
    record.take(&entry(10, began));
    let until = tried().until(UnixSeconds(11));
    let did = Event::Did {
        id: id(1),
        until: until.filter(|_| !keep),
        done: vec![],
    };
    record.take(&entry(11, did));
    record
}

#[test]
fn another_memory_size_ends_unless_somebody_keeps_it() {
    let end = UnixSeconds(11 + WEEK);
    let mut record = done_memory(false);
    assert_eq!(record.due(UnixSeconds(10 + WEEK)), []);
    assert_eq!(record.due(end), [id(1)]);
    let known = record.action(&id(1)).unwrap();
    assert!(known.can_be_kept());
    assert_eq!(known.title(), "give pay 1024 MB of memory for 7 days");

    let kept = entry(20, Event::Kept { id: id(1) });
    let line = serde_json::to_string(&kept).unwrap();
    assert_eq!(
        line,
        r#"{"at":20,"who":"ada","event":"kept","id":"action000000000001"}"#
    );
    record.take(&kept);
    let known = record.action(&id(1)).unwrap();
    assert_eq!((known.until, known.kept.as_deref()), (None, Some("ada")));
    assert_eq!(known.title(), "give pay 1024 MB of memory");
    assert!(known.is_in_force() && !known.can_be_kept());
    assert_eq!(record.due(end), []);

    // It can be kept from the start, also if nobody knows whether it was done.
    let mut record = done_memory(true);
    assert_eq!(record.due(end), []);
    record.take(&entry(12, proposed(2, tried())));
    let line = r#"{"at":13,"who":"bob","event":"began","id":"action000000000002","before":{"function_arn":"","role_arn":"","memory_mb":512,"revision_id":"","reserved":null,"sources":[]},"keep":true}"#;
    record.take(&serde_json::from_str(line).unwrap());
    let begun = record.action(&id(2)).unwrap();
    assert_eq!(
        (begun.state, begun.kept.as_deref()),
        (State::Begun, Some("bob"))
    );
    assert_eq!(record.due(end), []);
}

#[test]
fn another_memory_size_is_kept_by_itself_where_it_is_as_was_predicted() {
    let verified = |verdict| Event::Verified {
        id: id(1),
        verdict,
        sentence: "so it is".to_owned(),
    };
    for (verdict, is_kept) in [
        (Verdict::AsPredicted, true),
        (Verdict::Slower, false),
        (Verdict::Unknown, false),
    ] {
        let mut record = done_memory(false);
        record.take(&entry(100, verified(verdict)));
        let known = record.action(&id(1)).unwrap();
        assert_eq!(known.kept.is_some(), is_kept, "{verdict:?}");
        let due = record.due(UnixSeconds(11 + WEEK));
        assert_eq!(due.is_empty(), is_kept, "{verdict:?}");
    }
}

#[test]
fn nothing_else_can_be_kept() {
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, stop())));
    record.take(&entry(10, began(1)));
    record.take(&entry(11, did(1, 3610)));
    assert!(!record.action(&id(1)).unwrap().can_be_kept());
    record.take(&entry(12, Event::Kept { id: id(1) }));
    assert_eq!(record.due(UnixSeconds(3610)), [id(1)]);
}

fn sized(memory_mb: u32, hours: Option<u32>) -> Action {
    Action::Memory {
        function: "pay".parse().unwrap(),
        memory_mb,
        hours,
    }
}

fn undid(number: u8) -> Event {
    Event::Undid {
        id: id(number),
        done: vec![],
    }
}

#[test]
fn while_one_memory_size_is_tried_no_other_one_is_begun() {
    let other = sized(2048, Some(24));
    let elsewhere =
        serde_json::from_str(r#"{"do":"memory","function":"web","memory_mb":2048}"#).unwrap();
    let mut record = Record::default();
    record.take(&entry(0, proposed(1, tried())));
    assert_eq!(record.check_trial(&other), Ok(()), "nothing is done yet");
    record.take(&entry(10, began(1)));
    assert!(
        record.check_trial(&other).is_err(),
        "nobody knows yet whether it was"
    );
    record.take(&entry(11, did(1, 11 + WEEK)));
    let refused = record.check_trial(&other).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "\"give pay 1024 MB of memory for 7 days\" is tried until 1970-01-08T00:00:11Z (action \
         action000000000001): undo or keep it first"
    );
    assert_eq!(record.offer(&other, None, UnixSeconds(12)), Offer::Done);
    // Nothing else of the function is in its way, and no other function.
    assert_eq!(record.check_trial(&stop()), Ok(()));
    assert_eq!(record.check_trial(&elsewhere), Ok(()));
    for over in [undid(1), Event::Kept { id: id(1) }] {
        let mut record = record.clone();
        record.take(&entry(20, over));
        assert_eq!(record.check_trial(&other), Ok(()));
        assert_eq!(record.offer(&other, None, UnixSeconds(21)), Offer::Anew);
    }
}

#[test]
fn a_memory_size_that_the_function_has_is_not_offered_for_another_time() {
    let week = sized(1024, Some(168));
    for (done, keep) in [(memory(), false), (sized(1024, Some(24)), true)] {
        let mut record = Record::default();
        record.take(&entry(0, proposed(1, done)));
        // A link is to what was proposed, for as long as that was said.
        assert_eq!(record.offer(&week, 3, UnixSeconds(1)), Offer::Anew);
        let began = Event::Began {
            id: id(1),
            before: Box::default(),
            keep,
        };
        record.take(&entry(10, began));
        assert_eq!(record.offer(&week, 3, UnixSeconds(11)), Offer::Done);
        assert_eq!(
            record.offer(&sized(2048, None), 3, UnixSeconds(11)),
            Offer::Anew
        );
        record.take(&entry(12, undid(1)));
        assert_eq!(record.offer(&week, 3, UnixSeconds(13)), Offer::Anew);
    }
}

#[test]
fn what_is_not_so_any_more_is_kept_by_nobody() {
    let failed = |unsure| Event::Failed {
        id: id(1),
        why: "no".to_owned(),
        done: vec![],
        unsure,
    };
    let undo_failed = |drifted| Event::UndoFailed {
        id: id(1),
        why: "no".to_owned(),
        drifted,
    };
    for (event, is_kept) in [
        (undid(1), false),
        (failed(false), false),
        (undo_failed(true), false),
        (failed(true), true),
        (undo_failed(false), true),
    ] {
        let mut record = done_memory(true);
        record.take(&entry(20, event.clone()));
        let known = record.action(&id(1)).unwrap();
        assert_eq!(known.kept.is_some(), is_kept, "{event:?}");
        let is_done = known.state == State::Done;
        assert_eq!(known.can_be_verified(), is_done, "{event:?}");
        let ends = known.title().ends_with(" for 7 days");
        assert_ne!(ends, is_kept, "{event:?}");
    }
}
