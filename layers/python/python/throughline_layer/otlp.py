"""Spans as OTLP/JSON."""

from json.encoder import encode_basestring_ascii as _text

from . import SCOPE, VERSION, config

TEXT_MAX = 65536
BODY_BYTES_MAX = 262144

# The beginnings of pairs, since names are few and come again and again.
_keys = {}
KEYS_MAX = 2000


def resource():
    """What all spans share. What else there is to say of the function the extension knows."""
    said = {
        "service.name": config.service(),
        "telemetry.sdk.name": "throughline",
        "telemetry.sdk.language": "python",
        "telemetry.sdk.version": VERSION,
    }
    return '{"attributes":%s}' % attributes(said)


def request(spans, known_resource):
    """The body of an export, and how many spans it has no room for. The last span always has."""
    scopes = {}
    size, dropped = len(known_resource) + 200, 0
    last = len(spans) - 1
    for at, span in enumerate(spans):
        if at == last and dropped:
            span.attributes["throughline.dropped.spans"] = span.attributes.get("throughline.dropped.spans", 0) + dropped
        text = one(span)
        if size + len(text) > BODY_BYTES_MAX and at != last:
            dropped += 1
            continue
        size += len(text) + 1
        scopes.setdefault(span.scope or (SCOPE, VERSION), []).append(text)
    parts = [
        '{"scope":{"name":%s,"version":%s},"spans":[%s]}' % (_text(name), _text(version or ""), ",".join(texts))
        for (name, version), texts in scopes.items()
    ]
    body = '{"resourceSpans":[{"resource":%s,"scopeSpans":[%s]}]}' % (known_resource, ",".join(parts))
    return body.encode(), dropped


def one(span):
    """One span."""
    text = '{"traceId":"%s","spanId":"%s","name":%s,"kind":%d,"startTimeUnixNano":"%d","endTimeUnixNano":"%d"' % (
        span.trace,
        span.id,
        _text(span.name),
        span.kind,
        span.start,
        span.end,
    )
    if span.parent:
        text += ',"parentSpanId":"%s"' % span.parent
    if span.attributes:
        text += ',"attributes":' + attributes(span.attributes)
    if span.events:
        rows = ['{"timeUnixNano":"%d","name":%s,"attributes":%s}' % (at, _text(name), attributes(said)) for at, name, said in span.events]
        text += ',"events":[%s]' % ",".join(rows)
    if span.links:
        rows = ['{"traceId":"%s","spanId":"%s","attributes":%s}' % (trace, identity, attributes(said)) for trace, identity, said in span.links]
        text += ',"links":[%s]' % ",".join(rows)
    if span.status:
        text += ',"status":{"code":%d,"message":%s}' % (span.status, _text(span.message))
    return text + "}"


def attributes(said):
    """`{name: value}` as a list of pairs."""
    parts = []
    for name, one in said.items():
        head = _keys.get(name) or _key(name)
        if type(one) is str and len(one) <= TEXT_MAX:
            parts.append(head + '{"stringValue":' + _text(one) + "}}")
        else:
            parts.append(head + value(one) + "}")
    return "[" + ",".join(parts) + "]"


def _key(name):
    if len(_keys) >= KEYS_MAX:
        _keys.clear()
    head = _keys[name] = '{"key":' + _text(str(name)) + ',"value":'
    return head


def value(one):
    """One value: text, truth, a number, or a list of them; anything else as text."""
    kind = type(one)
    if kind is str:
        return '{"stringValue":%s}' % _text(one[:TEXT_MAX])
    if kind is bool:
        return '{"boolValue":%s}' % ("true" if one else "false")
    if kind is int:
        return '{"intValue":"%d"}' % one if -(2**63) <= one < 2**63 else '{"stringValue":"%d"}' % one
    if kind is float:
        # Not a number and infinity are no JSON.
        return '{"doubleValue":%r}' % one if one - one == 0 else '{"stringValue":"%r"}' % one
    if kind is list or kind is tuple:
        return '{"arrayValue":{"values":[%s]}}' % ",".join([value(inner) for inner in one])
    return '{"stringValue":%s}' % _text(str(one)[:TEXT_MAX])
