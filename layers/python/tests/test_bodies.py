"""Bodies of calls: kept where the payload mode wants them, without what is secret, and nowhere else."""

import json
import unittest

from . import world
from .test_calls import Case
from throughline_layer import payload
from throughline_layer.hooks import bodies

ALL = {"THROUGHLINE_PAYLOADS": "all"}
JSON = '{"order":7,"password":"hunter2"}'
SHOWN = {"order": 7, "password": "[redacted]"}


def answer(handler, body):
    return 200, {"content-type": "application/json; charset=utf-8"}, b'{"paid":true,"token":"hunter2"}'


CALLS = {
    "urllib": ((), "import urllib.request as u\nr = u.Request('http://127.0.0.1:%d/' % port, BODY.encode(), {'content-type': 'application/json'})\nu.urlopen(r).read()"),
    "urllib, in pieces": ((), "import urllib.request as u\nr = u.Request('http://127.0.0.1:%d/' % port, BODY.encode(), {'content-type': 'application/json'})\nwith u.urlopen(r) as a:\n    while a.read(4):\n        pass"),
    "http.client, chunks": ((), "import http.client as h\nc = h.HTTPConnection('127.0.0.1', port)\nc.request('POST', '/', BODY, {'content-type': 'application/json'})\na = c.getresponse()\nbuffer = bytearray(99)\nwhile a.readinto(buffer):\n    pass"),
    "requests": (("requests",), "import requests, json\nrequests.post('http://127.0.0.1:%d/' % port, json=json.loads(BODY))"),
    "httpx": (("httpx",), "import httpx\nhttpx.post('http://127.0.0.1:%d/' % port, content=BODY, headers={'content-type': 'application/json'})"),
    "httpx, asynchronous": (("httpx",), "import asyncio, httpx\nasync def go():\n    async with httpx.AsyncClient() as c:\n        await c.post('http://127.0.0.1:%d/' % port, content=BODY, headers={'content-type': 'application/json'})\nasyncio.run(go())"),
    "aiohttp": (("aiohttp",), "import asyncio, aiohttp, json\nasync def go():\n    async with aiohttp.ClientSession() as s:\n        async with s.post('http://127.0.0.1:%d/' % port, json=json.loads(BODY)) as r:\n            await r.text()\nasyncio.run(go())"),
}
# Content type, body, what is shown of it.
SHAPES = (
    ("application/json", JSON, '{"order":7,"password":"[redacted]"}'),
    ("application/problem+json", JSON, '{"order":7,"password":"[redacted]"}'),
    ("", JSON, '{"order":7,"password":"[redacted]"}'),
    ("application/x-www-form-urlencoded", "a=1&password=hunter2&a=2", '{"a":"2","password":"[redacted]"}'),
    ("text/xml", "<a><Secret>hunter2</Secret><n>1</n></a>", "<a><Secret>[redacted]</Secret><n>1</n></a>"),
    ("text/xml", '<a><x:Password kind="b">hunter2</x:Password></a>', '<a><x:Password kind="b">[redacted]</x:Password></a>'),
    ("text/plain", "user=ann password: hunter2, n=1", "user=ann password: [redacted], n=1"),
    ("image/png", "x" * 10, "(10 bytes)"),
    ("application/json", "paid, pin=1234", "paid, pin=[redacted]"),
    ("application/json", '["' + "x" * 40000 + '"]', "(40004 bytes)"),
    ("text/plain", "x" * 32000, "x" * 32000),
    ("application/json", '{"inner":"{\\"pin\\":\\"1234\\",\\"n\\":1}"}', '{"inner":"{\\"pin\\":\\"[redacted]\\",\\"n\\":1}"}'),
)


class Bodies(Case):
    def test_calls_over_http(self):
        for name, (needs, body) in CALLS.items():
            for mode, kept in (("all", True), ("on-error", True), ("metadata", False), ("off", False)):
                with self.subTest((name, mode)):
                    self.extension.requests.clear()
                    env = {"THROUGHLINE_PAYLOADS": mode}
                    spans, requests, _ = self.call("BODY = %r\n%s" % (JSON, body), answer=answer, needs=needs, env=env)
                    said = spans[0]["attributes"]
                    self.assertEqual(json.loads(requests[0][3]), json.loads(JSON))
                    if kept:
                        self.assertEqual(json.loads(said["http.request.body"]), SHOWN)
                        self.assertEqual(json.loads(said["http.response.body"]), {"paid": True, "token": "[redacted]"})
                    else:
                        self.assertFalse([key for key in said if key.endswith(".body")])

    def test_operations(self):
        def answer(handler, body):
            return 200, {"content-type": "application/x-amz-json-1.0"}, b'{"Item":{"id":{"S":"7"},"password":{"S":"hunter2"}}}'

        code = (
            "import boto3\nc = boto3.client('dynamodb', endpoint_url='http://127.0.0.1:%d' % port, region_name='eu-west-1')\n"
            "return c.get_item(TableName='orders', Key={'id': {'S': '7'}})['Item']['password']['S']"
        )
        spans, _, lines = self.call(code, answer=answer, needs=("boto3",), env=ALL)
        said = spans[0]["attributes"]
        self.assertEqual(lines[-1]["answer"], "hunter2")
        self.assertEqual(json.loads(said["rpc.request.body"]), {"TableName": "orders", "Key": {"id": {"S": "7"}}})
        self.assertEqual(json.loads(said["rpc.response.body"]), {"Item": {"id": {"S": "7"}, "password": "[redacted]"}})
        self.assertNotIn("http.request.body", said)

    def test_what_is_asked_of_keepers_of_secrets_is_withheld(self):
        def answer(handler, body):
            return 200, {"content-type": "application/x-amz-json-1.1"}, b'{"SecretString":"hunter2","Parameter":{"Value":"hunter2"}}'

        for service, operation in (("secretsmanager", "get_secret_value(SecretId='a')"), ("ssm", "get_parameter(Name='a')")):
            with self.subTest(service):
                self.extension.requests.clear()
                code = "import boto3\nboto3.client(%r, endpoint_url='http://127.0.0.1:%%d' %% port, region_name='eu-west-1').%s" % (service, operation)
                spans, _, _ = self.call(code, answer=answer, needs=("boto3",), env=ALL)
                said = spans[0]["attributes"]
                self.assertEqual((said["rpc.request.body"], said["rpc.response.body"]), ("[withheld]", "[withheld]"))

    def test_shapes(self):
        for kind, body, expected in SHAPES:
            with self.subTest(kind + body[:30]):
                self.assertEqual(bodies.shown(kind, body.encode()), expected)

    def test_packed_bodies(self):
        import gzip

        self.assertEqual(bodies.shown("application/json", gzip.compress(b'{"a":1}'), None, "gzip"), '{"a":1}')
        packed = gzip.compress(b"x" * 100000)
        self.assertEqual(bodies.shown("text/plain", packed, None, "gzip"), "(%d bytes)" % len(packed))
        self.assertEqual(bodies.shown("text/plain", b"abc", None, "br"), "(3 bytes)")

    def test_there_is_room_for_so_much(self):
        spans, _, _ = self.call(
            "import urllib.request as u\nfor n in range(20):\n"
            "    r = u.Request('http://127.0.0.1:%d/' % port, b'x' * 30000, {'content-type': 'text/plain'})\n    u.urlopen(r).read()",
            env=ALL,
        )
        *calls, _ = spans
        sent = [call["attributes"]["http.request.body"] for call in calls]
        self.assertEqual(len(sent), 20)
        self.assertLess(sum(map(len, sent)), bodies.ROOM + 100)
        self.assertEqual(sent[0][8192:], "…(+21808 bytes)")
        self.assertEqual(sent[-1], "…")

    def test_long_texts_take_no_time(self):
        for text in ("a" * 100000, "<a" * 50000, "a " * 50000, "a=" * 50000, "<a>" * 30000):
            payload.plain(text)


if __name__ == "__main__":
    unittest.main()
