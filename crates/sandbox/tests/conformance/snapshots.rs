//! SnapStart: the restore protocol, its events, and where the keys are.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{Function, Initialization, Outcome};

use crate::http::request;
use crate::lifecycle::{Scene, scene};
use crate::listener::Listener;
use crate::stage::{Play, Puppet, RUNTIME, within};

fn snap_start() -> Play {
    Play::new().function(|f: Function| f.initialization(Initialization::SnapStart))
}

async fn restore_next(runtime: &Puppet) -> crate::http::Response {
    let path = format!("{RUNTIME}restore/next");
    runtime.request("GET", &path, &[], "").await
}

#[tokio::test]
async fn restore_next_ends_the_init_and_returns_with_the_first_invocation() {
    let listener = Listener::start().await;
    let stage = snap_start().extension("ext").open().await;
    let call = stage.invoke();
    let extension = stage.meets("ext").await;
    extension.registers(&["INVOKE", "SHUTDOWN"]).await;
    listener.subscribed_by(&extension, &["platform"]).await;
    let asked = extension.asks_event();
    let runtime = stage.runtime().await;
    let restored = restore_next(&runtime).await;
    assert_eq!((restored.status, restored.body.len()), (200, 0));
    listener.hears("platform.restoreStart").await;
    assert!(!asked.is_finished(), "extensions hear nothing of a restore");
    let event = runtime.next().await;
    within("INVOKE", asked).await.unwrap();
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    let asked = extension.asks_event();
    let (_, finished) = call.await.unwrap();
    assert_eq!((finished.init, finished.cold_start), (None, true));
    assert!(finished.restore.is_some());

    let start = listener.hears("platform.restoreStart").await;
    assert_eq!(start["functionName"], "f");
    assert!(start["instanceId"].is_string() && start["instanceMaxMemory"].is_u64());
    assert_eq!(
        listener.hears("platform.initStart").await["initializationType"],
        "snap-start"
    );
    assert_eq!(
        listener.hears("platform.restoreRuntimeDone").await,
        json!({"status": "success"})
    );
    let told = listener.hears("platform.restoreReport").await;
    assert_eq!(told["status"], "success");
    assert!(told["metrics"]["durationMs"].is_f64());
    let position = |kind: &str| {
        listener
            .kinds()
            .iter()
            .position(|found| found == kind)
            .unwrap()
    };
    let order = [
        "platform.initReport",
        "platform.restoreStart",
        "platform.restoreRuntimeDone",
        "platform.restoreReport",
        "platform.start",
    ];
    assert!(order.map(position).is_sorted());

    let down = tokio::spawn(stage.shut_down());
    let metrics = listener.hears("platform.report").await["metrics"].clone();
    assert!(metrics["restoreDurationMs"].is_f64() && metrics["billedRestoreDurationMs"].is_u64());
    assert!(metrics["initDurationMs"].is_null());
    within("SHUTDOWN", asked).await.unwrap();
    extension.does("exit 0");
    down.await.unwrap();
}

#[tokio::test]
async fn restore_that_fails_is_told_and_fails_the_invocation() {
    let stage = snap_start().open().await;
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    restore_next(&runtime).await;
    let headers = [(
        "lambda-runtime-function-error-type",
        "Runtime.AfterRestoreError",
    )];
    let body = r#"{"errorType":"Stale","errorMessage":"the connection is old"}"#;
    let taken = runtime.post("restore/error", &headers, body).await;
    assert_eq!((taken.status, taken.json()), (202, json!({"status": "OK"})));
    let (answer, finished) = call.await.unwrap();
    assert_eq!(
        (answer.outcome, answer.text().as_str()),
        (Outcome::FunctionError, body)
    );
    assert_eq!(
        finished.error_type.as_deref(),
        Some("Runtime.AfterRestoreError")
    );
}

#[tokio::test]
async fn callers_by_the_aws_api_hear_that_the_restore_failed() {
    let cases = [
        (false, 400, "SnapStartException"),
        (true, 408, "SnapStartTimeoutException"),
    ];
    for (late, status, name) in cases {
        for path in [
            "2015-03-31/functions/f/invocations",
            "2021-11-15/functions/f/response-streaming-invocations",
        ] {
            let stage = snap_start().open().await;
            let uri = format!("http://{}/{path}", stage.sandbox.api_addr());
            let call = tokio::spawn(async move { request("POST", &uri, &[], "{}").await });
            let runtime = stage.runtime().await;
            restore_next(&runtime).await;
            if late {
                stage.sandbox.advance(Duration::from_secs(10));
            } else {
                runtime.post("restore/error", &[], "{}").await;
            }
            let answer = within("the refusal", call).await.unwrap();
            assert_eq!(
                (answer.status, answer.header("x-amzn-errortype")),
                (status, Some(name))
            );
            assert_eq!(answer.json()["Type"], "User");
        }
    }
}

#[tokio::test]
async fn runtime_that_never_asks_to_be_restored_works_too() {
    let Scene {
        stage: _stage,
        call,
        extension,
        runtime,
        event,
        listener,
    } = scene(snap_start()).await;
    runtime.responds(&event, "1").await;
    runtime.asks_next();
    listener.hears("platform.runtimeDone").await;
    extension.asks_event();
    assert_eq!(call.await.unwrap().0.text(), "1");
    assert_eq!(
        listener.hears("platform.restoreReport").await["status"],
        "success"
    );
}

#[tokio::test]
async fn without_snap_start_the_paths_are_not_there() {
    let stage = Play::new().open().await;
    let (_call, runtime, _) = stage.first_call().await;
    assert_eq!(restore_next(&runtime).await.status, 404);
    assert_eq!(runtime.post("restore/error", &[], "{}").await.status, 404);
    let credentials = runtime
        .request(
            "GET",
            "/2021-04-23/credentials",
            &[("authorization", "x")],
            "",
        )
        .await;
    assert_eq!(credentials.status, 404);
}

#[tokio::test]
async fn keys_are_asked_for_with_the_token_from_the_variables() {
    let stage = snap_start().open().await;
    let _call = stage.invoke();
    let runtime = stage.runtime().await;
    for name in [
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        assert_eq!(runtime.variable(name), None, "{name}");
    }
    let uri = runtime
        .variable("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .unwrap();
    let token = runtime
        .variable("AWS_CONTAINER_AUTHORIZATION_TOKEN")
        .unwrap();
    let found = request("GET", uri, &[("authorization", token)], "").await;
    assert_eq!(found.status, 200);
    let found = found.json();
    for name in ["AccessKeyId", "SecretAccessKey", "Token", "Expiration"] {
        assert!(found[name].is_string(), "{found}");
    }
    assert_eq!(
        request("GET", uri, &[("authorization", "no")], "")
            .await
            .status,
        404
    );
    assert_eq!(request("GET", uri, &[], "").await.status, 404);
}

#[tokio::test]
async fn metadata_is_kept_for_long_only_after_the_restore() {
    let stage = snap_start().open().await;
    let call = stage.invoke();
    let runtime = stage.runtime().await;
    let api = runtime.variable("AWS_LAMBDA_METADATA_API").unwrap();
    let token = format!(
        "Bearer {}",
        runtime.variable("AWS_LAMBDA_METADATA_TOKEN").unwrap()
    );
    let uri = format!("http://{api}/2026-01-15/metadata/execution-environment");
    let keep = async || {
        let found = request("GET", &uri, &[("authorization", &token)], "").await;
        found.header("cache-control").unwrap().to_owned()
    };
    assert_eq!(keep().await, "private, max-age=1, immutable");
    restore_next(&runtime).await;
    assert_eq!(keep().await, "private, max-age=43200, immutable");
    call.abort();
}

#[tokio::test]
async fn log_stream_is_not_known_before_the_restore() {
    let stage = snap_start().open().await;
    let _call = stage.invoke();
    let runtime = stage.runtime().await;
    assert_eq!(runtime.variable("AWS_LAMBDA_LOG_GROUP_NAME"), None);
    assert_eq!(runtime.variable("AWS_LAMBDA_LOG_STREAM_NAME"), None);
    assert_eq!(
        runtime.variable("AWS_LAMBDA_INITIALIZATION_TYPE"),
        Some("snap-start")
    );
}

#[tokio::test]
async fn tenants_do_not_share_environments() {
    let stage = Play::new().sandbox(|s| s.concurrency(2)).open().await;
    let mut seen: Vec<(String, String)> = Vec::new();
    let mut puppets: Vec<(
        String,
        Puppet,
        tokio::task::JoinHandle<crate::http::Response>,
    )> = Vec::new();
    // Blue comes back to its own environment; green is the third and takes the place of red, who slept longest.
    for tenant in ["red", "blue", "blue", "green"] {
        let call = stage.call(throughline_sandbox::Invoke::new("f").tenant_id(tenant));
        let known = puppets.iter().position(|(whose, ..)| whose == tenant);
        let (runtime, event) = match known {
            Some(index) => {
                let (_, runtime, next) = puppets.remove(index);
                (runtime, within("the event", next).await.unwrap())
            }
            None => {
                let runtime = stage.runtime().await;
                let event = runtime.next().await;
                (runtime, event)
            }
        };
        assert_eq!(event.header("lambda-runtime-aws-tenant-id"), Some(tenant));
        runtime.responds(&event, "1").await;
        puppets.push((tenant.to_owned(), runtime.again(), runtime.asks_next()));
        let (_, finished) = call.await.unwrap();
        seen.push((tenant.to_owned(), finished.environment));
    }
    assert_eq!(seen[1].1, seen[2].1);
    let mut environments: Vec<_> = seen.iter().map(|(_, environment)| environment).collect();
    environments.sort();
    environments.dedup();
    assert_eq!(environments.len(), 3);
}

#[tokio::test]
async fn share_of_the_runtime_in_a_shutdown_is_a_setting() {
    for millis in [300, 600] {
        let play = Play::new().sandbox(|s| {
            s.shutdown_timeout(Duration::from_secs(20), Duration::from_millis(millis))
        });
        let Scene {
            stage,
            call,
            extension,
            runtime,
            event,
            listener,
        } = scene(play).await;
        runtime.does("trap '' TERM; touch \"$STAGE/deaf\"");
        // It must not be frozen before it has read this.
        within("a deaf runtime", async {
            while !stage.file("deaf").exists() {
                tokio::time::sleep(Duration::from_millis(3)).await;
            }
        })
        .await;
        runtime.responds(&event, "1").await;
        runtime.asks_next();
        listener.hears("platform.runtimeDone").await;
        let asked = extension.asks_event();
        call.await.unwrap();
        let began = tokio::time::Instant::now();
        let down = tokio::spawn(stage.shut_down());
        let told: Value = within("SHUTDOWN", asked).await.unwrap().json();
        let took = began.elapsed();
        assert!(took >= Duration::from_millis(millis), "{took:?}");
        assert!(told["deadlineMs"].is_u64());
        extension.does("exit 0");
        down.await.unwrap();
    }
}
