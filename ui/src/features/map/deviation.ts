/** How far a stretch of calls is from what is normal for the same two. */
import { formatDuration } from '../../base/format';
import { durationFromMillis } from '../../base/time';
import type { Level } from '../../widgets/map/graph';

export interface Calls {
  readonly count: number;
  readonly errors: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Calls a second. */
  readonly rate: number;
}

export interface Deviation {
  readonly level: Level;
  /** Why, in words; empty when all is as usual. */
  readonly why: string;
}

/**
 * `seen` in a short stretch of `seconds`, beside `usual` in a long one that
 * may hold it. Small numbers say little, so they need to stand out by more.
 */
export function deviation(seen: Calls, usual: Calls, seconds: number): Deviation {
  const expected = usual.rate * seconds;
  if (seen.count === 0) {
    return expected >= SILENT_FROM
      ? { level: 'silent', why: `no calls, usually ${Math.round(expected)} in this time` }
      : NORMAL;
  }
  const errors = byErrors(seen, usual);
  const time = byTime(seen, usual);
  return errors.level === 'bad' || time.level === 'normal' ? errors : time;
}

function byErrors(seen: Calls, usual: Calls): Deviation {
  // What is looked at is no part of its own normal.
  const others = Math.max(0, usual.count - seen.count);
  const failed = Math.max(0, usual.errors - seen.errors);
  const before = (failed + 0.5) / (others + 50);
  const now = seen.errors / seen.count;
  const spread = Math.max(0.5, Math.sqrt(seen.count * before * (1 - before)));
  const distance = (seen.errors - seen.count * before) / spread;
  const more = now - before;
  const level: Level =
    distance > 5 && more > 0.1 ? 'bad' : distance > 3 && more > 0.01 ? 'unusual' : 'normal';
  const usually =
    others === 0 ? 'nothing is known of before' : `usually ${percent(failed / others)}`;
  return level === 'normal' ? NORMAL : { level, why: `${percent(now)} fail, ${usually}` };
}

function byTime(seen: Calls, usual: Calls): Deviation {
  if (seen.count < TIMED_FROM || usual.count <= seen.count || usual.p50 <= 0) return NORMAL;
  const ratio = seen.p50 / usual.p50;
  const more = seen.p50 - usual.p50;
  const level: Level =
    ratio > 3 && more > 10 ? 'bad' : ratio > 1.5 && more > 2 ? 'unusual' : 'normal';
  if (level === 'normal') return NORMAL;
  return { level, why: `takes ${millis(seen.p50)}, usually ${millis(usual.p50)}` };
}

/** `0 %`, `0.4 %`, `12 %`. */
export function percent(share: number): string {
  const value = share * 100;
  return `${value === 0 ? '0' : value < 10 ? value.toFixed(1) : value.toFixed(0)}\u202f%`;
}

export function millis(value: number): string {
  return formatDuration(durationFromMillis(value));
}

/** `2.1/s`, `14/min`, `3/h`. */
export function perSecond(rate: number): string {
  if (rate >= 1) return `${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)}/s`;
  if (rate * 60 >= 1) return `${(rate * 60).toFixed(0)}/min`;
  return rate === 0 ? 'none' : `${Math.max(1, Math.round(rate * 3600))}/h`;
}

const NORMAL: Deviation = { level: 'normal', why: '' };
const SILENT_FROM = 8;
const TIMED_FROM = 5;
