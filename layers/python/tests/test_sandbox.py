"""The layer with everything real: runtime client, sandbox, extension and server. THROUGHLINE_BIN names the folder of
the built programs; without it these tests are skipped."""

import json
import os
import subprocess
import tempfile
import time
import unittest
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
timeout_seconds = 20
layers = ["%s"]
environment = { AWS_LAMBDA_EXEC_WRAPPER = "/opt/throughline" }
"""


@unittest.skipUnless((BIN / "throughline").exists(), "THROUGHLINE_BIN does not name the built programs")
class Sandbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        folder = Path(cls.folder.name)
        for name, code in (("shop", SHOP), ("pay", PAY)):
            (folder / name).mkdir()
            (folder / name / "app.py").write_text(code)
        (folder / "throughline.toml").write_text("".join(FUNCTION % (name, name, LAYER) for name in ("shop", "pay")))
        cls.page, grpc, otlp, cls.api = (world.free_port() for _ in range(4))
        local = "127.0.0.1:%d"
        cls.start("serve", "--data-dir", str(folder / "data"), "--http", local % cls.page, "--otlp-grpc", local % grpc, "--otlp-http", local % otlp)
        cls.wait_for(cls.page)
        endpoint = "THROUGHLINE_ENDPOINT=http://127.0.0.1:%d" % otlp
        extension = str(BIN / "throughline-extension")
        cls.start("sandbox", "--api", local % cls.api, "--extension", extension, "--env", endpoint, "--door", "otlp=127.0.0.1:%d" % otlp)
        cls.wait_for(cls.api)

    @classmethod
    def start(cls, *arguments):
        log = open(Path(cls.folder.name) / ("%s.log" % arguments[0]), "w")
        process = subprocess.Popen([str(BIN / "throughline"), *arguments], cwd=cls.folder.name, stdout=log, stderr=log)

        def end():
            process.terminate()
            process.wait(20)
            log.close()

        cls.addClassCleanup(end)

    @classmethod
    def wait_for(cls, port):
        import socket

        until = time.monotonic() + 60
        while time.monotonic() < until:
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.05)
        logs = "\n".join(path.read_text() for path in Path(cls.folder.name).glob("*.log"))
        raise AssertionError("nothing listens on port %d\n%s" % (port, logs))

    def invoke(self, event):
        url = "http://127.0.0.1:%d/2015-03-31/functions/shop/invocations" % self.api
        with urllib.request.urlopen(urllib.request.Request(url, json.dumps(event).encode()), timeout=60) as answer:
            return json.load(answer)

    def trace(self, header, enough):
        """The spans of the trace, once `enough` is told of them."""
        trace = header.split(";")[0].replace("Root=1-", "").replace("-", "")
        until = time.monotonic() + 30
        while True:
            try:
                with urllib.request.urlopen("http://127.0.0.1:%d/api/v1/traces/%s" % (self.page, trace), timeout=10) as answer:
                    found = json.load(answer)
            except urllib.error.HTTPError:
                found = {"spans": []}
            if enough(found["spans"]) or time.monotonic() > until:
                return found["spans"]
            time.sleep(0.1)

    def test_one_click_is_one_trace(self):
        answered = self.invoke({"order": 7})
        self.assertEqual(answered["answer"], {"paid": 7})
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


if __name__ == "__main__":
    unittest.main()
