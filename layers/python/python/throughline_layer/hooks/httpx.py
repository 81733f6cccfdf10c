"""httpx, whose clients send every request with one method, redirects and all."""

from .. import config, faults, spans
from . import calls


def put_in(module):
    """Follows the client and the asynchronous client."""
    calls.wrap(module.Client, "_send_single_request", _synchronous)
    calls.wrap(module.AsyncClient, "_send_single_request", _asynchronous)
    if config.payloads() in ("on-error", "all"):
        global _bodies
        from . import bodies

        _bodies = bodies
        calls.wrap(module.Response, "read", _read)
        calls.wrap(module.Response, "aread", _aread)


# The module that keeps what is sent and answered, if somebody wants it.
_bodies = None


def _told(response, content):
    span = response.__dict__.pop("_throughline", None)
    if span is not None:
        _bodies.http(span, "response", response.headers.get("content-type"), content)


def _read(original):
    def read(self):
        content = original(self)
        _told(self, content)
        return content

    return read


def _aread(original):
    async def aread(self):
        content = await original(self)
        _told(self, content)
        return content

    return aread


def _begin(request):
    """Opens a span for the request, and puts its context into the headers."""
    if spans.running is None:
        return None
    try:
        url, method = request.url, request.method.upper()
        said = calls.http_attributes(method, url.scheme, url.host, url.port, url.raw_path.decode("latin-1"))
        span = calls.begin(method, spans.CLIENT, said)
        names = {name.lower() for name in request.headers}
        if "traceparent" not in names:
            before = request.headers.get("x-amzn-trace-id", "")
            for name, value in calls.outgoing(span, calls.is_aws(url.host, names), before):
                request.headers[name] = value
        if _bodies is not None:
            _bodies.http(span, "request", request.headers.get("content-type"), getattr(request, "_content", None))
        return span
    except Exception as error:
        faults.note("httpx", error)
        return None


def _end(span, error, response=None):
    if span is not None and response is not None:
        if _bodies is not None:
            response._throughline = span
        calls.done(span, response.status_code)
    elif span is not None:
        calls.end(span, error)


def _synchronous(original):
    def _send_single_request(self, request):
        span = _begin(request)
        try:
            response = original(self, request)
        except BaseException as error:
            _end(span, error)
            calls.hide(error)
            raise
        _end(span, None, response)
        return response

    return _send_single_request


def _asynchronous(original):
    async def _send_single_request(self, request):
        span = _begin(request)
        try:
            response = await original(self, request)
        except BaseException as error:
            _end(span, error)
            calls.hide(error)
            raise
        _end(span, None, response)
        return response

    return _send_single_request
