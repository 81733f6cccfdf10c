"""OpenTelemetry for this function.

Endpoint and service name come from OTEL_EXPORTER_OTLP_ENDPOINT and OTEL_SERVICE_NAME.
"""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

# The collector is on loopback: what takes longer than this will not come.
EXPORT_TIMEOUT_SECONDS = 2

_provider = TracerProvider()
_provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=EXPORT_TIMEOUT_SECONDS)))
trace.set_tracer_provider(_provider)

tracer = trace.get_tracer("inventory")


def flush():
    """Hands every finished span over. Lambda may freeze this process as soon as it has answered."""
    _provider.force_flush(EXPORT_TIMEOUT_SECONDS * 1000)
