//! Time that passes without anybody waiting for it.

use std::time::{Duration, Instant};

use serde_json::json;
use throughline_sandbox::{Activity, EventEnd, Invoke, Outcome, Status};

use crate::{call, function, json_of, next_line, process_state, start, until_gone};

#[tokio::test]
#[allow(clippy::disallowed_methods)] // how long it really took is the point
async fn fifteen_minutes_are_over_in_milliseconds() {
    let sandbox = start(function().timeout(Duration::from_secs(900))).await;
    // Warm, so that nothing but the timeout takes time.
    call(&sandbox, json!({})).await;
    let mut activity = sandbox.activity();
    let event = json!({"do": "wait", "file": "/nowhere/at/all"});
    let invoke = Invoke::new("f").payload(event.to_string());
    let hanging = sandbox.call_to_end(invoke);
    let forward = async {
        while next_line(&mut activity).await != "waiting" {}
        sandbox.advance(Duration::from_secs(900));
        Instant::now()
    };
    let (ended, began) = tokio::join!(hanging, forward);
    let took = began.elapsed();
    let (answer, finished) = ended.unwrap();
    assert_eq!(answer.outcome, Outcome::FunctionError);
    let message = json_of(&answer)["errorMessage"].clone();
    assert!(
        message
            .as_str()
            .unwrap()
            .ends_with("Task timed out after 900.00 seconds"),
        "{message}"
    );
    assert_eq!(
        (finished.status, finished.billed),
        (Status::Timeout, Duration::from_secs(900))
    );
    // It is some milliseconds; a busy machine gets a thousand times as long.
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[tokio::test]
async fn event_is_tried_again_and_an_idle_environment_ends_when_their_time_has_come() {
    let sandbox = start(function()).await;
    let (warm, _) = call(&sandbox, json!({})).await;
    let mut activity = sandbox.activity();
    let invoke = Invoke::new("f").payload(json!({"do": "fail"}).to_string());
    sandbox.invoker().queue(invoke).unwrap();
    let ended = loop {
        match activity.recv().await.unwrap() {
            // As long as Lambda waits at most before it tries again.
            Activity::Finished(_) => sandbox.advance(Duration::from_secs(120)),
            Activity::EventEnded(ended) => break ended,
            _ => {}
        }
    };
    assert_eq!((ended.end, ended.attempts), (EventEnd::RetriesExhausted, 3));
    let pid = &json_of(&warm)["pid"];
    assert!(process_state(pid).is_some());
    sandbox.advance(Duration::from_secs(300));
    until_gone(pid).await;
}
