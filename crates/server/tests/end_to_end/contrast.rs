//! By what spans and log records of a selection differ.

use serde_json::{Value, json};
use throughline_server::Limits;
use throughline_telemetry::{LogRecord, Signal, Span, SpanStatus, UnixNanos};
use throughline_testkit::log;

use crate::harness::{Answer, TestServer};
use crate::samples::{span, traces};
use crate::search::put_logs;

/// 2026-11-22T00:00:00Z, in seconds.
const BEGIN: u64 = 1_795_305_600;

impl TestServer {
    async fn contrast(&self, question: &Value) -> Answer {
        let body = question.to_string();
        self.post_api("/api/v1/contrast", &[], body).await
    }
}

/// Forty minutes of calls, one a second: those of version 42 with Visa take ten times as long from minute
/// twenty on, and some others are slow as well.
fn calls() -> Vec<Span> {
    let calls = (0..2400_u64).map(|second| {
        let start = (BEGIN + second) * 1_000_000_000;
        let card = ["visa", "amex", "maestro"][(second % 3) as usize];
        let version = if second >= 1200 { 42 } else { 41 };
        let is_slow = version == 42 && card == "visa" || second % 97 == 0;
        let took = if is_slow { 1000 } else { 100 } + second % 40;
        let end = start + took * 1_000_000;
        let mut call = span("pay", u128::from(second + 1), 1, 0, start, end);
        call.attributes.set("card", card);
        call.attributes.set("version", version);
        call.attributes.set("order.id", format!("o-{second}"));
        call.attributes
            .set("throughline.duration.total_ms", took.cast_signed());
        if second % 50 == 7 {
            call.status = SpanStatus::Error;
            call.attributes.set("tenant", "acme");
        }
        call
    });
    calls.collect()
}

async fn server_with_calls(limits: Limits) -> TestServer {
    let server = TestServer::start_with(None, limits).await;
    for some in calls().chunks(500) {
        let answer = server.post_protobuf(Signal::Traces, traces(some)).await;
        assert_eq!(answer.status, 200);
    }
    server
}

fn slow() -> Value {
    json!({"start_time": BEGIN, "end_time": BEGIN + 2400, "selection": {
        "filters": [{"column": "duration_ms", "op": ">", "value": 500}], "start_time": BEGIN + 1200,
    }})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_planted_cause_is_first_and_its_filters_show_it() {
    let server = server_with_calls(Limits::default()).await;
    let answer = server.contrast(&slow()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    let first = &answer["differences"][0];
    let filters = [
        json!({"column": "card", "op": "=", "value": "visa"}),
        json!({"column": "version", "op": "=", "value": 42.0}),
    ];
    let told = first["filters"].as_array().unwrap();
    assert_eq!(told.len(), 2, "{answer:#}");
    assert!(filters.iter().all(|each| told.contains(each)), "{told:?}");
    // Four hundred of it, and eight of the other slow ones.
    assert_eq!(answer["selection"], json!({"count": 408, "sampled": 408}));
    assert_eq!(answer["rest"], json!({"count": 1992, "sampled": 1992}));
    assert_eq!(
        (&first["selection"]["hits"], &first["rest"]["hits"]),
        (&json!(400), &json!(0))
    );
    assert_eq!(
        (&answer["truncated"], &answer["cost"]["rows"]),
        (&json!(false), &json!(2400))
    );
    let text = answer["differences"].to_string();
    // What follows from the selection itself.
    assert!(!text.contains("duration"), "{text}");

    let spans = server
        .post_api(
            "/api/v1/search",
            &[],
            json!({"filters": told, "count": "all", "limit": 1}).to_string(),
        )
        .await;
    assert_eq!(spans.json()["total"], 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_selection_is_compared_with() {
    let server = server_with_calls(Limits::default()).await;
    let errors = json!({"start_time": BEGIN, "end_time": BEGIN + 2400,
        "filters": [{"column": "card", "op": "!=", "value": "maestro"}],
        "selection": {"filters": [{"column": "status", "op": "=", "value": "error"}]},
        "rest": {"end_time": BEGIN + 600}});
    let answer = server.contrast(&errors).await.json();
    assert_eq!(answer["selection"]["count"], 32, "{answer:#}");
    assert_eq!(answer["rest"]["count"], 392, "{answer:#}");
    assert_eq!(
        answer["differences"][0]["filters"],
        json!([{"column": "tenant", "op": "=", "value": "acme"}])
    );
    let mut without = errors.clone();
    without["leave_out"] = json!(["tenant"]);
    let answer = server.contrast(&without).await.json();
    let text = answer["differences"].to_string();
    assert!(!text.contains("tenant"), "{text}");
}

/// Twenty minutes of lines, one a second: from minute ten on every fifth fails, most of these in zone c,
/// and outside of any trace.
fn lines() -> Vec<LogRecord> {
    let lines = (0..1200_u64).map(|second| {
        let fails = second >= 600 && second % 5 == 0;
        let zone = match fails && second % 20 != 0 || second % 97 == 0 {
            true => "c",
            false => "a",
        };
        let (severity, text, outcome) = match fails {
            true => (17, "ERROR", "failed"),
            false => (9, "INFO", "paid"),
        };
        let mut line = log("pay")
            .says(format!("order {second} {outcome}"))
            .severity(severity, text)
            .attribute("zone", zone)
            .attribute("tenant", ["acme", "bolt", "core"][(second % 3) as usize])
            .attribute("throughline.payload.request", outcome);
        if !fails && second % 2 == 0 {
            line = line.in_trace(second + 1);
        }
        let mut line = line.build();
        line.time = UnixNanos((BEGIN + second) * 1_000_000_000);
        line.observed_time = line.time;
        line
    });
    lines.collect()
}

fn of_lines(selection: &Value) -> Value {
    json!({"dataset": "logs", "start_time": BEGIN, "end_time": BEGIN + 1200, "selection": selection})
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_told_apart_by_what_was_planted() {
    let server = TestServer::start().await;
    put_logs(&server, &lines()).await;
    let question = of_lines(&json!({
        "filters": [{"column": "severity_number", "op": ">=", "value": 17}],
        "start_time": BEGIN + 600,
    }));
    let answer = server.contrast(&question).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["selection"], json!({"count": 120, "sampled": 120}));
    assert_eq!(answer["rest"], json!({"count": 1080, "sampled": 1080}));
    let first = &answer["differences"][0];
    let zone = json!([{"column": "zone", "op": "=", "value": "c"}]);
    assert_eq!(first["filters"], zone, "{answer:#}");
    assert_eq!(
        (&first["selection"]["hits"], &first["rest"]["hits"]),
        (&json!(90), &json!(12))
    );
    let text = answer["differences"].to_string();
    // What follows from the selection itself, what is kept back, and what nearly every line has another of.
    for key in ["severity", "throughline.payload", "body", "order"] {
        assert!(!text.contains(key), "{key}: {text}");
    }
    let without = r#"{"column":"trace_id","op":"does-not-exist"}"#;
    assert!(text.contains(without), "{text}");

    let question = json!({"dataset": "logs", "filters": zone, "count": "all", "limit": 1});
    let found = server
        .post_api("/api/v1/search", &[], question.to_string())
        .await;
    assert_eq!(found.json()["total"], 102);
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_are_chosen_by_their_words() {
    let server = TestServer::start().await;
    put_logs(&server, &lines()).await;
    let answer = server.contrast(&of_lines(&json!({"q": "failed"}))).await;
    let answer = answer.json();
    assert_eq!(answer["selection"]["count"], 120, "{answer:#}");
    assert_eq!(answer["rest"]["count"], 1080);
    let first = &answer["differences"][0];
    let severity = [
        json!([{"column": "severity", "op": "=", "value": "ERROR"}]),
        json!([{"column": "severity_number", "op": "=", "value": 17.0}]),
    ];
    assert!(severity.contains(&first["filters"]), "{first:#}");
    assert_eq!(first["rest"]["hits"], 0);

    let mut among = of_lines(&json!({"start_time": BEGIN + 900}));
    among["q"] = json!("-failed");
    among["rest"] = json!({"q": "paid", "end_time": BEGIN + 300});
    let answer = server.contrast(&among).await.json();
    assert_eq!(answer["selection"]["count"], 240, "{answer:#}");
    assert_eq!(answer["rest"]["count"], 300);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_selected_nothing_is_told() {
    let server = server_with_calls(Limits::default()).await;
    let mut question = slow();
    question["selection"]["start_time"] = json!(BEGIN + 9000);
    let answer = server.contrast(&question).await.json();
    assert_eq!(answer["differences"], json!([]));
    assert_eq!(answer["selection"]["count"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn time_that_is_up_is_told() {
    let mut limits = Limits::default();
    limits.queries.search_time = std::time::Duration::ZERO;
    let server = server_with_calls(limits).await;
    let answer = server.contrast(&slow()).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["truncated"], true);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_meant_is_refused() {
    let server = TestServer::start().await;
    for (question, says) in [
        (json!({}), "missing field `selection`"),
        (json!({"selection": {}, "rests": {}}), "unknown field"),
        (
            json!({"selection": {}, "limit": 0}),
            "`limit` must be from 1 to 100, not 0",
        ),
        (
            json!({"selection": {"end_time": -1}}),
            "`end_time` must be seconds since 1970, not -1",
        ),
        (
            json!({"selection": {}, "start_time": 9, "end_time": 8}),
            "the time range is empty",
        ),
        (
            json!({"selection": {"filters": [{"column": "name", "op": "matches", "value": "("}]}}),
            "regex",
        ),
        (
            json!({"dataset": "metrics", "selection": {}}),
            "spans and logs can be compared",
        ),
        (
            json!({"dataset": "lines", "selection": {}}),
            "unknown variant `lines`",
        ),
        (
            json!({"selection": {"q": "timeout"}}),
            "only log records have words",
        ),
        (
            json!({"dataset": "logs", "selection": {"q": "/(/"}}),
            "regex",
        ),
    ] {
        let answer = server.contrast(&question).await;
        assert_eq!(answer.status, 400, "{question}");
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        assert!(message.contains(says), "{question}: {message}");
    }
}
