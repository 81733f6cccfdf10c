"""What went wrong in the layer: counted by place, and each place said once."""

import sys

counts = {}
PLACES_MAX = 64


def note(place, error, aloud=True):
    """Never raises. What comes of odd events is counted only."""
    try:
        known = counts.get(place, 0)
        if known or len(counts) < PLACES_MAX:
            counts[place] = known + 1
        if aloud and not known:
            text = "throughline: %s failed and is left out: %s: %s\n"
            sys.stderr.write(text % (place, type(error).__name__, error))
    except Exception:
        pass
