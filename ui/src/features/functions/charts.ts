/** What the charts of a function show. */
import type { SymptomName } from '../../api/model';
import { formatCount, formatDollars, formatMillis } from '../../base/format';
import type { ChartLine } from '../../widgets/chart/lines';
import type { CallSeries, ReportSeries } from './read';

export interface Figure {
  readonly title: string;
  /** Of the values, in words. */
  readonly unit: string;
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
  readonly format: (value: number) => string;
  /** What is wrong where it is not as usual, as investigations call it; empty where that says nothing. */
  readonly symptom: SymptomName | '';
}

export function callFigures({ times, points, whole, step }: CallSeries): readonly Figure[] {
  const every = `in ${stepWords(step)}`;
  return [
    {
      title: 'Calls',
      unit: every,
      times,
      format: counts,
      symptom: '',
      lines: [
        {
          name: 'calls',
          values: counted(points, whole, (point) => point.count),
          colour: 'map-normal',
        },
        {
          name: 'failed',
          values: counted(points, whole, (point) => point.errors),
          colour: 'map-bad',
        },
      ],
    },
    {
      title: 'Errors',
      unit: 'of calls',
      times,
      format: (value) => `${trim(value)}\u202f%`,
      symptom: 'error',
      lines: [
        {
          name: 'failed',
          values: points.map((point) =>
            point.count === 0 ? null : (point.errors / point.count) * 100,
          ),
          colour: 'map-bad',
        },
      ],
    },
    {
      title: 'Duration',
      unit: 'of calls',
      times,
      format: (value) => (value === 0 ? '0' : formatMillis(value)),
      symptom: 'slow',
      lines: [
        { name: 'median', values: points.map((point) => point.p50), colour: 'map-normal' },
        { name: '90th', values: points.map((point) => point.p90), colour: 'map-unusual' },
        { name: '99th', values: points.map((point) => point.p99), colour: 'map-bad' },
      ],
    },
    {
      title: 'Cold starts',
      unit: every,
      times,
      format: counts,
      symptom: 'cold_start',
      lines: [
        {
          name: 'cold starts',
          values: counted(points, whole, (point) => point.cold),
          colour: 'cold',
        },
      ],
    },
  ];
}

export function reportFigures(
  { times, points, whole }: ReportSeries,
  step: number,
): readonly Figure[] {
  return [
    {
      title: 'Memory',
      unit: 'used of its size',
      times,
      format: (value) => `${trim(value)}\u202fMB`,
      symptom: '',
      lines: [
        { name: 'size', values: points.map((point) => point.size), colour: 'text-3' },
        { name: 'most used', values: points.map((point) => point.most), colour: 'map-unusual' },
        { name: 'mean', values: points.map((point) => point.mean), colour: 'map-normal' },
      ],
    },
    {
      title: 'Cost',
      unit: `in ${stepWords(step)}, estimated`,
      times,
      format: formatDollars,
      symptom: 'expensive',
      lines: [
        {
          name: 'cost',
          values: counted(points, whole, (point) => point.usd ?? 0),
          colour: 'map-normal',
        },
      ],
    },
  ];
}

/** `10 s`, `5 min`, `2 h`, `1 d`. */
export function stepWords(step: number): string {
  if (step % 86_400 === 0) return `${step / 86_400}\u202fd`;
  if (step % 3_600 === 0) return `${step / 3_600}\u202fh`;
  return step % 60 === 0 ? `${step / 60}\u202fmin` : `${step}\u202fs`;
}

/** So far is less than in a whole step; that is no fall, so it is not drawn. */
function counted<T>(
  points: readonly T[],
  whole: number,
  of: (point: T) => number,
): readonly (number | null)[] {
  return points.map((point, at) => (at < whole ? of(point) : null));
}

function counts(value: number): string {
  return Number.isInteger(value) ? formatCount(value) : trim(value);
}

function trim(value: number): string {
  return value >= 100 || Number.isInteger(value) ? value.toFixed(0) : value.toFixed(1);
}
