use super::*;
use crate::investigate::{Investigation, Reference, investigate, noticed};
use crate::question::Window;

/// 2026-11-21T21:30:00Z; the window is an hour from then on.
const FROM: UnixNanos = UnixNanos(1_795_296_600_000_000_000);
const MAIL: &str = "function:mail";
const MAILS: &str = "queue:mails";
const SECOND: f64 = 1e3;

fn at(minute: i64) -> UnixNanos {
    UnixNanos(FROM.0.wrapping_add_signed(minute * 60_000_000_000))
}

fn window() -> Window {
    Window::try_new(at(0), at(60), at(60)).expect("an hour")
}

/// `mail` takes from `mails`, in so many milliseconds; and what lies there.
fn facts(takes_ms: impl Fn(i64) -> f64, lies: impl Fn(i64) -> Lying) -> Facts {
    let mut facts = Facts::default();
    for minute in -240..60_i64 {
        let did = facts.at(at(minute), Subject::Node(MAIL.to_owned()));
        did.counts.count = 20;
        // No two minutes are the same.
        let varies = (minute * 7).rem_euclid(5);
        #[allow(clippy::cast_precision_loss)]
        let varies = varies as f64 / 5.0;
        did.sum_ms = 20.0 * (takes_ms(minute) + varies);
        let known = facts.lying.entry(MAILS.to_owned()).or_default();
        known.insert(at(minute), lies(minute));
    }
    facts.own.insert(MAIL.to_owned());
    facts.takes.insert((MAILS.to_owned(), MAIL.to_owned()));
    facts
}

#[allow(clippy::cast_precision_loss)]
fn minutes_since(minute: i64, begin: i64) -> f64 {
    (minute - begin).max(0) as f64
}

/// From minute 20 on nothing of what was there then is taken.
fn stuck(minute: i64) -> Lying {
    let since = minutes_since(minute, 20);
    Lying {
        oldest_ms: Some((since * 60.0).max(3.0) * SECOND),
        messages: Some(10.0 + since * 32.0),
        ..Lying::default()
    }
}

fn ask(facts: &Facts, node: &str, symptom: Option<Symptom>) -> Investigation {
    investigate(facts, &node.to_owned(), symptom, &window())
}

#[test]
fn what_lies_in_a_queue_waits_because_it_is_taken_slowly() {
    let facts = facts(|minute| if minute >= 20 { 900.0 } else { 50.0 }, stuck);
    for (node, symptom) in [
        (MAILS, Some(Symptom::Waiting)),
        // Whoever says that a queue is slow.
        (MAILS, Some(Symptom::Slow)),
        (MAIL, Some(Symptom::Waiting)),
    ] {
        let told = ask(&facts, node, symptom);
        assert_eq!(told.symptom, Symptom::Waiting);
        assert_eq!(told.reference, Reference::HoursBefore);
        let found = told.found.as_ref().expect("it waits");
        // In minute 20 the oldest was as old as ever.
        assert_eq!((found.onset, found.until), (at(21), at(60)));
        assert!(!found.began_before);
        assert_eq!(found.unit, Unit::Millis);
        let confirmed = (found.confirmed.before, found.confirmed.after);
        assert_eq!(confirmed, (3.0 * SECOND, 39.0 * 60.0 * SECOND));
        let cause = &found.causes[0];
        assert_eq!((cause.node.as_str(), cause.symptom), (MAIL, Symptom::Slow));
        let path: &[&str] = if node == MAIL {
            &[MAIL]
        } else {
            &[MAILS, MAIL]
        };
        assert_eq!(cause.path, path);
        let figures = told.figures.iter().map(Figure::to_string);
        let figures: Vec<String> = figures.filter(|it| it.contains("waiting")).collect();
        assert_eq!(
            figures,
            [
                "oldest waiting 3.00 s → 39 min",
                "messages waiting 10 → 1258"
            ]
        );
    }
    let told = ask(&facts, MAIL, Some(Symptom::Slow));
    assert_eq!(told.symptom, Symptom::Slow);
    let all = waiting(&facts, [&MAIL.to_owned()], &told.frame);
    let words: Vec<String> = all.iter().map(ToString::to_string).collect();
    assert_eq!(
        words,
        [
            "the oldest message of queue:mails waited 39 min, at most 3 s before",
            "1,258 messages lay in queue:mails, at most 10 before"
        ]
    );
    let waits = (MAILS.to_owned(), Symptom::Waiting);
    assert!(noticed(&facts, &window()).contains(&waits));
}

#[test]
fn messages_alone_tell_it_too() {
    let facts = facts(
        |_| 50.0,
        |minute| Lying {
            oldest_ms: None,
            ..stuck(minute)
        },
    );
    let told = ask(&facts, MAILS, None);
    let found = told.found.as_ref().expect("there are more and more");
    assert_eq!((told.symptom, found.unit), (Symptom::Waiting, Unit::Count));
    assert_eq!(found.onset, at(21));
    assert_eq!((found.causes.len(), found.unexplained), (0, 1.0));
    let title = "queue:mails waits: 10 → 1258, and nothing explains it";
    assert_eq!(told.to_string(), title);
}

#[test]
fn what_is_as_old_as_it_was_is_nothing() {
    let facts = facts(
        |_| 50.0,
        |minute| Lying {
            oldest_ms: Some(minutes_since(minute.rem_euclid(7), 0) * 20.0 * SECOND),
            ..Lying::default()
        },
    );
    let told = ask(&facts, MAILS, Some(Symptom::Waiting));
    assert_eq!(told.found, None);
    let title = "nothing found: queue:mails, oldest waiting 2 min → 2 min";
    assert_eq!(told.to_string(), title);
    assert!(noticed(&facts, &window()).is_empty());
    // Nobody tells what waits for a table.
    let told = ask(&facts, "table:users", Some(Symptom::Waiting));
    assert_eq!(told.found, None);
    assert!(!told.figures.iter().any(|it| it.what.ends_with("waiting")));
}

#[test]
fn a_queue_of_which_nobody_told_was_empty_if_others_were_told_of() {
    let mut facts = facts(
        |_| 50.0,
        |minute| Lying {
            messages: Some(3.0),
            oldest_ms: None,
            ..stuck(minute)
        },
    );
    let known = facts.lying.entry("queue:orders".to_owned()).or_default();
    for minute in 30..60 {
        let messages = Some(minutes_since(minute, 29));
        let lying = Lying {
            messages,
            ..Lying::default()
        };
        known.insert(at(minute), lying);
    }
    let told = ask(&facts, "queue:orders", Some(Symptom::Waiting));
    let found = told.found.expect("it has grown");
    assert_eq!((found.confirmed.before, found.confirmed.after), (0.0, 30.0));
    assert_eq!(found.onset, at(30));
    // Of nobody it is not known how it was.
    facts.lying.remove(MAILS);
    let told = ask(&facts, "queue:orders", Some(Symptom::Waiting));
    assert_eq!(told.found, None);
    let title = "nothing found: queue:orders, messages waiting 30, and nothing is known of before";
    assert_eq!(told.to_string(), title);
}

#[test]
fn what_waits_in_a_stream_is_told_of_who_reads_it() {
    let mut facts = facts(|_| 50.0, stuck);
    let behind = facts.lying.remove(MAILS).expect("it is told");
    facts.lying.insert(MAIL.to_owned(), behind);
    facts.takes = [("stream:mails".to_owned(), MAIL.to_owned())].into();
    for node in [MAIL, "stream:mails"] {
        let told = ask(&facts, node, Some(Symptom::Waiting));
        assert_eq!(told.found.map(|it| it.onset), Some(at(21)), "{node}");
        let all = waiting(&facts, [&node.to_owned()], &told.frame);
        let title = "function:mail was 39 min behind what it reads, at most 3 s before";
        assert_eq!(all[0].to_string(), title);
    }
}
