import {
  NANOS_PER_MILLI,
  NANOS_PER_SECOND,
  durationFromMillis,
  toDate,
  type DurationNanos,
  type UnixNanos,
} from './time';
import { clockOf } from './zone';

const NARROW_SPACE = '\u202f';

/** `812 ns`, `4.05 µs`, `39.2 ms`, `1.24 s`, `3 min 07 s`, `2 h 05 min`. */
export function formatDuration(duration: DurationNanos): string {
  if (duration < 0n) return `−${formatDuration(-duration as DurationNanos)}`;
  if (duration < 1_000n) return unit(`${duration}`, 'ns');
  const nanos = Number(duration);
  if (nanos < 999.5e3) return unit(threeDigits(nanos / 1e3), 'µs');
  if (nanos < 999.5e6) return unit(threeDigits(nanos / 1e6), 'ms');
  if (nanos < 59.95e9) return unit(threeDigits(nanos / 1e9), 's');
  return formatLong(Math.round(nanos / 1e9));
}

/** A time inside a trace, from its start: `+12.3 ms`. */
export function formatOffset(offset: DurationNanos): string {
  if (offset === 0n) return unit('0', 'ms');
  return offset < 0n ? formatDuration(offset) : `+${formatDuration(offset)}`;
}

/** `now`, `12 s ago`, `3 min ago`, `5 h ago`, `4 d ago`. */
export function formatRelative(time: UnixNanos, now: UnixNanos): string {
  const seconds = Number((now - time) / NANOS_PER_SECOND);
  // Clocks of reader and function differ by a little; the future is "now".
  if (seconds < 2) return 'now';
  if (seconds < 60) return `${unit(`${seconds}`, 's')} ago`;
  if (seconds < 3600) return `${unit(`${Math.floor(seconds / 60)}`, 'min')} ago`;
  if (seconds < 86_400) return `${unit(`${Math.floor(seconds / 3600)}`, 'h')} ago`;
  return `${unit(`${Math.floor(seconds / 86_400)}`, 'd')} ago`;
}

/** The time to the millisecond by the chosen clock: `2026-11-21 02:35:12.345`. */
export function formatAbsolute(time: UnixNanos): string {
  return `${clockOf(toDate(time)).day} ${formatClock(time)}`;
}

/** The time of day to the millisecond by the chosen clock: `02:35:12.345`. */
export function formatClock(time: UnixNanos): string {
  const { minute, second } = clockOf(toDate(time));
  return `${minute}:${second}.${String((time / NANOS_PER_MILLI) % 1000n).padStart(3, '0')}`;
}

/** `2026-11-21T02:35:12.345678901Z`: exact, for titles and for copying. */
export function formatExact(time: UnixNanos): string {
  const fraction = String(time % NANOS_PER_SECOND).padStart(9, '0');
  return `${toDate(time).toISOString().slice(0, 19)}.${fraction}Z`;
}

/** `1,234`, the same in every locale, so that pasted text compares. */
export function formatCount(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** Calls: `1.3 a minute`, `1,234 a minute`. */
export function formatPerMinute(perMinute: number): string {
  const rounded = perMinute < 10 ? perMinute.toFixed(1) : formatCount(Math.round(perMinute));
  return `${rounded} a minute`;
}

/** Milliseconds: `39.2 ms`, `1.24 s`. */
export function formatMillis(millis: number): string {
  return formatDuration(durationFromMillis(millis));
}

/** A share of one: `0 %`, `0.4 %`, `12 %`. */
export function formatShare(share: number): string {
  const value = share * 100;
  return unit(value > 0 && value < 9.95 ? value.toFixed(1) : value.toFixed(0), '%');
}

/** So many a second: `2.1/s`, `14/min`, `3/h`, `none`. */
export function formatRate(rate: number): string {
  if (rate >= 1) return `${rate < 10 ? rate.toFixed(1) : formatCount(Math.round(rate))}/s`;
  if (rate * 60 >= 1) return `${(rate * 60).toFixed(0)}/min`;
  return rate === 0 ? 'none' : `${Math.max(1, Math.round(rate * 3600))}/h`;
}

/** `$0.0000131`, `$1.24`: three digits that count. */
export function formatDollars(usd: number): string {
  if (usd === 0) return '$0';
  const decimals = usd >= 1 ? 2 : Math.min(12, 2 - Math.floor(Math.log10(usd)));
  return `$${usd.toFixed(decimals)}`;
}

/** `1 span`, `2 spans`. */
export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** An attribute or log body as text: strings as they are, the rest as JSON. */
export function formatValue(value: unknown): string {
  if (typeof value === 'string') return value;
  return JSON.stringify(value) ?? '';
}

/** `250`, `250ms`, `1.5 s`, `2min` to milliseconds; null when it is none of these. */
export function parseMillis(text: string): number | null {
  const match = /^\s*(\d+(?:\.\d+)?)\s*(us|µs|ms|s|m|min)?\s*$/i.exec(text);
  if (!match) return null;
  const scale = MILLIS_PER[(match[2] ?? 'ms').toLowerCase()] ?? 1;
  return Number(match[1]) * scale;
}

const MILLIS_PER: Record<string, number> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  min: 60_000,
};

function formatLong(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${unit(`${minutes}`, 'min')} ${unit(pad(seconds % 60), 's')}`;
  return `${unit(`${Math.floor(minutes / 60)}`, 'h')} ${unit(pad(minutes % 60), 'min')}`;
}

function threeDigits(value: number): string {
  const decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return value.toFixed(decimals);
}

function unit(value: string, name: string): string {
  return `${value}${NARROW_SPACE}${name}`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
