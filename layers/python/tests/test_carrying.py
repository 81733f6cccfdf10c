"""Ways out that a user asks for: attributes of messages, members of payloads, comments in queries."""

import hashlib
import hmac
import json
import unittest
import unittest.mock

from . import world
from .test_calls import Case
from throughline_layer.hooks import carrying, database

CARRIER = "00-%s-2be948a625588e32-01" % world.TRACE
ASKED = {
    "THROUGHLINE_ATTRIBUTES": "sqs, SNS",
    "THROUGHLINE_PAYLOAD_CONTEXT": "bus:shop,stream:clicks,function:pay,bus:default",
}


def attributes(count, **more):
    return {**{"a%d" % at: {"DataType": "String", "StringValue": "x"} for at in range(count)}, **more}


TRACEPARENT = {"DataType": "String", "StringValue": CARRIER}
# Service, operation, parameters, what is added to them: `None` if they go out as they came.
EDITS = (
    ("sqs", "SendMessage", {"MessageBody": "x"}, {"MessageAttributes": {"traceparent": TRACEPARENT}}),
    ("sqs", "SendMessage", {"MessageBody": "x", "MessageAttributes": attributes(8)}, {"MessageAttributes": attributes(8, traceparent=TRACEPARENT)}),
    ("sqs", "SendMessage", {"MessageBody": "x", "MessageAttributes": attributes(9)}, None),
    ("sqs", "SendMessage", {"MessageBody": "x", "MessageAttributes": {"Traceparent": TRACEPARENT}}, None),
    ("sqs", "SendMessage", {"MessageBody": "ä" * 122880}, None),
    (
        "sqs",
        "SendMessageBatch",
        {"Entries": [{"Id": "1", "MessageBody": "x"}, {"Id": "2", "MessageBody": "y", "MessageAttributes": attributes(10)}]},
        {"Entries": [{"Id": "1", "MessageBody": "x", "MessageAttributes": {"traceparent": TRACEPARENT}}, {"Id": "2", "MessageBody": "y", "MessageAttributes": attributes(10)}]},
    ),
    ("sqs", "SendMessageBatch", {"Entries": [{"Id": "1", "MessageBody": "x" * 200000}, {"Id": "2", "MessageBody": "x" * 50000}]}, None),
    ("sns", "Publish", {"TopicArn": "t", "Message": "x"}, {"MessageAttributes": {"traceparent": TRACEPARENT}}),
    ("sns", "PublishBatch", {"PublishBatchRequestEntries": [{"Message": "x"}]}, {"PublishBatchRequestEntries": [{"Message": "x", "MessageAttributes": {"traceparent": TRACEPARENT}}]}),
    (
        "events",
        "PutEvents",
        {"Entries": [{"EventBusName": "arn:aws:events:eu:1:event-bus/shop", "Detail": '{"n": 1.10}'}, {"EventBusName": "other", "Detail": "{}"}, {"Detail": "{}"}]},
        {
            "Entries": [
                {"EventBusName": "arn:aws:events:eu:1:event-bus/shop", "Detail": '{"traceparent":"%s","n": 1.10}' % CARRIER},
                {"EventBusName": "other", "Detail": "{}"},
                {"Detail": '{"traceparent":"%s"}' % CARRIER},
            ]
        },
    ),
    ("kinesis", "PutRecord", {"StreamName": "clicks", "Data": b' {"n":1}'}, {"Data": (' {"traceparent":"%s","n":1}' % CARRIER).encode()}),
    ("kinesis", "PutRecord", {"StreamName": "clicks", "Data": b"[1]"}, None),
    ("kinesis", "PutRecord", {"StreamName": "clicks", "Data": b"{broken"}, None),
    ("kinesis", "PutRecord", {"StreamName": "clicks", "Data": b'{"traceparent":1}'}, None),
    ("kinesis", "PutRecord", {"StreamName": "others", "Data": b"{}"}, None),
    ("kinesis", "PutRecords", {"StreamARN": "arn:aws:kinesis:eu:1:stream/clicks", "Records": [{"Data": "{}"}]}, {"Records": [{"Data": '{"traceparent":"%s"}' % CARRIER}]}),
    ("lambda", "Invoke", {"FunctionName": "arn:aws:lambda:eu:1:function:pay:live", "Payload": "{}"}, {"Payload": '{"traceparent":"%s"}' % CARRIER}),
    ("lambda", "Invoke", {"FunctionName": "pay"}, None),
    ("lambda", "Invoke", {"FunctionName": "ship", "Payload": "{}"}, None),
    ("firehose", "PutRecord", {"DeliveryStreamName": "clicks", "Record": {"Data": b"{}"}}, None),
)
# A query and how it goes out.
COMMENT = " /*traceparent='%s'*/" % CARRIER
QUERIES = (
    ("SELECT 1", "SELECT 1" + COMMENT),
    ("SELECT 1 ;\n", "SELECT 1%s;" % COMMENT),
    ("SELECT 1 -- one", "SELECT 1 -- one"),
    ("/* mine */ SELECT 1", "/* mine */ SELECT 1"),
    ("PREPARE p AS SELECT 1", "PREPARE p AS SELECT 1"),
    ("  ", "  "),
    (b"SELECT 1", b"SELECT 1"),
)


class Span:
    trace, id = world.TRACE, "2be948a625588e32"


def signature(request, secret):
    """The signature that a request should have, and the one that it has."""
    method, path, headers, body = request
    headers = {name.lower(): value for name, value in headers.items()}
    said = dict(part.strip().split("=", 1) for part in headers["authorization"].split(" ", 1)[1].split(","))
    day, region, service, last = said["Credential"].split("/")[1:]
    lines = "".join("%s:%s\n" % (name, " ".join(headers[name].split())) for name in said["SignedHeaders"].split(";"))
    canonical = "\n".join((method, path, "", lines, said["SignedHeaders"], hashlib.sha256(body).hexdigest()))
    scope = "/".join((day, region, service, last))
    text = "\n".join(("AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hashlib.sha256(canonical.encode()).hexdigest()))
    key = ("AWS4" + secret).encode()
    for part in (day, region, service, last, text):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex(), said["Signature"]


class Carrying(Case):
    def setUp(self):
        super().setUp()
        patch = unittest.mock.patch.dict("os.environ", ASKED)
        patch.start()
        self.addCleanup(patch.stop)

    def test_edits(self):
        for service, operation, parameters, added in EDITS:
            with self.subTest((service, operation, str(parameters)[:200])):
                before = repr(parameters)
                self.assertEqual(carrying.put_on(service, operation, parameters, Span), {**parameters, **(added or {})})
                self.assertEqual(repr(parameters), before)

    def test_nothing_is_done_unasked(self):
        with unittest.mock.patch.dict("os.environ", {name: "" for name in ASKED}):
            for service, operation, parameters, _ in EDITS:
                sent = carrying.put_on(service, operation, parameters, Span)
                self.assertEqual(sent, parameters)

    def test_queries(self):
        for query, expected in QUERIES:
            with self.subTest(query):
                self.assertEqual(database.commented(query, Span), expected)

    def test_what_boto3_sends_is_signed(self):
        def answer(handler, body):
            sent = json.loads(body)["MessageBody"]
            return 200, {"content-type": "application/x-amz-json-1.0"}, json.dumps({"MessageId": "m", "MD5OfMessageBody": hashlib.md5(sent.encode()).hexdigest()}).encode()

        spans, requests, _ = self.call(
            "import boto3\nc = boto3.client('sqs', endpoint_url='http://127.0.0.1:%d' % port, region_name='eu-west-1')\n"
            "c.send_message(QueueUrl='https://sqs.eu-west-1.amazonaws.com/1/orders', MessageBody='hello')",
            answer=answer,
            needs=("boto3",),
            env=ASKED,
        )
        body = json.loads(requests[0][3])
        sent = "00-%s-%s-01" % (world.TRACE, spans[0]["spanId"])
        self.assertEqual(body["MessageAttributes"], {"traceparent": {"DataType": "String", "StringValue": sent}})
        self.assertEqual(*signature(requests[0], "y"))

    def test_psycopg_comments_only_what_is_not_prepared(self):
        _, _, lines = self.call(
            "import psycopg\nseen = []\n"
            "class Cursor(psycopg.Cursor):\n    def __init__(self): pass\n"
            "    class connection:\n        prepare_threshold = 5\n        class info: dbname, host, port = 'shop', 'db.example', 5432\n"
            "execute = psycopg.Cursor.execute\n"
            "cell = execute.__closure__[[c.cell_contents for c in execute.__closure__].index(execute.__wrapped__)]\n"
            "cell.cell_contents = lambda self, query, *a, **k: seen.append(query)\n"
            "c = Cursor()\nc.execute('SELECT 1')\nc.execute('SELECT 2', prepare=True)\nc.execute('SELECT 3', prepare=False)\n"
            "c.connection.prepare_threshold = None\nc.execute('SELECT 4')\nc.execute('SELECT 5', prepare=True)\n"
            "return ['/*' in query for query in seen]",
            needs=("psycopg",),
            env={"THROUGHLINE_SQLCOMMENTER": "on"},
        )
        self.assertEqual(lines[-1]["answer"], [False, False, True, True, False])

    def test_pymysql_comments(self):
        for mode, expected in (("on", True), ("off", False)):
            with self.subTest(mode):
                _, _, lines = self.call(
                    "import pymysql.cursors as c\nseen = []\nclass Connection:\n    db, host, port, encoding = b'shop', 'db.example', 3306, 'utf8'\n"
                    "    def query(self, q, *_): seen.append(q); raise c.err.OperationalError(1205, 'x')\n    def escape(self, x, *_): return repr(x)\n"
                    "    def literal(self, x): return repr(x)\n    def __getattr__(self, name): return None\n"
                    "try:\n    c.Cursor(Connection()).execute('SELECT %s', (1,))\nexcept c.err.OperationalError:\n    return seen",
                    needs=("pymysql",),
                    env={"THROUGHLINE_SQLCOMMENTER": mode},
                )
                self.assertRegex(lines[-1]["answer"][0], r"^SELECT 1 /\*traceparent='00-%s-\w{16}-01'\*/$" % world.TRACE if expected else r"^SELECT 1$")


if __name__ == "__main__":
    unittest.main()
