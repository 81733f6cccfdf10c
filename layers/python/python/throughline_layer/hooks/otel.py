"""OpenTelemetry's API: code written against it makes our spans.

Nothing is set globally. Only what the API falls back to while nobody has set a provider is ours, so that an SDK that
the function brings takes over as ever, without a word of warning.
"""

import sys
from contextlib import contextmanager

from .. import faults, invocation, spans
from . import calls

KINDS = {"INTERNAL": 1, "SERVER": 2, "CLIENT": 3, "PRODUCER": 4, "CONSUMER": 5}
ATTRIBUTES_MAX = 128


def put_in(module):
    """`module` is `opentelemetry.trace`, which the function has imported."""
    api = _Api(module)
    module._PROXY_TRACER_PROVIDER = api.provider
    spans.outer = api.current
    invocation.entered = api.enter
    invocation.left = api.leave
    if spans.running is not None:
        api.enter(spans.running)


class _Remote:
    """A span of another SDK: all that is known are its ids."""

    __slots__ = ("trace", "id", "end")

    def __init__(self, trace, span):
        self.trace = trace
        self.id = span
        self.end = 0


def plain(value):
    """An attribute's value, with sequences as lists."""
    if isinstance(value, (str, bool, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [plain(one) for one in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)


class _Api:
    """The classes of the API with ours derived from them, made when the API is there."""

    def __init__(self, trace):
        self.trace = trace
        self.context = sys.modules["opentelemetry.context"]
        api = self

        class Span(trace.Span):
            """A span of ours, as the API sees it."""

            def __init__(self, record):
                self.record = record
                flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
                self._context = trace.SpanContext(int(record.trace or "0", 16), int(record.id, 16), False, flags)

            def get_span_context(self):
                return self._context

            def is_recording(self):
                return not self.record.end

            def set_attribute(self, key, value):
                said = self.record.attributes
                if value is not None and not self.record.end and (key in said or len(said) < ATTRIBUTES_MAX):
                    said[str(key)] = plain(value)

            def set_attributes(self, attributes):
                for key, value in dict(attributes).items():
                    self.set_attribute(key, value)

            def add_event(self, name, attributes=None, timestamp=None):
                if not self.record.end:
                    said = {str(key): plain(value) for key, value in dict(attributes or {}).items()}
                    self.record.event(name, said, timestamp)

            def add_link(self, context, attributes=None):
                found = api.link(context, attributes)
                if found and not self.record.end:
                    self.record.links = (self.record.links or []) + [found]

            def update_name(self, name):
                if not self.record.end:
                    self.record.name = name

            def set_status(self, status, description=None):
                if self.record.end:
                    return
                code = getattr(status, "status_code", status)
                text = getattr(status, "description", None) or description
                if self.record.status != 1 and code.name != "UNSET":
                    self.record.status = 1 if code.name == "OK" else 2
                    self.record.message = text or "" if self.record.status == 2 else ""

            def record_exception(self, exception, attributes=None, timestamp=None, escaped=False):
                if self.record.end:
                    return
                from .. import failure

                failure.record(self.record, exception, marks=False)
                if attributes:
                    self.record.events[-1][2].update({key: plain(value) for key, value in dict(attributes).items()})

            def end(self, end_time=None):
                calls.end(self.record)
                if end_time and self.record.end:
                    self.record.end = end_time

            def __exit__(self, exc_type, exc_val, exc_tb):
                if exc_val is not None and self.is_recording():
                    self.record_exception(exc_val)
                    self.record.fail(type(exc_val).__qualname__, spans.words(exc_val))
                self.end()

        class Tracer(trace.Tracer):
            """Starts spans of ours; outside of an invocation, spans that are none."""

            def __init__(self, name, version):
                self.scope = (name, version or "")

            def start_span(
                self,
                name,
                context=None,
                kind=None,
                attributes=None,
                links=None,
                start_time=None,
                record_exception=True,
                set_status_on_exception=True,
            ):
                try:
                    return api.start(self.scope, name, context, kind, attributes, links, start_time)
                except Exception as error:
                    faults.note("opentelemetry", error)
                    return trace.INVALID_SPAN

            @contextmanager
            def start_as_current_span(
                self,
                name,
                context=None,
                kind=None,
                attributes=None,
                links=None,
                start_time=None,
                record_exception=True,
                set_status_on_exception=True,
                end_on_exit=True,
            ):
                span = self.start_span(name, context, kind, attributes, links, start_time)
                settings = dict(record_exception=record_exception, set_status_on_exception=set_status_on_exception)
                with trace.use_span(span, end_on_exit=end_on_exit, **settings):
                    yield span

        class Provider(trace.ProxyTracerProvider):
            """What the API falls back to. Tracers that were taken early move to an SDK that comes later."""

            def get_tracer(self, instrumenting_module_name, instrumenting_library_version=None, *args, **kwargs):
                given = trace._TRACER_PROVIDER
                if given:
                    return given.get_tracer(instrumenting_module_name, instrumenting_library_version, *args, **kwargs)
                proxy = trace.ProxyTracer(instrumenting_module_name, instrumenting_library_version, *args, **kwargs)
                proxy._noop_tracer = Tracer(instrumenting_module_name, instrumenting_library_version)
                return proxy

        self.span = Span
        self.provider = Provider()

    def start(self, scope, name, context, kind, attributes, links, start_time):
        """A span below the one in the context, or the current one."""
        leaf = spans.leaf.get()
        parent = None
        if context is not None or leaf is None or leaf.end:
            parent = self.record(self.trace.get_current_span(context))
        said = {str(key): plain(value) for key, value in dict(attributes or {}).items()}
        record = spans.start(name, KINDS.get(getattr(kind, "name", ""), 1), said, parent)
        if record is None:
            return self.trace.INVALID_SPAN
        record.scope = scope
        if start_time:
            record.start = start_time
        record.links = [found for found in (self.link(link.context, link.attributes) for link in links or ()) if found]
        return self.span(record)

    def record(self, span):
        """What we know of a span of the API."""
        if isinstance(span, self.span):
            return span.record
        context = span.get_span_context()
        return _Remote("%032x" % context.trace_id, "%016x" % context.span_id) if context.is_valid else None

    def link(self, context, attributes):
        """A link to another span."""
        if context is None or not context.is_valid:
            return None
        said = {str(key): plain(value) for key, value in dict(attributes or {}).items()}
        return "%032x" % context.trace_id, "%016x" % context.span_id, said

    def current(self):
        """The span that the function's code made current."""
        try:
            return self.record(self.trace.get_current_span())
        except Exception as error:
            faults.note("opentelemetry", error)
            return None

    def enter(self, owner):
        """Makes the invocation's span the current one for the API."""
        owner.token = self.context.attach(self.trace.set_span_in_context(self.span(owner.span)))

    def leave(self, owner):
        """The invocation is over."""
        if owner.token is not None:
            self.context.detach(owner.token)
            owner.token = None
