/** A heat map: time to the right, values up in steps of the fourth root of two, colour for how many. */
export interface HeatCell {
  /** Seconds since 1970. */
  readonly time: number;
  /** Upper bound of the values; the lower one is it divided by the fourth root of 2. */
  readonly upTo: number;
  readonly count: number;
}

export interface HeatGrid {
  readonly times: number;
  readonly rows: number;
  readonly from: number;
  readonly step: number;
  /** The bucket of the lowest row: its upper bound is 2^(bucket/4). */
  readonly lowest: number;
  /** Row by row from below; 0 where there is nothing. */
  readonly counts: Uint32Array;
  readonly most: number;
}

export interface Spot {
  readonly from: number;
  readonly to: number;
  readonly above: number;
  readonly upTo: number;
  readonly count: number;
}

/** A stretch of time and of values, whole cells of a grid. */
export type Box = Omit<Spot, 'count'>;

/** A place, as shares of the width (from the left) and the height (from the top). */
export interface Place {
  readonly x: number;
  readonly y: number;
}

export function gridOf(
  cells: readonly HeatCell[],
  from: number,
  to: number,
  step: number,
): HeatGrid {
  const real = cells.filter((cell) => cell.upTo > 0 && cell.count > 0);
  const buckets = real.map((cell) => bucketOf(cell.upTo));
  const lowest = buckets.reduce((least, each) => Math.min(least, each), Infinity);
  const highest = buckets.reduce((most, each) => Math.max(most, each), -Infinity);
  const start = Math.floor(from / step) * step;
  const times = Math.max(1, Math.min(TIMES_MAX, Math.ceil((to - start) / step)));
  const rows = real.length === 0 ? 0 : Math.min(ROWS_MAX, highest - lowest + 1);
  const counts = new Uint32Array(times * rows);
  let most = 0;
  real.forEach((cell, at) => {
    const column = Math.round((cell.time - start) / step);
    const row = buckets[at]! - lowest;
    if (column < 0 || column >= times || row >= rows) return;
    const place = row * times + column;
    counts[place]! += cell.count;
    most = Math.max(most, counts[place]!);
  });
  return { times, rows, from: start, step, lowest: rows === 0 ? 0 : lowest, counts, most };
}

/** What lies at shares of the width (from the left) and the height (from the top). */
export function spotAt(grid: HeatGrid, x: number, y: number): Spot | null {
  const column = Math.floor(x * grid.times);
  const row = Math.floor((1 - y) * grid.rows);
  if (column < 0 || column >= grid.times || row < 0 || row >= grid.rows) return null;
  const bucket = grid.lowest + row;
  return {
    from: grid.from + column * grid.step,
    to: grid.from + (column + 1) * grid.step,
    above: 2 ** ((bucket - 1) / 4),
    upTo: 2 ** (bucket / 4),
    count: grid.counts[row * grid.times + column] ?? 0,
  };
}

/** The cells that a rectangle between two places touches. */
export function boxOf(grid: HeatGrid, one: Place, other: Place): Box | null {
  const inside = ({ x, y }: Place): Place => ({ x: within(x), y: within(y) });
  const [a, b] = [inside(one), inside(other)];
  const earliest = spotAt(grid, Math.min(a.x, b.x), Math.max(a.y, b.y));
  const latest = spotAt(grid, Math.max(a.x, b.x), Math.min(a.y, b.y));
  if (earliest === null || latest === null) return null;
  return { from: earliest.from, to: latest.to, above: earliest.above, upTo: latest.upTo };
}

/** Where a box lies, as shares of the width and the height. */
export function frameOf(
  grid: HeatGrid,
  box: Box,
): { readonly left: number; readonly top: number; readonly wide: number; readonly high: number } {
  const columns = (time: number): number => (time - grid.from) / grid.step / grid.times;
  const rows = (value: number): number => (Math.log2(value) * 4 - grid.lowest + 1) / grid.rows;
  return {
    left: columns(box.from),
    wide: columns(box.to) - columns(box.from),
    top: 1 - rows(box.upTo),
    high: rows(box.upTo) - rows(box.above),
  };
}

/** Few are seen beside many: from 0 to 1, by the logarithm. */
export function heat(count: number, most: number): number {
  return count === 0 ? 0 : 0.15 + 0.85 * (Math.log(1 + count) / Math.log(1 + most));
}

/** Round values with their height from the bottom, from 0 to 1. */
export function heatTicks(
  grid: HeatGrid,
): readonly { readonly value: number; readonly at: number }[] {
  const ticks: { value: number; at: number }[] = [];
  for (let power = -6; power <= 12; power += 1) {
    const value = 10 ** power;
    const at = (Math.log2(value) * 4 - grid.lowest + 1) / grid.rows;
    if (at >= 0 && at <= 1) ticks.push({ value, at });
  }
  return ticks;
}

function bucketOf(upTo: number): number {
  return Math.round(Math.log2(upTo) * 4);
}

/** A place at the very edge is in the last cell. */
function within(share: number): number {
  return Math.min(1 - 1e-9, Math.max(1e-9, share));
}

const TIMES_MAX = 2_000;
const ROWS_MAX = 240;
