"""Calls that a function makes: a span each, and the header that carries the trace."""

import os
import subprocess
import sys
import unittest
from functools import lru_cache

from . import world

EVENT = [30, world.HEADER, {}]


@lru_cache
def python_with(*modules):
    """An interpreter that has these; `None` if there is none. THROUGHLINE_TEST_PYTHON names some, with colons between."""
    look = "import sys\nfrom importlib.util import find_spec\nsys.exit(not all(find_spec(name.split('.')[0]) and find_spec(name) for name in sys.argv[1:]))"
    for python in os.environ.get("THROUGHLINE_TEST_PYTHON", "").split(":") + [sys.executable]:
        if python and subprocess.run([python, "-c", look, *modules], capture_output=True).returncode == 0:
            return python
    return None


class Case(unittest.TestCase):
    def setUp(self):
        self.extension = world.Server()
        self.addCleanup(self.extension.close)

    def call(self, body, answer=None, events=(EVENT,), needs=(), env=None, top="", seconds=60):
        """Runs a handler that has this body, with `port` of a web server; its spans by name, its requests, answers."""
        python = python_with(*needs) if needs else sys.executable
        if python is None:
            self.skipTest("not installed: " + ", ".join(needs))
        web = world.Server(answer)
        self.addCleanup(web.close)
        lines = "".join("    %s\n" % line for line in body.strip("\n").split("\n"))
        code = {"app.py": "port = %d\n%s\ndef handler(event, context):\n%s" % (web.port, top, lines)}
        env = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "y", **(env or {})}
        lines, errors = world.function(code, list(events), self.extension.port, python=python, env=env, seconds=seconds)
        self.assertEqual(errors, "")
        spans = world.spans_of(self.extension.wait(1))
        return spans, web.requests, lines


class Http(Case):
    def test_urllib(self):
        spans, requests, lines = self.call(
            "import urllib.request\nurl = 'http://127.0.0.1:%d/a?token=s3cret&x' % port\n"
            "return urllib.request.urlopen(url).read().decode()"
        )
        call, invocation = spans
        (request,) = requests
        self.assertEqual(lines, [{"answer": "{}"}])
        self.assertEqual(request[2]["traceparent"], "00-%s-%s-01" % (world.TRACE, call["spanId"]))
        self.assertNotIn("X-Amzn-Trace-Id", request[2])
        self.assertEqual((call["parentSpanId"], call["kind"], call["name"]), (invocation["spanId"], 3, "GET"))
        said = call["attributes"]
        self.assertRegex(said["url.full"], r"^http://127.0.0.1:\d+/a\?token=REDACTED&x=REDACTED$")
        self.assertEqual((said["http.response.status_code"], said["server.address"]), (200, "127.0.0.1"))

    def test_connection_by_hand(self):
        spans, requests, _ = self.call(
            "import http.client\nc = http.client.HTTPConnection('127.0.0.1', port)\n"
            "for path in '/1', '/2':\n    c.request('POST', path, 'body', {'X': 'y'})\n    c.getresponse().read()",
            answer=lambda handler, body: (503 if handler.path == "/2" else 201, {"apigw-requestid": "g-1"}, body),
        )
        first, second, _ = spans
        self.assertEqual([request[3] for request in requests], [b"body"] * 2)
        self.assertEqual(first["attributes"]["http.response.status_code"], 201)
        self.assertEqual(first["attributes"]["throughline.link.out"], ["apigw:g-1"])
        self.assertEqual((second["status"]["code"], second["attributes"]["error.type"]), (2, "503"))

    def test_what_code_propagates_itself_stays(self):
        own = "00-11111111111111111111111111111111-2222222222222222-01"
        _, requests, _ = self.call(
            "import urllib.request as u\n"
            "u.urlopen(u.Request('http://127.0.0.1:%%d/' %% port, headers={'traceparent': '%s'})).read()" % own
        )
        headers = {name.lower(): value for name, value in requests[0][2].items()}
        self.assertEqual(headers["traceparent"], own)

    def test_nobody_answers(self):
        spans, _, _ = self.call(
            "import http.client\nc = http.client.HTTPConnection('127.0.0.1', %d)\n"
            "try:\n    c.request('GET', '/')\nexcept OSError as e:\n    return type(e).__name__" % world.free_port()
        )
        self.assertEqual(spans[0]["attributes"]["error.type"], "ConnectionRefusedError")

    def test_an_error_of_a_call_is_reported_without_the_layer(self):
        code = {"app.py": "import urllib.request\ndef handler(event, context):\n    return urllib.request.urlopen('http://127.0.0.1:%d/')\n" % world.free_port()}
        for more in ({}, {"THROUGHLINE_HOOKS_OFF": "http"}):
            with_layer = world.function(code, [EVENT], self.extension.port, env=more)
            self.assertEqual(with_layer, world.function(code, [EVENT], self.extension.port, layer=False))

    @unittest.skipIf(sys.version_info < (3, 11), "an older Python goes on with the stack trace that it has")
    def test_an_error_that_the_function_prints_is_without_the_layer(self):
        call = (
            "import traceback, urllib.request\ntry:\n    urllib.request.urlopen('http://127.0.0.1:%d/')\n"
            "except OSError as e:\n    return ['hooks' in part for part in (traceback.format_exc(), repr(traceback.extract_tb(e.__traceback__)))]"
        )
        _, _, lines = self.call(call % world.free_port())
        self.assertEqual(lines, [{"answer": [False, False]}])

    def test_threads_belong_to_the_invocation(self):
        spans, requests, _ = self.call(
            "from concurrent.futures import ThreadPoolExecutor\nimport urllib.request\n"
            "with ThreadPoolExecutor(4) as pool:\n"
            "    list(pool.map(lambda n: urllib.request.urlopen('http://127.0.0.1:%d/%d' % (port, n)).read(), range(20)))"
        )
        *calls, invocation = spans
        self.assertEqual({call["parentSpanId"] for call in calls}, {invocation["spanId"]})
        sent = {request[1]: request[2]["traceparent"].split("-")[2] for request in requests}
        self.assertEqual(set(sent.values()), {call["spanId"] for call in calls})

    def test_switched_off(self):
        for off, count in (("aws, HTTP", 1), ("all", 1), ("libraries", 2)):
            spans, requests, _ = self.call(
                "import urllib.request\nurllib.request.urlopen('http://127.0.0.1:%d/' % port).read()",
                env={"THROUGHLINE_HOOKS_OFF": off},
            )
            self.assertEqual(len(spans), count)
            self.assertEqual("traceparent" in requests[0][2], count == 2)
            self.extension.requests.clear()

    def test_calls_while_loading_belong_to_the_initialisation(self):
        from throughline_layer import ids

        spans, _, _ = self.call(
            "return context._epoch_deadline_time_in_ms",
            top="import urllib.request\nurllib.request.urlopen('http://127.0.0.1:%d/' % port).read()",
        )
        call, invocation = spans
        self.assertEqual(call["traceId"], world.TRACE)
        request = "8f4e1d2c-7a1b-4c6d-9e0f-112233445566"
        (deadline,) = [line["answer"] for line in _]
        self.assertEqual(call["parentSpanId"], ids.step_span(ids.invocation_span(request, deadline), "init"))

    def test_more_spans_than_fit_are_counted(self):
        spans, requests, _ = self.call(
            "import http.client\nc = http.client.HTTPConnection('127.0.0.1', port)\n"
            "for n in range(1100):\n    c.request('GET', '/%s' % ('x' * 200))\n    c.getresponse().read()"
        )
        self.assertEqual(len(requests), 1100)
        self.assertEqual(len(spans) - 1 + spans[-1]["attributes"]["throughline.dropped.spans"], 1100)
        self.assertGreater(len(spans), 250)


def aws(handler, body):
    """Answers as AWS's services do, as far as the tests look."""
    target = handler.headers.get("x-amz-target", "")
    headers = {"x-amzn-requestid": "r-1", "content-type": "application/x-amz-json-1.0"}
    if target.endswith("SendMessage"):
        return 200, headers, b'{"MessageId":"m-1","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}'
    if target.endswith("PutEvents"):
        return 200, headers, b'{"FailedEntryCount":1,"Entries":[{"EventId":"e-1"},{"ErrorCode":"Throttled","ErrorMessage":"x"}]}'
    if target.endswith("PutItem"):
        return 200, headers, b"{}"
    if target.endswith("GetItem"):
        return 400, headers, b'{"__type":"com.amazonaws#ResourceNotFoundException","message":"no table"}'
    if "/functions/" in handler.path:
        return 200, {**headers, "content-type": "application/json"}, b'{"a":1}'
    if handler.command == "PUT":
        return 200, {"x-amz-request-id": "S1", "x-amz-id-2": "H1", "etag": '"tag"'}, b""
    return 200, headers, b"{}"


TOP = """
import boto3
def client(name):
    return boto3.client(name, endpoint_url='http://127.0.0.1:%d' % port, region_name='eu-west-1')
"""


class Aws(Case):
    def one(self, body, count=2):
        spans, requests, lines = self.call(body, answer=aws, needs=("boto3",), top=TOP)
        self.assertEqual(len(spans), count, spans)
        self.assertEqual([line for line in lines if "error" in line], [])
        header = {name.lower(): value for name, value in requests[0][2].items()}
        call = spans[0]
        root = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2"
        self.assertEqual(header["x-amzn-trace-id"], "%s;Parent=%s;Sampled=0;Lineage=1:abcd:0" % (root, call["spanId"]))
        self.assertNotIn("x-amzn-trace-id", header["authorization"])
        self.assertNotIn("traceparent", header)
        self.assertEqual(call["parentSpanId"], spans[-1]["spanId"])
        return call, call["attributes"]

    def test_queue(self):
        call, said = self.one("client('sqs').send_message(QueueUrl='http://127.0.0.1:%d/1/orders' % port, MessageBody='hello')")
        self.assertEqual((call["name"], call["kind"]), ("send orders", 4))
        self.assertEqual(said["throughline.link.out"], ["sqs:m-1", "sqsbody:5d41402abc4b2a76b9719d911017c592"])
        self.assertEqual((said["rpc.service"], said["rpc.method"], said["aws.request_id"]), ("SQS", "SendMessage", "r-1"))
        self.assertEqual((said["messaging.system"], said["messaging.destination.name"]), ("aws_sqs", "orders"))

    def test_bus_with_a_failure(self):
        from throughline_layer import keys

        call, said = self.one("client('events').put_events(Entries=[{'Source': 'a', 'DetailType': 'b', 'Detail': '{ }', 'EventBusName': 'shop'}] * 2)")
        self.assertEqual((call["name"], said["throughline.link.out"]), ("send shop", ["eb:e-1", "ebd:" + keys.of_event("a", "b", {})]))
        self.assertEqual((said["error.type"], said["throughline.batch.failures"]), ("Throttled", 1))

    def test_bucket(self):
        call, said = self.one("client('s3').put_object(Bucket='b', Key='a/c', Body=b'x')")
        self.assertEqual((call["name"], said["aws.s3.bucket"], said["aws.s3.key"]), ("S3.PutObject", "b", "a/c"))
        self.assertEqual(said["throughline.link.out"], ["s3r:S1", "s3o:b/a/c/tag"])

    def test_table_and_its_stream_know_the_same_key(self):
        from throughline_layer import keys

        item = {"id": {"S": "7"}, "n": {"N": "1"}, "s": {"SS": ["b", "a"]}}
        _, said = self.one(
            "from boto3 import resource\nt = resource('dynamodb', endpoint_url='http://127.0.0.1:%d' % port, region_name='eu-west-1').Table('t')\n"
            "t.put_item(Item={'id': '7', 'n': 1, 's': {'a', 'b'}})"
        )
        self.assertEqual(said["throughline.link.out"], ["ddbi:t/" + keys.of_item(item)])
        self.assertEqual((said["aws.dynamodb.table_names"], said["db.system.name"]), (["t"], "aws.dynamodb"))

    def test_error_of_the_service(self):
        call, said = self.one(
            "try:\n    client('dynamodb').get_item(TableName='t', Key={'id': {'S': '1'}})\n"
            "except Exception as e:\n    return type(e).__name__"
        )
        self.assertEqual((said["error.type"], call["status"]), ("ResourceNotFoundException", {"code": 2, "message": "no table"}))
        self.assertEqual(said["http.response.status_code"], 400)

    def test_function(self):
        _, said = self.one("return client('lambda').invoke(FunctionName='arn:aws:lambda:eu-west-1:1:function:pay:live', Payload=b'{}')['StatusCode']")
        self.assertEqual((said["faas.invoked_name"], said["throughline.link.out"]), ("pay", ["lam:r-1"]))


if __name__ == "__main__":
    unittest.main()
