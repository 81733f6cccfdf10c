use std::collections::BTreeMap;

use throughline_extension::config::{RawConfig, Target};
use throughline_extension::outbox::Worth;
use throughline_telemetry::Signal;
use throughline_telemetry::wire::Request as Otlp;
use throughline_testkit::intake::{Answer, FakeIntake};

use std::io::{Read, Write};

use throughline_extension::aws::KeyName;

use super::super::keeper::tests::Variables;
use super::*;

fn courier(endpoint: &str) -> Courier {
    let source = BTreeMap::from([
        ("THROUGHLINE_ENDPOINT", endpoint),
        ("THROUGHLINE_OTLP_LISTEN", "127.0.0.1:1"),
        ("THROUGHLINE_API_KEY", "key-1"),
    ]);
    let (config, problems) = RawConfig::read(&source).resolve();
    assert_eq!(problems, []);
    let Target::To(endpoint) = config.export else {
        panic!("a good endpoint")
    };
    Courier::new(endpoint, REQUEST_MAX)
}

/// Longer than any healthy server takes.
const REQUEST_MAX: Duration = Duration::from_secs(5);

fn parcel(sequence: u64) -> Parcel {
    let json =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":"hello"}}]}]}]}"#;
    let request = Otlp::from_json(Signal::Logs, json).unwrap();
    let body = request.to_protobuf().into();
    let batch = Batch {
        environment: "environment-1".into(),
        function: "checkout".into(),
        sequence,
        signal: Signal::Logs,
        worth: Worth::Logs,
        items: 1,
        body,
        packed: false,
    };
    let ledger = r#"{"v":1}"#.into();
    Parcel { batch, ledger }
}

const DELIVERED: Outcome = Outcome::Delivered { refused: 0 };

#[tokio::test]
async fn a_batch_says_who_sends_it() {
    let intake = FakeIntake::start().await;
    assert_eq!(
        courier(&intake.endpoint()).deliver(&parcel(7)).await,
        DELIVERED
    );
    let received = intake.received();
    let post = &received.posts[0];
    assert_eq!(post.header("x-throughline-environment"), "environment-1");
    assert_eq!(post.sequence(), Some(7));
    assert_eq!(post.header("x-throughline-function"), "checkout");
    assert_eq!(post.header("x-throughline-ledger"), r#"{"v":1}"#);
    assert_eq!(post.header("authorization"), "Bearer key-1");
    assert_eq!(post.header("content-type"), "application/x-protobuf");
    assert!(received.log("hello").is_some());
}

#[tokio::test]
async fn a_connection_that_died_in_the_freeze_is_replaced_at_once() {
    let intake = FakeIntake::start().await;
    let courier = courier(&intake.endpoint());
    assert_eq!(courier.deliver(&parcel(1)).await, DELIVERED);
    intake.drop_connections();
    assert_eq!(courier.deliver(&parcel(2)).await, DELIVERED);
    assert_eq!(intake.received().posts.len(), 2);
    // Dead in the worst way: it takes the request and then ends.
    intake.answer(Answer::CutOnce).await;
    assert_eq!(courier.deliver(&parcel(3)).await, DELIVERED);
    let received = intake.received();
    assert_eq!((received.posts.len(), received.attempts), (3, 4));
}

#[tokio::test]
async fn what_each_answer_means() {
    let intake = FakeIntake::start().await;
    let courier = courier(&intake.endpoint());
    for (answer, expected) in [
        (Answer::Status(503), "later"),
        (Answer::Status(502), "later"),
        (Answer::Status(504), "later"),
        (Answer::TooMany { retry_after: 3 }, "later, in 3s"),
        (Answer::Status(400), "never"),
        (Answer::Status(401), "never"),
        (Answer::Status(413), "never"),
        (Answer::Status(500), "never"),
        (Answer::Refuse, "later"),
        (Answer::Take, "delivered"),
    ] {
        intake.answer(answer).await;
        let meant = match courier.deliver(&parcel(1)).await {
            Outcome::Delivered { .. } => "delivered".to_owned(),
            Outcome::Rejected { .. } => "never".to_owned(),
            Outcome::Failed {
                retry_after: None, ..
            } => "later".to_owned(),
            Outcome::Failed {
                retry_after: Some(wait),
                ..
            } => format!("later, in {wait:?}"),
        };
        assert_eq!(meant, expected, "{answer:?}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_is_given_up() {
    let intake = FakeIntake::start().await;
    intake.answer(Answer::Hang).await;
    let mut courier = courier(&intake.endpoint());
    courier.request_max = Duration::from_millis(50);
    let outcome = courier.deliver(&parcel(1)).await;
    assert!(matches!(&outcome, Outcome::Failed { why, .. } if why.starts_with("no answer")));
    intake.answer(Answer::Take).await;
    courier.request_max = REQUEST_MAX;
    assert_eq!(courier.deliver(&parcel(1)).await, DELIVERED);
}

#[tokio::test]
async fn tls_is_set_up_when_it_is_needed() {
    // Not a TLS server: the handshake fails, which shows that there was one.
    let intake = FakeIntake::start().await;
    let courier = courier(&intake.endpoint().replace("http://", "https://"));
    let outcome = courier.deliver(&parcel(1)).await;
    assert!(matches!(outcome, Outcome::Failed { .. }), "{outcome:?}");
    assert_eq!(intake.received().attempts, 0);
}

/// Secrets Manager with one key after the other.
fn vault(keys: &'static [&'static str]) -> Keeper {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for key in keys {
            let (mut stream, _) = listener.accept().unwrap();
            let mut asked = Vec::new();
            let mut bytes = [0; 4096];
            while !asked.ends_with(b"}") {
                let count = stream.read(&mut bytes).unwrap();
                assert!(count > 0, "a whole request");
                asked.extend_from_slice(&bytes[..count]);
            }
            let body = format!(r#"{{"SecretString":"{key}"}}"#);
            let length = body.len();
            write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n{body}"
            )
            .unwrap();
        }
    });
    let variables = Variables(BTreeMap::from([
        ("AWS_ENDPOINT_URL", url),
        ("AWS_ACCESS_KEY_ID", "id".to_owned()),
        ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
    ]));
    Keeper::new(KeyName::Secret("key".to_owned()), Box::new(variables))
}

#[tokio::test]
async fn a_key_that_is_kept_elsewhere_is_looked_up_once() {
    let intake = FakeIntake::start().await;
    let courier = courier(&intake.endpoint()).with_keeper(Some(vault(&["key-2"])));
    for sequence in [1, 2] {
        assert_eq!(courier.deliver(&parcel(sequence)).await, DELIVERED);
    }
    for post in &intake.received().posts {
        assert_eq!(post.header("authorization"), "Bearer key-2");
    }
}

#[tokio::test]
async fn what_is_refused_for_a_key_that_is_kept_elsewhere_waits_for_another_key() {
    for refusal in [401, 403] {
        let intake = FakeIntake::start().await;
        intake.answer(Answer::Status(refusal)).await;
        let courier = courier(&intake.endpoint()).with_keeper(Some(vault(&["key-1", "key-2"])));
        let outcome = courier.deliver(&parcel(1)).await;
        // Not at once: it was looked up a moment ago.
        assert!(
            matches!(&outcome, Outcome::Failed { why, .. } if why.contains("tried again in")),
            "{outcome:?}"
        );
        intake.answer(Answer::Take).await;
        courier.renew().await;
        assert_eq!(courier.deliver(&parcel(1)).await, DELIVERED);
        let received = intake.received();
        assert_eq!(received.posts[0].header("authorization"), "Bearer key-2");
    }
}

#[test]
fn what_an_error_says_about_the_next_try() {
    use throughline_extension::grpc::{Any, Delay};
    let body = |url: &str, seconds: i64, nanos: i32| {
        let delay = Some(Delay { seconds, nanos });
        let value = RetryInfo { delay }.encode_to_vec();
        let status = Status {
            code: 8,
            message: "slow down".into(),
            details: vec![Any {
                type_url: url.into(),
                value,
            }],
        };
        Bytes::from(status.encode_to_vec())
    };
    let url = "type.googleapis.com/google.rpc.RetryInfo";
    let wait = Duration::from_millis;
    for (body, expected) in [
        (body(url, 3, 500_000_000), Some(wait(3500))),
        (body(url, 0, 0), Some(wait(0))),
        (body(url, -1, 0), None),
        (body(url, 0, -1), None),
        (body(url, i64::MAX, 0), None),
        (body("type.googleapis.com/google.rpc.Help", 3, 0), None),
        (Bytes::from_static(b"<html>"), None),
        (Bytes::new(), None),
    ] {
        assert_eq!(retry_info(&body), expected, "{body:?}");
    }
    // The longer of the two counts.
    let mut headers = HeaderMap::new();
    headers.insert(RETRY_AFTER, http::HeaderValue::from_static("2"));
    let answer = super::super::client::Answer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        headers,
        body: body(url, 3, 0),
    };
    let Outcome::Failed { retry_after, .. } = judge(&answer) else {
        panic!("503")
    };
    assert_eq!(retry_after, Some(wait(3000)));
}

#[tokio::test]
async fn time_asleep_does_not_count_against_the_server() {
    let never = std::future::pending::<()>;
    let slept = async {
        let wait = awake(Duration::from_secs(20), never());
        // A thread that does nothing is what a frozen one is, for those who look at the clock.
        let freeze = async {
            tokio::task::yield_now().await;
            std::thread::sleep(Duration::from_millis(700));
        };
        tokio::join!(wait, freeze).0
    };
    let slept = tokio::time::timeout(Duration::from_secs(10), slept).await;
    let slept = slept.expect("after a sleep the wait is short");
    assert!(matches!(slept, Awake::Slept));
    let short = awake(Duration::from_millis(20), never()).await;
    assert!(!matches!(short, Awake::Done(())));
    assert!(matches!(
        awake(Duration::from_secs(1), async {}).await,
        Awake::Done(())
    ));
}
