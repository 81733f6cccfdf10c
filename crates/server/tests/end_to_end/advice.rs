//! Which memory a function should have, from what extensions send.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use throughline_telemetry::{LogRecord, Resource, Signal, Span, UnixNanos};

use crate::harness::TestServer;
use crate::openapi::problems;
use crate::samples::{span, traces};
use crate::search::put_logs;

/// 2026-11-20T00:00:00Z.
const BEGIN: UnixNanos = UnixNanos(1_795_132_800 * 1_000_000_000);

/// Invocations of `resize` with a size: one every second from this one on, each taking so long.
pub(crate) struct Runs {
    pub(crate) seconds: std::ops::Range<u64>,
    pub(crate) memory_mb: i64,
    pub(crate) took_ms: f64,
    pub(crate) cpu_ms: f64,
}

impl Runs {
    pub(crate) async fn send(&self, server: &TestServer) {
        let all: Vec<(Span, LogRecord)> = self.seconds.clone().map(|at| self.run(at)).collect();
        let (spans, reports): (Vec<Span>, Vec<LogRecord>) = all.into_iter().unzip();
        let answer = server.post_protobuf(Signal::Traces, traces(&spans)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        put_logs(server, &reports).await;
    }

    /// What the extension makes of an invocation: its span, and the platform's report.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // some seconds
    fn run(&self, second: u64) -> (Span, LogRecord) {
        let start = BEGIN.plus(Duration::from_secs(second));
        let end = start.plus(Duration::from_secs_f64(self.took_ms / 1e3));
        let id = format!("request-{second}");
        let mut resource = Resource::default();
        for (key, value) in [
            ("service.name", "resize"),
            ("faas.name", "resize"),
            ("cloud.region", "eu-west-1"),
            ("host.arch", "amd64"),
        ] {
            resource.attributes.set(key, value);
        }
        let resource = Arc::new(resource);
        let mut run = span("resize", u128::from(second + 1), 1, 0, start.0, end.0);
        run.resource = Arc::clone(&resource);
        run.attributes.set("throughline.phase", "invoke");
        run.attributes.set("faas.invocation_id", id.as_str());
        run.attributes.set("throughline.cpu.user_ms", self.cpu_ms);
        run.attributes.set("throughline.cpu.system_ms", 0.0);
        run.attributes
            .set("throughline.duration.timeout_ms", 900_000_i64);
        let mut report = LogRecord {
            time: end,
            observed_time: end,
            severity_number: 9,
            severity_text: String::new(),
            body: "REPORT".into(),
            trace_id: None,
            span_id: None,
            event_name: "platform.report".to_owned(),
            attributes: [("faas.invocation_id", id.as_str())].into_iter().collect(),
            resource,
            scope: Arc::default(),
        };
        report
            .attributes
            .set("throughline.duration.total_ms", self.took_ms);
        report
            .attributes
            .set("throughline.memory.size_mb", self.memory_mb);
        report
            .attributes
            .set("throughline.memory.max_used_mb", 90_i64);
        (run, report)
    }
}

pub(crate) async fn advice(server: &TestServer, query: &str) -> Value {
    let path = format!(
        "/api/v1/functions/resize/advice?from={}&to={}{query}",
        BEGIN.0,
        BEGIN.plus(Duration::from_secs(100_000)).0
    );
    let answer = server.json(&path).await;
    assert_eq!(problems("FunctionAdvice", &answer), "");
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_function_should_have_and_what_came_of_it() {
    let server = TestServer::start().await;
    let nothing = advice(&server, "").await;
    assert_eq!(nothing["why_not"], "too_few", "{nothing:#}");
    assert_eq!(nothing["advice"], Value::Null);

    // A quarter of a processor: 200 ms of work take most of a second.
    let with_442 = Runs {
        seconds: 0..200,
        memory_mb: 442,
        took_ms: 795.0,
        cpu_ms: 200.0,
    };
    with_442.send(&server).await;
    let told = advice(&server, "").await;
    let found = &told["advice"];
    assert_eq!(found["invocation_count"], 200, "{told:#}");
    assert_eq!(found["price_region"], "eu-west-1");
    assert_eq!(
        (&found["cpu_ms"], &found["memory_used_mb"]),
        (&json!(200.0), &json!(90))
    );
    let near = |value: &Value, expected: f64| {
        let value = value.as_f64().expect("a number");
        assert!(
            (value - expected).abs() < expected * 0.02,
            "{value} for {expected}"
        );
    };
    near(&found["wait_ms"], 9.55);
    near(&found["now"]["duration_ms"]["value"], 795.0);
    let fastest = found["named"]["fastest_mb"].as_u64().expect("a size");
    assert!((1600..=1792).contains(&fastest), "{fastest}");
    let point = &found["recommendation"]["point"];
    assert!(
        point["memory_mb"].as_u64().expect("a size") > 442,
        "{told:#}"
    );
    assert_eq!(told["sentence"], found["recommendation"]["sentence"]);
    let sentence = told["sentence"].as_str().expect("a sentence");
    assert!(sentence.starts_with("can run "), "{sentence}");
    let kinds = found["also"].as_array().expect("a list");
    assert!(kinds.iter().any(|hint| hint["kind"] == "arm64"), "{told:#}");
    assert_eq!(told["change"], Value::Null);
    let elsewhere = advice(&server, "&environment=production").await;
    assert_eq!(elsewhere["why_not"], "too_few");

    // It was given twice as much, and is as quick as that makes it.
    let with_884 = Runs {
        seconds: 300..550,
        memory_mb: 884,
        took_ms: 400.0,
        cpu_ms: 200.0,
    };
    with_884.send(&server).await;
    let told = advice(&server, "").await;
    let change = &told["change"];
    assert_eq!(change["verdict"], "as_predicted", "{told:#}");
    assert_eq!(change["before"]["memory_mb"], 442);
    assert_eq!(change["predicted"]["memory_mb"], 884);
    let at: u64 = change["at_unix_nanos"]
        .as_str()
        .expect("a time")
        .parse()
        .expect("digits");
    assert_eq!(UnixNanos(at).since(BEGIN).as_secs(), 300);
    assert_eq!(told["advice"]["now"]["memory_mb"], 884);

    // And then as much again, with which something is wrong.
    let with_1768 = Runs {
        seconds: 600..850,
        memory_mb: 1768,
        took_ms: 700.0,
        cpu_ms: 200.0,
    };
    with_1768.send(&server).await;
    let change = advice(&server, "").await["change"].take();
    assert_eq!(
        (&change["verdict"], &change["before"]["memory_mb"]),
        (&json!("slower"), &json!(884)),
        "{change:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn processor_time_is_needed() {
    let server = TestServer::start().await;
    let runs = Runs {
        seconds: 0..60,
        memory_mb: 442,
        took_ms: 795.0,
        cpu_ms: 200.0,
    };
    let reports: Vec<LogRecord> = (0..60).map(|at| runs.run(at).1).collect();
    put_logs(&server, &reports).await;
    let told = advice(&server, "").await;
    assert_eq!(told["why_not"], "no_processor_time", "{told:#}");
    let refused = server.get("/api/v1/functions/resize/advice?since=1h").await;
    assert_eq!(refused.json()["code"], "TL0201");
}
