//! What goes wrong in the extension itself, and what it has to become again.

use std::time::Duration;

use throughline_testkit::intake::{FakeIntake, Received};
use tokio::time::Instant;

use super::lambda::{Extension, FakeLambda, Telemetry, Tmp};
use super::{HEADER, assert_numbered, handler_span, told};

#[tokio::test]
async fn an_environment_that_was_restored_is_another_one() {
    restored("snap-start").await;
}

#[tokio::test]
async fn a_restore_is_recognised_by_what_the_platform_tells_of_it_too() {
    restored("").await;
}

async fn restored(initialization: &str) {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let tmp = Tmp::new();
    let variables = [
        ("AWS_LAMBDA_INITIALIZATION_TYPE", initialization),
        ("TMPDIR", tmp.path()),
    ];
    let mut extension = Extension::start_with(&lambda, &intake.endpoint(), &variables);
    lambda.next_asked().await;
    // What is exported while the function starts belongs to nobody's invocation yet.
    assert_eq!(
        extension.export(&handler_span("00000000000000b1")).await,
        200
    );
    let books = || {
        let files = tmp.files().into_iter();
        files
            .filter_map(|name| Some(name.strip_suffix(".ledger")?.to_owned()))
            .collect::<Vec<_>>()
    };
    while books().is_empty() {
        tokio::task::yield_now().await;
    }
    let of_snapshot = books();
    lambda.tell(RESTORE).await;
    lambda.invoke("r-1", Some(HEADER)).await;
    lambda.tell(&told("r-1")).await;
    lambda.next_asked().await;
    let both = |received: &Received| {
        received.span("checkout").is_some() && received.span("handler").is_some()
    };
    let received = intake.wait_for("the invocation", both).await;
    assert!(received.span("restore").is_some());
    assert_numbered(&received);
    let environment = received.posts[0].header("x-throughline-environment");
    assert!(
        !of_snapshot.iter().any(|id| id == environment),
        "{of_snapshot:?}"
    );
    lambda.shut_down("spindown").await;
    assert_eq!(extension.ended().await.0, Some(0));
}

const RESTORE: &str = r#"[{"time":"2026-10-08T12:00:00.000Z","type":"platform.restoreStart","record":{"functionName":"checkout","instanceId":"i-2"}},
    {"time":"2026-10-08T12:00:00.200Z","type":"platform.restoreRuntimeDone","record":{"status":"success"}},
    {"time":"2026-10-08T12:00:00.210Z","type":"platform.restoreReport","record":{"status":"success","metrics":{"durationMs":210.0}}}]"#;

#[tokio::test]
async fn a_panic_anywhere_is_counted_and_the_function_goes_on() {
    for (place, lost) in [
        ("listener", 1),
        ("courier", 0),
        ("poller", 0),
        ("order", 0),
        ("core", 1),
        ("telemetry", 1),
    ] {
        let intake = FakeIntake::start().await;
        let mut lambda = FakeLambda::start(Telemetry::On).await;
        let variables = [("THROUGHLINE_PANIC", place)];
        let mut extension = Extension::start_with(&lambda, &intake.endpoint(), &variables);
        lambda.next_asked().await;
        for id in ["r-1", "r-2"] {
            lambda.invoke(id, None).await;
            lambda
                .tell(r#"[{"type":"function","record":"a line"}]"#)
                .await;
            extension
                .try_export(&handler_span("00000000000000b1"))
                .await;
            lambda.tell(&told(id)).await;
            lambda.next_asked().await;
        }
        lambda.shut_down("spindown").await;
        let (code, stderr) = extension.ended().await;
        assert_eq!(code, Some(0), "{place}");
        assert_eq!(
            stderr.matches("a fault of ours at").count(),
            1,
            "{place}: {stderr}"
        );
        assert!(stderr.contains("panics 1"), "{place}: {stderr}");
        assert_eq!(stderr.contains("panic 1"), lost == 1, "{place}: {stderr}");
        let received = intake.received();
        assert!(received.span("handler").is_some(), "{place}");
        assert!(received.log("hello from r-2").is_some(), "{place}");
    }
}

#[tokio::test]
async fn a_key_that_cannot_be_looked_up_never_holds_the_function() {
    // One takes the question and never answers, the other is not there.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addresses = [silent.local_addr().unwrap(), gone.local_addr().unwrap()];
    drop(gone);
    for (address, complaints) in addresses.into_iter().zip([0..=1, 1..=1]) {
        let intake = FakeIntake::start().await;
        let mut lambda = FakeLambda::start(Telemetry::On).await;
        let mut extension = Extension::start_with(
            &lambda,
            &intake.endpoint(),
            &[
                ("THROUGHLINE_API_KEY_SECRET", "throughline/key"),
                ("AWS_ENDPOINT_URL", &format!("http://{address}")),
                ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
                ("AWS_SECRET_ACCESS_KEY", "very-secret"),
            ],
        );
        lambda.next_asked().await;
        for id in ["r-1", "r-2", "r-3"] {
            lambda.invoke(id, None).await;
            lambda.tell(&told(id)).await;
            let done = Instant::now();
            lambda.next_asked().await;
            assert!(
                done.elapsed() < Duration::from_secs(2),
                "{id} {:?}",
                done.elapsed()
            );
        }
        lambda.shut_down("spindown").await;
        let (code, stderr) = extension.ended().await;
        assert_eq!(code, Some(0));
        assert_eq!(
            intake.received().attempts,
            0,
            "nothing goes without the key"
        );
        let said = stderr
            .matches("cannot look up secret throughline/key")
            .count();
        assert!(complaints.contains(&said), "{stderr}");
        assert!(!stderr.contains("very-secret"), "{stderr}");
    }
}
