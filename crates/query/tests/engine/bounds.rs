//! What a query says of attributes and words leaves segments out, and no row that it asks for.

use std::fs;

use serde_json::Value;
use throughline_query::Answer;
use throughline_store::{Body, Options, Scan, Store};
use throughline_telemetry::wire::{Request, logs_request, otlp, traces_request};
use throughline_telemetry::{LogRecord, Span, UnixNanos};
use throughline_testkit::builders::{log, moment, span};

use super::engine;

/// Half of them are in few segments only.
const WORDS: [&str; 10] = [
    "timeout", "Stock", "order_id", "ord-1b2c", "is", "the", "failed", "x.y", "Skönt", "no",
];
const ROUTES: [&str; 6] = ["/pay", "/cart", "5", "5.5", "true", "/item 7"];

fn random_span(random: &mut fastrand::Rng, part: usize) -> Span {
    let built = span("shop")
        .in_trace(random.u64(1..400))
        .id(random.u64(1..));
    let built = built.at(random.u64(..2_000_000));
    let route = ROUTES[random.usize(..=part.min(5))];
    let built = match (random.u32(..6), route.parse::<i64>(), route.parse::<f64>()) {
        (0, ..) => built,
        (1, ..) => built.resource_attribute("route", route),
        (2, Ok(number), _) => built.attribute("route", number),
        (2 | 3, _, Ok(number)) => built.attribute("route", number),
        (2 | 3, ..) if route == "true" => built.attribute("route", true),
        _ => built.attribute("route", route),
    };
    built
        .attribute("odd", ["a", "b"][usize::from(part.is_multiple_of(2))])
        .build()
}

fn random_log(random: &mut fastrand::Rng, part: usize) -> LogRecord {
    let words = (0..random.usize(1..5)).map(|_| WORDS[random.usize(..(part + 4).min(10))]);
    let joined = words
        .collect::<Vec<_>>()
        .join([" ", "(", "", "%"][random.usize(..4)]);
    let body = if random.bool() {
        joined.to_uppercase()
    } else {
        joined
    };
    log("shop").says(body).at(random.u64(..2_000_000)).build()
}

/// Conditions on `@`, which stands for a column.
fn random_condition(random: &mut fastrand::Rng) -> (&'static str, &'static str, String) {
    if random.bool() {
        let column = ["route", "odd"][usize::from(random.u32(..4) == 0)];
        let value = match random.u32(..8) {
            0 => "a",
            1 => "nobody",
            _ => ROUTES[random.usize(..6)],
        };
        let condition = match random.u32(..4) {
            0 => format!("@ = '{value}' and name <> 'x'"),
            1 => format!("'{value}' = @"),
            2 => format!("(@ = '{value}' or @ = 'a')"),
            _ => format!("@ = '{value}'"),
        };
        return ("spans", column, condition);
    }
    let word = |random: &mut fastrand::Rng| WORDS[random.usize(..10)].to_owned();
    let (one, two) = (word(random), word(random));
    let two = if random.bool() {
        two.to_uppercase()
    } else {
        two
    };
    let text = format!("{one}{}{two}", [" ", "(", "%", "_"][random.usize(..4)]);
    let condition = match random.u32(..8) {
        0 => format!("@ like '%{text}%'"),
        1 => format!("@ like '{text}%'"),
        2 => format!("@ like '%{text}'"),
        3 => format!("@ ilike '%({text})%'"),
        4 => format!("@ like '%{one}(%'"),
        5 => format!("@ = '{text}'"),
        6 => format!("@ ilike '{one}'"),
        _ => format!("contains(@, '({one}(')"),
    };
    ("logs", "body", condition)
}

async fn put(store: &Store, request: Request) {
    let body = Body::check(request.signal(), request.to_protobuf().into(), usize::MAX).unwrap();
    store.append(body, UnixNanos(0), None).await.unwrap();
}

async fn ask(scan: Scan, sql: &str) -> (Vec<Value>, u64) {
    let answer: Answer = engine().sql(scan, sql).await.unwrap();
    let rows = answer.to_json().unwrap()["rows"]
        .as_array()
        .unwrap()
        .clone();
    (rows, answer.cost.segments)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_left_out_has_nothing_that_is_asked_for() {
    let mut left_out = 0;
    for seed in 0..6 {
        let mut random = fastrand::Rng::with_seed(seed);
        let directory = tempfile::tempdir().unwrap();
        let mut options = Options::new(directory.path());
        options.compacts = false;
        let (store, _) = Store::open(options).unwrap();
        for part in 0..8 {
            let spans: Vec<Span> = (0..25).map(|_| random_span(&mut random, part)).collect();
            let logs: Vec<LogRecord> = (0..25).map(|_| random_log(&mut random, part)).collect();
            put(&store, Request::Traces(traces_request(&spans))).await;
            put(&store, Request::Logs(logs_request(&logs))).await;
            if part < 7 {
                tokio::task::block_in_place(|| store.seal()).unwrap();
            }
        }
        for _ in 0..40 {
            let (table, column, condition) = random_condition(&mut random);
            let id = if table == "spans" { "span_id" } else { "time" };
            let select = format!("select {id}, {column} from {table} where ");
            let order = format!(" order by {id}, {column}");
            let quick = format!("{select}{}{order}", condition.replace('@', column));
            // Of what a function makes nobody knows the words.
            let hidden = condition.replace('@', &format!("replace({column}, '~', '~')"));
            let (expect, all) = ask(store.scan(), &format!("{select}{hidden}{order}")).await;
            let (found, some) = ask(store.scan(), &quick).await;
            assert_eq!(found, expect, "seed {seed}: {quick}");
            assert!(some <= all, "seed {seed}: {quick}");
            left_out += all - some;
        }
    }
    assert!(left_out > 200, "{left_out}");
}

/// A gauge at a time.
fn point(second: u64) -> Request {
    let point = otlp::metrics::v1::NumberDataPoint {
        time_unix_nano: moment(second * 1000).0,
        value: Some(otlp::metrics::v1::number_data_point::Value::AsInt(1)),
        ..Default::default()
    };
    let gauge = otlp::metrics::v1::Gauge {
        data_points: vec![point],
    };
    let metric = otlp::metrics::v1::Metric {
        name: "queue".to_owned(),
        data: Some(otlp::metrics::v1::metric::Data::Gauge(gauge)),
        ..Default::default()
    };
    Request::Metrics(otlp::ExportMetricsServiceRequest {
        resource_metrics: vec![otlp::metrics::v1::ResourceMetrics {
            scope_metrics: vec![otlp::metrics::v1::ScopeMetrics {
                metrics: vec![metric],
                ..Default::default()
            }],
            ..Default::default()
        }],
    })
}

/// Each damaged segment costs its rows, and nobody the answer.
#[tokio::test(flavor = "multi_thread")]
async fn damaged_segments_are_left_out_of_answers() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = Options::new(directory.path());
    options.compacts = false;
    let (store, _) = Store::open(options).unwrap();
    for second in 1..=4 {
        put(&store, point(second)).await;
        tokio::task::block_in_place(|| store.seal()).unwrap();
    }
    let harm = |number: usize| {
        let name = format!("segments/metrics-{number:010}-000.parquet");
        let path = directory.path().join(name);
        let bytes = fs::read(&path).unwrap().len();
        fs::write(path, vec![0xff; bytes]).unwrap();
    };
    harm(1);
    let end = UnixNanos(u64::MAX / 2);
    let engine_of_points = engine();
    let points = engine_of_points.points(
        &store,
        throughline_store::Filter::default(),
        UnixNanos(0),
        end,
        100,
    );
    assert_eq!(points.await.unwrap().0.points.len(), 3);
    assert_eq!(store.damaged().len(), 1);
    harm(2);
    let (rows, _) = ask(store.scan(), "select count(value) from metrics").await;
    assert_eq!(rows, [serde_json::json!([2])]);
    assert_eq!(store.damaged().len(), 2);
    harm(3);
    let spec = serde_json::json!({"dataset": "metrics", "calculations": [{"op": "AVG", "column": "value"}, {"op": "COUNT"}],
        "start_time": 0, "end_time": 4_000_000_000_u64});
    let spec: throughline_query::Spec = serde_json::from_value(spec).unwrap();
    let answer = engine()
        .query(store.scan(), &spec, UnixNanos(0))
        .await
        .unwrap();
    assert_eq!(
        answer.results.to_json().unwrap()["rows"],
        serde_json::json!([[1.0, 1]])
    );
    assert_eq!(store.damaged().len(), 3);
}
