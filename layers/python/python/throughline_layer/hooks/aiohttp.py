"""aiohttp's client, and aiobotocore above it."""

from .. import config, faults, spans
from . import calls


def put_in(module):
    """Follows the one method in which all requests of a session end."""
    calls.wrap(module.ClientSession, "_request", _request)
    if config.payloads() in ("on-error", "all"):
        global _bodies, _answers
        from weakref import WeakKeyDictionary

        from . import bodies

        _bodies, _answers = bodies, WeakKeyDictionary()
        calls.wrap(module.ClientResponse, "read", _read)


# The module that keeps what is sent and answered, if somebody wants it, and the spans of answers that were not read.
_bodies = _answers = None


def _read(original):
    async def read(self):
        content = await original(self)
        span = _answers.pop(self, None)
        if span is not None:
            _bodies.http(span, "response", self.headers.get("content-type"), content)
        return content

    return read


def _sends(span, kwargs):
    body, headers = kwargs.get("json"), {name.lower(): value for name, value in (kwargs.get("headers") or {}).items()}
    kind = headers.get("content-type")
    if body is None:
        body = kwargs.get("data")
        kind = kind or ("application/x-www-form-urlencoded" if isinstance(body, dict) else "text/plain")
    if isinstance(body, (str, bytes, bytearray, dict, list)):
        _bodies.http(span, "request", kind, body)


def _request(original):
    async def _request(self, method, str_or_url, **kwargs):
        if spans.running is None:
            return await original(self, method, str_or_url, **kwargs)
        try:
            leaf = spans.leaf.get()
            own = leaf is not None and not leaf.end
            span = None if own else _begin(self, method, str_or_url)
            _carry(self, span, str_or_url, kwargs)
            if _bodies is not None and span is not None:
                _sends(span, kwargs)
        except Exception as error:
            faults.note("aiohttp", error)
            span = None
        if span is None:
            return await original(self, method, str_or_url, **kwargs)
        try:
            response = await original(self, method, str_or_url, **kwargs)
        except BaseException as error:
            calls.end(span, error)
            calls.hide(error)
            raise
        if _bodies is not None:
            _answers[response] = span
        calls.done(span, response.status)
        return response

    return _request


def _url(session, str_or_url):
    build = getattr(session, "_build_url", None)
    if build is not None:
        return build(str_or_url)
    from yarl import URL

    return URL(str_or_url)


def _begin(session, method, str_or_url):
    url = _url(session, str_or_url)
    said = calls.http_attributes(str(method).upper(), url.scheme, url.host or "", url.port, url.raw_path_qs)
    return calls.begin(str(method).upper(), spans.CLIENT, said)


def _carry(session, span, str_or_url, kwargs):
    from multidict import CIMultiDict

    headers = CIMultiDict(kwargs.get("headers") or {})
    names = {name.lower() for name in headers}
    if "traceparent" in names:
        return
    host = _url(session, str_or_url).host or ""
    for name, value in calls.outgoing(span, calls.is_aws(host, names), headers.get("X-Amzn-Trace-Id", "")):
        headers[name] = value
    kwargs["headers"] = headers
