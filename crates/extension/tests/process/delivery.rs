//! What the server cannot take: it is kept over kills, and printed at the end.

use std::time::Duration;

use throughline_testkit::intake::{Answer, FakeIntake, Received};
use tokio::time::Instant;

use super::lambda::{Extension, FakeLambda, Telemetry, Tmp};
use super::{HEADER, handler_span, told};

#[tokio::test]
async fn what_cannot_be_delivered_before_the_end_is_printed() {
    let intake = FakeIntake::start().await;
    intake.answer(Answer::Hang).await;
    let tmp = Tmp::new();
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let variables = [("TMPDIR", tmp.path())];
    let mut extension = Extension::start_with(&lambda, &intake.endpoint(), &variables);
    lambda.next_asked().await;
    lambda.invoke("r-1", Some(HEADER)).await;
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    lambda.shut_down("spindown").await;
    let begun = Instant::now();
    let (code, stdout, stderr) = extension.ended_with_output().await;
    assert_eq!(code, Some(0));
    assert!(
        begun.elapsed() < Duration::from_secs(4),
        "{:?}",
        begun.elapsed()
    );
    assert!(
        stderr.contains("2 items could not be delivered and were written to the log"),
        "{stderr}"
    );
    assert!(!stderr.contains("lost in this environment"), "{stderr}");
    let mut signals = Vec::new();
    for line in stdout.lines() {
        let envelope: serde_json::Value = serde_json::from_str(line).expect("JSON");
        let endpoint = envelope["endpoint"].as_str().unwrap();
        signals.push(endpoint.rsplit('/').next().unwrap().to_owned());
        assert_eq!(envelope["source"], "checkout");
        let ledger = envelope["headers"]["x-throughline-ledger"]
            .as_str()
            .unwrap();
        assert_eq!(
            ledger.contains(r#""final":true"#),
            signals.len() == 2,
            "{ledger}"
        );
    }
    assert_eq!(signals, ["traces", "logs"], "{stdout}");
    assert_eq!(tmp.files(), [""; 0], "nothing is left in /tmp");
}

#[tokio::test]
async fn a_killed_extension_is_followed_by_one_that_sends_what_it_left() {
    let intake = FakeIntake::start().await;
    intake.answer(Answer::Status(503)).await;
    let tmp = Tmp::new();
    let variables = [("TMPDIR", tmp.path())];
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut first = Extension::start_with(&lambda, &intake.endpoint(), &variables);
    lambda.next_asked().await;
    lambda.invoke("r-1", Some(HEADER)).await;
    assert_eq!(first.export(&handler_span("00000000000000b1")).await, 200);
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    assert_eq!(tmp.files().len(), 3, "{:?}", tmp.files());
    // One more span, which is only in memory when it is killed.
    lambda.invoke("r-2", Some(HEADER)).await;
    assert_eq!(first.export(&handler_span("00000000000000b2")).await, 200);
    // What it has answered for is in its books by then.
    let file = tmp.0.join(".throughline").join(&tmp.files()[2]);
    let ledger = std::fs::read_to_string(&file).unwrap();
    assert!(ledger.contains(r#""accepted":4"#), "{ledger}");
    first.kill().await;
    drop(lambda);

    intake.answer(Answer::Take).await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut second = Extension::start_with(&lambda, &intake.endpoint(), &variables);
    lambda.next_asked().await;
    let arrived = |received: &Received| {
        received.span("handler").is_some() && received.log("from r-1").is_some()
    };
    intake.wait_for("what the first one left", arrived).await;
    lambda.shut_down("spindown").await;
    let (code, stderr) = second.ended().await;
    assert_eq!(code, Some(0));
    assert!(
        stderr.contains("an extension before this one was killed"),
        "{stderr}"
    );
    let received = intake.received();
    let last = received
        .ledgers
        .iter()
        .rfind(|ledger| ledger.text.contains(r#""final":true"#));
    let last = &last.expect("the last ledger of the first life").text;
    assert!(
        last.contains(r#""accepted":4,"delivered":3,"waiting":0,"spilled":0,"printed":0,"dropped":{"extension_killed":1}"#),
        "{last}"
    );
    let environments: std::collections::BTreeSet<_> = received
        .posts
        .iter()
        .map(|post| post.header("x-throughline-environment"))
        .collect();
    assert_eq!(
        environments.len(),
        1,
        "the second one had nothing of its own"
    );
    assert_eq!(tmp.files(), [""; 0]);
}

#[tokio::test]
async fn who_says_that_all_is_there_waits_for_nothing_more() {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let mut extension = Extension::start(&lambda, &intake.endpoint());
    lambda.next_asked().await;
    lambda.invoke("r-1", Some(HEADER)).await;
    assert_eq!(
        extension.export(&handler_span("00000000000000b1")).await,
        200
    );
    extension.signal_end("r-1").await;
    // The platform has not said anything of its end.
    lambda.next_asked().await;
    let handler = |received: &Received| received.span("handler").is_some();
    intake.wait_for("the handler's span", handler).await;
    lambda.tell(&told("r-1")).await;
    lambda.shut_down("spindown").await;
    assert_eq!(extension.ended().await.0, Some(0));
    assert!(intake.received().span("checkout").is_some());
}
