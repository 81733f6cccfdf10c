/** Lines by time and level. */
import type { Level } from '../../api/line';
import type { Table } from '../../api/model';
import type { Bounds } from '../../base/range';
import { NANOS_PER_SECOND, type UnixNanos } from '../../base/time';
import type { Places } from '../../widgets/chart/cursor';

export interface Bar {
  readonly from: UnixNanos;
  readonly to: UnixNanos;
  readonly counts: Readonly<Record<Level, number>>;
}

/** One bar for each step, empty ones included. */
export function barsOf(table: Table, bounds: Bounds, stepSeconds: number): readonly Bar[] {
  const step = BigInt(stepSeconds) * NANOS_PER_SECOND;
  const found = new Map<bigint, Record<Level, number>>();
  for (const [at, level, count] of table.rows) {
    const key = BigInt(Date.parse(String(at))) * 1_000_000n;
    const counts = found.get(key) ?? { error: 0, warn: 0, info: 0 };
    counts[level as Level] += Number(count);
    found.set(key, counts);
  }
  const bars: Bar[] = [];
  for (let at = bounds.from - (bounds.from % step); at < bounds.to; at += step) {
    const counts = found.get(at) ?? { error: 0, warn: 0, info: 0 };
    bars.push({ from: at as UnixNanos, to: (at + step) as UnixNanos, counts });
  }
  return bars;
}

/** Moments within them, each with its place: how many bars lie before it. */
export function placedOn<T extends { readonly time: number }>(
  moments: readonly T[],
  bars: readonly Bar[],
): readonly (T & { readonly at: number })[] {
  const [first, last] = [bars[0], bars.at(-1)];
  if (first === undefined || last === undefined) return [];
  const [from, to] = [secondsOf(first.from), secondsOf(last.to)];
  return moments
    .filter(({ time }) => from <= time && time < to)
    .map((moment) => ({ ...moment, at: ((moment.time - from) / (to - from)) * bars.length }));
}

function secondsOf(time: UnixNanos): number {
  return Number(time / NANOS_PER_SECOND);
}

export function totalOf(bars: readonly Bar[]): Readonly<Record<Level, number>> {
  const total = { error: 0, warn: 0, info: 0 };
  for (const { counts } of bars) {
    total.error += counts.error;
    total.warn += counts.warn;
    total.info += counts.info;
  }
  return total;
}

/** The first and the last bar of a time; null where none is in it. */
export function barsWithin(bars: readonly Bar[], { from, to }: Bounds): Places | null {
  const first = bars.findIndex((bar) => bar.to > from);
  const last = bars.findLastIndex((bar) => bar.from < to);
  return first === -1 || last < first ? null : { first, last };
}
