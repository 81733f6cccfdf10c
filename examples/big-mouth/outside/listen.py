"""Servers on loopback, each on threads of its own."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def in_background(server):
    """Serves until the process ends; returns where."""
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    host, port = server.server_address
    return f"{host}:{port}"


def http(port, handler):
    server = type("Server", (ThreadingHTTPServer,), {"request_queue_size": 128})(("127.0.0.1", port), handler)
    return f"http://{in_background(server)}"


class Handler(BaseHTTPRequestHandler):
    """JSON in, JSON out."""

    protocol_version = "HTTP/1.1"

    def body(self):
        return json.loads(self.rfile.read(int(self.headers.get("content-length", 0))))

    def answer(self, status, body):
        text = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass
