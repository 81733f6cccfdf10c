//! §2.5 to §2.8: the order of init, invoke and shutdown.

use std::time::Duration;

use serde_json::json;
use throughline_sandbox::{Exchange, Outcome, Who};

use crate::listener::Listener;
use crate::stage::{Call, EVENT_NEXT, Play, Puppet, REQUEST_ID, Stage, TIMEOUT, within};

/// An environment with one extension that wants everything and listens, its first invocation released.
pub(crate) struct Scene {
    pub(crate) stage: Stage,
    pub(crate) call: Call,
    pub(crate) extension: Puppet,
    pub(crate) runtime: Puppet,
    pub(crate) event: crate::http::Response,
    pub(crate) listener: Listener,
}

pub(crate) async fn scene(play: Play) -> Scene {
    let listener = Listener::start().await;
    let stage = play.extension("ext").open().await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    listener
        .subscribed_by(&extension, &["platform", "function", "extension"])
        .await;
    let asked = extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    within("INVOKE", asked).await.unwrap();
    Scene {
        stage,
        call,
        extension,
        runtime,
        event,
        listener,
    }
}

/// What the processes asked, in order.
fn lines(exchanges: &[Exchange]) -> Vec<String> {
    let asked = exchanges.iter().filter(|one| !is_delivery(one));
    asked.map(ToString::to_string).collect()
}

fn is_delivery(exchange: &Exchange) -> bool {
    matches!(exchange.who, Who::Platform { .. })
}

#[tokio::test]
async fn init_comes_in_this_order() {
    let Scene {
        stage, listener, ..
    } = scene(Play::new()).await;
    let story = lines(&stage.sandbox.recorded());
    assert_eq!(
        story,
        [
            "ext POST /2020-01-01/extension/register 200".to_owned(),
            "ext PUT /2022-07-01/telemetry 200".to_owned(),
            format!("ext GET {EVENT_NEXT} 200"),
            "runtime GET /2018-06-01/runtime/invocation/next 200".to_owned(),
        ]
    );
    listener.hears("platform.start").await;
    assert_eq!(
        listener.kinds(),
        [
            "platform.initStart",
            "platform.telemetrySubscription",
            "platform.initRuntimeDone",
            "platform.extension",
            "platform.initReport",
            "platform.start",
        ]
    );
    let told = listener.hears("platform.extension").await;
    assert_eq!(
        told,
        json!({"name": "ext", "state": "Ready", "events": ["INVOKE", "SHUTDOWN"]})
    );
}

#[tokio::test]
async fn runtime_starts_when_every_external_extension_has_registered() {
    let stage = Play::new().extension("one").extension("two").open().await;
    drop(stage.invoke());
    let (one, two) = (stage.meets("one").await, stage.meets("two").await);
    one.registers(&[]).await;
    let runtime = stage.runtime();
    tokio::select! {
        biased;
        _ = runtime => panic!("the runtime has started"),
        // Two round trips later it would be there.
        () = async { for _ in 0..2 { one.request("GET", "/2018-06-01/ping", &[], "").await; } } => {}
    }
    two.registers(&[]).await;
    stage.runtime().await;
}

#[tokio::test]
async fn init_waits_for_the_first_next_of_every_extension() {
    let stage = Play::new().extension("ext").open().await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&[]).await;
    let runtime = stage.runtime().await;
    let next = runtime.asks_next();
    let waits = |all: &[Exchange]| all.iter().any(|one| one.path.ends_with("/invocation/next"));
    stage.sandbox.recorded_until(waits).await;
    assert!(!next.is_finished(), "the extension is not ready");
    extension.asks_event();
    let event = within("the event", next).await.unwrap();
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    // It did not ask for INVOKE, so nobody waits for it here.
    assert_eq!(call.await.unwrap().0.text(), "1");
}

#[tokio::test]
async fn first_init_that_takes_too_long_is_tried_again_inside_the_invocation() {
    let stage = Play::new().open().await;
    let call = stage.invoke();
    let first = stage.runtime().await;
    stage.sandbox.advance(Duration::from_secs(10));
    first.until_gone().await;
    let second = stage.runtime().await;
    let event = second.next().await;
    second.responds(&event, "1").await;
    second.asks_next();
    let (answer, finished) = call.await.unwrap();
    assert_eq!(answer.text(), "1");
    assert_eq!((finished.cold_start, finished.init), (true, None));
    let generations: Vec<_> = stage
        .sandbox
        .recorded()
        .iter()
        .map(|one| one.generation)
        .collect();
    assert_eq!(generations, [2, 2, 2]);
}

#[tokio::test]
async fn invocation_comes_in_this_order() {
    let Scene {
        stage,
        call,
        extension,
        runtime,
        event,
        listener,
    } = scene(Play::new()).await;
    runtime.responds(&event, "{}").await;
    listener.hears("platform.start").await;
    assert!(
        listener
            .kinds()
            .iter()
            .all(|kind| kind != "platform.runtimeDone")
    );
    let next = runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    assert!(!call.is_finished(), "the extension is still at work");
    let asked = extension.asks_event();
    let (_, finished) = call.await.unwrap();
    assert_eq!(finished.status.as_str(), "success");
    // Frozen with everyone else: the report waits for the next invocation.
    assert!(
        listener
            .kinds()
            .iter()
            .all(|kind| kind != "platform.report")
    );
    extension
        .until_state(|state| matches!(state, Some('T' | 'D')))
        .await;
    runtime
        .until_state(|state| matches!(state, Some('T' | 'D')))
        .await;

    let second = stage.invoke();
    listener.hears("platform.report").await;
    let event = within("the second event", next).await.unwrap();
    within("the second INVOKE", asked).await.unwrap();
    runtime.responds(&event, "{}").await;
    runtime.asks_next();
    extension.asks_event();
    second.await.unwrap();
    let kinds = listener.kinds();
    let ends: Vec<_> = kinds[5..].iter().map(String::as_str).collect();
    assert_eq!(
        ends[..4],
        [
            "platform.start",
            "platform.runtimeDone",
            "platform.report",
            "platform.start"
        ]
    );
}

#[tokio::test]
async fn caller_is_answered_before_the_runtime_asks_again() {
    let stage = Play::new().open().await;
    let sandbox = stage.sandbox.clone();
    let call = tokio::spawn(async move { sandbox.invoke("f", "{}").await.unwrap() });
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    runtime.responds(&event, "1").await;
    assert_eq!(within("the answer", call).await.unwrap().text(), "1");
}

#[tokio::test]
async fn extension_that_does_not_ask_again_makes_a_finished_invocation_time_out() {
    let Scene {
        call,
        extension,
        runtime,
        event,
        listener,
        stage,
        ..
    } = scene(Play::new()).await;
    runtime.responds(&event, "1").await;
    let _next = runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    stage.times_out();
    runtime.until_gone().await;
    let told = extension.event().await.json();
    assert_eq!(told["shutdownReason"], "timeout");
    extension.does("exit 0");
    let (answer, finished) = call.await.unwrap();
    assert_eq!(
        (answer.outcome, answer.text().as_str()),
        (Outcome::Returned, "1")
    );
    assert_eq!(finished.status.as_str(), "timeout");
    assert_eq!(finished.duration, TIMEOUT);
}

#[tokio::test]
async fn extension_that_ends_is_a_crash_whatever_its_code() {
    for (code, words) in [(0, "exit code 0"), (2, "exit status 2")] {
        let Scene {
            call,
            extension,
            stage: _stage,
            ..
        } = scene(Play::new()).await;
        extension.does(&format!("exit {code}"));
        let (answer, finished) = call.await.unwrap();
        assert_eq!(finished.error_type.as_deref(), Some("Extension.Crash"));
        assert!(answer.text().contains(words), "{}", answer.text());
    }
}

#[tokio::test]
async fn environment_starts_anew_inside_the_invocation_after_a_reset() {
    let Scene {
        stage,
        call,
        extension,
        runtime,
        ..
    } = scene(Play::new()).await;
    let before = extension.identifier();
    runtime.does("exit 1");
    let told = within("SHUTDOWN", extension.asks_event())
        .await
        .unwrap()
        .json();
    assert_eq!(told["shutdownReason"], "failure");
    extension.does("exit 0");
    call.await.unwrap();

    let listener = Listener::start().await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE"]).await;
    assert_ne!(extension.identifier(), before);
    listener.subscribed_by(&extension, &["platform"]).await;
    extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    extension.asks_event();
    let (_, finished) = call.await.unwrap();
    assert_eq!((finished.cold_start, finished.init), (true, None));
    assert_eq!(
        listener.hears("platform.initStart").await["phase"],
        "invoke"
    );
    let kinds = listener.kinds();
    let position = |kind: &str| kinds.iter().position(|found| found == kind).unwrap();
    assert!(position("platform.initReport") < position("platform.start"));
}

#[tokio::test]
async fn shutdown_ends_the_runtime_first_and_then_tells_the_extensions() {
    let Scene {
        stage,
        call,
        extension,
        runtime,
        event,
        listener,
    } = scene(Play::new()).await;
    runtime.does("trap 'echo bye; exit 0' TERM");
    runtime.responds(&event, "1").await;
    let _next = runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    let asked = extension.asks_event();
    call.await.unwrap();
    let down = tokio::spawn(stage.shut_down());
    let told = within("SHUTDOWN", asked).await.unwrap().json();
    assert_eq!(told["shutdownReason"], "spindown");
    assert!(matches!(runtime.state(), None | Some('Z')));
    listener.hears("function").await;
    extension.does("exit 0");
    down.await.unwrap();
}

#[tokio::test]
async fn without_extensions_the_runtime_is_killed_without_a_word() {
    let stage = Play::new().open().await;
    let (call, runtime, event) = stage.first_call().await;
    let said = stage.file("said");
    runtime.does(&format!("trap 'touch {}' TERM", said.display()));
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    call.await.unwrap();
    stage.shut_down().await;
    assert!(matches!(runtime.state(), None | Some('Z')));
    assert!(!said.exists());
}

#[tokio::test]
async fn answers_name_their_invocation() {
    let stage = Play::new().open().await;
    let (call, runtime, event) = stage.first_call().await;
    let id = event.header(REQUEST_ID).unwrap().to_owned();
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    let (answer, finished) = call.await.unwrap();
    assert_eq!((&answer.request_id, &finished.request_id), (&id, &id));
}
