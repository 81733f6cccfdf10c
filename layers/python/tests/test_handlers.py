"""A function behaves the same with and without the layer, and its invocation is told."""

import unittest

from . import world

EVENT = [30, world.HEADER, {"n": 1}]

SAME = {
    "plain": {"app.py": "def handler(event, context):\n    return {'n': event['n'] + 1}\n"},
    "prints and logs": {
        "app.py": "import logging\nlogging.basicConfig(level='INFO')\n"
        "def handler(event, context):\n    print('seen', event)\n    logging.info('told')\n    return None\n"
    },
    "instance": {
        "app.py": "class Handler:\n    def __call__(self, event, context):\n        return event\nhandler = Handler()\n"
    },
    "decorated": {
        "app.py": "import functools\ndef twice(f):\n    @functools.wraps(f)\n"
        "    def g(event, context):\n        return [f(event, context)] * 2\n    return g\n"
        "@twice\ndef handler(event, context):\n    return event\n"
    },
    "generator": {"app.py": "def handler(event, context):\n    yield event\n"},
    "asynchronous generator": {"app.py": "async def handler(event, context):\n    yield event\n"},
    "coroutine": {"app.py": "async def handler(event, context):\n    return event\n"},
    "raises": {"app.py": "def inner():\n    return {}['missing']\n\ndef handler(event, context):\n    return inner()\n"},
    "raises from": {
        "app.py": "def handler(event, context):\n    try:\n        int('x')\n"
        "    except ValueError as e:\n        raise RuntimeError('no number') from e\n"
    },
    "import of nothing": {"app.py": "import nothing_of_this_name\n"},
    "value error at import": {"app.py": "def f():\n    raise ValueError('bad at import')\nf()\n"},
    "attribute error at import": {"app.py": "def f():\n    import os\n    os.nothing\nf()\n"},
    "syntax error": {"app.py": "def handler(event, context)\n"},
    "no handler": {"app.py": "x = 1\n"},
    "no module": {"other.py": "x = 1\n"},
    "package": {
        "app/__init__.py": "from .inside import handler\n",
        "app/inside.py": "from . import more\ndef handler(event, context):\n    return more.add(event)\n",
        "app/more.py": "from .inside import __name__ as name\ndef add(event):\n    return [event, name]\n",
    },
    "sees its own variables": {
        "app.py": "import os, sys\nseen = [os.environ.get('_HANDLER'), os.environ.get('THROUGHLINE_HANDLER'), sys.argv[1:]]\n"
        "def handler(event, context):\n    return seen\n"
    },
    "raises what has no words": {
        "app.py": "class Odd(Exception):\n    def __str__(self):\n        raise RuntimeError('no words')\n"
        "def handler(event, context):\n    try:\n        raise Odd()\n    except Odd as e:\n        raise KeyError('x') from e\n"
    },
    "exits": {"app.py": "import sys\ndef handler(event, context):\n    sys.exit(3)\n"},
}


class Handlers(unittest.TestCase):
    def setUp(self):
        self.extension = world.Server()
        self.addCleanup(self.extension.close)

    def run_function(self, code, events=(EVENT,), **settings):
        return world.function(code, list(events), self.extension.port, **settings)

    def test_same_with_and_without(self):
        for name, code in SAME.items():
            with self.subTest(name):
                self.assertEqual(self.run_function(code), self.run_function(code, layer=False))

    def test_invocation_is_told(self):
        self.run_function(SAME["plain"])
        (span,) = world.spans_of(self.extension.wait(1))
        self.assertEqual(span["traceId"], world.TRACE)
        self.assertEqual(span["parentSpanId"], "2be948a625588e32")
        self.assertEqual((span["name"], span["kind"], span["scope"]), ("orders", 2, "throughline.python"))
        said = span["attributes"]
        self.assertEqual(said["faas.invocation_id"], "8f4e1d2c-7a1b-4c6d-9e0f-112233445566")
        self.assertEqual(said["faas.coldstart"], True)
        self.assertEqual(said["cloud.resource_id"], "arn:aws:lambda:eu-west-1:123456789012:function:orders")
        self.assertEqual(said["throughline.payload.request"], '{"n":1}')
        self.assertEqual(said["throughline.payload.response"], '{"n":2}')
        self.assertEqual(said["throughline.link.in"], ["lam:8f4e1d2c-7a1b-4c6d-9e0f-112233445566"])
        self.assertEqual(span["resource"]["service.name"], "orders")

    def test_one_connection_for_many(self):
        code = {"app.py": "import os\ndef handler(event, context):\n    return os.environ['_X_AMZN_TRACE_ID']\n"}
        lines, _ = self.run_function(code, [EVENT] * 5)
        spans = world.spans_of(self.extension.wait(5))
        self.assertEqual([span["attributes"]["faas.coldstart"] for span in spans], [True] + [False] * 4)
        for line, span in zip(lines, spans):
            expected = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=%s;Sampled=0;Lineage=1:abcd:0"
            self.assertEqual(line["answer"], expected % span["spanId"])

    def test_exception_has_stack_cause_and_place(self):
        self.run_function(SAME["raises from"])
        (span,) = world.spans_of(self.extension.wait(1))
        self.assertEqual(span["status"], {"code": 2, "message": "no number"})
        (event,) = span["events"]
        said = event["attributes"]
        self.assertEqual(said["exception.type"], "RuntimeError")
        self.assertEqual(said["exception.causes"], ["ValueError: invalid literal for int() with base 10: 'x'"])
        self.assertIn("The above exception was the direct cause", said["exception.stacktrace"])
        self.assertNotIn("throughline_layer", said["exception.stacktrace"])
        self.assertEqual(said["code.line.number"], 5)
        self.assertTrue(said["code.file.path"].endswith("app.py"))
        self.assertEqual(span["attributes"]["error.type"], "RuntimeError")

    def test_timeout_tells_what_is_open(self):
        code = {"app.py": "import time\ndef handler(event, context):\n    time.sleep(event['sleep'])\n    return 1\n"}
        lines, _ = self.run_function(code, [[0.4, world.HEADER, {"sleep": 1}], [30, world.HEADER, {"sleep": 0}]])
        self.assertEqual(lines, [{"answer": 1}] * 2)
        first, second = world.spans_of(self.extension.wait(2))
        self.assertTrue(first["attributes"]["throughline.unfinished"])
        self.assertNotIn("throughline.unfinished", second["attributes"])
        self.assertEqual(len(self.extension.requests), 2)

    def test_nobody_listens(self):
        port = world.free_port()
        lines, errors = world.function(SAME["plain"], [EVENT] * 3, port)
        self.assertEqual((lines, errors), ([{"answer": {"n": 2}}] * 3, ""))

    def test_kill_switch(self):
        self.run_function(SAME["plain"], env={"THROUGHLINE_LAYER": "off"})
        self.run_function(SAME["plain"])
        self.assertEqual(len(self.extension.wait(1)), 1)

    def test_records_of_logging_have_ids_where_it_is_asked_for(self):
        code = {
            "app.py": "import logging\ndef handler(event, context):\n    kept = []\n    class Keep(logging.Handler):\n"
            "        def emit(self, record):\n            kept.append([getattr(record, name, None) for name in ('trace_id', 'span_id')])\n"
            "    logging.getLogger().addHandler(Keep())\n    logging.warning('told')\n    return kept\n"
        }
        lines, _ = self.run_function(code, env={"THROUGHLINE_LOG_IDS": "on"})
        (span,) = world.spans_of(self.extension.wait(1))
        self.assertEqual(lines, [{"answer": [[span["traceId"], span["spanId"]]]}])
        lines, _ = self.run_function(code)
        self.assertEqual(lines, [{"answer": [[None, None]]}])

    def test_faults_of_the_layer_are_its_own(self):
        broken = "def broken(*_, **__):\n    raise RuntimeError('broken')\n"
        handler = (
            "import urllib.request\ndef handler(event, context):\n    try:\n        urllib.request.urlopen('http://127.0.0.1:%d/')\n"
            "    except OSError as e:\n        return str(e)\n" % world.free_port()
        )
        plain, _ = world.function({"app.py": handler}, [EVENT] * 2, self.extension.port, layer=False)
        for place in (
            "invocation.events.read",
            "invocation.otlp.request",
            "invocation.payload.text",
            "invocation.out.send",
            "invocation.out.hear",
            "invocation.watch.arm",
            "spans.start",
            "spans.finish",
            "spans.current",
            "ids.new_span",
            "ids.traceparent",
            "hooks.calls.outgoing",
            "hooks.calls.answered",
        ):
            with self.subTest(place):
                module = place.rpartition(".")[0]
                imports = "import throughline_layer.%s\n" % (module if module in ("spans", "ids") else module.split(".")[0])
                top = broken + imports + "import http.client\nthroughline_layer.%s = broken\n" % place
                lines, errors = world.function({"app.py": top + handler}, [EVENT] * 2, self.extension.port)
                self.assertEqual(lines, plain)
                self.assertLessEqual(len(errors.splitlines()), 3)
                for line in errors.splitlines():
                    self.assertRegex(line, "^throughline: .* failed and is left out: RuntimeError: broken$")

    def test_payloads(self):
        code = {"app.py": "def handler(event, context):\n    return {'password': 'hunter2', 'n': 1}\n"}
        self.run_function(code, [[30, None, {"user": {"apiKey": "k1", "s3": {"key": "a/b"}}, "long": "x" * 3000}]])
        self.run_function(code, env={"THROUGHLINE_PAYLOADS": "off"})
        first, second = world.spans_of(self.extension.wait(2))
        self.assertEqual(first["attributes"]["throughline.payload.response"], '{"password":"[redacted]","n":1}')
        request = first["attributes"]["throughline.payload.request"]
        self.assertIn('{"user":{"apiKey":"[redacted]","s3":{"key":"a/b"}},"long":"xxx', request)
        self.assertIn("…(+952 bytes)", request)
        self.assertNotIn("throughline.payload.request", second["attributes"])


if __name__ == "__main__":
    unittest.main()
