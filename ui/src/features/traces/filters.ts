/** The filters of the trace list, as the address has them. */
import type { TraceQuery } from '../../api/client';
import { formatDuration, parseMillis } from '../../base/format';
import { before, durationFromMillis, type UnixNanos } from '../../base/time';

export type Range = '15m' | '1h' | '24h' | 'all';
export type Status = 'any' | 'error' | 'ok';

export interface Filters {
  readonly service: string;
  readonly operation: string;
  readonly status: Status;
  /** Milliseconds; 0 does not narrow. */
  readonly minMillis: number;
  /** Each `key=value`. */
  readonly attributes: readonly string[];
  readonly range: Range;
}

export const NO_FILTERS: Filters = {
  service: '',
  operation: '',
  status: 'any',
  minMillis: 0,
  attributes: [],
  // The list is newest first, so a shorter range would hide things and save nothing.
  range: 'all',
};

export const RANGES: readonly { readonly range: Range; readonly label: string }[] = [
  { range: '15m', label: '15 min' },
  { range: '1h', label: '1 h' },
  { range: '24h', label: '24 h' },
  { range: 'all', label: 'All' },
];

/** Reads an address; what it does not understand does not narrow. */
export function parseFilters(search: string): Filters {
  const params = new URLSearchParams(search);
  const status = params.get('status');
  const range = params.get('range');
  return {
    service: params.get('service') ?? '',
    operation: params.get('operation') ?? '',
    status: status === 'ok' || status === 'error' ? status : 'any',
    minMillis: parseMillis(params.get('min') ?? '') ?? 0,
    attributes: unique(params.getAll('attribute').filter(isAttributeFilter)).slice(
      0,
      ATTRIBUTES_MAX,
    ),
    range: RANGES.find((known) => known.range === range)?.range ?? NO_FILTERS.range,
  };
}

/** The shortest address that says the same: `''` when nothing narrows. */
export function formatFilters(filters: Filters): string {
  const params = new URLSearchParams();
  if (filters.service) params.set('service', filters.service);
  if (filters.operation) params.set('operation', filters.operation);
  if (filters.status !== 'any') params.set('status', filters.status);
  if (filters.minMillis > 0) params.set('min', `${filters.minMillis}ms`);
  for (const attribute of filters.attributes) params.append('attribute', attribute);
  if (filters.range !== NO_FILTERS.range) params.set('range', filters.range);
  const text = params.toString();
  return text === '' ? '' : `?${text}`;
}

export function toQuery(filters: Filters, now: UnixNanos): TraceQuery {
  const span = RANGE_MILLIS[filters.range];
  return {
    // Trimmed only here: an address that loses the space just typed fights the typist.
    service: filters.service.trim(),
    operation: filters.operation.trim(),
    ...(filters.status === 'any' ? {} : { status: filters.status }),
    ...(filters.minMillis > 0 ? { minDuration: durationFromMillis(filters.minMillis) } : {}),
    attributes: filters.attributes,
    ...(span === null ? {} : { from: before(now, durationFromMillis(span)) }),
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
    filters.range !== NO_FILTERS.range,
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
  const range = RANGES.find((known) => known.range === filters.range);
  if (filters.range !== 'all' && range) words.push(`in the last ${range.label}`);
  return words;
}

const RANGE_MILLIS: Record<Range, number | null> = {
  '15m': 15 * 60_000,
  '1h': 3_600_000,
  '24h': 24 * 3_600_000,
  all: null,
};

function unique(items: readonly string[]): readonly string[] {
  return [...new Set(items)];
}
