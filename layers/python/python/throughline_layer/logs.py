"""Ids in log records, where the function's owner wants to see them: `THROUGHLINE_LOG_IDS=on`.

Without it nothing is done to logging. The runtime writes the request id on every line that comes through `logging`,
by which the extension joins it; further fields would be seen by whoever reads the log.
"""

import os

from . import spans


def install():
    """Puts `trace_id` and `span_id` on every record: in JSON lines they become fields, for text a formatter may use them."""
    if os.environ.get("THROUGHLINE_LOG_IDS", "").lower() not in ("on", "1", "true"):
        return
    import logging

    make = logging.getLogRecordFactory()

    def record(*args, **kwargs):
        made = make(*args, **kwargs)
        span = spans.current()
        if span is not None and span.trace:
            made.trace_id, made.span_id = span.trace, span.id
        return made

    logging.setLogRecordFactory(record)
