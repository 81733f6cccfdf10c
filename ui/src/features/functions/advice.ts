/** Which memory a function should have: what the page draws of it. */
import type { FunctionAdvice, SizeAdvice, SizePoint } from '../../api/model';
import { formatCount, formatDollars, formatMillis, plural } from '../../base/format';

/** Time and cost over memory sizes, each as a part of what it is now. */
export interface Curve {
  /** Of the mean time, and of where it lies at 95 %. */
  readonly time: string;
  readonly band: string;
  readonly cost: string;
  readonly marks: readonly Mark[];
  readonly sizes: readonly Tick[];
  readonly parts: readonly Tick[];
  /** From the left to here sizes have too little memory. */
  readonly tooSmall: number;
}

export interface Tick {
  readonly at: number;
  readonly label: string;
}

/** The size that it has, and the one that it should have. */
export interface Mark extends Tick {
  readonly kind: 'now' | 'recommended';
  readonly time: number;
  readonly cost: number;
}

/** A size worth a line of a table. */
export interface Row {
  readonly mb: number;
  readonly size: string;
  readonly about: string;
  readonly mean: string;
  readonly between: string;
  readonly slow: string;
  readonly million: string;
  readonly isBest: boolean;
  /** Whether the function may be given it: it fits, and is another one. */
  readonly canApply: boolean;
}

export const WIDTH = 640;
export const HEIGHT = 180;

export function curveOf(advice: SizeAdvice): Curve {
  const { now, recommendation, named } = advice;
  const best = recommendation?.point ?? null;
  const last = Math.max(SHOWN_MB, 2 * now.memory_mb, best?.memory_mb ?? 0, named?.fastest_mb ?? 0);
  const points = advice.curve.filter(({ memory_mb }) => memory_mb <= last);
  const least = points[0]?.memory_mb ?? 1;
  const across = Math.log2((points.at(-1)?.memory_mb ?? 2) / least) || 1;
  const x = (mb: number): number => round((Math.log2(mb / least) / across) * WIDTH);
  const y = (part: number): number => round((1 - Math.min(part, MOST) / MOST) * HEIGHT);
  const time = (ms: number): number => y(ms / now.duration_ms.value);
  const cost = ({ usd }: SizePoint): number => y(usd.value / now.usd.value);
  const through = (all: readonly SizePoint[], of: (point: SizePoint) => number): string[] =>
    all.map((point) => `${x(point.memory_mb)} ${of(point)}`);
  const upper = through(points, ({ duration_ms }) => time(duration_ms.high));
  const lower = through([...points].reverse(), ({ duration_ms }) => time(duration_ms.low));
  const mark = (point: SizePoint, kind: Mark['kind']): Mark => ({
    kind,
    at: x(point.memory_mb),
    label: kind === 'now' ? 'now' : megabytes(point.memory_mb),
    time: time(point.duration_ms.value),
    cost: cost(point),
  });
  const fits = points.find((point) => point.fits !== 'too_little_memory');
  return {
    time: `M${through(points, ({ duration_ms }) => time(duration_ms.value)).join('L')}`,
    band: `M${[...upper, ...lower].join('L')}Z`,
    cost: `M${through(points, cost).join('L')}`,
    marks: [mark(now, 'now'), ...(best === null ? [] : [mark(best, 'recommended')])],
    sizes: SIZES.filter((mb) => mb >= least && mb <= last).map((mb) => ({
      at: x(mb),
      label: mb < 1024 ? String(mb) : `${mb / 1024}\u202fGB`,
    })),
    parts: [0.5, 1, 1.5].map((part) => ({ at: y(part), label: `${part}×` })),
    tooSmall: fits === undefined ? WIDTH : x(fits.memory_mb),
  };
}

/** The sizes that have a name, the smallest first. */
export function rowsOf(advice: SizeAdvice): readonly Row[] {
  const { now, named, recommendation } = advice;
  const best = recommendation?.point.memory_mb;
  const names: readonly (readonly [number | undefined, string])[] = [
    [now.memory_mb, 'now'],
    [best, 'recommended'],
    [named?.cheapest_mb, 'cheapest'],
    [named?.balanced_mb, 'balanced'],
    [named?.fastest_mb, 'fastest'],
  ];
  return advice.curve.flatMap((point) => {
    const of = names.filter(([mb]) => mb === point.memory_mb).map(([, name]) => name);
    if (of.length === 0) return [];
    const { value, low, high } = point.duration_ms;
    return [
      {
        mb: point.memory_mb,
        size: megabytes(point.memory_mb),
        about: [...of, ...WHY_NOT[point.fits]].join(', '),
        mean: formatMillis(value),
        between: `${formatMillis(low)} to ${formatMillis(high)}`,
        slow: formatMillis(point.slow_ms),
        million: formatDollars(point.usd.value * 1e6),
        isBest: point.memory_mb === best,
        canApply: point.fits === 'yes' && point.memory_mb !== now.memory_mb,
      },
    ];
  });
}

/** What it is worked out from. */
export function basis(advice: SizeAdvice): string {
  const used = advice.memory_used_mb;
  const most = used === null ? '' : `, ${megabytes(used)} used at most`;
  return (
    `Predicted from ${plural(advice.invocation_count, 'invocation')} of the last week: ` +
    `${formatMillis(advice.cpu_ms)} at work and ${formatMillis(advice.wait_ms)} waiting in the mean${most}. ` +
    `Prices of ${advice.price_region}.`
  );
}

/** `Can run 2.1x faster for 4 % less with 1,024 MB.` */
export function headline({ sentence }: FunctionAdvice): string {
  return `${sentence.charAt(0).toUpperCase()}${sentence.slice(1)}.`;
}

export function megabytes(mb: number): string {
  return `${formatCount(mb)}\u202fMB`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

const WHY_NOT: Readonly<Record<SizePoint['fits'], readonly string[]>> = {
  yes: [],
  too_little_memory: ['too little memory'],
  near_timeout: ['too near its timeout'],
};
/** Twice as much as now, and whatever is more. */
const MOST = 2;
/** Beyond it hardly any function becomes faster. */
const SHOWN_MB = 3072;
const SIZES: readonly number[] = [128, 256, 512, 1024, 2048, 4096, 8192];
