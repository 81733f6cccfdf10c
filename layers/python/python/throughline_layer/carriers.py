"""Everybody's ways to carry a context in headers or attributes, in the order in which they are believed."""

from . import ids

TEXT_MAX = 4096
NAMES = (
    "traceparent",
    "x-amzn-trace-id",
    "awstraceheader",
    "_datadog",
    "x-datadog-trace-id",
    "elastic-apm-traceparent",
    "elasticapmtraceparent",
    "b3",
    "x-b3-traceid",
    "uber-trace-id",
    "epsagon-trace-id",
)
# What an application knows the action by; it joins nothing, and is told for those who look for it.
CORRELATION = "x-correlation-id"
CORRELATION_MAX = 256
# Where brokers, queues and topics keep the value of an attribute.
VALUES = ("bytes", "value", "stringValue", "Value", "binaryValue", "BinaryValue")


def lower(headers):
    """The carriers among these headers: `{name: text}`, names in lower case, of several values the first.

    Values are text, bytes, lists of them, or what a broker made of bytes: lists of numbers.
    """
    found = {}
    if isinstance(headers, dict):
        for name, value in headers.items():
            if isinstance(name, str):
                known = name.lower()
                if known in NAMES or known == CORRELATION or known[:10] == "x-datadog-" or known[:5] == "x-b3-":
                    value = text(value)
                    if value:
                        found.setdefault(known, value)
    return found


def text(value):
    """Text of a header's value; `None` if it has none."""
    if isinstance(value, str):
        return value if len(value) <= TEXT_MAX else None
    if isinstance(value, (bytes, bytearray)):
        return value[:TEXT_MAX].decode("utf-8", "replace")
    if isinstance(value, list) and value and len(value) <= TEXT_MAX:
        if all(isinstance(part, int) for part in value):
            # Java's bytes have a sign.
            return bytes(part & 0xFF for part in value).decode("utf-8", "replace")
        return text(value[0])
    if isinstance(value, dict):
        inner = next((value[name] for name in VALUES if value.get(name)), None)
        if inner is not None and not isinstance(inner, dict):
            return text(inner)
        return _json_text(value)
    return None


def context(*carriers):
    """The first context in these `{name: text}`, in the order of their names and not of the carriers."""
    for name in NAMES:
        for carrier in carriers:
            value = carrier.get(name)
            if value:
                found = READERS[name](value, carrier)
                if found:
                    return found
    return None


def _json_text(value):
    import json

    return json.dumps(value, default=str)[:TEXT_MAX]


def _datadog(value, _):
    import json

    if not value.startswith("{"):
        import binascii

        try:
            value = binascii.a2b_base64(value).decode()
        except ValueError:
            return None
    try:
        inner = json.loads(value)
    except ValueError:
        return None
    inner = lower(inner)
    inner.pop("_datadog", None)
    return context(inner)


def _datadog_headers(value, carrier):
    if not value.isdigit():
        return None
    high = "0" * 16
    for tag in carrier.get("x-datadog-tags", "").split(","):
        name, _, tid = tag.strip().partition("=")
        if name == "_dd.p.tid" and len(tid) == 16:
            high = tid
    span = carrier.get("x-datadog-parent-id", "")
    span = "%016x" % int(span) if span.isdigit() else None
    return ids.context(high + "%016x" % int(value), span)


def _b3(value, _):
    parts = value.split("-")
    return ids.context(parts[0], parts[1]) if len(parts) > 1 else None


def _b3_headers(value, carrier):
    return ids.context(value, carrier.get("x-b3-spanid"))


def _jaeger(value, _):
    parts = value.replace("%3A", ":").split(":")
    return ids.context(parts[0], parts[1]) if len(parts) > 1 else None


def _xray(value, _):
    return ids.of_xray(value)


def _w3c(value, _):
    return ids.of_traceparent(value)


READERS = {
    "traceparent": _w3c,
    "x-amzn-trace-id": _xray,
    "awstraceheader": _xray,
    "_datadog": _datadog,
    "x-datadog-trace-id": _datadog_headers,
    "elastic-apm-traceparent": _w3c,
    "elasticapmtraceparent": _w3c,
    "b3": _b3,
    "x-b3-traceid": _b3_headers,
    "uber-trace-id": _jaeger,
    "epsagon-trace-id": _jaeger,
}
