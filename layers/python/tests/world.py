"""What the tests stand on: an extension that keeps what it gets, a web server, and programs with the layer."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LAYER = Path(__file__).resolve().parent.parent / "python"
TRACE = "5f35ae120c0fec141ab77a00bc047aa2"
HEADER = "Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=0;Lineage=1:abcd:0"


class Server:
    """An HTTP server on loopback that keeps its requests and answers what `answer(handler)` says."""

    def __init__(self, answer=None):
        kept = self.requests = []
        arrived = self.arrived = threading.Condition()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            # One write for an answer, which so has no acknowledgement to wait for.
            wbufsize = 65536

            def do(self):
                length = int(self.headers.get("content-length") or 0)
                body = self.rfile.read(length)
                with arrived:
                    kept.append((self.command, self.path, dict(self.headers.items()), body))
                    arrived.notify_all()
                status, headers, text = answer(self, body) if answer else (200, {}, b"{}")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_POST = do_PUT = do_DELETE = do

            def log_message(self, *_):
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request, client_address):
                """A client that ends resets its connection."""

        self.server = Quiet(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def wait(self, count, seconds=20):
        """Waits until that many requests came."""
        with self.arrived:
            came = self.arrived.wait_for(lambda: len(self.requests) >= count, seconds)
        assert came, "only %d requests came" % len(self.requests)
        return self.requests

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def spans_of(requests):
    """The spans in the bodies of exports, with plain attributes."""
    found = []
    for _, path, _, body in requests:
        if path != "/v1/traces":
            continue
        for resource in json.loads(body)["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                for span in scope["spans"]:
                    span["attributes"] = plain(span.get("attributes", []))
                    span["scope"] = scope["scope"]["name"]
                    span["resource"] = plain(resource["resource"]["attributes"])
                    for event in span.get("events", []):
                        event["attributes"] = plain(event["attributes"])
                    found.append(span)
    return found


def plain(pairs):
    return {pair["key"]: _value(pair["value"]) for pair in pairs}


def _value(value):
    (kind, inner), = value.items()
    if kind == "arrayValue":
        return [_value(one) for one in inner["values"]]
    return int(inner) if kind == "intValue" else inner


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


RUNTIME = '''
import json, os, sys, time, traceback
sys.argv[1:] = [os.environ["_HANDLER"]]
{client}
class Context:
    aws_request_id = "8f4e1d2c-7a1b-4c6d-9e0f-112233445566"
    invoked_function_arn = "arn:aws:lambda:eu-west-1:123456789012:function:orders:live"
    client_context = None
    def __init__(self, seconds):
        self._epoch_deadline_time_in_ms = int((time.time() + seconds) * 1000)
    def get_remaining_time_in_millis(self):
        return max(0, self._epoch_deadline_time_in_ms - int(time.time() * 1000))
'''
# The loading and the reporting of errors of the runtime, as far as a stack trace shows them.
CLIENT = '''
class Fault(Exception):
    pass
def _get_handler(handler):
    import importlib
    modname, fname = handler.rsplit(".", 1)
    try:
        m = importlib.import_module(modname.replace("/", "."))
    except ImportError as e:
        raise Fault("Unable to import module '%s': %s" % (modname, e))
    try:
        return getattr(m, fname)
    except AttributeError:
        raise Fault("Handler '%s' missing on module '%s'" % (fname, modname))
def report():
    kind, value, tb = sys.exc_info()
    rows = [(f.filename, f.lineno, f.name, f.line) for f in traceback.extract_tb(tb)]
    for i in range(len(rows)):
        if "/bootstrap.py" not in rows[i][0]:
            rows = rows[i:]
            break
    if kind is Fault:
        rows = []
    return {"errorType": kind.__name__, "errorMessage": str(value), "stackTrace": traceback.format_list(rows)}
def run(events):
    try:
        handler = _get_handler(os.environ["_HANDLER"])
    except Exception:
        print(json.dumps({"init": report()}))
        return
    for seconds, header, event in events:
        if header:
            os.environ["_X_AMZN_TRACE_ID"] = header
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        try:
            result = handler(event, Context(seconds))
            try:
                print(json.dumps({"answer": result}))
            except TypeError as e:
                print(json.dumps({"unanswerable": str(e)}))
        except Exception:
            print(json.dumps({"error": report()}))
run(json.loads(os.environ["EVENTS"]))
'''


def function(code, events, port, layer=True, env=None, python=None, seconds=60):
    """Runs a function's files in a process of its own; what it printed, as parsed lines, and stderr."""
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for name, text in code.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        runtime = folder / "runtime"
        runtime.mkdir()
        (runtime / "bootstrap.py").write_text(RUNTIME.replace("{client}", "") + CLIENT)
        variables = {
            "PATH": os.environ.get("PATH", ""),
            "PYTHONPATH": "%s:%s" % (folder, LAYER),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LAMBDA_TASK_ROOT": str(folder),
            "AWS_LAMBDA_FUNCTION_NAME": "orders",
            "AWS_REGION": "eu-west-1",
            "THROUGHLINE_OTLP_LISTEN": "127.0.0.1:%d" % port,
            "EVENTS": json.dumps(events),
            "_HANDLER": "throughline_layer.bootstrap.handler" if layer else "app.handler",
        }
        if layer:
            variables["THROUGHLINE_HANDLER"] = "app.handler"
        variables.update(env or {})
        done = subprocess.run(
            [python or sys.executable, str(runtime / "bootstrap.py")],
            env=variables,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        lines = []
        for line in done.stdout.replace(str(folder), "FOLDER").splitlines():
            try:
                lines.append(json.loads(line))
            except ValueError:
                lines.append(line)
        return lines, done.stderr.replace(str(folder), "FOLDER")
