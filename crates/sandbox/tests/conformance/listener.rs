//! An extension's listener for telemetry, in the test's own process.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::stage::{Puppet, within};

/// What was delivered at once.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) content_type: String,
    pub(crate) sequence_id: Option<String>,
    pub(crate) body: String,
}

pub(crate) struct Listener {
    pub(crate) port: u16,
    inner: Arc<Inner>,
}

struct Inner {
    posts: watch::Sender<Vec<Post>>,
    /// How many more deliveries are answered with 500.
    refusals: Mutex<usize>,
    /// Deliveries are answered while this is open.
    open: watch::Sender<bool>,
}

impl Listener {
    pub(crate) async fn start() -> Self {
        Self::refusing(0).await
    }

    pub(crate) async fn refusing(refusals: usize) -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = socket.local_addr().unwrap().port();
        let inner = Arc::new(Inner {
            posts: watch::Sender::new(Vec::new()),
            refusals: Mutex::new(refusals),
            open: watch::Sender::new(true),
        });
        let router = Router::new().fallback(take).with_state(inner.clone());
        tokio::spawn(async move { axum::serve(socket, router).await });
        Self { port, inner }
    }

    /// Whether deliveries are answered, or have to wait for it.
    pub(crate) fn answers(&self, answers: bool) {
        self.inner.open.send_replace(answers);
    }

    pub(crate) fn posts(&self) -> Vec<Post> {
        self.inner.posts.borrow().clone()
    }

    /// All events so far, in order.
    pub(crate) fn events(&self) -> Vec<Value> {
        events_of(&self.posts())
    }

    /// Waits for an event of this type and returns its record; the newest, if there are several.
    pub(crate) async fn hears(&self, kind: &str) -> Value {
        self.hears_nth(kind, 1).await
    }

    /// Waits until so many events of this type have come and returns the record of the last of them.
    pub(crate) async fn hears_nth(&self, kind: &str, count: usize) -> Value {
        let mut posts = self.inner.posts.subscribe();
        let what = format!("{count} of {kind}");
        let heard = within(
            &what,
            posts.wait_for(|posts| of_kind(posts, kind).len() >= count),
        )
        .await;
        of_kind(&heard.unwrap(), kind)[count - 1].clone()
    }

    /// The types of the platform's events so far.
    pub(crate) fn kinds(&self) -> Vec<String> {
        let kinds = self.events().into_iter();
        let kinds = kinds.map(|event| event["type"].as_str().unwrap_or_default().to_owned());
        kinds.filter(|kind| kind.starts_with("platform.")).collect()
    }

    pub(crate) async fn subscribed_by(&self, extension: &Puppet, types: &[&str]) {
        self.subscribed_with(extension, types, "2022-12-13").await;
    }

    pub(crate) async fn subscribed_with(&self, extension: &Puppet, types: &[&str], schema: &str) {
        let response = extension
            .request(
                "PUT",
                TELEMETRY,
                &[],
                &self.subscription(types, schema).to_string(),
            )
            .await;
        assert_eq!((response.status, &response.body[..]), (200, &b"\"OK\""[..]));
    }

    pub(crate) fn subscription(&self, types: &[&str], schema: &str) -> Value {
        json!({
            "schemaVersion": schema,
            "types": types,
            "buffering": {"maxItems": 1000, "maxBytes": 262_144, "timeoutMs": 25},
            "destination": {"protocol": "HTTP", "URI": format!("http://sandbox.localdomain:{}/take", self.port)},
        })
    }
}

pub(crate) const LOGS: &str = "/2020-08-15/logs";

async fn take(
    State(inner): State<Arc<Inner>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    let content_type = headers
        .get("content-type")
        .and_then(|value| value.to_str().ok());
    let post = Post {
        method: method.to_string(),
        path: uri.path().to_owned(),
        content_type: content_type.unwrap_or_default().to_owned(),
        sequence_id: headers
            .get("sequence-id")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    inner.posts.send_modify(|posts| posts.push(post));
    let _ = inner.open.subscribe().wait_for(|open| *open).await;
    let mut refusals = inner.refusals.lock().unwrap();
    if *refusals > 0 {
        *refusals -= 1;
        return StatusCode::INTERNAL_SERVER_ERROR;
    }
    StatusCode::OK
}

fn events_of(posts: &[Post]) -> Vec<Value> {
    let arrays = posts
        .iter()
        .filter_map(|post| serde_json::from_str::<Vec<Value>>(&post.body).ok());
    arrays.flatten().collect()
}

fn of_kind(posts: &[Post], kind: &str) -> Vec<Value> {
    let events = events_of(posts).into_iter();
    let events = events.filter(|event| event["type"] == kind);
    events.map(|event| event["record"].clone()).collect()
}

pub(crate) const TELEMETRY: &str = "/2022-07-01/telemetry";
