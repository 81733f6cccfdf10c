"""Ways in: each event source, with a context in every place where one may ride."""

import json
import unittest
from pathlib import Path

from . import world
from throughline_layer import carriers, events, ids, invocation, keys, path

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
INVOKED = "Root=1-11111111-111111111111111111111111;Parent=2222222222222222"
W3C_BYTES = list(W3C.encode())


def sqs(body="hello", identity="m-1", md5=None, **more):
    return {"eventSource": "aws:sqs", "messageId": identity, "body": body, "eventSourceARN": "arn:aws:sqs:eu:1:orders", **more}


# The same for every language: `{file: [{case, event, expected}]}`.
SAMPLES = {file.name: json.loads(file.read_text()) for file in sorted((Path(__file__).parents[2] / "events").glob("*.json"))}
TIMES = (
    (1795228800, 1795228800000),
    (1795228800.9876, 1795228800988),
    ("1795228800123", 1795228800123),
    ("1795228800123456", 1795228800123),
    ("2026-11-21T02:40:00Z", 1795228800000),
    ("2026-11-21T02:40:00.1239Z", 1795228800123),
    ("2026-11-21T04:40:00.5+02:00", 1795228800500),
    ("2026-11-20T21:10:00-05:30", 1795228800000),
    ("2024-02-29T23:59:59Z", 1709251199000),
    ("Jan 1, 1970, 12:33:41 AM", None),
    ("2026-11-21Tx", None),
    (0, None),
    (-1, None),
    (None, None),
    (True, None),
    ({}, None),
)

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
        for file, cases in SAMPLES.items():
            for case in cases:
                with self.subTest(file + ": " + case["case"]):
                    way, expected = events.read(case["event"]), case["expected"]
                    self.assertEqual((way.type, way.trigger), (expected["type"], expected["trigger"]))
                    context = type("C", (), {})
                    said = invocation._attributes(way, context, "i1")
                    self.assertEqual(said["throughline.link.in"], expected["keys"])
                    self.assertEqual(said.get("throughline.in.path", []), expected["path"])
                    trace, span = invocation.where(way, INVOKED, "i1")
                    parent = None if (trace, span) == ("1" * 32, "2" * 16) else "-".join(filter(None, (trace, span)))
                    self.assertEqual(parent, expected["parent"])
                    links = [
                        {"to": trace + "-" + span, "message": said["messaging.message.id"], "keys": said.get("throughline.link.in", [])}
                        for trace, span, said in invocation.links(way) or []
                    ]
                    self.assertEqual(links, expected["links"])
                    for name, value in expected.get("attributes", {}).items():
                        self.assertEqual(said[name], value)

    def test_an_event_has_the_same_name_where_it_is_put_and_where_it_comes_again(self):
        sample = next(case for case in SAMPLES["eventbridge.json"] if case["case"] == "a replay")
        event = sample["event"]
        entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": " " + json.dumps(event["detail"], indent=2)}
        self.assertEqual(sample["expected"]["keys"][2:], ["ebd:" + keys.of_entry(entry)])
        for other in ({"Source": "x"}, {"DetailType": "x"}, {"Detail": "{}"}):
            self.assertNotEqual(keys.of_entry({**entry, **other}), keys.of_entry(entry))

    def test_numbers_that_writers_write_in_their_own_way(self):
        for details, count in (
            (('{"n":100}', '{"n":100.0}', '{"n":1e2}', '{ "n": 1E+2 }'), 1),
            (('{"n":0}', '{"n":-0}', '{"n":-0.0}'), 1),
            (('{"n":0.1}', '{"n":1e-1}', '{"n":0.10000000000000000001}', '{"n":9007199254740993}', '{"n":1e400}'), 1),
            (('{"n":1}', '{"n":-1}', '{"n":"1"}', '{"n":null}', '{"n":true}', '{"n":1.5}', '{"n":[1]}'), 7),
        ):
            with self.subTest(details):
                found = {keys.of_entry({"Source": "s", "DetailType": "t", "Detail": detail}) for detail in details}
                self.assertEqual(len(found), count)

    def test_an_event_that_cannot_be_read_has_no_name(self):
        deep = "[" * 8000 + "]" * 8000
        for detail in ("{", "", None, 7, deep, '{"n":"%s"}' % ("x" * keys.DETAIL_MAX)):
            self.assertIsNone(keys.of_entry({"Source": "s", "DetailType": "t", "Detail": detail}))
        self.assertIsNone(keys.of_entry({"DetailType": "t", "Detail": "{}"}))

    def test_members_of_sets_are_in_the_order_of_their_json(self):
        self.assertEqual(keys.of_item({"s": {"SS": ["red", "red wine"]}}), "63a9b60c640d3c1d0170635d5f0386f1")

    def test_times(self):
        for time, expected in TIMES:
            with self.subTest(time):
                self.assertEqual(path.millis(time), expected)

    def test_hops(self):
        self.assertEqual(path.hop("broker", "a>b@c#d", 1, "mq:1"), "broker:a_b_c_d@1000#mq:1")
        self.assertEqual(path.hop("broker", "a", 1, "mq:1>2"), "broker:a@1000")
        self.assertEqual(path.hop("broker", "a", 1, "k" * 1025), "broker:a@1000")
        self.assertEqual(path.hop("broker", "a" * 300), "broker:" + "a" * 256)

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
        for cases in SAMPLES.values():
            for case in cases:
                for broken in mutations(case["event"]):
                    with self.subTest(case["case"]):
                        way = events.read(broken)
                        invocation.links(way)
                        invocation.where(way, INVOKED, "i1")

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
