/**
 * The shape of a trace: spans nested under their parents, in reading order.
 *
 * Rows are kept depth first in one array, each knowing how many rows below
 * belong to it. Collapsing is then a matter of skipping, and nothing here
 * recurses, so a chain of ten thousand spans is as safe as a flat list.
 */
import { compareNanos, type DurationNanos, type UnixNanos } from '../../base/time';

/** `code` is a span of the function itself, `invoke` an invocation, the rest platform phases. */
export type Phase = 'code' | 'invoke' | 'platform';

export interface Mark {
  readonly time: UnixNanos;
  readonly level: 'info' | 'warn' | 'error';
  readonly text: string;
}

export interface WaterfallSpan {
  readonly id: string;
  readonly parentId: string | null;
  readonly name: string;
  readonly service: string;
  readonly start: UnixNanos;
  readonly duration: DurationNanos;
  readonly phase: Phase;
  readonly failed: boolean;
  readonly coldStart: boolean;
  /** Nobody sent it: it is where a record waited. */
  readonly waiting?: boolean;
  /** Its parent did not wait for it. */
  readonly asynchronous?: boolean;
  /** How it is known that its parent is its parent, in words; absent where its trace says so. */
  readonly joined?: { readonly how: string; readonly words: string };
  readonly attempt?: number;
  readonly marks: readonly Mark[];
}

export interface Row {
  readonly span: WaterfallSpan;
  readonly index: number;
  /** Index of the parent row, null for a root. */
  readonly parent: number | null;
  readonly depth: number;
  /** How many rows after this one belong to it. */
  readonly below: number;
  readonly failedBelow: number;
  /** It names a parent that is not in the trace. */
  readonly orphan: boolean;
  /**
   * It is where the trace comes in. Lambda gives even the first invocation a
   * parent, a segment of its own tracing that is never sent to anybody, so
   * that an orphan which is an entry misses nothing.
   */
  readonly entry: boolean;
  readonly position: number;
  readonly siblings: number;
}

export interface Tree {
  readonly rows: readonly Row[];
  readonly start: UnixNanos;
  readonly end: UnixNanos;
  readonly indexOf: ReadonlyMap<string, number>;
}

export function buildTree(spans: readonly WaterfallSpan[]): Tree {
  const order = spans.map((_, at) => at).sort((a, b) => byStart(spans[a]!, spans[b]!) || a - b);
  const parents = parentsOf(spans, order);
  const family = childrenOf(parents, order);
  const rows = layRows(spans, parents, family);
  return { rows, ...boundsOf(spans), indexOf: indexRows(rows) };
}

/** The rows to draw, as indexes, when the subtrees of `collapsed` are folded. */
export function visibleRows(tree: Tree, collapsed: ReadonlySet<string>): readonly number[] {
  const visible: number[] = [];
  for (let at = 0; at < tree.rows.length; at += 1) {
    const row = tree.rows[at]!;
    visible.push(at);
    if (collapsed.has(row.span.id)) at += row.below;
  }
  return visible;
}

/** The rows above `index` that must be open for it to be seen, nearest first. */
export function ancestorsOf(tree: Tree, index: number): readonly Row[] {
  const ancestors: Row[] = [];
  let parent = tree.rows[index]?.parent ?? null;
  while (parent !== null) {
    const row = tree.rows[parent]!;
    ancestors.push(row);
    parent = row.parent;
  }
  return ancestors;
}

export function isWithin(tree: Tree, ancestor: number, index: number): boolean {
  return index >= ancestor && index <= ancestor + (tree.rows[ancestor]?.below ?? 0);
}

/** Failed rows whose failure did not come from below: where to look first. */
export function originsOfFailure(tree: Tree): readonly Row[] {
  return tree.rows.filter((row) => row.span.failed && row.failedBelow === 0);
}

/** The part of a span in which none of its children ran: its own time. */
export function ownTime(tree: Tree, index: number): DurationNanos {
  const row = tree.rows[index]!;
  const end = row.span.start + row.span.duration;
  let covered = 0n;
  let reach: bigint = row.span.start;
  for (let at = index + 1; at <= index + row.below; at += 1 + tree.rows[at]!.below) {
    const child = tree.rows[at]!.span;
    const from = child.start > reach ? child.start : reach;
    const childEnd = child.start + child.duration;
    const to = childEnd < end ? childEnd : end;
    if (to <= from) continue;
    covered += to - from;
    reach = to;
  }
  return (row.span.duration - covered) as DurationNanos;
}

function byStart(a: WaterfallSpan, b: WaterfallSpan): number {
  return compareNanos(a.start, b.start) || compareNanos(b.duration, a.duration);
}

/** For each span the place of its parent, or null; cycles are cut at their earliest span. */
function parentsOf(spans: readonly WaterfallSpan[], order: readonly number[]): (number | null)[] {
  const placeOf = new Map<string, number>();
  for (const at of order) {
    const { id } = spans[at]!;
    // Some tracers give a client and a server span one id: the first wins.
    if (!placeOf.has(id)) placeOf.set(id, at);
  }
  const parents = spans.map(({ parentId }) =>
    parentId === null ? null : (placeOf.get(parentId) ?? null),
  );
  cutCycles(parents, order);
  return parents;
}

function cutCycles(parents: (number | null)[], order: readonly number[]): void {
  const reachesRoot = new Set<number>();
  for (const start of order) {
    const path = new Set<number>();
    let at: number | null = start;
    while (at !== null && !reachesRoot.has(at) && !path.has(at)) {
      path.add(at);
      at = parents[at] ?? null;
    }
    if (at !== null && path.has(at)) parents[at] = null;
    for (const step of path) reachesRoot.add(step);
  }
}

function childrenOf(parents: readonly (number | null)[], order: readonly number[]): Family {
  const roots: number[] = [];
  const children = new Map<number, number[]>();
  for (const at of order) {
    const parent = parents[at] ?? null;
    if (parent === null) roots.push(at);
    else if (children.has(parent)) children.get(parent)!.push(at);
    else children.set(parent, [at]);
  }
  return { roots, children };
}

/** The root without a parent, else the first root if it is an invocation. */
function entryOf(spans: readonly WaterfallSpan[], roots: readonly number[]): number | null {
  const first = roots[0];
  const real = roots.find((at) => spans[at]!.parentId === null);
  if (real !== undefined || first === undefined) return real ?? null;
  return spans[first]!.phase === 'invoke' ? first : null;
}

interface Family {
  readonly roots: readonly number[];
  readonly children: ReadonlyMap<number, readonly number[]>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function layRows(
  spans: readonly WaterfallSpan[],
  parents: readonly (number | null)[],
  family: Family,
): readonly Row[] {
  const rows: Mutable<Row>[] = [];
  const entry = entryOf(spans, family.roots);
  const rowOf = new Map<number, number>();
  const stack: Place[] = stacked(family.roots);
  for (let place = stack.pop(); place; place = stack.pop()) {
    const parentSpan = parents[place.at] ?? null;
    const parent = parentSpan === null ? null : rowOf.get(parentSpan)!;
    const span = spans[place.at]!;
    rowOf.set(place.at, rows.length);
    rows.push({
      span,
      index: rows.length,
      parent,
      depth: parent === null ? 0 : rows[parent]!.depth + 1,
      below: 0,
      failedBelow: 0,
      orphan: parent === null && span.parentId !== null,
      entry: place.at === entry,
      position: place.position,
      siblings: place.siblings,
    });
    for (const child of stacked(family.children.get(place.at) ?? [])) stack.push(child);
  }
  countBelow(rows);
  return rows;
}

interface Place {
  readonly at: number;
  readonly position: number;
  readonly siblings: number;
}

/** Siblings ready for a stack: the first on top. */
function stacked(siblings: readonly number[]): Place[] {
  return siblings
    .map((at, index) => ({ at, position: index + 1, siblings: siblings.length }))
    .reverse();
}

function countBelow(rows: Mutable<Row>[]): void {
  for (let at = rows.length - 1; at >= 0; at -= 1) {
    const row = rows[at]!;
    if (row.parent === null) continue;
    const parent = rows[row.parent]!;
    parent.below += row.below + 1;
    parent.failedBelow += row.failedBelow + (row.span.failed ? 1 : 0);
  }
}

function boundsOf(spans: readonly WaterfallSpan[]): { start: UnixNanos; end: UnixNanos } {
  let start: bigint | null = null;
  let end = 0n;
  for (const span of spans) {
    if (start === null || span.start < start) start = span.start;
    if (span.start + span.duration > end) end = span.start + span.duration;
  }
  return { start: (start ?? 0n) as UnixNanos, end: end as UnixNanos };
}

function indexRows(rows: readonly Row[]): ReadonlyMap<string, number> {
  const indexOf = new Map<string, number>();
  for (const row of rows) if (!indexOf.has(row.span.id)) indexOf.set(row.span.id, row.index);
  return indexOf;
}
