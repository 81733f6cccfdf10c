use proptest::prelude::*;

use super::*;

/// 2026-11-22T09:00:00Z, a Sunday; an hour later where it is asked.
const NOW: UnixNanos = UnixNanos(1_795_338_000_000_000_000);
const EAST: i32 = 60;

fn names() -> Vec<Name> {
    let mut names: Vec<Name> = [
        "function:payment",
        "function:place-order",
        "function:accept-order",
        "function:notifyUser",
        "function:search-restaurants",
        "service:checkout-service",
        "table:user-table",
        "table:orders",
        "queue:notifications",
        "topic:orders-placed",
        "host:api.stripe.com",
        "bucket:invoices",
    ]
    .map(Name::of)
    .to_vec();
    names[0].aliases.push("billing".to_owned());
    names
}

/// `symptom | node | from to, as the asker's clock shows them`; what is not said is `-`.
fn reading(text: &str) -> String {
    let asked = read(text, NOW, Zone::of_minutes(EAST));
    let symptom = asked.symptom.as_ref().map_or("-", |said| said.value.name());
    let candidates = asked.candidates(&names());
    let node = candidates.first().map_or("-", |found| found.node.as_str());
    let local = |time: UnixNanos| {
        let text = days::text(time.plus(Duration::from_secs(3600)));
        text[5..16].replace('T', " ")
    };
    let window = match asked.window.words.is_empty() {
        true => "-".to_owned(),
        false => {
            let Window { from, to } = asked.window.value;
            format!("{} to {}", local(from), local(to))
        }
    };
    let wanted = match asked.wanted {
        Wanted::Cause => "",
        Wanted::Affected => "affected | ",
    };
    format!("{wanted}{symptom} | {node} | {window}")
}

#[test]
fn who_names_a_kind_alone_asks_about_all_of_it() {
    let kind = |text: &str| read(text, NOW, Zone::default()).kind();
    assert_eq!(kind("the queue is backed up"), Some("queue"));
    assert_eq!(kind("which queues are stuck?"), Some("queue"));
    assert_eq!(kind("is anything stuck?"), None);
    assert_eq!(kind("the orders queue is stuck"), None);
    assert_eq!(kind("payment is slow"), None);
}

#[test]
fn sentences_are_read_as_they_are_meant() {
    let table = [
        // Symptoms and names.
        (
            "payment was slow last night around 10PM",
            "slow | function:payment | 11-21 21:30 to 11-21 22:30",
        ),
        ("Why is payment slow?", "slow | function:payment | -"),
        (
            "What else is affected by the throttling on user-table?",
            "affected | throttle | table:user-table | -",
        ),
        ("place-order failed", "error | function:place-order | -"),
        ("place order fails", "error | function:place-order | -"),
        (
            "the placeOrder function keeps failing",
            "error | function:place-order | -",
        ),
        ("errors in notify-user", "error | function:notifyUser | -"),
        ("billing crashed", "error | function:payment | -"),
        ("paymnet is broken", "error | function:payment | -"),
        ("pay is down", "error | function:payment | -"),
        (
            "checkout timed out",
            "timeout | service:checkout-service | -",
        ),
        (
            "timeouts of checkout-service",
            "timeout | service:checkout-service | -",
        ),
        (
            "the orders table is throttled",
            "throttle | table:orders | -",
        ),
        (
            "429s from the user table",
            "throttle | table:user-table | -",
        ),
        (
            "rate limited by stripe",
            "throttle | host:api.stripe.com | -",
        ),
        (
            "too many requests to api.stripe.com",
            "throttle | host:api.stripe.com | -",
        ),
        (
            "cold starts of search-restaurants",
            "cold_start | function:search-restaurants | -",
        ),
        (
            "search restaurants starts cold all the time",
            "cold_start | function:search-restaurants | -",
        ),
        (
            "why does payment cost so much",
            "expensive | function:payment | -",
        ),
        (
            "accept-order got expensive",
            "expensive | function:accept-order | -",
        ),
        (
            "no traffic on the notifications queue",
            "silent | queue:notifications | -",
        ),
        (
            "the notifications queue is backed up",
            "waiting | queue:notifications | -",
        ),
        (
            "orders were late last night",
            "waiting | table:orders | 11-21 18:00 to 11-22 06:00",
        ),
        (
            "notifications are stuck",
            "waiting | queue:notifications | -",
        ),
        ("why does notify-user lag", "slow | function:notifyUser | -"),
        (
            "pay was slow late last night",
            "slow | function:payment | 11-21 18:00 to 11-22 06:00",
        ),
        (
            "notifications went quiet",
            "silent | queue:notifications | -",
        ),
        ("what changed in payment", "changed | function:payment | -"),
        (
            "payment behaves differently",
            "changed | function:payment | -",
        ),
        (
            "payment is slow since the deployment",
            "slow | function:payment | -",
        ),
        ("payment slowed down", "slow | function:payment | -"),
        (
            "latency of `orders-placed`",
            "slow | topic:orders-placed | -",
        ),
        (
            "\"search-restaurants\" hangs",
            "slow | function:search-restaurants | -",
        ),
        ("table:orders slow", "slow | table:orders | -"),
        (
            "500s at the checkout",
            "error | service:checkout-service | -",
        ),
        (
            "who depends on the invoices bucket",
            "affected | - | bucket:invoices | -",
        ),
        (
            "blast radius of orders-placed",
            "affected | - | topic:orders-placed | -",
        ),
        ("something is wrong", "error | - | -"),
        ("everything is slow", "slow | - | -"),
        ("", "- | - | -"),
        ("?!", "- | - | -"),
        // Days and their parts.
        (
            "payment slow yesterday",
            "slow | function:payment | 11-21 00:00 to 11-22 00:00",
        ),
        ("errors today", "error | - | 11-22 00:00 to 11-22 10:00"),
        (
            "errors yesterday morning",
            "error | - | 11-21 06:00 to 11-21 12:00",
        ),
        ("slow this morning", "slow | - | 11-22 06:00 to 11-22 10:00"),
        ("slow last night", "slow | - | 11-21 18:00 to 11-22 06:00"),
        (
            "slow last night at 2",
            "slow | - | 11-22 01:30 to 11-22 02:30",
        ),
        (
            "slow last night after 11pm",
            "slow | - | 11-21 23:00 to 11-22 01:00",
        ),
        (
            "failures yesterday evening around 9",
            "error | - | 11-21 20:30 to 11-21 21:30",
        ),
        ("broken on monday", "error | - | 11-16 00:00 to 11-17 00:00"),
        (
            "broken last sunday",
            "error | - | 11-15 00:00 to 11-16 00:00",
        ),
        (
            "broken on friday night",
            "error | - | 11-20 18:00 to 11-21 06:00",
        ),
        (
            "broken Friday at 3pm",
            "error | - | 11-20 14:30 to 11-20 15:30",
        ),
        (
            "slow the day before yesterday at noon",
            "slow | - | 11-20 11:30 to 11-20 12:30",
        ),
        ("slow on nov 20", "slow | - | 11-20 00:00 to 11-21 00:00"),
        (
            "slow on 20th November 2026 at 22:00",
            "slow | - | 11-20 21:30 to 11-20 22:30",
        ),
        (
            "slow on December 24",
            "slow | - | 12-24 00:00 to 12-25 00:00",
        ),
        (
            "what changed this week",
            "changed | - | 11-16 00:00 to 11-22 10:00",
        ),
        (
            "what changed last week",
            "changed | - | 11-09 00:00 to 11-16 00:00",
        ),
        // Times of day.
        ("slow at 10", "slow | - | 11-22 09:30 to 11-22 10:00"),
        ("slow at 11", "slow | - | 11-21 22:30 to 11-21 23:30"),
        ("slow at 9:15", "slow | - | 11-22 08:45 to 11-22 09:45"),
        ("slow around 22:00", "slow | - | 11-21 21:30 to 11-21 22:30"),
        (
            "slow at 10 p.m. yesterday",
            "slow | - | 11-21 21:30 to 11-21 22:30",
        ),
        (
            "yesterday payment was slow at 3",
            "slow | function:payment | 11-21 14:30 to 11-21 15:30",
        ),
        ("slow at midnight", "slow | - | 11-21 23:30 to 11-22 00:30"),
        (
            "slow at 4 o'clock in the morning",
            "slow | - | 11-22 03:30 to 11-22 04:30",
        ),
        // Since, until, between.
        (
            "errors since 08:02",
            "error | - | 11-22 08:02 to 11-22 10:00",
        ),
        (
            "errors since 14:02",
            "error | - | 11-21 14:02 to 11-22 10:00",
        ),
        (
            "errors since yesterday",
            "error | - | 11-21 00:00 to 11-22 10:00",
        ),
        (
            "errors since friday 6pm",
            "error | - | 11-20 18:00 to 11-22 10:00",
        ),
        (
            "errors between 8 and 9:30",
            "error | - | 11-22 08:00 to 11-22 09:30",
        ),
        (
            "errors from 9 to 10pm yesterday",
            "error | - | 11-21 21:00 to 11-21 22:00",
        ),
        ("errors 9-11pm", "error | - | 11-21 21:00 to 11-21 23:00"),
        (
            "errors from 22:00 until 01:00",
            "error | - | 11-21 22:00 to 11-22 01:00",
        ),
        (
            "errors between yesterday 8pm and today 6am",
            "error | - | 11-21 20:00 to 11-22 06:00",
        ),
        (
            "errors before 6am",
            "error | - | 11-22 04:00 to 11-22 06:00",
        ),
        (
            "from 2026-11-20 to 2026-11-21 payment failed",
            "error | function:payment | 11-20 00:00 to 11-22 00:00",
        ),
        // Lengths.
        (
            "errors in the last hour",
            "error | - | 11-22 09:00 to 11-22 10:00",
        ),
        (
            "errors over the past 3 hours",
            "error | - | 11-22 07:00 to 11-22 10:00",
        ),
        (
            "errors in the last 15m",
            "error | - | 11-22 09:45 to 11-22 10:00",
        ),
        (
            "slow for half an hour",
            "slow | - | 11-22 09:30 to 11-22 10:00",
        ),
        ("slow for two days", "slow | - | 11-20 10:00 to 11-22 10:00"),
        ("slow 2 hours ago", "slow | - | 11-22 07:30 to 11-22 08:30"),
        (
            "slow 20 minutes ago",
            "slow | - | 11-22 09:25 to 11-22 09:55",
        ),
        (
            "slow a couple of hours ago",
            "slow | - | 11-22 07:30 to 11-22 08:30",
        ),
        (
            "slow 3 days ago at 5pm",
            "slow | - | 11-19 16:30 to 11-19 17:30",
        ),
        (
            "payment is slow right now",
            "slow | function:payment | 11-22 09:30 to 11-22 10:00",
        ),
        // As machines write it.
        (
            "slow at 2026-11-21T22:00",
            "slow | - | 11-21 21:30 to 11-21 22:30",
        ),
        (
            "slow at 2026-11-21T22:00Z",
            "slow | - | 11-21 22:30 to 11-21 23:30",
        ),
        (
            "slow at 2026-11-21T22:00:00+05:30",
            "slow | - | 11-21 17:00 to 11-21 18:00",
        ),
        (
            "slow on 2026-11-21",
            "slow | - | 11-21 00:00 to 11-22 00:00",
        ),
        (
            "slow 2026-11-21 20:15",
            "slow | - | 11-21 19:45 to 11-21 20:45",
        ),
        // Numbers that are no times.
        (
            "payment went from 2 to 5 seconds",
            "- | function:payment | -",
        ),
        ("payment failed 3 times", "error | function:payment | -"),
        // What is to come is not a time that can be asked about.
        ("slow on 2031-01-01", "slow | - | -"),
    ];
    let mut wrong = String::new();
    for (text, expected) in table {
        let found = reading(text);
        if found != expected {
            wrong += &format!("{text:?}\n  expected {expected}\n     found {found}\n");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(table.len() >= 60);
}

#[test]
fn each_slot_has_the_words_that_it_comes_from() {
    let asked = read(
        "Yesterday payment timed out, around 10 PM, for users",
        NOW,
        Zone::of_minutes(EAST),
    );
    assert_eq!(asked.symptom.unwrap().words, "timed out");
    assert_eq!(asked.window.words, "Yesterday around 10 PM");
    assert_eq!(asked.subjects, ["payment"]);
}

#[test]
fn all_that_may_be_meant_is_told() {
    let nodes = |text: &str| -> Vec<String> {
        let found = read(text, NOW, Zone::default()).candidates(&names());
        found.into_iter().map(|it| it.node).collect()
    };
    assert_eq!(
        nodes("order is slow"),
        [
            "table:orders",
            "function:accept-order",
            "function:place-order",
            "topic:orders-placed"
        ]
    );
    assert_eq!(
        nodes("payment calls place-order too slowly"),
        [
            "function:payment",
            "function:place-order",
            "topic:orders-placed"
        ]
    );
    assert_eq!(nodes("nothing that is known"), [""; 0]);
}

#[test]
fn the_same_words_mean_another_time_elsewhere() {
    let from = |minutes: i32| {
        let asked = read("yesterday at 10pm", NOW, Zone::of_minutes(minutes));
        days::text(asked.window.value.from)
    };
    assert_eq!(from(0), "2026-11-21T21:30:00Z");
    assert_eq!(from(-480), "2026-11-22T05:30:00Z");
    // It is the 22nd there until ten in the morning of UTC.
    assert_eq!(from(840), "2026-11-21T07:30:00Z");
}

/// Words that mean something, in an order that does not.
fn sentence() -> impl Strategy<Value = String> {
    let words = [
        "payment",
        "slow",
        "last",
        "night",
        "around",
        "10PM",
        "since",
        "14:02",
        "between",
        "and",
        "9",
        "to",
        "from",
        "2026-11-21",
        "2026-11-21T25:61Z",
        "hour",
        "hours",
        "ago",
        "3",
        "99999999999999999999",
        "week",
        "monday",
        "tomorrow",
        "noon",
        "before",
        "after",
        "until",
        "the",
        "half",
        "an",
        "day",
        "yesterday",
        "9-11",
        "30th",
        "february",
        "9999",
        "9999-12-31",
        "0001-01-01",
        "month",
        "this",
        "for",
        "24:00",
        "\"",
        "now",
        "5w",
        "at",
    ];
    let word = proptest::sample::select(words.to_vec());
    proptest::collection::vec(word, 0..12).prop_map(|words| words.join(" "))
}

proptest! {
    #[test]
    fn a_window_is_never_empty_and_never_in_the_future(
        text in prop_oneof![sentence(), ".*", "[ -~]{0,80}"],
        now in 1_000_000_000_000_000u64..u64::MAX,
        minutes in -2000..2000i32,
    ) {
        let now = UnixNanos(now);
        let asked = read(&text, now, Zone::of_minutes(minutes));
        let Window { from, to } = asked.window.value;
        prop_assert!(to <= now, "{}", asked.window.value);
        prop_assert!(to.since(from) >= SHORTEST, "{}", asked.window.value);
        for found in asked.candidates(&names()) {
            prop_assert!((SCORE_LEAST..=1.0).contains(&found.score), "{found:?}");
        }
    }

    #[test]
    fn what_is_called_by_its_name_is_found(place in 0..12usize, symptom in 0..8usize) {
        let (name, symptom) = (&names()[place], Symptom::ALL[symptom]);
        let own = name.node.split_once(':').map_or("", |(_, own)| own);
        let text = format!("{own} {} since yesterday", symptom.name().replace('_', " "));
        let asked = read(&text, NOW, Zone::default());
        prop_assert_eq!(&asked.candidates(&names())[0].node, &name.node);
        prop_assert_eq!(asked.symptom.map(|said| said.value), Some(symptom));
    }
}

const SCORE_LEAST: f64 = 0.45;
