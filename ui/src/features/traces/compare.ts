/**
 * Two traces of one kind beside each other: their steps aligned by the way of
 * services and operations that leads to them, spans of one way counted together.
 */
import type { TraceSummary } from '../../api/model';
import { formatDuration, plural } from '../../base/format';
import { compareNanos, type DurationNanos } from '../../base/time';
import { ownTime, type Row, type Tree } from '../../widgets/waterfall/tree';

/** What one trace has of a step. */
export interface Share {
  readonly count: number;
  readonly failed: number;
  /** Of all its spans, added up. */
  readonly duration: DurationNanos;
  /** Of those in which none of their children ran. */
  readonly own: DurationNanos;
  readonly firstSpanId: string;
}

export interface Step {
  /** Service and operation of every step above and of this one. */
  readonly path: string;
  readonly depth: number;
  readonly service: string;
  readonly name: string;
  /** A service in which something waited. */
  readonly waiting: boolean;
  /** In the trace that is looked at; null where it has no such step. */
  readonly here: Share | null;
  readonly there: Share | null;
  /** How much longer it is here. */
  readonly more: DurationNanos;
  /** The same of the own time, in which no step below counts. */
  readonly moreOwn: DurationNanos;
}

export function compareSteps(here: Tree, there: Tree): readonly Step[] {
  const root: Pair = { here: rootsOf(here), there: rootsOf(there) };
  const steps: Step[] = [];
  const stack: Entry[] = entriesOf(root, here, there, '', 0);
  for (let entry = stack.pop(); entry; entry = stack.pop()) {
    const step = stepOf(entry, here, there);
    steps.push(step);
    const below: Pair = {
      here: entry.here.flatMap((row) => childrenOf(here, row)),
      there: entry.there.flatMap((row) => childrenOf(there, row)),
    };
    for (const child of entriesOf(below, here, there, step.path, entry.depth + 1))
      stack.push(child);
  }
  return steps;
}

/** What made most of the difference: the own time of steps, the largest change first. */
export function causesOf(steps: readonly Step[]): readonly Step[] {
  return steps
    .filter((step) => step.moreOwn !== 0n)
    .sort((a, b) => compareNanos(size(b.moreOwn), size(a.moreOwn)))
    .slice(0, CAUSES_MAX);
}

/** `760 ms longer; 3 steps are only here, 1 only there.` */
export function compareWords(here: Tree, there: Tree, steps: readonly Step[]): string {
  const more = here.end - here.start - (there.end - there.start);
  const took =
    more === 0n
      ? 'Both took as long'
      : `This one took ${formatDuration(size(more))} ${more > 0n ? 'longer' : 'less'}`;
  const added = steps.filter((step) => step.there === null).length;
  const missing = steps.filter((step) => step.here === null).length;
  if (added + missing === 0) return `${took}, with the same steps.`;
  const isAre = added === 1 ? 'is' : 'are';
  return `${took}; ${plural(added, 'step')} ${isAre} only here, ${missing} only there.`;
}

/** Of traces of one kind the one with the median duration; of an even number the shorter of the two. */
export function typicalOf(traces: readonly TraceSummary[]): TraceSummary | null {
  const sorted = [...traces].sort((a, b) => compareNanos(a.duration, b.duration));
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? null;
}

/** Others that begin with the same operation of the same service, the newest first. */
export function sameKind(
  trace: TraceSummary,
  others: readonly TraceSummary[],
): readonly TraceSummary[] {
  return others
    .filter(
      (other) =>
        other.traceId !== trace.traceId &&
        other.rootService === trace.rootService &&
        other.rootName === trace.rootName,
    )
    .slice(0, KIND_MAX);
}

export const KIND_MAX = 50;
const CAUSES_MAX = 3;

interface Pair {
  readonly here: readonly Row[];
  readonly there: readonly Row[];
}

interface Entry extends Pair {
  readonly path: string;
  readonly depth: number;
}

/** Rows of one service and name together, ready for a stack: what began first is on top. */
function entriesOf(pair: Pair, here: Tree, there: Tree, above: string, depth: number): Entry[] {
  const groups = new Map<string, { here: Row[]; there: Row[] }>();
  const groupOf = ({ span }: Row): { here: Row[]; there: Row[] } => {
    const path = `${above}\n${span.service}\t${span.name}`;
    const known = groups.get(path) ?? { here: [], there: [] };
    groups.set(path, known);
    return known;
  };
  for (const row of pair.here) groupOf(row).here.push(row);
  for (const row of pair.there) groupOf(row).there.push(row);
  const began = (group: Pair): bigint => {
    const [mine, theirs] = [group.here[0], group.there[0]];
    return mine ? mine.span.start - here.start : theirs!.span.start - there.start;
  };
  return [...groups]
    .sort(([, a], [, b]) => compareNanos(began(b), began(a)))
    .map(([path, group]) => ({ ...group, path, depth }));
}

function stepOf(entry: Entry, here: Tree, there: Tree): Step {
  const { service, name, waiting } = (entry.here[0] ?? entry.there[0]!).span;
  const [mine, theirs] = [shareOf(here, entry.here), shareOf(there, entry.there)];
  return {
    path: entry.path,
    depth: entry.depth,
    service,
    name,
    waiting: waiting === true,
    here: mine,
    there: theirs,
    more: ((mine?.duration ?? 0n) - (theirs?.duration ?? 0n)) as DurationNanos,
    moreOwn: ((mine?.own ?? 0n) - (theirs?.own ?? 0n)) as DurationNanos,
  };
}

function shareOf(tree: Tree, rows: readonly Row[]): Share | null {
  const first = rows[0];
  if (first === undefined) return null;
  return {
    count: rows.length,
    failed: rows.filter((row) => row.span.failed).length,
    duration: rows.reduce((sum, row) => sum + row.span.duration, 0n) as DurationNanos,
    own: rows.reduce((sum, row) => sum + ownTime(tree, row.index), 0n) as DurationNanos,
    firstSpanId: first.span.id,
  };
}

function rootsOf(tree: Tree): readonly Row[] {
  return tree.rows.filter((row) => row.parent === null);
}

function childrenOf(tree: Tree, row: Row): readonly Row[] {
  const children: Row[] = [];
  for (let at = row.index + 1; at <= row.index + row.below; at += 1 + tree.rows[at]!.below)
    children.push(tree.rows[at]!);
  return children;
}

function size(duration: bigint): DurationNanos {
  return (duration < 0n ? -duration : duration) as DurationNanos;
}
