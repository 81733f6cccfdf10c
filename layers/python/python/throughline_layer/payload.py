"""What the function was called with and what it answered, cut and without secrets, as JSON.

The key rules are the extension's (docs/extension.md). It looks at the values, too, and makes names, types and lengths
of everything where `THROUGHLINE_PAYLOADS` is `metadata`.
"""

from . import config

VALUE_MAX = 2048
MEMBERS_MAX = 64
DEPTH_MAX = 8
TEXT_MAX = 32768
NODES_MAX = 2000
EXACT = frozenset("pw pwd pin cvv cvc ssn sid sig auth jwt otp dob iban".split())
CONTAINED = (
    "pass secret token apikey accesskey privatekey credential authorization cookie session signature cardnumber "
    "creditcard securitycode socialsecurity"
).split()
REDACTED = "[redacted]"

_known = {}
_strip = {ord(letter): None for letter in "-_. "}


def text(value):
    """The payload as JSON text; `None` if nothing may leave."""
    if config.payloads() == "off":
        return None
    import json

    left = [NODES_MAX]
    cut = _cut(value, DEPTH_MAX, left)
    encoded = json.dumps(cut, ensure_ascii=False, separators=(",", ":"))
    return encoded if len(encoded) <= TEXT_MAX else encoded[:TEXT_MAX] + "…(+%d bytes)" % (len(encoded) - TEXT_MAX)


def plain(value):
    """A text that is no JSON, as of XML, without the values of elements and pairs whose names are secret."""
    import re

    def element(found):
        return "<%s%s>%s</%s>" % (found[1], found[2], REDACTED, found[1]) if is_secret(found[1]) else found[0]

    def pair(found):
        return found[1] + found[2] + REDACTED if is_secret(found[1]) else found[0]

    value = value[:TEXT_MAX]
    value = re.sub(r"<([\w:.-]{1,64})((?:\s[^<>]*)?)>([^<]*)</\1>", element, value)
    return re.sub(r"""(?<![\w.-])([\w.-]{1,64})(["']?\s*[=:]\s*["']?)([^\s"'&,;<>]+)""", pair, value)


def is_secret(name):
    """Whether what stands under this name is secret."""
    found = _known.get(name)
    if found is None:
        if len(_known) > 4096:
            _known.clear()
        found = _known[name] = _decide(name)
    return found


def _inner(value, depth, left):
    """A text that is JSON itself, as the body of a request is; it stays as it is unless it has a secret."""
    import json

    try:
        known = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return json.dumps(_cut(known, depth - 1, left), ensure_ascii=False, separators=(",", ":")) if _has_secret(known) else value


def _has_secret(value, depth=DEPTH_MAX):
    if depth <= 0:
        return True
    if isinstance(value, dict):
        return any(is_secret(name) or _has_secret(inner, depth - 1) for name, inner in value.items())
    if isinstance(value, list):
        return any(_has_secret(inner, depth - 1) for inner in value)
    # A text in a text is JSON again.
    return isinstance(value, str) and value[:1] in ("{", "[")


def _decide(name):
    plain = name.lower().translate(_strip)
    allowed = {word.translate(_strip) for word in config.words("THROUGHLINE_SCRUB_ALLOW")}
    further = {word.translate(_strip) for word in config.words("THROUGHLINE_SCRUB_KEYS")}
    if plain in allowed:
        return False
    return plain in EXACT or plain in further or any(word in plain for word in CONTAINED)


def _cut(value, depth, left):
    left[0] -= 1
    if value is None or isinstance(value, (bool, int, float)):
        return value if value == value else None
    if isinstance(value, str):
        if value[:1] in ("{", "[") and len(value) <= TEXT_MAX:
            value = _inner(value, depth, left)
        return value if len(value) <= VALUE_MAX else value[:VALUE_MAX] + "…(+%d bytes)" % (len(value) - VALUE_MAX)
    if isinstance(value, (bytes, bytearray)):
        return "(%d bytes)" % len(value)
    if depth == 0 or left[0] <= 0:
        return "…"
    if isinstance(value, dict):
        cut = {}
        for name, inner in list(value.items())[:MEMBERS_MAX]:
            name = str(name)[:256]
            secret = is_secret(name) and not isinstance(inner, (bool, int, float))
            cut[name] = REDACTED if secret and inner is not None else _cut(inner, depth - 1, left)
        return cut
    if isinstance(value, (list, tuple)):
        return [_cut(inner, depth - 1, left) for inner in value[:MEMBERS_MAX]]
    return "(%s)" % type(value).__name__
