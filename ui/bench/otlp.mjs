// A trace as a sender would send it: OTLP over HTTP, in JSON.

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];
const STATUS = ['unset', 'ok', 'error'];
const SPANS_A_REQUEST = 2_000;

/**
 * Sends a trace that has the shape of `GET /api/v1/traces/ID`.
 * @param {string} door @param {any} trace
 */
export async function send(door, trace) {
  for (let at = 0; at < trace.spans.length; at += SPANS_A_REQUEST) {
    const part = trace.spans.slice(at, at + SPANS_A_REQUEST);
    const resourceSpans = byResource(part, trace, (/** @type {any[]} */ spans) => ({
      scopeSpans: [{ spans: spans.map((span) => wireSpan(trace.trace_id, span)) }],
    }));
    await post(`${door}/v1/traces`, { resourceSpans });
  }
  const resourceLogs = byResource(trace.logs, trace, (/** @type {any[]} */ logs) => ({
    scopeLogs: [{ logRecords: logs.map(wireLog) }],
  }));
  await post(`${door}/v1/logs`, { resourceLogs });
}

/** @param {string} url @param {unknown} body */
async function post(url, body) {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok)
    throw new Error(`${url} is answered with ${answer.status}: ${await answer.text()}`);
}

/**
 * @param {any[]} items @param {any} trace @param {(items: any[]) => object} wrap
 */
function byResource(items, trace, wrap) {
  return trace.resources.map((/** @type {any} */ resource, /** @type {number} */ at) => ({
    resource: { attributes: wireAttributes(resource.attributes) },
    ...wrap(items.filter((item) => (item.resource ?? resourceOf(item, trace)) === at)),
  }));
}

/** A log record says whose it is by the name of the service. @param {any} log @param {any} trace */
function resourceOf(log, trace) {
  return trace.resources.findIndex(
    (/** @type {any} */ each) => each.attributes['service.name'] === log.service,
  );
}

/** @param {string} traceId @param {any} span */
function wireSpan(traceId, span) {
  const start = BigInt(span.start_unix_nanos);
  return {
    traceId,
    spanId: span.span_id,
    parentSpanId: span.parent_span_id ?? '',
    name: span.name,
    kind: KINDS.indexOf(span.kind),
    startTimeUnixNano: String(start),
    endTimeUnixNano: String(start + BigInt(span.duration_nanos)),
    attributes: wireAttributes(span.attributes),
    status: { code: STATUS.indexOf(span.status), message: span.status_message },
  };
}

/** @param {any} log */
function wireLog(log) {
  return {
    timeUnixNano: log.time_unix_nanos,
    severityNumber: log.severity_number,
    severityText: log.severity_text,
    body: { stringValue: String(log.body) },
    traceId: log.trace_id,
    spanId: log.span_id,
    attributes: wireAttributes(log.attributes),
  };
}

/** @param {Record<string, unknown>} attributes */
function wireAttributes(attributes) {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: wireValue(value) }));
}

/** @param {unknown} value */
function wireValue(value) {
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return { stringValue: String(value) };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
