//! Faults on demand: what callers, extensions and the next invocation see of them.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{
    Activity, Answer, Delivery, DoorState, EventEnd, Fault, Finished, Invoke, InvokeError, Outcome,
    RunningSandbox, Sandbox, Status, Victim,
};

use crate::http::request;
use crate::{call, function, here, json_of, start, until_gone};

/// A function with the recorder as its extension, and what the recorder writes.
struct Recorded {
    sandbox: RunningSandbox,
    folder: tempfile::TempDir,
}

impl Recorded {
    async fn start() -> Self {
        let folder = crate::folder().unwrap();
        let file = folder.path().join("record").display().to_string();
        let sandbox = Sandbox::new()
            .function(function().env("RECORD_FILE", file).env("PATIENCE", "0.5"))
            .extension(here("extension"))
            .start()
            .await
            .unwrap();
        Self { sandbox, folder }
    }

    /// Everything that was told of three invocations, counted after the end.
    async fn told_of_three(self, kind: &str) -> usize {
        for _ in 0..3 {
            call(&self.sandbox, json!({})).await;
        }
        let Self { sandbox, folder } = self;
        sandbox.shutdown().await;
        let record = std::fs::read_to_string(folder.path().join("record")).unwrap();
        let entries = record
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        entries.filter(|entry| entry["telemetry"] == kind).count()
    }
}

async fn hang(sandbox: &RunningSandbox) -> (Answer, Finished) {
    let event = json!({"do": "wait", "file": "/nowhere/at/all"});
    call(sandbox, event).await
}

#[tokio::test]
async fn killed_process_fails_its_invocation_and_the_next_one_starts_anew() {
    let cases = [
        (Fault::kill(Victim::Runtime), "Runtime.ExitError"),
        (
            Fault::kill(Victim::Extension("recorder".into())),
            "Extension.Crash",
        ),
        (Fault::out_of_memory(), "Runtime.ExitError"),
    ];
    for (fault, error_type) in cases {
        let recorded = Recorded::start().await;
        let sandbox = &recorded.sandbox;
        let mut activity = sandbox.activity();
        let handle = sandbox
            .fault(fault.clone().at_invocation(2).times(1))
            .unwrap();
        let (good, _) = call(sandbox, json!({})).await;
        assert_eq!(good.outcome, Outcome::Returned);
        let (answer, finished) = hang(sandbox).await;
        assert_eq!(finished.error_type.as_deref(), Some(error_type), "{fault}");
        assert!(
            answer.text().contains("signal: killed"),
            "{}",
            answer.text()
        );
        let out_of_memory = fault == Fault::out_of_memory();
        assert_eq!(finished.memory_max_used_mb >= 128, out_of_memory, "{fault}");
        let (good, finished) = call(sandbox, json!({})).await;
        assert_eq!(
            (good.outcome, finished.cold_start),
            (Outcome::Returned, true)
        );
        assert_eq!(handle.struck(), Some(1));
        let told = loop {
            if let Activity::Fault(told) = activity.recv().await.unwrap() {
                break told;
            }
        };
        assert_eq!((told.id, told.what), (handle.id(), fault.to_string()));
        assert_eq!(told.function.as_deref(), Some("f"));
        assert!(told.environment.is_some());
    }
}

#[tokio::test]
async fn hung_process_uses_up_the_time_of_its_invocation() {
    for victim in [Victim::Runtime, Victim::Extension("recorder".into())] {
        let recorded = Recorded::start().await;
        let sandbox = &recorded.sandbox;
        call(sandbox, json!({})).await;
        sandbox.fault(Fault::hang(victim.clone()).times(1)).unwrap();
        let mut activity = sandbox.activity();
        let hanging = call(sandbox, json!({}));
        let forward = async {
            while !matches!(activity.recv().await.unwrap(), Activity::Fault(_)) {}
            sandbox.advance(Duration::from_secs(20));
        };
        let ((_, finished), ()) = tokio::join!(hanging, forward);
        assert_eq!(finished.status, Status::Timeout, "{victim}");
        let (answer, _) = call(sandbox, json!({})).await;
        assert_eq!(answer.outcome, Outcome::Returned);
    }
}

#[tokio::test]
async fn fault_comes_some_time_into_an_invocation_or_not_at_all() {
    let sandbox = start(function()).await;
    let wait = Duration::from_secs(3600);
    let fault = Fault::kill(Victim::Runtime).into_invocation(wait);
    sandbox.fault(fault).unwrap();
    let (first, _) = call(&sandbox, json!({})).await;
    // The hour is over, and so is the invocation that it was counted from.
    sandbox.advance(wait);
    let (second, _) = call(&sandbox, json!({})).await;
    assert_eq!(
        (first.outcome, second.outcome),
        (Outcome::Returned, Outcome::Returned)
    );
}

#[tokio::test]
async fn dropped_environment_is_gone_without_notice() {
    let recorded = Recorded::start().await;
    let sandbox = &recorded.sandbox;
    let (warm, _) = call(sandbox, json!({})).await;
    // An idle one, at once.
    let drop_now = Fault::drop_environment().on_environments();
    let handle = sandbox.fault(drop_now).unwrap();
    until_gone(&json_of(&warm)["pid"]).await;
    assert_eq!(handle.struck(), Some(1));
    let (answer, finished) = call(sandbox, json!({})).await;
    assert_eq!(
        (answer.outcome, finished.cold_start),
        (Outcome::Returned, true)
    );
    // A busy one.
    sandbox.fault(Fault::drop_environment().times(1)).unwrap();
    let (answer, finished) = hang(sandbox).await;
    assert_eq!(finished.status, Status::Failure);
    assert!(
        answer.text().contains("the environment was lost"),
        "{}",
        answer.text()
    );
    let (answer, _) = call(sandbox, json!({})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
    let record = std::fs::read_to_string(recorded.folder.path().join("record")).unwrap();
    assert!(!record.contains("\"event\": \"SHUTDOWN\""), "{record}");
}

#[tokio::test]
async fn throttled_calls_are_refused_and_events_wait() {
    let sandbox = start(function()).await;
    let throttle = sandbox.fault(Fault::throttle().of("f")).unwrap();
    let refused = sandbox.invoke("f", "{}").await.unwrap_err();
    assert!(matches!(refused, InvokeError::Throttled { .. }));
    let uri = format!(
        "http://{}/2015-03-31/functions/f/invocations",
        sandbox.api_addr()
    );
    assert_eq!(request("POST", &uri, &[], "{}").await.status, 429);
    let mut activity = sandbox.activity();
    sandbox.invoker().queue(Invoke::new("f")).unwrap();
    while !matches!(activity.recv().await.unwrap(), Activity::Fault(_)) {}
    throttle.remove();
    assert_eq!(throttle.struck(), None);
    sandbox.advance(Duration::from_secs(600));
    let ended = next_event(&mut activity).await;
    assert_eq!((ended.end, ended.attempts), (EventEnd::Success, 1));
}

async fn next_event(
    activity: &mut tokio::sync::broadcast::Receiver<Activity>,
) -> throughline_sandbox::EventEnded {
    loop {
        if let Activity::EventEnded(ended) = activity.recv().await.unwrap() {
            return ended;
        }
    }
}

#[tokio::test]
async fn event_comes_twice_or_poisoned() {
    let sandbox = start(function()).await;
    let mut activity = sandbox.activity();
    sandbox.fault(Fault::duplicate_event().times(1)).unwrap();
    let invoker = sandbox.invoker();
    let id = invoker.queue(Invoke::new("f")).unwrap();
    let twice = [
        next_event(&mut activity).await,
        next_event(&mut activity).await,
    ];
    assert!(
        twice
            .iter()
            .all(|ended| ended.request_id == id && ended.end == EventEnd::Success)
    );
    let poison = Fault::poison_event(r#"{"do":"fail"}"#).times(1);
    sandbox.fault(poison).unwrap();
    invoker.queue(Invoke::new("f")).unwrap();
    let ended = loop {
        match activity.recv().await.unwrap() {
            Activity::Finished(_) => sandbox.advance(Duration::from_secs(120)),
            Activity::EventEnded(ended) => break ended,
            _ => {}
        }
    };
    assert_eq!((ended.end, ended.attempts), (EventEnd::RetriesExhausted, 3));
}

#[tokio::test]
async fn environment_finds_that_it_was_frozen_for_long() {
    let sandbox = start(function().timeout(Duration::from_secs(60))).await;
    let (first, before) = call(&sandbox, json!({})).await;
    let frozen = Duration::from_secs(30 * 60);
    sandbox.fault(Fault::clock_jump(frozen).times(1)).unwrap();
    let (second, after) = call(&sandbox, json!({})).await;
    // The jump is before the invocation, not in it: it has its own time, in the environment that slept.
    assert_eq!((after.status, after.cold_start), (Status::Success, false));
    assert_eq!(before.environment, after.environment);
    assert!(after.started.since(before.started) >= frozen);
    let deadline = |answer: &Answer| {
        let headers = &json_of(answer)["headers"];
        let text = headers["lambda-runtime-deadline-ms"]
            .as_str()
            .unwrap()
            .to_owned();
        text.parse::<u64>().unwrap()
    };
    assert!(deadline(&second) - deadline(&first) >= 30 * 60 * 1000);
}

#[tokio::test]
async fn telemetry_comes_late_twice_again_or_never() {
    let told = async |kind: &str, fault: Option<Fault>| {
        let recorded = Recorded::start().await;
        if let Some(fault) = fault {
            recorded.sandbox.fault(fault).unwrap();
        }
        recorded.told_of_three(kind).await
    };
    let report = "platform.report";
    assert_eq!(told(report, None).await, 3);
    assert_eq!(told(report, Some(Fault::lose_report())).await, 0);
    assert_eq!(told(report, Some(Fault::lose_report().times(1))).await, 2);
    let init = async |fault| told("platform.initStart", Some(fault)).await;
    assert_eq!(init(Fault::telemetry(Delivery::Duplicate)).await, 2);
    assert_eq!(
        init(Fault::telemetry_of("recorder", Delivery::Lose)).await,
        0
    );
    assert_eq!(
        init(Fault::telemetry_of("another", Delivery::Lose)).await,
        1
    );
    let late = Delivery::Delay(Duration::from_millis(20));
    assert_eq!(init(Fault::telemetry(late)).await, 1);
    // What could not be delivered is tried again, what was taken and answered with an error comes twice.
    assert_eq!(init(Fault::telemetry(Delivery::Refuse).times(1)).await, 1);
    assert_eq!(
        init(Fault::telemetry(Delivery::Status(500)).times(1)).await,
        2
    );
}

#[tokio::test]
async fn faults_are_added_listed_and_removed_over_http() {
    let sandbox = start(function()).await;
    let uri = format!("http://{}/throughline/faults", sandbox.api_addr());
    let json = [("content-type", "application/json")];
    let fault = json!({"what": "throttle", "function": "f", "share": 0.5, "seed": 3});
    let added = request("POST", &uri, &json, &fault.to_string()).await;
    assert_eq!((added.status, added.json()), (201, json!({"id": 1})));
    let listed = request("GET", &uri, &[], "").await.json();
    let expected = json!({"faults": [{
        "id": 1, "what": "throttle", "function": "f", "share": 0.5, "seed": 3,
        "description": "throttle calls of f", "struck": 0, "started": true, "over": false,
    }]});
    assert_eq!(listed, expected);
    assert_eq!(sandbox.faults().len(), 1);

    let refusals = [
        (&json[..], json!({"what": "rain"}).to_string(), 400),
        (
            &json,
            json!({"what": "throttle", "function": "g"}).to_string(),
            400,
        ),
        (
            &json,
            json!({"what": "kill", "process": "extension:none"}).to_string(),
            400,
        ),
        (&[], fault.to_string(), 415),
        (&[("content-type", "text/plain")], fault.to_string(), 415),
        (
            &[json[0], ("origin", "http://example.com")],
            fault.to_string(),
            403,
        ),
        (&[json[0], ("host", "example.com")], fault.to_string(), 403),
    ];
    for (headers, body, status) in refusals {
        let refused = request("POST", &uri, headers, &body).await;
        assert_eq!(refused.status, status, "{headers:?} {body}");
        assert!(refused.json()["message"].is_string());
    }

    let one = |id: u32| format!("{uri}/{id}");
    assert_eq!(request("DELETE", &one(2), &[], "").await.status, 404);
    assert_eq!(
        request("DELETE", &one(1), &[], "").await.json(),
        json!({"removed": 1})
    );
    sandbox.fault(Fault::throttle()).unwrap();
    assert_eq!(
        request("DELETE", &uri, &[], "").await.json(),
        json!({"removed": 1})
    );
    assert_eq!(call(&sandbox, json!({})).await.0.outcome, Outcome::Returned);
}

#[tokio::test]
async fn share_of_calls_is_struck_the_same_way_each_time() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let sandbox = start(function()).await;
        sandbox
            .fault(Fault::throttle().share(0.5).seed(11))
            .unwrap();
        let mut refused = Vec::new();
        for _ in 0..12 {
            refused.push(sandbox.call_to_end(Invoke::new("f")).await.is_err());
        }
        runs.push(refused);
    }
    assert_eq!(runs[0], runs[1]);
    assert!(runs[0].contains(&true) && runs[0].contains(&false));
}

#[tokio::test]
async fn door_is_shut_as_long_as_its_fault_lasts() {
    let sandbox = Sandbox::new()
        .function(function())
        .door("backend", "127.0.0.1:9")
        .start()
        .await
        .unwrap();
    let doors = sandbox.doors().clone();
    let until = async |state: DoorState| {
        let set = async {
            while doors.told()[0].state != state {
                tokio::task::yield_now().await;
            }
        };
        let patience = Duration::from_secs(20);
        tokio::time::timeout(patience, set)
            .await
            .expect("the door is set");
    };
    let minute = Duration::from_secs(60);
    let fault = Fault::door("backend", DoorState::BlackHole).lasting(minute);
    let handle = sandbox.fault(fault).unwrap();
    until(DoorState::BlackHole).await;
    assert_eq!(handle.struck(), Some(1));
    sandbox.advance(minute);
    until(DoorState::Open).await;
    let slow = DoorState::Slow {
        delay: Duration::from_millis(200),
        bytes_per_second: Some(1000),
    };
    let slowed = sandbox.fault(Fault::door("backend", slow)).unwrap();
    until(slow).await;
    sandbox
        .fault(Fault::door("backend", DoorState::Refuse).at_invocation(1))
        .unwrap();
    call(&sandbox, json!({})).await;
    until(DoorState::Refuse).await;
    slowed.remove();
    let uri = format!("http://{}/throughline/faults", sandbox.api_addr());
    assert_eq!(request("DELETE", &uri, &[], "").await.status, 200);
    until(DoorState::Open).await;
    let unknown = sandbox.fault(Fault::door("cellar", DoorState::Refuse));
    assert!(unknown.unwrap_err().to_string().contains("no door cellar"));
}
