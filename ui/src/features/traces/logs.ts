/** Where the logs of a trace belong among its spans. */
import type { Log, Span } from '../../api/model';
import { levelOf, textOf, type Level } from '../../api/line';
import { compareNanos, NANOS_PER_MILLI } from '../../base/time';
import type { LogLine } from '../../widgets/waterfall/lines';
import { ancestorsOf, isWithin, type Tree } from '../../widgets/waterfall/tree';

/** A log and the span that it was written in, null when that is not known. */
export interface PlacedLog {
  readonly log: Log;
  readonly index: number;
  readonly spanId: string | null;
  readonly level: Level;
  readonly text: string;
}

/**
 * By span id where the log has one that is here; else by the invocation it
 * names, for lines that were written outside of any span.
 */
export function placeLogs(spans: readonly Span[], logs: readonly Log[]): readonly PlacedLog[] {
  const known = new Set(spans.map((span) => span.spanId));
  const invocations = invocationsOf(spans);
  return [...logs]
    .sort((a, b) => compareNanos(a.time, b.time))
    .map((log, index) => ({
      log,
      index,
      spanId: spanOf(log, known, invocations),
      level: levelOf(log.severityNumber),
      text: textOf(log),
    }));
}

export function groupBySpan(logs: readonly PlacedLog[]): ReadonlyMap<string, readonly PlacedLog[]> {
  const groups = new Map<string, PlacedLog[]>();
  for (const placed of logs) {
    if (placed.spanId === null) continue;
    const group = groups.get(placed.spanId);
    if (group) group.push(placed);
    else groups.set(placed.spanId, [placed]);
  }
  return groups;
}

/** Which logs to show: of one component, or of all where it is empty, and how bad they are at least. */
export interface LogFilter {
  readonly service: string;
  readonly least: Level;
}

export const ALL_LOGS: LogFilter = { service: '', least: 'info' };

export function narrowLogs(logs: readonly PlacedLog[], filter: LogFilter): readonly PlacedLog[] {
  return logs.filter(
    ({ log, level }) =>
      (filter.service === '' || log.service === filter.service) &&
      LEVELS.indexOf(level) >= LEVELS.indexOf(filter.least),
  );
}

/** A log as a line between the spans. */
export function logLine({ log, index, spanId, level, text }: PlacedLog): LogLine {
  return { id: `log-${index}`, spanId, service: log.service, time: log.time, level, text };
}

/** The logs that a reader of one span wants to see. */
export interface LogsOfSpan {
  /** Written in the span itself, or by its invocation while the span ran. */
  readonly meanwhile: readonly PlacedLog[];
  /** The same, and those of everything below it. */
  readonly withBelow: readonly PlacedLog[];
}

/**
 * Lines that a function prints name its invocation but no span. An invocation
 * does one thing at a time, so a line printed while a span of its code ran is
 * most likely about that.
 */
export function logsOfSpan(logs: readonly PlacedLog[], tree: Tree, index: number): LogsOfSpan {
  const { span } = tree.rows[index]!;
  // Lambda cuts the times of printed lines down to whole milliseconds.
  const earliest = span.start - NANOS_PER_MILLI;
  const end = span.start + span.duration;
  const invocation = span.phase === 'code' ? invocationAbove(tree, index) : null;
  const isMeanwhile = ({ log, spanId }: PlacedLog): boolean =>
    spanId === span.id ||
    (spanId !== null && spanId === invocation && log.time >= earliest && log.time <= end);
  const isBelow = ({ spanId }: PlacedLog): boolean => {
    const at = spanId === null ? undefined : tree.indexOf.get(spanId);
    return at !== undefined && isWithin(tree, index, at);
  };
  return {
    meanwhile: logs.filter(isMeanwhile),
    withBelow: logs.filter((placed) => isMeanwhile(placed) || isBelow(placed)),
  };
}

function invocationAbove(tree: Tree, index: number): string | null {
  const above = ancestorsOf(tree, index).find((row) => row.span.phase === 'invoke');
  return above?.span.id ?? null;
}

function invocationsOf(spans: readonly Span[]): ReadonlyMap<string, string> {
  const invocations = new Map<string, string>();
  for (const span of spans) {
    const id = span.attributes['faas.invocation_id'];
    const isInvocation = span.attributes['throughline.phase'] === 'invoke';
    if (typeof id === 'string' && (isInvocation || !invocations.has(id))) {
      invocations.set(id, span.spanId);
    }
  }
  return invocations;
}

function spanOf(
  log: Log,
  known: ReadonlySet<string>,
  invocations: ReadonlyMap<string, string>,
): string | null {
  if (log.spanId !== null && known.has(log.spanId)) return log.spanId;
  const id = log.attributes['faas.invocation_id'];
  return typeof id === 'string' ? (invocations.get(id) ?? null) : null;
}

const LEVELS: readonly Level[] = ['info', 'warn', 'error'];
