/** Which time the page looks at, as the address has it; all pages share it. */
import { before, durationFromMillis, NANOS_PER_MILLI, type UnixNanos, toDate } from './time';
import { clockOf } from './zone';

export type TimeRange =
  /** The last so many minutes, which go on while one looks. */
  | { readonly kind: 'last'; readonly text: string }
  | { readonly kind: 'fixed'; readonly from: UnixNanos; readonly to: UnixNanos }
  /** No bound; only lists that are newest first can do with that. */
  | { readonly kind: 'all' };

export interface Bounds {
  readonly from: UnixNanos;
  readonly to: UnixNanos;
}

export const ALL: TimeRange = { kind: 'all' };
export const LAST_HOUR: TimeRange = { kind: 'last', text: '1h' };

export const PRESETS: readonly { readonly text: string; readonly label: string }[] = [
  { text: '15m', label: '15 min' },
  { text: '1h', label: '1 h' },
  { text: '6h', label: '6 h' },
  { text: '24h', label: '24 h' },
  { text: '7d', label: '7 days' },
];

/** Reads `range=1h`, or `from` and `to` as RFC 3339; what it does not understand is `otherwise`. */
export function parseRange(search: string, otherwise: TimeRange): TimeRange {
  const params = new URLSearchParams(search);
  const from = parseTime(params.get('from'));
  const to = parseTime(params.get('to'));
  if (from !== null && to !== null && from < to) return { kind: 'fixed', from, to };
  const text = params.get('range') ?? '';
  return millisOf(text) === null ? otherwise : { kind: 'last', text };
}

/** Writes the range into an address; the page's own default is not worth a word. */
export function setRange(params: URLSearchParams, range: TimeRange, otherwise: TimeRange): void {
  for (const key of ['range', 'from', 'to']) params.delete(key);
  if (range.kind === 'fixed') {
    params.set('from', formatTime(range.from));
    params.set('to', formatTime(range.to));
  } else if (range.kind === 'last' && !sameRange(range, otherwise)) {
    params.set('range', range.text);
  }
}

export function boundsOf(range: TimeRange, now: UnixNanos): Bounds {
  if (range.kind === 'fixed') return range;
  const millis = millisOf(range.kind === 'last' ? range.text : '1h') ?? 3_600_000;
  return { from: before(now, durationFromMillis(millis)), to: now };
}

export function sameRange(a: TimeRange, b: TimeRange): boolean {
  if (a.kind === 'fixed') return b.kind === 'fixed' && a.from === b.from && a.to === b.to;
  return a.kind === 'last' ? b.kind === 'last' && a.text === b.text : b.kind === 'all';
}

/** `Last 1 h`, `2026-11-22 01:00 to 02:30`. */
export function describeRange(range: TimeRange): string {
  if (range.kind === 'all') return 'Any time';
  if (range.kind === 'last') {
    const preset = PRESETS.find((known) => known.text === range.text);
    return `Last ${preset?.label ?? range.text}`;
  }
  const [from, to] = [localMinute(range.from), localMinute(range.to)];
  const sameDay = from.slice(0, 10) === to.slice(0, 10);
  return `${from} to ${sameDay ? to.slice(11) : to}`;
}

/** Seconds of one step, so that about `points` of them fill the time. */
export function stepSeconds(bounds: Bounds, points: number): number {
  const seconds = Number((bounds.to - bounds.from) / NANOS_PER_MILLI) / 1000;
  return STEPS.find((step) => seconds / step <= points) ?? STEPS.at(-1)!;
}

/** `2026-11-22 01:00:05` by the chosen clock. */
export function localMinute(time: UnixNanos): string {
  const { day, minute, second } = clockOf(toDate(time));
  return `${day} ${minute}${second === '00' ? '' : `:${second}`}`;
}

function millisOf(text: string): number | null {
  const match = /^([1-9]\d{0,3})(m|h|d)$/.exec(text);
  if (!match) return null;
  return Number(match[1]) * { m: 60_000, h: 3_600_000, d: 86_400_000 }[match[2] as 'm' | 'h' | 'd'];
}

function parseTime(text: string | null): UnixNanos | null {
  const millis = text === null ? Number.NaN : Date.parse(text);
  return Number.isNaN(millis) || millis < 0
    ? null
    : ((BigInt(millis) * NANOS_PER_MILLI) as UnixNanos);
}

function formatTime(time: UnixNanos): string {
  return toDate(time)
    .toISOString()
    .replace(/\.000Z$/, 'Z');
}

const STEPS = [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21_600, 43_200, 86_400];
