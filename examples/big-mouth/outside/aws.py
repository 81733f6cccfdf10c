"""AWS: moto's server, which can be told to throttle a table or to fail for one, and which refuses what a function's
role is denied.

    PUT /outside/throttle  {"table": "users", "share": 0.8, "seed": 7}    a share of 0 ends it
    PUT /outside/fail      {"table": "orders", "share": 0.6, "seed": 7}   a share of 0 ends it

Prints its URL when it listens, and stops when its standard input ends.
"""

import contextlib
import importlib.util
import json
import os
import random
import sys
import threading
from io import BytesIO
from pathlib import Path

import moto.server
import werkzeug.serving
from moto.moto_server.werkzeug_app import MotoRequestHandler

from outside import account

# Moto as everything here starts it: with the trace header of requests in messages, as on AWS.
LAUNCHER = Path(__file__).resolve().parents[3] / "scripts" / "moto_server.py"
SPEC = importlib.util.spec_from_file_location("moto_server", LAUNCHER)
launcher = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(launcher)
BODY_BYTES_MAX = 1 << 20
# Moto reads a shard while it writes to it, and then fails.
STREAMS = threading.Lock()


class Refusal:
    """What a share of the calls to a table is answered."""

    def __init__(self, status, kind, message):
        self.status = status
        self.body = {"__type": f"com.amazonaws.dynamodb.v20120810#{kind}", "message": message}
        self.table, self.share, self.random = None, 0.0, random.Random()

    def set(self, table, share, seed=None):
        self.table, self.share, self.random = table, share, random.Random(seed)

    def meets(self, table):
        return self.share > 0 and table == self.table and self.random.random() < self.share


# By the path that is told of them; several at once do not end each other.
REFUSALS = {
    "/outside/throttle": Refusal(
        "400 Bad Request",
        "ProvisionedThroughputExceededException",
        "The level of configured provisioned throughput for the table was exceeded.",
    ),
    "/outside/fail": Refusal("500 Internal Server Error", "InternalServerError", "Internal server error"),
}


def refusing(application):
    """`application` as a WSGI application that refuses what it is told to and what is denied."""

    def call(environ, start_response):
        target, path = environ.get("HTTP_X_AMZ_TARGET", ""), environ.get("PATH_INFO", "")
        if told := REFUSALS.get(path):
            told.set(**json.loads(read(environ)))
            return answer(start_response, "200 OK", {})
        if target.startswith("DynamoDB_") and any(it.share for it in REFUSALS.values()):
            table = json.loads(read(environ) or b"{}").get("TableName")
            if met := next((it for it in REFUSALS.values() if it.meets(table)), None):
                return answer(start_response, met.status, met.body)
        if target and (denied := account.refusal(environ, lambda: read(environ), launcher)):
            return answer(start_response, "400 Bad Request", denied)
        with STREAMS if target.startswith("Kinesis_") else contextlib.nullcontext():
            return application(environ, start_response)

    return call


def read(environ):
    """The body, which stays there for whoever reads it next."""
    body = environ["wsgi.input"].read(min(int(environ.get("CONTENT_LENGTH") or 0), BODY_BYTES_MAX))
    environ["wsgi.input"] = BytesIO(body)
    return body


def answer(start_response, status, body):
    start_response(status, [("content-type", "application/x-amz-json-1.0")])
    return [json.dumps(body).encode()]


def run(host, port, application, **options):
    """As werkzeug's function of this name, with what is refused before it, and its URL as the only line."""
    server = werkzeug.serving.make_server(host, port, refusing(application), threaded=True, request_handler=Quiet)
    server.daemon_threads = True
    print(f"http://{host}:{server.server_port}", flush=True)
    server.serve_forever()


class Quiet(MotoRequestHandler):
    def log_request(self, *_):
        pass


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_input, daemon=True).start()
    moto.server.run_simple = run
    sys.exit(moto.server.main(sys.argv[1:]))
