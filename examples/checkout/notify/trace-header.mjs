/**
 * The trace that this invocation belongs to, from `X-Amzn-Trace-Id`.
 *
 * `Root=1-<8 hex>-<24 hex>;Parent=<16 hex>;Sampled=0|1`: trace id and span id of OpenTelemetry, in another spelling.
 * `Sampled` is about AWS's own tracing and is not obeyed.
 */
import { ROOT_CONTEXT, trace, TraceFlags } from "@opentelemetry/api";

/** The caller of the running invocation: the runtime keeps the header in this variable. */
export function callerFromEnvironment() {
  return caller(process.env._X_AMZN_TRACE_ID ?? "");
}

/** An OpenTelemetry context whose current span is the one that `header` names; empty if it names none. */
export function caller(header) {
  const fields = new Map(header.split(";").map((field) => splitOnce(field.trim())));
  const root = /^1-([0-9a-f]{8})-([0-9a-f]{24})$/i.exec(fields.get("root") ?? "");
  if (!root) {
    return ROOT_CONTEXT;
  }
  const traceId = (root[1] + root[2]).toLowerCase();
  const remote = { traceId, spanId: parentOf(fields, traceId), traceFlags: TraceFlags.SAMPLED, isRemote: true };
  return trace.setSpanContext(ROOT_CONTEXT, remote);
}

/**
 * Without active tracing Lambda may send Root alone. OpenTelemetry joins a trace only below a parent, so the second
 * half of the trace id stands in for one.
 */
function parentOf(fields, traceId) {
  const parent = (fields.get("parent") ?? "").toLowerCase();
  return /^(?!0{16})[0-9a-f]{16}$/.test(parent) ? parent : traceId.slice(16);
}

function splitOnce(field) {
  const at = field.indexOf("=");
  return [field.slice(0, at).toLowerCase(), field.slice(at + 1)];
}
