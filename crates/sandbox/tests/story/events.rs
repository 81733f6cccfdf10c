//! What invokes functions by itself: schedules and the ends of asynchronous invocations.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{
    Activity, EventDestinations, EventSource, Function, RunningSandbox, Sandbox, Schedule,
};
use tokio::sync::broadcast::Receiver;

use crate::{function, here, invoke};

fn arn(function: &str) -> String {
    Function::new(function, "").arn()
}

/// A function that fails, and one that is told of it.
fn failing(destinations: EventDestinations) -> Sandbox {
    Sandbox::new()
        .function(function().destinations(destinations))
        .function(Function::new("told", here("function")))
        .event_retry_delays(vec![Duration::from_millis(1)])
}

async fn send(sandbox: &RunningSandbox, event: &Value) -> String {
    let headers = [("X-Amz-Invocation-Type", "Event")];
    let taken = invoke(sandbox, "f", &headers, &event.to_string()).await;
    assert_eq!(taken.status, 202);
    taken.header("x-amzn-requestid").unwrap().to_owned()
}

/// What a function answered to the next event of its that ends well.
async fn answer_of(activity: &mut Receiver<Activity>, function: &str) -> Value {
    loop {
        if let Activity::EventEnded(ended) = activity.recv().await.unwrap()
            && ended.function == function
        {
            return serde_json::from_slice(&ended.answer.unwrap().payload).unwrap();
        }
    }
}

#[tokio::test]
async fn function_is_told_of_an_event_that_failed_and_of_one_that_did_not() {
    let destinations = EventDestinations {
        on_success: Some(arn("told")),
        on_failure: Some(arn("told") + ":$LATEST"),
        dead_letter: None,
    };
    let sandbox = failing(destinations).start().await.unwrap();
    let mut activity = sandbox.activity();
    for (event, condition, attempts) in [
        (json!({"do": "fail"}), "RetriesExhausted", 2),
        (json!({"n": 1}), "Success", 1),
    ] {
        let request_id = send(&sandbox, &event).await;
        let told = answer_of(&mut activity, "told").await;
        let record = &told["event"];
        assert_eq!(record["requestPayload"], event);
        assert_eq!(
            record["requestContext"],
            json!({
                "requestId": request_id,
                "functionArn": arn("f") + ":$LATEST",
                "condition": condition,
                "approximateInvokeCount": attempts,
            })
        );
        assert!(record["responsePayload"].is_object(), "{record}");
        let trace = told["headers"]["lambda-runtime-trace-id"].as_str().unwrap();
        assert!(trace.contains(";Lineage=1:"), "{trace}");
    }
}

#[tokio::test]
async fn function_that_is_its_own_destination_is_stopped() {
    let itself = EventDestinations {
        on_success: Some(arn("f")),
        ..EventDestinations::default()
    };
    let sandbox = Sandbox::new()
        .function(function().destinations(itself).env("ANSWER_NOTHING", "1"))
        .start()
        .await
        .unwrap();
    let mut activity = sandbox.activity();
    send(&sandbox, &json!({})).await;
    let mut good = 0;
    let last = loop {
        if let Activity::EventEnded(ended) = activity.recv().await.unwrap() {
            match ended.end.condition() {
                "Success" => good += 1,
                _ => break ended,
            }
        }
    };
    // The call itself and sixteen hops, of which the last is told after the one that it did not make.
    assert_eq!(good, 16);
    assert_eq!(last.attempts, 0);
    assert_eq!(sandbox.events_given_up(), 1);
}

#[tokio::test]
async fn function_has_retries_and_an_age_of_its_own() {
    for (f, condition, attempts) in [
        (function().event_retries_max(0), "RetriesExhausted", 1),
        (
            function().event_age_max(Duration::ZERO),
            "EventAgeExceeded",
            0,
        ),
    ] {
        let sandbox = Sandbox::new()
            .function(f)
            .event_retry_delays(vec![Duration::from_millis(1); 2])
            .start()
            .await
            .unwrap();
        let mut activity = sandbox.activity();
        send(&sandbox, &json!({"do": "fail"})).await;
        loop {
            if let Activity::EventEnded(ended) = activity.recv().await.unwrap() {
                assert_eq!(
                    (ended.end.condition(), ended.attempts),
                    (condition, attempts)
                );
                break;
            }
        }
    }
}

#[tokio::test]
async fn schedule_fires_with_eventbridges_event() {
    let schedule = |expression: &str| Schedule {
        name: "tick".to_owned(),
        expression: expression.to_owned(),
        input: None,
        enabled: true,
    };
    let with = |expression: &str| {
        let source = EventSource::Schedule(schedule(expression));
        Sandbox::new().function(function().source(source))
    };
    let sandbox = with("rate(1 hour)").start().await.unwrap();
    assert_eq!(sandbox.schedules()[0].schedule, schedule("rate(1 hour)"));
    let mut activity = sandbox.activity();
    assert_eq!(sandbox.fire_schedule("tick").unwrap().len(), 1);
    assert_eq!(sandbox.fire_schedule("other").unwrap().len(), 0);
    let event = &answer_of(&mut activity, "f").await["event"];
    assert_eq!(event["detail-type"], "Scheduled Event");
    assert_eq!(
        event["resources"],
        json!(["arn:aws:events:us-east-1:123456789012:rule/tick"])
    );

    // An hour later by the sandbox's clock it fires by itself, once.
    sandbox.advance(Duration::from_secs(3600));
    let event = &answer_of(&mut activity, "f").await["event"];
    assert_eq!(event["detail-type"], "Scheduled Event");

    let refused = with("rate(1 minutes)").start().await.err().unwrap();
    assert_eq!(
        refused.to_string(),
        "cannot start the schedule tick of f: rate(1 minutes): expected a rate such as 1 minute, 5 minutes or 2 hours, found \"1 minutes\""
    );
}
