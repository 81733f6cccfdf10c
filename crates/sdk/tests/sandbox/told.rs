//! What is told of calls of AWS.

use expect_test::expect;
use serde_json::{Value, json};
use throughline_telemetry::{Span, SpanKind, Value as Told};

use crate::calls::PASSWORD;
use crate::stage::Stage;

/// All calls in one invocation.
pub(crate) async fn check() {
    let all = [("THROUGHLINE_PAYLOADS", "all")];
    let stage = Stage::play_with("calls", &all, vec![json!({})]).await;
    let call = &stage.calls[0];
    assert_eq!(call.answer, Value::Null);
    let (_, ours) = stage.pair(call);
    let mut calls = stage.below(ours);
    calls.sort_by_key(|span| span.start);
    let lines: Vec<String> = calls.iter().map(|span| line(span)).collect();
    expect![[r#"
        DynamoDB.CreateTable 200 ["orders"]
        DynamoDB.PutItem 200 ["orders"] -> ddbi
        DynamoDB.PutItem 400 ConditionalCheckFailedException ["orders"]
        DynamoDB.GetItem 200 ["orders"]
        DynamoDB.UpdateItem 200 ["orders"] -> ddb
        DynamoDB.Query 200 ["orders"]
        DynamoDB.TransactWriteItems 200 ["orders"] -> ddbi
        DynamoDB.DeleteItem 200 ["orders"] -> ddb
        S3.CreateBucket 200 receipts
        S3.PutObject 200 receipts 2026/no 7.json -> s3r s3o
        S3.GetObject 200 receipts 2026/no 7.json
        S3.HeadObject 200 receipts 2026/no 7.json
        S3.GetObject 404 NoSuchKey receipts missing
        S3.PutObject 200 receipts long -> s3r s3o
        S3.GetObject 200 receipts long
        S3.DeleteObject 204 receipts 2026/no 7.json -> s3r
        SNS.CreateTopic 200
        SNS.Publish sends 200 told -> sns
        SNS.PublishBatch sends 200 told -> sns sns
        Kinesis.CreateStream 200
        Kinesis.PutRecord sends 200 clicks -> kin
        Kinesis.PutRecords sends 200 clicks -> kin kin
        EventBridge.PutEvents sends 200 default 1 -> eb ebd
        Lambda.Invoke 200 shop -> lam
        Lambda.Invoke 202 shop -> lam
        Lambda.Invoke 404 ResourceNotFoundException nobody"#]]
    .assert_eq(&lines.join("\n"));
    let bodies: Vec<String> = calls.iter().flat_map(|span| bodies(span)).collect();
    expect![[r#"
        DynamoDB.PutItem rpc.request.body {"Item":{"id":{"S":"7"},"password":"[redacted]"},"TableName":"orders"}
        DynamoDB.GetItem rpc.response.body {"Item":{"id":{"S":"7"},"password":"[redacted]"}}
        DynamoDB.Query rpc.response.body {"Count":1,"Items":[{"cups":{"S":"2"},"id":{"S":"7"},"password":"[redacted]"}],"ScannedCount":1}
        DynamoDB.TransactWriteItems rpc.request.body {"ClientRequestToken":"[redacted]","TransactItems":[{"Put":{"Item":{"id":{"S":"8"}},"TableName":"orders"}}]}
        S3.PutObject rpc.request.body {"order":7,"password":"[redacted]"}
        S3.GetObject rpc.response.body {"order":7,"password":"[redacted]"}
        S3.PutObject rpc.request.body (102400 bytes)
        S3.GetObject rpc.response.body (102400 bytes)
        SNS.Publish rpc.request.body {"Action":"Publish","Message":"{\"password\":\"[redacted]\"}","TopicArn":"arn:aws:sns:us-east-1:123456789012:told","Version":"2010-03-31"}
        EventBridge.PutEvents rpc.request.body {"Entries":[{"Detail":"{\"password\":\"[redacted]\"}","DetailType":"sold","Source":"shop"}]}
        Lambda.Invoke rpc.request.body (13 bytes)
        Lambda.Invoke rpc.response.body {"password":"[redacted]","said":"yes"}
        Lambda.Invoke rpc.request.body (13 bytes)
        Lambda.Invoke rpc.request.body (13 bytes)"#]].assert_eq(&bodies.join("\n"));
    let everything = format!("{:?}", stage.everything());
    assert!(!everything.contains(PASSWORD), "{everything}");
    functions_are_called(&stage, &calls);
}

/// What is invoked is below the call.
fn functions_are_called(stage: &Stage, calls: &[&Span]) {
    let invokes = calls.iter().filter(|span| span.name == "Lambda.Invoke");
    let invokes: Vec<_> = invokes.filter(|span| out(span).contains("lam:")).collect();
    for invoke in &invokes[..2] {
        let key = out(invoke);
        let called = stage.everything().spans.iter().filter(|span| {
            let keys = span.attributes.get("throughline.link.in");
            keys.is_some_and(|keys| keys.to_text() == key)
        });
        let called: Vec<_> = called.collect();
        assert_eq!(called.len(), 1, "{key}");
        assert_eq!(called[0].trace_id, invoke.trace_id);
    }
}

fn out(span: &Span) -> String {
    let keys = span.attributes.get("throughline.link.out");
    keys.map_or(String::new(), Told::to_text)
}

/// The call, how it went, what it was about, and the kinds of the keys of what it sent.
fn line(span: &Span) -> String {
    let mut line = match span.kind {
        SpanKind::Producer => format!("{} sends", span.name),
        _ => span.name.clone(),
    };
    for key in ABOUT {
        if let Some(value) = span.attributes.get(key) {
            line.push(' ');
            line.push_str(&value.to_text());
        }
    }
    let keys: Vec<String> = serde_json::from_str(&out(span)).unwrap_or_default();
    let kinds = keys.iter().filter_map(|key| key.split(':').next());
    let kinds: Vec<&str> = kinds.collect();
    if !kinds.is_empty() {
        line.push_str(&format!(" -> {}", kinds.join(" ")));
    }
    line
}

fn bodies(span: &Span) -> Vec<String> {
    let told = ["rpc.request.body", "rpc.response.body"].map(|key| {
        let body = span.attributes.text(key)?;
        let is_wanted = body.contains("redacted") || body.ends_with("bytes)");
        is_wanted.then(|| format!("{} {key} {body}", span.name))
    });
    told.into_iter().flatten().collect()
}

const ABOUT: &[&str] = &[
    "http.response.status_code",
    "error.type",
    "aws.dynamodb.table_names",
    "aws.s3.bucket",
    "aws.s3.key",
    "messaging.destination.name",
    "messaging.batch.message_count",
    "faas.invoked_name",
];
