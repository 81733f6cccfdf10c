"""Tells of an invocation that is about to be ended by Lambda, so that what was open is not lost with it.

A thread sleeps for as long as the function's timeout at most: an event that comes meanwhile has at least as long, so
the thread wakes early enough and no invocation has to wake it.
"""

from _thread import start_new_thread
from time import sleep, time_ns

from . import faults, spans

MILLISECOND = 1_000_000
MARGIN_MAX = 100 * MILLISECOND
MARGIN_MIN = 20 * MILLISECOND
SLEEP_MIN = 2 * MILLISECOND

_total = 0
_watching = False


def arm(tell):
    """An invocation began. `tell(owner)` sends what is open shortly before its end."""
    global _total, _watching
    owner = spans.running
    total = owner.deadline - owner.span.start
    _total = min(_total, total) if _total else total
    if not _watching:
        _watching = True
        start_new_thread(_watch, (tell,))


def forked():
    """In a new process: the thread is the parent's."""
    global _watching
    _watching = False


def margin(total):
    """How long before its end an invocation is told of, nanoseconds."""
    return max(MARGIN_MIN, min(MARGIN_MAX, total // 20))


def _watch(tell):
    while True:
        owner = spans.running
        left = _total - margin(_total)
        if owner is not None and owner.deadline and not owner.unfinished:
            total = owner.deadline - owner.span.start
            left = min(left, owner.deadline - margin(total) - time_ns())
            if left <= 0:
                try:
                    tell(owner)
                except Exception as error:
                    owner.unfinished = True
                    faults.note("timeout", error)
                continue
        sleep(max(left, SLEEP_MIN) / 1e9)
