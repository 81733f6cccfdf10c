//! What is read from the event of each source, with its trace wherever it may be.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::*;
use crate::dynamo::{item_key, keys_key};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";
const W3C: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const XRAY: &str = "Root=1-0af76519-16cd43dd8448eb211c80319c;Parent=b7ad6b7169203331;Sampled=0";
const DATADOG: &str = r#"{"x-datadog-trace-id":"9532127138774266268","x-datadog-parent-id":"13235353014750950193","x-datadog-tags":"_dd.p.tid=0af7651916cd43dd"}"#;
const OURS: &str = "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331";
const INVOKED: &str = "11111111111111111111111111111111 2222222222222222";
const AT: i64 = 1_795_219_200_123;
const DATE: &str = "2026-11-21T00:00:00.123Z";

fn invoked() -> Option<TraceContext> {
    let (trace, span) = INVOKED.split_once(' ').unwrap();
    TraceContext::of(trace, span)
}

fn way(event: &Value) -> Way {
    read(event, "i1", &Value::Null, invoked())
}

fn base64(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

fn message(more: Value) -> Value {
    let mut message = json!({"messageId": "m1", "body": "{}", "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:1:orders"});
    message
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    message
}

fn records(records: &[Value]) -> Value {
    json!({ "Records": records })
}

/// What an event says: whose trace, keys, path, number of links, and the attributes that are asked for.
fn check(
    name: &str,
    event: Value,
    parent: &str,
    keys: &[&str],
    path: &[&str],
    links: usize,
    told: Value,
) {
    let way = way(&event);
    let seen = way.parent.unwrap();
    let seen = format!("{} {}", seen.trace_id, seen.span_id.unwrap());
    assert_eq!(seen, parent, "{name}");
    assert_eq!(way.keys[0], "lam:i1");
    assert_eq!(way.keys[1..], *keys, "{name}");
    assert_eq!(way.path, path, "{name}");
    assert_eq!(way.links.len(), links, "{name}");
    let attributes = serde_json::to_value(&way.attributes).unwrap();
    for (key, value) in told.as_object().unwrap() {
        assert_eq!(attributes[key], *value, "{name}: {key}");
    }
}

#[test]
#[rustfmt::skip] // an event a line
fn requests() {
    check("REST API", json!({"resource": "/orders/{id}", "path": "/orders/7", "httpMethod": "GET", "headers": {"Traceparent": W3C, "User-Agent": "curl"}, "requestContext": {"requestId": "r1", "extendedRequestId": "x1", "apiId": "a1", "requestTimeEpoch": AT, "protocol": "HTTP/1.1", "domainName": "shop.example.com", "identity": {"sourceIp": "10.0.0.1"}}}),
        OURS, &["apigw:r1", "apigw:x1"], &["api:a1@1795219200123#apigw:r1"], 0, json!({"faas.trigger": "http", "http.route": "/orders/{id}", "http.request.method": "GET", "user_agent.original": "curl", "client.address": "10.0.0.1", "network.protocol.version": "1.1"}));
    check("REST API, several values", json!({"resource": "/", "path": "/", "httpMethod": "GET", "headers": null, "multiValueHeaders": {"X-Amzn-Trace-Id": [XRAY]}, "requestContext": {"requestId": "r1"}}),
        OURS, &["apigw:r1"], &["api:#apigw:r1"], 0, json!({"throughline.trigger.type": "rest-api"}));
    check("HTTP API", json!({"version": "2.0", "routeKey": "GET /orders/{id}", "rawPath": "/orders/7", "headers": {"traceparent": W3C, "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793"}, "requestContext": {"http": {"method": "GET", "path": "/orders/7", "protocol": "HTTP/1.1", "sourceIp": "::1"}, "requestId": "r2", "domainName": "id.execute-api.us-east-1.amazonaws.com"}}),
        OURS, &["apigw:r2"], &["api:id.execute-api.us-east-1.amazonaws.com#apigw:r2"], 0, json!({"http.route": "/orders/{id}", "url.path": "/orders/7", "throughline.trigger.type": "http-api"}));
    check("function URL", json!({"version": "2.0", "routeKey": "$default", "rawPath": "/", "headers": {"x-amzn-trace-id": XRAY}, "requestContext": {"http": {"method": "POST", "path": "/"}, "apiId": "abc", "requestId": "r3", "domainName": "abc.lambda-url.us-east-1.on.aws"}}),
        OURS, &["apigw:r3"], &["api:abc#apigw:r3"], 0, json!({"throughline.trigger.type": "function-url"}));
    check("WebSocket API", json!({"headers": {"traceparent": W3C}, "requestContext": {"connectionId": "c1", "requestId": "r4", "routeKey": "$connect", "apiId": "w"}}),
        OURS, &["ws:c1", "apigw:r4"], &["api:w#apigw:r4"], 0, json!({"http.route": "$connect"}));
    check("ALB", json!({"httpMethod": "GET", "path": "/", "headers": {"x-amzn-trace-id": format!("Self=1-67891234-12456789abcdef012345678a;{XRAY}")}, "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:us-east-1:1:targetgroup/shop/6d"}}}),
        OURS, &[], &["balancer:shop"], 0, json!({"throughline.trigger.type": "alb"}));
    check("VPC Lattice", json!({"version": "2.0", "path": "/a?b=1", "method": "GET", "headers": {"traceparent": [W3C]}, "requestContext": {"serviceNetworkArn": "arn:aws:vpc-lattice:us-east-1:1:servicenetwork/sn-1", "timeEpoch": "1795219200123456"}}),
        OURS, &[], &["balancer:sn-1@1795219200123"], 0, json!({"url.path": "/a"}));
    check("authorizer", json!({"type": "REQUEST", "methodArn": "arn:aws:execute-api:us-east-1:1:a1/prod/GET/", "headers": {"traceparent": W3C}}),
        OURS, &[], &["api:a1"], 0, json!({"throughline.trigger.type": "authorizer"}));
    check("AppSync", json!({"info": {"fieldName": "order", "parentTypeName": "Query"}, "request": {"headers": {"traceparent": W3C, "x-amzn-requestid": "r5", "host": "g.appsync-api.us-east-1.amazonaws.com"}}}),
        OURS, &["apigw:r5"], &["api:g.appsync-api.us-east-1.amazonaws.com#apigw:r5"], 0, json!({"graphql.operation.name": "order", "graphql.operation.type": "query"}));
    check("AppSync, batch", json!([{"info": {"fieldName": "order"}, "request": {"headers": {"traceparent": W3C}}}]), OURS, &[], &["api:"], 0, json!({}));
    check("S3 Object Lambda", json!({"xAmzRequestId": "q1", "getObjectContext": {}, "userRequest": {"headers": {"Traceparent": W3C}}, "configuration": {"accessPointArn": "arn:aws:s3-object-lambda:us-east-1:1:accesspoint/p"}}),
        OURS, &["s3r:q1"], &["bucket:p#s3r:q1"], 0, json!({}));
    check("CloudFront", records(&[json!({"cf": {"config": {"requestId": "f1", "distributionId": "E1"}, "request": {"uri": "/", "method": "GET", "headers": {"traceparent": [{"key": "Traceparent", "value": W3C}]}}}})]),
        OURS, &["cf:f1"], &["balancer:E1#cf:f1"], 0, json!({"url.path": "/"}));
}

#[test]
#[rustfmt::skip] // an event a line
fn queues_and_topics() {
    let note = json!({"Type": "Notification", "MessageId": "n1", "TopicArn": "arn:aws:sns:us-east-1:1:t", "Timestamp": DATE, "Message": "hi", "MessageAttributes": {"traceparent": {"Type": "String", "Value": W3C}}});
    let on_bus = json!({"id": "e1", "detail-type": "order", "source": "shop", "time": "2026-11-21T00:00:00Z", "detail": {"traceparent": W3C}});
    let header = |header: &str| json!({"attributes": {"AWSTraceHeader": header, "SentTimestamp": "1795219200123"}});
    let queue = ["queue:orders@1795219200123#sqs:m1"];
    let other = header(&XRAY.replace("0af7", "1af7"));
    check("SQS, header", records(&[message(json!({"md5OfBody": "abc", "attributes": header(XRAY)["attributes"]}))]), OURS, &["sqs:m1", "sqsbody:abc"], &queue, 1,
        json!({"faas.trigger": "pubsub", "messaging.system": "aws_sqs", "messaging.destination.name": "orders", "messaging.batch.message_count": 1}));
    check("SQS, attribute", records(&[message(json!({"messageAttributes": {"traceparent": {"stringValue": W3C, "dataType": "String"}}}))]), OURS, &["sqs:m1"], &["queue:orders#sqs:m1"], 1, json!({}));
    check("SQS, all of one trace", records(&[message(header(XRAY)), message(header(&XRAY.replace(SPAN, "aaaaaaaaaaaaaaaa")))]), OURS, &["sqs:m1", "sqs:m1"], &[queue[0], queue[0]], 2, json!({}));
    check("SQS, of two traces", records(&[message(header(XRAY)), message(other)]), INVOKED, &["sqs:m1", "sqs:m1"], &[queue[0], queue[0]], 2, json!({}));
    check("SQS, one record without", records(&[message(header(XRAY)), message(json!({}))]), INVOKED, &["sqs:m1", "sqs:m1"], &[queue[0], "queue:orders#sqs:m1"], 1, json!({}));
    check("SQS, Datadog as text", records(&[message(json!({"messageAttributes": {"_datadog": {"stringValue": DATADOG}}}))]), OURS, &["sqs:m1"], &["queue:orders#sqs:m1"], 1, json!({}));
    check("SQS, Datadog in binary", records(&[message(json!({"messageAttributes": {"_datadog": {"binaryValue": base64(DATADOG)}}}))]), OURS, &["sqs:m1"], &["queue:orders#sqs:m1"], 1, json!({}));
    check("SNS in SQS", records(&[message(json!({"body": note.to_string()}))]), OURS, &["sqs:m1", "sns:n1"], &["topic:t@1795219200123#sns:n1>queue:orders#sqs:m1"], 1, json!({}));
    check("EventBridge in SQS", records(&[message(json!({"body": on_bus.to_string()}))]), OURS, &["sqs:m1", "eb:e1"], &["bus:@1795219200000#eb:e1>queue:orders#sqs:m1"], 1, json!({}));
    check("SNS", records(&[json!({"EventSource": "aws:sns", "Sns": note})]), OURS, &["sns:n1"], &["topic:t@1795219200123#sns:n1"], 1, json!({"messaging.destination.name": "t", "messaging.system": "aws.sns"}));
    check("EventBridge", on_bus, OURS, &["eb:e1"], &["bus:@1795219200000#eb:e1"], 0, json!({"faas.trigger": "pubsub", "throughline.event.type": "order"}));
    check("schedule", json!({"id": "e2", "detail-type": "Scheduled Event", "source": "aws.events", "time": "2026-11-21T00:00:00Z", "resources": ["arn:aws:events:us-east-1:1:rule/tidy"], "detail": {}}),
        INVOKED, &["eb:e2"], &["schedule:tidy@1795219200000#eb:e2"], 0, json!({"faas.trigger": "timer", "faas.time": "2026-11-21T00:00:00Z"}));
    let w3c_bytes: Vec<u8> = W3C.bytes().collect();
    check("Kafka", json!({"eventSource": "aws:kafka", "records": {"t-0": [{"topic": "t", "partition": 0, "offset": 15, "timestamp": AT, "headers": [{"traceparent": w3c_bytes}]}]}}),
        OURS, &["kafka:t/0/15"], &["broker:t@1795219200123#kafka:t/0/15"], 1, json!({"messaging.system": "kafka"}));
    let decimal: Vec<String> = W3C.bytes().map(|byte| byte.to_string()).collect();
    check("Kafka, bytes as decimal text", json!({"eventSource": "SelfManagedKafka", "records": {"t-0": [{"topic": "t", "partition": 0, "offset": 15, "headers": [{"traceparent": decimal}]}]}}),
        OURS, &["kafka:t/0/15"], &["broker:t#kafka:t/0/15"], 1, json!({}));
    check("RabbitMQ", json!({"rmqMessagesByQueue": {"q::/": [{"basicProperties": {"messageId": "b1", "correlationId": null, "headers": {"traceparent": {"bytes": w3c_bytes}}}}]}}),
        OURS, &["mq:b1"], &["broker:q#mq:b1"], 1, json!({"messaging.destination.name": "q"}));
    check("ActiveMQ", json!({"eventSource": "aws:mq", "messages": [{"messageID": "ID:1", "brokerInTime": AT, "destination": {"physicalName": "q"}, "properties": {"traceparent": W3C}}]}),
        OURS, &["mq:ID:1"], &["broker:q@1795219200123#mq:ID:1"], 1, json!({}));
}

#[test]
#[rustfmt::skip] // an event a line
fn streams_tables_and_buckets() {
    let data = base64(&json!({ "traceparent": W3C }).to_string());
    let stream = "arn:aws:kinesis:us-east-1:1:stream/orders";
    check("Kinesis", records(&[json!({"eventSource": "aws:kinesis", "eventID": "shardId-0:495", "eventSourceARN": stream, "kinesis": {"approximateArrivalTimestamp": 1_795_219_200.123, "data": data}})]),
        OURS, &["kin:orders/shardId-0/495"], &["stream:orders@1795219200123#kin:orders/shardId-0/495"], 1, json!({"aws.kinesis.stream_name": "orders"}));
    check("Kinesis, data that says nothing", records(&[json!({"eventSource": "aws:kinesis", "eventID": "shardId-0:495", "eventSourceARN": stream, "kinesis": {"data": "AAAA"}})]),
        INVOKED, &["kin:orders/shardId-0/495"], &["stream:orders#kin:orders/shardId-0/495"], 0, json!({}));
    let (keys, image) = (json!({"id": {"N": "7"}}), json!({"id": {"N": "7"}, "traceparent": {"S": W3C}}));
    let (key, item) = (keys_key("orders", &keys), item_key("orders", &image));
    check("DynamoDB", records(&[json!({"eventSource": "aws:dynamodb", "eventName": "INSERT", "eventSourceARN": "arn:aws:dynamodb:us-east-1:1:table/orders/stream/x", "dynamodb": {"Keys": keys, "NewImage": image}})]),
        OURS, &[&key, &item], &[&format!("table:orders#{key}")], 1, json!({"faas.trigger": "datasource", "faas.document.collection": "orders", "faas.document.operation": "insert"}));
    check("S3", records(&[json!({"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "eventTime": DATE, "responseElements": {"x-amz-request-id": "Q1"}, "s3": {"bucket": {"name": "receipts"}, "object": {"key": "a+b%2Fc", "eTag": "e", "versionId": "v"}}})]),
        INVOKED, &["s3r:Q1", "s3o:receipts/a b/c/e/v"], &["bucket:receipts@1795219200123#s3r:Q1"], 0, json!({"faas.document.name": "a b/c", "faas.document.operation": "insert"}));
    check("Firehose", json!({"deliveryStreamArn": "arn:aws:firehose:us-east-1:1:deliverystream/d", "sourceKinesisStreamArn": stream, "records": [{"recordId": "f1", "approximateArrivalTimestamp": AT, "data": data, "kinesisRecordMetadata": {"shardId": "shardId-0", "sequenceNumber": "5"}}]}),
        OURS, &["fh:f1", "kin:orders/shardId-0/5"], &["stream:orders#kin:orders/shardId-0/5>stream:d@1795219200123#fh:f1"], 1, json!({}));
    check("DocumentDB", json!({"eventSource": "aws:docdb", "events": [{"event": {"operationType": "insert", "ns": {"db": "shop", "coll": "orders"}, "fullDocument": {"traceparent": W3C}}}]}),
        OURS, &[], &["table:orders"], 1, json!({"faas.document.collection": "orders"}));
}

#[test]
#[rustfmt::skip] // an event a line
fn whatever_else() {
    check("SES", records(&[json!({"eventSource": "aws:ses", "ses": {"mail": {"messageId": "s1", "headers": [{"name": "Traceparent", "value": W3C}]}}})]), OURS, &["ses:s1"], &[], 0, json!({}));
    check("Cognito", json!({"triggerSource": "PreSignUp_SignUp", "userPoolId": "p", "request": {"clientMetadata": {"traceparent": W3C}}}), OURS, &[], &[], 0, json!({}));
    check("CloudWatch Logs", json!({"awslogs": {"data": "H4sI"}}), INVOKED, &[], &[], 0, json!({"throughline.trigger.type": "logs"}));
    check("Step Functions", json!({"Execution": {"Id": "arn:aws:states:us-east-1:1:execution:m:x", "StartTime": DATE}, "State": {"Name": "Pay"}, "_datadog": DATADOG}),
        OURS, &["sfn:arn:aws:states:us-east-1:1:execution:m:x"], &["workflow:m@1795219200123#sfn:arn:aws:states:us-east-1:1:execution:m:x"], 0, json!({"aws.step_functions.state.name": "Pay"}));
    check("durable execution", json!({"DurableExecutionArn": "arn:d", "InitialExecutionState": {"Operations": [{"Name": "_datadog_0", "Payload": DATADOG}]}}), OURS, &[], &[], 0, json!({"throughline.durable.execution": "arn:d"}));
    check("destination", json!({"requestContext": {"requestId": "l1", "condition": "Success"}, "requestPayload": {}}), INVOKED, &["lam:l1"], &[], 0, json!({"throughline.trigger.type": "destination"}));
    check("direct, in the event", json!({ "traceparent": W3C }), OURS, &[], &[], 0, json!({"throughline.trigger.type": "invoke"}));
    check("direct, nothing", json!({"order": 7}), INVOKED, &[], &[], 0, json!({"faas.trigger": "other"}));
    for strange in [json!("text"), json!(null), json!([]), json!({"Records": [{"eventSource": "aws:sqs"}, null]}), json!({"Records": {}}), json!({"records": 1, "eventSource": "kafka"})] {
        let seen = way(&strange);
        assert_eq!((seen.keys, seen.parent), (vec!["lam:i1".to_owned()], invoked()), "{strange}");
    }
}

#[test]
fn batch_of_more_records_than_are_joined() {
    let header = json!({"attributes": {"AWSTraceHeader": XRAY}});
    let way = way(&records(&vec![message(header); 1_500]));
    assert_eq!((way.keys.len(), way.links.len()), (1_000, 1_000));
    assert_eq!(way.path.len(), 1_000);
}

#[test]
fn everybodys_headers() {
    let datadog: Value = serde_json::from_str(DATADOG).unwrap();
    let b3 = format!("{TRACE}-{SPAN}-1");
    let jaeger = format!("{TRACE}%3A{SPAN}:0:1");
    for headers in [
        json!({"traceparent": W3C, "x-amzn-trace-id": "Root=1-5759e988-bd862e3fe1be46a994272793"}),
        datadog,
        json!({ "Elastic-Apm-Traceparent": W3C }),
        json!({ "b3": b3 }),
        json!({"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN}),
        json!({ "uber-trace-id": jaeger }),
        json!({"epsagon-trace-id": format!("{TRACE}:{SPAN}:0:1")}),
        json!({"traceparent": "00-zz", "X-Amzn-Trace-Id": XRAY}),
    ] {
        let event = json!({"version": "2.0", "headers": headers, "requestContext": {"http": {}}});
        let parent = way(&event).parent.unwrap();
        assert_eq!(
            format!("{} {}", parent.trace_id, parent.span_id.unwrap()),
            OURS,
            "{headers}"
        );
    }
}

#[test]
fn direct_call_says_it_in_its_client_context() {
    for context in [
        json!({"custom": {"traceparent": W3C}}),
        json!({"Custom": {"_datadog": DATADOG}}),
        json!({"w3c": {"traceparent": W3C}}),
    ] {
        let parent = read(&json!({}), "i1", &context, invoked()).parent.unwrap();
        assert_eq!(parent.trace_id.to_string(), TRACE, "{context}");
    }
}

#[test]
fn root_without_a_parent_takes_the_parent_that_the_invocation_has() {
    let invoked = TraceContext::of(TRACE, SPAN);
    let root = XRAY.split(';').next().unwrap();
    let event = json!({"version": "2.0", "headers": {"x-amzn-trace-id": root}, "requestContext": {"http": {}}});
    assert_eq!(read(&event, "i1", &Value::Null, invoked).parent, invoked);
}
