/** The filters of the trace list, as the address has them. */
import type { TraceQuery } from '../../api/client';
import { formatDuration, parseMillis } from '../../base/format';
import {
  ALL,
  boundsOf,
  describeRange,
  parseRange,
  setRange,
  type TimeRange,
} from '../../base/range';
import { durationFromMillis, type UnixNanos } from '../../base/time';

export type Status = 'any' | 'error' | 'ok';

export interface Filters {
  readonly service: string;
  readonly operation: string;
  readonly status: Status;
  /** Milliseconds; 0 does not narrow. */
  readonly minMillis: number;
  /** Each `key=value`. */
  readonly attributes: readonly string[];
  readonly range: TimeRange;
}

export const NO_FILTERS: Filters = {
  service: '',
  operation: '',
  status: 'any',
  minMillis: 0,
  attributes: [],
  // The list is newest first, so a shorter range would hide things and save nothing.
  range: ALL,
};

/** Reads an address; what it does not understand does not narrow. */
export function parseFilters(search: string): Filters {
  const params = new URLSearchParams(search);
  const status = params.get('status');
  return {
    service: params.get('service') ?? '',
    operation: params.get('operation') ?? '',
    status: status === 'ok' || status === 'error' ? status : 'any',
    minMillis: parseMillis(params.get('min') ?? '') ?? 0,
    attributes: unique(params.getAll('attribute').filter(isAttributeFilter)).slice(
      0,
      ATTRIBUTES_MAX,
    ),
    range: parseRange(search, ALL),
  };
}

/** The list of all traces that have such an attribute; null for what cannot be asked for. */
export function tracesWith(key: string, value: unknown): string | null {
  if (typeof value === 'object' || value === '') return null;
  return `/${formatFilters({ ...NO_FILTERS, attributes: [`${key}=${String(value)}`] })}`;
}

/** The shortest address that says the same: `''` when nothing narrows. */
export function formatFilters(filters: Filters): string {
  const params = new URLSearchParams();
  if (filters.service) params.set('service', filters.service);
  if (filters.operation) params.set('operation', filters.operation);
  if (filters.status !== 'any') params.set('status', filters.status);
  if (filters.minMillis > 0) params.set('min', `${filters.minMillis}ms`);
  for (const attribute of filters.attributes) params.append('attribute', attribute);
  setRange(params, filters.range, ALL);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

export function toQuery(filters: Filters, now: UnixNanos): TraceQuery {
  return {
    // Trimmed only here: an address that loses the space just typed fights the typist.
    service: filters.service.trim(),
    operation: filters.operation.trim(),
    ...(filters.status === 'any' ? {} : { status: filters.status }),
    ...(filters.minMillis > 0 ? { minDuration: durationFromMillis(filters.minMillis) } : {}),
    attributes: filters.attributes,
    ...boundsWithin(filters.range, now),
  };
}

/** `key=value`; the value may be empty, the key may not. */
export function isAttributeFilter(text: string): boolean {
  return text.indexOf('=') > 0;
}

/** The server takes no more than these in one question. */
export const ATTRIBUTES_MAX = 16;

export function countNarrowing(filters: Filters): number {
  const single = [
    filters.service !== '',
    filters.operation !== '',
    filters.status !== 'any',
    filters.minMillis > 0,
    filters.range.kind !== 'all',
  ];
  return single.filter(Boolean).length + filters.attributes.length;
}

/** The narrowing filters in words, for the empty list. */
export function describeFilters(filters: Filters): readonly string[] {
  const words: string[] = [];
  if (filters.service) words.push(`service ${filters.service}`);
  if (filters.operation) words.push(`operation ${filters.operation}`);
  if (filters.status !== 'any')
    words.push(filters.status === 'error' ? 'with errors' : 'without errors');
  if (filters.minMillis > 0) {
    words.push(`at least ${formatDuration(durationFromMillis(filters.minMillis))}`);
  }
  words.push(...filters.attributes);
  if (filters.range.kind === 'last')
    words.push(`in the ${describeRange(filters.range).toLowerCase()}`);
  if (filters.range.kind === 'fixed') words.push(`from ${describeRange(filters.range)}`);
  return words;
}

/** A range that goes on has no end: what arrives meanwhile belongs to it. */
function boundsWithin(range: TimeRange, now: UnixNanos): Pick<TraceQuery, 'from' | 'to'> {
  if (range.kind === 'all') return {};
  if (range.kind === 'fixed') return { from: range.from, to: range.to };
  return { from: boundsOf(range, now).from };
}

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
