//! What functions do right now, over HTTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use throughline_server::Limits;
use throughline_telemetry::{Resource, Scope, Signal, Span, SpanKind, SpanStatus, UnixNanos};

use crate::harness::TestServer;
use crate::samples::{span, traces};
use crate::tail::Follower;

/// An invocation that ended just now.
#[allow(clippy::disallowed_methods)] // what a wall shows is of now
fn ended(function: &str, number: u64) -> Span {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("1970 is over");
    let end = UnixNanos(u64::try_from(since.as_nanos()).expect("it is before 2554"));
    let start = end.minus(Duration::from_millis(20));
    let mut made = span("shop", u128::from(number), number, 0, start.0, end.0);
    let resource = [("service.name", "shop"), ("faas.name", function)];
    made.resource = Arc::new(Resource {
        attributes: resource.into_iter().collect(),
    });
    made.scope = Arc::new(Scope {
        name: "throughline.platform".to_owned(),
        version: String::new(),
    });
    made.attributes.set("throughline.phase", "invoke");
    made.attributes.set("faas.coldstart", number == 1);
    made
}

async fn put(server: &TestServer, spans: &[Span]) {
    let answer = server.post_protobuf(Signal::Traces, traces(spans)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_second_all_cards_are_sent_with_what_came_before_and_since() {
    let server = TestServer::start().await;
    put(&server, &[ended("pay", 1)]).await;
    let mut one = Follower::listen(&server, "/api/v1/live", None).await;
    one.until("\n\n").await;
    let first = one.last();
    assert_eq!(
        first["functions"][0]["function"], "pay",
        "the first event has what came before"
    );
    let mut failed = ended("pay", 2);
    failed.status = SpanStatus::Error;
    put(&server, &[failed, ended("mail", 3)]).await;
    one.until("\"mail\"").await;
    let mut other = Follower::listen(&server, "/api/v1/live", None).await;
    other.until("\n\n").await;
    for follower in [&mut one, &mut other] {
        follower.until("\n\n").await;
        let wall = follower.last();
        assert_eq!(crate::openapi::problems("Wall", &wall), "");
        assert_eq!(wall["left_out"], 0);
        let names: Vec<_> = wall["functions"]
            .as_array()
            .expect("a list")
            .iter()
            .collect();
        let names: Vec<&Value> = names.iter().map(|card| &card["function"]).collect();
        assert_eq!(names, ["mail", "pay"]);
        let pay = &wall["functions"][1];
        let total: u64 = pay["seconds"]
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_u64)
            .sum();
        assert_eq!((total, &pay["service"]), (2, &json!("shop")));
        assert_eq!(pay["seconds"].as_array().expect("a list").len(), 120);
        assert_eq!(pay["normal"], Value::Null);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_refused_is_told_by_who_called() {
    let server = TestServer::start().await;
    let refused = |number| {
        let mut made = ended("cart", number);
        made.kind = SpanKind::Client;
        made.scope = Arc::default();
        made.attributes = [
            ("faas.invoked_name", "pay"),
            ("error.type", "TooManyRequestsException"),
        ]
        .into_iter()
        .collect();
        made
    };
    put(&server, &[ended("pay", 1), refused(2)]).await;
    let mut one = Follower::listen(&server, "/api/v1/live", None).await;
    one.until("\"throttle_count\":1,").await;
    put(&server, &[refused(3)]).await;
    one.until("\"throttle_count\":2,").await;
    one.until("\n\n").await;
    let wall = one.last();
    assert_eq!(crate::openapi::problems("Wall", &wall), "");
    let why = &wall["functions"][0]["why"];
    assert_eq!(why, &json!(["66.7 % of calls throttled"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_of_one_environment_are_told_alone() {
    let server = TestServer::start().await;
    let of = |environment: &'static str, mut made: Span| {
        let mut resource = (*made.resource).clone();
        let name = "deployment.environment.name";
        resource.attributes.set(name, environment);
        made.resource = Arc::new(resource);
        made
    };
    put(&server, &[ended("pay", 1), of("staging", ended("pay", 2))]).await;
    let path = "/api/v1/live?environment=staging";
    let mut staging = Follower::listen(&server, path, None).await;
    let mut all = Follower::listen(&server, "/api/v1/live", None).await;
    staging.until("\n\n").await;
    let fresh = [ended("mail", 3), of("staging", ended("ship", 4))];
    put(&server, &fresh).await;
    let mut told = Vec::new();
    for follower in [&mut staging, &mut all] {
        follower.until("\"ship\"").await;
        follower.until("\n\n").await;
        let wall = follower.last();
        let cards = wall["functions"].as_array().expect("a list");
        let counted = cards.iter().map(|card| {
            let seconds = card["seconds"].as_array().expect("a list").iter();
            let count: u64 = seconds.filter_map(Value::as_u64).sum();
            format!("{} {count}", card["function"].as_str().expect("a name"))
        });
        told.push(counted.collect::<Vec<_>>().join(", "));
    }
    assert_eq!(told, ["pay 1, ship 1", "mail 1, pay 2, ship 1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn listeners_are_few_ask_for_nothing_more_and_do_not_hold_up_a_stop() {
    let limits = Limits {
        tails_max: 1,
        drain_timeout: Duration::from_secs(3600),
        ..Limits::default()
    };
    let server = TestServer::start_with(None, limits).await;
    let mut one = Follower::listen(&server, "/api/v1/live", None).await;
    one.until("event: wall").await;
    one.forget();
    one.until("event: wall").await;
    let refused = server.get("/api/v1/live").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.json()["code"]),
        (503, &json!("TL0209"))
    );
    let wrong = server.get("/api/v1/live?function=pay").await;
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    let stopped = tokio::time::timeout(Duration::from_secs(60), server.stop()).await;
    assert!(stopped.is_ok(), "the server waits for who listens for ever");
}
