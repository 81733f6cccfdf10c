"""Hands bodies over to the extension on loopback, and waits for nothing.

One connection is kept. A body is written into the kernel's buffer; its answer is read when the next one is sent.
If the connection turns out to be closed before the last body was answered, or the extension had no room for it, that
body is sent once more. If nobody listens, the layer is quiet for the rest of this environment.
"""

import atexit
import os
from _thread import allocate_lock

from . import config, faults

# Only a stalled extension makes a write wait.
WRITE_SECONDS_MAX = 0.02
CONNECT_SECONDS_MAX = 0.1
# More than a body, so that all of it finds room at once. The kernel may allow less.
BUFFER_BYTES = 524288
STALLS_MAX = 3
# A process that ends with unread answers resets the connection, and with it what the extension has not read yet.
EXIT_SECONDS_MAX = 0.1
ANSWER = b"HTTP/1.1 "


class Sender:
    """The connection to the extension."""

    def __init__(self, address=None):
        self.address = address
        self.socket = None
        self.unanswered = None
        self.again = None
        self.quiet = False
        self.stalls = 0
        # Bodies whose answers were not read yet.
        self.open = 0
        # Bodies that nobody took.
        self.lost = 0
        self.lock = allocate_lock()

    def send(self, body):
        """Sends a body of spans; whether it was handed over."""
        if self.quiet or not self.lock.acquire(timeout=WRITE_SECONDS_MAX):
            self.lost += 1
            return False
        try:
            self._hear()
            again, self.again = self.again, None
            if again:
                self._write(again)
            done = self._write(body)
            self.unanswered = body if done else None
            self.lost += not done
            return done
        except Exception as error:
            faults.note("sender", error)
            self.close()
            return False
        finally:
            self.lock.release()

    def hear(self):
        """Reads what was answered meanwhile, so that a process that is killed leaves nothing unread."""
        if self.socket is not None and self.lock.acquire(False):
            try:
                self._hear()
            finally:
                self.lock.release()

    def leave(self):
        """At the end of the process: waits until the extension has what was sent."""
        try:
            while self.socket is not None and self.open > 0:
                self.socket.settimeout(EXIT_SECONDS_MAX)
                answer = self.socket.recv(65536)
                if not answer:
                    break
                self.open -= answer.count(ANSWER)
        except OSError:
            pass

    def forked(self):
        """In a new process: the connection is the parent's."""
        self.socket = self.unanswered = self.again = None
        self.lock = allocate_lock()

    def close(self):
        """Forgets the connection."""
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def _hear(self):
        """Reads the answers to what was sent before, and keeps the last body if it must be sent again."""
        if self.socket is None:
            return
        try:
            self.socket.settimeout(0)
            answer = self.socket.recv(65536)
        except BlockingIOError:
            # Not answered yet: usual for a very quick invocation.
            return
        except OSError:
            answer = b""
        self.open -= answer.count(ANSWER)
        last, self.unanswered = self.unanswered, None
        if not answer:
            self.close()
        if not answer or b"HTTP/1.1 503" in answer:
            self.again = last or self.again

    def _write(self, body):
        if self.socket is None and not self._connect():
            return False
        head = "POST /v1/traces HTTP/1.1\r\nhost: %s:%d\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n"
        data = (head % (self.address[0], self.address[1], len(body))).encode() + body
        try:
            self.socket.settimeout(WRITE_SECONDS_MAX)
            self.socket.sendall(data)
        except OSError:
            # Too slow, or gone. A body that was cut ends the connection.
            self.close()
            self.stalls += 1
            self.quiet = self.stalls >= STALLS_MAX
            return False
        self.stalls = 0
        self.open += 1
        return True

    def _connect(self):
        # `socket` itself would cost milliseconds, and the runtime does without it.
        import _socket

        self.address = self.address or config.address()
        new = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
        os.set_inheritable(new.fileno(), False)
        try:
            new.settimeout(CONNECT_SECONDS_MAX)
            new.setsockopt(_socket.SOL_SOCKET, _socket.SO_SNDBUF, BUFFER_BYTES)
            new.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
            new.connect(self.address)
        except OSError:
            # Nobody listens: there is no extension.
            new.close()
            self.quiet = True
            return False
        self.socket = new
        self.open = 0
        atexit.unregister(self.leave)
        atexit.register(self.leave)
        return True
