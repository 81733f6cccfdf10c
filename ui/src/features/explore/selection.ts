/** Which rows of a question are asked about, and in which words. */
import { NANOS_PER_MILLI, type UnixNanos } from '../../base/time';
import { formatClock } from '../../base/format';
import type { Box } from '../../widgets/chart/heat';
import { shortNumber } from '../../widgets/chart/lines';
import type { WireFilter } from './draft';
import type { Selection } from './explore.svelte';

/** A rectangle of the heat map of a column. */
export interface Chosen {
  readonly column: string;
  readonly box: Box;
}

export function betweenFilters({ column, box }: Chosen): readonly WireFilter[] {
  return [
    { column, op: '>', value: box.above },
    { column, op: '<=', value: box.upTo },
  ];
}

/** `duration_ms from 4 to 8`. */
export function betweenWords({ column, box }: Chosen): string {
  return `${column} from ${shortNumber(box.above)} to ${shortNumber(box.upTo)}`;
}

/** A rectangle as rows. */
export function selectionOf(chosen: Chosen): Selection {
  return { filters: betweenFilters(chosen), from: chosen.box.from, to: chosen.box.to };
}

/** `duration_ms from 4 to 8, 10:02:00 to 10:05:00`. */
export function chosenWords(chosen: Chosen): string {
  const clock = (seconds: number): string => formatClock(nanosOf(seconds)).slice(0, 8);
  return `${betweenWords(chosen)}, ${clock(chosen.box.from)} to ${clock(chosen.box.to)}`;
}

export function nanosOf(seconds: number): UnixNanos {
  return (BigInt(Math.round(seconds * 1000)) * NANOS_PER_MILLI) as UnixNanos;
}

export const ERRORS: Selection = {
  filters: [{ column: 'status', op: '=', value: 'error' }],
  from: null,
  to: null,
};
