"""aiohttp's client, and aiobotocore above it."""

from .. import faults, spans
from . import calls


def put_in(module):
    """Follows the one method in which all requests of a session end."""
    calls.wrap(module.ClientSession, "_request", _request)


def _request(original):
    async def _request(self, method, str_or_url, **kwargs):
        if spans.running is None:
            return await original(self, method, str_or_url, **kwargs)
        try:
            leaf = spans.leaf.get()
            own = leaf is not None and not leaf.end
            span = None if own else _begin(self, method, str_or_url)
            _carry(self, span, str_or_url, kwargs)
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
