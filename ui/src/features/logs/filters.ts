/** What is looked for among the logs, as the address has it. */
import type { LogQuery } from '../../api/client';
import { subjectOf, type Subject } from '../../base/subject';

export interface LogFilters {
  /** Words, phrases, regular expressions of the body. */
  readonly q: string;
  readonly service: string;
  /** 0 does not narrow; 13 is WARN, 17 ERROR. */
  readonly minSeverity: number;
  /** Each a condition such as `order.total>=100`. */
  readonly where: readonly string[];
}

export const NO_FILTERS: LogFilters = { q: '', service: '', minSeverity: 0, where: [] };

export const SEVERITIES: readonly { readonly value: string; readonly label: string }[] = [
  { value: '0', label: 'All' },
  { value: '9', label: 'Info' },
  { value: '13', label: 'Warnings' },
  { value: '17', label: 'Errors' },
];

/** From ERROR on. */
export const ERROR_SEVERITY = 17;

/** The server takes no more than these in one question. */
export const CONDITIONS_MAX = 16;

export function parseFilters(search: string): LogFilters {
  const params = new URLSearchParams(search);
  const severity = Number(params.get('min') ?? 0);
  return {
    q: params.get('q') ?? '',
    service: params.get('service') ?? '',
    minSeverity: Number.isInteger(severity) && severity > 0 && severity <= 24 ? severity : 0,
    where: [...new Set(params.getAll('where').filter((each) => each.trim() !== ''))].slice(
      0,
      CONDITIONS_MAX,
    ),
  };
}

/** Writes the filters into an address, beside what else stands there. */
export function setFilters(params: URLSearchParams, filters: LogFilters): void {
  for (const key of ['q', 'service', 'min', 'where']) params.delete(key);
  if (filters.q !== '') params.set('q', filters.q);
  if (filters.service !== '') params.set('service', filters.service);
  if (filters.minSeverity > 0) params.set('min', String(filters.minSeverity));
  for (const condition of filters.where) params.append('where', condition);
}

export function toQuery(filters: LogFilters): LogQuery {
  const { q, service, minSeverity, where } = filters;
  return { q: q.trim(), service, minSeverity, where };
}

/** Whom the lines are of. */
export function aboutOf({ service, where }: LogFilters): Subject {
  const is = (column: string, value: string) => ({ column, op: '=' as const, value });
  const names = where.flatMap((each) => FUNCTION.exec(each)?.[1] ?? []);
  return subjectOf([
    ...names.map((name) => is('faas.name', name)),
    ...(service === '' ? [] : [is('service', service)]),
  ]);
}

/** What would be wrong where there are many of them; empty where that says nothing. */
export function symptomOf({ minSeverity }: LogFilters): 'error' | '' {
  return minSeverity >= ERROR_SEVERITY ? 'error' : '';
}

export function isNarrow({ q, service, minSeverity, where }: LogFilters): boolean {
  return q !== '' || service !== '' || minSeverity > 0 || where.length > 0;
}

/** `faas.name="pay"`, as other pages lead here, or as somebody types it. */
const FUNCTION = /^\s*faas\.name\s*=\s*"?([^"]+?)"?\s*$/;
