/** Answers as charts want them. */
import type { Cell, Table } from '../../api/model';
import type { ChartLine } from '../../widgets/chart/lines';
import type { HeatCell } from '../../widgets/chart/heat';

export interface Chart {
  /** Which calculation it shows. */
  readonly title: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly ChartLine[];
}

/** One chart for each calculation, one line for each group, largest groups first. */
export function chartsOf(series: Table, groups: number, results: Table): readonly Chart[] {
  const times = [...new Set(series.rows.map(([time]) => seconds(time)))].sort((a, b) => a - b);
  const placeOf = new Map(times.map((time, at) => [time, at]));
  const names = results.rows.slice(0, LINES_MAX).map((row) => nameOf(row.slice(0, groups)));
  const titles = series.columns.slice(1 + groups).map((column) => column.name);
  return titles.map((title, nth) => {
    const values = new Map(names.map((name) => [name, blank(times.length, title)]));
    for (const row of series.rows) {
      const line = values.get(nameOf(row.slice(1, 1 + groups)));
      const place = placeOf.get(seconds(row[0] ?? null));
      const value = row[1 + groups + nth];
      if (line && place !== undefined) line[place] = typeof value === 'number' ? value : null;
    }
    const lines = names.map((name) => ({ name, values: values.get(name)! }));
    return { title, times, lines };
  });
}

/** Counts are nought where there is nothing; a percentile of nothing is none. */
function blank(length: number, title: string): (number | null)[] {
  const isCount = title === 'COUNT' || title === 'RATE' || title.startsWith('SUM');
  return new Array<number | null>(length).fill(isCount ? 0 : null);
}

/** Columns time, upper bound, rows. */
export function cellsOf(heatmap: Table): readonly HeatCell[] {
  return heatmap.rows.map(([time, upTo, rows]) => ({
    time: seconds(time ?? null),
    upTo: Number(upTo),
    count: Number(rows),
  }));
}

export function nameOf(cells: readonly Cell[]): string {
  if (cells.length === 0) return 'all';
  return cells.map((cell) => (cell === null ? '(none)' : String(cell))).join(' · ');
}

function seconds(time: Cell | undefined): number {
  return Date.parse(String(time)) / 1000;
}

export const LINES_MAX = 20;
