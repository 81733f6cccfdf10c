//! Answers that are sent while they are made.

use std::path::Path;
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvokeWithResponseStreamResponseEvent as Event;
use serde_json::{Value, json};

use crate::Client;
use crate::client::{StreamFailure, StreamShape, Streams};
use crate::matrix::start;
use crate::{http, sdk};

pub(crate) async fn check(client: &Client) {
    let shape = match client.streams {
        Streams::With(shape) => shape,
        Streams::No(reason) => {
            println!("no streaming in {}: {reason}", client.language);
            return;
        }
    };
    let url = "127.0.0.1:0".parse().unwrap();
    let change = |function: throughline_sandbox::Function| function.handler(shape.handler).url(url);
    let Some(started) = start(client, change).await else {
        return;
    };
    let lambda = sdk::client(&started.sandbox);
    first_half_comes_before_the_second_is_made(&lambda, shape).await;
    failure_in_the_middle_is_told(&lambda, shape).await;
    let url = started.sandbox.url_of("f").unwrap();
    url_makes_a_response_of_the_head(&url).await;
    started.sandbox.shutdown().await;
}

async fn first_half_comes_before_the_second_is_made(
    lambda: &aws_sdk_lambda::Client,
    shape: StreamShape,
) {
    // Not in the folder for temporary files, of which an environment may have one of its own.
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let go_on = folder.path().join("go-on");
    let (text, complete) =
        stream(lambda, json!({"do": "stream", "wait": go_on}), Some(&go_on)).await;
    let body = if shape.head_always {
        let (head, body) = text.split_once("\0\0\0\0\0\0\0\0").unwrap();
        let head: Value = serde_json::from_str(head).unwrap();
        assert_eq!(head["statusCode"], 201);
        body
    } else {
        &text
    };
    assert_eq!(body, "first half, second half");
    assert_eq!(complete, None);
}

async fn failure_in_the_middle_is_told(lambda: &aws_sdk_lambda::Client, shape: StreamShape) {
    let (text, error) = stream(lambda, json!({"do": "stream", "fail": true}), None).await;
    let failure = match shape.failure {
        StreamFailure::Told(failure) => failure,
        StreamFailure::InBody => {
            let trailers = "Lambda-Runtime-Function-Error-Type: Runtime.StreamError";
            assert!(text.contains(&format!("first half, {trailers}")), "{text}");
            assert_eq!(error, None);
            return;
        }
    };
    assert!(text.ends_with("first half, "), "{text}");
    let error: Value = serde_json::from_str(&error.unwrap()).unwrap();
    assert_eq!(error["errorType"], failure, "{error}");
    assert_eq!(error["errorMessage"], "too late", "{error}");
}

async fn url_makes_a_response_of_the_head(url: &str) {
    let response = http::request("GET", url, &[], "").await;
    assert_eq!(response.status, 201);
    assert_eq!(response.header("x-own"), Some("yes"));
    assert_eq!(response.header("set-cookie"), Some("a=1"));
    assert_eq!(&response.body[..], b"first half, second half");
}

/// All chunks, and the error if it ended with one. Writes `go_on` as soon as the first half is there.
async fn stream(
    lambda: &aws_sdk_lambda::Client,
    event: Value,
    go_on: Option<&Path>,
) -> (String, Option<String>) {
    let read = async {
        let mut output = lambda
            .invoke_with_response_stream()
            .function_name("f")
            .payload(Blob::new(event.to_string()))
            .send()
            .await
            .unwrap();
        let mut text = String::new();
        while let Some(event) = output.event_stream.recv().await.unwrap() {
            match event {
                Event::PayloadChunk(chunk) => {
                    text += std::str::from_utf8(chunk.payload.unwrap().as_ref()).unwrap();
                }
                Event::InvokeComplete(complete) => {
                    assert_eq!(
                        complete.error_code.is_some(),
                        complete.error_details.is_some()
                    );
                    return (text, complete.error_details);
                }
                other => panic!("{other:?}"),
            }
            if let Some(go_on) = go_on
                && text.ends_with("first half, ")
            {
                std::fs::write(go_on, "").unwrap();
            }
        }
        panic!("the stream ended without InvokeComplete after {text}");
    };
    tokio::time::timeout(Duration::from_secs(60), read)
        .await
        .expect("the stream does not go on")
}
