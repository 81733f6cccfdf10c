"""Ways out that a user has asked for: an attribute of messages, and a member of payloads that are JSON.

Parameters are changed in copies, before they are checked, signed and sent. What has no room, has a context already, or
is no JSON object goes out as it came.
"""

from .. import config, ids

NAME = "traceparent"
# SQS and SNS take ten attributes; with raw delivery of a topic to a queue what is beyond them is lost with its message.
ATTRIBUTES_MAX = 8
# Of all that a call sends. The smallest limit of these services is 256 KiB.
BYTES_MAX = 240 * 1024


def put_on(service, operation, parameters, span):
    """The parameters that go out with the context of `span`: the same, or a copy."""
    edit = EDITS.get((service, operation))
    if edit is None or span is None or not span.trace or not isinstance(parameters, dict):
        return parameters
    return edit(parameters, ids.traceparent(span.trace, span.id))


def _message(service, body):
    def edit(parameters, carrier):
        if service not in config.attributes() or not _fits([parameters.get(body)], [parameters]):
            return parameters
        return _with_attribute(parameters, carrier)

    return edit


def _messages(service, entries, body):
    def edit(parameters, carrier):
        rows = parameters.get(entries)
        if service not in config.attributes() or not isinstance(rows, (list, tuple)):
            return parameters
        if not _fits([row.get(body) for row in rows], rows):
            return parameters
        return {**parameters, entries: [_with_attribute(row, carrier) for row in rows]}

    return edit


def _with_attribute(message, carrier):
    known = message.get("MessageAttributes") or {}
    if len(known) > ATTRIBUTES_MAX or any(name.lower() == NAME for name in known):
        return message
    return {**message, "MessageAttributes": {**known, NAME: {"DataType": "String", "StringValue": carrier}}}


def _fits(bodies, messages):
    """Whether there is room, with what attributes there are."""
    size = sum(_size(body) + 256 for body in bodies)
    for message in messages:
        for name, value in (message.get("MessageAttributes") or {}).items():
            size += len(name) + sum(_size(part) for part in value.values())
    return size <= BYTES_MAX


def _size(text):
    return len(text.encode("utf-8", "surrogatepass")) if isinstance(text, str) else len(text) if isinstance(text, (bytes, bytearray)) else 0


def _events(parameters, carrier):
    rows = parameters.get("Entries")
    if not isinstance(rows, (list, tuple)) or not _fits([row.get("Detail") for row in rows], ()):
        return parameters
    to = config.payload_context()
    changed = [
        _with_member(row, "Detail", carrier) if "bus:" + _tail(row.get("EventBusName") or "default") in to else row
        for row in rows
    ]
    return {**parameters, "Entries": changed}


def _to_stream(parameters):
    return "stream:" + _tail(parameters.get("StreamName") or parameters.get("StreamARN") or "") in config.payload_context()


def _record(parameters, carrier):
    if not _to_stream(parameters) or not _fits([parameters.get("Data")], ()):
        return parameters
    return _with_member(parameters, "Data", carrier)


def _records(parameters, carrier):
    rows = parameters.get("Records")
    if not _to_stream(parameters) or not isinstance(rows, (list, tuple)) or not _fits([row.get("Data") for row in rows], ()):
        return parameters
    return {**parameters, "Records": [_with_member(row, "Data", carrier) for row in rows]}


def _invoke(parameters, carrier):
    from .aws import function_name

    name = function_name(str(parameters.get("FunctionName") or ""))
    if "function:" + name not in config.payload_context() or not _fits([parameters.get("Payload")], ()):
        return parameters
    return _with_member(parameters, "Payload", carrier)


def _with_member(holder, name, carrier):
    changed = in_json(holder.get(name), carrier)
    return holder if changed is None else {**holder, name: changed}


def in_json(text, carrier):
    """The JSON object with one more member, all else as it was; `None` if it is none, or has one."""
    import json

    plain = text.decode("utf-8") if isinstance(text, (bytes, bytearray)) else text
    if not isinstance(plain, str) or not plain.lstrip()[:1] == "{":
        return None
    try:
        known = json.loads(plain)
    except ValueError:
        return None
    if NAME in known:
        return None
    start = plain.index("{") + 1
    changed = '%s"%s":"%s"%s%s' % (plain[:start], NAME, carrier, "," if known else "", plain[start:])
    return changed if isinstance(text, str) else changed.encode()


def _tail(name):
    """The name in a name or an ARN of a bus, a stream."""
    return str(name).rpartition("/")[2]


EDITS = {
    ("sqs", "SendMessage"): _message("sqs", "MessageBody"),
    ("sqs", "SendMessageBatch"): _messages("sqs", "Entries", "MessageBody"),
    ("sns", "Publish"): _message("sns", "Message"),
    ("sns", "PublishBatch"): _messages("sns", "PublishBatchRequestEntries", "Message"),
    ("events", "PutEvents"): _events,
    ("kinesis", "PutRecord"): _record,
    ("kinesis", "PutRecords"): _records,
    ("lambda", "Invoke"): _invoke,
}
