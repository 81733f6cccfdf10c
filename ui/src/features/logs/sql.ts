/** The search as a condition of SQL, for counting what it finds by time and level. */
import type { LogFilters } from './filters';
import type { Bounds } from '../../base/range';
import { toDate, type UnixNanos } from '../../base/time';

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

/** `http.route="/pay"`, `total>=100`, `user.id contains 42`, `error.type exists`. */
function conditionOf(condition: string): string | null {
  const found = CONDITION.exec(condition.trim());
  if (!found) return null;
  const [, quoted, bare, symbol, word, rest = ''] = found;
  const column = `"${(quoted ?? bare ?? '').replaceAll('"', '""')}"`;
  const value = rest.trim().replace(/^"(.*)"$/, '$1');
  const operator = symbol ?? word ?? '';
  if (operator === 'exists') return `${column} is not null`;
  if (operator === 'does-not-exist') return `${column} is null`;
  if (operator === '~' || operator === 'matches') return `regexp_like(${column}, ${text(value)})`;
  if (operator === 'contains') return `contains(${column}, ${text(value)})`;
  if (operator === 'starts-with') return `starts_with(${column}, ${text(value)})`;
  if (!COMPARED.has(operator)) return null;
  const isNumber = /^-?\d+(\.\d+)?$/.test(value) && rest.trim() === value;
  const literal = isNumber || /^(true|false)$/.test(value) ? value : text(value);
  if (operator === '!=') return `(${column} is null or ${column} != ${literal})`;
  return `${column} ${operator} ${literal}`;
}

const COMPARED = new Set(['=', '!=', '<', '<=', '>', '>=']);
const CONDITION =
  /^(?:"([^"]+)"|([^\s=!<>~"]+))\s*(?:(<=|>=|!=|=|<|>|~)|\s(exists|does-not-exist|contains|matches|starts-with|[a-z-]+)(?=\s|$))\s*(.*)$/;

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

function timestamp(time: UnixNanos): string {
  return `timestamp '${toDate(time).toISOString()}'`;
}
