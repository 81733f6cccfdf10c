"""The layer with everything real: runtime client, sandbox, extension and server. THROUGHLINE_BIN names the folder of
the built programs; without it these tests are skipped."""

import json
import os
import subprocess
import tempfile
import time
import unittest
import urllib.error
import urllib.request
from pathlib import Path

from . import world

BIN = Path(os.environ.get("THROUGHLINE_BIN") or "nowhere")
LAYER = world.LAYER.parent

SHOP = """
import json, logging, os, boto3
logging.getLogger().setLevel("INFO")
pay = boto3.client("lambda")
def handler(event, context):
    logging.info("buying")
    answer = pay.invoke(FunctionName="pay", Payload=json.dumps(event))
    return {"answer": json.load(answer["Payload"]), "trace": os.environ["_X_AMZN_TRACE_ID"]}
"""
PAY = """
def handler(event, context):
    if event["order"] == 8:
        raise ValueError("no eights")
    return {"paid": event["order"]}
"""
FUNCTION = """
[functions.%s]
runtime = "python3.11"
handler = "app.handler"
code = "%s"
timeout_seconds = %d
layers = ["%s"]
environment = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/throughline" }
"""


BUILT = (BIN / "throughline").exists()
PLANTED = "planted-and-to-be-found-nowhere"
LOCAL = "127.0.0.1:%d"


class World(unittest.TestCase):
    """A server, and a sandbox whose functions have the layer and the extension."""

    @classmethod
    def prepare(cls, functions, extra="", timeout=20):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        folder = Path(cls.folder.name)
        for name, code in functions.items():
            (folder / name).mkdir()
            (folder / name / "app.py").write_text(code)
        tables = "".join(FUNCTION % (name, name, timeout, LAYER) for name in functions)
        (folder / "throughline.toml").write_text(tables + extra)

    @classmethod
    def run_world(cls, *more):
        cls.page, grpc, otlp, cls.api = (world.free_port() for _ in range(4))
        throughline, data = str(BIN / "throughline"), str(Path(cls.folder.name) / "data")
        listen = ["--http", LOCAL % cls.page, "--otlp-grpc", LOCAL % grpc, "--otlp-http", LOCAL % otlp]
        cls.run_program([throughline, "serve", "--data-dir", data, *listen], "serve")
        cls.wait_for(cls.page)
        endpoint = "THROUGHLINE_ENDPOINT=http://127.0.0.1:%d" % otlp
        extension = ["--extension", str(BIN / "throughline-extension"), "--env", endpoint, "--door", "otlp=" + LOCAL % otlp]
        cls.ends = cls.run_program([throughline, "sandbox", "--api", LOCAL % cls.api, *extension, *more], "sandbox")
        # It listens before all that the functions need is there.
        until = time.monotonic() + 60
        while "AWS Lambda API" not in (Path(cls.folder.name) / "sandbox.log").read_text():
            assert time.monotonic() < until, cls.logs()
            time.sleep(0.05)

    @classmethod
    def run_program(cls, command, name):
        log = open(Path(cls.folder.name) / (name + ".log"), "w")
        process = subprocess.Popen(command, cwd=cls.folder.name, stdout=log, stderr=log)

        def end():
            if process.poll() is None:
                process.terminate()
                process.wait(30)
            log.close()

        cls.addClassCleanup(end)
        return [end]

    @classmethod
    def wait_for(cls, port):
        import socket

        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        raise AssertionError("nothing listens on port %d\n%s" % (port, cls.logs()))

    @classmethod
    def logs(cls):
        return "\n".join(path.read_text() for path in Path(cls.folder.name).glob("*.log") if path.name != "moto.log")

    def invoke(self, event, name="shop"):
        url = "http://127.0.0.1:%d/2015-03-31/functions/%s/invocations" % (self.api, name)
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=60) as answer:
            return json.load(answer)

    def ask(self, path):
        """An answer of the server's API; `None` if there is no such thing."""
        try:
            with urllib.request.urlopen("http://127.0.0.1:%d/api/v1/%s" % (self.page, path), timeout=10) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return None

    def trace(self, header, enough):
        """The spans of the trace, once `enough` is told of them."""
        until = time.monotonic() + 30
        while True:
            spans = (self.ask("traces/" + trace_id(header)) or {"spans": []})["spans"]
            if enough(spans) or time.monotonic() > until:
                return spans
            time.sleep(0.1)


def trace_id(header):
    return header.split(";")[0].replace("Root=1-", "").replace("-", "")


@unittest.skipUnless(BUILT, "THROUGHLINE_BIN does not name the built programs")
class Sandbox(World):
    @classmethod
    def setUpClass(cls):
        cls.prepare({"shop": SHOP, "pay": PAY})
        cls.run_world()

    def test_one_click_is_one_trace(self):
        answered = self.invoke({"order": 7, "password": PLANTED, "note": PLANTED, "headers": {"Authorization": PLANTED}})
        self.assertEqual(answered["answer"], {"paid": 7})
        # What a slow server did not take in time leaves at the end of the environments.
        self.ends[0]()
        count = lambda spans: sum(span["scope"]["name"] == "throughline.python" for span in spans)
        spans = self.trace(answered["trace"], lambda spans: count(spans) >= 3)
        by_id = {span["span_id"]: span for span in spans}
        (pay,) = [span for span in spans if span["scope"]["name"] == "throughline.python" and span["service"] == "pay"]
        way = []
        while pay:
            way.append((pay["service"], pay["name"], pay["scope"]["name"]))
            pay = by_id.get(pay["parent_span_id"])
        ours, platform = "throughline.python", "throughline.platform"
        expected = [("pay", "pay", ours), ("pay", "pay", platform), ("shop", "Lambda.Invoke", ours), ("shop", "shop", ours), ("shop", "shop", platform)]
        self.assertEqual(way, expected)
        # The log of what came is kept as it came, so that a secret in it could be read.
        kept = [path for path in (Path(self.folder.name) / "data").rglob("*") if path.is_file()]
        self.assertTrue(any(b"throughline.payload.request" in path.read_bytes() for path in kept))
        self.assertEqual([path.name for path in kept if PLANTED.encode() in path.read_bytes()], [])


FAILING = """
import time, urllib.request
try:
    urllib.request.urlopen("http://127.0.0.1:9/")
except OSError:
    pass
def handler(event, context):
    if event["slow"]:
        time.sleep(30)
    raise KeyError("x")
"""


@unittest.skipUnless(BUILT, "THROUGHLINE_BIN does not name the built programs")
class Failing(World):
    @classmethod
    def setUpClass(cls):
        cls.prepare({"slow": FAILING, "bad": FAILING}, timeout=2)
        cls.run_world()

    def test_timeouts_errors_and_calls_while_loading(self):
        reported = [self.invoke({"slow": name == "slow"}, name) for name in ("slow", "bad")]
        self.assertEqual(reported[1]["stackTrace"], ['  File "/var/task/app.py", line 10, in handler\n    raise KeyError("x")\n'])
        self.ends[0]()
        found = {}
        for name in ("slow", "bad"):
            (row,) = self.ask("traces?service=%s" % name)["traces"]
            spans = self.ask("traces/" + row["trace_id"])["spans"]
            by_id = {span["span_id"]: span for span in spans}
            ours = {span["name"]: span for span in spans if span["scope"]["name"] == "throughline.python"}
            self.assertEqual(sorted(ours), ["GET", name])
            self.assertEqual(by_id[ours["GET"]["parent_span_id"]]["name"], "init")
            self.assertEqual(by_id[ours[name]["parent_span_id"]]["scope"]["name"], "throughline.platform")
            found[name] = ours[name]
        self.assertEqual(found["slow"]["attributes"]["throughline.unfinished"], True)
        self.assertEqual(found["bad"]["attributes"]["error.type"], "KeyError")
        self.assertEqual(found["bad"]["attributes"]["code.line.number"], 10)
        self.assertEqual([event["name"] for event in found["bad"]["events"]], ["exception"])


if __name__ == "__main__":
    unittest.main()
