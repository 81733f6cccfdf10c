"""What calls send and are answered, where `THROUGHLINE_PAYLOADS` is `on-error` or `all`; otherwise nothing here is loaded.

Names that are secret have no values, texts are cut, and an invocation has room for so much. The extension looks at
values, decides what leaves, and cuts further.
"""

from .. import config, faults, payload

TEXT_MAX = 8192
# Of an invocation, in characters. The extension lets less leave.
ROOM = 98304
# More of a body is not kept, and JSON of which not all was kept is not shown.
BYTES_MAX = 32768
WITHHELD = "[withheld]"
# What is asked of these is secret, or answers with secrets.
SECRET = frozenset(("secretsmanager", "kms", "sts", "cognito-idp", "cognito-identity", "sso", "sso-oidc"))


def wanted():
    """Whether bodies are looked at."""
    return config.payloads() in ("on-error", "all")


def operation(span, direction, service, name, value):
    """What an operation of AWS sends (`request`) or is answered (`response`)."""
    try:
        if service in SECRET or (service == "ssm" and name.startswith("GetParameter")):
            _put(span, "rpc." + direction + ".body", WITHHELD)
        elif value:
            shown = {key: inner for key, inner in value.items() if key != "ResponseMetadata"}
            _put(span, "rpc." + direction + ".body", payload.text(shown))
    except Exception as error:
        faults.note("bodies", error)


def http(span, direction, kind, data, size=None, encoding=None):
    """A body over HTTP: `kind` is its content type, `data` bytes, text or what becomes JSON, `size` all of it in bytes."""
    try:
        if span is not None and data:
            _put(span, "http." + direction + ".body", shown(kind, data, size, encoding))
    except Exception as error:
        faults.note("bodies", error)


def shown(kind, data, size=None, encoding=None):
    """The body as text; binary ones, and JSON that was cut, are told by their size."""
    kind = (kind or "").partition(";")[0].strip().lower()
    if not isinstance(data, (str, bytes, bytearray)):
        return payload.text(data)
    size = size or len(data)
    if encoding and encoding.lower() != "identity":
        data = _unpacked(encoding.lower(), data)
        if data is None:
            return "(%d bytes)" % size
    if isinstance(data, (bytes, bytearray)):
        if size > BYTES_MAX or not is_text(kind):
            return "(%d bytes)" % size
        data = data.decode("utf-8", "replace")
    if kind.endswith("json") or (not kind and data[:1] in ("{", "[")):
        import json

        try:
            return payload.text(json.loads(data))
        except ValueError:
            # It is called JSON and is none, as what a function answers with a plain text is.
            return payload.plain(data)
    if kind == "application/x-www-form-urlencoded":
        from urllib.parse import parse_qsl

        return payload.text(dict(parse_qsl(data, keep_blank_values=True)))
    return payload.plain(data)


def is_text(kind):
    """Whether a body of this type is a text."""
    return kind.startswith("text/") or kind.endswith(("json", "xml", "x-www-form-urlencoded", "graphql", "javascript", "yaml")) or not kind


def _unpacked(encoding, data):
    """What was packed, if the module for it is there already; `None` if not, or if there is too much of it."""
    import sys

    if encoding not in ("gzip", "deflate") or "zlib" not in sys.modules or len(data) > BYTES_MAX:
        return None
    unpack = sys.modules["zlib"].decompressobj(47)
    text = unpack.decompress(bytes(data), BYTES_MAX)
    return None if unpack.unconsumed_tail else text


def _put(span, name, text):
    owner = span.owner
    if text is None or owner.sent:
        return
    if len(text) > TEXT_MAX:
        text = text[:TEXT_MAX] + "…(+%d bytes)" % len(text[TEXT_MAX:].encode("utf-8", "replace"))
    if owner.bodies + len(text) > ROOM:
        text = "…"
    owner.bodies += len(text)
    span.attributes[name] = text


class Kept:
    """The beginning of a body that comes in pieces."""

    __slots__ = ("data", "size")

    def __init__(self):
        self.data = bytearray()
        self.size = 0

    def add(self, piece):
        """One more piece: bytes, or text, or something else that only counts."""
        if isinstance(piece, str):
            piece = piece.encode("utf-8", "replace")
        if isinstance(piece, (bytes, bytearray, memoryview)):
            self.size += len(piece)
            room = BYTES_MAX - len(self.data)
            if room > 0:
                self.data += piece[:room]


def follow(response, span):
    """Keeps what is read of an answer of `http.client`, and tells it when all was read."""
    kept, inside, told = Kept(), [], []

    def tell():
        headers = response.headers
        kind, encoding = headers.get("content-type"), headers.get("content-encoding")
        http(span, "response", kind, kept.data, kept.size, encoding)

    def followed(original):
        def read(*args, **kwargs):
            if inside:
                # One way of reading is made of another.
                return original(*args, **kwargs)
            inside.append(True)
            try:
                got = original(*args, **kwargs)
            finally:
                inside.pop()
            try:
                kept.add(memoryview(args[0])[:got] if isinstance(got, int) else got)
                if response.isclosed() and not told:
                    told.append(True)
                    tell()
            except Exception as error:
                faults.note("bodies", error)
            return got

        return read

    for name in ("read", "read1", "readinto", "readline"):
        setattr(response, name, followed(getattr(response, name)))
