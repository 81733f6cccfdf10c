/**
 * Times as the wire has them: whole nanoseconds, which do not fit a number.
 * The brands keep a moment and a length of time apart.
 */
declare const moment: unique symbol;
declare const length: unique symbol;

/** Nanoseconds since 1970-01-01T00:00:00Z. */
export type UnixNanos = bigint & { readonly [moment]: true };

/** A length of time in nanoseconds. */
export type DurationNanos = bigint & { readonly [length]: true };

export const NANOS_PER_MICRO = 1_000n;
export const NANOS_PER_MILLI = 1_000_000n;
export const NANOS_PER_SECOND = 1_000_000_000n;

// u64 has at most 20 digits; longer text is a mistake, not a time.
const DECIMAL = /^\d{1,20}$/;

export function parseUnixNanos(text: unknown): UnixNanos | null {
  return typeof text === 'string' && DECIMAL.test(text) ? (BigInt(text) as UnixNanos) : null;
}

export function parseDurationNanos(text: unknown): DurationNanos | null {
  return typeof text === 'string' && DECIMAL.test(text) ? (BigInt(text) as DurationNanos) : null;
}

export function unixNanosFromMillis(millis: number): UnixNanos {
  return (BigInt(Math.trunc(millis)) * NANOS_PER_MILLI) as UnixNanos;
}

export function durationFromMillis(millis: number): DurationNanos {
  return BigInt(Math.round(millis * 1e6)) as DurationNanos;
}

/** Time from `start` to `end`; negative when `end` came first. */
export function between(start: UnixNanos, end: UnixNanos): DurationNanos {
  return (end - start) as DurationNanos;
}

export function after(start: UnixNanos, duration: DurationNanos): UnixNanos {
  return (start + duration) as UnixNanos;
}

export function before(end: UnixNanos, duration: DurationNanos): UnixNanos {
  return (end - duration) as UnixNanos;
}

export function toDate(time: UnixNanos): Date {
  return new Date(Number(time / NANOS_PER_MILLI));
}

export function toMillis(duration: DurationNanos): number {
  return Number(duration) / 1e6;
}

/** Ascending order, for `sort`. */
export function compareNanos(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The reader's clock: the one place that asks for it. */
export function now(): UnixNanos {
  return unixNanosFromMillis(Date.now());
}
