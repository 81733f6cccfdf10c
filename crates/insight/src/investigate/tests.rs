use throughline_telemetry::{Histogram, HistogramSum};

use super::*;
use crate::question::Candidate;

/// 2026-11-21T21:30:00Z; the window is an hour from then on.
const FROM: UnixNanos = UnixNanos(1_795_296_600_000_000_000);
const MINUTE: Duration = Duration::from_secs(60);

fn window() -> Window {
    let to = FROM.plus(MINUTE * 60);
    Window::try_new(FROM, to, to).unwrap()
}

/// What one node does in a minute.
#[derive(Clone, Copy)]
struct Does {
    count: u64,
    errors: u64,
    /// If anybody tells.
    timeouts: Option<u64>,
    throttles: u64,
    cold: u64,
    ms: f64,
    usd: f64,
}

const WELL: Does = Does {
    count: 40,
    errors: 0,
    timeouts: None,
    throttles: 0,
    cold: 0,
    ms: 50.0,
    usd: 0.0,
};

/// `shop` calls `pay`, which calls the table `user`; `mail` calls the table too, and `shop` calls `stock`.
const CALLS: [(&str, &str); 4] = [
    ("function:shop", "function:pay"),
    ("function:pay", "table:user"),
    ("function:mail", "table:user"),
    ("function:shop", "function:stock"),
];

/// The four hours before and the hour itself, by what each node does in each minute of them; the hour begins at 0.
fn facts(does: impl Fn(&str, i64) -> Does) -> Facts {
    let mut facts = Facts::default();
    for minute in -240..60_i64 {
        let at = UnixNanos(FROM.0.wrapping_add_signed(minute * 60_000_000_000));
        for node in [
            "function:shop",
            "function:pay",
            "function:mail",
            "function:stock",
            "table:user",
        ] {
            let mut does = does(node, minute);
            if node == "table:user" {
                // Two call it, and it answers sooner.
                does.count *= 2;
                does.ms -= 40.0;
            }
            // No two minutes are the same.
            does.ms += (minute * 7).rem_euclid(5) as f64 / 5.0;
            add(facts.at(at, Subject::Node(node.to_owned())), does);
            if node != "table:user" {
                facts.own.insert(node.to_owned());
            }
        }
        for (from, to) in CALLS {
            let calls = [does(from, minute), does(to, minute)];
            let count = calls[0].count.min(calls[1].count);
            let edge = Subject::Edge(from.to_owned(), to.to_owned(), "call".to_owned());
            add(facts.at(at, edge), Does { count, ..calls[1] });
        }
    }
    facts
}

#[allow(clippy::cast_precision_loss)]
fn add(did: &mut Did, does: Does) {
    let mut histogram = Histogram::default();
    (0..does.count).for_each(|_| histogram.record(does.ms));
    let mut durations = HistogramSum::default();
    durations.add(&histogram.to_bytes());
    did.counts.count += does.count;
    did.counts.errors += does.errors;
    did.counts.timeouts += does.timeouts.unwrap_or(0);
    did.tells_timeouts |= does.timeouts.is_some();
    did.counts.throttles += does.throttles;
    did.counts.cold_starts += does.cold;
    did.counts.durations = durations;
    did.counts.cost_usd += does.usd;
    did.counts.billed_ms += does.ms * does.count as f64;
    did.sum_ms += does.ms * does.count as f64;
}

fn of(facts: &Facts, node: &str, symptom: Option<Symptom>) -> Investigation {
    investigate(facts, &node.to_owned(), symptom, &window())
}

fn minute_of(time: UnixNanos) -> u64 {
    time.since(FROM).as_secs() / 60
}

#[test]
fn what_began_two_minutes_ago_is_explained() {
    // From an odd minute on, of which steps of two minutes would have one half and nothing else.
    let facts = facts(|node, minute| match node {
        "function:shop" | "function:pay" | "table:user" if minute >= 11 => {
            Does { ms: 300.0, ..WELL }
        }
        _ => WELL,
    });
    let until = |minutes: u32| Window {
        from: FROM.plus(MINUTE),
        to: FROM.plus(MINUTE * minutes),
    };
    let told = |minutes| {
        let shop = "function:shop".to_owned();
        investigate(&facts, &shop, Some(Symptom::Slow), &until(minutes)).found
    };
    assert!(told(12).is_none(), "one minute may be chance");
    let found = told(13).expect("two are not");
    assert_eq!(found.causes[0].node, "table:user");
    assert_eq!(minute_of(found.onset), 11);
}

#[test]
fn a_slow_table_is_the_cause_since_the_minute_in_which_it_began() {
    let facts = facts(|node, minute| match node {
        "function:stock" | "function:mail" => WELL,
        _ if minute >= 27 => Does { ms: 350.0, ..WELL },
        _ => WELL,
    });
    let told = of(&facts, "function:shop", None);
    assert_eq!(
        (told.symptom, told.reference),
        (Symptom::Slow, Reference::HoursBefore)
    );
    assert_eq!(
        told.to_string(),
        "function:shop is slow: 50 ms → 342 ms, 50 % of it from table:user"
    );
    let found = told.found.unwrap();
    assert_eq!(minute_of(found.onset), 27);
    assert!(!found.began_before);
    assert_eq!(found.causes[0].node, "table:user");
    assert_eq!(
        found.causes[0].path,
        ["function:shop", "function:pay", "table:user"]
    );
    assert!((found.load - 1.0).abs() < 0.01);
    assert_eq!(found.ruled_out, ["function:stock"]);
    // What traces show is believed as a whole.
    let mut shown = facts.clone();
    shown.shown.insert("table:user".to_owned());
    let found = of(&shown, "function:shop", None).found.unwrap();
    assert!(found.causes[0].share > 0.95, "{found:?}");
    let mean = &told.figures[0];
    assert_eq!(mean.what, "mean time");
    assert!(
        mean.before.unwrap() < 52.0 && mean.after > 349.0,
        "{mean:?}"
    );
}

#[test]
fn what_is_not_so_is_not_told() {
    let facts = facts(|_, _| WELL);
    for symptom in [None].into_iter().chain(Symptom::ALL.map(Some)) {
        for node in ["function:shop", "table:user", "function:unknown"] {
            assert_eq!(of(&facts, node, symptom).found, None, "{symptom:?} {node}");
        }
    }
    let told = of(&facts, "function:shop", None).to_string();
    assert_eq!(
        told,
        "nothing found: function:shop, mean time 50 ms → 50 ms"
    );
    assert_eq!(noticed(&facts, &window()), []);
    assert_eq!(of(&Facts::default(), "function:shop", None).found, None);
}

#[test]
fn throttling_is_told_apart_from_other_failures() {
    let facts = facts(|node, minute| match (node, minute) {
        ("function:stock", 10..) => Does { errors: 20, ..WELL },
        ("table:user", 30..) => Does {
            errors: 12,
            throttles: 12,
            ..WELL
        },
        _ => WELL,
    });
    assert_eq!(
        of(&facts, "function:stock", Some(Symptom::Throttle)).found,
        None
    );
    let found = of(&facts, "table:user", Some(Symptom::Throttle))
        .found
        .unwrap();
    assert_eq!(minute_of(found.onset), 30);
    assert!((found.confirmed.after - 0.15).abs() < 0.01, "{found:?}");
    assert_eq!(found.causes[0].symptom, Symptom::Throttle);
    // It was asked about itself.
    assert!(found.causes[0].share > 0.99, "{found:?}");
    let failing = of(&facts, "function:stock", None);
    assert_eq!(failing.symptom, Symptom::Error);
}

#[test]
fn who_refuses_is_the_cause_and_not_who_passes_it_on() {
    let cause_of = |throttles: u64| {
        let facts = facts(|node, minute| match (node, minute) {
            ("table:user", 30..) => Does {
                errors: 12,
                throttles,
                ..WELL
            },
            // Both call it, and each half of it fails.
            ("function:pay" | "function:mail" | "function:shop", 30..) => {
                Does { errors: 6, ..WELL }
            }
            _ => WELL,
        });
        let found = of(&facts, "function:pay", Some(Symptom::Error))
            .found
            .unwrap();
        let shares = found.causes.iter();
        let shares = shares.map(|it| (it.node.clone(), (it.share * 100.0).round()));
        shares.collect::<BTreeMap<_, _>>()
    };
    let all = BTreeMap::from([("table:user".to_owned(), 100.0)]);
    assert_eq!(cause_of(12), all);
    // Of other failures what only callers say counts half.
    let halves = ["function:pay", "table:user"].map(|node| (node.to_owned(), 50.0));
    assert_eq!(cause_of(6), BTreeMap::from(halves));
}

#[test]
fn timeouts_are_told_apart_from_other_failures_and_come_from_where_the_time_goes() {
    let failing = |timeouts| {
        facts(move |node, minute| match (node, minute >= 20) {
            ("function:pay", false) => Does {
                timeouts: Some(0),
                ..WELL
            },
            ("function:pay", true) => Does {
                errors: 12,
                timeouts: Some(timeouts),
                ms: 900.0,
                ..WELL
            },
            ("table:user", true) => Does { ms: 700.0, ..WELL },
            _ => WELL,
        })
    };
    let others = of(&failing(0), "function:pay", Some(Symptom::Timeout));
    assert_eq!(others.found, None, "{others}");
    let others = of(&failing(0), "function:pay", Some(Symptom::Error));
    assert!(others.found.is_some(), "{others}");
    let told = of(&failing(12), "function:pay", Some(Symptom::Timeout));
    let found = told.found.as_ref().expect("it times out");
    assert_eq!(minute_of(found.onset), 20);
    assert!(
        told.to_string()
            .starts_with("function:pay times out: 0 % → 30 %"),
        "{told}"
    );
    // What callers say of a table is believed half.
    let causes = found.causes.iter();
    let table = causes.filter(|cause| cause.node == "table:user");
    let shares: Vec<f64> = table.map(|cause| cause.share).collect();
    assert!(matches!(shares[..], [share] if share > 0.3), "{found:?}");
    assert!(
        found
            .causes
            .iter()
            .all(|cause| cause.symptom == Symptom::Slow)
    );
}

#[test]
fn failures_are_followed_to_where_they_enter() {
    let facts = facts(|node, minute| match (node, minute) {
        ("function:shop" | "function:pay", 20..40) => Does { errors: 20, ..WELL },
        _ => WELL,
    });
    let found = of(&facts, "function:shop", Some(Symptom::Timeout))
        .found
        .unwrap();
    assert_eq!((minute_of(found.onset), minute_of(found.until)), (20, 40));
    assert_eq!(found.causes[0].node, "function:pay");
    assert_eq!(found.causes[0].symptom, Symptom::Timeout);
}

#[test]
fn silence_is_due_to_who_stopped_calling() {
    let facts = facts(|node, minute| match (node, minute) {
        // Nobody comes to the shop any more.
        ("function:shop" | "function:pay" | "function:stock", 30..) => Does { count: 0, ..WELL },
        _ => WELL,
    });
    let told = of(&facts, "function:pay", Some(Symptom::Silent));
    let found = told.found.unwrap();
    assert_eq!(minute_of(found.onset), 30);
    assert!((found.confirmed.before - 40.0).abs() < 1.0, "{found:?}");
    assert_eq!(found.causes.len(), 1);
    assert_eq!(found.causes[0].path, ["function:pay", "function:shop"]);
    // Of the two that called it one goes on.
    let table = of(&facts, "table:user", Some(Symptom::Silent));
    assert_eq!(table.found, None);
}

#[test]
fn a_dearer_function_is_told_with_what_its_cost_is_made_of() {
    let facts = facts(|node, minute| match (node, minute) {
        ("function:pay", 30..) => Does {
            ms: 200.0,
            usd: 0.004,
            ..WELL
        },
        ("function:pay", _) => Does { usd: 0.001, ..WELL },
        _ => WELL,
    });
    let found = of(&facts, "function:pay", Some(Symptom::Expensive))
        .found
        .unwrap();
    assert!((found.confirmed.before - 0.06).abs() < 0.001, "{found:?}");
    assert!((found.confirmed.after - 0.24).abs() < 0.001, "{found:?}");
    assert_eq!(found.cost_why[0].0, CostFactor::Duration);
    // What nobody reported of was not free.
    let mut unknown = facts;
    for ((at, _), did) in &mut unknown.subjects {
        if *at < FROM {
            did.counts.cost_usd = 0.0;
        }
    }
    let told = of(&unknown, "function:pay", Some(Symptom::Expensive));
    assert_eq!(told.found, None, "{told}");
}

#[test]
fn what_was_so_for_hours_is_held_against_the_day_before() {
    let mut facts = facts(|node, _| match node {
        "function:pay" | "table:user" => Does { ms: 400.0, ..WELL },
        _ => WELL,
    });
    assert_eq!(of(&facts, "function:pay", Some(Symptom::Slow)).found, None);
    let before: Vec<_> = facts
        .subjects
        .iter()
        .filter(|((at, _), _)| at.since(FROM).is_zero())
        .map(|((at, of), did)| ((at.minus(DAY).plus(MINUTE * 180), of.clone()), did.clone()))
        .collect();
    for (key, mut did) in before {
        did.sum_ms /= 8.0;
        facts.subjects.insert(key, did);
    }
    let told = of(&facts, "function:pay", Some(Symptom::Slow));
    assert_eq!(told.reference, Reference::DayBefore);
    let found = told.found.unwrap();
    assert!(found.began_before);
    let table = found.causes.iter().find(|it| it.node == "table:user");
    // What only its callers say of it counts half.
    assert!(table.is_some_and(|it| it.share > 0.4), "{found:?}");
}

#[test]
fn what_is_longer_than_the_hours_before_is_held_against_the_day_before() {
    // Six hours of a morning, in which it is always slower than at night.
    let window = Window {
        from: FROM,
        to: FROM.plus(MINUTE * 360),
    };
    let mut facts = Facts::default();
    for minute in -1740..360_i64 {
        let at = UnixNanos(FROM.0.wrapping_add_signed(minute * 60_000_000_000));
        let is_morning = minute.rem_euclid(1440) < 360;
        let wobble = (minute * 7).rem_euclid(5) as f64 / 5.0;
        let ms = if is_morning { 90.0 } else { 50.0 } + wobble;
        let node = Subject::Node("function:pay".to_owned());
        add(facts.at(at, node), Does { ms, ..WELL });
    }
    let told = |facts: &Facts| {
        let node = "function:pay".to_owned();
        investigate(facts, &node, Some(Symptom::Slow), &window)
    };
    let known = told(&facts);
    assert_eq!((known.reference, known.found), (Reference::DayBefore, None));
    assert_eq!(noticed(&facts, &window), []);
    // Who knows only the night says so of the morning.
    facts
        .subjects
        .retain(|(at, _), _| *at >= FROM.minus(HOURS_BEFORE));
    let known = told(&facts);
    assert_eq!(known.reference, Reference::HoursBefore);
    assert!(known.found.is_some());
    assert_eq!(noticed(&facts, &window).len(), 1);
}

#[test]
fn no_time_is_read_twice() {
    for hours in [1, 6, 24] {
        let to = FROM.plus(MINUTE * 60 * hours);
        let [before, now] = times(&Window { from: FROM, to });
        assert!(before.start < before.end && before.end <= now.start);
        assert_eq!(now, FROM.minus(HOURS_BEFORE)..to);
    }
}

#[test]
fn cold_starts_are_a_functions_own() {
    let facts = facts(|node, minute| match (node, minute) {
        ("function:pay" | "function:shop", 30..) => Does { cold: 16, ..WELL },
        _ => WELL,
    });
    let found = of(&facts, "function:shop", Some(Symptom::ColdStart))
        .found
        .unwrap();
    assert_eq!(found.causes.len(), 1);
    assert_eq!(found.causes[0].node, "function:shop");
}

#[test]
fn who_else_suffers_is_found_up_and_down_the_map() {
    let facts = facts(|node, minute| match (node, minute) {
        ("table:user", 30..) => Does {
            errors: 12,
            throttles: 12,
            ..WELL
        },
        ("function:pay" | "function:shop", 30..) => Does { errors: 12, ..WELL },
        _ => WELL,
    });
    let told = of(&facts, "table:user", Some(Symptom::Throttle));
    let around = affected(&facts, &told.node, &told.seen());
    let lines: Vec<String> = around.worse().map(ToString::to_string).collect();
    assert_eq!(
        lines,
        [
            "function:pay fails: 0 % → 30 %",
            "function:shop fails: 0 % → 30 %"
        ]
    );
    assert_eq!(around.upstream[2].to_string(), "function:mail");
    let around = affected(&facts, &told.node, &told.frame);
    let names: Vec<&str> = around.upstream.iter().map(|it| it.node.as_str()).collect();
    assert_eq!(names, ["function:pay", "function:shop", "function:mail"]);
    assert_eq!(around.upstream[0].worse, [Symptom::Error]);
    assert!(around.upstream[2].worse.is_empty());
    let [before, now] = &around.upstream[0].edge;
    assert_eq!((before.counts.count, now.counts.count), (40 * 240, 40 * 60));
    assert_eq!(now.counts.throttles, 12 * 30);
    assert!(around.downstream.is_empty() && !around.truncated);
    let around = affected(&facts, &"function:shop".to_owned(), &told.frame);
    let names: Vec<&str> = around
        .downstream
        .iter()
        .map(|it| it.node.as_str())
        .collect();
    assert_eq!(names, ["function:pay", "table:user", "function:stock"]);
}

#[test]
fn of_names_that_fit_as_well_the_one_that_has_it_is_meant() {
    let facts = facts(|node, minute| match (node, minute) {
        ("function:stock", 30..) => Does { ms: 400.0, ..WELL },
        _ => WELL,
    });
    let candidate = |node: &str, score: f64| Candidate {
        node: node.to_owned(),
        score,
        words: "s".to_owned(),
    };
    let all = [
        candidate("function:shop", 0.8),
        candidate("function:stock", 0.8),
    ];
    let chosen = |all: &[Candidate]| {
        choose(&facts, all, Some(Symptom::Slow), &window()).map(|it| it.node.clone())
    };
    assert_eq!(chosen(&all).as_deref(), Some("function:stock"));
    let sure = [all[0].clone(), candidate("function:stock", 0.6)];
    assert_eq!(chosen(&sure).as_deref(), Some("function:shop"));
    assert_eq!(chosen(&[]), None);
    assert_eq!(
        noticed(&facts, &window()),
        [("function:stock".to_owned(), Symptom::Slow)]
    );
}

#[test]
fn lines_that_appear_or_are_missing_are_told() {
    let lines = |service: &str, template: &str, severity: u8, before: u64, now: u64| Lines {
        service: service.to_owned(),
        template: template.to_owned(),
        severity,
        before,
        now,
    };
    let told = patterns(
        vec![
            lines("pay", "charged *", 9, 4000, 0),
            lines("pay", "started", 9, 4000, 1010),
            lines("pay", "retry *", 13, 40, 900),
            lines("pay", "gave up: *", 17, 0, 30),
            lines("new", "hello", 9, 0, 500),
            lines("pay", "once", 9, 0, 2),
        ],
        4.0,
    );
    let told: Vec<(&str, Seen)> = told
        .iter()
        .map(|it| (it.lines.template.as_str(), it.seen))
        .collect();
    assert_eq!(
        told,
        [
            ("gave up: *", Seen::Appeared),
            ("retry *", Seen::More),
            ("charged *", Seen::Vanished)
        ]
    );
}

#[test]
fn memory_is_a_figure_where_it_is_told() {
    let figure = |share: &dyn Fn(i64) -> f64| {
        let mut facts = facts(|_, _| WELL);
        for ((minute, subject), did) in &mut facts.subjects {
            if *subject == Subject::Node("function:pay".to_owned()) {
                let minute = if *minute < FROM { -1 } else { 1 };
                did.memory_share = share(minute);
            }
        }
        let figures = of(&facts, "function:pay", Some(Symptom::Slow)).figures;
        let figure = figures.into_iter().find(|it| it.what == "memory used");
        figure.map(|it| it.to_string())
    };
    let told = |share: &dyn Fn(i64) -> f64| figure(share).unwrap_or_default();
    assert_eq!(
        told(&|minute| if minute < 0 { 0.5 } else { 0.75 }),
        "memory used 50 % → 75 %"
    );
    assert_eq!(
        told(&|minute| if minute < 0 { 0.0 } else { 0.75 }),
        "memory used 75 %, and nothing is known of before"
    );
    assert_eq!(figure(&|_| 0.0), None);
    assert_eq!(figure(&|minute| if minute < 0 { 0.5 } else { 0.0 }), None);
}
