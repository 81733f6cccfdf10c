"""grpcio's clients, plain and asynchronous: the context travels in the metadata of the call.

The classes that make the calls are followed, below the function's own interceptors: an interceptor of the layer would
be seen in the types and the errors that calls give back. A call that goes on after it was made ends when grpcio says
so, in a thread of its own; what waits for it looks first, so that no span is still open when the handler is done.
"""

import re
from weakref import ref

from .. import faults, spans
from . import calls

TARGET = re.compile(r"(?:(?:dns|ipv4|ipv6|xds|passthrough):(?://[^/]*/)?)?(.*?)(?::(\d+))?$")
# Where the arguments of a call have its metadata.
METADATA = 2


def put_in(module):
    """Follows the calls of one of the two kinds of channels."""
    if module.__name__.startswith("grpc.aio"):
        calls.wrap(module.Channel, "__init__", _remember)
        for kind in ("UnaryUnary", "UnaryStream", "StreamUnary", "StreamStream"):
            calls.wrap(getattr(module, kind + "MultiCallable"), "__call__", lambda original: _made(original, _watch_asynchronous))
        return
    for kind in ("_UnaryUnary", "_StreamUnary"):
        multicallable = getattr(module, kind + "MultiCallable")
        calls.wrap(multicallable, "__call__", lambda original: _made(original, _done))
        calls.wrap(multicallable, "with_call", lambda original: _made(original, _done))
        calls.wrap(multicallable, "future", lambda original: _made(original, _watch))
    for kind in ("_UnaryStream", "_SingleThreadedUnaryStream", "_StreamStream"):
        calls.wrap(getattr(module, kind + "MultiCallable", None), "__call__", lambda original: _made(original, _watch))
    for kind in ("_MultiThreadedRendezvous", "_SingleThreadedRendezvous"):
        for name in ("_next", "result", "exception"):
            calls.wrap(getattr(module, kind, None), name, _waiting)


def _remember(original):
    def __init__(self, target, *args, **kwargs):
        original(self, target, *args, **kwargs)
        self._throughline = target

    return __init__


def _made(original, then):
    """A call is made; `then(span, what it gave)` sees to its end."""

    def call(self, *args, **kwargs):
        span = None
        try:
            span = calls.begin(*_describe(self))
            if span is not None:
                args, kwargs = _carrying(span, args, kwargs)
        except Exception as error:
            faults.note("grpc", error)
        try:
            result = original(self, *args, **kwargs)
        except BaseException as error:
            if span is not None:
                _failed(span, error)
            calls.hide(error)
            raise
        if span is not None:
            try:
                then(span, result)
            except Exception as error:
                faults.note("grpc", error)
        return result

    return call


def _describe(multicallable):
    """The name, the kind and the attributes of a call: the method is `package.Service/Method`."""
    method = _text(multicallable._method).lstrip("/")
    said = {"rpc.system.name": "grpc", "rpc.method": method}
    channel = getattr(multicallable, "_python_channel", None)
    target = getattr(channel, "_throughline", None) if channel is not None else getattr(multicallable, "_target", None)
    if target:
        host, port = TARGET.match(_text(target)).groups()
        said["server.address"] = host
        if port:
            said["server.port"] = int(port)
    return method, spans.CLIENT, said


def _text(value):
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _carrying(span, args, kwargs):
    """The arguments with our metadata, in a copy, unless the function has set its own."""
    given = args[METADATA] if len(args) > METADATA else kwargs.get("metadata")
    pairs = [(name, value) for name, value in given or ()]
    if not any(_text(name).lower() == "traceparent" for name, _ in pairs):
        pairs += calls.outgoing(span, False)
    metadata = type(given)(*pairs) if hasattr(given, "add") else tuple(pairs)
    if len(args) > METADATA:
        return args[:METADATA] + (metadata,) + args[METADATA + 1 :], kwargs
    return args, {**kwargs, "metadata": metadata}


def _end(span, code, details=""):
    """Ends it with the name of a status code."""
    if span.end:
        return
    span.attributes["rpc.response.status_code"] = code
    if code != "OK":
        span.fail(code, _text(details or "")[:2048])
    calls.end(span)


def _done(span, _):
    _end(span, "OK")


def _failed(span, error):
    try:
        if callable(getattr(error, "code", None)):
            _end(span, error.code().name, error.details())
    except Exception as fault:
        faults.note("grpc", fault)
    calls.end(span, error)


def _watch(span, call):
    # Of the call itself the callback must not know: one that the function drops is cancelled, and that at once.
    state = call._state
    call._throughline = span
    if not call.add_callback(lambda: _settle(span, state)):
        _settle(span, state)


def _waiting(original):
    def wait(self, *args, **kwargs):
        try:
            return original(self, *args, **kwargs)
        except BaseException as error:
            calls.hide(error)
            raise
        finally:
            span = getattr(self, "_throughline", None)
            if span is not None:
                _settle(span, self._state)

    return wait


def _settle(span, state):
    """Ends the span if the call has ended. Never raises."""
    try:
        if state.code is not None:
            _end(span, state.code.name, state.details)
    except Exception as error:
        faults.note("grpc", error)


def _watch_asynchronous(span, call):
    inner = getattr(call, "_cython_call", None)
    if inner is None:
        # One with interceptors, which are done first.
        call.add_done_callback(lambda ended: _answered(span, ended))
        return
    weak = ref(call)
    inner.add_done_callback(lambda: _answered(span, weak()))


def _answered(span, call):
    """Ends the span of an asynchronous call that has ended; one that nobody has any more was cancelled."""
    try:
        if call is None:
            _end(span, "CANCELLED")
        else:
            _end(span, _now(call.code()).name, _now(call.details()))
    except Exception as error:
        faults.note("grpc", error)
        calls.end(span)


def _now(coroutine):
    """What a coroutine gives that has nothing to wait for."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value
    finally:
        coroutine.close()
    return None
