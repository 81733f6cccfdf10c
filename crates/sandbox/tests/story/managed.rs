//! Managed Instances with real processes.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use throughline_sandbox::{
    Fault, Function, Initialization, MANAGED_MEMORY_MB_MIN, ManagedInstances, RunningSandbox,
    Sandbox, Status, Victim,
};

use crate::{call, json_of, request, until_gone};

/// As many workers as it may have. An invocation that says so waits until two are there.
const PROGRAM: &str = r#"#!/usr/bin/env python3
import http.client, json, os, threading
met = threading.Barrier(2)
def work():
    api = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    def ask(method, path, body=None):
        api.request(method, "/2018-06-01/runtime/invocation" + path, body)
        response = api.getresponse()
        return response.headers, response.read()
    while True:
        headers, event = ask("GET", "/next")
        if json.loads(event).get("meet"):
            met.wait(15)
        ask("POST", f"/{headers['Lambda-Runtime-Aws-Request-Id']}/response", str(os.getpid()))
for _ in range(int(os.environ["AWS_LAMBDA_MAX_CONCURRENCY"])):
    threading.Thread(target=work).start()
"#;

async fn start(environments_min: usize, idle_timeout: Duration) -> RunningSandbox {
    let folder = crate::folder().unwrap();
    let bootstrap = folder.path().join("bootstrap");
    fs::write(&bootstrap, PROGRAM).unwrap();
    fs::set_permissions(&bootstrap, fs::Permissions::from_mode(0o755)).unwrap();
    let function = Function::new("f", folder.keep())
        .timeout(HOUR)
        .memory_mb(MANAGED_MEMORY_MB_MIN)
        .concurrency(3)
        .initialization(Initialization::Managed(ManagedInstances {
            max_concurrency: 2,
            environments_min,
        }));
    let sandbox = Sandbox::new().function(function).idle_timeout(idle_timeout);
    sandbox.start().await.unwrap()
}

/// Pairs of invocations that end only when both of them run in one environment.
async fn pairs(sandbox: &RunningSandbox, count: usize) -> BTreeSet<u64> {
    let calls = (0..2 * count).map(|_| call(sandbox, json!({"meet": true})));
    let ended = join_all(calls).await;
    ended
        .iter()
        .map(|(answer, _)| json_of(answer).as_u64().unwrap())
        .collect()
}

#[tokio::test]
async fn environments_are_there_from_the_start_and_are_replaced() {
    let sandbox = start(2, Duration::from_secs(300)).await;
    let first = pairs(&sandbox, 2).await;
    assert_eq!(first.len(), 2);
    // The third one is more than there always are.
    let second = pairs(&sandbox, 3).await;
    assert_eq!(second.len(), 3);
    assert!(second.is_superset(&first));
    sandbox
        .fault(Fault::kill(Victim::Runtime).times(1))
        .unwrap();
    let (answer, finished) = call(&sandbox, json!({"meet": true})).await;
    assert!(
        answer
            .text()
            .contains("Runtime exited with error: signal: killed"),
        "{}",
        answer.text()
    );
    assert_eq!(finished.error_type.as_deref(), Some("Runtime.ExitError"));
    let third = pairs(&sandbox, 3).await;
    assert_eq!((third.len(), third.intersection(&second).count()), (3, 2));
    sandbox.shutdown().await;
}

#[tokio::test]
async fn environments_beyond_the_least_end_when_idle() {
    let sandbox = start(1, Duration::from_millis(300)).await;
    let pids = pairs(&sandbox, 2).await;
    assert_eq!(pids.len(), 2);
    let (kept, _) = call(&sandbox, json!({})).await;
    let kept = json_of(&kept);
    // Whichever of them stays, one goes.
    let ends = pids.iter().map(|pid| Box::pin(until_gone_of(*pid)));
    let (_, gone, _) = futures_util::future::select_all(ends).await;
    let left: Vec<_> = pids
        .iter()
        .enumerate()
        .filter(|(index, _)| *index != gone)
        .collect();
    let (answer, finished) = call(&sandbox, json!({})).await;
    assert_eq!(json_of(&answer), json!(left[0].1));
    assert!(!finished.cold_start, "kept {kept}");
    sandbox.shutdown().await;
}

async fn until_gone_of(pid: u64) {
    until_gone(&Value::from(pid)).await;
}

#[tokio::test]
async fn invocation_goes_on_beyond_a_quarter_of_an_hour() {
    let sandbox = start(1, Duration::from_secs(300)).await;
    let long = call(&sandbox, json!({"meet": true}));
    let forward = async {
        // While one waits for the other, the other is answered at once.
        call(&sandbox, json!({})).await;
        sandbox.advance(HOUR * 3 / 4);
        call(&sandbox, json!({"meet": true})).await
    };
    let ((answer, finished), (_, other)) = tokio::join!(long, forward);
    assert_eq!(finished.status, Status::Success, "{}", answer.text());
    assert!(finished.duration >= HOUR * 3 / 4, "{finished:?}");
    assert!(other.duration < HOUR / 4, "{other:?}");
    let hanging = call(&sandbox, json!({"meet": true}));
    let forward = async {
        call(&sandbox, json!({})).await;
        sandbox.advance(HOUR);
    };
    let ((answer, finished), ()) = tokio::join!(hanging, forward);
    assert!(
        answer
            .text()
            .contains("Task timed out after 3600.00 seconds")
    );
    assert_eq!(finished.status, Status::Timeout);
    sandbox.shutdown().await;
}

#[tokio::test]
async fn configuration_names_the_capacity_provider() {
    let sandbox = start(0, Duration::from_secs(300)).await;
    let uri = format!(
        "http://{}/2015-03-31/functions/f/configuration",
        sandbox.api_addr()
    );
    let told = request("GET", &uri, &[], "").await.json();
    assert_eq!(
        told["CapacityProviderConfig"]["LambdaManagedInstancesCapacityProviderConfig"],
        json!({
            "CapacityProviderArn": "arn:aws:lambda:us-east-1:123456789012:capacity-provider:sandbox",
            "PerExecutionEnvironmentMaxConcurrency": 2,
        })
    );
}

const HOUR: Duration = Duration::from_secs(3600);
