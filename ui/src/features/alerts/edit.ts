/** What is watched, changed as a form changes it. */
import type { AlertRule, AlertSettings, Objective, QuerySpec } from '../../api/model';
import type { Condition } from '../../base/condition';
import type { Problem } from '../../base/problems';

export type Measure = Objective['measure'];
export type Calculation = NonNullable<QuerySpec['calculations']>[number];

/** The fields of the settings that the server names in what is wrong. */
export const ROOTS = ['objectives', 'alerts'] as const;

/** An objective more, for somebody to complete. */
export function withObjective(settings: AlertSettings): AlertSettings {
  const objectives = settings.objectives ?? [];
  const name = freeName('new objective', objectives);
  const measure = emptyMeasure('spans');
  return { ...settings, objectives: [...objectives, { name, target: 0.999, days: 30, measure }] };
}

/** What an alert asks: a query, a statement of SQL, a question to the graph, or what a saved query does. */
export type Asked =
  | { readonly query: QuerySpec }
  | { readonly sql: string }
  | { readonly graph: string }
  | { readonly saved: string };

/** A saved query that an alert can follow. */
export interface Followed {
  readonly name: string;
  /** What it asks. */
  readonly words: string;
  /** Where it is asked. */
  readonly href: string;
}

/** An alert more, for somebody to complete. */
export function withAlert(settings: AlertSettings, asked: Asked): AlertSettings {
  const alerts = settings.alerts ?? [];
  const alert: AlertRule = {
    name: freeName('new alert', alerts),
    ...('query' in asked ? { query: watchable(asked.query) } : asked),
    op: '>',
    value: 0,
    for_minutes: 5,
    every_minutes: 1,
    severity: 'warning',
  };
  return { ...settings, alerts: [...alerts, alert] };
}

/** What an alert asks that begins with nothing. */
export const FAILURES: Asked = {
  query: {
    dataset: 'spans',
    calculations: [{ op: 'COUNT' }],
    filters: [{ column: 'status', op: '=', value: 'error' }],
    breakdowns: ['service'],
  },
};

const EXAMPLES: Record<Exclude<Way, 'saved'>, Asked> = {
  query: FAILURES,
  sql: {
    sql: "select service, count(*) as failed\nfrom spans\nwhere status = 'error' and time > now() - interval '5 minutes'\ngroup by service",
  },
  graph: {
    graph:
      "MATCH (f:Function)-[c:CALLS]->(t:Table)\nRETURN t.name, sum(c.errors)\nDURING 'last 5 minutes'",
  },
};

export type Way = 'query' | 'sql' | 'graph' | 'saved';

/** In which way an alert asks. */
export function wayOf({ sql, graph, saved }: AlertRule): Way {
  if (saved !== undefined) return 'saved';
  if (sql !== undefined) return 'sql';
  return graph === undefined ? 'query' : 'graph';
}

/** The same alert, asking in another way; of the saved queries it follows the first. */
export function askedAs(
  alert: AlertRule,
  way: Way,
  saved: readonly { readonly name: string }[] = [],
): AlertRule {
  const { query: _query, sql: _sql, graph: _graph, saved: _saved, ...rest } = alert;
  if (way === 'saved') return { ...rest, saved: saved[0]?.name ?? '' };
  return { ...rest, ...EXAMPLES[way] };
}

/** A query as it can be watched: one number, of the last five minutes. */
function watchable(query: QuerySpec): QuerySpec {
  const { start_time: _from, end_time: _to, granularity: _step, ...rest } = query;
  const { orders: _orders, limit: _limit, ...asked } = rest;
  const calculations = (query.calculations ?? []).filter(({ op }) => op !== 'HEATMAP');
  return { ...asked, calculations: calculations.slice(0, 1), time_range: 300 };
}

/** The same with another objective in a place, or none there. */
export function withObjectiveAt(
  settings: AlertSettings,
  at: number,
  objective: Objective | null,
): AlertSettings {
  return { ...settings, objectives: replaced(settings.objectives ?? [], at, objective) };
}

/** The same with another alert in a place, or none there. */
export function withAlertAt(
  settings: AlertSettings,
  at: number,
  alert: AlertRule | null,
): AlertSettings {
  return { ...settings, alerts: replaced(settings.alerts ?? [], at, alert) };
}

/** What is counted, of which nothing is said yet but what most people want. */
export function emptyMeasure(kind: 'spans' | 'actions'): Measure {
  const of: Condition = { column: 'service', op: '=', value: '' };
  return kind === 'spans'
    ? {
        spans: {
          filters: [of, { column: 'kind', op: '=', value: 'server' }],
          good: [{ column: 'status', op: '!=', value: 'error' }],
        },
      }
    : { actions: { begin: [of], end: { service: '', name: '' }, within_ms: 5000 } };
}

/** What an alert asks for; the number of rows, if it does not say. */
export function calculationOf(query: QuerySpec): Calculation {
  return query.calculations?.[0] ?? { op: 'COUNT' };
}

/** What can be calculated; COUNT and RATE need no column. */
export const OPS = [
  'COUNT',
  'RATE',
  'P50',
  'P90',
  'P95',
  'P99',
  'AVG',
  'MIN',
  'MAX',
  'SUM',
  'COUNT_DISTINCT',
] as const;

export function needsColumn(op: string): boolean {
  return op !== 'COUNT' && op !== 'RATE';
}

/** What could not even be read by the server, which then would not say where, and what says nothing. */
export function unreadable(settings: AlertSettings): readonly Problem[] {
  const objectives = (settings.objectives ?? []).flatMap((each, at) => [
    ...needed(each.target, `objectives[${at}].target`),
    ...needed(said(each.days, 30), `objectives[${at}].days`, WHOLE),
    ...('actions' in each.measure
      ? [
          ...needed(each.measure.actions.within_ms, `objectives[${at}].measure.actions`, WHOLE),
          ...named(each.measure.actions.begin, `objectives[${at}].measure`),
        ]
      : [
          ...named(each.measure.spans.filters, `objectives[${at}].measure`),
          ...named(each.measure.spans.good, `objectives[${at}].measure.spans.good`),
        ]),
  ]);
  const alerts = (settings.alerts ?? []).flatMap((each, at) => [
    ...(each.saved === '' ? [{ place: `alerts[${at}].saved`, why: 'choose one' }] : []),
    ...needed(each.value, `alerts[${at}].value`),
    ...needed(said(each.for_minutes, 0), `alerts[${at}].for_minutes`, WHOLE),
    ...needed(said(each.every_minutes, 1), `alerts[${at}].every_minutes`, WHOLE),
    ...(each.query === undefined
      ? []
      : [
          ...needed(said(each.query.time_range, 60), `alerts[${at}].query.time_range`),
          ...named(each.query.filters ?? [], `alerts[${at}].query`),
        ]),
  ]);
  return [...objectives, ...alerts];
}

/** What is said, which may be nothing yet, or what holds where a field is left out. */
export function said<T>(value: T | undefined, otherwise: T): T {
  return value === undefined ? otherwise : value;
}

/** A share as people write it: `99.9` for 0.999, without the dust of binary fractions. */
export function percentOf(share: number): number {
  return Number((share * 100).toFixed(8));
}

export function shareOf(percent: number): number {
  return Number((percent / 100).toFixed(10));
}

function needed(value: unknown, place: string, whole = false): readonly Problem[] {
  if (!Number.isFinite(value)) return [{ place, why: 'it needs a number' }];
  const fits = !whole || (Number.isInteger(value) && Number(value) >= 0);
  return fits ? [] : [{ place, why: 'it needs a whole number' }];
}

/** No column, or the service of no name that a new objective begins with: nobody has completed it. */
function named(conditions: readonly Condition[], place: string): readonly Problem[] {
  const isOpen = ({ column, value }: Condition): boolean =>
    column === '' || (column === 'service' && value === '');
  return conditions.some(isOpen) ? [{ place, why: 'a condition is not complete' }] : [];
}

function replaced<T>(list: readonly T[], at: number, item: T | null): readonly T[] {
  return item === null
    ? list.filter((_, place) => place !== at)
    : list.map((each, place) => (place === at ? item : each));
}

function freeName(wanted: string, taken: readonly { readonly name: string }[]): string {
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? wanted : `${wanted} ${number}`;
    if (!taken.some((each) => each.name === name)) return name;
  }
}

const WHOLE = true;
