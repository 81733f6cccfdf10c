"""What happens around a call of the handler: the invocation's span, where it belongs, and sending."""

import os
from time import time_ns

from . import events, failure, faults, ids, otlp, payload, sender, spans, watch

LINKS_MAX = 1000

out = sender.Sender()
# Told by the hook of OpenTelemetry's API.
entered = left = None

_cold = True
_pid = os.getpid()
_resource = None


def begin(event, context):
    """Opens the invocation; `None` if nothing is to be followed. Never raises."""
    try:
        if out.quiet:
            return None
        return _begin(event, context)
    except Exception as error:
        faults.note("begin", error)
        spans.running = spans.init = None
        return None


def end(owner, result, error):
    """Closes the invocation and sends it. Never raises."""
    try:
        span = owner.span
        if left is not None:
            left(owner)
        if error is not None:
            failure.record(span, error)
        else:
            _answered(span, result)
        _capture(span, "throughline.payload.response", result)
        finish(owner)
    except Exception as fault:
        faults.note("end", fault)
    finally:
        spans.running = None


def finish(owner):
    """Ends the span and sends it with those below it."""
    owner.sent = True
    if owner.unfinished:
        # It was told of when its time was nearly up; what came since then follows.
        if owner.done:
            out.send(otlp.request(owner.done, _resource)[0])
        return
    owner.span.end = max(time_ns(), owner.span.start)
    _send(owner, owner.done)


def tell_unfinished(owner):
    """Sends what is open, once, because the time is nearly up."""
    owner.unfinished = True
    if owner.sent:
        return
    now = time_ns()
    done, owner.done = owner.done, []
    for span in list(owner.open.values()) + [owner.span]:
        span.attributes["throughline.unfinished"] = True
        span.end = now
        if owner.open.pop(span.id, None) is not None:
            done.append(span)
    _send(owner, done)


def _send(owner, done):
    global _resource
    if _resource is None:
        _resource = otlp.resource()
    everything, spans.late[:] = spans.late + done, []
    if owner.dropped:
        owner.span.attributes["throughline.dropped.spans"] = owner.dropped
    if faults.counts:
        owner.span.attributes["throughline.layer.faults"] = sum(faults.counts.values())
    everything.append(owner.span)
    body, _ = otlp.request(everything, _resource)
    out.send(body)


def _begin(event, context):
    global _cold, _pid
    if os.getpid() != _pid:
        _pid = os.getpid()
        out.forked()
        watch.forked()
    out.hear()
    request = getattr(context, "aws_request_id", None) or ""
    header = os.environ.get("_X_AMZN_TRACE_ID", "")
    way = events.read(event, context)
    trace, parent = where(way, header, request)
    owner = spans.Owner()
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "invocation"
    span = owner.span = spans.Span(trace, parent, name, spans.SERVER, _attributes(way, context, request), owner)
    owner.request = request
    span.attributes["faas.coldstart"] = _cold
    span.links = links(way)
    _capture(span, "throughline.payload.request", event)
    remaining = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is not None:
        owner.deadline = span.start + remaining() * watch.MILLISECOND
    if _cold:
        _cold = False
        _adopt_init(owner, context)
    # The AWS SDKs send this with every call, hooked or not.
    os.environ["_X_AMZN_TRACE_ID"] = ids.xray(trace, span.id, header)
    spans.running = owner
    if entered is not None:
        entered(owner)
    if owner.deadline:
        watch.arm(tell_unfinished)
    return owner


def where(way, header, request):
    """The trace and the parent of an invocation: what came in with the event, else what came in with the call.

    Records of several traces have nothing in common, and are links only.
    """
    invoked = ids.of_xray(header)
    known = [context for context in way.contexts if context]
    if known and len(known) == len(way.contexts) and len({trace for trace, _ in known}) == 1:
        trace, parent = next((context for context in known if context[1]), known[0])
        if parent is None and invoked and invoked[0] == trace:
            return invoked
        return trace, parent
    return invoked or (ids.of_request(request), None)


def links(way):
    """A link for each record that has a context."""
    found = []
    before = 0
    for message, context, end in zip(way.messages[:LINKS_MAX], way.contexts, way.ends):
        if context and context[1]:
            said = {"messaging.message.id": message} if message else {}
            if end > before:
                said["throughline.link.in"] = way.keys[before:end]
            found.append((context[0], context[1], said))
        before = end
    return found or None


def _attributes(way, context, request):
    said = {"faas.invocation_id": request, "faas.trigger": way.trigger, "throughline.trigger.type": way.type}
    arn = getattr(context, "invoked_function_arn", None)
    if arn:
        said["aws.lambda.invoked_arn"] = arn
        said["cloud.resource_id"] = ":".join(arn.split(":")[:7])
    said.update(way.attributes)
    said["throughline.link.in"] = (["lam:" + request] if request else []) + way.keys[: events.RECORDS_MAX - 1]
    if way.path:
        said["throughline.in.path"] = way.path
    return said


def _adopt_init(owner, context):
    """What was called while the function was loaded belongs to its initialisation, whose span the extension has."""
    init = spans.init
    spans.init = None
    init.sent = True
    deadline = getattr(context, "_epoch_deadline_time_in_ms", 0)
    step = ids.step_span(ids.invocation_span(owner.request, deadline), "init")
    for span in init.done + list(init.open.values()):
        span.trace = owner.span.trace
        span.parent = span.parent or step
    spans.late.extend(init.done)
    owner.dropped += init.dropped


def _answered(span, result):
    """An answer to an HTTP request says how it went."""
    if span.attributes.get("faas.trigger") == "http" and isinstance(result, dict):
        status = result.get("statusCode")
        if isinstance(status, str) and status.isdigit():
            status = int(status)
        if isinstance(status, int):
            span.attributes["http.response.status_code"] = status
            if status >= 500:
                span.fail(str(status), "")
    failures = result.get("batchItemFailures") if isinstance(result, dict) else None
    if isinstance(failures, list) and failures:
        span.attributes["throughline.batch.failures"] = len(failures)


def _capture(span, name, value):
    try:
        text = payload.text(value) if value is not None else None
        if text is not None:
            span.attributes[name] = text
    except Exception as error:
        faults.note("payload", error)
