//! `throughline sandbox invoke`: a call without the AWS CLI.

use std::io::Read;
use std::net::SocketAddr;
use std::process::ExitCode;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::HeaderMap;
use hyper::{Request, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;

use crate::cli::Invoke;
use crate::output;

/// Prints the function's answer.
pub(super) async fn run(arguments: &Invoke) -> anyhow::Result<ExitCode> {
    let payload = payload(&arguments.payload)?;
    let (status, headers, body) = call(arguments, payload).await?;
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    // Whatever answers for Lambda numbers what it is asked.
    if header("x-amzn-requestid").is_none() {
        bail!(no_sandbox(arguments.api, status));
    }
    if !status.is_success() {
        let refused = refusal(arguments, status, header("x-amzn-errortype"), &body);
        match status {
            StatusCode::NOT_FOUND => bail!("{refused}{}", there_are(arguments.api).await),
            _ => bail!(refused),
        }
    }
    if let Some(log) = header("x-amz-log-result") {
        eprint!("{}", decoded(log)?);
    }
    if arguments.event {
        let id = header("x-amzn-requestid").unwrap_or_default();
        output::print(format!("{id}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let mut answer = body.to_vec();
    answer.push(b'\n');
    output::print(answer)?;
    match header("x-amz-function-error") {
        None => Ok(ExitCode::SUCCESS),
        Some(_) => {
            eprintln!("throughline: {} failed", arguments.function);
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn call(
    arguments: &Invoke,
    payload: Bytes,
) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
    let api = arguments.api;
    let kind = if arguments.event {
        "Event"
    } else {
        "RequestResponse"
    };
    let log = if arguments.log { "Tail" } else { "None" };
    let path = format!("/2015-03-31/functions/{}/invocations", arguments.function);
    let request = Request::post(format!("http://{api}{path}"))
        .header("X-Amz-Invocation-Type", kind)
        .header("X-Amz-Log-Type", log)
        .body(Full::new(payload))
        .with_context(|| format!("{:?} cannot be the name of a function", arguments.function))?;
    send(api, request).await
}

async fn send(
    api: SocketAddr,
    request: Request<Full<Bytes>>,
) -> anyhow::Result<(StatusCode, HeaderMap, Bytes)> {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request).await;
    let response = response.map_err(|error| unreached(api, error))?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.context("the answer broke off")?;
    Ok((head.status, head.headers, body.to_bytes()))
}

/// The functions that could have been meant.
async fn there_are(api: SocketAddr) -> String {
    let list = Request::get(format!("http://{api}/2015-03-31/functions"));
    let Ok((_, _, body)) = send(api, list.body(Full::default()).unwrap_or_default()).await else {
        return String::new();
    };
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let functions = body["Functions"].as_array().map(Vec::as_slice);
    let names = functions.unwrap_or_default().iter();
    let names: Vec<_> = names
        .filter_map(|function| function["FunctionName"].as_str())
        .collect();
    format!("; there is {}", names.join(", "))
}

/// Nobody is there, or somebody who speaks another language.
pub(super) fn unreached(
    api: SocketAddr,
    error: hyper_util::client::legacy::Error,
) -> anyhow::Error {
    match error.is_connect() {
        true => anyhow::anyhow!("no sandbox listens on {api}: {NEXT_STEP}"),
        false => anyhow::anyhow!(error).context(format!(
            "the call to {api} broke off; if that is no sandbox, {NEXT_STEP}"
        )),
    }
}

pub(super) fn no_sandbox(api: SocketAddr, status: StatusCode) -> String {
    let status = status.as_u16();
    format!("what listens on {api} is no sandbox (it answered {status}): {NEXT_STEP}")
}

fn payload(text: &str) -> anyhow::Result<Bytes> {
    if text == "-" {
        let mut payload = Vec::new();
        let mut input = std::io::stdin().lock();
        input
            .read_to_end(&mut payload)
            .context("cannot read the payload from the standard input")?;
        return Ok(payload.into());
    }
    match text.strip_prefix('@') {
        Some(file) => {
            let read = std::fs::read(file);
            Ok(read.with_context(|| format!("cannot read {file}"))?.into())
        }
        None => Ok(text.to_owned().into()),
    }
}

/// The sandbox's own words where it has some.
fn refusal(
    arguments: &Invoke,
    status: StatusCode,
    error_type: Option<&str>,
    body: &[u8],
) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let message = ["Message", "message"]
        .iter()
        .find_map(|key| body.get(key)?.as_str());
    let said = message.or(error_type).unwrap_or(status.as_str());
    format!("{} was not called: {said}", arguments.function)
}

fn decoded(base64: &str) -> anyhow::Result<String> {
    let bytes = BASE64.decode(base64).context("the log is not base64")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

const NEXT_STEP: &str = "start one with `throughline sandbox`, or say where it is with --api";
