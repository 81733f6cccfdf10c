use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use http::StatusCode;
use tokio::sync::mpsc;

use super::*;

/// An extension's listener: hands over the type of each event, one batch at a time.
struct Listener {
    address: SocketAddr,
    batches: mpsc::UnboundedReceiver<Vec<String>>,
}

impl Listener {
    /// Refuses this many requests before it takes one.
    async fn start(refusals: u32) -> Self {
        let (sender, batches) = mpsc::unbounded_channel();
        let left = Arc::new(AtomicU32::new(refusals));
        let handler = async move |body: String| {
            if left
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    left.checked_sub(1)
                })
                .is_ok()
            {
                return StatusCode::INTERNAL_SERVER_ERROR;
            }
            let events: Vec<Value> = serde_json::from_str(&body).unwrap();
            let kinds = events
                .iter()
                .map(|event| event["type"].as_str().unwrap().to_owned())
                .collect();
            sender.send(kinds).unwrap();
            StatusCode::OK
        };
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = socket.local_addr().unwrap();
        let router = Router::new().route("/path", post(handler));
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self { address, batches }
    }

    async fn next(&mut self) -> String {
        let batch = tokio::time::timeout(Duration::from_secs(20), self.batches.recv()).await;
        batch.expect("nothing was delivered").unwrap().join(" ")
    }

    fn subscription(&self, types: &[&str]) -> Subscription {
        let body = json!({
            "schemaVersion": "2022-12-13",
            "types": types,
            "buffering": {"timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": format!("http://sandbox.localdomain:{}/path", self.address.port())},
        });
        Subscription::parse(body.to_string().as_bytes()).unwrap()
    }
}

fn hub() -> Hub {
    Hub::new(Clock::start())
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
async fn batch_that_is_never_taken_is_dropped_and_told() {
    let (hub, mut listener) = (hub(), Listener::start(5).await);
    hub.subscribe("ext".to_owned(), listener.subscription(&["platform"]));
    hub.emit("platform.start", &json!({}));
    let dropped = async {
        while hub.inner().subscribers[0].mailbox.queue().dropped() == Dropped::default() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), dropped)
        .await
        .expect("five attempts are made");
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
    let line = json!("x".repeat(BACKLOG_BYTES_MAX / 4));
    for _ in 0..5 {
        hub.emit("function", &line);
    }
    hub.subscribe("ext".to_owned(), listener.subscription(&["function"]));
    assert_eq!(listener.next().await, "platform.logsDropped function");
}
