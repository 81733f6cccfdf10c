//! Following log records over HTTP.

use std::time::Duration;

use serde_json::Value;
use throughline_server::Limits;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::harness::TestServer;
use crate::search::{put_logs, record};

/// A client that listens.
pub(crate) struct Follower {
    stream: TcpStream,
    text: String,
}

impl Follower {
    async fn connect(server: &TestServer, query: &str, last_id: Option<&str>) -> Self {
        let path = format!("/api/v1/logs/tail?{query}");
        Follower::listen(server, &path, last_id).await
    }

    pub(crate) async fn listen(server: &TestServer, path: &str, last_id: Option<&str>) -> Self {
        let last_id = last_id.map(|id| format!("last-event-id: {id}\r\n"));
        Follower::listen_with(server, path, &last_id.unwrap_or_default()).await
    }

    /// With lines of headers, each ended.
    pub(crate) async fn listen_with(server: &TestServer, path: &str, headers: &str) -> Self {
        let http = server.addresses.http;
        let mut stream = TcpStream::connect(http).await.expect("the server listens");
        let head = format!("GET {path} HTTP/1.1\r\nhost: {http}\r\n{headers}\r\n");
        stream.write_all(head.as_bytes()).await.expect("it reads");
        Follower {
            stream,
            text: String::new(),
        }
    }

    /// Reads until this was said.
    pub(crate) async fn until(&mut self, said: &str) {
        let mut bytes = [0; 4096];
        while !self.text.contains(said) {
            let read = self.stream.read(&mut bytes);
            let read = tokio::time::timeout(Duration::from_secs(60), read).await;
            let read = read.expect("it says so").expect("it answers");
            assert!(read > 0, "it ends before it says {said}: {}", self.text);
            self.text += &String::from_utf8_lossy(&bytes[..read]);
        }
    }

    /// What came with the last whole event.
    pub(crate) fn last(&self) -> Value {
        let whole = self.text.rsplit_once("\n\n").map_or("", |(whole, _)| whole);
        let mut data = whole.lines().filter_map(|line| line.strip_prefix("data: "));
        let last = data.next_back().expect("an event");
        serde_json::from_str(last).expect("JSON")
    }

    /// What was said.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Forgets what was said.
    pub(crate) fn forget(&mut self) {
        self.text.clear();
    }

    fn bodies(&self) -> Vec<String> {
        let data = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "));
        let logs = data.map(|data| serde_json::from_str::<Value>(data).expect("JSON"));
        logs.map(|log| log["body"].as_str().unwrap_or("?").to_owned())
            .collect()
    }

    fn last_id(&self) -> &str {
        let mut ids = self
            .text
            .lines()
            .filter_map(|line| line.strip_prefix("id: "));
        ids.next_back().expect("an id")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_sent_as_they_arrive_and_none_twice() {
    let server = TestServer::start().await;
    put_logs(&server, &[record(1, 9, "before anybody listened", None)]).await;
    let mut warned = Follower::connect(&server, "min_severity=13", None).await;
    let mut words = Follower::connect(&server, "q=payment+-retry&service=pay", None).await;
    warned.until(": following").await;
    words.until(": following").await;
    put_logs(
        &server,
        &[
            record(2, 17, "payment failed", None),
            record(3, 9, "payment will retry", None),
            record(4, 9, "Payment accepted", None),
        ],
    )
    .await;
    put_logs(&server, &[record(5, 13, "the last", None)]).await;
    warned.until("the last").await;
    assert_eq!(warned.bodies(), ["payment failed", "the last"]);
    words.until("Payment accepted").await;
    assert_eq!(words.bodies(), ["payment failed", "Payment accepted"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_comes_back_goes_on_after_the_last_one() {
    let server = TestServer::start().await;
    let mut follower = Follower::connect(&server, "", None).await;
    follower.until(": following").await;
    put_logs(&server, &[record(1, 9, "first", None)]).await;
    follower.until("first").await;
    let last = follower.last_id().to_owned();
    drop(follower);
    put_logs(
        &server,
        &[record(2, 9, "second", None), record(3, 9, "third", None)],
    )
    .await;
    let mut again = Follower::connect(&server, "", Some(&last)).await;
    again.until("third").await;
    assert_eq!(again.bodies(), ["second", "third"]);
    let mut strange = Follower::connect(&server, "", Some("yesterday")).await;
    strange.until("TL0201").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn followers_are_few_and_do_not_hold_up_a_stop() {
    let limits = Limits {
        tails_max: 1,
        drain_timeout: Duration::from_secs(3600),
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let mut one = Follower::connect(&server, "", None).await;
    one.until(": following").await;
    let refused = server.get("/api/v1/logs/tail").await;
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(refused.json()["code"], "TL0209");
    let stopped = tokio::time::timeout(Duration::from_secs(60), server.stop()).await;
    assert!(
        stopped.is_ok(),
        "the server waits for a client that listens for ever"
    );
}
