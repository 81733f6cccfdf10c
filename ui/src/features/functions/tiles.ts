/** The numbers at the top of the page. */
import {
  formatCount,
  formatDollars,
  formatMillis,
  formatRate,
  formatShare,
  plural,
} from '../../base/format';
import type { CallSeries, ReportSeries } from './read';

export interface Tile {
  readonly label: string;
  readonly value: string;
  /** What else is worth a word. */
  readonly more: string;
  readonly tone: 'plain' | 'bad' | 'cold' | 'warn';
}

export function callTiles({ total, seconds }: CallSeries): readonly Tile[] {
  const share = (of: number): number => (total.count === 0 ? 0 : of / total.count);
  const time = (millis: number | null): string => (millis === null ? '–' : formatMillis(millis));
  const timeouts = total.timeouts > 0 ? `, ${plural(total.timeouts, 'timeout')}` : '';
  return [
    {
      label: 'Calls',
      value: formatRate(total.count / seconds),
      more: `${formatCount(total.count)} in all`,
      tone: 'plain',
    },
    {
      label: 'Errors',
      value: formatShare(share(total.errors)),
      more: `${formatCount(total.errors)} failed${timeouts}`,
      tone: total.errors > 0 ? 'bad' : 'plain',
    },
    {
      label: 'Duration',
      value: time(total.p50),
      more: `90th ${time(total.p90)}, 99th ${time(total.p99)}`,
      tone: 'plain',
    },
    {
      label: 'Cold starts',
      value: formatShare(share(total.cold)),
      more: `${formatCount(total.cold)} in all`,
      tone: total.cold > 0 ? 'cold' : 'plain',
    },
  ];
}

export function reportTiles({ total, seconds }: ReportSeries): readonly Tile[] {
  const { most, mean, size, usd, reports } = total;
  const full = most !== null && size !== null && size > 0 ? most / size : null;
  const memory: Tile = {
    label: 'Memory',
    value: full === null ? '–' : formatShare(full),
    more:
      full === null
        ? 'nothing is reported'
        : `at most ${megabytes(most)} of ${megabytes(size)}, mean ${megabytes(mean)}`,
    tone: full !== null && full > NEARLY_FULL ? 'warn' : 'plain',
  };
  const cost: Tile = {
    label: 'Cost, estimated',
    value: usd === null ? '–' : formatDollars(usd),
    more:
      usd === null || reports === 0
        ? 'nothing is reported'
        : `${formatDollars((usd / seconds) * 86_400)} a day, ${formatDollars((usd / reports) * 1e6)} a million calls`,
    tone: 'plain',
  };
  return [memory, cost];
}

function megabytes(value: number | null): string {
  return value === null ? '–' : `${Math.round(value)}\u202fMB`;
}

const NEARLY_FULL = 0.9;
