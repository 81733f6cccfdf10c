"""Trace and span ids, and the headers that carry them. Ids are lower-case hexadecimal text.

A context is a pair: the trace's id and the span's, which is `None` where only the trace is known.
"""

import os
from re import compile as _compile

TRACEPARENT = _compile(r"^\s*[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
ROOT = _compile(r"(?:^|;)\s*Root=1-([0-9a-fA-F]{8})-([0-9a-fA-F]{24})\s*(?:;|$)")
PARENT = _compile(r"(?:^|;)\s*Parent=([0-9a-fA-F]{16})\s*(?:;|$)")
OWN_FIELDS = ("root", "parent", "self")
# All calls of an invocation begin with the same header.
_rests = {}
RESTS_MAX = 64


def new_span():
    """A new span's id."""
    return os.urandom(8).hex()


def new_trace():
    """A new trace's id."""
    return os.urandom(16).hex()


def context(trace, span):
    """The pair, or `None` if the trace's id is none."""
    trace = trace.lower().rjust(32, "0")
    span = span.lower().rjust(16, "0") if span else None
    if len(trace) != 32 or not trace.strip("0") or not _is_hex(trace):
        return None
    if span and (len(span) != 16 or not span.strip("0") or not _is_hex(span)):
        span = None
    return trace, span


def _is_hex(text):
    return not text.strip("0123456789abcdef")


def of_xray(header):
    """The context in `Root=1-8hex-24hex;Parent=16hex;...`. `Sampled` is about another system and not obeyed."""
    root = ROOT.search(header)
    if not root:
        return None
    parent = PARENT.search(header)
    return context(root.group(1) + root.group(2), parent.group(1) if parent else None)


def of_traceparent(header):
    """The context in a W3C `traceparent`."""
    found = TRACEPARENT.match(header)
    return context(found.group(1), found.group(2)) if found else None


def xray(trace, span, before=""):
    """The X-Ray header for this span. `Lineage`, by which Lambda ends loops, and other fields stay as they were."""
    rest = _rests.get(before)
    if rest is None:
        if len(_rests) >= RESTS_MAX:
            _rests.clear()
        rest = _rests[before] = _rest(before)
    return "Root=1-%s-%s;Parent=%s;%s" % (trace[:8], trace[8:], span, rest)


def _rest(before):
    fields = [field.strip() for field in before.split(";")]
    kept = [field for field in fields if field and field.split("=", 1)[0].lower() not in OWN_FIELDS]
    if not any(field[:8].lower() == "sampled=" for field in kept):
        kept.insert(0, "Sampled=1")
    return ";".join(kept)


def traceparent(trace, span):
    """The W3C header for this span."""
    return "00-%s-%s-01" % (trace, span)


def of_request(request_id):
    """The trace of an invocation that came without a header; the extension works out the same."""
    return "%016x%016x" % (fnv("trace" + request_id), fnv("trace-low" + request_id))


def invocation_span(request_id, deadline_millis):
    """The id of the span that the extension writes for the invocation."""
    return "%016x" % fnv(request_id + str(deadline_millis))


def step_span(invocation, step):
    """The id of the span that the extension writes for a step of it, such as `init`."""
    return "%016x" % fnv(invocation + step)


def fnv(text):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value
