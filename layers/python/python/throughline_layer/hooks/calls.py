"""What all hooks share: a span around a call, and the headers that a call goes out with."""

from contextlib import contextmanager

from .. import faults, ids, spans

AWS_HEADERS = ("x-amz-date", "x-amz-target", "x-amz-content-sha256", "amz-sdk-invocation-id", "x-amzn-trace-id")


@contextmanager
def around(name, kind, attributes):
    """A span that is current for the block; `None` if there is none. What the block raises is its own affair."""
    span = begin(name, kind, attributes)
    token = spans.leaf.set(span) if span is not None else None
    try:
        yield span
    except BaseException as error:
        if span is not None:
            end(span, error)
        raise
    finally:
        if span is not None:
            reset(token)
            end(span)


def hide(error):
    """Takes the frame that handles the error out of its stack trace. Python 3.11 and later go on with what is left."""
    trace = error.__traceback__
    if trace is not None and trace.tb_next is not None:
        error.__traceback__ = trace.tb_next


def begin(name, kind, attributes):
    """A new span, or `None`. Never raises."""
    try:
        return spans.start(name, kind, attributes)
    except Exception as error:
        faults.note("span", error)
        return None


def end(span, error=None):
    """Ends a span. Never raises, even if the error cannot be put into words."""
    try:
        spans.finish(span, error)
    except Exception as fault:
        faults.note("span", fault)


def reset(token):
    """Gives the context back what was current before; a generator may be ended in another context."""
    try:
        spans.leaf.reset(token)
    except ValueError:
        spans.leaf.set(None)


def is_aws(host, names=()):
    """Whether a call goes to AWS: by its host, or because its headers say so."""
    host = host.lower()
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws")):
        # What users put up behind AWS's names takes the headers of all others.
        return ".execute-api." not in host and ".elb." not in host
    return any(name in AWS_HEADERS for name in names)


def outgoing(span, aws, before=""):
    """The headers that carry the context: `[(name, value)]`."""
    span = span or spans.current()
    if span is None or not span.trace:
        return []
    if aws:
        return [("X-Amzn-Trace-Id", ids.xray(span.trace, span.id, before))]
    return [("traceparent", ids.traceparent(span.trace, span.id))]


def url_without_secrets(scheme, host, port, path):
    """`url.full` without user and password, and with `REDACTED` for the values of the query."""
    known = {"http": 80, "https": 443}.get(scheme)
    where = host if port in (None, known) else "%s:%d" % (host, port)
    if "://" in path[:8]:
        path = "/" + path.split("://", 1)[1].partition("/")[2]
    path, _, query = path.partition("?")
    if query:
        names = [pair.partition("=")[0] for pair in query.split("&")[:64]]
        path += "?" + "&".join(name + "=REDACTED" for name in names)
    return "%s://%s%s" % (scheme, where, path[:2048])


def http_attributes(method, scheme, host, port, path):
    """Of a call over HTTP."""
    return {
        "http.request.method": method,
        "url.full": url_without_secrets(scheme, host, port, path),
        "server.address": host,
        "server.port": port or (443 if scheme == "https" else 80),
    }


def answered(span, status):
    """The status of an answer to a call over HTTP."""
    span.attributes["http.response.status_code"] = status
    if status >= 400 and span.status != spans.ERROR:
        span.fail(str(status))


def done(span, status):
    """Ends the span of a call over HTTP. Never raises."""
    try:
        answered(span, status)
    except Exception as fault:
        faults.note("span", fault)
    end(span)


def wrap(owner, name, make):
    """Replaces a function of a class or module by `make(original)`, once; what is not there is left out."""
    original = getattr(owner, name, None)
    if original is None or hasattr(original, "__throughline__"):
        return
    new = make(original)
    for attribute in ("__name__", "__qualname__", "__doc__", "__module__"):
        try:
            setattr(new, attribute, getattr(original, attribute))
        except AttributeError:
            pass
    new.__wrapped__ = original
    new.__throughline__ = True
    setattr(owner, name, new)
