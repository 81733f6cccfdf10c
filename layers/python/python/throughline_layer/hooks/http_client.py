"""`http.client`, where urllib, urllib3, requests and botocore end.

A request is made in four steps: `putrequest`, `putheader` for each header, `endheaders`, `getresponse`. The span
begins with the first and ends with the last. AWS's clients have signed their headers by then, but not
`X-Amzn-Trace-Id`, which is overwritten on its way.
"""

from .. import config, faults, spans
from . import calls


NAMES = calls.AWS_HEADERS + ("traceparent", "host")
WATCHED = frozenset(NAMES + tuple(name.encode() for name in NAMES))


class Call:
    """One request on a connection."""

    __slots__ = ("span", "method", "path", "headers", "own", "sent")

    def __init__(self, method, path):
        self.method = method
        self.path = path
        self.span = None
        self.headers = {}
        # Whether it is made by a hook that has its own span.
        self.own = False
        # Its body, once the headers are gone, if somebody wants it.
        self.sent = None


def put_in(module):
    """Follows `HTTPConnection`; `HTTPSConnection` and those of urllib3 and botocore are derived from it."""
    connection = module.HTTPConnection
    calls.wrap(connection, "putrequest", _putrequest)
    calls.wrap(connection, "putheader", _putheader)
    calls.wrap(connection, "endheaders", _endheaders)
    calls.wrap(connection, "getresponse", _getresponse)
    if config.payloads() in ("on-error", "all"):
        global _bodies, WATCHED
        from . import bodies

        _bodies = bodies
        WATCHED = WATCHED | {"content-type", b"content-type"}
        calls.wrap(connection, "send", _send)


# The module that keeps what is sent and answered, if somebody wants it.
_bodies = None


def _send(original):
    def send(self, data):
        call = getattr(self, "_throughline", None)
        if call is not None and call.sent is not None:
            try:
                call.sent.add(data)
            except Exception as error:
                faults.note("bodies", error)
        return original(self, data)

    return send


def _putrequest(original):
    def putrequest(self, method, url, *args, **kwargs):
        try:
            self._throughline = Call(method, url) if spans.running is not None or spans.init is not None else None
        except Exception as error:
            faults.note("http", error)
        return original(self, method, url, *args, **kwargs)

    return putrequest


def _putheader(original):
    def putheader(self, header, *values):
        call = getattr(self, "_throughline", None)
        if call is not None:
            try:
                name = header.lower()
                if name in WATCHED:
                    name = _text([name])
                    call.headers[name] = _text(values)
                    if name == "x-amzn-trace-id":
                        # It is sent with the others, in `endheaders`.
                        return None
            except Exception as error:
                faults.note("http", error)
        return original(self, header, *values)

    return putheader


def _text(values):
    value = values[0] if values else ""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _endheaders(original):
    def endheaders(self, *args, **kwargs):
        call = getattr(self, "_throughline", None)
        if call is not None:
            try:
                _start(self, call)
            except Exception as error:
                faults.note("http", error)
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            _end(self, error)
            calls.hide(error)
            raise
        if _bodies is not None and call is not None and call.span is not None:
            _kept(call, args[0] if args else kwargs.get("message_body"))
        return result

    return endheaders


def _kept(call, body):
    """Pieces that follow the headers are kept; a body that went out with them is here."""
    try:
        call.sent = _bodies.Kept()
        if body is not None:
            call.sent.add(body)
    except Exception as error:
        faults.note("bodies", error)


def _start(self, call):
    host, port = self.host, self.port
    if getattr(self, "_tunnel_host", None):
        host, port = _text([self._tunnel_host]), self._tunnel_port
    aws = calls.is_aws(host, call.headers)
    leaf = spans.leaf.get()
    call.own = leaf is not None and not leaf.end
    if call.own:
        # The hook of the library has a span for it; each attempt is counted.
        attributes = leaf.attributes
        attributes["server.address"], attributes["server.port"] = host, port
        if "http.request.attempts" in attributes:
            attributes["http.request.attempts"] += 1
            attributes["http.request.resend_count"] = attributes["http.request.attempts"] - 1
        else:
            attributes["http.request.attempts"] = 1
    else:
        scheme = "https" if self.default_port == 443 else "http"
        said = calls.http_attributes(call.method, scheme, host, port, call.path)
        name = call.method
        if aws:
            target = call.headers.get("x-amz-target", "")
            name = "%s %s" % (call.method, target.rpartition(".")[2] or host.partition(".")[0])
            said["rpc.system"] = said["rpc.system.name"] = "aws-api"
        call.span = calls.begin(name, spans.CLIENT, said)
    before = call.headers.get("x-amzn-trace-id", "")
    headers = calls.outgoing(call.span, aws, before)
    if "traceparent" in call.headers:
        # The function's code propagates on its own.
        headers = [pair for pair in headers if pair[0] != "traceparent"]
    if before and not any(name == "X-Amzn-Trace-Id" for name, _ in headers):
        headers.append(("X-Amzn-Trace-Id", before))
    self._throughline = None
    try:
        for name, value in headers:
            self.putheader(name, value)
    finally:
        self._throughline = call


def _getresponse(original):
    def getresponse(self, *args, **kwargs):
        try:
            response = original(self, *args, **kwargs)
        except BaseException as error:
            _end(self, error)
            calls.hide(error)
            raise
        _end(self, None, response)
        return response

    return getresponse


def _end(self, error, response=None):
    call = getattr(self, "_throughline", None)
    if call is None:
        return
    self._throughline = None
    try:
        span = call.span
        if span is None:
            return
        if response is not None:
            calls.answered(span, response.status)
            identity = response.headers.get("x-amzn-requestid") or response.headers.get("x-amz-request-id")
            if identity:
                span.attributes["aws.request_id"] = identity
            gateway = response.headers.get("apigw-requestid") or identity
            if gateway and "rpc.system" not in span.attributes:
                span.attributes["throughline.link.out"] = ["apigw:" + gateway]
        if call.sent is not None:
            _bodies.http(span, "request", call.headers.get("content-type"), call.sent.data, call.sent.size)
            if response is not None:
                _bodies.follow(response, span)
        calls.end(span, error)
    except Exception as fault:
        faults.note("http", fault)
