//! Runtime clients on Managed Instances, each in the way in which it takes several invocations at once.

use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use throughline_sandbox::{
    Answer, Finished, Function, Initialization, Invoke, MANAGED_MEMORY_MB_MIN, ManagedInstances,
    Outcome, RunningSandbox, Sandbox, Status,
};

use crate::client::installed;
use crate::matrix::json_of;
use crate::{Client, Code, node, python, rust};

/// A client that knows of `AWS_LAMBDA_MAX_CONCURRENCY`.
pub(crate) struct Concurrent {
    pub(crate) client: Client,
    /// What its workers are.
    pub(crate) workers: &'static str,
    /// What becomes of a worker whose invocation has timed out.
    pub(crate) hung: &'static str,
}

pub(crate) const CLIENTS: [Concurrent; 3] = [RUST, PYTHON, NODE];

pub(crate) const RUST: Concurrent = Concurrent {
    client: Client {
        code: || Ok(Code::found(installed("rust")?)),
        ..rust::CLIENT
    },
    workers: "tasks of `run_concurrent`, with the feature `concurrency-tokio`; `run` takes one invocation at a time and says so",
    hung: "is lost until its handler ends",
};

pub(crate) const PYTHON: Concurrent = Concurrent {
    client: python::CLIENT,
    workers: "processes, forked before the handler's module is loaded",
    hung: "is lost until its handler ends",
};

pub(crate) const NODE: Concurrent = Concurrent {
    client: node::CLIENT,
    workers: "threads, `AWS_LAMBDA_NODEJS_WORKER_COUNT` or eight for each core, each with any number of invocations",
    hung: "goes on with others",
};

struct Started {
    sandbox: RunningSandbox,
    folder: tempfile::TempDir,
    _code: Code,
}

/// One environment for three invocations at once, or why there is none.
async fn start(client: &Client, timeout: Duration) -> Option<Started> {
    let code = match (client.code)() {
        Ok(code) => code,
        Err(reason) => {
            println!("skipped: {reason}");
            return None;
        }
    };
    let instances = ManagedInstances {
        max_concurrency: AT_ONCE,
        environments_min: 1,
    };
    let function = Function::new("f", &code.folder)
        .runtime(client.runtime.parse().unwrap())
        .handler(client.handler)
        .timeout(timeout)
        .memory_mb(MANAGED_MEMORY_MB_MIN)
        .concurrency(1)
        .initialization(Initialization::Managed(instances));
    let sandbox = Sandbox::new().function((client.with)(function));
    Some(Started {
        sandbox: sandbox.start().await.unwrap(),
        folder: tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap(),
        _code: code,
    })
}

impl Started {
    async fn call(&self, event: Value) -> (Answer, Finished) {
        let invoke = Invoke::new("f").payload(event.to_string());
        self.sandbox.call_to_end(invoke).await.unwrap()
    }

    /// An invocation that ends when so many of its like are under way.
    fn meeting(&self, count: usize) -> Value {
        let folder: PathBuf = self.folder.path().join(count.to_string());
        std::fs::create_dir_all(&folder).unwrap();
        json!({"do": "meet", "folder": folder, "count": count})
    }
}

async fn overlapping(client: &Client) {
    let Some(started) = start(client, Duration::from_secs(30)).await else {
        return;
    };
    let calls = (0..AT_ONCE).map(|_| started.call(started.meeting(AT_ONCE)));
    let ended = join_all(calls).await;
    for (answer, finished) in &ended {
        assert_eq!(answer.outcome, Outcome::Returned, "{}", answer.text());
        assert_eq!(json_of(answer), json_of(&ended[0].0));
        assert_eq!(finished.environment, ended[0].1.environment);
        assert!(finished.managed);
    }
    started.sandbox.shutdown().await;
}

async fn failing_beside_others(client: &Client) {
    let Some(started) = start(client, Duration::from_secs(30)).await else {
        return;
    };
    let (one, failing, other) = tokio::join!(
        started.call(started.meeting(2)),
        started.call(json!({"do": "throw"})),
        started.call(started.meeting(2)),
    );
    for (answer, _) in [&one, &other] {
        assert_eq!(answer.outcome, Outcome::Returned, "{}", answer.text());
    }
    let (answer, finished) = failing;
    assert_eq!(answer.outcome, Outcome::FunctionError);
    let error = json_of(&answer);
    assert_eq!(error["errorType"], client.failure, "{error}");
    // No client sends a type that the platform knows.
    assert_eq!(
        (finished.status, finished.error_type.as_deref()),
        (Status::Error, Some("Runtime.Unknown"))
    );
    let (_, next) = started.call(started.meeting(1)).await;
    assert_eq!(
        (next.cold_start, next.environment),
        (false, finished.environment)
    );
    started.sandbox.shutdown().await;
}

async fn timing_out_beside_others(client: &Client) {
    let timeout = Duration::from_secs(4);
    let Some(started) = start(client, timeout).await else {
        return;
    };
    let (hanging, other) = tokio::join!(
        started.call(json!({"do": "hang"})),
        started.call(started.meeting(1)),
    );
    assert_eq!(other.0.outcome, Outcome::Returned, "{}", other.0.text());
    let (answer, finished) = hanging;
    let message = format!(
        "RequestId: {} Error: Task timed out after 4.00 seconds",
        answer.request_id
    );
    assert_eq!(
        json_of(&answer),
        json!({"errorType": "Sandbox.Timedout", "errorMessage": message})
    );
    assert_eq!(
        (finished.status, finished.duration),
        (Status::Timeout, timeout)
    );
    // The environment goes on, with what is left of its workers.
    let (one, two) = tokio::join!(
        started.call(started.meeting(2)),
        started.call(started.meeting(2)),
    );
    for (answer, next) in [one, two] {
        assert_eq!(answer.outcome, Outcome::Returned, "{}", answer.text());
        assert_eq!(
            (next.cold_start, &next.environment),
            (false, &finished.environment)
        );
    }
    started.sandbox.shutdown().await;
}

macro_rules! concurrent {
    ($($name:ident: $client:expr;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test]
            async fn invocations_overlap_in_one_environment() {
                overlapping(&$client.client).await;
            }

            #[tokio::test]
            async fn failure_is_that_of_one_invocation() {
                failing_beside_others(&$client.client).await;
            }

            #[tokio::test]
            async fn timeout_is_that_of_one_invocation() {
                timing_out_beside_others(&$client.client).await;
            }
        }
    )*};
}

concurrent! {
    rust_client: RUST;
    python_client: PYTHON;
    node_client: NODE;
}

const AT_ONCE: usize = 3;
