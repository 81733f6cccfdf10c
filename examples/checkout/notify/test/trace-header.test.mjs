import assert from "node:assert/strict";
import { test } from "node:test";

import { trace } from "@opentelemetry/api";

import { caller } from "../trace-header.mjs";

const ROOT = "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700";
const TRACE_ID = "5bef4de7ad49b0e87f6ef6c87fc2e700";

const cases = [
  ["root and parent", `${ROOT};Parent=9a9197af755a6419;Sampled=0`, TRACE_ID, "9a9197af755a6419"],
  ["any order and case", `Lineage=1:a3f0:4; parent=9A9197AF755A6419;${ROOT}`, TRACE_ID, "9a9197af755a6419"],
  ["root alone still joins the trace", ROOT, TRACE_ID, "7f6ef6c87fc2e700"],
  ["zero parent counts as none", `${ROOT};Parent=0000000000000000`, TRACE_ID, "7f6ef6c87fc2e700"],
  ["no header", "", undefined, undefined],
  ["cut root", "Root=1-5bef4de7-ad49", undefined, undefined],
];

for (const [name, header, traceId, spanId] of cases) {
  test(name, () => {
    const seen = trace.getSpanContext(caller(header));
    assert.deepEqual([seen?.traceId, seen?.spanId], [traceId, spanId]);
  });
}
