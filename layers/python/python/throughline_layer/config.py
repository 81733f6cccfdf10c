"""The variables that the layer obeys. The extension's page has those that both share."""

import os

VARIABLES = {
    "THROUGHLINE_LAYER": "off starts the function as if there were no layer",
    "THROUGHLINE_HOOKS_OFF": "hooks that stay off, with commas between them: http,aws,redis,...",
    "THROUGHLINE_PAYLOADS": "off, metadata, on-error or all: as for the extension",
    "THROUGHLINE_SCRUB_KEYS": "further names whose values are secret",
    "THROUGHLINE_SCRUB_ALLOW": "names whose values are not secret",
    "THROUGHLINE_ATTRIBUTES": "sqs, sns or both: their messages get an attribute that carries the trace",
    "THROUGHLINE_PAYLOAD_CONTEXT": "whose payloads get a member that carries the trace: bus:NAME,stream:NAME,function:NAME",
    "THROUGHLINE_SQLCOMMENTER": "on ends queries with a comment that carries the trace",
    "THROUGHLINE_LOG_IDS": "on puts trace_id and span_id on the records of logging",
    "THROUGHLINE_OTLP_LISTEN": "where the extension listens",
    "OTEL_SERVICE_NAME": "the name of the service; else the function's",
}
PORT = 4318


def words(name):
    text = os.environ.get(name, "")
    return {word.strip().lower() for word in text.split(",") if word.strip()}


def attributes():
    """The services whose messages get an attribute: sqs, sns."""
    return words("THROUGHLINE_ATTRIBUTES")


def payload_context():
    """The destinations whose payloads get a member, as `bus:orders`, `stream:clicks`, `function:pay`."""
    text = os.environ.get("THROUGHLINE_PAYLOAD_CONTEXT", "")
    return {word.strip() for word in text.split(",") if word.strip()}


def sqlcommenter():
    """Whether queries end with a comment."""
    return os.environ.get("THROUGHLINE_SQLCOMMENTER", "").strip().lower() == "on"


def hooks_off():
    """The names of hooks that are switched off."""
    return words("THROUGHLINE_HOOKS_OFF")


def payloads():
    """One of off, metadata, on-error, all."""
    mode = os.environ.get("THROUGHLINE_PAYLOADS", "").strip().lower()
    return mode if mode in ("off", "metadata", "on-error", "all") else "metadata"


def service():
    """The name of the service."""
    return os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or "function"


def address():
    """Host and port where the extension takes spans: always this machine's loopback."""
    listen = os.environ.get("THROUGHLINE_OTLP_LISTEN") or _loopback(os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", ""))
    port = (listen or "").rpartition(":")[2]
    return "127.0.0.1", int(port) if port.isdigit() else PORT


def _loopback(endpoint):
    """`host:port` of an endpoint on loopback; what is elsewhere is the extension's affair."""
    scheme, _, rest = endpoint.partition("://")
    host = rest.split("/", 1)[0]
    name = host.rpartition(":")[0]
    return host if scheme == "http" and name in ("127.0.0.1", "localhost") else None
