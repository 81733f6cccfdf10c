/** Failed calls in groups: the same kind of failure whatever the numbers in its message. */
import type { Table } from '../../api/model';
import { compareNanos, type UnixNanos } from '../../base/time';
import { numberOf, timeOf } from './read';

export interface FailureGroup {
  readonly kind: string;
  /** Of the last one. */
  readonly message: string;
  readonly count: number;
  readonly last: UnixNanos;
  /** The last one. */
  readonly traceId: string;
  readonly spanId: string;
}

/** Where the last one of a group broke: the innermost span that failed. */
export interface Place {
  readonly spanId: string;
  readonly service: string;
  readonly name: string;
  /** `app.py:42`; empty where no span says so. */
  readonly line: string;
}

/** Rows of kind, message, count, last, trace, span; newest groups first. */
export function groupFailures(table: Table): readonly FailureGroup[] {
  const groups = new Map<string, FailureGroup>();
  for (const [kind, message, n, last, trace, span] of table.rows) {
    const row: FailureGroup = {
      kind: String(kind ?? ''),
      message: String(message ?? ''),
      count: numberOf(n),
      last: timeOf(last),
      traceId: String(trace ?? ''),
      spanId: String(span ?? ''),
    };
    const key = JSON.stringify([row.kind, templateOf(row.message)]);
    const known = groups.get(key);
    if (!known) groups.set(key, row);
    else {
      const newer = known.last >= row.last ? known : row;
      groups.set(key, { ...newer, count: known.count + row.count });
    }
  }
  return [...groups.values()].sort((a, b) => compareNanos(b.last, a.last));
}

/** What messages of one kind share: ids, numbers and quoted values are holes. */
export function templateOf(message: string): string {
  return message
    .slice(0, TEMPLATE_CHARS_MAX)
    .replace(/(["'`]).*?\1/g, '*')
    .replace(/[0-9a-f]{8}-[0-9a-f-]{13,}/gi, '*')
    .replace(/\b[0-9a-f]*\d[0-9a-f]*\b/gi, '*')
    .replace(/\d+/g, '*');
}

/** Rows of trace, span, parent, time, service, name, file, line: from each call down to what broke. */
export function placesOf(
  groups: readonly FailureGroup[],
  table: Table,
): ReadonlyMap<string, Place> {
  const spans = table.rows.map(([trace, span, parent, time, service, name, file, line]) => ({
    trace: String(trace),
    id: String(span),
    parent: parent === null ? '' : String(parent),
    time: timeOf(time),
    service: String(service ?? ''),
    name: String(name ?? ''),
    line: lineOf(file, line),
  }));
  const places = new Map<string, Place>();
  for (const group of groups) {
    const mine = spans.filter((span) => span.trace === group.traceId);
    let at = mine.find((span) => span.id === group.spanId);
    if (!at) continue;
    let line = at.line;
    const seen = new Set<string>();
    while (at && !seen.has(at.id)) {
      seen.add(at.id);
      if (line === '') line = at.line;
      const { id, service, name }: (typeof mine)[number] = at;
      places.set(group.spanId, { spanId: id, service, name, line });
      // What failed last is what the call could not survive.
      at = mine
        .filter((span) => span.parent === id)
        .sort((a, b) => compareNanos(b.time, a.time))[0];
      // A callee's own failure is the callee's page; the call of it is where this one broke.
      if (at && at.service !== service) break;
    }
  }
  return places;
}

function lineOf(file: unknown, line: unknown): string {
  if (typeof file !== 'string' || file === '') return '';
  const short = file.replace(/^(file:\/\/)?\/var\/task\//, '');
  return line === null || line === undefined ? short : `${short}:${String(line)}`;
}

const TEMPLATE_CHARS_MAX = 300;
