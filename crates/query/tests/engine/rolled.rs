//! Answers from rollups are those of the rows.
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::collections::HashMap;
use std::path::Path;

use arrow::array::AsArray;
use arrow::datatypes::Float64Type;
use serde_json::{Value, json};
use throughline_query::{QueryAnswer, Spec};
use throughline_store::{Body, Options, Store};
use throughline_telemetry::wire::{Request, traces_request};
use throughline_telemetry::{Span, SpanId, SpanKind, SpanStatus, TraceId, UnixNanos};
use throughline_testkit::builders::span;

use super::engine;

/// Seconds that the spans are in, which are in several windows.
const SECONDS: u64 = 1500;

const ENVIRONMENT: &str = "deployment.environment.name";

fn open(path: &Path) -> Store {
    let mut options = Options::new(path);
    options.compacts = false;
    Store::open(options).unwrap().0
}

async fn put(store: &Store, spans: &[Span]) {
    let request = Request::Traces(traces_request(spans));
    let body = Body::check(request.signal(), request.to_protobuf().into(), usize::MAX).unwrap();
    store.append(body, UnixNanos(0), None).await.unwrap();
}

fn random_span(random: &mut fastrand::Rng) -> Span {
    let services = ["cart", "pay", "mail"];
    let second = random.u64(..SECONDS);
    let name = match random.u32(..10) {
        0 => "rare".to_owned(),
        n => format!("op-{}", n % 4),
    };
    let mut span = span(services[random.usize(..3)])
        .named(&name)
        .in_trace(1 + second / 600 * 100 + random.u64(..80))
        .id(random.u64(1..1 << 40))
        .kind([SpanKind::Server, SpanKind::Client][random.usize(..2)]);
    if let Some(environment) = random.choice([None, Some("prod"), Some("test")]).flatten() {
        span = span.resource_attribute(ENVIRONMENT, environment);
    }
    let mut span = span.build();
    span.status = [SpanStatus::Unset, SpanStatus::Ok, SpanStatus::Error][random.usize(..3)];
    span.start = UnixNanos(second * 1_000_000_000 + random.u64(..1_000_000_000));
    let magnitude = random.f64() * 20.0 + 10.0; // a microsecond to a second
    span.end = UnixNanos(span.start.0 + magnitude.exp2() as u64);
    span
}

/// Each span once, as reads have it.
#[derive(Default)]
struct Model(HashMap<(TraceId, SpanId), Span>);

impl Model {
    fn add(&mut self, span: &Span) {
        let known = self.0.entry((span.trace_id, span.span_id));
        let known = known.or_insert_with(|| span.clone());
        if span.end > known.end {
            *known = span.clone();
        }
    }

    /// A percentile of a group, exactly.
    fn percentile(&self, from: u64, to: u64, service: &str, name: &str, percent: f64) -> f64 {
        let spans = self.0.values().filter(|span| {
            (from..to).contains(&(span.start.0 / 1_000_000_000))
                && (span.service(), span.name.as_str()) == (service, name)
        });
        let mut millis: Vec<f64> = spans
            .map(|span| (span.end.0 - span.start.0) as f64 / 1e6)
            .collect();
        millis.sort_by(f64::total_cmp);
        let rank = percent / 100.0 * (millis.len() - 1) as f64;
        let (low, high) = (millis[rank.floor() as usize], millis[rank.ceil() as usize]);
        low + (rank - rank.floor()) * (high - low)
    }
}

async fn ask(store: &Store, question: &Value, rollup: bool) -> QueryAnswer {
    let mut question = question.clone();
    question["rollup"] = json!(rollup);
    let spec: Spec = serde_json::from_value(question).unwrap();
    let now = UnixNanos(10_000 * 1_000_000_000);
    engine().query(store.scan(), &spec, now).await.unwrap()
}

fn rows(answer: &QueryAnswer) -> Vec<Value> {
    let mut answers = vec![&answer.results];
    answers.extend(&answer.series);
    let rows = answers
        .into_iter()
        .map(|answer| answer.to_json().unwrap()["rows"].clone());
    rows.collect()
}

/// The same, but for the last digits of sums.
fn assert_same(a: &Value, b: &Value, context: &str) {
    match (a, b) {
        (Value::Array(a_items), Value::Array(b_items)) => {
            assert_eq!(a_items.len(), b_items.len(), "{context}: {a} and {b}");
            let both = a_items.iter().zip(b_items);
            both.for_each(|(a, b)| assert_same(a, b, context));
        }
        (Value::Number(x), Value::Number(y)) => {
            let (x, y) = (x.as_f64().unwrap(), y.as_f64().unwrap());
            assert!((x - y).abs() <= x.abs() * 1e-9, "{context}: {x} and {y}");
        }
        _ => assert_eq!(a, b, "{context}"),
    }
}

fn random_question(random: &mut fastrand::Rng) -> Value {
    let mut names = vec!["service", "name", "kind", "status", ENVIRONMENT];
    random.shuffle(&mut names);
    let from = random.u64(..SECONDS / 2);
    let aligned = random.bool();
    let from = if aligned { from / 60 * 60 } else { from };
    let to = from + random.u64(120..SECONDS);
    let to = if aligned { to / 60 * 60 } else { to };
    let mut question = json!({
        "breakdowns": names[..random.usize(..3)],
        "calculations": [{"op": "COUNT"}, {"op": "RATE"}, {"op": "SUM", "column": "duration_ms"},
            {"op": "AVG", "column": "duration_ms"}, {"op": "MIN", "column": "duration_ms"},
            {"op": "MAX", "column": "duration_ms"}, {"op": "COUNT", "column": "duration_ms"}],
        "start_time": from, "end_time": to, "limit": 1000,
    });
    let filters = [
        json!({"column": "service", "op": "=", "value": "cart"}),
        json!({"column": "status", "op": "=", "value": "error"}),
        json!({"column": "name", "op": "starts-with", "value": "op"}),
        json!({"column": "kind", "op": "!=", "value": "client"}),
        json!({"column": "name", "op": "in", "value": ["rare", "op-1", "none"]}),
        json!({"column": "service", "op": "exists"}),
        json!({"column": ENVIRONMENT, "op": "=", "value": "prod"}),
        json!({"column": ENVIRONMENT, "op": "!=", "value": "prod"}),
        json!({"column": ENVIRONMENT, "op": "does-not-exist"}),
    ];
    let how_many = random.usize(..3);
    question["filters"] = random
        .choose_multiple(&filters, how_many)
        .into_iter()
        .cloned()
        .collect();
    if random.bool() {
        question["filter_combination"] = json!("OR");
    }
    if random.bool() {
        question["granularity"] = json!(60 * random.u64(1..5));
    }
    if random.bool() {
        question["havings"] = json!([{"calculate_op": "COUNT", "op": ">", "value": 7}]);
    }
    question
}

/// How many rollups were read.
async fn check(store: &Store, model: &Model, random: &mut fastrand::Rng, seed: u64) -> u64 {
    let question = random_question(random);
    let context = format!("seed {seed}, {question}");
    let (rolled, raw) = (
        ask(store, &question, true).await,
        ask(store, &question, false).await,
    );
    assert_same(
        &Value::Array(rows(&rolled)),
        &Value::Array(rows(&raw)),
        &context,
    );
    assert_eq!(raw.results.cost.rollups, 0, "{context}");

    let (from, to) = (random.u64(..300), random.u64(700..SECONDS));
    let percent = [50.0, 90.0, 99.0, 100.0][random.usize(..4)];
    let question = json!({"breakdowns": ["service", "name"], "start_time": from, "end_time": to,
        "calculations": [{"op": format!("P{percent}"), "column": "duration_ms"}]});
    let answer = ask(store, &question, true).await;
    for batch in &answer.results.batches {
        let (services, names) = (
            batch.column(0).as_string::<i32>(),
            batch.column(1).as_string::<i32>(),
        );
        let found = batch.column(2).as_primitive::<Float64Type>();
        for row in 0..batch.num_rows() {
            let expect = model.percentile(from, to, services.value(row), names.value(row), percent);
            let found = found.value(row);
            assert!(
                (found - expect).abs() <= expect * 0.011,
                "{found}, not {expect}: seed {seed}, {question}"
            );
        }
    }
    rolled.results.cost.rollups + answer.results.cost.rollups
}

/// Spans of random times, some sent again, into buffers and segments.
#[tokio::test(flavor = "multi_thread")]
async fn rollups_count_what_the_rows_count() {
    let seed = fastrand::u64(..);
    let mut random = fastrand::Rng::with_seed(seed);
    let directory = tempfile::tempdir().unwrap();
    let mut store = open(directory.path());
    let mut model = Model::default();
    let mut sent: Vec<Span> = Vec::new();
    let mut used = 0;
    for round in 0..14 {
        let mut spans: Vec<Span> = (0..150).map(|_| random_span(&mut random)).collect();
        // Some rounds have no copies, so that segments without any are read from their rollups.
        if round % 3 == 2 {
            let mut again: Vec<Span> = random
                .choose_multiple(&sent, 8)
                .into_iter()
                .cloned()
                .collect();
            again
                .iter_mut()
                .for_each(|span| span.end.0 += random.u64(..2) * 1_000_000);
            spans.extend(again);
            spans.push(spans[0].clone());
        }
        spans.iter().for_each(|span| model.add(span));
        put(&store, &spans).await;
        sent.extend(spans);
        match random.u32(..5) {
            0 | 1 => tokio::task::block_in_place(|| store.seal()).unwrap(),
            2 => tokio::task::block_in_place(|| store.compact(UnixNanos(u64::MAX / 2))).unwrap(),
            3 => {
                store.close().await.unwrap();
                store = open(directory.path());
            }
            _ => {}
        }
        used += check(&store, &model, &mut random, seed).await;
    }
    tokio::task::block_in_place(|| store.seal()).unwrap();
    tokio::task::block_in_place(|| store.compact(UnixNanos(u64::MAX / 2))).unwrap();
    let all = json!({"start_time": 0, "end_time": SECONDS.next_multiple_of(60)});
    let answer = ask(&store, &all, true).await;
    assert_eq!(rows(&answer)[0][0][0], json!(model.0.len()), "seed {seed}");
    used += answer.results.cost.rollups;
    assert!(used > 0, "no rollup was ever read: seed {seed}");
}
