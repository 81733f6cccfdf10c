/** An investigation in words, and where it leads. */
import type {
  EvidenceSearch,
  FigureUnit,
  Investigation,
  InvestigationQuestion,
  SymptomName,
} from '../../api/model';
import {
  formatCount,
  formatDollars,
  formatMillis,
  formatPerMinute,
  formatShare,
  formatAbsolute,
} from '../../base/format';
import { exploreHref } from '../../base/href';
import { localMinute } from '../../base/range';
import { parseUnixNanos, toDate, unixNanosFromMillis, type UnixNanos } from '../../base/time';
import { parseClock, utcOffsetMinutes } from '../../base/zone';

/** What the address says; empty where it says nothing, and the sentence is asked. */
export interface Slots {
  readonly q: string;
  readonly symptom: string;
  readonly node: string;
  readonly from: string;
  readonly to: string;
}

export const SYMPTOMS: readonly { readonly value: SymptomName; readonly label: string }[] = [
  { value: 'slow', label: 'is slow' },
  { value: 'error', label: 'fails' },
  { value: 'throttle', label: 'is throttled' },
  { value: 'timeout', label: 'times out' },
  { value: 'cold_start', label: 'starts cold' },
  { value: 'expensive', label: 'costs more' },
  { value: 'silent', label: 'is silent' },
  { value: 'waiting', label: 'waits' },
  { value: 'changed', label: 'has changed' },
];

export function parseSlots(search: string): Slots {
  const params = new URLSearchParams(search);
  const text = (key: string): string => params.get(key) ?? '';
  const symptom = SYMPTOMS.find(({ value }) => value === text('symptom'))?.value ?? '';
  return { q: text('q'), symptom, node: text('node'), from: text('from'), to: text('to') };
}

export function formatSlots(slots: Slots): string {
  const said = Object.entries(slots).filter(([, value]) => value !== '');
  return said.length === 0 ? '' : `?${new URLSearchParams(said)}`;
}

/** What is asked of the server; null while nothing is said. */
export function questionOf(slots: Slots): InvestigationQuestion | null {
  if (formatSlots(slots) === '') return null;
  const symptom = SYMPTOMS.find(({ value }) => value === slots.symptom)?.value;
  const [from, to] = [nanosOf(slots.from), nanosOf(slots.to)];
  return {
    question: slots.q,
    utc_offset_minutes: utcOffsetMinutes(),
    ...(symptom === undefined ? {} : { symptom }),
    ...(slots.node === '' ? {} : { node: slots.node }),
    ...(from === null ? {} : { from }),
    ...(to === null ? {} : { to }),
  };
}

/** RFC 3339 as the API takes times. */
function nanosOf(text: string): string | null {
  const millis = Date.parse(text);
  return Number.isNaN(millis) || millis < 0 ? null : String(unixNanosFromMillis(millis));
}

/** A time of the server; the beginning of all time where there is none. */
export function timeOf(nanos: string): UnixNanos {
  return parseUnixNanos(nanos) ?? (0n as UnixNanos);
}

/** `2026-11-21T22:00` by the chosen clock, as a field for times has it. */
export function fieldOf(nanos: string): string {
  return localMinute(timeOf(nanos)).slice(0, 16).replace(' ', 'T');
}

/** The other way round: RFC 3339 of a field; empty if it is no time. */
export function isoOf(field: string): string {
  const millis = parseClock(field);
  return Number.isNaN(millis) ? '' : new Date(millis).toISOString();
}

/** `147 ms`, `12 %`, `14 a minute`, `$2.10 an hour`. */
export function amount(unit: FigureUnit, value: number): string {
  switch (unit) {
    case 'ms':
      return formatMillis(value);
    case 'share':
      return formatShare(value);
    case 'per_minute':
      return formatPerMinute(value);
    case 'usd_per_hour':
      return `${formatDollars(value)} an hour`;
    case 'count':
      return formatCount(Math.round(value));
  }
}

/** `since 2026-11-21 22:07, held against the four hours before`. */
export function sinceWords(told: Investigation): string {
  if (told.onset_unix_nanos === null || told.reference === null) return '';
  const at = formatAbsolute(timeOf(told.onset_unix_nanos)).slice(0, 16);
  const before = told.began_before ? ' or before' : '';
  const against =
    told.reference.name === 'day_before'
      ? 'the same hours of the day before'
      : 'the four hours before';
  return `since ${at}${before}, held against ${against}`;
}

/** Who may be named in it. */
export function nodesOf(told: Investigation): readonly string[] {
  const near = [...told.upstream, ...told.downstream, ...told.causes, ...told.beside];
  const others = [...told.evidence, ...told.ruled_out].map(({ node }) => node);
  const all = [told.node, ...near.map(({ node }) => node), ...others];
  return [...new Set(all.filter((node) => node !== null))];
}

/** Where a statement shows something. */
export function statementHref(sql: string): string {
  return `/explore?${new URLSearchParams({ tab: 'sql', sql })}`;
}

/** Where the rows are that show something. */
export function searchHref({ dataset, filters, q, from, to }: EvidenceSearch): string {
  if (dataset === 'spans') return exploreHref(filters, timeOf(from), timeOf(to));
  const search = new URLSearchParams();
  if (q !== '') search.set('q', q);
  const service = filters.find(({ column }) => column === 'service')?.value;
  if (typeof service === 'string') search.set('service', service);
  search.set('from', toDate(timeOf(from)).toISOString());
  search.set('to', toDate(timeOf(to)).toISOString());
  return `/logs?${search}`;
}
