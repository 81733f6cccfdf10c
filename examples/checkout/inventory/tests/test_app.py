import unittest
from types import SimpleNamespace
from unittest import mock

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import app
import stock
import telemetry

HEADER = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Parent=9a9197af755a6419;Sampled=0"
CONTEXT = SimpleNamespace(aws_request_id="79104EXAMPLEB723")


class Handler(unittest.TestCase):
    def setUp(self):
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.flushed = mock.Mock()
        for patch in (
            mock.patch.object(telemetry, "tracer", provider.get_tracer("test")),
            mock.patch.object(telemetry, "flush", self.flushed),
            mock.patch.object(stock, "USUAL_SECONDS", 0),
            mock.patch.dict("os.environ", {"_X_AMZN_TRACE_ID": HEADER}),
        ):
            patch.start()
            self.addCleanup(patch.stop)

    def invoke(self, **changes):
        return app.handler({"order": 7, "sku": "kettle-1l", "quantity": 2} | changes, CONTEXT)

    def span(self, name):
        return next(span for span in self.exporter.get_finished_spans() if span.name == name)

    def test_reserves_within_the_callers_trace(self):
        self.assertEqual(self.invoke(), {"reservation": "kettle-1l-000007", "left": 10})
        span = self.span("reserve items")
        self.assertEqual(f"{span.context.trace_id:032x}", "5bef4de7ad49b0e87f6ef6c87fc2e700")
        self.assertEqual(f"{span.parent.span_id:016x}", "9a9197af755a6419")
        self.assertEqual(self.span("count stock").parent.span_id, span.context.span_id)
        self.flushed.assert_called_once_with()

    def test_empty_shelf_is_an_error_with_its_traceback(self):
        with self.assertRaisesRegex(stock.OutOfStock, "kettle-1l: 2 wanted, 0 left"):
            self.invoke(fail=True)
        span = self.span("reserve items")
        self.assertFalse(span.status.is_ok)
        exception = span.events[0].attributes
        self.assertEqual(exception["exception.type"], "stock.OutOfStock")
        self.assertIn("in reserve\n", exception["exception.stacktrace"])
        self.flushed.assert_called_once_with()
