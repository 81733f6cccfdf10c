"""A mail server that keeps what it gets.

GET /mails                   the newest hundred, newest first, and how many came in all
GET /mails?subject=TEXT      those with that subject
GET /mails/count             how many there are of each subject
"""

import collections
import email
import socketserver
import time
import urllib.parse

from outside import listen

KEPT_MAX = 10_000
LISTED_MAX = 100
MAIL_BYTES_MAX = 1 << 20
GREETING = "220 mail.example ESMTP"


class Mailbox:
    def __init__(self):
        self.mails = collections.deque(maxlen=KEPT_MAX)
        self.count = 0

    def put(self, text):
        mail = email.message_from_bytes(text)
        self.mails.appendleft({"to": mail["to"], "subject": mail["subject"], "at": time.time()})
        self.count += 1

    def found(self, subject=None):
        mails = [mail for mail in list(self.mails) if subject in (None, mail["subject"])]
        return {"count": self.count, "mails": mails[:LISTED_MAX]}

    def counts(self):
        return collections.Counter(mail["subject"] for mail in list(self.mails))


class Session(socketserver.StreamRequestHandler):
    """One conversation in SMTP, as far as a client needs it to hand over mails."""

    mailbox = None

    def handle(self):
        self.say(GREETING)
        while line := self.rfile.readline(1024):
            verb = line[:4].upper()
            if verb == b"DATA":
                self.say("354 go on")
                taken = self.take()
                self.say("250 taken" if taken else "552 too large")
            elif verb == b"QUIT":
                return self.say("221 bye")
            elif verb in (b"EHLO", b"HELO", b"MAIL", b"RCPT", b"RSET", b"NOOP"):
                self.say("250 ok")
            else:
                self.say("502 unknown")

    def take(self):
        text = b""
        while (line := self.rfile.readline(MAIL_BYTES_MAX)) not in (b".\r\n", b""):
            if len(text) <= MAIL_BYTES_MAX:
                text += line.removeprefix(b".")
        if len(text) > MAIL_BYTES_MAX:
            return False
        self.mailbox.put(text)
        return True

    def say(self, line):
        self.wfile.write(line.encode() + b"\r\n")


def serve_smtp(mailbox, port):
    """Listens on `port`; returns the URL that mails are sent to."""
    session = type("OwnSession", (Session,), {"mailbox": mailbox})
    server = type("Server", (socketserver.ThreadingTCPServer,), {"allow_reuse_address": True})
    return f"smtp://{listen.in_background(server(('127.0.0.1', port), session))}"


def serve_http(mailbox, port):
    """Listens on `port`; returns the URL where mails are read."""

    class Mails(listen.Handler):
        def do_GET(self):
            url = urllib.parse.urlsplit(self.path)
            if url.path == "/mails/count":
                return self.answer(200, mailbox.counts())
            query = urllib.parse.parse_qs(url.query)
            self.answer(200, mailbox.found(query.get("subject", [None])[0]))

    return listen.http(port, Mails)
