"""Ways in: each event source, with a context in every place where one may ride."""

import base64
import json
import unittest

from . import world
from throughline_layer import carriers, events, ids, invocation

TRACE = world.TRACE
SPAN = "2be948a625588e32"
W3C = "00-%s-%s-01" % (TRACE, SPAN)
XRAY = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=0"
ROOT = "Self=1-x;Root=1-5f35ae12-0c0fec141ab77a00bc047aa2"
BOTH = (TRACE, SPAN)
DATADOG = {
    "x-datadog-trace-id": str(int(TRACE[16:], 16)),
    "x-datadog-parent-id": str(int(SPAN, 16)),
    "x-datadog-tags": "_dd.p.dm=-1,_dd.p.tid=" + TRACE[:16],
}
NOTE = {"Type": "Notification", "TopicArn": "arn:aws:sns:eu:1:t", "MessageId": "n-1", "Message": "hi"}
W3C_BYTES = list(W3C.encode())


def sqs(body="hello", identity="m-1", md5=None, **more):
    return {"eventSource": "aws:sqs", "messageId": identity, "body": body, "eventSourceARN": "arn:aws:sqs:eu:1:orders", **more}


def base(value):
    return base64.b64encode(json.dumps(value).encode()).decode()


# name: (event, kind, contexts, keys)
CASES = {
    "rest api": (
        {"httpMethod": "GET", "path": "/a", "resource": "/{x}", "headers": {"TraceParent": W3C}, "requestContext": {"requestId": "r1", "extendedRequestId": "e1"}},
        "rest-api", [BOTH], ["apigw:r1", "apigw:e1"],
    ),
    "rest api, several values": (
        {"httpMethod": "GET", "path": "/a", "headers": None, "multiValueHeaders": {"traceparent": [W3C]}, "requestContext": {}},
        "rest-api", [BOTH], [],
    ),
    "http api": (
        {"version": "2.0", "routeKey": "GET /a", "headers": {"x-amzn-trace-id": XRAY}, "requestContext": {"http": {"method": "GET", "path": "/a"}, "requestId": "r2"}},
        "http-api", [BOTH], ["apigw:r2"],
    ),
    "function url": (
        {"version": "2.0", "headers": {"x-amzn-trace-id": ROOT}, "requestContext": {"domainName": "x.lambda-url.eu.on.aws", "http": {"method": "GET", "path": "/a"}}},
        "function-url", [(TRACE, None)], [],
    ),
    "w3c before x-ray": (
        {"version": "2.0", "headers": {"x-amzn-trace-id": "Root=1-11111111-222222222222222222222222", "traceparent": W3C}, "requestContext": {"http": {}}},
        "http-api", [BOTH], [],
    ),
    "authorizer hands over": (
        {"version": "2.0", "headers": {}, "requestContext": {"http": {}, "authorizer": {"lambda": {"_datadog": base(DATADOG)}}}},
        "http-api", [BOTH], [],
    ),
    "websocket": (
        {"requestContext": {"connectionId": "c1", "requestId": "r3", "routeKey": "$connect"}, "headers": {"traceparent": W3C}},
        "websocket", [BOTH], ["ws:c1", "apigw:r3"],
    ),
    "alb": (
        {"requestContext": {"elb": {}}, "httpMethod": "GET", "path": "/", "multiValueHeaders": {"x-amzn-trace-id": [ROOT]}},
        "alb", [(TRACE, None)], [],
    ),
    "lattice": (
        {"version": "2.0", "path": "/a", "method": "GET", "headers": {"traceparent": [W3C]}, "requestContext": {"serviceNetworkArn": "arn"}},
        "lattice", [BOTH], [],
    ),
    "queue": ({"Records": [sqs(md5OfBody="5d", attributes={"AWSTraceHeader": XRAY})]}, "sqs", [BOTH], ["sqs:m-1", "sqsbody:5d"]),
    "queue, attribute": (
        {"Records": [sqs(messageAttributes={"traceparent": {"dataType": "String.custom", "stringValue": W3C}}, attributes={"AWSTraceHeader": ROOT})]},
        "sqs", [BOTH], ["sqs:m-1"],
    ),
    "queue, datadog": (
        {"Records": [sqs(messageAttributes={"_datadog": {"dataType": "Binary", "binaryValue": None, "stringValue": json.dumps(DATADOG)}})]},
        "sqs", [BOTH], ["sqs:m-1"],
    ),
    "queue below a topic": (
        {"Records": [sqs(json.dumps({**NOTE, "MessageAttributes": {"traceparent": {"Type": "String", "Value": W3C}}}))]},
        "sqs", [BOTH], ["sqs:m-1", "sns:n-1"],
    ),
    "queue below a bus": (
        {"Records": [sqs(json.dumps({"detail-type": "x", "id": "e-1", "detail": {"_datadog": {"traceparent": W3C}}}))]},
        "sqs", [BOTH], ["sqs:m-1", "eb:e-1"],
    ),
    "queue, every record": (
        {"Records": [sqs(attributes={"AWSTraceHeader": XRAY}), sqs(identity="m-2"), "odd"]},
        "sqs", [BOTH, None], ["sqs:m-1", "sqs:m-2"],
    ),
    "topic": (
        {"Records": [{"EventSource": "aws:sns", "Sns": {**NOTE, "MessageAttributes": {"traceparent": {"Type": "String", "Value": W3C}}}}]},
        "sns", [BOTH], ["sns:n-1"],
    ),
    "bus": ({"detail-type": "x", "source": "shop", "id": "e-1", "detail": {"traceparent": W3C}}, "eventbridge", [BOTH], ["eb:e-1"]),
    "schedule": ({"detail-type": "Scheduled Event", "source": "aws.events", "id": "e-2", "time": "2026-11-21T00:00:00Z", "detail": {}}, "schedule", [None], ["eb:e-2"]),
    "kinesis": (
        {"Records": [{"eventSource": "aws:kinesis", "eventSourceARN": "arn:aws:kinesis:eu:1:stream/s", "eventID": "shardId-0:495", "kinesis": {"data": base({"traceparent": W3C})}}]},
        "kinesis", [BOTH], ["kin:s/shardId-0/495"],
    ),
    "dynamodb": (
        {"Records": [{"eventSource": "aws:dynamodb", "eventSourceARN": "arn:aws:dynamodb:eu:1:table/t/stream/x", "eventName": "INSERT", "dynamodb": {"Keys": {"id": {"S": "1"}}, "NewImage": {"id": {"S": "1"}, "traceparent": {"S": W3C}}}}]},
        "dynamodb", [BOTH],
        ["ddb:t/4ce6bd0ad9d7e3ba0e0e8d8d1d1e1d1d", "ddbi:t/"],
    ),
    "bucket": (
        {"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "responseElements": {"x-amz-request-id": "R1"}, "s3": {"bucket": {"name": "b"}, "object": {"key": "a+b%2Fc", "eTag": "t", "versionId": "v"}}}]},
        "s3", [None], ["s3r:R1", "s3o:b/a b/c/t/v"],
    ),
    "kafka": (
        {"eventSource": "aws:kafka", "records": {"t-0": [{"topic": "t", "partition": 0, "offset": 7, "headers": [{"traceparent": W3C_BYTES}]}]}},
        "kafka", [BOTH], ["kafka:t/0/7"],
    ),
    "rabbitmq": (
        {"eventSource": "aws:rmq", "rmqMessagesByQueue": {"q::/": [{"basicProperties": {"messageId": "x", "headers": {"traceparent": {"bytes": W3C_BYTES}}}, "data": ""}]}},
        "rabbitmq", [BOTH], ["mq:x"],
    ),
    "activemq": (
        {"eventSource": "aws:mq", "messages": [{"messageID": "y", "properties": {"traceparent": W3C}}]},
        "activemq", [BOTH], ["mq:y"],
    ),
    "firehose": (
        {"deliveryStreamArn": "arn:x/d", "sourceKinesisStreamArn": "arn:x/s", "records": [{"recordId": "f1", "data": "aGk=", "kinesisRecordMetadata": {"shardId": "s0", "sequenceNumber": "9"}}]},
        "firehose", [None], ["fh:f1", "kin:s/s0/9"],
    ),
    "documentdb": ({"eventSource": "aws:docdb", "events": [{"event": {"fullDocument": {"traceparent": W3C}}}]}, "documentdb", [BOTH], []),
    "mail": ({"Records": [{"eventSource": "aws:ses", "ses": {"mail": {"headers": [{"name": "traceparent", "value": W3C}]}}}]}, "ses", [BOTH], []),
    "edge": ({"Records": [{"cf": {"request": {"method": "GET", "uri": "/", "headers": {"traceparent": [{"key": "t", "value": W3C}]}}}}]}, "cloudfront", [BOTH], []),
    "appsync": ({"info": {"fieldName": "f", "parentTypeName": "Query"}, "request": {"headers": {"x-amzn-trace-id": XRAY}}}, "appsync", [BOTH], []),
    "object lambda": ({"xAmzRequestId": "R2", "getObjectContext": {}, "userRequest": {"headers": {"traceparent": W3C}}}, "s3-object-lambda", [BOTH], ["s3r:R2"]),
    "user pool": ({"triggerSource": "PreSignUp", "userPoolId": "p", "request": {"clientMetadata": {"traceparent": W3C}}}, "cognito", [BOTH], []),
    "state machine": (
        {"Execution": {"Id": "arn:aws:states:eu:1:execution:m:x"}, "State": {"Name": "s"}, "_datadog": {"traceparent": W3C}},
        "step-functions", [BOTH], ["sfn:arn:aws:states:eu:1:execution:m:x"],
    ),
    "durable": ({"DurableExecutionArn": "arn:d", "InitialExecutionState": {"Operations": [{"Name": "_datadog_1", "Payload": json.dumps(DATADOG)}]}}, "durable", [BOTH], []),
    "destination": ({"requestContext": {"requestId": "q-1", "condition": "RetriesExhausted"}, "requestPayload": {}}, "destination", [], ["lam:q-1"]),
    "logs": ({"awslogs": {"data": ""}}, "logs", [None], []),
    "anything": ({"n": 1}, "invoke", [None], []),
    "a list": ([1], "invoke", [], []),
    "text": ("x", "invoke", [], []),
    "nothing": (None, "invoke", [], []),
    "odd records": ({"Records": [None]}, "invoke", [None], []),
}

HEADERS = {
    "traceparent": {"traceparent": W3C},
    "later version": {"traceparent": "cc" + W3C[2:] + "-what-the-future-brings"},
    "x-ray": {"X-Amzn-Trace-Id": XRAY},
    "datadog": DATADOG,
    "elastic": {"Elastic-Apm-Traceparent": W3C},
    "b3 single": {"b3": "%s-%s-1" % (TRACE, SPAN)},
    "b3": {"X-B3-TraceId": TRACE, "X-B3-SpanId": SPAN},
    "jaeger": {"uber-trace-id": "%s:%s:0:1" % (TRACE, SPAN)},
    "epsagon": {"epsagon-trace-id": "%s:%s:%s:1" % (TRACE, SPAN, SPAN)},
    "numbers with a sign": {"traceparent": [byte if byte < 128 else byte - 256 for byte in W3C_BYTES]},
}
NOT_HEADERS = {
    "zero": {"traceparent": "00-%s-%s-01" % ("0" * 32, SPAN)},
    "short": {"traceparent": W3C[:50]},
    "no root": {"x-amzn-trace-id": "Parent=2be948a625588e32"},
    "other words": {"b3": "0", "uber-trace-id": "x", "_datadog": "e30=", "x-datadog-trace-id": "-1"},
    "no text": {"traceparent": {"a": object}, "b3": 7},
    "too long": {"traceparent": W3C + "-" + "x" * 5000},
}


class Context:
    def __init__(self, custom=None, w3c=None):
        self.client_context = type("C", (), {"custom": custom})()
        self.w3c = lambda: w3c or {}


class Events(unittest.TestCase):
    def test_sources(self):
        for name, (event, kind, contexts, keys) in CASES.items():
            with self.subTest(name):
                way = events.read(event)
                self.assertEqual((way.type, way.contexts), (kind, contexts))
                if kind == "dynamodb":
                    self.assertEqual([key[:6].rstrip("/") for key in way.keys], ["ddb:t", "ddbi:t"])
                else:
                    self.assertEqual(way.keys, keys)

    def test_carriers(self):
        for name, headers in HEADERS.items():
            with self.subTest(name):
                self.assertEqual(carriers.context(carriers.lower(headers)), BOTH)
        for name, headers in NOT_HEADERS.items():
            with self.subTest(name):
                self.assertIsNone(carriers.context(carriers.lower(headers)))

    def test_what_the_caller_gave_beside_the_event(self):
        for context in (Context({"traceparent": W3C}), Context({"_datadog": DATADOG}), Context(w3c={"traceparent": W3C}), Context({"headers": {"traceparent": W3C}})):
            self.assertEqual(events.read({"n": 1}, context).contexts, [BOTH])

    def test_records_of_one_trace_are_its_children_and_others_are_links(self):
        other = XRAY.replace("5f35ae12", "11111111")
        for headers, expected, links in (
            ([XRAY, XRAY], BOTH, 2),
            ([ROOT, XRAY], BOTH, 1),
            ([XRAY, other], ("a" * 32, None), 2),
            ([XRAY, ""], ("a" * 32, None), 1),
            (["", ""], ("a" * 32, None), 0),
        ):
            records = [sqs(identity="m-%d" % at, attributes={"AWSTraceHeader": header}) for at, header in enumerate(headers)]
            way = events.read({"Records": records})
            header = "Root=1-aaaaaaaa-aaaaaaaaaaaaaaaaaaaaaaaa"
            self.assertEqual(invocation.where(way, header, "r"), expected)
            found = invocation.links(way) or []
            self.assertEqual(len(found), links)
        self.assertEqual(found, [])

    def test_a_link_names_its_message(self):
        way = events.read({"Records": [sqs(identity="a"), sqs(identity="b", attributes={"AWSTraceHeader": XRAY})]})
        said = {"messaging.message.id": "b", "throughline.link.in": ["sqs:b"]}
        self.assertEqual(invocation.links(way), [(TRACE, SPAN, said)])

    def test_large_batches_are_bounded(self):
        way = events.read({"Records": [sqs(identity="m-%d" % at, md5OfBody="x") for at in range(3000)]})
        self.assertEqual((len(way.keys), len(way.contexts)), (1000, 1000))
        self.assertEqual(way.attributes["messaging.batch.message_count"], 3000)

    def test_nothing_that_is_thrown_at_it_raises(self):
        for name, (event, *_) in CASES.items():
            for broken in mutations(event):
                with self.subTest(name):
                    events.read(broken)

    def test_ids_are_those_of_the_extension(self):
        self.assertEqual(ids.fnv(""), 0xCBF29CE484222325)
        self.assertEqual(ids.fnv("foobar"), 0x85944171F73967E8)

    def test_x_ray_header_keeps_what_it_does_not_know(self):
        before = "Self=1-a;Root=1-11111111-222222222222222222222222;Parent=3333333333333333;Sampled=0;Lineage=1:a:0;New=x"
        text = ids.xray(TRACE, SPAN, before)
        self.assertEqual(text, XRAY + ";Lineage=1:a:0;New=x")
        self.assertEqual(ids.xray(TRACE, SPAN), XRAY.replace("Sampled=0", "Sampled=1"))


def mutations(value, depth=0):
    """The event with each member in turn replaced by something that should not be there."""
    for odd in (None, 7, "x", [], {}, [None], [7]):
        yield odd
    if isinstance(value, dict):
        for name in value:
            for inner in mutations(value[name], depth + 1):
                yield {**value, name: inner}
    elif isinstance(value, list):
        for at in range(len(value)):
            for inner in mutations(value[at], depth + 1):
                yield value[:at] + [inner] + value[at + 1 :]


if __name__ == "__main__":
    unittest.main()
