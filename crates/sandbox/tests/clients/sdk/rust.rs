//! The SDK for Rust.

use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::{BehaviorVersion, Config, Credentials, Region};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::RequestId;
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    InvocationType, InvokeWithResponseStreamResponseEvent as Event, LogType,
};
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use throughline_sandbox::RunningSandbox;

pub(crate) fn client(sandbox: &RunningSandbox) -> Client {
    let credentials = Credentials::new("AKIAIOSFODNN7EXAMPLE", "key", None, None, "test");
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(format!("http://{}", sandbox.api_addr()))
        .credentials_provider(credentials)
        .retry_config(RetryConfig::disabled())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Client::from_conf(config)
}

pub(super) async fn calls(sandbox: &RunningSandbox) -> Value {
    let lambda = client(sandbox);
    let invoke = |function: &str| lambda.invoke().function_name(function);
    let too_large = Blob::new(vec![b' '; 6 * 1024 * 1024 + 1]);
    let mut pages = lambda.list_functions().into_paginator().page_size(1).send();
    let mut paged = Vec::new();
    while let Some(page) = pages.next().await {
        paged.extend(names(page.unwrap().functions()));
    }
    let function = lambda
        .get_function()
        .function_name("f")
        .send()
        .await
        .unwrap();
    let not_offered = refused(lambda.delete_function().function_name("f").send().await);
    json!({
        "whole": whole(&lambda).await,
        "failing": failing(&lambda).await,
        "event": status(&lambda, InvocationType::Event).await,
        "dry run": status(&lambda, InvocationType::DryRun).await,
        "stream": stream(&lambda, r#"{"do":"stream"}"#).await,
        "failing stream": stream(&lambda, r#"{"do":"throw"}"#).await,
        "unknown": refused(invoke("none").send().await),
        "throttled": refused(invoke("busy").send().await),
        "too large": refused(invoke("f").payload(too_large).send().await),
        "no json": refused(invoke("f").payload(Blob::new("{")).send().await),
        "list": names(lambda.list_functions().send().await.unwrap().functions()),
        "paged": paged,
        "function": function.configuration().unwrap().function_arn(),
        "configuration": configuration(&lambda).await,
        "unknown function": refused(lambda.get_function().function_name("none").send().await),
        "not offered": {"status": not_offered["status"], "type": not_offered["type"]},
    })
}

async fn whole(lambda: &Client) -> Value {
    let output = lambda
        .invoke()
        .function_name("f")
        .qualifier("$LATEST")
        .log_type(LogType::Tail)
        .client_context(BASE64.encode(r#"{"custom":{"cart":"7"}}"#))
        .send()
        .await
        .unwrap();
    let payload = json_of(output.payload());
    let log = BASE64.decode(output.log_result().unwrap()).unwrap();
    let log = String::from_utf8(log).unwrap();
    let request = payload["request"].as_str().unwrap();
    json!({
        "status": output.status_code(),
        "version": output.executed_version(),
        "arn": payload["arn"],
        "custom": payload["custom"],
        "log": log.contains("two\nlines\n") && log.contains(&format!("REPORT RequestId: {request}")),
        "id": output.request_id() == Some(request),
    })
}

async fn failing(lambda: &Client) -> Value {
    let payload = Blob::new(r#"{"do":"throw"}"#);
    let output = lambda.invoke().function_name("f").payload(payload);
    let output = output.send().await.unwrap();
    json!({
        "status": output.status_code(),
        "error": output.function_error(),
        "type": json_of(output.payload())["errorType"],
    })
}

async fn status(lambda: &Client, kind: InvocationType) -> i32 {
    let output = lambda.invoke().function_name("later").invocation_type(kind);
    output.send().await.unwrap().status_code()
}

async fn stream(lambda: &Client, event: &str) -> Value {
    let output = lambda.invoke_with_response_stream().function_name("f");
    let mut output = output.payload(Blob::new(event)).send().await.unwrap();
    let (mut body, mut error) = (Vec::new(), None);
    while let Some(event) = output.event_stream.recv().await.unwrap() {
        match event {
            Event::PayloadChunk(chunk) => body.extend(chunk.payload.unwrap().into_inner()),
            Event::InvokeComplete(complete) => error = complete.error_code,
            other => panic!("{other:?}"),
        }
    }
    let body = String::from_utf8(body).unwrap();
    json!({"body": body.rsplit("\0\0\0\0\0\0\0\0").next(), "error": error})
}

async fn configuration(lambda: &Client) -> Value {
    let found = lambda.get_function_configuration().function_name("f");
    let found = found.send().await.unwrap();
    json!([
        found.function_name(),
        found.runtime().map(|runtime| runtime.as_str()),
        found.memory_size(),
        found.timeout(),
        found.state().map(|state| state.as_str()),
    ])
}

/// How a call was refused. `modeled` is the type that the SDK made of it.
fn refused<T, E>(result: Result<T, SdkError<E>>) -> Value
where
    E: ProvideErrorMetadata + std::fmt::Debug,
{
    let Err(SdkError::ServiceError(error)) = result else {
        panic!("it was not refused");
    };
    let modeled = format!("{:?}", error.err());
    let modeled = modeled.split_once('(').map(|(name, _)| name.to_owned());
    json!({
        "status": error.raw().status().as_u16(),
        "type": error.err().code(),
        "modeled": modeled,
    })
}

fn names(functions: &[aws_sdk_lambda::types::FunctionConfiguration]) -> Vec<String> {
    let names = functions.iter().filter_map(|one| one.function_name());
    names.map(str::to_owned).collect()
}

fn json_of(payload: Option<&Blob>) -> Value {
    serde_json::from_slice(payload.unwrap().as_ref()).unwrap()
}
