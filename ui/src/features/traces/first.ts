import { NANOS_PER_MILLI, type UnixNanos } from '../../base/time';

/** A command that sends one small trace, ready to paste into a shell. */
export function firstTraceCommand(host: string, now: UnixNanos, random: Uint8Array): string {
  const hex = [...random].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  const span = {
    traceId: hex.slice(0, 32),
    spanId: hex.slice(32, 48),
    name: 'hello',
    kind: 2,
    startTimeUnixNano: String(now - 42n * NANOS_PER_MILLI),
    endTimeUnixNano: String(now),
  };
  const service = { key: 'service.name', value: { stringValue: 'by-hand' } };
  const body = {
    resourceSpans: [{ resource: { attributes: [service] }, scopeSpans: [{ spans: [span] }] }],
  };
  return [
    `curl -sS http://${host}:4318/v1/traces \\`,
    `  -H 'content-type: application/json' \\`,
    `  -d '${JSON.stringify(body)}'`,
  ].join('\n');
}
