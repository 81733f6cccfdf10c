/**
 * The critical path of a trace: at each moment between the beginning and some
 * end, the one step that this end waited for.
 *
 * It is walked backwards: from the end of a span into the child that finished
 * last before it, then into the one that finished last before that child
 * began. What outlives its parent, such as a function behind a queue, is on the
 * way to the end of all, and never on the way to its parent's answer.
 */
import type { DurationNanos, UnixNanos } from '../../base/time';
import type { Row, Tree } from './tree';

/** `answer` is the end of the span with which the trace comes in, `end` that of the last thing it caused. */
export type PathEnd = 'answer' | 'end';

export interface PathPart {
  /** The row that was waited for. */
  readonly index: number;
  readonly from: UnixNanos;
  readonly to: UnixNanos;
  /** Nothing ran: a record lay in a service, or nothing is known between a caller and the row. */
  readonly waiting: boolean;
}

export interface CriticalPath {
  /** In order of time, without gap and overlap. */
  readonly parts: readonly PathPart[];
  readonly duration: DurationNanos;
  /** The parts of each row that is on it. */
  readonly partsOf: ReadonlyMap<number, readonly PathPart[]>;
}

/** Both ends of a trace. */
export interface CriticalPaths {
  readonly answer: CriticalPath;
  /** Null where it is hardly later than the answer. */
  readonly end: CriticalPath | null;
}

/** Where the time of a path went: the parts of all spans of one service and name, together. */
export interface Contribution {
  readonly service: string;
  readonly name: string;
  readonly waiting: boolean;
  readonly duration: DurationNanos;
  /** Of the whole path, from 0 to 1. */
  readonly share: number;
  /** How many spans. */
  readonly count: number;
  /** The span that took most of it. */
  readonly spanId: string;
}

export function criticalPaths(tree: Tree): CriticalPaths {
  return {
    answer: criticalPath(tree, 'answer'),
    end: goesOnAfterAnswer(tree) ? criticalPath(tree, 'end') : null,
  };
}

export function criticalPath(tree: Tree, to: PathEnd): CriticalPath {
  const parts = partsTo(tree, to);
  const partsOf = new Map<number, PathPart[]>();
  for (const part of parts) {
    const held = partsOf.get(part.index);
    if (held) held.push(part);
    else partsOf.set(part.index, [part]);
  }
  const duration = parts.length === 0 ? 0n : parts.at(-1)!.to - parts[0]!.from;
  return { parts, duration: duration as DurationNanos, partsOf };
}

/** Whether what goes on after the answer is worth a path of its own: a twentieth of the time. */
export function goesOnAfterAnswer(tree: Tree): boolean {
  const root = rootOf(tree);
  if (root === null) return false;
  const answer = endOf(answererOf(tree, root)) - tree.start;
  return (endsOf(tree)[root.index]! - tree.start) * 20n > answer * 21n;
}

/** The largest first. */
export function contributionsOf(tree: Tree, path: CriticalPath): readonly Contribution[] {
  const groups = new Map<string, { rows: Map<number, bigint>; waiting: boolean }>();
  for (const { index, from, to, waiting } of path.parts) {
    const { service, name } = tree.rows[index]!.span;
    const key = `${waiting} ${service}\n${name}`;
    const group = groups.get(key) ?? { rows: new Map<number, bigint>(), waiting };
    group.rows.set(index, (group.rows.get(index) ?? 0n) + to - from);
    groups.set(key, group);
  }
  return [...groups.values()]
    .map(({ rows, waiting }) => contribution(tree, rows, waiting, path.duration))
    .sort((a, b) => (a.duration < b.duration ? 1 : a.duration > b.duration ? -1 : 0));
}

/** How long the path was in the row itself, and how long it waited for it to begin. */
export function timeOnPath(
  path: CriticalPath,
  index: number,
): { readonly own: DurationNanos; readonly waited: DurationNanos } {
  let own = 0n;
  let waited = 0n;
  for (const { from, to, waiting } of path.partsOf.get(index) ?? []) {
    if (waiting) waited += to - from;
    else own += to - from;
  }
  return { own: own as DurationNanos, waited: waited as DurationNanos };
}

/** The parts of a row; of a folded one those of all that is folded into it, joined where they touch. */
export function partsOfRow(path: CriticalPath, row: Row, collapsed: boolean): readonly PathPart[] {
  if (!collapsed) return path.partsOf.get(row.index) ?? [];
  const joined: PathPart[] = [];
  for (const part of path.parts) {
    if (part.index < row.index || part.index > row.index + row.below) continue;
    const last = joined.at(-1);
    if (last && last.to === part.from && last.waiting === part.waiting)
      joined[joined.length - 1] = { ...last, to: part.to };
    else joined.push(part);
  }
  return joined;
}

function partsTo(tree: Tree, to: PathEnd): PathPart[] {
  const root = rootOf(tree);
  if (root === null) return [];
  const walk = new Walk(tree);
  if (to === 'end') return walk.back(root, walk.ends[root.index]!).reverse();
  const answerer = answererOf(tree, root);
  const parts = walk.back(answerer, endOf(answerer)).reverse();
  const begin = parts[0]?.from ?? answerer.span.start;
  if (root === answerer || root.span.start >= begin) return parts;
  // What the request came through before the first function began.
  return [{ index: root.index, from: root.span.start, to: begin, waiting: true }, ...parts];
}

function contribution(
  tree: Tree,
  rows: ReadonlyMap<number, bigint>,
  waiting: boolean,
  whole: DurationNanos,
): Contribution {
  const [most] = [...rows].reduce((found, each) => (each[1] > found[1] ? each : found));
  const duration = [...rows.values()].reduce((sum, each) => sum + each, 0n);
  const { id, name, service } = tree.rows[most]!.span;
  return {
    service,
    name,
    waiting,
    duration: duration as DurationNanos,
    share: whole === 0n ? 0 : Number(duration) / Number(whole),
    count: rows.size,
    spanId: id,
  };
}

/** Where one is on the way back through a row. */
interface Stop {
  readonly row: Row;
  /** Nothing of it, or below it, counts before. */
  readonly floor: bigint;
  /** All after this is told. */
  cursor: bigint;
  /** True until a child was walked: only then may one run on beyond the cursor by more than clocks differ. */
  fresh: boolean;
  /** The row walked before this moment, for which a gap was waited. */
  later: Row;
  /** Children that may have been waited for, the last to end on top. */
  readonly waitedFor: Row[];
  /** Children of which something goes on after the row's end, the last to end on top. */
  readonly goingOn: Row[];
}

class Walk {
  readonly #tree: Tree;
  /** For each row when the last of it and of all below it ended. */
  readonly ends: readonly bigint[];
  /** The last part first. */
  readonly #parts: PathPart[] = [];

  constructor(tree: Tree) {
    this.#tree = tree;
    this.ends = endsOf(tree);
  }

  /** No recursion: traces may be chains of many thousand spans. */
  back(root: Row, end: bigint): PathPart[] {
    const stack = [this.#enter(root, end, this.#tree.start)];
    for (let stop = stack.at(-1); stop; stop = stack.at(-1)) {
      const child = this.#childAfterEnd(stop) ?? this.#childWithin(stop);
      if (child !== null) {
        const isTail = stop.cursor > endOf(stop.row);
        const childEnd = least(isTail ? this.ends[child.index]! : endOf(child), stop.cursor);
        if (isTail) this.#add(stop.later, childEnd, stop.cursor, true, stop.floor);
        else this.#addOwn(stop, childEnd);
        stop.cursor = childEnd;
        stack.push(this.#enter(child, childEnd, this.#floorBelow(stop)));
        continue;
      }
      this.#addOwn(stop, most(stop.row.span.start, stop.floor));
      stack.pop();
      const above = stack.at(-1);
      if (!above) break;
      above.cursor = stop.cursor;
      above.fresh = false;
      above.later = stop.row;
    }
    return this.#parts;
  }

  #enter(row: Row, cursor: bigint, floor: bigint): Stop {
    const children = childrenOf(this.#tree, row);
    const told = children.filter((child) => !repeats(child, children));
    return {
      row,
      floor,
      cursor,
      fresh: true,
      later: row,
      waitedFor: told
        .filter((child) => !child.span.asynchronous)
        .sort((a, b) => ascending(endOf(a), endOf(b)) || b.index - a.index),
      goingOn: told
        .filter((child) => this.ends[child.index]! > endOf(row))
        .sort((a, b) => ascending(this.ends[a.index]!, this.ends[b.index]!)),
    };
  }

  /** While the moment is after the end of the row: what still went on then. */
  #childAfterEnd(stop: Stop): Row | null {
    const end = endOf(stop.row);
    if (stop.cursor <= end) return null;
    for (let child = stop.goingOn.pop(); child; child = stop.goingOn.pop()) {
      if (child.span.start >= stop.cursor) continue;
      if (stop.fresh || this.ends[child.index]! <= stop.cursor) return child;
    }
    this.#add(stop.later, end, stop.cursor, true, stop.floor);
    stop.cursor = most(end, stop.floor);
    stop.fresh = true;
    return null;
  }

  /**
   * The child that ended last before this moment, or was cut off by it. The platform's clock is another one, of
   * whole milliseconds, and says at times that what comes next began a moment before the one before it ended.
   */
  #childWithin(stop: Stop): Row | null {
    const floor = this.#floorBelow(stop);
    const endsBy = stop.cursor + (isOfPlatform(stop.later) ? CLOCKS_DIFFER : 0n);
    for (let child = stop.waitedFor.pop(); child; child = stop.waitedFor.pop()) {
      if (endOf(child) <= floor || child.span.start >= stop.cursor) continue;
      if (stop.fresh || endOf(child) <= endsBy) return child;
    }
    return null;
  }

  /** An invocation waits for the start of its environment, which is before it. */
  #floorBelow({ row, floor }: Stop): bigint {
    return row.span.phase === 'invoke' ? floor : most(floor, row.span.start);
  }

  /** From the cursor back to `from`: its own time, and before its start a wait. */
  #addOwn(stop: Stop, from: bigint): void {
    const { row, cursor, floor } = stop;
    const began = least(row.span.start, cursor);
    this.#add(row, most(from, began), cursor, row.span.waiting === true, floor);
    this.#add(row, from, began, true, floor);
    stop.cursor = least(cursor, from);
  }

  #add(row: Row, from: bigint, to: bigint, waiting: boolean, floor: bigint): void {
    const begin = most(from, floor);
    if (to <= begin) return;
    const [start, end] = [begin as UnixNanos, to as UnixNanos];
    this.#parts.push({ index: row.index, from: start, to: end, waiting });
  }
}

/** By how many nanoseconds what the platform says of times may be ahead of what code says. */
const CLOCKS_DIFFER = 2_000_000n;

/** With which the trace comes in; where that is missing, with whatever is first. */
function rootOf(tree: Tree): Row | null {
  return tree.rows.find((row) => row.entry) ?? tree.rows[0] ?? null;
}

/** A service that a request came through says nothing of the answer: who it led to does. */
function answererOf(tree: Tree, root: Row): Row {
  let row = root;
  while (row.span.waiting && row.below > 0) row = tree.rows[row.index + 1]!;
  return row;
}

function endsOf(tree: Tree): readonly bigint[] {
  const ends: bigint[] = tree.rows.map(endOf);
  for (let at = tree.rows.length - 1; at >= 0; at -= 1) {
    const { parent } = tree.rows[at]!;
    if (parent !== null && ends[at]! > ends[parent]!) ends[parent] = ends[at]!;
  }
  return ends;
}

function childrenOf(tree: Tree, row: Row): readonly Row[] {
  const children: Row[] = [];
  for (let at = row.index + 1; at <= row.index + row.below; at += 1 + tree.rows[at]!.below)
    children.push(tree.rows[at]!);
  return children;
}

/** Lambda tells how long a function took to respond, beside the spans of the function that say on what. */
function repeats(child: Row, siblings: readonly Row[]): boolean {
  if (!isOfPlatform(child)) return false;
  return siblings.some((sibling) => {
    if (isOfPlatform(sibling)) return false;
    const { span } = sibling;
    const from = most(span.start, child.span.start);
    const to = least(span.start + span.duration, endOf(child));
    return to > from && (to - from) * 2n > span.duration;
  });
}

function isOfPlatform({ span }: Row): boolean {
  return span.phase === 'platform';
}

function endOf({ span }: Row): bigint {
  return span.start + span.duration;
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
