"""The managed services that a record came through, oldest first: `KIND:NAME@EPOCH_MS#KEY`, with `>` between them.

Kinds are api, queue, topic, bus, stream, table, bucket, schedule, workflow, broker and balancer. What a record does not
tell is left out.
"""

NAME_MAX = 256
KEY_MAX = 1024
_marks = {ord(mark): "_" for mark in ">@#"}


def hop(kind, name, time=None, key=None):
    """One service; `time` is when it accepted the record, in any unit that events have, `key` what both sides know."""
    said = "%s:%s" % (kind, ("" if name is None else str(name)).translate(_marks)[:NAME_MAX])
    at = millis(time)
    if at is not None:
        said += "@%d" % at
    if key and len(key) <= KEY_MAX and ">" not in key:
        said += "#" + key
    return said


def key_of(kind, *values):
    """`kind:value`, if all parts of the value are known."""
    return kind + ":" + "/".join(map(str, values)) if all(value not in (None, "") for value in values) else None


def came_again(attributes, times, key):
    """Adds `TIMES#KEY` of a record that was received before to what is said; nothing of one that comes first."""
    known = int(times) if isinstance(times, str) and times.isascii() and times.isdigit() and len(times) < 10 else 0
    if known > 1 and key:
        attributes.setdefault("throughline.in.again", []).append("%d#%s" % (known, key))


def millis(time):
    """Milliseconds since 1970 out of a number of seconds, milliseconds or microseconds, or a date."""
    if isinstance(time, str):
        if time[4:5] == "-" and time[10:11] == "T":
            try:
                return _of_date(time)
            except (ValueError, IndexError):
                return None
        try:
            time = float(time) if time[:1].isdigit() else 0
        except ValueError:
            return None
    if isinstance(time, bool) or not isinstance(time, (int, float)) or not 0 < time < 1e17:
        return None
    return int((time * 1000 if time < 1e11 else time if time < 1e14 else time / 1000) + 0.5)


def _of_date(text):
    """`2026-11-21T10:00:00.123Z`, or with an offset: arithmetic, because `datetime` takes a millisecond to import."""
    days = _days(int(text[:4]), int(text[5:7]), int(text[8:10]))
    seconds = (days * 24 + int(text[11:13])) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
    rest, fraction = text[19:], ""
    if rest[0] == ".":
        digits = len(rest) - len(rest[1:].lstrip("0123456789"))
        fraction, rest = rest[1:digits], rest[digits:]
    if rest != "Z":
        ahead = int(rest[1:3]) * 3600 + int(rest[-2:]) * 60
        seconds += ahead if rest[0] == "-" else -ahead
    return seconds * 1000 + int((fraction + "000")[:3])


def _days(year, month, day):
    """Since 1970-01-01, for years that begin in March."""
    year -= month <= 2
    in_year = (153 * (month + (-3 if month > 2 else 9)) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + in_year - 719468
