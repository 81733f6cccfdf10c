/** Rows of answers as the page shows them. */
import type { Cell, Table } from '../../api/model';
import type { Bounds } from '../../base/range';
import { NANOS_PER_SECOND, unixNanosFromMillis, type UnixNanos } from '../../base/time';
import type { Calls } from './sql';

export interface CallCounts {
  readonly count: number;
  readonly errors: number;
  readonly cold: number;
  readonly timeouts: number;
  /** Milliseconds; null where nothing was called. */
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
}

export interface CallSeries {
  /** What the name means; null if nothing of that name was called. */
  readonly calls: Calls | null;
  readonly total: CallCounts;
  /** Seconds since 1970, a step apart, without gaps. */
  readonly times: readonly number[];
  readonly points: readonly CallCounts[];
  /** How many of the points are of a step that is over. */
  readonly whole: number;
  readonly step: number;
  readonly seconds: number;
}

/** Rows of {@link callsSql}; what an extension tells goes before what others tell. */
export function readCalls(table: Table, bounds: Bounds, step: number): CallSeries {
  const kinds = new Set(table.rows.map((row) => row[1]));
  const calls = ORDER.find((kind) => kinds.has(kind)) ?? null;
  const rows = table.rows.filter((row) => row[1] === calls);
  const total = rows.find(([at]) => at === null);
  const { times, points, whole } = spread(bounds, step, rows, countsOf, NO_CALLS);
  return {
    calls,
    total: total ? countsOf(total) : NO_CALLS,
    times,
    points,
    whole,
    step,
    seconds: secondsOf(bounds),
  };
}

export interface ReportPoint {
  /** Megabytes; null where nothing was reported. */
  readonly most: number | null;
  readonly mean: number | null;
  readonly size: number | null;
  readonly usd: number | null;
  /** Reports that say what their invocation cost. */
  readonly reports: number;
  readonly billedMillis: number | null;
  /** The longest initialisation, in milliseconds. */
  readonly initMillis: number | null;
}

export interface ReportSeries {
  readonly total: ReportPoint;
  readonly times: readonly number[];
  readonly points: readonly ReportPoint[];
  readonly whole: number;
  readonly seconds: number;
}

export function readReports(table: Table, bounds: Bounds, step: number): ReportSeries {
  const total = table.rows.find(([at]) => at === null);
  return {
    total: total ? reportOf(total) : NO_REPORT,
    ...spread(bounds, step, table.rows, reportOf, NO_REPORT),
    seconds: secondsOf(bounds),
  };
}

export interface Version {
  readonly name: string;
  readonly first: UnixNanos;
  readonly last: UnixNanos;
  readonly count: number;
  /** Of all calls in this time. */
  readonly share: number;
  readonly errorShare: number;
  readonly p50: number | null;
  readonly p99: number | null;
}

export function readVersions(table: Table): readonly Version[] {
  const all = table.rows.reduce((sum, row) => sum + numberOf(row[3]), 0);
  return table.rows.map(([name, first, last, n, errors, p50, p99]) => {
    const count = numberOf(n);
    return {
      name: String(name ?? ''),
      first: timeOf(first),
      last: timeOf(last),
      count,
      share: all === 0 ? 0 : count / all,
      errorShare: count === 0 ? 0 : numberOf(errors) / count,
      p50: numberOrNull(p50),
      p99: numberOrNull(p99),
    };
  });
}

export function readFirstSeen(table: Table): ReadonlyMap<string, UnixNanos> {
  return new Map(table.rows.map(([name, first]) => [String(name ?? ''), timeOf(first)]));
}

/** A point for each step from the first to the last, also where no row is. */
function spread<T>(
  bounds: Bounds,
  step: number,
  rows: readonly (readonly Cell[])[],
  read: (row: readonly Cell[]) => T,
  none: T,
): {
  readonly times: readonly number[];
  readonly points: readonly T[];
  readonly whole: number;
} {
  const known = new Map<number, T>();
  for (const row of rows) if (row[0] !== null) known.set(seconds(row[0]), read(row));
  const first = Math.floor(Number(bounds.from / NANOS_PER_SECOND) / step) * step;
  const end = Number(bounds.to) / 1e9;
  const times: number[] = [];
  for (let time = first; time < end && times.length < POINTS_MAX; time += step) times.push(time);
  const whole = times.filter((time) => time + step <= end).length;
  return { times, points: times.map((time) => known.get(time) ?? none), whole };
}

function countsOf(row: readonly Cell[]): CallCounts {
  const [, , n, errors, cold, timeouts, p50, p90, p99] = row;
  return {
    count: numberOf(n),
    errors: numberOf(errors),
    cold: numberOf(cold),
    timeouts: numberOf(timeouts),
    p50: numberOrNull(p50),
    p90: numberOrNull(p90),
    p99: numberOrNull(p99),
  };
}

function reportOf(row: readonly Cell[]): ReportPoint {
  const [, most, mean, size, usd, reports, billed, init] = row;
  return {
    most: numberOrNull(most),
    mean: numberOrNull(mean),
    size: numberOrNull(size),
    usd: numberOrNull(usd),
    reports: numberOf(reports),
    billedMillis: numberOrNull(billed),
    initMillis: numberOrNull(init),
  };
}

export function timeOf(cell: Cell | undefined): UnixNanos {
  const millis = Date.parse(String(cell));
  return unixNanosFromMillis(Number.isNaN(millis) ? 0 : millis);
}

export function numberOf(cell: Cell | undefined): number {
  return numberOrNull(cell) ?? 0;
}

function numberOrNull(cell: Cell | undefined): number | null {
  return typeof cell === 'number' && Number.isFinite(cell) ? cell : null;
}

function seconds(cell: Cell | undefined): number {
  return Date.parse(String(cell)) / 1000;
}

function secondsOf({ from, to }: Bounds): number {
  return Math.max(1, Number(to - from) / 1e9);
}

const ORDER: readonly Calls[] = ['invocation', 'handler', 'service'];
const NO_CALLS: CallCounts = {
  count: 0,
  errors: 0,
  cold: 0,
  timeouts: 0,
  p50: null,
  p90: null,
  p99: null,
};
const NO_REPORT: ReportPoint = {
  most: null,
  mean: null,
  size: null,
  usd: null,
  reports: 0,
  billedMillis: null,
  initMillis: null,
};
const POINTS_MAX = 2_000;
