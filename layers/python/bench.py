"""What the layer costs a function: `python3 layers/python/bench.py target/bench/layers.json [rounds]`.

The real runtime client is started against a Runtime API of ours, bare and with each kind of instrumentation, in turn,
so that what else the machine does hits all of them alike. Initialisation is what the process used until it asks for
its first event: processor time as the kernel counts it, and wall time. An invocation makes 20 calls with boto3 to a
server on loopback. Of each the minimum of the rounds counts.
"""

import json
import multiprocessing
import os
import platform
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pack
import sizes

ROOT = Path(__file__).resolve().parent
CALLS = 20
WARM = 40
HANDLER = """
import os, boto3
from botocore.config import Config
sqs = boto3.client("sqs", endpoint_url=os.environ["FAKE_AWS"], region_name="eu-west-1", config=Config(retries={"total_max_attempts": 1}))
def handler(event, context):
    for n in range(%d):
        sqs.send_message(QueueUrl=os.environ["FAKE_AWS"] + "/1/orders", MessageBody="hello")
    return {"sent": %d}
""" % (CALLS, CALLS)
BARE = "def handler(event, context):\n    return event\n"
XRAY = "from aws_xray_sdk.core import patch_all, xray_recorder\npatch_all()\n"


def serve(pipe):
    """AWS, the extension and X-Ray's daemon, in a process of their own: they answer at once."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            text = b"{}"
            if "x-amz-target" in self.headers:
                text = b'{"MessageId":"m-1","MD5OfMessageBody":"5d41402abc4b2a76b9719d911017c592"}'
            self.send_response(200)
            self.send_header("x-amzn-requestid", "r-1")
            self.send_header("content-type", "application/x-amz-json-1.0")
            self.send_header("content-length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)
            del body

        def log_message(self, *_):
            pass

    class Quiet(ThreadingHTTPServer):
        def handle_error(self, request, client_address):
            """Functions are killed with their connections open."""

    daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    daemon.bind(("127.0.0.1", 0))
    threading.Thread(target=swallow, args=(daemon,), daemon=True).start()
    server = Quiet(("127.0.0.1", 0), Handler)
    pipe.send((server.server_port, "127.0.0.1:%d" % daemon.getsockname()[1]))
    server.serve_forever()


def swallow(daemon):
    """X-Ray's daemon, which never answers."""
    while True:
        daemon.recv(65536)


class Runtime:
    """The Runtime API, for one process at a time."""

    def __init__(self):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]

    def connection(self, process):
        """Waits for the process; fails if it ends instead."""
        self.listener.settimeout(0.5)
        while True:
            try:
                made, _ = self.listener.accept()
                return made
            except OSError:
                if process.poll() is not None:
                    raise SystemExit("the function ended: %s" % process.returncode)

    @staticmethod
    def request(made):
        """Reads one request: its first line and its body."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = made.recv(65536)
            if not more:
                return None, b""
            data += more
        head, _, body = data.partition(b"\r\n\r\n")
        lines = head.decode().lower().split("\r\n")
        lengths = [int(line.split(":")[1]) for line in lines if line.startswith("content-length:")]
        while lengths and len(body) < lengths[0]:
            body += made.recv(65536)
        return lines[0], body


def next_event(number):
    deadline = int(time.time() * 1000) + 60000
    body = b'{"n":1}'
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        "Lambda-Runtime-Aws-Request-Id: 8f4e1d2c-7a1b-4c6d-9e0f-%012d\r\nLambda-Runtime-Deadline-Ms: %d\r\n"
        "Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:bench\r\n"
        "Lambda-Runtime-Trace-Id: Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=2be948a625588e32;Sampled=1\r\n\r\n"
    )
    return (head % (len(body), number, deadline)).encode() + body


ACCEPTED = b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 15\r\n\r\n{"status":"OK"}'


def used(process):
    """Processor time of all threads of the process until now, in milliseconds."""
    tasks = Path("/proc/%d/task" % process).iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


def run(kind, code, invocations, servers):
    """Starts a function; its initialisation in CPU and wall milliseconds, and wall and CPU of each invocation."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "app.py").write_text(kind.get("top", "") + code)
        runtime = Runtime()
        address = "http://127.0.0.1:%d" % servers
        env = {
            "PATH": os.environ["PATH"],
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % runtime.port,
            "_HANDLER": "app.handler",
            "LAMBDA_TASK_ROOT": folder,
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "AWS_REGION": "eu-west-1",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "y",
            "FAKE_AWS": address,
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "OTEL_SERVICE_NAME": "bench",
            "PYTHONPATH": ":".join(kind.get("path", [])),
            **kind.get("env", {}),
        }
        started = time.perf_counter()
        command = kind.get("before", []) + [kind["python"], "-m", "awslambdaric", "app.handler"]
        log = open(os.path.join(folder, "log"), "w+")
        process = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
        times = []
        try:
            made = runtime.connection(process)
            line, _ = runtime.request(made)
            wall, cpu = (time.perf_counter() - started) * 1000, used(process.pid)
            if not line or "/next" not in line:
                log.seek(0)
                raise SystemExit("the function does not start:\n%s" % log.read())
            for number in range(invocations):
                before = used(process.pid)
                made.sendall(next_event(number))
                begun = time.perf_counter()
                line = None
                while not line or "/next" in line:
                    line, body = runtime.request(made)
                    if line is None:
                        made = runtime.connection(process)
                times.append(((time.perf_counter() - begun) * 1000, used(process.pid) - before))
                if "/response" not in line:
                    raise SystemExit("the function fails: %s %s" % (line, body))
                made.sendall(ACCEPTED)
                line = None
                while not line:
                    line, _ = runtime.request(made)
                    if line is None:
                        made = runtime.connection(process)
        finally:
            process.kill()
            process.wait()
            log.close()
            runtime.listener.close()
        return cpu, wall, times


def venv(name):
    """The interpreter of a set of packages; `None` if it cannot be made."""
    done = subprocess.run([str(ROOT / "venv"), name], capture_output=True, text=True)
    if done.returncode:
        print("%s is left out, its packages cannot be installed" % name, file=sys.stderr)
        return None
    return done.stdout.strip()


def kinds(layer, daemon):
    """Bare, with the layer, and beside it what others have."""
    test, otel, xray = venv("test"), venv("otel"), venv("xray")
    if test is None:
        raise SystemExit("the runtime client cannot be installed")
    found = {"bare": {"python": test}}
    wrapped = {"before": [str(layer / "throughline")], "path": [str(layer / "python")], "python": test}
    found["layer"] = wrapped
    if otel:
        found["bare of opentelemetry"] = {"python": otel}
        distribution = str(Path(otel).parent / "opentelemetry-instrument")
        off = {"OTEL_METRICS_EXPORTER": "none", "OTEL_LOGS_EXPORTER": "none"}
        found["opentelemetry"] = {"python": otel, "before": [otel, distribution], "env": off}
    if xray:
        found["bare of xray"] = {"python": xray}
        found["xray"] = {"python": xray, "top": XRAY, "env": {"AWS_XRAY_DAEMON_ADDRESS": daemon}}
    return found


def measure(everything, rounds, servers):
    """The minimum of each figure, by kind."""
    least = {}
    for at in range(rounds):
        for name, kind in everything.items():
            cpu, wall, _ = run(kind, BARE, 1, servers)
            _, _, times = run(kind, HANDLER, WARM, servers)
            known = least.setdefault(name, {"cpu": [], "wall": [], "invocation": [], "invocation_cpu": []})
            known["cpu"].append(cpu)
            known["wall"].append(wall)
            # The first ones open connections.
            known["invocation"] += [wall for wall, _ in times[3:]]
            known["invocation_cpu"] += [cpu for _, cpu in times[3:]]
        print("round %d of %d" % (at + 1, rounds), file=sys.stderr)
    return {name: {what: min(all_) for what, all_ in known.items()} for name, known in least.items()}


def figure(name, value, unit, goal=None, beside=None, note=None):
    said = {"name": name, "value": round(value, 2), "unit": unit}
    if goal is not None:
        said["goal"], said["met"] = "<= %g" % goal, value <= goal
    if beside:
        said["beside"] = {known: round(other, 2) for known, other in beside.items()}
    if note:
        said["note"] = note
    return said


def figures(least, size, rivals, rounds):
    bare = {"layer": "bare", "opentelemetry": "bare of opentelemetry", "xray": "bare of xray"}

    def added(kind, what):
        return least[kind][what] - least[bare[kind]][what]

    def beside(what):
        return {kind: added(kind, what) for kind in ("opentelemetry", "xray") if kind in least}

    note = "minimum of %d, above the bare runtime client" % rounds
    made = [
        figure("python_init_cpu", added("layer", "cpu"), "ms", 25, beside("cpu"), note),
        figure("python_init_wall", added("layer", "wall"), "ms", None, beside("wall"), note),
        figure("python_invocation_20_calls", added("layer", "invocation"), "ms", None, beside("invocation"), note),
        figure("python_invocation_20_calls_cpu", added("layer", "invocation_cpu"), "ms", None, beside("invocation_cpu"), note),
        figure("python_zip", size / 1024, "KB", 150, rivals, "python%d.%d.zip; beside it: what pip installs, in a zip made alike" % sys.version_info[:2]),
    ]
    if "opentelemetry" in least:
        ratio = added("opentelemetry", "cpu") / max(added("layer", "cpu"), 0.01)
        said = figure("python_init_cpu_below_opentelemetry", ratio, "times")
        said["goal"], said["met"] = ">= 10", ratio >= 10
        made.append(said)
    return made


def keep(path, made):
    """Writes the figures; those of the other language stay."""
    known = json.loads(path.read_text()) if path.exists() else {}
    others = [row for row in known.get("figures", []) if not row["name"].startswith("python_")]
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    machine = "%d cores, %s, Python %s" % (os.cpu_count(), platform.machine(), platform.python_version())
    known.update(bench="layers", commit=commit, date=time.strftime("%Y-%m-%d", time.gmtime()), figures=others + made)
    known.setdefault("machine", machine)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known, indent=1) + "\n")


def main():
    path = Path(sys.argv[1] if len(sys.argv) > 1 else "target/bench/layers.json")
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    servers, daemon = ours.recv()
    with tempfile.TemporaryDirectory() as folder:
        python = venv("test") or sys.executable
        packed = Path(folder, "layer.zip")
        size = pack.pack(packed, python)
        with zipfile.ZipFile(packed) as zipped:
            zipped.extractall(folder)
        os.chmod(os.path.join(folder, "throughline"), 0o755)
        everything = kinds(Path(folder), daemon)
        rivals = {name: sizes.zip_bytes(everything[name]["python"]) / 1024 for name in ("opentelemetry", "xray") if name in everything}
        made = figures(measure(everything, rounds, servers), size, rivals, rounds)
    server.terminate()
    keep(path, made)
    for row in made:
        beside = ", ".join("%s %g" % pair for pair in row.get("beside", {}).items())
        goal = "%s %s" % (row["goal"], "met" if row["met"] else "MISSED") if "goal" in row else ""
        print("%-38s %8g %-6s %-14s %s" % (row["name"], row["value"], row["unit"], goal, beside))


if __name__ == "__main__":
    main()
