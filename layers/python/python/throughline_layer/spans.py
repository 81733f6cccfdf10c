"""Spans of the running invocation: what is open, what is done, and which one is current.

One environment handles one event at a time; processes that were forked to handle several have each their own copy
of this module. So the invocation is a module's variable, and threads and pools of the function find it without any
context being handed to them. Within a call that a hook follows, `leaf` names its span.
"""

from contextvars import ContextVar
from time import time_ns

from . import ids

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
ERROR = 2
SPANS_MAX = 1000
LATE_MAX = 1000

leaf = ContextVar("throughline_leaf", default=None)
# Told by the hook of OpenTelemetry's API: gives the span that the function's code made current, if any.
outer = None
running = None
# Spans that ended after their invocation was sent: they go with the next one.
late = []


class Span:
    """One span; `end` is 0 while it is open. Times are nanoseconds since 1970, ids hexadecimal text."""

    __slots__ = (
        "trace",
        "id",
        "parent",
        "name",
        "kind",
        "start",
        "end",
        "attributes",
        "events",
        "links",
        "status",
        "message",
        "scope",
        "owner",
        "__weakref__",
    )

    def __init__(self, trace, parent, name, kind, attributes, owner):
        self.trace = trace
        self.id = ids.new_span()
        self.parent = parent
        self.name = name
        self.kind = kind
        self.start = time_ns()
        self.end = 0
        self.attributes = attributes
        self.events = None
        self.links = None
        self.status = 0
        self.message = ""
        self.scope = None
        self.owner = owner

    def event(self, name, attributes, at=None):
        """Something that happened during the span; at most 128."""
        if self.events is None:
            self.events = []
        if len(self.events) < 128:
            self.events.append((at or time_ns(), name, attributes))

    def fail(self, kind, message=""):
        """Marks it as failed."""
        self.status = ERROR
        self.message = message
        self.attributes["error.type"] = kind


class Owner:
    """The spans of an invocation, or of the initialisation before the first."""

    __slots__ = ("span", "open", "done", "started", "dropped", "sent", "deadline", "unfinished", "token", "request", "bodies")

    def __init__(self):
        self.span = None
        self.open = {}
        self.done = []
        self.started = 0
        self.dropped = 0
        self.sent = False
        # When Lambda ends it, nanoseconds since 1970; 0 if that is not known.
        self.deadline = 0
        # Whether it was told before its end, because the time was nearly up.
        self.unfinished = False
        self.token = None
        self.request = ""
        # How many characters of the bodies of calls it has.
        self.bodies = 0


# What the function does while it is loaded. Its trace is known when the first event comes.
init = Owner()


def current():
    """The span that a call made now belongs to; `None` outside of an invocation."""
    span = leaf.get()
    if span is not None and not span.end:
        return span
    if outer is not None:
        span = outer()
        if span is not None:
            return span
    return running.span if running is not None else None


def start(name, kind, attributes, parent=None):
    """A new span below the current one; `None` if there may be no more of them."""
    owner = running or init
    if owner is None or owner.started >= SPANS_MAX:
        if owner is not None:
            owner.dropped += 1
        return None
    owner.started += 1
    parent = parent or current()
    if parent is None:
        span = Span("", None, name, kind, attributes, owner)
    else:
        span = Span(parent.trace, parent.id, name, kind, attributes, owner)
    owner.open[span.id] = span
    return span


def words(error):
    """The text of an error, which is the function's code and may itself raise."""
    try:
        return str(error)[:2048]
    except Exception:
        return ""


def finish(span, error=None):
    """Ends it; a second time changes nothing."""
    if span.end:
        return
    if error is not None and span.status != ERROR:
        span.fail(type(error).__qualname__, words(error))
    span.end = max(time_ns(), span.start)
    owner = span.owner
    if owner.open.pop(span.id, None) is None:
        return
    if not owner.sent:
        owner.done.append(span)
    elif len(late) < LATE_MAX:
        late.append(span)
