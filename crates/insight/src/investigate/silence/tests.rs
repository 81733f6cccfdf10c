use std::time::Duration;

use super::*;
use crate::investigate::{Reference, frame};
use crate::question::Window;

/// 2026-11-21T21:30:00Z; the window is an hour from then on, and what ends does so in its middle.
const FROM: UnixNanos = UnixNanos(1_795_296_600_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);
const ENDS: i64 = 30;

/// The four hours before and the hour itself of an application, a line for what a function does, `function:pay`, and
/// one for what is called, `function:pay GetItem table:user`. `x` at its end: it ends. `~` before an operation: nobody
/// waits for it. `queue:mails > function:mail`: the one takes from the other.
fn facts(application: &str) -> Facts {
    let mut facts = Facts::default();
    for line in application.lines().map(str::trim) {
        let mut words: Vec<&str> = line.split_whitespace().collect();
        let until = match words.last() {
            Some(&"x") => ENDS,
            _ => 60,
        };
        words.retain(|word| *word != "x");
        match words[..] {
            [] => {}
            [function] => {
                facts.own.insert(function.to_owned());
                count(&mut facts, until, &Subject::Node(function.to_owned()));
            }
            [from, ">", to] => {
                facts.takes.insert((from.to_owned(), to.to_owned()));
            }
            [from, operation, to] => {
                let (from, to) = (from.to_owned(), to.to_owned());
                let said = operation.trim_start_matches('~').to_owned();
                if said != operation {
                    facts.handed.insert((from.clone(), to.clone()));
                }
                // Of what is no function its callers tell.
                if from.starts_with("function:") && !to.starts_with("function:") {
                    count(&mut facts, until, &Subject::Node(to.clone()));
                }
                count(&mut facts, until, &Subject::Edge(from, to, said));
            }
            _ => panic!("{line}"),
        }
    }
    facts
}

fn count(facts: &mut Facts, until: i64, subject: &Subject) {
    for minute in -240..until {
        let at = UnixNanos(FROM.0.wrapping_add_signed(minute * 60_000_000_000));
        facts.at(at, subject.clone()).counts.count += 20;
    }
}

fn found(facts: &Facts, node: &str) -> Option<Found> {
    let to = FROM.plus(MINUTE * 60);
    let window = Window::try_new(FROM, to, to).unwrap();
    find(
        facts,
        &node.to_owned(),
        &frame(&window, Reference::HoursBefore),
    )
}

/// Holds where the silence of each of these nodes begins, with the share in percent.
fn check(application: &str, silent: &[&str], expected: &[(&str, u64)]) {
    let facts = facts(application);
    for node in silent {
        let found = found(&facts, node).expect(node);
        let causes: Vec<(&str, u64)> = found
            .causes
            .iter()
            .map(|it| (it.node.as_str(), format!("{:.0}", it.share * 100.0)))
            .map(|(node, percent)| (node, percent.parse().expect("a number")))
            .collect();
        assert_eq!(causes, expected, "{node}");
        assert!(found.unexplained < 1e-9, "{node}: {found:?}");
    }
}

/// As in Big Mouth: `stats` takes nothing from the stream any more, and what is behind it is silent with it.
const CONSUMER: &str = "
    function:accept
    function:accept UpdateItem table:orders
    function:accept ~PutRecord stream:accepted
    stream:accepted process function:stats x
    function:stats x
    function:stats UpdateItem table:stats x
    function:stats PutObject bucket:receipts x
    bucket:receipts process function:mail x
    function:mail x
    function:mail SMTP host:mail x";

const BEHIND: [&str; 5] = [
    "function:stats",
    "table:stats",
    "bucket:receipts",
    "function:mail",
    "host:mail",
];

#[test]
fn who_takes_nothing_from_a_stream_that_goes_on_is_the_cause_whoever_is_asked_about() {
    check(CONSUMER, &BEHIND, &[("function:stats", 100)]);
    let found = found(&facts(CONSUMER), "host:mail").unwrap();
    assert_eq!(
        found.causes[0].path,
        [
            "host:mail",
            "function:mail",
            "bucket:receipts",
            "function:stats"
        ]
    );
    let evidence = found.causes[0].evidence;
    assert!((evidence.before - 20.0).abs() < 1e-9 && evidence.after == 0.0);
    assert_eq!(found.ruled_out, ["stream:accepted"]);
}

#[test]
fn of_a_queue_that_nobody_tells_of_the_consumer_is_the_cause() {
    let application = "
        queue:orders process function:notify x
        function:notify x
        function:notify ~PutEvents bus:shop x
        bus:shop process function:accept x
        function:accept x
        function:accept PutItem table:orders x
        function:place
        function:place GetItem table:orders";
    let silent = ["function:notify", "bus:shop", "function:accept"];
    check(application, &silent, &[("function:notify", 100)]);
    let found = found(&facts(application), "function:accept").unwrap();
    assert_eq!(found.ruled_out, Vec::<Node>::new());
}

/// As Big Mouth is known from its telemetry: functions say from what they take, and spans lead on where they can.
const TOLD: &str = "
    function:place
    function:place ~send topic:placed
    function:place ~notify function:notify x
    topic:placed > queue:notes
    queue:notes > function:notify
    function:notify x
    function:notify ~send bus:shop x
    function:notify ~accept function:accept x
    function:accept x
    function:accept UpdateItem table:orders x
    function:accept ~send stream:accepted x
    stream:accepted > function:stats
    function:stats x
    function:stats PutObject bucket:receipts x
    function:stats ~mail function:mail x
    bucket:receipts > function:mail
    function:mail x
    function:mail GetObject bucket:receipts x";

#[test]
fn a_queue_that_a_topic_passes_nothing_on_to_is_the_cause_of_all_behind_it() {
    let silent = [
        "bucket:receipts",
        "function:mail",
        "function:stats",
        "stream:accepted",
        "function:notify",
    ];
    check(TOLD, &silent, &[("queue:notes", 100)]);
    let found = found(&facts(TOLD), "stream:accepted").unwrap();
    assert_eq!(found.ruled_out, ["topic:placed"]);
    let path = [
        "stream:accepted",
        "function:accept",
        "function:notify",
        "queue:notes",
    ];
    assert_eq!(found.causes[0].path, path);
    let evidence = found.causes[0].evidence;
    assert!((evidence.before - 20.0).abs() < 1e-9 && evidence.after == 0.0);
}

#[test]
fn who_takes_nothing_of_what_lies_there_is_the_cause() {
    let goes_on = TOLD.replace("~send stream:accepted x", "~send stream:accepted");
    let goes_on = goes_on.replace("function:accept x", "function:accept");
    let silent = ["bucket:receipts", "function:mail", "function:stats"];
    check(&goes_on, &silent, &[("function:stats", 100)]);
}

#[test]
fn a_producer_behind_what_nobody_names_is_the_cause() {
    // A custom bus, of which no event says the name.
    let application = "
        function:place
        function:place ~notify function:notify x
        queue:notes > function:notify
        function:notify x";
    check(
        application,
        &["function:notify"],
        &[("function:place", 100)],
    );
}

#[test]
fn what_was_taken_from_before_or_goes_on_is_no_cause() {
    let moved = format!("{TOLD}\n queue:old > function:notify");
    check(&moved, &["function:stats"], &[("queue:notes", 100)]);
    let called = "
        queue:old > function:pay
        function:web
        function:web pay function:pay x
        function:pay x";
    check(called, &["function:pay"], &[("function:web", 100)]);
    let trickle = "
        function:cron
        function:cron ~send queue:rare
        function:web
        function:web ~send queue:orders x
        function:web ~send queue:orders x
        queue:rare > function:pay
        queue:orders > function:pay
        function:pay x";
    check(trickle, &["function:pay"], &[("function:web", 100)]);
}

#[test]
fn who_sent_to_a_queue_beside_a_topic_is_the_cause_when_it_stops() {
    let application = "
        function:place
        function:place ~send topic:placed
        topic:placed > queue:jobs
        function:batch
        function:batch ~send queue:jobs x
        queue:jobs > function:work
        function:work x";
    check(application, &["function:work"], &[("function:batch", 100)]);
}

#[test]
fn a_silence_is_followed_over_more_than_one_that_passes_on() {
    let application = "
        function:write
        function:write PutObject bucket:receipts x
        bucket:receipts > topic:receipts
        topic:receipts > queue:receipts
        queue:receipts > function:mail
        function:mail x";
    let silent = ["function:mail", "queue:receipts"];
    check(application, &silent[..1], &[("function:write", 100)]);
}

#[test]
fn who_goes_on_but_writes_to_the_queue_no_more_is_the_cause() {
    let application = "
        function:place
        function:place PutItem table:orders
        function:place ~SendMessage queue:orders x
        queue:orders process function:notify x
        function:notify x
        function:notify PutItem table:sent x";
    let silent = ["queue:orders", "function:notify", "table:sent"];
    check(application, &silent, &[("function:place", 100)]);
}

#[test]
fn who_goes_on_but_calls_no_more_is_the_cause() {
    let application = "
        function:shop
        function:shop invoke function:pay x
        function:pay x
        function:pay PutItem table:paid x";
    check(
        application,
        &["function:pay", "table:paid"],
        &[("function:shop", 100)],
    );
}

#[test]
fn who_is_called_as_ever_and_says_nothing_is_the_cause() {
    let application = "
        function:shop
        function:shop invoke function:pay
        function:pay x
        function:pay PutItem table:paid x";
    check(
        application,
        &["function:pay", "table:paid"],
        &[("function:pay", 100)],
    );
    let found = found(&facts(application), "table:paid").unwrap();
    assert_eq!(found.ruled_out, ["function:shop"]);
}

/// Where spans lead from the producer to the consumer, past the queue.
#[test]
fn who_takes_nothing_from_a_producer_that_hands_over_as_ever_is_the_cause() {
    let goes_on = "
        function:place
        function:place ~SendMessage queue:orders
        function:place ~notify function:notify x
        function:notify x
        function:notify PutItem table:sent x";
    let silent = ["function:notify", "table:sent"];
    check(goes_on, &silent, &[("function:notify", 100)]);
    let stopped = goes_on.replace("queue:orders", "queue:orders x");
    check(&stopped, &silent, &[("function:place", 100)]);
    // Who is waited for is called, and does not take.
    let waited_for = goes_on.replace("~notify", "notify");
    check(&waited_for, &silent, &[("function:place", 100)]);
    let unknown = goes_on.replace("function:place ~SendMessage queue:orders", "");
    check(&unknown, &silent, &[("function:place", 100)]);
}

#[test]
fn what_is_only_read_does_not_feed() {
    // Others read the table all the time, but its writer is silent.
    let application = "
        function:import x
        function:import PutItem table:items x
        function:search
        function:search Query table:items
        table:items process function:index x
        function:index x
        function:index PUT host:index x";
    check(
        application,
        &["function:index", "host:index"],
        &[("function:import", 100)],
    );
}

#[test]
fn who_reads_what_it_is_told_of_is_no_cause() {
    let application = "
        queue:orders process function:stats x
        function:stats x
        function:stats PutObject bucket:receipts x
        bucket:receipts process function:mail x
        function:mail x
        function:mail GetObject bucket:receipts x";
    let silent = ["bucket:receipts", "function:mail", "function:stats"];
    check(application, &silent, &[("function:stats", 100)]);
}

#[test]
fn silence_from_two_sides_has_two_causes_each_told_once() {
    let application = "
        queue:orders process function:one x
        function:one x
        function:one ~SendMessage queue:a x
        function:one ~SendMessage queue:b x
        queue:a process function:sum x
        queue:b process function:sum x
        queue:other process function:two x
        function:two x
        function:two invoke function:sum x
        function:sum x";
    check(
        application,
        &["function:sum"],
        &[("function:one", 67), ("function:two", 33)],
    );
}

#[test]
fn a_circle_that_nothing_leads_into_is_its_own_cause() {
    let application = "
        queue:again process function:retry x
        function:retry x
        function:retry ~SendMessage queue:again x";
    check(application, &["queue:again"], &[("function:retry", 100)]);
}

#[test]
fn many_ways_do_not_take_long() {
    let mut application = String::from("function:0-0 x\n");
    for layer in 1..14 {
        for to in 0..4 {
            application += &format!("function:{layer}-{to} x\n");
            for from in 0..if layer == 1 { 1 } else { 4 } {
                let before = layer - 1;
                application += &format!("function:{before}-{from} call function:{layer}-{to} x\n");
            }
        }
    }
    check(&application, &["function:13-0"], &[("function:0-0", 100)]);
}
