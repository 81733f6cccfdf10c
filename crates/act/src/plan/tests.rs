use expect_test::{Expect, expect};

use super::*;
use crate::before::{Answer, SourceState, source_reads};
use crate::order::Order;

fn action(json: &str) -> Action {
    let action: Action = serde_json::from_str(json).unwrap();
    action.checked().unwrap()
}

fn before() -> Before {
    Before {
        function_arn: "arn:aws:lambda:eu-west-1:123456789012:function:pay".to_owned(),
        role_arn: "arn:aws:iam::123456789012:role/service-role/pay-role".to_owned(),
        memory_mb: 512,
        revision_id: "r1".to_owned(),
        reserved: None,
        sources: vec![SourceState {
            id: SOURCE.to_owned(),
            source_arn: "arn:aws:sqs:eu-west-1:123456789012:orders".to_owned(),
            names: vec![],
            enabled: true,
        }],
    }
}

fn id() -> ActionId {
    "01jabcdefghjkmnp".parse().unwrap()
}

/// Midnight of 22 November 2026.
const NOW: UnixSeconds = UnixSeconds(1_795_305_600);
const SOURCE: &str = "9c2b1f5e-1111-4222-8333-444455556666";
const DENY: &str =
    r#"{"do":"deny","function":"pay","resource":"table:users","class":"write","hours":4}"#;
const STOP: &str = r#"{"do":"stop","function":"pay","hours":1}"#;
const MEMORY: &str = r#"{"do":"memory","function":"pay","memory_mb":1024,"hours":168}"#;

fn disable() -> String {
    format!(r#"{{"do":"disable","function":"pay","source":"{SOURCE}","hours":2}}"#)
}

fn shown(calls: &[Call]) -> String {
    let line = |call: &Call| {
        let Call {
            operation,
            method,
            path,
            parameters,
            ..
        } = call;
        format!("{operation}: {method} {path} {parameters}\n")
    };
    calls.iter().map(line).collect()
}

fn check(json: &str, expected: Expect) {
    let plan = Plan::of(&action(json), &id(), NOW, &before()).unwrap();
    let Plan {
        title,
        calls,
        undo,
        until,
        confirm,
        ..
    } = &plan;
    let until = until.map_or("-".to_owned(), |until| until.to_string());
    let confirm = confirm.as_deref().unwrap_or("-");
    let text = format!(
        "{title}; until {until}; type {confirm}\n{}undo\n{}",
        shown(calls),
        shown(undo)
    );
    expected.assert_eq(&text);
}

#[test]
fn deny_is_exactly_this() {
    check(
        DENY,
        expect![[r#"
        deny pay writing to table:users for 4 hours; until 2026-11-22T04:00:00Z; type pay
        PutRolePolicy: POST / {"PolicyDocument":"{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"ThroughlineDeny01jabcdefghjkmnp\",\"Effect\":\"Deny\",\"Action\":[\"dynamodb:PutItem\",\"dynamodb:UpdateItem\",\"dynamodb:DeleteItem\",\"dynamodb:BatchWriteItem\",\"dynamodb:PartiQLInsert\",\"dynamodb:PartiQLUpdate\",\"dynamodb:PartiQLDelete\"],\"Resource\":[\"arn:aws:dynamodb:eu-west-1:123456789012:table/users\",\"arn:aws:dynamodb:eu-west-1:123456789012:table/users/index/*\"],\"Condition\":{\"ArnEquals\":{\"lambda:SourceFunctionArn\":\"arn:aws:lambda:eu-west-1:123456789012:function:pay\"},\"DateLessThan\":{\"aws:CurrentTime\":\"2026-11-22T04:00:00Z\"}}}]}","PolicyName":"Throughline-Deny-01jabcdefghjkmnp","RoleName":"pay-role"}
        undo
        DeleteRolePolicy: POST / {"PolicyName":"Throughline-Deny-01jabcdefghjkmnp","RoleName":"pay-role"}
    "#]],
    );
}

#[test]
fn stop_disable_and_memory_are_exactly_these() {
    check(
        STOP,
        expect![[r#"
        stop pay for 1 hour; until 2026-11-22T01:00:00Z; type pay
        PutFunctionConcurrency: PUT /2017-10-31/functions/pay/concurrency {"ReservedConcurrentExecutions":0}
        undo
        DeleteFunctionConcurrency: DELETE /2017-10-31/functions/pay/concurrency null
    "#]],
    );
    check(
        &disable(),
        expect![[r#"
            disable event source SQS orders of pay for 2 hours; until 2026-11-22T02:00:00Z; type pay
            UpdateEventSourceMapping: PUT /2015-03-31/event-source-mappings/9c2b1f5e-1111-4222-8333-444455556666 {"Enabled":false}
            undo
            UpdateEventSourceMapping: PUT /2015-03-31/event-source-mappings/9c2b1f5e-1111-4222-8333-444455556666 {"Enabled":true}
        "#]],
    );
    check(
        MEMORY,
        expect![[r#"
        give pay 1024 MB of memory for 7 days; until 2026-11-29T00:00:00Z; type -
        UpdateFunctionConfiguration: PUT /2015-03-31/functions/pay/configuration {"MemorySize":1024,"RevisionId":"r1"}
        undo
        UpdateFunctionConfiguration: PUT /2015-03-31/functions/pay/configuration {"MemorySize":512,"RevisionId":"as it is then"}
    "#]],
    );
}

#[test]
fn another_memory_size_says_that_it_is_put_back() {
    let warnings = |json: &str| {
        let plan = Plan::of(&action(json), &id(), NOW, &before()).unwrap();
        plan.warnings.concat()
    };
    let said = "it is put back to 512 MB at its end";
    assert!(warnings(MEMORY).contains(said));
    let without_end = r#"{"do":"memory","function":"pay","memory_mb":1024}"#;
    assert!(!warnings(without_end).contains(said));
    let title = |hours: u32| {
        let json = format!(r#"{{"do":"memory","function":"pay","memory_mb":256,"hours":{hours}}}"#);
        action(&json).title()
    };
    assert_eq!(title(24), "give pay 256 MB of memory for 1 day");
    assert_eq!(title(25), "give pay 256 MB of memory for 25 hours");
}

#[test]
fn here_nothing_is_called() {
    check(
        r#"{"do":"ignore","node":"function:pay","to":"table:users","class":"write","kind":"new_edge","reason":"planned","days":30}"#,
        expect![[r#"
            ignore new edge of function:pay → table:users (write) for 30 days; until 2026-12-22T00:00:00Z; type -
            undo
        "#]],
    );
    check(
        r#"{"do":"ignore","node":"function:pay","to":"table:users","operation":"Query","kind":"latency","reason":"planned","days":30}"#,
        expect![[r#"
            ignore latency of function:pay → table:users Query for 30 days; until 2026-12-22T00:00:00Z; type -
            undo
        "#]],
    );
    check(
        r#"{"do":"ignore","node":"function:pay","signature":"Declined: no money","kind":"new_error","reason":"known","days":30}"#,
        expect![[r#"
            ignore new error of function:pay (Declined: no money) for 30 days; until 2026-12-22T00:00:00Z; type -
            undo
        "#]],
    );
    check(
        r#"{"do":"mute","person":"ada","node":"function:pay","kind":"latency","days":1}"#,
        expect![[r#"
            do not tell ada of latency of function:pay for 1 day; until 2026-11-23T00:00:00Z; type -
            undo
        "#]],
    );
    check(
        r#"{"do":"mute","person":"ada","node":"function:pay","to":"table:users","kind":"new_edge","days":1}"#,
        expect![[r#"
            do not tell ada of new edge of function:pay → table:users for 1 day; until 2026-11-23T00:00:00Z; type -
            undo
        "#]],
    );
}

/// What is denied of which resource, and where it lies.
#[test]
fn resources_and_operations() {
    let mut text = String::new();
    for kind in crate::action::ResourceKind::ALL {
        for class in ["write", "all"] {
            let json = format!(
                r#"{{"do":"deny","function":"pay","resource":"{}:it","class":"{class}","hours":4}}"#,
                kind.name()
            );
            let plan = Plan::of(&action(&json), &id(), NOW, &before()).unwrap();
            let statement = &plan.policy.unwrap()["Statement"][0];
            text += &format!(
                "{} {class}: {} {}\n",
                kind.name(),
                statement["Action"],
                statement["Resource"]
            );
        }
    }
    expect![[r#"
        table write: ["dynamodb:PutItem","dynamodb:UpdateItem","dynamodb:DeleteItem","dynamodb:BatchWriteItem","dynamodb:PartiQLInsert","dynamodb:PartiQLUpdate","dynamodb:PartiQLDelete"] ["arn:aws:dynamodb:eu-west-1:123456789012:table/it","arn:aws:dynamodb:eu-west-1:123456789012:table/it/index/*"]
        table all: ["dynamodb:*"] ["arn:aws:dynamodb:eu-west-1:123456789012:table/it","arn:aws:dynamodb:eu-west-1:123456789012:table/it/index/*","arn:aws:dynamodb:eu-west-1:123456789012:table/it/stream/*"]
        queue write: ["sqs:SendMessage","sqs:DeleteMessage","sqs:ChangeMessageVisibility","sqs:PurgeQueue"] ["arn:aws:sqs:eu-west-1:123456789012:it"]
        queue all: ["sqs:*"] ["arn:aws:sqs:eu-west-1:123456789012:it"]
        topic write: ["sns:Publish"] ["arn:aws:sns:eu-west-1:123456789012:it"]
        topic all: ["sns:*"] ["arn:aws:sns:eu-west-1:123456789012:it"]
        bucket write: ["s3:PutObject","s3:PutObjectAcl","s3:PutObjectTagging","s3:DeleteObject","s3:DeleteObjectVersion","s3:DeleteObjectTagging","s3:AbortMultipartUpload","s3:RestoreObject"] ["arn:aws:s3:::it/*"]
        bucket all: ["s3:*"] ["arn:aws:s3:::it","arn:aws:s3:::it/*"]
        bus write: ["events:PutEvents"] ["arn:aws:events:eu-west-1:123456789012:event-bus/it"]
        bus all: ["events:*"] ["arn:aws:events:eu-west-1:123456789012:event-bus/it"]
        stream write: ["kinesis:PutRecord","kinesis:PutRecords"] ["arn:aws:kinesis:eu-west-1:123456789012:stream/it"]
        stream all: ["kinesis:*"] ["arn:aws:kinesis:eu-west-1:123456789012:stream/it"]
        function write: ["lambda:InvokeFunction","lambda:InvokeAsync"] ["arn:aws:lambda:eu-west-1:123456789012:function:it","arn:aws:lambda:eu-west-1:123456789012:function:it:*"]
        function all: ["lambda:*"] ["arn:aws:lambda:eu-west-1:123456789012:function:it","arn:aws:lambda:eu-west-1:123456789012:function:it:*"]
    "#]].assert_eq(&text);
}

#[test]
fn what_is_so_already_is_not_done() {
    let already = |json: &str, before: &Before| {
        let error = Plan::of(&action(json), &id(), NOW, before).unwrap_err();
        assert!(matches!(error, PlanError::Already(_)), "{error}");
    };
    let mut it = before();
    it.reserved = Some(0);
    it.memory_mb = 1024;
    it.sources[0].enabled = false;
    already(STOP, &it);
    already(MEMORY, &it);
    already(&disable(), &it);
    it.sources.clear();
    let error = Plan::of(&action(&disable()), &id(), NOW, &it).unwrap_err();
    assert!(matches!(error, PlanError::NoSource(..)), "{error}");
}

#[test]
fn a_role_of_a_service_is_left_alone() {
    let mut it = before();
    it.role_arn =
        "arn:aws:iam::1:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX".to_owned();
    let error = Plan::of(&action(DENY), &id(), NOW, &it).unwrap_err();
    assert_eq!(
        error,
        PlanError::ServiceLinked("AWSServiceRoleForX".to_owned())
    );
    for bad in [
        "",
        "role/x",
        "arn:aws:iam::1:user/x",
        "arn:aws:lambda:r:1:role/x",
    ] {
        it.role_arn = bad.to_owned();
        assert!(Plan::of(&action(DENY), &id(), NOW, &it).is_err(), "{bad}");
    }
}

#[test]
fn undo_puts_back_what_was_and_leaves_what_somebody_changed() {
    let was = before();
    let undo = |json: &str, was: &Before, now: &Before| {
        undo(&action(json), &id(), was, now).map(|calls| shown(&calls))
    };
    let stopped = Before {
        reserved: Some(0),
        ..was.clone()
    };
    let had_seven = Before {
        reserved: Some(7),
        ..was.clone()
    };
    assert_eq!(
        undo(STOP, &was, &stopped).unwrap(),
        "DeleteFunctionConcurrency: DELETE /2017-10-31/functions/pay/concurrency null\n"
    );
    assert_eq!(
        undo(STOP, &had_seven, &stopped).unwrap(),
        "PutFunctionConcurrency: PUT /2017-10-31/functions/pay/concurrency {\"ReservedConcurrentExecutions\":7}\n"
    );
    assert_eq!(undo(STOP, &was, &was).unwrap(), "");
    assert!(matches!(
        undo(STOP, &was, &had_seven),
        Err(UndoError::Drifted(_))
    ));
    assert!(matches!(
        undo(STOP, &had_seven, &was),
        Err(UndoError::Drifted(_))
    ));

    let grown = Before {
        memory_mb: 1024,
        revision_id: "r2".to_owned(),
        ..was.clone()
    };
    assert_eq!(
        undo(MEMORY, &was, &grown).unwrap(),
        "UpdateFunctionConfiguration: PUT /2015-03-31/functions/pay/configuration {\"MemorySize\":512,\"RevisionId\":\"r2\"}\n"
    );
    assert_eq!(undo(MEMORY, &was, &was).unwrap(), "");
    let other = Before {
        memory_mb: 2048,
        ..was.clone()
    };
    assert!(matches!(
        undo(MEMORY, &was, &other),
        Err(UndoError::Drifted(_))
    ));

    let mut disabled = was.clone();
    disabled.sources[0].enabled = false;
    assert!(
        undo(&disable(), &was, &disabled)
            .unwrap()
            .contains(r#"{"Enabled":true}"#)
    );
    assert_eq!(undo(&disable(), &was, &was).unwrap(), "");
    disabled.sources.clear();
    assert!(matches!(
        undo(&disable(), &was, &disabled),
        Err(UndoError::Drifted(_))
    ));

    // A function of the same name elsewhere is another one.
    let mut elsewhere = was.clone();
    elsewhere.function_arn = "arn:aws:lambda:eu-west-2:123456789012:function:pay".to_owned();
    for json in [STOP, MEMORY, DENY] {
        let error = undo(json, &was, &elsewhere).unwrap_err();
        assert!(matches!(error, UndoError::Elsewhere(..)), "{error}");
    }
    // So is one that is gone there; where it is gone here, the policy still is where it was put.
    let gone = |account: &str| {
        let arn = format!("arn:aws:lambda:eu-west-1:{account}:function:pay");
        let said =
            format!("GetFunctionConfiguration is refused with 404: Function not found: {arn}");
        undo(DENY, &was, &was.gone(&said).unwrap())
    };
    assert!(
        gone("123456789012")
            .unwrap()
            .starts_with("DeleteRolePolicy: ")
    );
    let error = gone("210987654321").unwrap_err();
    assert!(matches!(error, UndoError::Elsewhere(..)), "{error}");
    for said in ["Function not found: pay", "not authorized", ""] {
        assert_eq!(was.gone(said), None, "{said}");
    }

    // The policy is where it was put, whichever role the function has now.
    let mut moved = was.clone();
    moved.role_arn = "arn:aws:iam::123456789012:role/other".to_owned();
    assert!(
        undo(DENY, &was, &moved)
            .unwrap()
            .contains(r#""RoleName":"pay-role""#)
    );
}

#[test]
fn what_is_denied_is_simulated_without_and_with_the_policy() {
    let deny = action(DENY);
    let plan = Plan::of(&deny, &id(), NOW, &before()).unwrap();
    let [without, with] = deny.simulations(&plan, &before()).unwrap();
    assert_eq!(without.parameters["PolicyInputList"], json!([]));
    assert_eq!(
        with.parameters["PolicyInputList"][0],
        plan.calls[0].parameters["PolicyDocument"]
    );
    assert_eq!(
        with.parameters["ResourceArns"],
        json!(["arn:aws:dynamodb:eu-west-1:123456789012:table/users"])
    );
    assert!(action(STOP).simulations(&plan, &before()).is_none());
}

#[test]
fn how_things_are_is_read_from_answers() {
    let answer = |body: &str| Answer {
        status: 200,
        request_id: "q".to_owned(),
        body: body.to_owned(),
    };
    let configuration = answer(
        r#"{"FunctionArn":"arn:aws:lambda:eu-west-1:1:function:pay:$LATEST","Role":"arn:aws:iam::1:role/r",
            "MemorySize":512,"RevisionId":"r1"}"#,
    );
    let read = |json: &str, rest: &[&str]| {
        let calls = action(json).reads();
        assert_eq!(calls.len(), rest.len() + 1);
        let answers =
            std::iter::once(configuration.clone()).chain(rest.iter().map(|it| answer(it)));
        Before::read(&calls.into_iter().zip(answers).collect::<Vec<_>>())
    };
    let it = read(DENY, &[]).unwrap();
    assert_eq!(it.function_arn, "arn:aws:lambda:eu-west-1:1:function:pay");
    assert_eq!(read(STOP, &["{}"]).unwrap().reserved, None);
    let reserved = r#"{"ReservedConcurrentExecutions":7}"#;
    assert_eq!(read(STOP, &[reserved]).unwrap().reserved, Some(7));
    let sources = format!(
        r#"{{"EventSourceMappings":[{{"UUID":"{SOURCE}","EventSourceArn":"a","State":"Enabled"}},
            {{"UUID":"u2","EventSourceArn":"b","State":"Disabling"}}]}}"#
    );
    let sources = read(&disable(), &[&sources]).unwrap().sources;
    assert_eq!((sources[0].enabled, sources[1].enabled), (true, false));
    let error = read(&disable(), &["<html>"]).unwrap_err().to_string();
    assert_eq!(
        error,
        "the answer to ListEventSourceMappings has no EventSourceMappings"
    );
}

#[test]
fn sources_are_called_what_people_call_them() {
    let name = |arn: &str| {
        let source = SourceState {
            id: SOURCE.to_owned(),
            source_arn: arn.to_owned(),
            names: vec![],
            enabled: true,
        };
        source.name()
    };
    for (rest, expected) in [
        ("sqs:eu-west-1:123456789012:orders", "SQS orders"),
        (
            "dynamodb:eu-west-1:123456789012:table/users/stream/2026-11-22T00:00:00.000",
            "DynamoDB users",
        ),
        (
            "kinesis:eu-west-1:123456789012:stream/clicks",
            "Kinesis clicks",
        ),
        (
            "kafka:eu-west-1:123456789012:cluster/shop/9c2b-1",
            "Kafka shop",
        ),
        ("mq:eu-west-1:123456789012:broker:rabbit:b-1", "MQ rabbit"),
        (
            "rds:eu-west-1:123456789012:cluster:papers",
            "DocumentDB papers",
        ),
        ("new:eu-west-1:123456789012:thing", "new thing"),
    ] {
        assert_eq!(name(&format!("arn:aws:{rest}")), expected);
    }
    assert_eq!(name(""), SOURCE, "brokers outside of AWS have no ARN");
    assert_eq!(
        action(&disable()).title(),
        format!("disable event source mapping {SOURCE} of pay for 2 hours")
    );
    assert_eq!(
        action(&disable()).title_in(&before()),
        "disable event source SQS orders of pay for 2 hours"
    );
}

#[test]
fn a_source_is_known_by_the_node_that_it_takes_from() {
    let takes_from = |rest: &str, node: &str| {
        let source = SourceState {
            id: SOURCE.to_owned(),
            source_arn: format!("arn:aws:{rest}"),
            names: vec![],
            enabled: true,
        };
        source.takes_from(node)
    };
    for (rest, node) in [
        (
            "sqs:eu-west-1:123456789012:orders.fifo",
            "queue:orders.fifo",
        ),
        (
            "kinesis:eu-west-1:123456789012:stream/clicks",
            "stream:clicks",
        ),
        (
            "kinesis:eu-west-1:123456789012:stream/clicks/consumer/counter:1600000000",
            "stream:clicks",
        ),
        (
            "dynamodb:eu-west-1:123456789012:table/users/stream/2026-11-22T00:00:00.000",
            "table:users",
        ),
    ] {
        assert!(takes_from(rest, node), "{rest}");
        assert!(!takes_from(rest, "queue:other"), "{rest}");
    }
    let orders = "sqs:eu-west-1:123456789012:orders";
    for other in [
        "queue:orders-dlq",
        "queue:order",
        "topic:orders",
        "orders",
        "",
    ] {
        assert!(!takes_from(orders, other), "{other}");
    }
    let broker = "kafka:eu-west-1:123456789012:cluster/shop/9c2b-1";
    assert!(!takes_from(broker, "broker:shop"));
    assert!(!takes_from("", ""));
}

#[test]
fn the_sources_of_a_function_are_read_with_two_calls() {
    let reads = source_reads(&"pay".parse().unwrap());
    let [configuration, sources] = &reads[..] else {
        panic!("{reads:?}")
    };
    let answer = |body: &str| Answer {
        status: 200,
        request_id: String::new(),
        body: body.to_owned(),
    };
    let read = Before::read(&[
        (
            configuration.clone(),
            answer(
                r#"{"FunctionArn":"arn:aws:lambda:eu-west-1:123456789012:function:pay","Role":"r","MemorySize":512,"RevisionId":"r1"}"#,
            ),
        ),
        (
            sources.clone(),
            answer(&format!(
                r#"{{"EventSourceMappings":[{{"UUID":"{SOURCE}","EventSourceArn":"arn:aws:sqs:eu-west-1:123456789012:orders","State":"Enabled"}}]}}"#
            )),
        ),
    ]);
    assert_eq!(read.unwrap().sources, before().sources);
    let order = r#"{"order":"sources","function":"pay"}"#;
    let read: Order = serde_json::from_str(order).unwrap();
    assert_eq!(serde_json::to_string(&read).unwrap(), order);
    for wrong in [
        r#"{"order":"sources","function":"*"}"#,
        r#"{"order":"sources","function":"pay","id":"x"}"#,
    ] {
        assert!(serde_json::from_str::<Order>(wrong).is_err(), "{wrong}");
    }
}
