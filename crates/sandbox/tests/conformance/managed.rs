//! §4.1: Managed Instances.

use std::time::Duration;

use base64::Engine;
use serde_json::{Value, json};
use sha2::Digest;
use throughline_sandbox::{
    Function, Initialization, Invoke, InvokeError, MANAGED_MEMORY_MB_MIN, ManagedInstances,
    Outcome, Status,
};

use crate::http::request;
use crate::listener::{LOGS, Listener, TELEMETRY};
use crate::stage::{IDENTIFIER, Play, Puppet, REQUEST_ID, Stage, TIMEOUT, within};

/// An environment starts with the first invocation, and none before: nobody would speak for it.
fn play() -> Play {
    let instances = ManagedInstances {
        max_concurrency: 3,
        environments_min: 0,
    };
    Play::new().function(|function| {
        function
            .memory_mb(MANAGED_MEMORY_MB_MIN)
            .concurrency(1)
            .initialization(Initialization::Managed(instances))
    })
}

/// An extension that has registered for SHUTDOWN and subscribed, and a runtime with two workers.
struct Fleet {
    stage: Stage,
    extension: Puppet,
    runtime: Puppet,
    listener: Listener,
}

impl Fleet {
    /// The first invocation is answered already.
    async fn start() -> Self {
        Self::heard_by(Listener::start().await).await
    }

    async fn heard_by(listener: Listener) -> Self {
        let stage = play().extension("ext").open().await;
        let call = stage.invoke();
        let extension = stage.meets("ext").await;
        assert_eq!(extension.registers(&["SHUTDOWN"]).await.status, 200);
        let types = ["platform", "function"];
        listener
            .subscribed_with(&extension, &types, "2025-01-29")
            .await;
        extension.asks_event();
        let runtime = stage.runtime().await;
        let event = runtime.next().await;
        runtime.responds(&event, "0").await;
        call.await.unwrap();
        Self {
            stage,
            extension,
            runtime,
            listener,
        }
    }
}

#[tokio::test]
async fn workers_of_one_environment_have_invocations_at_once() {
    let stage = play().open().await;
    let calls = [stage.invoke(), stage.invoke(), stage.invoke()];
    let runtime = stage.runtime().await;
    assert_eq!(runtime.variable("AWS_LAMBDA_MAX_CONCURRENCY"), Some("3"));
    assert_eq!(
        runtime.variable("AWS_LAMBDA_INITIALIZATION_TYPE"),
        Some("lambda-managed-instances")
    );
    assert_eq!(runtime.variable("_X_AMZN_TRACE_ID"), None);
    let workers = [
        runtime.asks_next(),
        runtime.asks_next(),
        runtime.asks_next(),
    ];
    let mut events = Vec::new();
    for worker in workers {
        events.push(worker.await.unwrap());
    }
    for event in events.iter().rev() {
        let own = format!("{:?}", event.header(REQUEST_ID).unwrap());
        assert_eq!(runtime.responds(event, &own).await.status, 202);
    }
    let mut environments = std::collections::BTreeSet::new();
    for call in calls {
        let (answer, finished) = call.await.unwrap();
        assert_eq!(answer.text(), format!("{:?}", answer.request_id));
        assert!(finished.managed);
        environments.insert(finished.environment);
    }
    assert_eq!(environments.len(), 1);
    // Work that goes on after the answers is not stopped.
    runtime.does("touch \"$STAGE/went-on\"");
    within("work after the answers", async {
        while !stage.file("went-on").exists() {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    })
    .await;
    assert_ne!(runtime.state(), Some('T'));
}

#[tokio::test]
async fn extensions_may_register_for_shutdown_only() {
    let stage = play().extension("ext").open().await;
    drop(stage.invoke());
    let extension = stage.meets("ext").await;
    let refused = extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    let expected = json!({
        "errorType": "Extension.InvalidEventType",
        "errorMessage": "INVOKE: invalid event type",
    });
    assert_eq!((refused.status, refused.json()), (403, expected));
    assert_eq!(extension.registers(&["SHUTDOWN"]).await.status, 200);
    assert_eq!(extension.variable("AWS_LAMBDA_MAX_CONCURRENCY"), None);
    assert_eq!(
        extension.variable("AWS_LAMBDA_INITIALIZATION_TYPE"),
        Some("lambda-managed-instances")
    );
    let runtime = stage.runtime().await;
    for events in [json!(["SHUTDOWN"]), json!(["INVOKE"])] {
        let refused = runtime
            .registers_as("inside", &json!({"events": events}))
            .await;
        assert_eq!(refused.json()["errorType"], "Extension.InvalidEventType");
        assert_eq!(refused.status, 403);
    }
    let registered = runtime.registers_as("inside", &json!({"events": []})).await;
    assert_eq!(registered.status, 200);
    assert!(registered.header(IDENTIFIER).is_some());
}

#[tokio::test]
async fn only_the_newest_schema_is_taken() {
    let stage = play().extension("ext").open().await;
    drop(stage.invoke());
    let extension = stage.meets("ext").await;
    extension.registers(&["SHUTDOWN"]).await;
    let listener = Listener::start().await;
    for (schema, status) in [
        ("2022-07-01", 400),
        ("2022-12-13", 400),
        ("2025-01-29", 200),
    ] {
        let body = listener.subscription(&["platform"], schema).to_string();
        let response = extension.request("PUT", TELEMETRY, &[], &body).await;
        assert_eq!(response.status, status, "{schema}");
    }
    let body = listener
        .subscription(&["platform"], "2021-03-18")
        .to_string();
    let response = extension.request("PUT", LOGS, &[], &body).await;
    assert_eq!(response.status, 404);
}

#[tokio::test]
async fn report_has_the_duration_and_two_spans_and_there_is_no_runtime_done() {
    let fleet = Fleet::start().await;
    let report = fleet.listener.hears("platform.report").await;
    let keys =
        |value: &Value| -> Vec<String> { value.as_object().unwrap().keys().cloned().collect() };
    assert_eq!(keys(&report["metrics"]), ["durationMs"]);
    assert_eq!(
        keys(&report),
        ["metrics", "requestId", "spans", "status", "tracing"]
    );
    let spans: Vec<_> = report["spans"]
        .as_array()
        .unwrap()
        .iter()
        .map(|span| &span["name"])
        .collect();
    assert_eq!(spans, ["responseLatency", "responseDuration"]);
    let init = fleet.listener.hears("platform.initStart").await;
    assert_eq!(init["initializationType"], "lambda-managed-instances");
    assert_eq!(
        fleet.listener.kinds(),
        [
            "platform.initStart",
            "platform.telemetrySubscription",
            "platform.initRuntimeDone",
            "platform.extension",
            "platform.initReport",
            "platform.start",
            "platform.report"
        ]
    );
}

#[tokio::test]
async fn batch_is_named_by_its_hash_and_sent_once() {
    let fleet = Fleet::heard_by(Listener::refusing(1).await).await;
    let dropped = fleet.listener.hears("platform.logsDropped").await;
    let posts = fleet.listener.posts();
    for post in &posts {
        let hash = sha2::Sha256::digest(post.body.as_bytes());
        let hash = base64::engine::general_purpose::STANDARD.encode(hash);
        assert_eq!(post.sequence_id.as_ref(), Some(&hash));
    }
    let refused: Vec<Value> = serde_json::from_str(&posts[0].body).unwrap();
    assert_eq!(dropped["droppedRecords"], refused.len());
    let again = posts[1..]
        .iter()
        .filter(|post| post.body.contains("platform.initStart"));
    assert_eq!(again.count(), 0);
}

#[tokio::test]
async fn what_is_due_while_a_batch_is_on_its_way_is_dropped_and_told() {
    let fleet = Fleet::start().await;
    fleet.listener.hears("platform.report").await;
    fleet.listener.answers(false);
    let before = fleet.listener.posts().len();
    fleet.runtime.does("echo first");
    within("the batch that is not answered", async {
        while fleet.listener.posts().len() == before {
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
    })
    .await;
    fleet.runtime.does("echo second");
    // Longer than a batch waits to be fuller.
    tokio::time::sleep(Duration::from_millis(500)).await;
    fleet.listener.answers(true);
    // What is due before the answer has arrived here is dropped with it, on a machine that is slow.
    within("the first line that comes through again", async {
        while lines_of(&fleet.listener).len() < 2 {
            fleet.runtime.does("echo later");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    })
    .await;
    let dropped = fleet.listener.hears("platform.logsDropped").await;
    assert!(dropped["droppedRecords"].as_u64() >= Some(1), "{dropped}");
    let lines = lines_of(&fleet.listener);
    assert_eq!(lines[..2], ["first", "later"]);
    assert!(!lines.iter().any(|line| line == "second"), "{lines:?}");
}

/// What the function has printed, as far as it has come.
fn lines_of(listener: &Listener) -> Vec<String> {
    let events = listener.events().into_iter();
    let lines = events.filter(|event| event["type"] == "function");
    lines
        .map(|event| event["record"].as_str().unwrap().trim().to_owned())
        .collect()
}

#[tokio::test]
async fn timeout_is_the_callers_and_the_code_goes_on() {
    let fleet = Fleet::start().await;
    let call = fleet.stage.invoke();
    let event = fleet.runtime.next().await;
    fleet.stage.sandbox.advance(TIMEOUT);
    let (answer, finished) = call.await.unwrap();
    assert!(answer.text().contains("Task timed out after 60.00 seconds"));
    assert_eq!(finished.status, Status::Timeout);
    let late = fleet.runtime.responds(&event, "late").await;
    let expected = json!({"errorType": "InvokeTimeout", "errorMessage": "Invoke timeout"});
    assert_eq!((late.status, late.json()), (410, expected));
    let call = fleet.stage.invoke();
    let event = fleet.runtime.next().await;
    fleet.runtime.responds(&event, "again").await;
    let (answer, next) = call.await.unwrap();
    assert_eq!(
        (&answer.text()[..], next.environment),
        ("again", finished.environment)
    );
    let report = fleet.listener.hears_nth("platform.report", 2).await;
    assert_eq!(
        (&report["status"], &report["errorType"]),
        (&json!("timeout"), &json!("Sandbox.Timedout"))
    );
}

#[tokio::test]
async fn crash_of_the_runtime_ends_all_invocations_and_the_environment() {
    let fleet = Fleet::start().await;
    let waiting = fleet.extension.asks_event();
    let calls = [fleet.stage.invoke(), fleet.stage.invoke()];
    let workers = [fleet.runtime.asks_next(), fleet.runtime.asks_next()];
    for worker in workers {
        assert_eq!(worker.await.unwrap().status, 200);
    }
    fleet.runtime.does("exit 3");
    let mut ended = Vec::new();
    for call in calls {
        let (answer, finished) = call.await.unwrap();
        assert!(
            answer
                .text()
                .contains("Runtime exited with error: exit status 3")
        );
        assert_eq!(finished.error_type.as_deref(), Some("Runtime.ExitError"));
        ended.push(finished.environment);
    }
    // The extension's first `next` is still open, and the second one was one too many.
    assert_eq!(waiting.await.unwrap().status, 403);
    drop(fleet.stage.invoke());
    let extension = fleet.stage.meets("ext").await;
    assert_ne!(extension.pid, fleet.extension.pid);
}

#[tokio::test]
async fn crash_of_an_extension_ends_the_environment() {
    let fleet = Fleet::start().await;
    let call = fleet.stage.invoke();
    fleet.runtime.next().await;
    fleet.extension.does("exit 0");
    let (answer, finished) = call.await.unwrap();
    assert_eq!(answer.outcome, Outcome::FunctionError);
    assert_eq!(finished.error_type.as_deref(), Some("Extension.Crash"));
    fleet.runtime.until_gone().await;
}

#[tokio::test]
async fn without_a_free_worker_calls_are_throttled() {
    let stage = play().open().await;
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    // The environment takes two more, and nobody asks for them.
    let waits = {
        let sandbox = stage.sandbox.clone();
        tokio::spawn(async move { sandbox.invoke("f", "{}").await })
    };
    let api = stage.sandbox.api_addr();
    let uri = format!("http://{api}/2015-03-31/functions/f/invocations");
    let refused = within("a refusal", request("POST", &uri, &[], "{}")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.header("x-amzn-errortype"),
        Some("TooManyRequestsException")
    );
    assert!(matches!(
        waits.await.unwrap(),
        Err(InvokeError::Throttled { .. })
    ));
    runtime.responds(&event, "{}").await;
    call.await.unwrap();
    // At the limit of environments, a fourth at once does not even wait.
    let calls: Vec<_> = (0..3).map(|_| stage.invoke()).collect();
    let mut events = Vec::new();
    for _ in 0..3 {
        events.push(runtime.next().await);
    }
    let refused = stage.sandbox.call(Invoke::new("f")).await;
    assert!(matches!(refused, Err(InvokeError::Throttled { .. })));
    for event in &events {
        runtime.responds(event, "{}").await;
    }
    for call in calls {
        call.await.unwrap();
    }
}

#[tokio::test]
async fn shutdown_ends_the_runtime_flushes_and_then_tells_the_extensions() {
    let stage = play()
        .sandbox(|sandbox| {
            sandbox.shutdown_timeout(Duration::from_secs(20), Duration::from_secs(10))
        })
        .extension("ext")
        .open()
        .await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["SHUTDOWN"]).await;
    let listener = Listener::start().await;
    let mut slow = listener.subscription(&["platform"], "2025-01-29");
    slow["buffering"]["timeoutMs"] = json!(30_000);
    extension
        .request("PUT", TELEMETRY, &[], &slow.to_string())
        .await;
    let shutdown = extension.asks_event();
    let runtime = stage.runtime().await;
    let event = runtime.next().await;
    runtime.responds(&event, "{}").await;
    call.await.unwrap();
    assert!(listener.posts().is_empty());
    let ending = tokio::spawn(async move { stage.shut_down().await });
    runtime.until_gone().await;
    let told = shutdown.await.unwrap();
    assert_eq!(told.json()["shutdownReason"], "spindown");
    // The last telemetry was there before it.
    assert!(listener.kinds().contains(&"platform.report".to_owned()));
    extension.does("exit 0");
    ending.await.unwrap();
}

#[tokio::test]
async fn definition_asks_for_memory() {
    let folder = tempfile::tempdir().unwrap();
    let function = Function::new("small", folder.path())
        .initialization(Initialization::Managed(ManagedInstances::default()));
    let error = throughline_sandbox::Sandbox::new()
        .function(function)
        .start()
        .await
        .err()
        .unwrap();
    assert_eq!(
        error.to_string(),
        "cannot start small: managed instances have 2048 MB of memory at least, and this function has 128"
    );
}
