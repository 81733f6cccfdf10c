"""The trace that this invocation belongs to, from `X-Amzn-Trace-Id`.

`Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1`: trace id and span id of OpenTelemetry, in another spelling.
`Sampled` is about AWS's own tracing and is not obeyed.
"""

import os
import re

from opentelemetry.context import Context
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

_ROOT = re.compile(r"(?:^|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|$)", re.IGNORECASE)
_PARENT = re.compile(r"(?:^|;)\s*Parent=([0-9a-f]{16})(?:;|$)", re.IGNORECASE)


def caller_from_environment():
    """The caller of the running invocation: the runtime keeps the header in this variable."""
    return caller(os.environ.get("_X_AMZN_TRACE_ID", ""))


def caller(header):
    """An OpenTelemetry context whose current span is the one that `header` names; empty if it names none."""
    root = _ROOT.search(header)
    trace_id = int("".join(root.groups()), 16) if root else 0
    if not trace_id:
        return Context()
    parent = _PARENT.search(header)
    # Without active tracing Lambda may send Root alone. OpenTelemetry joins a trace only below a parent, so the
    # second half of the trace id stands in for one.
    span_id = (int(parent.group(1), 16) if parent else 0) or trace_id & 0xFFFF_FFFF_FFFF_FFFF
    remote = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(remote), Context())
