use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use super::*;
use crate::lifecycle::Profile;

/// An extension's listener: hands over the bodies that it took.
struct Listener {
    address: SocketAddr,
    batches: mpsc::UnboundedReceiver<String>,
    refused: Arc<Notify>,
}

impl Listener {
    /// Refuses this many requests before it takes one.
    async fn start(refusals: u32) -> Self {
        let (sender, batches) = mpsc::unbounded_channel();
        let left = Arc::new(AtomicU32::new(refusals));
        let refused = Arc::new(Notify::new());
        let on_refusal = refused.clone();
        let handler = async move |body: String| {
            if left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
            {
                on_refusal.notify_one();
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            sender.send(body).unwrap();
            StatusCode::OK
        };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let router = Router::new().route("/path", post(handler));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self {
            address,
            batches,
            refused,
        }
    }

    async fn next_body(&mut self) -> String {
        let batch = tokio::time::timeout(Duration::from_secs(20), self.batches.recv()).await;
        batch.expect("nothing was delivered").unwrap()
    }

    /// The types of the events in the next batch.
    async fn next(&mut self) -> String {
        let events: Vec<Value> = serde_json::from_str(&self.next_body().await).unwrap();
        let kinds: Vec<_> = events
            .iter()
            .map(|event| event["type"].as_str().unwrap())
            .collect();
        kinds.join(" ")
    }

    fn subscription(&self, types: &[&str]) -> Subscription {
        let uri = format!("http://sandbox.localdomain:{}/path", self.address.port());
        subscription(types, &json!({"protocol": "HTTP", "URI": uri}))
    }
}

fn subscription(types: &[&str], destination: &Value) -> Subscription {
    let body = json!({
        "schemaVersion": "2022-12-13",
        "types": types,
        "buffering": {"timeoutMs": 25},
        "destination": destination,
    });
    let body = body.to_string();
    let api = LogsOrTelemetry::Telemetry;
    Subscription::parse(api, Profile::Classic, body.as_bytes()).unwrap()
}

fn hub() -> Hub {
    Hub::new(Clock::start(), LogFormat::Text, Place::of_test())
}

async fn until_dropped(hub: &Hub) {
    let dropped = async {
        while hub.inner().subscribers[0].mailbox.queue().dropped() == Dropped::default() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), dropped)
        .await
        .expect("five attempts are made");
}

#[tokio::test]
async fn late_subscriber_gets_what_was_told_before_and_only_what_it_wants() {
    let (hub, mut listener) = (hub(), Listener::start(0).await);
    hub.emit("platform.initStart", &json!({}));
    hub.emit("function", &json!("line"));
    hub.subscribe(
        "ext".to_owned(),
        listener.subscription(&["platform", "extension"]),
    );
    hub.emit("extension", &json!("line"));
    hub.flush();
    assert_eq!(listener.next().await, "platform.initStart extension");
}

#[tokio::test]
async fn nothing_is_delivered_while_frozen() {
    let (hub, mut listener) = (hub(), Listener::start(0).await);
    hub.subscribe("ext".to_owned(), listener.subscription(&["platform"]));
    hub.freeze();
    hub.emit("platform.report", &json!({}));
    hub.flush();
    // Another environment, which is not frozen, delivers what was told later.
    let (beside, mut beside_listener) = (self::hub(), Listener::start(0).await);
    beside.subscribe(
        "ext".to_owned(),
        beside_listener.subscription(&["platform"]),
    );
    beside.emit("platform.report", &json!({}));
    assert_eq!(beside_listener.next().await, "platform.report");
    assert!(listener.batches.is_empty());
    hub.emit("platform.start", &json!({}));
    hub.thaw();
    assert_eq!(listener.next().await, "platform.report platform.start");
}

#[tokio::test]
async fn refused_batch_is_sent_again() {
    let (hub, mut listener) = (hub(), Listener::start(4).await);
    hub.subscribe("ext".to_owned(), listener.subscription(&["platform"]));
    hub.emit("platform.start", &json!({}));
    assert_eq!(listener.next().await, "platform.start");
}

#[tokio::test]
async fn refused_batch_goes_again_with_what_came_since() {
    let (hub, mut listener) = (hub(), Listener::start(4).await);
    hub.subscribe("ext".to_owned(), listener.subscription(&["platform"]));
    hub.emit("platform.start", &json!({}));
    listener.refused.notified().await;
    hub.emit("platform.runtimeDone", &json!({}));
    assert_eq!(listener.next().await, "platform.start platform.runtimeDone");
}

#[tokio::test]
async fn batch_that_is_never_taken_is_dropped_and_told() {
    let (hub, mut listener) = (hub(), Listener::start(5).await);
    hub.subscribe("ext".to_owned(), listener.subscription(&["platform"]));
    hub.emit("platform.start", &json!({}));
    until_dropped(&hub).await;
    hub.emit("platform.runtimeDone", &json!({}));
    assert_eq!(
        listener.next().await,
        "platform.logsDropped platform.runtimeDone"
    );
}

#[tokio::test]
async fn second_subscription_replaces_the_first() {
    let (hub, mut first, mut second) = (hub(), Listener::start(0).await, Listener::start(0).await);
    hub.subscribe("ext".to_owned(), first.subscription(&["platform"]));
    hub.subscribe("ext".to_owned(), second.subscription(&["platform"]));
    hub.emit("platform.start", &json!({}));
    assert_eq!(second.next().await, "platform.start");
    assert!(first.batches.try_recv().is_err());
    hub.reset();
    assert!(hub.inner().subscribers.is_empty());
}

#[tokio::test]
async fn init_that_says_too_much_is_cut_and_told() {
    let (hub, mut listener) = (hub(), Listener::start(0).await);
    let line = json!("x".repeat(BACKLOG_BYTES_MAX / 5));
    for _ in 0..5 {
        hub.emit("function", &line);
    }
    hub.subscribe("ext".to_owned(), listener.subscription(&["function"]));
    assert_eq!(listener.next().await, "platform.logsDropped function");
}

#[tokio::test]
async fn record_above_the_limit_comes_in_two_posts() {
    let (hub, mut listener) = (hub(), Listener::start(0).await);
    let text = "x".repeat(300_000);
    hub.subscribe("ext".to_owned(), listener.subscription(&["function"]));
    hub.emit("function", &json!(text));
    hub.emit("function", &json!("short"));
    let (first, second) = (listener.next_body().await, listener.next_body().await);
    let parsed = |body: &str| serde_json::from_str::<Value>(body);
    assert!(parsed(&first).is_err() && parsed(&second).is_err());
    assert_eq!(first.len(), 262_144 + "[]".len());
    // The envelope goes on both; the head's closing brace belongs to neither.
    let envelope = first.find(r#""record":"#).unwrap() + r#""record":"#.len();
    assert_eq!(first[..envelope], second[..envelope]);
    let head = first.strip_suffix("}]").unwrap();
    let joined = parsed(&format!("{head}{}", &second[envelope..])).unwrap();
    assert_eq!(joined[0]["record"], text);
    assert_eq!(joined[1]["record"], "short");
}

/// What arrives on the next connection.
async fn accept(socket: &tokio::net::TcpListener) -> Lines<BufReader<TcpStream>> {
    let accepted = tokio::time::timeout(Duration::from_secs(20), socket.accept()).await;
    BufReader::new(accepted.expect("nobody connects").unwrap().0).lines()
}

async fn next_kind(lines: &mut Lines<BufReader<TcpStream>>) -> String {
    let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line()).await;
    let line = line.expect("nothing is written").unwrap().unwrap();
    let event: Value = serde_json::from_str(&line).unwrap();
    event["type"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn connection_gets_lines_and_is_made_anew_when_it_ends() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = socket.local_addr().unwrap().port();
    let hub = hub();
    let to_port = subscription(&["platform"], &json!({"protocol": "TCP", "port": port}));
    hub.subscribe("ext".to_owned(), to_port);
    hub.emit("platform.start", &json!({}));
    hub.emit("platform.runtimeDone", &json!({}));
    let mut lines = accept(&socket).await;
    assert_eq!(next_kind(&mut lines).await, "platform.start");
    assert_eq!(next_kind(&mut lines).await, "platform.runtimeDone");
    hub.emit("platform.report", &json!({}));
    assert_eq!(next_kind(&mut lines).await, "platform.report");
    drop(lines);
    hub.emit("platform.start", &json!({}));
    let mut lines = accept(&socket).await;
    assert_eq!(next_kind(&mut lines).await, "platform.start");
}

#[tokio::test]
async fn refused_connection_is_tried_again_and_then_told() {
    let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    drop(socket);
    let hub = hub();
    let to_port = subscription(
        &["platform"],
        &json!({"protocol": "TCP", "port": address.port()}),
    );
    hub.subscribe("ext".to_owned(), to_port);
    hub.emit("platform.start", &json!({}));
    until_dropped(&hub).await;
    let socket = tokio::net::TcpListener::bind(address).await.unwrap();
    hub.emit("platform.runtimeDone", &json!({}));
    let mut lines = accept(&socket).await;
    assert_eq!(next_kind(&mut lines).await, "platform.logsDropped");
    assert_eq!(next_kind(&mut lines).await, "platform.runtimeDone");
}

#[tokio::test]
async fn json_lines_are_objects_for_those_who_know_them() {
    let hub = Hub::new(Clock::start(), LogFormat::Json, Place::of_test());
    let (mut old, mut new) = (Listener::start(0).await, Listener::start(0).await);
    let newer = new.subscription(&["function", "extension"]);
    let older = Subscription {
        newer_schema: false,
        ..old.subscription(&["function", "extension"])
    };
    hub.emit("function", &json!(r#"{"level":"INFO"}"#));
    hub.subscribe("new".to_owned(), newer);
    hub.subscribe("old".to_owned(), older);
    hub.emit("function", &json!("[1]"));
    hub.emit("function", &json!("no JSON"));
    hub.emit("extension", &json!("{}"));
    hub.flush();
    let records = |body: String| {
        let events: Vec<Value> = serde_json::from_str(&body).unwrap();
        let records: Vec<_> = events.iter().map(|event| event["record"].clone()).collect();
        Value::from(records)
    };
    let first = json!({"level": "INFO"});
    assert_eq!(
        records(new.next_body().await),
        json!([first, "[1]", "no JSON", "{}"])
    );
    assert_eq!(
        records(old.next_body().await),
        json!([first.to_string(), "[1]", "no JSON", "{}"])
    );
}

#[tokio::test]
async fn logs_api_tells_in_its_own_words_and_telemetry_hears_nothing_of_it() {
    let hub = hub();
    let (mut logs, mut older, mut telemetry) = (
        Listener::start(0).await,
        Listener::start(0).await,
        Listener::start(0).await,
    );
    let types = ["platform", "function"];
    let of_logs = |subscription| Subscription {
        api: LogsOrTelemetry::Logs,
        ..subscription
    };
    let newest = of_logs(logs.subscription(&types));
    let oldest = Subscription {
        newer_schema: false,
        ..of_logs(older.subscription(&types))
    };
    hub.subscribe("logs".to_owned(), newest);
    hub.subscribe("older".to_owned(), oldest);
    hub.subscribe("telemetry".to_owned(), telemetry.subscription(&types));
    for (kind, record) in [
        ("platform.initStart", json!({})),
        ("platform.logsSubscription", json!({})),
        ("function", json!("line")),
        (
            "platform.runtimeDone",
            json!({"requestId": "id", "status": "error"}),
        ),
        (
            "platform.report",
            json!({"requestId": "id", "status": "error", "metrics": {}}),
        ),
    ] {
        hub.emit(kind, &record);
    }
    hub.flush();
    let kinds = |body: String| {
        let events: Vec<Value> = serde_json::from_str(&body).unwrap();
        let kinds: Vec<_> = events
            .iter()
            .map(|event| event["type"].as_str().unwrap().to_owned())
            .collect();
        kinds.join(" ")
    };
    assert_eq!(
        kinds(logs.next_body().await),
        "platform.logsSubscription function platform.fault platform.runtimeDone platform.end platform.report"
    );
    assert_eq!(
        kinds(older.next_body().await),
        "platform.logsSubscription function platform.fault platform.end platform.report"
    );
    assert_eq!(
        kinds(telemetry.next_body().await),
        "platform.initStart function platform.runtimeDone platform.report"
    );
}
