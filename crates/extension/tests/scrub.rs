//! What leaves the built binary, and what does not: the bytes that a server gets.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, its helpers included"
)]

#[allow(
    dead_code,
    reason = "the other tests of the process use the rest of it"
)]
#[path = "process/lambda.rs"]
mod lambda;

use lambda::{Extension, FakeLambda, Telemetry};
use throughline_testkit::intake::{FakeIntake, Received};

const TRACE: &str = "5f35ae120c0fec141ab77a00bc047aa2";
const HEADER: &str = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1";

/// Each is planted in every place below, with its number in it.
const SECRETS: &[(&str, &str)] = &[
    ("used AKIAIOSFODNN7EXAMPL{} for it", "IOSFODNN7EXAMPL"),
    ("password=hunter2{}zq&n=1", "hunter2"),
    ("postgres://ann:s3cret{}zq@db:5432/shop", "s3cret"),
    ("paid with 4111 1111 1111 1111 ({})", "4111 1111 1111"),
    ("GET /cb?token%3Dt0ken{}zq HTTP/1.1", "t0ken"),
    (
        r#"{"headers":[["authorization","Basic c2VjcmV0{}"]]}"#,
        "c2VjcmV0",
    ),
];

fn export(texts: &[String]) -> String {
    let now = lambda::now_nanos();
    let quoted: Vec<String> = texts.iter().map(|text| format!("{text:?}")).collect();
    let attributes = quoted.iter().enumerate().map(|(n, text)| {
        format!(
            r#"{{"key":"note.{n}","value":{{"arrayValue":{{"values":[{{"stringValue":{text}}},{{"kvlistValue":{{"values":[{{"key":{text},"value":{{"stringValue":{text}}}}}]}}}}]}}}}}}"#
        )
    });
    let attributes = attributes.collect::<Vec<_>>().join(",");
    let first = &quoted[0];
    format!(
        r#"{{"resourceSpans":[{{"resource":{{"attributes":[{attributes}]}},"scopeSpans":[{{"scope":{{"name":{first},"attributes":[{attributes}]}},"spans":[
        {{"traceId":"{TRACE}","spanId":"00000000000000b1","parentSpanId":"2be948a625588e32","name":"handler","kind":2,"startTimeUnixNano":"{now}","endTimeUnixNano":"{now}",
        "attributes":[{attributes},{{"key":"http.request.body","value":{{"stringValue":"{{\"customer\":\"Ann Smith\",\"password\":\"hunter2\",\"requestId\":\"r-77\"}}"}}}}],
        "events":[{{"name":{first},"attributes":[{attributes}]}}],"links":[{{"traceId":"{TRACE}","spanId":"00000000000000b2","attributes":[{attributes}]}}],
        "status":{{"message":{first}}}}}]}}]}}]}}"#
    )
}

fn told(request_id: &str, status: &str, texts: &[String]) -> String {
    let time = lambda::iso_now();
    let lines = texts.iter().map(|text| {
        let record = format!("[INFO]\t{time}\t{request_id}\t{text}\n");
        format!(r#"{{"time":"{time}","type":"function","record":{record:?}}},"#)
    });
    let objects = texts.iter().map(|text| {
        format!(r#"{{"time":"{time}","type":"function","record":{{"level":"INFO","message":{text:?},"deep":{{"list":[{text:?}]}}}}}},"#)
    });
    let lines: String = lines.chain(objects).collect();
    format!(
        r#"[{{"time":"{time}","type":"platform.start","record":{{"requestId":"{request_id}"}}}},{lines}
        {{"time":"{time}","type":"platform.runtimeDone","record":{{"requestId":"{request_id}","status":"{status}"}}}}]"#
    )
}

/// One invocation with everything in it, and all that the server got of it.
async fn invocation(status: &str, variables: &[(&str, &str)]) -> Received {
    let intake = FakeIntake::start().await;
    let mut lambda = FakeLambda::start(Telemetry::On).await;
    let extension = Extension::start_with(&lambda, &intake.endpoint(), variables);
    lambda.next_asked().await;
    let texts = SECRETS.iter().enumerate();
    let texts: Vec<String> = texts
        .map(|(n, (text, _))| text.replace("{}", &"EFGHIJK"[n..=n]))
        .collect();
    lambda.invoke("r-1", Some(HEADER)).await;
    assert_eq!(extension.export(&export(&texts)).await, 200);
    lambda.tell(&told("r-1", status, &texts)).await;
    lambda.next_asked().await;
    lambda.invoke("r-2", None).await;
    lambda.tell(&told("r-2", "success", &[])).await;
    lambda.next_asked().await;
    let complete = |received: &Received| {
        received.span("handler").is_some()
            && received.logs.len() >= 2 * SECRETS.len()
            && received
                .metrics
                .iter()
                .any(|point| point.name == "throughline.redactions")
    };
    intake.wait_for("everything", complete).await
}

fn sent(received: &Received) -> String {
    let bodies = received.posts.iter().map(|post| post.request.to_protobuf());
    let bodies: Vec<String> = bodies
        .map(|body| String::from_utf8_lossy(&body).into_owned())
        .collect();
    bodies.concat()
}

#[tokio::test]
async fn no_secret_reaches_the_server_and_the_server_is_told_what_was_taken_out() {
    let received = invocation("success", &[("THROUGHLINE_METRICS", "on")]).await;
    let sent = sent(&received);
    for (text, needle) in SECRETS {
        assert!(!sent.contains(needle), "{text}");
    }
    assert!(!sent.contains("Ann Smith") && sent.contains("string(9)") && sent.contains("r-77"));
    let redactions = received
        .metrics
        .iter()
        .filter(|point| point.name == "throughline.redactions");
    let rules: Vec<_> = redactions
        .filter(|point| point.value > 0.0)
        .filter_map(|point| point.attributes.text("rule"))
        .collect();
    for rule in ["aws-key", "card", "key", "payload", "url-password"] {
        assert!(rules.contains(&rule), "{rule} in {rules:?}");
    }
}

#[tokio::test]
async fn payloads_of_failures_reach_the_server_scrubbed_where_that_was_asked_for() {
    let variables = [
        ("THROUGHLINE_METRICS", "on"),
        ("THROUGHLINE_PAYLOADS", "on-error"),
    ];
    for (status, whole) in [("success", false), ("error", true)] {
        let sent = sent(&invocation(status, &variables).await);
        assert_eq!(sent.contains("Ann Smith"), whole, "{status}");
        assert!(!sent.contains("hunter2"), "{status}");
    }
}
