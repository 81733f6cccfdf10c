use std::collections::HashMap;

use serde::Deserialize;

use super::*;

/// What the page is held to as well.
const CASES: &str = include_str!("../../../../ui/fixtures/critical.json");

#[derive(Deserialize)]
struct Case {
    name: String,
    to: Vec<String>,
    spans: Vec<String>,
    path: String,
}

/// Spans of `id<parent start+duration look`, depth first, with their ids.
fn tree(spans: &[impl AsRef<str>]) -> (Vec<String>, Vec<Stretch>) {
    let mut sent: Vec<(String, Option<String>, Stretch)> =
        spans.iter().map(|text| span(text.as_ref())).collect();
    sent.sort_by_key(|(_, _, span)| (span.start, std::cmp::Reverse(span.end)));
    let mut below: HashMap<Option<String>, Vec<(String, Stretch)>> = HashMap::new();
    for (id, parent, span) in sent {
        below.entry(parent).or_default().push((id, span));
    }
    let (mut ids, mut laid) = (Vec::new(), Vec::new());
    let mut open: Vec<(String, Stretch)> = below.remove(&None).unwrap_or_default();
    open.reverse();
    while let Some((id, span)) = open.pop() {
        let place = laid.len();
        let children = below.remove(&Some(id.clone())).unwrap_or_default();
        let placed = children.into_iter().map(|(id, child)| {
            let parent = Some(place);
            (id, Stretch { parent, ..child })
        });
        open.extend(placed.rev());
        ids.push(id);
        laid.push(span);
    }
    (ids, laid)
}

fn span(text: &str) -> (String, Option<String>, Stretch) {
    let (name, rest) = text.split_once(' ').expect("a name");
    let (times, look) = rest.split_once(' ').unwrap_or((rest, ""));
    let (start, duration) = times.split_once('+').expect("a start and a duration");
    let (id, parent) = match name.split_once('<') {
        Some((id, parent)) => (id, Some(parent.to_owned())),
        None => (name, None),
    };
    let number = |text: &str| text.parse::<u64>().expect("a number");
    let span = Stretch {
        parent: None,
        is_orphan: false,
        start: UnixNanos(number(start)),
        end: UnixNanos(number(start) + number(duration)),
        phase: match look {
            "invoke" => Phase::Invocation,
            "platform" => Phase::Platform,
            _ => Phase::Code,
        },
        is_asynchronous: matches!(look, "asynchronous" | "waited"),
        is_waiting: matches!(look, "waited" | "api"),
    };
    (id.to_owned(), parent, span)
}

/// `a 0-10, (b 10-12)`: the parts in order, waits in brackets.
fn told(spans: &[impl AsRef<str>], to: PathEnd) -> String {
    let (ids, laid) = tree(spans);
    let parts = critical_path(&laid, to).into_iter().map(|part| {
        let text = format!("{} {}-{}", ids[part.span], part.from, part.to);
        if part.is_waiting {
            format!("({text})")
        } else {
            text
        }
    });
    parts.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_same_cases_as_the_page() {
    let cases: Vec<Case> = serde_json::from_str(CASES).unwrap();
    assert!(cases.len() > 10);
    for case in cases {
        for (name, to) in [("answer", PathEnd::Answer), ("end", PathEnd::All)] {
            if case.to.iter().any(|each| each == name) {
                assert_eq!(
                    told(&case.spans, to),
                    case.path,
                    "{}, to the {name}",
                    case.name
                );
            }
        }
    }
}

#[test]
fn a_path_to_the_end_of_a_step_has_what_that_waited_for() {
    let check = |init: &str, path: &str| {
        let (ids, spans) = tree(&[
            "a 0+20",
            "b<a 2+16",
            "f<b 10+7 invoke",
            init,
            "late<f 16+9 asynchronous",
            "c<a 18+1",
        ]);
        let parts = paths_to(&spans, &[2]).into_iter();
        let parts = parts.map(|part| format!("{} {}-{}", ids[part.span], part.from, part.to));
        assert_eq!(parts.collect::<Vec<_>>().join(", "), path);
    };
    check("init<f 4+5 platform", "init 4-9, f 9-10, f 10-17");
    check("init<f 0+1 platform", "f 10-17");
}

#[test]
fn only_what_goes_on_for_long_has_a_path_of_its_own() {
    let goes_on = |spans: &[&str]| goes_on_after_answer(&tree(spans).1);
    assert!(goes_on(&[
        "api 0+10",
        "queue<api 6+30 waited",
        "mail<queue 36+20 asynchronous"
    ]));
    assert!(!goes_on(&["a 0+100", "b<a 99+3 asynchronous"]));
    assert!(!goes_on(&[]));
}

#[test]
fn what_has_lost_its_root_begins_with_what_is_first() {
    let (_, mut spans) = tree(&["a 0+4", "b 6+2"]);
    spans[0].is_orphan = true;
    assert_eq!(critical_path(&spans, PathEnd::Answer)[0].span, 1);
    spans[1].is_orphan = true;
    assert_eq!(critical_path(&spans, PathEnd::Answer)[0].span, 0);
}

#[test]
fn a_path_has_neither_gap_nor_overlap() {
    let looks = ["", "asynchronous", "waited", "api", "invoke", "platform"];
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..2_000 {
        let count = random.usize(1..13);
        let spans: Vec<String> = (0..count)
            .map(|at| {
                let parent = match at {
                    0 => String::new(),
                    at => format!("<s{}", random.usize(..at)),
                };
                let look = if at == 0 {
                    ""
                } else {
                    looks[random.usize(..looks.len())]
                };
                format!(
                    "s{at}{parent} {}+{} {look}",
                    random.u64(..50),
                    random.u64(..30)
                )
            })
            .collect();
        for to in [PathEnd::Answer, PathEnd::All] {
            let parts = critical_path(&tree(&spans).1, to);
            assert!(parts.iter().all(|part| part.from < part.to), "{spans:?}");
            assert!(
                parts.windows(2).all(|pair| pair[0].to == pair[1].from),
                "{spans:?}"
            );
        }
    }
}

#[test]
fn a_chain_of_a_hundred_thousand_is_walked() {
    let chain: Vec<Stretch> = (0..100_000u64)
        .map(|at| Stretch {
            parent: usize::try_from(at).unwrap().checked_sub(1),
            is_orphan: false,
            start: UnixNanos(at),
            end: UnixNanos(at + 300_000),
            phase: Phase::Code,
            is_asynchronous: false,
            is_waiting: false,
        })
        .collect();
    assert_eq!(critical_path(&chain, PathEnd::Answer).len(), 100_000);
}
