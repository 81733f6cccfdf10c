//! What lies in queues, what is given up, and what comes again and again, as CloudWatch and functions tell it.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use throughline_server::Clock;
use throughline_telemetry::wire::Request;
use throughline_telemetry::{Resource, Signal, Span, SpanStatus, Value as Attribute};
use throughline_testkit::SimClock;

use crate::harness::TestServer;
use crate::incidents::{BEGIN, after};
use crate::openapi::problems;
use crate::samples::{gzip, span, traces};

const SECOND: u64 = 1_000_000_000;

/// Nanoseconds since 1970 of so many seconds after the beginning.
fn at(second: u64) -> u64 {
    BEGIN.0 + second * SECOND
}

/// An invocation of `mail` with one message of the queue `mails`, which it is given for the how-manieth time.
fn given(number: u64, second: u64, message: &str, times: u64) -> Span {
    let (begun, trace) = (at(second), u128::from(number) + 1);
    let took = (40 + number % 7) * SECOND / 1000;
    let mut made = span("mail", trace, 1, 0, begun, begun + took);
    made.name = "mail".to_owned();
    let attributes = [("service.name", "mail"), ("faas.name", "mail")];
    made.resource = Arc::new(Resource {
        attributes: attributes.into_iter().collect(),
    });
    let sent = begun / 1_000_000 - 200;
    let path = format!("queue:mails@{sent}#sqs:{message}");
    let list = |text: String| Attribute::Array(vec![text.into()]);
    made.attributes.set("throughline.in.path", list(path));
    if times > 1 {
        let again = format!("{times}#sqs:{message}");
        made.attributes.set("throughline.in.again", list(again));
    }
    made
}

/// A message every three seconds, each taken at once and once.
pub(crate) fn usual(minutes: Range<u64>) -> Vec<Span> {
    let numbers = minutes.start * 20..minutes.end * 20;
    let of = |number: u64| given(number, number * 3, &format!("m-{number}"), 1);
    numbers.map(of).collect()
}

/// The same, and one message a minute that fails three times, a minute apart.
pub(crate) fn poisoned(minutes: Range<u64>) -> Vec<Span> {
    let mut spans = usual(minutes.clone());
    for minute in minutes.clone() {
        for times in 1..=3 {
            let (number, second) = (minute * 3 + times, (minute + times - 1) * 60 + 10 * times);
            let mut failed = given(1_000_000 + number, second, &format!("p-{minute}"), times);
            failed.status = SpanStatus::Error;
            failed.attributes.set("error.type", "Unreadable");
            spans.push(failed);
        }
    }
    spans.retain(|span| span.start.0 < at(minutes.end * 60));
    spans
}

/// What a queue's point is of, as a stream of CloudWatch's metrics says it.
fn dimensions(queue: &str) -> Value {
    let name = json!([{"key": "QueueName", "value": {"stringValue": queue}}]);
    json!([{"key": "Namespace", "value": {"stringValue": "AWS/SQS"}},
        {"key": "Dimensions", "value": {"kvlistValue": {"values": name}}}])
}

/// A metric of some minutes, one period each.
fn metric(name: &str, queue: &str, minutes: &[u64], value: impl Fn(u64) -> f64) -> Value {
    let points = minutes.iter().map(|minute| {
        json!({"startTimeUnixNano": at(minute * 60).to_string(),
            "timeUnixNano": at(minute * 60 + 60).to_string(), "count": "1", "sum": value(*minute),
            "attributes": dimensions(queue)})
    });
    let points: Vec<Value> = points.collect();
    json!({"name": format!("amazonaws.com/AWS/SQS/{name}"), "summary": {"dataPoints": points}})
}

impl TestServer {
    async fn metrics(&self, metrics: Vec<Value>) {
        let body = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]});
        let request = Request::from_json(Signal::Metrics, body.to_string().as_bytes());
        let body = request.expect("it is OTLP").to_protobuf();
        let answer = self.post_protobuf(Signal::Metrics, body).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    pub(crate) async fn given(&self, spans: &[Span]) {
        for some in spans.chunks(4000) {
            let answer = self.post_protobuf(Signal::Traces, traces(some)).await;
            assert_eq!(answer.status, 200, "{}", answer.text());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_poison_message_its_dead_letter_queue_and_what_waits_behind_it_are_one_incident() {
    const DEAD: &str = "mails-dlq";
    let clock = SimClock::at(BEGIN);
    let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;

    // Seventy minutes in which every message is taken within seconds, and none is given up.
    let quiet: Vec<u64> = (0..70).collect();
    server.given(&usual(0..70)).await;
    let age = |minute: u64| f64::from(u32::try_from(minute % 5).expect("few"));
    server
        .metrics(vec![
            metric("ApproximateAgeOfOldestMessage", "mails", &quiet, age),
            metric(
                "ApproximateNumberOfMessagesVisible",
                "mails",
                &quiet,
                |_| 3.0,
            ),
            metric("ApproximateNumberOfMessagesVisible", DEAD, &quiet, |_| 2.0),
        ])
        .await;
    move_to(70);
    server.watched().await;
    let found = server.findings().await;
    assert!(found.is_empty(), "{found:#?}");

    // Then one message a minute fails three times, a minute apart, and is given up; others are not taken.
    server.given(&poisoned(70..85)).await;
    let bad: Vec<u64> = (70..85).collect();
    let since = |minute: u64, first: u64| {
        f64::from(u32::try_from(minute.saturating_sub(first)).expect("few"))
    };
    server
        .metrics(vec![
            metric("ApproximateAgeOfOldestMessage", "mails", &bad, |minute| {
                since(minute, 69) * 60.0
            }),
            metric("ApproximateNumberOfMessagesVisible", DEAD, &bad, |minute| {
                2.0 + since(minute, 72)
            }),
        ])
        .await;
    move_to(85);
    server.watched().await;

    let open = server.incidents("state=open").await;
    assert_eq!(open.len(), 1, "{open:#?}");
    let found = server.findings().await;
    let backlog = &found["backlog"];
    assert_eq!(backlog["subject"]["node"], "queue:mails", "{backlog:#}");
    assert_eq!(backlog["detail"]["is_stuck"], true, "{backlog:#}");
    assert!(
        backlog["after"]["value"].as_f64().expect("a number") >= 720_000.0,
        "{backlog:#}"
    );
    let dead = &found["dead_letters"];
    // The period of the last minute ends with it, and is read with the next one.
    assert_eq!(
        dead["title"],
        "queue:mails-dlq has grown by 11 messages: p-82 of function:mail came 3 times",
        "{dead:#}"
    );
    assert_eq!(dead["detail"]["worst"]["message"], "sqs:p-82", "{dead:#}");
    let retries = &found["retries"];
    assert_eq!(
        retries["title"], "function:mail fails with 13 messages again and again: p-82 3 times",
        "{retries:#}"
    );
    assert_eq!(
        retries["examples"].as_array().map(Vec::len),
        Some(3),
        "{retries:#}"
    );

    // Once nothing is given up any more and all is taken, it ends.
    let later: Vec<u64> = (85..110).collect();
    server.given(&usual(85..110)).await;
    server
        .metrics(vec![
            metric("ApproximateAgeOfOldestMessage", "mails", &later, age),
            metric("ApproximateNumberOfMessagesVisible", DEAD, &later, |_| 14.0),
        ])
        .await;
    move_to(110);
    server.watched().await;
    let open = server.incidents("state=open").await;
    assert_eq!(open, Vec::<Value>::new(), "{open:#?}");
}

/// Periods of a metric of a queue: its name, the queue, and how it is in these minutes.
type Told<'a> = (&'a str, &'a str, Range<u64>, fn(u64) -> f64);

/// A record of a metric stream with the output format `opentelemetry1.0`: two messages, each after its length.
fn messages(told: &[Told<'_>]) -> Vec<u8> {
    let mut record = Vec::new();
    for half in told.chunks(told.len().div_ceil(2)) {
        let metrics = half.iter().map(|(name, queue, minutes, value)| {
            metric(name, queue, &minutes.clone().collect::<Vec<_>>(), value)
        });
        let metrics: Vec<Value> = metrics.collect();
        let body = json!({"resourceMetrics": [{
            "resource": {"attributes": [{"key": "cloud.provider", "value": {"stringValue": "aws"}}]},
            "scopeMetrics": [{"metrics": metrics}]}]});
        let body = Request::json_to_protobuf(Signal::Metrics, body.to_string().as_bytes());
        let body = body.expect("it is OTLP");
        prost::encode_length_delimiter(body.len(), &mut record).expect("memory takes all");
        record.extend(body);
    }
    record
}

/// The same with the output format `json`, as CloudWatch writes it.
fn lines(told: &[Told<'_>]) -> Vec<u8> {
    let mut record = String::new();
    for (name, queue, minutes, value) in told {
        for minute in minutes.clone() {
            let (millis, value) = (at(minute * 60) / 1_000_000, value(minute));
            record += &format!(
                r#"{{"metric_stream_name":"queues","account_id":"123456789012","region":"eu-west-1","namespace":"AWS/SQS","metric_name":"{name}","dimensions":{{"QueueName":"{queue}"}},"timestamp":{millis},"value":{{"max":{value:?},"min":{value:?},"sum":{value:?},"count":1.0}},"unit":"None"}}"#
            );
            record.push('\n');
        }
    }
    record.into_bytes()
}

/// A delivery of Firehose is taken, and it hears so.
async fn delivered(server: &TestServer, record: &[u8]) {
    let body =
        json!({"requestId": "r-1", "timestamp": 1, "records": [{"data": BASE64.encode(record)}]});
    let headers = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
        ("x-amz-firehose-request-id", "r-1"),
    ];
    let body = gzip(body.to_string().as_bytes());
    let path = "/api/v1/cloudwatch";
    let answer = server.post_api(path, &headers, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let answer = answer.json();
    assert_eq!(answer["requestId"], "r-1");
    assert_eq!(answer.get("errorMessage"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_metric_stream_tells_of_queues_with_nothing_between_firehose_and_the_server() {
    const AGE: &str = "ApproximateAgeOfOldestMessage";
    const VISIBLE: &str = "ApproximateNumberOfMessagesVisible";
    fn few(minute: u64) -> f64 {
        f64::from(u32::try_from(minute % 5).expect("few"))
    }
    fn since(minute: u64) -> f64 {
        f64::from(u32::try_from(minute.saturating_sub(69)).expect("few"))
    }
    for form in [messages, lines] {
        let clock = SimClock::at(BEGIN);
        let move_to = |minute: u64| clock.advance((BEGIN.plus(after(minute))).since(clock.now()));
        let shown = clock.clone();
        let server = TestServer::start_at(Clock::new(move || shown.now())).await;

        server.given(&usual(0..70)).await;
        let quiet = form(&[
            (AGE, "mails", 0..70, few),
            (VISIBLE, "mails", 0..70, |_| 3.0),
            (VISIBLE, "mails-dlq", 0..70, |_| 2.0),
        ]);
        delivered(&server, &quiet).await;
        move_to(70);
        server.watched().await;
        let found = server.findings().await;
        assert!(found.is_empty(), "{found:#?}");

        server.given(&usual(70..85)).await;
        let bad = form(&[
            (AGE, "mails", 70..85, |minute| since(minute) * 60.0),
            (VISIBLE, "mails-dlq", 70..85, |minute| 2.0 + since(minute)),
        ]);
        delivered(&server, &bad).await;
        // Firehose sends a request again whose answer it did not hear.
        delivered(&server, &bad).await;
        move_to(85);
        server.watched().await;
        let found = server.findings().await;
        let backlog = &found["backlog"];
        assert_eq!(backlog["subject"]["node"], "queue:mails", "{backlog:#}");
        let oldest_ms = backlog["after"]["value"].as_f64().expect("a number");
        assert!(oldest_ms >= 720_000.0, "{backlog:#}");
        let dead = &found["dead_letters"];
        assert_eq!(dead["subject"]["node"], "queue:mails-dlq", "{dead:#}");
        let open = server.incidents("state=open&subject=queue:mails").await;
        assert_eq!(open.len(), 1, "{open:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lies_in_a_queue_is_evidence_of_the_night() {
    const AGE: &str = "ApproximateAgeOfOldestMessage";
    const VISIBLE: &str = "ApproximateNumberOfMessagesVisible";
    const DELAYED: &str = "ApproximateNumberOfMessagesDelayed";
    const WRONG: u64 = 240;
    let since = |minute: u64| minute.saturating_sub(WRONG);
    let float = |number: u64| f64::from(u32::try_from(number).expect("few"));
    let clock = SimClock::at(BEGIN);
    let shown = clock.clone();
    let server = TestServer::start_at(Clock::new(move || shown.now())).await;
    let mut spans = usual(0..270);
    for span in &mut spans {
        // By it one knows that it is a function.
        span.attributes.set("throughline.phase", "invoke");
        if span.start.0 >= at(WRONG * 60) {
            span.end = span.end.plus(Duration::from_secs(2));
        }
    }
    server.given(&spans).await;
    let all: Vec<u64> = (0..270).collect();
    server
        .metrics(vec![
            metric(AGE, "mails", &all, |minute| {
                float(since(minute) * 60).max(3.0)
            }),
            metric(VISIBLE, "mails", &all, |minute| {
                float(8 + since(minute) * 40)
            }),
            metric(DELAYED, "mails", &all, |_| 2.0),
            metric(AGE, "other", &all, |_| 5.0),
        ])
        .await;
    clock.advance(after(270));
    server.watched().await;

    let asked = |question: &str| {
        let (from, to) = (at(225 * 60).to_string(), at(270 * 60).to_string());
        json!({"question": question, "from": from, "to": to}).to_string()
    };
    for question in ["mails were late", "the queue is backed up"] {
        let path = "/api/v1/investigations";
        let answer = server.post_api(path, &[], asked(question)).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let answer = answer.json();
        assert_eq!(problems("Investigation", &answer), "", "{answer:#}");
        assert_eq!(answer["left_out"], json!([]));
        let told = ["state", "node", "symptom"].map(|what| &answer[what]);
        assert_eq!(told, ["found", "queue:mails", "waiting"], "{answer:#}");
        let onset = at((WRONG + 1) * 60).to_string();
        assert_eq!(answer["onset_unix_nanos"], onset);
        let cause = &answer["causes"][0];
        assert_eq!(cause["node"], "function:mail", "{answer:#}");
        assert_eq!(cause["path"], json!(["queue:mails", "function:mail"]));
        let evidence = answer["evidence"].as_array().expect("a list");
        for (row, title, last) in [
            (
                &evidence[0],
                "the oldest message of queue:mails waited 29 min, at most 3 s before",
                29.0 * 60.0,
            ),
            (
                &evidence[1],
                "1,170 messages lay in queue:mails, at most 10 before",
                1170.0,
            ),
        ] {
            assert_eq!(row["title"], title);
            assert_eq!(row["at_unix_nanos"], onset);
            // The statement beside it shows the same, minute by minute.
            let body = json!({"sql": row["sql"]}).to_string();
            let table = server.post_api("/api/v1/sql", &[], body).await;
            assert_eq!(table.status, 200, "{}", table.text());
            let table = table.json();
            let rows = table["rows"].as_array().expect("rows");
            assert_eq!(rows.len(), 60 + 29, "{table:#}");
            assert_eq!(rows.last().expect("a row")[1].as_f64(), Some(last));
        }
        let slow = evidence.iter().find(|row| row["node"] == "function:mail");
        assert!(slow.is_some(), "{evidence:#?}");
        assert!(!answer.to_string().contains("queue:other"), "{answer:#}");
    }
    // Who asks about the function is told what waits for it.
    let question = asked("mail was slow");
    let path = "/api/v1/investigations";
    let answer = server.post_api(path, &[], question).await.json();
    assert_eq!(answer["symptom"], "slow", "{answer:#}");
    let title = "the oldest message of queue:mails waited";
    assert!(answer["evidence"].to_string().contains(title), "{answer:#}");
}
