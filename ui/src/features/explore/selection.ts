/** Which rows of a question are asked about, and in which words. */
import type { Dataset } from '../../api/client';
import { describeConditions } from '../../base/condition';
import { formatClock } from '../../base/format';
import type { Bounds } from '../../base/range';
import { NANOS_PER_MILLI, type UnixNanos } from '../../base/time';
import type { Box } from '../../widgets/chart/heat';
import { shortNumber } from '../../widgets/chart/lines';
import type { Stretch } from '../../widgets/chart/stretch';
import { askHref, symptomOf } from './asked';
import { fromFilter, type Draft, type WireFilter } from './draft';
import type { Selection } from './explore.svelte';

/** A rectangle of the heat map of a column. */
export interface Rectangle {
  readonly column: string;
  readonly box: Box;
}

/** What is compared with the rest. */
export type Chosen =
  | { readonly of: 'errors' }
  | ({ readonly of: 'rectangle' } & Rectangle)
  /** A row of the table. */
  | { readonly of: 'group'; readonly filters: readonly WireFilter[] }
  /** Some of the time, on the chart of a calculation. */
  | ({ readonly of: 'stretch'; readonly calculation: string } & Stretch);

export function betweenFilters({ column, box }: Rectangle): readonly WireFilter[] {
  return [
    { column, op: '>', value: box.above },
    { column, op: '<=', value: box.upTo },
  ];
}

/** `duration_ms from 4 to 8`. */
export function betweenWords({ column, box }: Rectangle): string {
  return `${column} from ${shortNumber(box.above)} to ${shortNumber(box.upTo)}`;
}

/** What was chosen, as rows. */
export function selectionOf(chosen: Chosen, dataset: Dataset): Selection {
  switch (chosen.of) {
    case 'errors':
      return { filters: dataset === 'logs' ? ERROR_LINES : ERRORS, from: null, to: null };
    case 'rectangle':
      return { filters: betweenFilters(chosen), from: chosen.box.from, to: chosen.box.to };
    case 'group':
      return { filters: chosen.filters, from: null, to: null };
    case 'stretch':
      return { filters: [], from: chosen.from, to: chosen.to };
  }
}

/** `duration_ms from 4 to 8, 10:02:00 to 10:05:00`. */
export function chosenWords(chosen: Chosen, dataset: Dataset): string {
  switch (chosen.of) {
    case 'errors':
      return dataset === 'logs' ? 'lines of errors' : 'spans that failed';
    case 'rectangle':
      return `${betweenWords(chosen)}, ${stretchWords(chosen.box)}`;
    case 'group':
      return describeConditions(chosen.filters);
    case 'stretch':
      return stretchWords(chosen);
  }
}

/** The time of what was chosen; null where that is all that is shown. */
export function timeOf(chosen: Chosen): Bounds | null {
  if (chosen.of === 'errors' || chosen.of === 'group') return null;
  const { from, to } = chosen.of === 'rectangle' ? chosen.box : chosen;
  return { from: nanosOf(from), to: nanosOf(to) };
}

/** Leads to why it was so, of a question in some time. */
export function chosenHref(chosen: Chosen, draft: Draft, bounds: Bounds): string {
  const within = timeOf(chosen) ?? bounds;
  switch (chosen.of) {
    case 'errors':
      return askHref(draft, 'error', within);
    case 'rectangle':
      return askHref(draft, symptomOf(draft, `HEATMAP(${chosen.column})`), within);
    case 'group': {
      const narrowed = narrow(draft, chosen.filters);
      return askHref(narrowed, symptomOf(narrowed, ''), within);
    }
    case 'stretch':
      return askHref(draft, symptomOf(draft, chosen.calculation), within);
  }
}

export function nanosOf(seconds: number): UnixNanos {
  return (BigInt(Math.round(seconds * 1000)) * NANOS_PER_MILLI) as UnixNanos;
}

/** What is certain of the rows of a question for which these hold as well. */
function narrow(draft: Draft, filters: readonly WireFilter[]): Draft {
  const certain = draft.any && draft.filters.length > 1 ? [] : draft.filters;
  return { ...draft, any: false, filters: [...certain, ...filters.map(fromFilter)] };
}

/** `10:02:00 to 10:05:00`. */
function stretchWords({ from, to }: Stretch): string {
  const clock = (seconds: number): string => formatClock(nanosOf(seconds)).slice(0, 8);
  return `${clock(from)} to ${clock(to)}`;
}

const ERRORS: readonly WireFilter[] = [{ column: 'status', op: '=', value: 'error' }];
const ERROR_LINES: readonly WireFilter[] = [{ column: 'severity_number', op: '>=', value: 17 }];
