/** Everything that the panel tells of one span. */
import type { Span } from '../../api/model';
import type { DurationNanos, UnixNanos } from '../../base/time';
import { ancestorsOf, ownTime, type Tree } from '../../widgets/waterfall/tree';
import { environmentOf, type Environment } from './environment';
import { failuresOf, type Failure } from './failures';
import { logsOfSpan, type LogsOfSpan, type PlacedLog } from './logs';
import { payloadsOf, type Payload, type Side } from './payload';
import { phaseOf } from './waterfall';

export interface OpenedSpan {
  readonly span: Span;
  readonly index: number;
  readonly traceStart: UnixNanos;
  /** The time in which none of its children ran. */
  readonly own: DurationNanos;
  /** The trace comes in with this span. */
  readonly entry: boolean;
  readonly failures: readonly Failure[];
  readonly logs: LogsOfSpan;
  readonly environment: Environment;
  readonly payloads: Readonly<Record<Side, readonly Payload[]>>;
}

export interface Told {
  readonly tree: Tree;
  readonly spans: ReadonlyMap<string, Span>;
  readonly logs: readonly PlacedLog[];
  readonly logsBySpan: ReadonlyMap<string, readonly PlacedLog[]>;
}

export function openSpan(told: Told, index: number): OpenedSpan | null {
  const { tree, spans, logs } = told;
  const row = tree.rows[index];
  const span = spans.get(row?.span.id ?? '');
  if (!row || !span) return null;
  const invocation = invocationOf(told, index);
  return {
    span,
    index,
    traceStart: tree.start,
    own: ownTime(tree, index),
    entry: row.entry,
    failures: failuresOf(span, logsIn(told, span)),
    logs: logsOfSpan(logs, tree, index),
    environment: environmentOf(span, invocation, invocation ? logsIn(told, invocation) : []),
    payloads: {
      input: payloadsFrom(told, index, 'input'),
      output: payloadsFrom(told, index, 'output'),
    },
  };
}

/** The span's own; of an invocation those of its handler, which is told apart from it. */
function payloadsFrom({ tree, spans }: Told, index: number, side: Side): readonly Payload[] {
  const row = tree.rows[index]!;
  const own = payloadsOf(spans.get(row.span.id)!.attributes, side);
  if (own.length > 0 || row.span.phase !== 'invoke') return own;
  for (let at = index + 1; at <= index + row.below; at += 1 + tree.rows[at]!.below) {
    const handler = spans.get(tree.rows[at]!.span.id);
    if (handler === undefined || phaseOf(handler) !== 'code') continue;
    const theirs = payloadsOf(handler.attributes, side);
    if (theirs.length > 0) return theirs;
  }
  return [];
}

/** The invocation that a span is, or ran in; none for what nobody sent. */
function invocationOf({ tree, spans }: Told, index: number): Span | null {
  const row = tree.rows[index]!;
  if (row.span.waiting) return null;
  const above = [row, ...ancestorsOf(tree, index)].find(({ span }) => span.phase === 'invoke');
  return above === undefined ? null : (spans.get(above.span.id) ?? null);
}

function logsIn({ logsBySpan }: Told, span: Span): readonly PlacedLog['log'][] {
  return (logsBySpan.get(span.spanId) ?? []).map(({ log }) => log);
}
