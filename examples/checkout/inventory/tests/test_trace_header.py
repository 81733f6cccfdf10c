import unittest

from opentelemetry.trace import get_current_span

from trace_header import caller

ROOT = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700"


class Caller(unittest.TestCase):
    def check(self, header, trace_id, span_id):
        seen = get_current_span(caller(header)).get_span_context()
        self.assertEqual((f"{seen.trace_id:032x}", f"{seen.span_id:016x}"), (trace_id, span_id), header)
        self.assertEqual(seen.is_valid, seen.trace_flags.sampled, "what has a trace is recorded")

    def test_root_and_parent(self):
        for rest in ("Parent=9a9197af755a6419;Sampled=0", "Sampled=1;Lineage=1:a3f0:4; Parent=9A9197AF755A6419"):
            self.check(f"{ROOT};{rest}", "5bef4de7ad49b0e87f6ef6c87fc2e700", "9a9197af755a6419")

    def test_root_alone_still_joins_the_trace(self):
        for rest in ("", ";Sampled=0", ";Parent=0000000000000000", ";Parent=9a91"):
            self.check(ROOT + rest, "5bef4de7ad49b0e87f6ef6c87fc2e700", "7f6ef6c87fc2e700")

    def test_unreadable_header_starts_a_trace_of_its_own(self):
        for header in ("", "Root=", "Root=1-00000000-000000000000000000000000", "Root=1-5bef4de7-ad49", "Parent=9a9197af755a6419"):
            self.check(header, "0" * 32, "0" * 16)
