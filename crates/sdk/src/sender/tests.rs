use throughline_telemetry::wire::traces_request;
use throughline_testkit::{Answer, FakeIntake, span};

use prost::Message;

use super::*;

fn body(name: &str, attribute_bytes: usize) -> Vec<u8> {
    let mut span = span("f").named(name).build();
    let text = "x".repeat(attribute_bytes);
    span.attributes.set("text", text);
    traces_request(&[span]).encode_to_vec()
}

fn to(intake: &FakeIntake) -> Sender {
    let endpoint = intake.endpoint();
    let address = endpoint.strip_prefix("http://").unwrap();
    Sender::new(address.parse().unwrap())
}

async fn wait_for(intake: &FakeIntake, spans: usize) {
    intake
        .wait_for("the spans", |received| received.spans.len() >= spans)
        .await;
}

#[tokio::test]
async fn each_request_arrives_over_one_connection() {
    let intake = FakeIntake::start().await;
    let sender = to(&intake);
    sender.open();
    for n in 0..3 {
        sender.send(&body(&format!("s{n}"), 10));
        wait_for(&intake, n + 1).await;
    }
    assert_eq!(sender.0.lock().made, 0);
    sender.send(&body("last", 10));
    assert_eq!(sender.0.lock().unanswered.len(), 1);
}

#[tokio::test]
async fn what_the_kernel_does_not_take_at_once_goes_out_in_the_background() {
    let intake = FakeIntake::start().await;
    let sender = to(&intake);
    for n in 0..12 {
        sender.send(&body(&format!("s{n}"), 300 << 10));
    }
    wait_for(&intake, 12).await;
}

#[tokio::test]
async fn more_than_may_be_on_its_way_is_dropped() {
    let intake = FakeIntake::start().await;
    intake.answer(Answer::Hang).await;
    let sender = to(&intake);
    for _ in 0..20 {
        sender.send(&body("s", 500 << 10));
    }
    assert!(sender.0.lock().bytes <= UNANSWERED_BYTES_MAX);
}

#[tokio::test]
async fn broken_connection_is_made_anew_and_the_request_sent_again() {
    let intake = FakeIntake::start().await;
    let sender = to(&intake);
    sender.send(&body("first", 10));
    wait_for(&intake, 1).await;
    intake.answer(Answer::Refuse).await;
    intake.answer(Answer::Take).await;
    sender.send(&body("second", 10));
    // Where the end of the old connection came late, the next request finds it.
    sender.send(&body("third", 10));
    wait_for(&intake, 3).await;
}

#[tokio::test]
async fn nobody_listens() {
    let intake = FakeIntake::start().await;
    intake.answer(Answer::Refuse).await;
    let sender = to(&intake);
    sender.open();
    assert!(!sender.is_off(), "it may come");
    sender.send(&body("s", 10));
    assert!(sender.is_off());
    assert_eq!(sender.0.lock().bytes, 0);
}

#[test]
fn answers_that_cannot_be_read_end_the_connection() {
    let answer = |text: &str| answer_bytes(text.as_bytes());
    assert_eq!(
        answer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}HTTP").unwrap(),
        Some(40)
    );
    assert_eq!(
        answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}").unwrap(),
        None
    );
    assert_eq!(answer("HTTP/1.1 200 OK\r\n").unwrap(), None);
    assert!(answer("HTTP/1.0 200 OK\r\n\r\n").is_err());
    assert!(answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n").is_err());
    assert!(answer(&"x".repeat(HEAD_BYTES_MAX + 1)).is_err());
}
