"""Correlation keys that have to be worked out. Both ends of a hop must come to the same text, in every language."""

SETS = ("SS", "NS", "BS")
# A detail beyond this is not looked into. One KiB takes 0.04 ms to parse and digest; ten of this size, as many as a
# `PutEvents` can have, 5 ms.
DETAIL_MAX = 16384
# Whole numbers below this are the same in every language.
EXACT_MAX = 1 << 53


def of_item(item):
    """A digest of a DynamoDB item or key as it is on the wire, `{"id": {"S": "7"}}`: names and sets sorted."""
    if not isinstance(item, dict) or not item:
        return None
    return _digest(item)


def of_event(source, kind, detail):
    """A digest of what an event says, by which its replay is known; `None` of one that cannot be read."""
    if not source or not kind or detail is None:
        return None
    try:
        return _digest([source, kind, detail])
    except RecursionError:
        return None


def of_entry(entry):
    """The same of an entry of `PutEvents`, whose detail is a text."""
    detail = entry.get("Detail")
    if not isinstance(detail, str) or len(detail) > DETAIL_MAX:
        return None
    import json

    try:
        detail = json.loads(detail)
    except (ValueError, RecursionError):
        return None
    return of_event(entry.get("Source"), entry.get("DetailType"), detail)


def _digest(value):
    from hashlib import sha256

    return sha256(_text(_in_order(value)).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _text(value):
    import json

    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _in_order(value, kind=None):
    if isinstance(value, dict):
        return {name: _in_order(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        members = [_in_order(inner) for inner in value]
        # By their JSON, as in the other languages: a quotation mark comes after a space.
        return sorted(members, key=_text) if kind in SETS else members
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        # Whoever passes an event on writes a number anew; only whole ones that a double holds come out the same.
        return int(value) if abs(value) < EXACT_MAX and value == int(value) else "~"
    return value
