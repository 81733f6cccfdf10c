/** How long messages had lain in a queue when somebody took them. */
import type { Wait } from '../../api/model';
import { formatMillis, plural } from '../../base/format';

/** How full a queue is drawn, 0 to 1: by the tenfold from 100 ms to a quarter of an hour. */
export function fillOf(wait: Wait | null): number {
  if (wait === null || wait.longest_ms <= MILLIS_MIN) return 0;
  return Math.min(1, Math.log(wait.longest_ms / MILLIS_MIN) / Math.log(MILLIS_FULL / MILLIS_MIN));
}

/** `up to 6.4 s old`: what was taken, for no one knows what still lies there. */
export function ageLine(wait: Wait): string {
  return `up to ${formatMillis(wait.longest_ms)} old`;
}

/** `half of 42 messages waited 1.2 s at most, the longest 6.4 s`. */
export function waitWords(wait: Wait): string {
  const longest = formatMillis(wait.longest_ms);
  if (wait.count === 1) return `1 message waited ${longest}`;
  const half = `half of ${plural(wait.count, 'message')} waited ${formatMillis(wait.p50_ms)} at most`;
  return `${half}, the longest ${longest}`;
}

/** Of several: their number, about the median, and the longest of all. */
export function waitTogether(waits: readonly (Wait | null)[]): Wait | null {
  const known = waits.filter((wait) => wait !== null);
  const count = known.reduce((all, wait) => all + wait.count, 0);
  const [first] = known;
  if (first === undefined) return null;
  return {
    id: first.id,
    count,
    p50_ms: known.reduce((all, wait) => all + wait.p50_ms * wait.count, 0) / count,
    longest_ms: Math.max(...known.map((wait) => wait.longest_ms)),
  };
}

const MILLIS_MIN = 100;
export const MILLIS_FULL = 900_000;
