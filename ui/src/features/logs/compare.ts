/** Which lines are compared with which others, and in which words. */
import type { ContrastQuestion } from '../../api/model';
import type { Condition } from '../../base/condition';
import { investigateHref } from '../../base/href';
import { localMinute, type Bounds } from '../../base/range';
import { NANOS_PER_MILLI, type UnixNanos } from '../../base/time';
import { readCondition } from './conditions';
import { aboutOf, CONDITIONS_MAX, ERROR_SEVERITY, symptomOf, type LogFilters } from './filters';
import type { Pattern } from './patterns';

/** What is compared with all others. */
export type Chosen =
  /** Among what is searched. */
  | { readonly of: 'errors' }
  /** What is searched, with all other lines. */
  | { readonly of: 'found' }
  | { readonly of: 'pattern'; readonly pattern: Pattern; readonly q: string }
  | { readonly of: 'stretch'; readonly within: Bounds };

/**
 * The question to the server; null where a condition of the search cannot be read. `around` holds
 * for all lines that there are, such as their environment.
 */
export function contrastOf(
  chosen: Chosen,
  filters: LogFilters,
  around: readonly string[],
  bounds: Bounds,
): ContrastQuestion | null {
  const [own, everywhere] = [conditionsOf(filters), allRead(around)];
  if (own === null || everywhere === null) return null;
  const q = filters.q.trim();
  const isFound = chosen.of === 'found';
  return {
    dataset: 'logs',
    q: isFound ? '' : q,
    filters: isFound ? everywhere : [...everywhere, ...own],
    start_time: seconds(bounds.from),
    end_time: seconds(bounds.to),
    selection: isFound ? { ...ALL, q, filters: own } : selectionOf(chosen),
  };
}

/** What is above the answer. */
export function chosenWords(chosen: Chosen): string {
  switch (chosen.of) {
    case 'errors':
      return 'lines of errors';
    case 'found':
      return 'what is searched, against all other lines';
    case 'pattern':
      return chosen.pattern.template;
    case 'stretch':
      return `${localMinute(chosen.within.from)} to ${localMinute(chosen.within.to)}`;
  }
}

/** Leads to why it was so. */
export function chosenHref(chosen: Chosen, filters: LogFilters, bounds: Bounds): string {
  const of = chosen.of === 'pattern' ? { ...filters, service: chosen.pattern.service } : filters;
  const within = chosen.of === 'stretch' ? chosen.within : bounds;
  const symptom = chosen.of === 'errors' ? 'error' : symptomOf(filters);
  const { node, q } = aboutOf(of);
  return investigateHref({ node, q, symptom, ...within });
}

/** Whether a search has errors and others. */
export function hasOthersThanErrors({ minSeverity }: LogFilters): boolean {
  return minSeverity < ERROR_SEVERITY;
}

/** Whether a difference can be added to the conditions of a search. */
export function hasRoom({ where }: LogFilters): boolean {
  return where.length + DIFFERENCE_CONDITIONS_MAX <= CONDITIONS_MAX;
}

function selectionOf(chosen: Exclude<Chosen, { of: 'found' }>): ContrastQuestion['selection'] {
  switch (chosen.of) {
    case 'errors':
      return { ...ALL, filters: [ERRORS] };
    case 'pattern': {
      const of = { column: 'service', op: '=', value: chosen.pattern.service } as const;
      return { ...ALL, q: chosen.q, filters: [of] };
    }
    case 'stretch': {
      const { from, to } = chosen.within;
      return { ...ALL, start_time: seconds(from), end_time: seconds(to) };
    }
  }
}

function conditionsOf({ service, minSeverity, where }: LogFilters): readonly Condition[] | null {
  const read = allRead(where);
  if (read === null) return null;
  return [
    ...(service === '' ? [] : [{ column: 'service', op: '=', value: service } as const]),
    ...(minSeverity === 0 ? [] : [{ ...ERRORS, value: minSeverity }]),
    ...read,
  ];
}

function allRead(conditions: readonly string[]): readonly Condition[] | null {
  const read = conditions.map(readCondition).filter((each) => each !== null);
  return read.length === conditions.length ? read : null;
}

function seconds(time: UnixNanos): number {
  return Number(time / NANOS_PER_MILLI) / 1000;
}

const ALL: ContrastQuestion['selection'] = { q: '', filters: [], start_time: null, end_time: null };
const ERRORS = { column: 'severity_number', op: '>=', value: ERROR_SEVERITY } as const;
/** Two ranges of numbers. */
const DIFFERENCE_CONDITIONS_MAX = 4;
