"""Correlation keys that have to be worked out. Both ends of a hop must come to the same text, in every language."""

SETS = ("SS", "NS", "BS")


def of_item(item):
    """A digest of a DynamoDB item or key as it is on the wire, `{"id": {"S": "7"}}`: names and sets sorted."""
    if not isinstance(item, dict) or not item:
        return None
    import json
    from hashlib import sha256

    text = json.dumps(_in_order(item), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _in_order(value, kind=None):
    if isinstance(value, dict):
        return {name: _in_order(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        members = [_in_order(inner) for inner in value]
        return sorted(members) if kind in SETS else members
    return value
