//! An assistant that starts `throughline mcp`, with the client that it uses.

use std::process::Stdio;
use std::time::{SystemTime, UNIX_EPOCH};

use rmcp::ServiceExt;
use rmcp::model::{CallToolRequestParams, CallToolResult, ContentBlock};
use rmcp::service::{RoleClient, RunningService};
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use crate::process::{BINARY, Process};

async fn start(server: &str) -> (Child, RunningService<RoleClient, ()>) {
    let mut child = Command::new(BINARY)
        .args(["mcp", "--server", server])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("it starts");
    let (input, output) = (child.stdin.take(), child.stdout.take());
    let pipes = (output.expect("piped"), input.expect("piped"));
    let client = ().serve(pipes).await.expect("it speaks the protocol");
    (child, client)
}

async fn call(client: &RunningService<RoleClient, ()>, tool: &'static str) -> CallToolResult {
    let request = CallToolRequestParams::new(tool);
    client.call_tool(request).await.expect("it answers")
}

fn text(result: &CallToolResult) -> &str {
    match result.content.as_slice() {
        [ContentBlock::Text(text)] => &text.text,
        other => panic!("one text: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::disallowed_methods)] // what is asked for is of the last hour
async fn an_assistant_starts_it_and_asks() {
    let directory = tempfile::tempdir().unwrap();
    let server = Process::serve(directory.path(), &[]);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let start_nanos = now.as_nanos() - 60_000_000_000;
    let spans = json!([{"traceId": "000000000000000000000000000000a1", "spanId": "00000000000000a1",
        "name": "pay", "kind": 2, "startTimeUnixNano": start_nanos.to_string(),
        "endTimeUnixNano": (start_nanos + 40_000_000).to_string()}]);
    let resource =
        json!({"attributes": [{"key": "service.name", "value": {"stringValue": "pay"}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]});
    server.post_json("/v1/traces", &body).await;

    let (mut child, client) = start(&server.http()).await;
    let result = call(&client, "overview").await;
    let answer: Value = serde_json::from_str(text(&result)).expect("it is JSON");
    assert_eq!(
        answer["telemetry"]["services"][0]["name"], "pay",
        "{answer}"
    );
    let permalink = answer["permalink"].as_str().expect("an address");
    assert!(
        permalink.starts_with(&format!("http://{}/", server.http())),
        "{permalink}"
    );
    client.cancel().await.expect("it ends");
    assert!(child.wait().await.expect("it ends").success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_not_there_is_told_to_the_assistant() {
    let (_child, client) = start("127.0.0.1:1").await;
    let result = call(&client, "overview").await;
    assert_eq!(result.is_error, Some(true));
    assert!(
        text(&result).contains("no server listens on 127.0.0.1:1"),
        "{}",
        text(&result)
    );
    client.cancel().await.expect("it ends");
}
