use super::*;

fn check(attributes: &[(&str, &str)], expect: &str) {
    let mut said = Said::default();
    for (key, value) in attributes {
        if let Some(fact) = fact(key) {
            said.add(fact, value);
        }
    }
    let found = match said.call("the span") {
        None => "nobody".to_owned(),
        Some(call) => {
            let wait = if call.is_async { ", async" } else { "" };
            format!("{} {}: {}{wait}", call.kind, call.name, call.operation)
        }
    };
    assert_eq!(found, expect, "{attributes:?}");
}

#[test]
fn whom_client_spans_call() {
    let aws = ("rpc.system", "aws-api");
    check(&[], "nobody");
    check(&[aws], "nobody");
    check(
        &[
            aws,
            ("rpc.method", "Invoke"),
            ("faas.invoked_name", "inventory"),
        ],
        "function inventory: Invoke",
    );
    check(
        &[
            ("db.system.name", "aws.dynamodb"),
            ("aws.dynamodb.table_names", "[\"orders\",\"carts\"]"),
            ("db.operation.name", "PutItem"),
        ],
        "table orders: PutItem",
    );
    check(
        &[("aws.table.name", "orders"), ("rpc.method", "Query")],
        "table orders: Query",
    );
    check(
        &[
            ("db.system", "dynamodb"),
            (
                "db.collection.name",
                "arn:aws:dynamodb:eu-west-1:1:table/orders",
            ),
        ],
        "table orders: the span",
    );
    check(
        &[
            aws,
            ("aws.s3.bucket", "photos"),
            ("rpc.method", "PutObject"),
        ],
        "bucket photos: PutObject",
    );
    check(
        &[
            ("aws.kinesis.stream_name", "clicks"),
            ("rpc.method", "PutRecords"),
        ],
        "stream clicks: PutRecords, async",
    );
    let queue = (
        "aws.sqs.queue.url",
        "https://sqs.eu-west-1.amazonaws.com/1/jobs",
    );
    check(
        &[
            ("messaging.system", "aws_sqs"),
            queue,
            ("messaging.operation.type", "send"),
        ],
        "queue jobs: send, async",
    );
    check(
        &[
            ("messaging.system", "AmazonSQS"),
            queue,
            ("messaging.operation", "receive"),
        ],
        "queue jobs: receive",
    );
    check(
        &[
            ("messaging.system", "aws_sns"),
            ("messaging.destination.name", "arn:aws:sns:eu-west-1:1:paid"),
        ],
        "topic paid: the span, async",
    );
    check(
        &[
            ("aws.sns.topic.arn", "arn:aws:sns:eu-west-1:1:paid"),
            ("rpc.method", "Publish"),
        ],
        "topic paid: Publish, async",
    );
    check(
        &[
            ("messaging.system", "aws_eventbridge"),
            ("messaging.destination.name", "shop"),
            ("messaging.destination", "older"),
        ],
        "bus shop: the span, async",
    );
    check(
        &[
            ("messaging.system", "kafka"),
            ("messaging.destination", "orders"),
            ("messaging.operation", "publish"),
        ],
        "topic orders: publish, async",
    );
    check(
        &[
            ("db.system.name", "postgresql"),
            ("db.namespace", "shop"),
            ("db.operation.name", "SELECT"),
            ("db.collection.name", "orders"),
            ("server.address", "db.internal"),
        ],
        "database shop: SELECT orders",
    );
    check(
        &[
            ("db.system", "redis"),
            ("db.name", "0"),
            ("net.peer.name", "cache.internal"),
        ],
        "cache cache.internal: the span",
    );
    check(&[("db.system", "mysql")], "database mysql: the span");
    check(
        &[
            ("rpc.service", "shop.Stock"),
            ("rpc.method", "Reserve"),
            ("server.address", "x"),
        ],
        "service shop.Stock: Reserve",
    );
    check(
        &[("rpc.method", "shop.Stock/Reserve")],
        "service shop.Stock: shop.Stock/Reserve",
    );
    check(&[("peer.service", "stock")], "service stock: the span");
    check(
        &[
            ("url.full", "https://me:pw@api.example:8443/pay?x=1"),
            ("http.request.method", "POST"),
        ],
        "host api.example: POST",
    );
    check(
        &[("http.url", "http://[::1]:80/"), ("http.method", "GET")],
        "host ::1: GET",
    );
    check(
        &[("url.full", "/no/host"), ("http.method", "GET")],
        "nobody",
    );
}

#[test]
fn which_calls_were_too_many() {
    let is_throttled = |key: &str, text: &'static str| {
        let mut said = Said::default();
        said.add(fact(key).unwrap(), text);
        said.is_throttled()
    };
    for (key, text) in [
        ("http.response.status_code", "429"),
        ("http.status_code", "429"),
        ("error.type", "429"),
        ("error.type", "throttle"),
        ("error.type", "ThrottlingException"),
        ("error.type", "ProvisionedThroughputExceededException"),
        ("aws.error.code", "TooManyRequestsException"),
    ] {
        assert!(is_throttled(key, text), "{key} {text}");
    }
    for (key, text) in [
        ("http.response.status_code", "500"),
        ("error.type", "timeout"),
    ] {
        assert!(!is_throttled(key, text), "{key} {text}");
    }
}
