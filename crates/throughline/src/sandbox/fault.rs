//! `throughline sandbox fault`: a client of the sandbox's control API.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Method, Request};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Map, Value, json};

use super::invoke::{no_sandbox, unreached};
use crate::cli::{AddFault, Fault, FaultCommand};
use crate::output;

pub(super) async fn run(arguments: &Fault) -> anyhow::Result<ExitCode> {
    let api = arguments.api;
    let told = match &arguments.command {
        FaultCommand::Add(fault) => {
            let answer = call(api, Method::POST, "", Some(described(fault)?)).await?;
            format!("{}\n", answer["id"])
        }
        FaultCommand::List { json } => {
            let answer = call(api, Method::GET, "", None).await?;
            let faults = answer["faults"].as_array().cloned().unwrap_or_default();
            match json {
                true => format!("{}\n", Value::Array(faults)),
                false => table(&faults),
            }
        }
        FaultCommand::Remove { id, .. } => {
            let path = id.map(|id| format!("/{id}")).unwrap_or_default();
            let answer = call(api, Method::DELETE, &path, None).await?;
            format!("{} removed\n", answer["removed"])
        }
    };
    output::print(told)?;
    Ok(ExitCode::SUCCESS)
}

/// What was said, as the control API wants it. What does not belong together is for that to say.
fn described(fault: &AddFault) -> anyhow::Result<Value> {
    let payload = match &fault.payload {
        Some(text) => Some(serde_json::from_str(text).context("the payload is no JSON")?),
        None => None,
    };
    let on_environments = fault.on_environments.then_some(true);
    let fields = [
        ("what", Some(json!(fault.what))),
        ("function", fault.function.as_ref().map(|name| json!(name))),
        (
            "process",
            fault.process.as_ref().map(|process| json!(process)),
        ),
        (
            "extension",
            fault.extension.as_ref().map(|name| json!(name)),
        ),
        ("door", fault.door.as_ref().map(|name| json!(name))),
        (
            "bytes_per_second",
            fault.bytes_per_second.map(|speed| json!(speed)),
        ),
        ("delay_ms", millis(fault.delay)),
        ("status", fault.status.map(|status| json!(status))),
        ("frozen_ms", millis(fault.frozen)),
        ("payload", payload),
        ("share", fault.share.map(|share| json!(share))),
        ("seed", fault.seed.map(|seed| json!(seed))),
        ("after_ms", millis(fault.after)),
        (
            "at_invocation",
            fault.at_invocation.map(|number| json!(number)),
        ),
        ("lasts_ms", millis(fault.lasting)),
        ("times", fault.times.map(|times| json!(times))),
        ("into_invocation_ms", millis(fault.into_invocation)),
        ("on_environments", on_environments.map(|on| json!(on))),
    ];
    let said = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?)));
    Ok(Value::Object(said.collect::<Map<_, _>>()))
}

fn millis(duration: Option<Duration>) -> Option<Value> {
    let millis = u64::try_from(duration?.as_millis());
    Some(json!(millis.unwrap_or(u64::MAX)))
}

async fn call(
    api: SocketAddr,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> anyhow::Result<Value> {
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    let request = Request::builder()
        .method(method)
        .uri(format!("http://{api}/throughline/faults{path}"))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await;
    let response = response.map_err(|error| unreached(api, error))?;
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .context("the answer broke off")?;
    let answer = serde_json::from_slice::<Value>(&body.to_bytes());
    let answer = answer
        .ok()
        .filter(Value::is_object)
        .with_context(|| no_sandbox(api, status))?;
    if !status.is_success() {
        bail!("{}", answer["message"].as_str().unwrap_or(status.as_str()));
    }
    Ok(answer)
}

fn table(faults: &[Value]) -> String {
    if faults.is_empty() {
        return "no faults\n".to_owned();
    }
    let rows = faults.iter().map(|fault| {
        let state = match (fault["started"].as_bool(), fault["over"].as_bool()) {
            (_, Some(true)) => "over",
            (Some(false), _) => "waits",
            _ => "active",
        };
        let what = fault["description"].as_str().unwrap_or_default();
        let (id, struck) = (fault["id"].to_string(), fault["struck"].to_string());
        format!("{id:>4}  {state:<6}  struck {struck:>5}  {what}\n")
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::{Cli, Command, SandboxCommand};

    fn add(arguments: &str) -> Value {
        let words = ["throughline", "sandbox", "fault", "add"]
            .into_iter()
            .chain(arguments.split(' '));
        let parsed = Cli::try_parse_from(words).unwrap();
        let Command::Sandbox(sandbox) = parsed.command else {
            panic!("not the sandbox");
        };
        let Some(SandboxCommand::Fault(fault)) = sandbox.command else {
            panic!("not a fault");
        };
        let FaultCommand::Add(fault) = fault.command else {
            panic!("not added");
        };
        described(&fault).unwrap()
    }

    #[test]
    fn flags_become_the_fields_of_the_control_api() {
        let cases = [
            ("throttle", json!({"what": "throttle"})),
            (
                "kill --process extension:ext --function f --share 0.5 --seed 3 --into-invocation 50ms",
                json!({
                    "what": "kill", "process": "extension:ext", "function": "f", "share": 0.5, "seed": 3,
                    "into_invocation_ms": 50,
                }),
            ),
            (
                "jump-clock --frozen 20m --at-invocation 2 --times 1",
                json!({"what": "jump-clock", "frozen_ms": 1_200_000, "at_invocation": 2, "times": 1}),
            ),
            (
                "drop-environment --on-environments --after 3s --lasting 1h",
                json!({"what": "drop-environment", "on_environments": true, "after_ms": 3000, "lasts_ms": 3_600_000}),
            ),
            (
                "poison-event --payload [1]",
                json!({"what": "poison-event", "payload": [1]}),
            ),
            (
                "fail-telemetry --status 503 --extension e",
                json!({"what": "fail-telemetry", "status": 503, "extension": "e"}),
            ),
        ];
        for (arguments, expected) in cases {
            assert_eq!(add(arguments), expected, "{arguments}");
        }
    }

    #[test]
    fn list_says_how_far_each_is() {
        let fault = |id: u32, started: bool, over: bool| json!({"id": id, "started": started, "over": over, "struck": id * 10, "description": "throttle calls"});
        let faults = [
            fault(1, true, false),
            fault(2, false, false),
            fault(12, true, true),
        ];
        // Not `expect!`, which takes away the indentation that all lines share.
        let lines = [
            "   1  active  struck    10  throttle calls\n",
            "   2  waits   struck    20  throttle calls\n",
            "  12  over    struck   120  throttle calls\n",
        ];
        assert_eq!(table(&faults), lines.concat());
        assert_eq!(table(&[]), "no faults\n");
    }
}
