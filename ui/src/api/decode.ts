import {
  parseDurationNanos,
  parseUnixNanos,
  type DurationNanos,
  type UnixNanos,
} from '../base/time';
import type {
  Attributes,
  Found,
  Known,
  Log,
  LogPage,
  Service,
  Span,
  Trace,
  TracePage,
  TraceSummary,
} from './model';
import { textOf } from './line';
import type {
  WireAttributeList,
  WireLog,
  WireLogPage,
  WireServiceList,
  WireSpan,
  WireSpanPage,
  WireTrace,
  WireTraceList,
  WireTraceSummary,
  WireValueList,
} from './wire';

/** The server sent a time that is no time: page and server do not fit together. */
export class Malformed extends Error {}

export function decodeTracePage(wire: WireTraceList): TracePage {
  return {
    traces: wire.traces.map(decodeSummary),
    total: wire.total,
    truncated: wire.truncated,
    nextCursor: wire.next_cursor ?? null,
  };
}

export function decodeTrace(wire: WireTrace): Trace {
  const resources = wire.resources.map((resource) => resource.attributes);
  return {
    ...decodeSummary(wire),
    traceIds: wire.trace_ids ?? [wire.trace_id],
    cost: wire.cost && wire.cost.reported + wire.cost.missing > 0 ? wire.cost : null,
    partial: (wire.left_out?.trace_count ?? 0) > 0 || wire.left_out?.partial === true,
    spans: wire.spans.map((span) => decodeSpan(span, resources)),
    logs: wire.logs.map(decodeLog),
  };
}

export function decodeServices(wire: WireServiceList): readonly Service[] {
  return wire.services.map((service) => ({
    name: service.name,
    spanCount: service.span_count,
    errorCount: service.error_count,
    operations: service.operations,
    lastSeen: unixNanos(service.last_seen_unix_nanos, 'last_seen_unix_nanos'),
  }));
}

export function decodeLogPage(wire: WireLogPage): LogPage {
  return {
    logs: wire.logs.map(decodeLog),
    total: wire.total,
    truncated: wire.truncated,
    nextCursor: wire.next_cursor,
  };
}

export function decodeFound(wire: WireSpanPage | WireLogPage): readonly Found[] {
  if ('spans' in wire) {
    return wire.spans.map((span) => ({
      time: unixNanos(span.start_unix_nanos, 'start_unix_nanos'),
      traceId: span.trace_id,
      spanId: span.span_id,
      service: span.service,
      text: span.name,
      duration: signedNanos(span.duration_nanos, 'duration_nanos'),
      failed: span.status === 'error',
      attributes: span.attributes,
      resource: span.resource.attributes,
      scope: span.scope,
    }));
  }
  return wire.logs.map(decodeLog).map((log) => ({
    time: log.time,
    traceId: log.traceId,
    spanId: log.spanId,
    service: log.service,
    text: textOf(log),
    duration: null,
    failed: log.severityNumber >= 17,
    attributes: log.attributes,
    resource: {},
    scope: log.scope,
  }));
}

export function decodeKeys(wire: WireAttributeList): readonly Known[] {
  return wire.attributes.map(({ key, types, rows }) => ({
    text: key,
    type: types.join('|'),
    rows,
  }));
}

export function decodeValues(wire: WireValueList): readonly Known[] {
  return wire.values.map(({ value, type, rows }) => ({ text: value, type, rows }));
}

function decodeSummary(wire: WireTraceSummary): TraceSummary {
  return {
    traceId: wire.trace_id,
    rootService: wire.root_service ?? null,
    rootName: wire.root_name ?? null,
    start: unixNanos(wire.start_unix_nanos, 'start_unix_nanos'),
    duration: durationNanos(wire.duration_nanos, 'duration_nanos'),
    spanCount: wire.span_count,
    errorCount: wire.error_count,
    coldStartCount: wire.cold_start_count,
    failed: wire.status === 'error',
    services: wire.services,
  };
}

function decodeSpan(wire: WireSpan, resources: readonly Attributes[]): Span {
  return {
    traceId: wire.trace_id ?? null,
    join: wire.join ? { how: wire.join.how, key: wire.join.key } : null,
    inferred: wire.inferred ?? false,
    attempt: wire.attempt ?? null,
    usd: wire.cost?.usd ?? null,
    spanId: wire.span_id,
    parentSpanId: wire.parent_span_id ?? null,
    parentMissing: wire.parent_missing,
    name: wire.name,
    kind: wire.kind,
    start: unixNanos(wire.start_unix_nanos, 'start_unix_nanos'),
    duration: durationNanos(wire.duration_nanos, 'duration_nanos'),
    status: wire.status,
    statusMessage: wire.status_message,
    service: wire.service,
    resource: resources[wire.resource] ?? {},
    scope: wire.scope,
    attributes: wire.attributes,
    events: wire.events.map((event) => ({
      time: unixNanos(event.time_unix_nanos, 'time_unix_nanos'),
      name: event.name,
      attributes: event.attributes,
    })),
    links: wire.links.map((link) => ({
      traceId: link.trace_id,
      spanId: link.span_id,
      attributes: link.attributes,
    })),
  };
}

export function decodeLog(wire: WireLog): Log {
  return {
    time: unixNanos(wire.time_unix_nanos, 'time_unix_nanos'),
    severityNumber: wire.severity_number,
    severityText: wire.severity_text,
    body: wire.body,
    traceId: wire.trace_id ?? null,
    spanId: wire.span_id ?? null,
    service: wire.service,
    scope: wire.scope,
    attributes: wire.attributes,
    eventName: wire.event_name,
  };
}

function unixNanos(text: string, field: string): UnixNanos {
  const time = parseUnixNanos(text);
  if (time === null) throw new Malformed(`${field} is not a time: ${JSON.stringify(text)}`);
  return time;
}

/** A span whose clock ran backwards took less than nothing. */
function signedNanos(text: string, field: string): DurationNanos {
  if (!text.startsWith('-')) return durationNanos(text, field);
  return -durationNanos(text.slice(1), field) as DurationNanos;
}

function durationNanos(text: string, field: string): DurationNanos {
  const duration = parseDurationNanos(text);
  if (duration === null) throw new Malformed(`${field} is not a duration: ${JSON.stringify(text)}`);
  return duration;
}
