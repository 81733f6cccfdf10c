/** How far a stretch of calls is from what is normal for the same two. */
import { formatMillis, formatShare } from '../../base/format';
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
    others === 0 ? 'nothing is known of before' : `usually ${formatShare(failed / others)}`;
  return level === 'normal' ? NORMAL : { level, why: `${formatShare(now)} fail, ${usually}` };
}

function byTime(seen: Calls, usual: Calls): Deviation {
  if (seen.count < TIMED_FROM || usual.count <= seen.count || usual.p50 <= 0) return NORMAL;
  const ratio = seen.p50 / usual.p50;
  const more = seen.p50 - usual.p50;
  const level: Level =
    ratio > 3 && more > 10 ? 'bad' : ratio > 1.5 && more > 2 ? 'unusual' : 'normal';
  if (level === 'normal') return NORMAL;
  return { level, why: `takes ${formatMillis(seen.p50)}, usually ${formatMillis(usual.p50)}` };
}

const NORMAL: Deviation = { level: 'normal', why: '' };
const SILENT_FROM = 8;
const TIMED_FROM = 5;
