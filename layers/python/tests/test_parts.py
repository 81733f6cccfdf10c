"""The parts by themselves: sending, following imports, the wrapper, what a query says."""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from . import world
from throughline_layer import config, otlp, payload, sender, spans
from throughline_layer.hooks import calls, database

WRAPPER = world.LAYER.parent / "throughline"


class Sending(unittest.TestCase):
    def server(self, *answers):
        """An extension that gives these answers in turn: a status, or None to close the connection."""
        left = list(answers)

        def answer(handler, body):
            status = left.pop(0) if left else 200
            if status is None:
                handler.close_connection = True
                handler.send_response_only = lambda *_: None
                handler.wfile = open(os.devnull, "wb")
                status = 200
            return status, {}, b"{}"

        made = world.Server(answer)
        self.addCleanup(made.close)
        return made

    def bodies(self, server, *sent):
        made = sender.Sender(("127.0.0.1", server.port))
        self.addCleanup(made.close)
        for count, body in enumerate(sent, 1):
            self.assertTrue(made.send(body))
            server.wait(count)
            self.settle(made)
        came = lambda: [body for _, _, _, body in server.requests]
        with server.arrived:
            self.assertTrue(server.arrived.wait_for(lambda: sent[-1] in came(), 10))
        return came()

    def settle(self, made):
        """Waits until the answer is there to be read."""
        import select

        if made.socket is not None:
            select.select([made.socket], [], [], 10)

    def test_each_once(self):
        self.assertEqual(self.bodies(self.server(), b"1", b"2", b"3"), [b"1", b"2", b"3"])

    def test_no_room_is_tried_once_more(self):
        self.assertEqual(self.bodies(self.server(503, 200), b"1", b"2")[:3], [b"1", b"1", b"2"])

    def test_connection_that_closed_without_an_answer(self):
        self.assertEqual(self.bodies(self.server(None), b"1", b"2")[:3], [b"1", b"1", b"2"])

    def test_nobody_listens(self):
        made = sender.Sender(("127.0.0.1", world.free_port()))
        self.assertFalse(made.send(b"1"))
        self.assertTrue(made.quiet)
        self.assertEqual(made.lost, 1)

    def test_stalled_extension_is_given_up(self):
        import socket

        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(8)
            made = sender.Sender(deaf.getsockname())
            self.addCleanup(made.close)
            for _ in range(200):
                made.send(b"x" * otlp.BODY_BYTES_MAX)
                if made.quiet:
                    break
            self.assertTrue(made.quiet)

    def test_address(self):
        for env, port in (
            ({}, 4318),
            ({"THROUGHLINE_OTLP_LISTEN": "127.0.0.1:9"}, 9),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:7/"}, 7),
            ({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://otlp.example.com:443"}, 4318),
            ({"THROUGHLINE_OTLP_LISTEN": "odd"}, 4318),
        ):
            kept = {name: os.environ.pop(name, None) for name in ("THROUGHLINE_OTLP_LISTEN", "OTEL_EXPORTER_OTLP_ENDPOINT")}
            try:
                os.environ.update(env)
                self.assertEqual(config.address(), ("127.0.0.1", port))
            finally:
                for name, value in kept.items():
                    os.environ.pop(name, None)
                    if value is not None:
                        os.environ[name] = value


class Values(unittest.TestCase):
    def test_every_kind_of_value_is_json(self):
        span = spans.Span("1" * 32, None, 'a "name" \u00e9\ud800', 1, {}, spans.Owner())
        odd = [1, 2**70, -(2**63), 1.5, float("nan"), float("inf"), True, None, "x", b"y", ["a", 1], ("b",), {"c": 1}, object]
        span.attributes.update({"k%d" % at: value for at, value in enumerate(odd)})
        span.end = span.start
        body, dropped = otlp.request([span], otlp.resource())
        (found,) = json.loads(body)["resourceSpans"][0]["scopeSpans"][0]["spans"]
        self.assertEqual((len(found["attributes"]), dropped), (len(odd), 0))

    def test_secrets(self):
        cases = {"password": True, "X-Api-Key": True, "refresh_token": True, "pin": True, "spinner": False, "key": False, "partitionKey": False}
        for name, expected in cases.items():
            self.assertEqual(payload.is_secret(name), expected, name)

    def test_payloads_are_bounded(self):
        deep = value = {}
        for _ in range(5000):
            value["a"] = value = {}
        wide = [{"n": "x" * 500} for _ in range(100000)]
        itself = []
        itself.append(itself)
        for event in (deep, wide, itself, {n: wide for n in range(200)}, "x" * 10**6, b"x" * 10**6):
            self.assertLess(len(payload.text(event)), payload.TEXT_MAX + 100)

    def test_urls_have_no_secrets(self):
        for arguments, expected in (
            (("https", "a.b", 443, "/p?token=x&y"), "https://a.b/p?token=REDACTED&y=REDACTED"),
            (("http", "a.b", 8080, "/p"), "http://a.b:8080/p"),
            (("http", "a.b", None, "http://user:pass@c.d/p?q=1"), "http://a.b/p?q=REDACTED"),
        ):
            self.assertEqual(calls.url_without_secrets(*arguments), expected)

    def test_queries_have_no_values(self):
        for query, name, text in (
            ("SELECT * FROM users WHERE id = 7", "SELECT users", "SELECT * FROM users WHERE id = ?"),
            ("insert into \"a\".b1 values ('it''s', -1.5, $1)", "INSERT a.b1", "insert into \"a\".b1 values (?, ?, $1)"),
            (b"COMMIT", "COMMIT", "COMMIT"),
            ("", "QUERY", ""),
        ):
            found, said = database.sql("mysql", query)
            self.assertEqual((found, said["db.query.text"]), (name, text))

    def test_hosts_of_aws(self):
        for host, names, expected in (
            ("sqs.eu-west-1.amazonaws.com", (), True),
            ("x.execute-api.eu-west-1.amazonaws.com", (), False),
            ("127.0.0.1", ("x-amz-date",), True),
            ("amazonaws.com.evil.example", (), False),
        ):
            self.assertEqual(calls.is_aws(host, names), expected, host)


class Imports(unittest.TestCase):
    def run_python(self, code):
        env = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(world.LAYER), "PYTHONDONTWRITEBYTECODE": "1"}
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=env)
        self.assertEqual(done.stderr, "")
        return done.stdout.split()

    def test_nothing_is_imported_that_the_function_does_not_import(self):
        code = "import sys\nbefore = set(sys.modules)\nfrom throughline_layer import imports, invocation\nimports.install()\nprint(*sorted(set(sys.modules) - before))"
        ours = {"http.client", "socket", "ssl", "typing", "random", "asyncio", "dataclasses", "uuid", "urllib", "hashlib"}
        self.assertEqual(ours & set(self.run_python(code)), set())

    def test_a_followed_module_looks_the_same(self):
        code = (
            "import sys\n%s"
            "import http.client as c, inspect\n"
            "print(type(c.__loader__).__name__, c.__loader__ is c.__spec__.loader, c.__spec__.name, len(inspect.getsource(c)),"
            "'exec_module' in vars(c.__loader__), c.HTTPConnection.getresponse.__name__, c.__name__)"
        )
        plain = self.run_python(code % "")
        followed = self.run_python(code % "from throughline_layer import imports\nimports.install()\n")
        self.assertEqual(plain, followed)

    def test_reload_and_a_second_install(self):
        code = (
            "from throughline_layer import imports\nimports.install()\nimports.install()\n"
            "import http.client as c, importlib\nprint(c.HTTPConnection.putheader.__throughline__)\n"
            "importlib.reload(c)\nprint(c.HTTPConnection.putheader.__throughline__)"
        )
        self.assertEqual(self.run_python(code), ["True", "True"])


class Wrapper(unittest.TestCase):
    def run_wrapper(self, env, *arguments):
        show = "import os, sys; print(os.environ.get('_HANDLER'), os.environ.get('THROUGHLINE_HANDLER'), *sys.argv[1:], sep='|')"
        command = [str(WRAPPER), sys.executable, "-c", show, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, env={"PATH": os.environ.get("PATH", ""), **env})
        self.assertEqual(done.stderr, "")
        return done.stdout.strip()

    def test_arguments_and_variables(self):
        ours = "throughline_layer.bootstrap.handler"
        handler = {"_HANDLER": "app.handler"}
        for env, arguments, expected in (
            (handler, (), ours + "|app.handler"),
            (handler, ("app.handler", "a b", ""), "%s|app.handler|%s|a b|" % (ours, ours)),
            ({**handler, "THROUGHLINE_LAYER": "off"}, ("app.handler",), "app.handler|None|app.handler"),
            ({}, ("x",), "None|None|x"),
        ):
            self.assertEqual(self.run_wrapper(env, *arguments), expected)

    def test_a_wrapper_without_its_layer_starts_the_function(self):
        with tempfile.TemporaryDirectory() as folder:
            alone = Path(folder, "throughline")
            alone.write_bytes(WRAPPER.read_bytes())
            alone.chmod(0o755)
            done = subprocess.run([str(alone), "echo", "started"], capture_output=True, text=True, env={"_HANDLER": "a.b"})
        self.assertEqual(done.stdout, "started\n")


if __name__ == "__main__":
    unittest.main()
