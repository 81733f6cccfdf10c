"""What is said of an exception."""

import os
import sys

STACK_MAX = 16384
MESSAGE_MAX = 4096


def record(span, error, marks=True):
    """Puts an exception on its span: as an event with its causes and its stack, and where in the function's code.

    `marks` says whether the span failed by it.
    """
    kind, message = _name(error), _text(error)
    if marks:
        span.fail(kind, message)
    said = {"exception.type": kind, "exception.message": message, "exception.stacktrace": stack(error)}
    place = where(error)
    said.update(place)
    if marks:
        span.attributes.update(place)
    causes = chain(error)
    if causes:
        said["exception.causes"] = ["%s: %s" % (_name(cause), _text(cause)[:512]) for cause in causes]
    span.event("exception", said)


def stack(error):
    """As Python prints it, causes first, without the layer's own frame."""
    import traceback

    own = error.__traceback__
    while own is not None and own.tb_next is not None and own.tb_frame.f_code.co_filename == _bootstrap():
        own = own.tb_next
    text = "".join(traceback.format_exception(type(error), error, own))
    return text if len(text) <= STACK_MAX else text[: STACK_MAX // 2] + "\n…\n" + text[-STACK_MAX // 2 :]


def chain(error):
    """What it was raised from, nearest first, at most 8."""
    causes = []
    while len(causes) < 8:
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if error is None or error in causes:
            break
        causes.append(error)
    return causes


def where(error):
    """The innermost frame of the function's own code; else the innermost of all."""
    root = os.environ.get("LAMBDA_TASK_ROOT") or "/var/task"
    found = last = None
    trace = error.__traceback__
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name != _bootstrap():
            last = trace
            if name.startswith(root) and "site-packages" not in name:
                found = trace
        trace = trace.tb_next
    found = found or last
    if found is None:
        return {}
    code = found.tb_frame.f_code
    return {
        "code.file.path": code.co_filename,
        "code.line.number": found.tb_lineno,
        "code.function.name": getattr(code, "co_qualname", code.co_name),
    }


def _bootstrap():
    module = sys.modules.get(__package__ + ".bootstrap")
    return getattr(module, "__getattr__").__code__.co_filename if module else None


def _name(error):
    kind = type(error)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "__main__") else module + "." + kind.__qualname__


def _text(error):
    try:
        return str(error)[:MESSAGE_MAX]
    except Exception:
        return ""
