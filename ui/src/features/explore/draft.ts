/** A question as the reader builds it, as the address has it, and as the server wants it. */
import type { Dataset } from '../../api/client';
import type { QuerySpec } from '../../api/model';
import {
  asTyped,
  fromTyped,
  OPERATORS,
  toTyped,
  valueOf,
  type TypedCondition,
} from '../../base/condition';
import { ENVIRONMENT_KEY } from '../../base/environment';
import { stepSeconds, type Bounds } from '../../base/range';
import { NANOS_PER_MILLI } from '../../base/time';

export interface Calculation {
  readonly op: string;
  /** Empty for COUNT and RATE. */
  readonly column: string;
}

export type Filter = TypedCondition;

export interface Draft {
  readonly dataset: Dataset;
  readonly calculations: readonly Calculation[];
  readonly breakdowns: readonly string[];
  readonly filters: readonly Filter[];
  readonly any: boolean;
  /** A calculation or a breakdown, as its column is called; empty for the first calculation. */
  readonly order: string;
  readonly ascending: boolean;
  readonly limit: number;
  /** Seconds of a point; 0 for what fits the time. */
  readonly step: number;
}

export const OPS = [
  'COUNT',
  'RATE',
  'HEATMAP',
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

export const START: Draft = {
  dataset: 'spans',
  calculations: [
    { op: 'COUNT', column: '' },
    { op: 'HEATMAP', column: 'duration_ms' },
  ],
  breakdowns: ['service'],
  filters: [],
  any: false,
  order: '',
  ascending: false,
  limit: 20,
  step: 0,
};

export function needsColumn(op: string): boolean {
  return op !== 'COUNT' && op !== 'RATE';
}

/** What the server calls the column of a calculation. */
export function columnOf({ op, column }: Calculation): string {
  return needsColumn(op) ? `${op}(${column})` : op;
}

export function isWhole(draft: Draft): boolean {
  return (
    draft.calculations.every((each) => !needsColumn(each.op) || each.column !== '') &&
    draft.filters.every((each) => each.column !== '')
  );
}

export function toSpec(draft: Draft, bounds: Bounds): QuerySpec {
  const seconds = (time: bigint): number => Number(time / NANOS_PER_MILLI) / 1000;
  const step = draft.step > 0 ? draft.step : Math.max(1, stepSeconds(bounds, POINTS));
  return {
    ...timeless(draft),
    start_time: Math.floor(seconds(bounds.from) / step) * step,
    end_time: seconds(bounds.to),
    granularity: step,
  };
}

/** What is asked, of no time. */
export function timeless(draft: Draft): QuerySpec {
  return {
    dataset: draft.dataset,
    calculations: draft.calculations.map(({ op, column }) =>
      needsColumn(op) ? { op, column } : { op },
    ),
    breakdowns: draft.breakdowns,
    filters: toFilters(draft.filters),
    ...(draft.any ? { filter_combination: 'OR' as const } : {}),
    ...orderOf(draft),
    limit: draft.limit,
    ...(draft.step > 0 ? { granularity: draft.step } : {}),
  };
}

/** The question of a query, whose time is left out. */
export function toDraft(spec: QuerySpec): Draft {
  const [order] = spec.orders ?? [];
  const { op, column = '' } = order ?? {};
  return {
    dataset: spec.dataset ?? 'spans',
    calculations: (spec.calculations ?? []).map((each) => ({
      op: each.op,
      column: each.column ?? '',
    })),
    breakdowns: spec.breakdowns ?? [],
    filters: (spec.filters ?? []).map(toTyped),
    any: spec.filter_combination === 'OR',
    order: op === undefined ? column : columnOf({ op, column }),
    ascending: order?.order === 'ascending',
    limit: spec.limit ?? START.limit,
    step: spec.granularity ?? START.step,
  };
}

/** The same in one environment; null where that cannot be asked beside a choice of conditions. */
export function inEnvironment(spec: QuerySpec, environment: string): QuerySpec | null {
  if (environment === '') return spec;
  const filters = spec.filters ?? [];
  if (spec.filter_combination === 'OR' && filters.length > 1) return null;
  const { filter_combination: _one, ...rest } = spec;
  return { ...rest, filters: [...filters, environmentFilter(environment)] };
}

export function environmentFilter(environment: string): WireFilter {
  return { column: ENVIRONMENT_KEY, op: '=', value: environment };
}

export type WireFilter = NonNullable<QuerySpec['filters']>[number];

export function toFilters(filters: readonly Filter[]): readonly WireFilter[] {
  return filters.map(fromTyped);
}

/** A condition as the reader would have written it. */
export function fromFilter({ column, op, value }: WireFilter): Filter {
  const known = OPERATORS.find((each) => each === op) ?? '=';
  if (typeof value === 'number' || typeof value === 'boolean')
    return { column, op: known, value: asTyped(value) };
  const text = value === undefined ? '' : String(value);
  // A text that reads as something else is one in quotes.
  const isPlain = valueOf(text) === text;
  return { column, op: known, value: isPlain ? text : `"${text}"` };
}

/** The shortest text that says the same: only what differs from the start. */
export function formatDraft(draft: Draft): string {
  const said = Object.entries(draft).filter(
    ([key, value]) => JSON.stringify(value) !== JSON.stringify(START[key as keyof Draft]),
  );
  return said.length === 0 ? '' : JSON.stringify(Object.fromEntries(said));
}

/** What it does not understand is as at the start. */
export function parseDraft(text: string | null): Draft {
  if (text === null || text === '') return START;
  try {
    const said = JSON.parse(text) as Partial<Record<keyof Draft, unknown>>;
    return {
      dataset: said.dataset === 'logs' || said.dataset === 'metrics' ? said.dataset : 'spans',
      calculations: list(said.calculations, START.calculations, (each) => ({
        op: asText(each['op']) || 'COUNT',
        column: asText(each['column']),
      })),
      breakdowns: Array.isArray(said.breakdowns) ? said.breakdowns.map(asText) : START.breakdowns,
      filters: list(said.filters, [], (each) => ({
        column: asText(each['column']),
        op: OPERATORS.find((op) => op === each['op']) ?? '=',
        value: asTyped(each['value']),
      })),
      any: said.any === true,
      order: asText(said.order),
      ascending: said.ascending === true,
      limit: bounded(said.limit, START.limit, 1000),
      step: bounded(said.step, 0, 86_400),
    };
  } catch {
    return START;
  }
}

/** `COUNT, P99(duration_ms) by service where status = error`. */
export function describe(draft: Draft): string {
  const what = draft.calculations.map(columnOf).join(', ') || 'COUNT';
  const by = draft.breakdowns.length > 0 ? ` by ${draft.breakdowns.join(', ')}` : '';
  const joint = draft.any ? ' or ' : ' and ';
  const where = draft.filters.map(({ column, op, value }) => `${column} ${op} ${value}`.trim());
  const of = draft.dataset === 'spans' ? '' : ` of ${draft.dataset}`;
  return `${what}${of}${by}${where.length > 0 ? ` where ${where.join(joint)}` : ''}`;
}

function orderOf(draft: Draft): Pick<QuerySpec, 'orders'> | object {
  if (draft.order === '') return {};
  const order = draft.ascending ? ('ascending' as const) : ('descending' as const);
  const calculation = draft.calculations.find((each) => columnOf(each) === draft.order);
  if (!calculation) {
    const isThere = draft.breakdowns.includes(draft.order);
    return isThere ? { orders: [{ column: draft.order, order }] } : {};
  }
  if (calculation.op === 'HEATMAP') return {};
  const { op, column } = calculation;
  return { orders: [needsColumn(op) ? { op, column, order } : { op, order }] };
}

function list<T>(
  value: unknown,
  otherwise: readonly T[],
  read: (each: Record<string, unknown>) => T,
): readonly T[] {
  if (!Array.isArray(value)) return otherwise;
  return value.slice(0, 20).map((each) => read((each ?? {}) as Record<string, unknown>));
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function bounded(value: unknown, otherwise: number, max: number): number {
  return typeof value === 'number' && value >= 0 ? Math.min(max, Math.floor(value)) : otherwise;
}

const POINTS = 120;
