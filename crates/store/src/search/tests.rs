//! Random rows, random questions, and a loop over all rows that knows the answers.

mod naive;
mod split;
mod tail;

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value as Json, json};
use throughline_telemetry::{LogRecord, Span, SpanId, SpanKind, TraceId, Value};
use throughline_testkit::{log, moment, span};

use super::*;
use crate::Store;
use crate::testing::{TestDirectory, put, put_logs};
use naive::Row;

/// What is found is what a loop over all rows finds: all of it, page after page, in order, whatever is
/// sealed or merged and however many threads search.
#[tokio::test]
async fn searches_agree_with_a_loop_over_all_rows() {
    for seed in 0..16 {
        let mut rng = Rng::with_seed(seed);
        let directory = TestDirectory::new();
        let (store, spans, logs) = random_store(&directory, &mut rng).await;
        for number in 0..12 {
            let query = random_query(&mut rng, &SPAN_CONDITIONS);
            let spans: Vec<&dyn Row> = spans.iter().map(|span| span as _).collect();
            check::<Span>(
                &store,
                &spans,
                &query,
                &mut rng,
                &format!("{seed}/{number}"),
            );
            let query = random_query(&mut rng, &LOG_CONDITIONS);
            let logs: Vec<&dyn Row> = logs.iter().map(|log| log as _).collect();
            check::<LogRecord>(&store, &logs, &query, &mut rng, &format!("{seed}/{number}"));
        }
    }
}

/// An index says in which ranges of rows an attribute may be, and those cut traces.
#[tokio::test]
async fn parents_are_known_where_only_some_of_a_trace_is_looked_at() {
    let directory = TestDirectory::new();
    let store = directory.open();
    let spans: Vec<Span> = (0..20_000)
        .map(|number| {
            let built = span("shop")
                .in_trace(1 + number / 7)
                .id(number)
                .at(number / 7);
            let built = built.attribute("order", format!("o-{number}"));
            match number % 7 {
                0 => built.build(),
                _ => built.parent(number - 1).build(),
            }
        })
        .collect();
    put(&store, &spans).await;
    store.seal().unwrap();
    for (number, expect) in [(16_383_u64, 1), (16_384, 1), (7000, 0), (19_998, 1)] {
        let order = Filter::is("order", Operator::Eq, format!("o-{number}"));
        let query = SearchQuery {
            filter: order.and(Filter::is("parent_span_id", Operator::Exists, Json::Null)),
            ..SearchQuery::default()
        };
        let search: Search<Span> = Search::new(&store.scan(), query).unwrap();
        search.work().unwrap();
        let page = search.finish().unwrap().unwrap();
        assert_eq!(page.rows.len(), expect, "{number}");
        for found in page.rows {
            assert_eq!(
                found.parent_id,
                Some(throughline_testkit::span_id(number - 1))
            );
        }
    }
    assert_eq!(store.damaged(), Vec::<String>::new());
}

/// A span whose clock ran backwards is found by when it says that it began, and took less than nothing.
#[tokio::test]
async fn spans_that_end_before_they_start_are_found_by_their_start() {
    let backwards = |id: u64, start: u64, end: u64| {
        let mut built = span("shop").in_trace(1).id(id).build();
        (built.start, built.end) = (moment(start), moment(end));
        built
    };
    // Of the trace, all but the first begin after everything has ended.
    let spans = [
        backwards(1, 0, 10),
        backwards(2, 5000, 20),
        backwards(3, 9000, 0),
    ];
    let other = span("mail").in_trace(2).id(4).at(7000).lasting(1).build();
    let minus = json!(-100);
    let cases = [
        (Filter::default(), Some(4000), None, vec![3, 4, 2]),
        (Filter::default(), Some(8000), None, vec![3]),
        (Filter::default(), None, Some(5001), vec![2, 1]),
        (Filter::default(), Some(9000), Some(9001), vec![3]),
        (
            Filter::is("duration_ms", Operator::Lt, json!(0)),
            None,
            None,
            vec![3, 2],
        ),
        (
            Filter::is("duration_ms", Operator::GtEq, minus),
            None,
            None,
            vec![4, 1],
        ),
        (
            Filter::is("duration_ms", Operator::Eq, json!(-9000)),
            None,
            None,
            vec![3],
        ),
        (
            Filter::is("service", Operator::Eq, "shop"),
            Some(1),
            None,
            vec![3, 2],
        ),
    ];
    let directory = TestDirectory::new();
    let store = directory.open();
    put(&store, &spans).await;
    for step in ["buffered", "sealed", "both", "merged"] {
        match step {
            "sealed" => {
                put(&store, std::slice::from_ref(&other)).await;
                store.seal().unwrap();
            }
            "both" => put(&store, &spans).await,
            "merged" => {
                store.seal().unwrap();
                store.compact(moment(1 << 30)).unwrap();
            }
            _ => {}
        }
        for (filter, from, to, expect) in &cases {
            for order in [SearchOrder::Newest, SearchOrder::Oldest] {
                let query = SearchQuery {
                    filter: filter.clone(),
                    from: from.map(moment),
                    to: to.map(moment),
                    order,
                    ..SearchQuery::default()
                };
                let search: Search<Span> = Search::new(&store.scan(), query).unwrap();
                search.work().unwrap();
                let found = search.finish().unwrap().unwrap().rows;
                let mut expect = expect.clone();
                expect.retain(|id| step != "buffered" || *id != 4);
                if order == SearchOrder::Oldest {
                    expect.reverse();
                }
                let expect: Vec<SpanId> = expect
                    .into_iter()
                    .map(throughline_testkit::span_id)
                    .collect();
                let found: Vec<SpanId> = found.iter().map(|span| span.span_id).collect();
                assert_eq!(found, expect, "{step}: {filter:?} from {from:?} to {to:?}");
            }
        }
    }
}

/// The rows in the order in which they arrived, each span once.
async fn random_store(
    directory: &TestDirectory,
    rng: &mut Rng,
) -> (Store, Vec<Span>, Vec<LogRecord>) {
    let mut store = directory.open();
    let mut spans: BTreeMap<(TraceId, SpanId), Span> = BTreeMap::new();
    let mut logs = Vec::new();
    for _ in 0..rng.u64(1..12) {
        let mut batch: Vec<Span> = (0..rng.usize(1..30)).map(|_| random_span(rng)).collect();
        if rng.bool()
            && let Some(again) = rng.choice(spans.values().collect::<Vec<_>>())
        {
            let mut again = again.clone();
            again.end.0 += rng.u64(0..2) * 1_000_000;
            batch.push(again);
        }
        let some: Vec<LogRecord> = (0..rng.usize(1..30)).map(|_| random_log(rng)).collect();
        put(&store, &batch).await;
        put_logs(&store, &some).await;
        for span in batch {
            let known = spans.entry((span.trace_id, span.span_id));
            let known = known.or_insert_with(|| span.clone());
            if span.end > known.end {
                *known = span;
            }
        }
        logs.extend(some);
        match rng.u32(0..7) {
            0..=2 => store.seal().unwrap(),
            3 => store.compact(moment(1 << 30)).unwrap(),
            4 => {
                drop(store);
                store = directory.open();
            }
            _ => {}
        }
    }
    (store, spans.into_values().collect(), logs)
}

fn random_span(rng: &mut Rng) -> Span {
    let mut built = span(["shop", "mail", "stock"][rng.usize(0..3)])
        .named(["GET /", "POST /", "send"][rng.usize(0..3)])
        .kind([SpanKind::Server, SpanKind::Client][rng.usize(0..2)])
        .in_trace(rng.u64(1..20))
        .id(rng.u64(..))
        // Few distinct starts, so that rows of the same time occur.
        .at(rng.u64(0..40) * 60_000)
        .lasting(rng.u64(0..5) * 100)
        .resource_attribute("region", ["eu", "us"][rng.usize(0..2)]);
    if rng.u32(0..4) == 0 {
        built = built.parent(rng.u64(..));
    }
    if rng.u32(0..8) == 0 {
        built = built.error();
    }
    for (key, value) in random_attributes(rng) {
        built = built.attribute(key, value);
    }
    built.build()
}

fn random_log(rng: &mut Rng) -> LogRecord {
    let texts = [
        "card declined",
        "order 1234 paid",
        "Timeout after 3 s",
        "ok",
    ];
    let mut built = log(["shop", "mail"][rng.usize(0..2)])
        .says(texts[rng.usize(0..4)])
        .severity(
            [9, 13, 17][rng.usize(0..3)],
            ["INFO", "error"][rng.usize(0..2)],
        )
        .at(rng.u64(0..40) * 60_000)
        .resource_attribute("region", ["eu", "us"][rng.usize(0..2)]);
    if rng.bool() {
        built = built.in_trace(rng.u64(1..5));
    }
    for (key, value) in random_attributes(rng) {
        built = built.attribute(key, value);
    }
    built.build()
}

fn random_attributes(rng: &mut Rng) -> Vec<(&'static str, Value)> {
    let numbers = [Value::Int(3), Value::Double(2.5), Value::Double(3.0)];
    let mixed = [
        Value::Int(7),
        Value::from("7"),
        Value::from("x"),
        Value::Bool(true),
    ];
    let mut all: Vec<(&'static str, Value)> = vec![
        ("route", ["/", "/pay", "/cart"][rng.usize(0..3)].into()),
        ("size", Value::Int(rng.i64(-3..10))),
        ("ratio", numbers[rng.usize(0..3)].clone()),
        ("cold", Value::Bool(rng.bool())),
        ("mixed", mixed[rng.usize(0..4)].clone()),
        ("none", Value::Null),
    ];
    all.retain(|_| rng.bool());
    if rng.u32(0..6) == 0 {
        all.push(("region", "moon".into())); // instead of that of the resource
    }
    all
}

type Conditions = &'static [(&'static str, Operator, fn(&mut Rng) -> Json)];

const SPAN_CONDITIONS: Conditions = &[
    ("service", Operator::Eq, |_| json!("mail")),
    ("service", Operator::NotEq, |_| json!("mail")),
    ("service", Operator::In, |_| json!(["mail", "shop", "none"])),
    ("name", Operator::Contains, |_| json!(" /")),
    ("name", Operator::Matches, |_| json!("^(GET|send)")),
    ("status", Operator::Eq, |_| json!("error")),
    ("kind", Operator::Eq, |_| json!("client")),
    ("kind", Operator::StartsWith, |_| json!("s")),
    ("duration_ms", Operator::GtEq, |rng| {
        json!(rng.u64(0..6) * 100)
    }),
    ("duration_ms", Operator::Lt, |_| json!("250.5")),
    ("parent_span_id", Operator::Exists, |_| Json::Null),
    ("trace_id", Operator::Eq, |rng| {
        json!(throughline_testkit::trace_id(rng.u64(1..22)).to_string())
    }),
    ("time", Operator::Gt, |_| json!("2026-01-01T00:17:00Z")),
    ("region", Operator::Eq, |rng| {
        json!(["eu", "moon", "mars"][rng.usize(0..3)])
    }),
    ("region", Operator::DoesNotContain, |_| json!("o")),
    ("route", Operator::Eq, |_| json!("/pay")),
    ("route", Operator::NotEq, |_| json!("/pay")),
    ("route", Operator::EndsWith, |_| json!("t")),
    ("route", Operator::NotIn, |_| json!(["/", "/cart"])),
    ("route", Operator::DoesNotExist, |_| Json::Null),
    ("size", Operator::Eq, |rng| json!(rng.i64(-3..10))),
    ("size", Operator::LtEq, |_| json!(2.5)),
    ("size", Operator::Gt, |_| json!("4")),
    ("size", Operator::Contains, |_| json!("-")),
    ("size", Operator::In, |_| json!([1, 2, "3"])),
    ("ratio", Operator::Eq, |_| json!(3)),
    ("ratio", Operator::Lt, |_| json!(2.75)),
    ("cold", Operator::Eq, |rng| json!(rng.bool())),
    ("cold", Operator::NotEq, |_| json!("true")),
    ("mixed", Operator::Eq, |rng| {
        [json!(7), json!("7"), json!(true), json!("x")][rng.usize(0..4)].clone()
    }),
    ("mixed", Operator::Gt, |_| json!(6)),
    ("none", Operator::Exists, |_| Json::Null),
    ("nobody", Operator::NotEq, |_| json!("x")),
];

const LOG_CONDITIONS: Conditions = &[
    ("service", Operator::Eq, |_| json!("mail")),
    ("body", Operator::Contains, |_| json!("order")),
    ("body", Operator::Matches, |_| json!("(?i)timeout|ok")),
    ("severity_number", Operator::GtEq, |_| json!(13)),
    ("severity", Operator::Eq, |_| json!("error")),
    ("trace_id", Operator::Eq, |rng| {
        json!(throughline_testkit::trace_id(rng.u64(1..7)).to_string())
    }),
    ("trace_id", Operator::Exists, |_| Json::Null),
    ("region", Operator::NotEq, |_| json!("eu")),
    ("route", Operator::StartsWith, |_| json!("/p")),
    ("size", Operator::Lt, |_| json!(4)),
    ("mixed", Operator::NotIn, |_| json!(["7", true])),
];

fn random_query(rng: &mut Rng, conditions: &Conditions) -> SearchQuery {
    let mut filter = Filter::default();
    for _ in 0..rng.usize(0..4) {
        filter = filter.and(random_filter(rng, conditions, 2));
    }
    SearchQuery {
        filter,
        from: (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000)),
        to: (rng.u32(0..3) == 0).then(|| moment(rng.u64(0..40) * 60_000)),
        order: [SearchOrder::Newest, SearchOrder::Oldest][rng.usize(0..2)],
        limit: Some(rng.usize(1..9)),
        after: None,
        count: [Count::Page, Count::Some, Count::All][rng.usize(0..3)],
    }
}

fn random_filter(rng: &mut Rng, conditions: &Conditions, depth: u32) -> Filter {
    if conditions.len() == LOG_CONDITIONS.len() && rng.u32(0..4) == 0 {
        let texts = [
            "timeout",
            "ORDER-1234",
            "card paid",
            "\"3 s\"",
            "-ok",
            "/pa.d/",
            "ime",
        ];
        return Filter::of_words(texts[rng.usize(0..7)]).unwrap();
    }
    let several = |rng: &mut Rng| {
        let filters = (0..rng.usize(0..3)).map(|_| random_filter(rng, conditions, depth - 1));
        filters.collect()
    };
    match rng.u32(0..8) {
        0 if depth > 0 => Filter::All(several(rng)),
        1 if depth > 0 => Filter::Any(several(rng)),
        2 if depth > 0 => Filter::Not(Box::new(random_filter(rng, conditions, depth - 1))),
        _ => {
            let (column, op, value) = conditions[rng.usize(0..conditions.len())];
            Filter::is(column, op, value(rng))
        }
    }
}

fn check<T: Searched + PartialEq + std::fmt::Debug + Row + Clone + 'static>(
    store: &Store,
    all: &[&dyn Row],
    query: &SearchQuery,
    rng: &mut Rng,
    seed: &str,
) {
    let expected = naive::find(all, query);
    let mut query = query.clone();
    let mut found: Vec<T> = Vec::new();
    loop {
        let search: Search<T> = match Search::new(&store.scan(), query.clone()) {
            Ok(search) => search,
            // A text that is no number, where all values there are happen to be numbers.
            Err(SearchError::Invalid(_)) => return,
            Err(error) => panic!("{error}"),
        };
        std::thread::scope(|scope| {
            for _ in 0..rng.usize(1..4) {
                scope.spawn(|| search.work().unwrap());
            }
        });
        let page = search.finish().unwrap().unwrap();
        let left = (expected.len() - found.len()) as u64;
        match page.truncated {
            true => assert!(page.total <= left, "seed {seed}: {query:?}"),
            false => assert_eq!(page.total, left, "seed {seed}: {query:?}"),
        }
        assert!(!page.truncated || query.count != Count::All);
        assert!(page.rows.len() <= query.limit.unwrap());
        found.extend(page.rows);
        match page.next {
            Some(next) => query.after = Some(next),
            None => break,
        }
    }
    let found: Vec<String> = found.iter().map(|row| row.text()).collect();
    let expected: Vec<String> = expected.iter().map(|row| row.text()).collect();
    assert_eq!(found, expected, "seed {seed}: {query:?}");
}
