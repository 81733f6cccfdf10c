/** The search as a condition of SQL, for counting what it finds by time and level. */
import type { Bounds } from '../../base/range';
import { toDate, type UnixNanos } from '../../base/time';
import { readCondition } from './conditions';
import type { LogFilters } from './filters';

/** Null when the search says something that this cannot say in SQL. */
export function histogramSql(
  filters: LogFilters,
  bounds: Bounds,
  stepSeconds: number,
): string | null {
  const where = conditionsOf(filters);
  if (where === null) return null;
  const all = [`time >= ${timestamp(bounds.from)}`, `time < ${timestamp(bounds.to)}`, ...where];
  return [
    `select date_bin(interval '${stepSeconds} seconds', time) as at,`,
    "case when severity_number >= 17 then 'error' when severity_number >= 13 then 'warn' else 'info' end as level,",
    `count(*) as n from logs where ${all.join(' and ')} group by at, level order by at`,
  ].join(' ');
}

export function conditionsOf(filters: LogFilters): readonly string[] | null {
  const found: string[] = [];
  if (filters.service !== '') found.push(`service = ${text(filters.service)}`);
  if (filters.minSeverity > 0) found.push(`severity_number >= ${filters.minSeverity}`);
  for (const term of termsOf(filters.q)) {
    const like = `regexp_like(body, ${text(term.pattern)}${term.exact ? '' : ", 'i'"})`;
    found.push(term.not ? `(body is null or not ${like})` : like);
  }
  for (const each of filters.where) {
    const condition = conditionOf(each);
    if (condition === null) return null;
    found.push(condition);
  }
  return found;
}

export interface Term {
  /** A regular expression. */
  readonly pattern: string;
  readonly not: boolean;
  /** Capitals matter. */
  readonly exact: boolean;
}

/** `timeout "order 1234" /took \d+/ -retry`, as the log search reads it. */
export function termsOf(q: string): readonly Term[] {
  const terms: Term[] = [];
  for (const [whole, minus = ''] of q.matchAll(/(-?)("[^"]*"?|\/(?:\\.|[^/\\])+\/|\S+)/g)) {
    const said = whole.slice(minus.length);
    const not = minus === '-';
    if (/^\/.+\/$/.test(said)) terms.push({ pattern: said.slice(1, -1), not, exact: true });
    else {
      const words = said.match(/[\p{L}\p{N}_]+/gu) ?? [];
      if (words.length > 0) terms.push({ pattern: wholeWords(words), not, exact: false });
    }
  }
  return terms;
}

/** A word is found whole: `pay` is not in `payment`. */
function wholeWords(words: readonly string[]): string {
  const between = '[^\\p{L}\\p{N}_]';
  return `(^|${between})${words.join(`${between}+`)}(${between}|$)`;
}

function conditionOf(condition: string): string | null {
  const read = readCondition(condition);
  if (read === null) return null;
  const column = `"${read.column.replaceAll('"', '""')}"`;
  const value = String(read.value ?? '');
  switch (read.op) {
    case 'exists':
      return `${column} is not null`;
    case 'does-not-exist':
      return `${column} is null`;
    case 'matches':
      return `regexp_like(${column}, ${text(value)})`;
    case 'contains':
      return `contains(${column}, ${text(value)})`;
    case 'starts-with':
      return `starts_with(${column}, ${text(value)})`;
    default: {
      if (!COMPARED.has(read.op)) return null;
      const literal = typeof read.value === 'string' ? text(value) : value;
      if (read.op === '!=') return `(${column} is null or ${column} != ${literal})`;
      return `${column} ${read.op} ${literal}`;
    }
  }
}

const COMPARED: ReadonlySet<string> = new Set(['=', '!=', '<', '<=', '>', '>=']);

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function timestamp(time: UnixNanos): string {
  return `timestamp '${toDate(time).toISOString()}'`;
}
