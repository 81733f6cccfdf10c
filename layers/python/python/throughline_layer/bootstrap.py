"""What the runtime loads as the handler; finds the function's own as the runtime would, and goes around it.

The name of this file matters: the runtime leaves frames of files named `bootstrap.py` out of the stack traces that
it reports, its own and so these. An error has the same text with and without the layer.
"""

import os
import sys

from . import faults

OFF = ("off", "0", "false")


def __getattr__(name):
    # The runtime imports this module, then asks for the handler. An error of the function's import must be raised
    # here and not by the import of this module, where the runtime would take it for an import error of ours.
    if name != "handler":
        raise AttributeError("module %r has no attribute %r" % (__name__, name))
    caller = sys._getframe(1).f_globals
    original = os.environ.pop("THROUGHLINE_HANDLER", "")
    if not original:
        raise AttributeError("THROUGHLINE_HANDLER does not name the function's handler")
    os.environ["_HANDLER"] = original
    sys.argv[1:] = [original if word == __name__ + ".handler" else word for word in sys.argv[1:]]
    load = caller.get("_get_handler") or _load
    invocation = _start()
    try:
        handler = load(original)
    except AttributeError as error:
        # The runtime would say that our handler is missing. It looks at the name, the text and the stack.
        raise _named_alike(error).with_traceback(error.__traceback__)
    return handler if invocation is None else _around(handler, invocation)


def _start():
    """What goes around the handler; `None` if the layer is switched off or cannot be started."""
    if os.environ.get("THROUGHLINE_LAYER", "").lower() in OFF:
        return None
    try:
        from . import imports, invocation, logs

        imports.install()
        logs.install()
        return invocation
    except Exception as error:
        faults.note("start", error)
        return None


def _around(handler, invocation):
    begin, end = invocation.begin, invocation.end

    def throughline_handler(event, context):
        running = begin(event, context)
        if running is None:
            return handler(event, context)
        try:
            result = handler(event, context)
        except BaseException as error:
            _forget_own_frames(error)
            end(running, None, error)
            raise
        end(running, result, None)
        return result

    return throughline_handler


def _forget_own_frames(error):
    """Takes the frames of hooks out of a stack trace, which the runtime then reports as if they were not there."""
    own = __file__.rpartition("/")[0] + "/hooks/"
    entry = error.__traceback__
    while entry is not None:
        after = entry.tb_next
        while after is not None and after.tb_frame.f_code.co_filename.startswith(own):
            after = entry.tb_next = after.tb_next
        entry = after


def _named_alike(error):
    kind = type(type(error).__name__, (Exception,), {"__str__": lambda self: str(error)})
    return kind()


def _load(handler):
    """As the runtime does; for one that does not lend its own."""
    from importlib import import_module

    module, name = handler.rsplit(".", 1)
    return getattr(import_module(module.replace("/", ".")), name)
