//! What every runtime client is asked for.

use std::time::Duration;

use serde_json::{Value, json};
use throughline_sandbox::{
    Activity, Answer, Finished, Function, Invoke, LogFormat, Outcome, RunningSandbox, Sandbox,
    Status,
};
use tokio::sync::broadcast;

use crate::client::{Memory, Messages, Refused};
use crate::{Client, Code};

/// The tests of the client in the module that says this.
#[macro_export]
macro_rules! matrix {
    () => {
        #[tokio::test]
        async fn good_call_gets_the_whole_context() {
            $crate::matrix::good(&CLIENT).await;
        }

        #[tokio::test]
        async fn failing_handler_is_told_as_the_client_tells_it() {
            $crate::matrix::failing(&CLIENT).await;
        }

        #[tokio::test]
        async fn handler_that_hangs_times_out() {
            $crate::matrix::timing_out(&CLIENT).await;
        }

        #[tokio::test]
        async fn killed_process_is_told_and_replaced() {
            $crate::matrix::killed(&CLIENT).await;
        }

        #[tokio::test]
        async fn memory_beyond_the_limit_is_refused_or_fatal() {
            $crate::matrix::out_of_memory(&CLIENT).await;
        }

        #[tokio::test]
        async fn answer_that_is_too_large_is_refused() {
            $crate::matrix::too_large(&CLIENT).await;
        }

        #[tokio::test]
        async fn failing_init_is_told() {
            $crate::matrix::failing_init(&CLIENT).await;
        }

        #[tokio::test]
        async fn structured_logs_have_levels() {
            $crate::matrix::structured_logs(&CLIENT).await;
        }

        #[tokio::test]
        async fn answers_stream_if_the_client_can() {
            $crate::streaming::check(&CLIENT).await;
        }
    };
}

/// A sandbox with the client's function, and what must outlive it.
pub(crate) struct Started {
    pub(crate) sandbox: RunningSandbox,
    activity: broadcast::Receiver<Activity>,
    _code: Code,
}

/// Starts the client's function, or says why not.
pub(crate) async fn start(
    client: &Client,
    change: impl FnOnce(Function) -> Function,
) -> Option<Started> {
    let code = match (client.code)() {
        Ok(code) => code,
        Err(reason) => {
            println!("skipped: {reason}");
            return None;
        }
    };
    let function = Function::new("f", &code.folder)
        .runtime(client.runtime.parse().unwrap())
        .handler(client.handler)
        .timeout(Duration::from_secs(30));
    let function = change((client.with)(function));
    let sandbox = Sandbox::new()
        .function(function)
        .init_timeout(Duration::from_secs(30))
        .record()
        .start()
        .await
        .unwrap();
    Some(Started {
        activity: sandbox.activity(),
        sandbox,
        _code: code,
    })
}

impl Started {
    pub(crate) async fn call(&self, event: Value) -> (Answer, Finished) {
        self.invoke(Invoke::new("f").payload(event.to_string()))
            .await
    }

    pub(crate) async fn invoke(&self, invoke: Invoke) -> (Answer, Finished) {
        self.sandbox.call_to_end(invoke).await.unwrap()
    }

    /// The lines up to the first one that is wanted.
    async fn lines_until(&mut self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        let all = async {
            loop {
                if let Activity::Line(line) = self.activity.recv().await.unwrap() {
                    lines.push(line.text);
                    if wanted(lines.last().unwrap()) {
                        return;
                    }
                }
            }
        };
        if tokio::time::timeout(Duration::from_secs(20), all)
            .await
            .is_err()
        {
            panic!("the line that was waited for is not in {lines:#?}");
        }
        lines
    }
}

pub(crate) async fn good(client: &Client) {
    let Some(mut started) = start(client, |function| function).await else {
        return;
    };
    let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1;Lineage=a87bd80c:0";
    let context = json!({"custom": {"cart": "7"}});
    let invoke = Invoke::new("f")
        .trace_header(trace)
        .client_context(context.to_string());
    let (answer, finished) = started.invoke(invoke).await;
    let returned = json_of(&answer);
    let remaining_ms = returned["remaining_ms"].as_u64();
    assert!(
        remaining_ms.is_some_and(|left| (1..=30_000).contains(&left)),
        "{returned}"
    );
    let expected = json!({
        "request": answer.request_id,
        "arn": "arn:aws:lambda:us-east-1:123456789012:function:f",
        "function": "f",
        "memory_mb": 128,
        "trace": trace,
        "custom": {"cart": "7"},
    });
    for (key, expected) in expected.as_object().unwrap() {
        assert_eq!(&returned[key], expected, "{key}");
    }
    assert_eq!(
        (finished.status, finished.cold_start),
        (Status::Success, true)
    );
    let told = |name: &str| {
        let exchanges = started.sandbox.recorded();
        let answer = exchanges.iter().find(|one| one.path.ends_with("/response"));
        answer.unwrap().header(name).map(str::to_owned)
    };
    let echoed = told("lambda-runtime-invocation-id");
    assert_eq!(echoed.is_some(), client.echoes, "{echoed:?}");
    if let Some(expected) = client.agent {
        let agent = told("user-agent").unwrap_or_default();
        assert!(agent.starts_with(expected), "{agent:?}");
    }
    let lines = started.lines_until(|line| line.contains("lines")).await;
    let last = lines.last().unwrap();
    match client.messages {
        Messages::Whole => assert!(last.contains("two\nlines"), "{lines:#?}"),
        Messages::LineByLine => assert_eq!(last, "lines", "{lines:#?}"),
    }
    let (answer, finished) = started.call(json!({})).await;
    assert_eq!(json_of(&answer)["custom"], Value::Null);
    assert!(!finished.cold_start);
    started.sandbox.shutdown().await;
}

pub(crate) async fn failing(client: &Client) {
    let Some(started) = start(client, |function| function).await else {
        return;
    };
    let (answer, finished) = started.call(json!({"do": "throw"})).await;
    assert_eq!(answer.outcome, Outcome::FunctionError);
    let error = json_of(&answer);
    assert_eq!(error["errorType"], client.failure, "{error}");
    assert_eq!(error["errorMessage"], "on purpose", "{error}");
    let fields: Vec<_> = error.as_object().unwrap().keys().collect();
    assert_eq!(fields, client.failure_fields);
    // To the platform a handled error is a success.
    assert_eq!(finished.status, Status::Success);
    let (_, finished) = started.call(json!({})).await;
    assert!(!finished.cold_start);
    started.sandbox.shutdown().await;
}

pub(crate) async fn timing_out(client: &Client) {
    let timeout = Duration::from_secs(1);
    let Some(started) = start(client, |function| function.timeout(timeout)).await else {
        return;
    };
    let (answer, finished) = started.call(json!({"do": "hang"})).await;
    let message = format!(
        "RequestId: {} Error: Task timed out after 1.00 seconds",
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
    started.sandbox.shutdown().await;
}

pub(crate) async fn killed(client: &Client) {
    let Some(started) = start(client, |function| function).await else {
        return;
    };
    let (answer, finished) = started.call(json!({"do": "kill"})).await;
    assert_killed(&answer, &finished);
    let (answer, finished) = started.call(json!({})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
    assert!(finished.cold_start);
    started.sandbox.shutdown().await;
}

pub(crate) async fn out_of_memory(client: &Client) {
    let memory_mb = match client.memory {
        Memory::Killed => 128,
        // So that what is not heap has room above it.
        Memory::Told(_) => 512,
    };
    let limited = |function: Function| function.memory_mb(memory_mb);
    let Some(started) = start(client, limited).await else {
        return;
    };
    let (answer, finished) = started.call(json!({"do": "memory"})).await;
    if answer.outcome == Outcome::Returned && !started.sandbox.limits_memory() {
        println!("skipped: the memory of processes is not limited on this machine");
        return;
    }
    match client.memory {
        Memory::Killed => {
            assert_killed(&answer, &finished);
            let report = finished.report_lines();
            let expected = "Memory Size: 128 MB\tMax Memory Used: 128 MB\t";
            assert!(report.contains(expected), "{report:?}");
        }
        Memory::Told(error_type) => {
            assert_eq!(json_of(&answer)["errorType"], error_type);
            assert_ended(&finished);
        }
    }
    let (answer, finished) = started.call(json!({})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
    assert!(finished.cold_start);
    started.sandbox.shutdown().await;
}

pub(crate) async fn too_large(client: &Client) {
    let Some(started) = start(client, |function| function.memory_mb(512)).await else {
        return;
    };
    let (answer, finished) = started.call(json!({"do": "big"})).await;
    let error = json_of(&answer);
    assert_eq!(
        error["errorType"], "Function.ResponseSizeTooLarge",
        "{error}"
    );
    match client.refused {
        Refused::GoesOn => assert_eq!(finished.status, Status::Success),
        Refused::Ends => assert_ended(&finished),
    }
    let (answer, next) = started.call(json!({})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
    assert_eq!(next.cold_start, finished.status != Status::Success);
    started.sandbox.shutdown().await;
}

fn assert_killed(answer: &Answer, finished: &Finished) {
    let message = format!(
        "RequestId: {} Error: Runtime exited with error: signal: killed",
        answer.request_id
    );
    assert_eq!(
        json_of(answer),
        json!({"errorType": "Runtime.ExitError", "errorMessage": message})
    );
    assert_ended(finished);
}

pub(crate) fn assert_ended(finished: &Finished) {
    assert_eq!(
        (finished.status, finished.error_type.as_deref()),
        (Status::Error, Some("Runtime.ExitError"))
    );
    let report = finished.report_lines();
    let expected = "Status: error\tError Type: Runtime.ExitError";
    assert!(report.contains(expected), "{report:?}");
}

pub(crate) async fn failing_init(client: &Client) {
    let Some(started) = start(client, |function| function.env("FAIL_INIT", "1")).await else {
        return;
    };
    let (answer, finished) = started.call(json!({})).await;
    let error = json_of(&answer);
    assert_eq!(error["errorType"], client.init_failure, "{error}");
    assert_eq!(finished.status, Status::Error);
    started.sandbox.shutdown().await;
}

pub(crate) async fn structured_logs(client: &Client) {
    let json_format = |function: Function| function.log_format(LogFormat::Json);
    let Some(mut started) = start(client, json_format).await else {
        return;
    };
    let (answer, _) = started.call(json!({"do": "log"})).await;
    assert_eq!(answer.outcome, Outcome::Returned);
    let lines = started.lines_until(|line| line.contains("it broke")).await;
    assert!(
        !lines.iter().any(|line| line.contains("a detail")),
        "{lines:#?}"
    );
    let told = |wanted: &str| -> Value {
        let line = lines.iter().find(|line| line.contains(wanted));
        serde_json::from_str(line.unwrap_or_else(|| panic!("no {wanted} in {lines:#?}")))
            .unwrap_or_else(|error| panic!("{error}: {lines:#?}"))
    };
    for (message, level) in [("for the record", "INFO"), ("it broke", "ERROR")] {
        let line = told(message);
        let found = |pointer| line.pointer(pointer).and_then(Value::as_str);
        assert_eq!(found(client.json.level), Some(level), "{line}");
        assert_eq!(found(client.json.message), Some(message), "{line}");
        let request_id = client.json.request_id;
        assert_eq!(found(request_id), Some(&*answer.request_id), "{line}");
    }
    started.sandbox.shutdown().await;
}

pub(crate) fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.payload)
        .unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}
