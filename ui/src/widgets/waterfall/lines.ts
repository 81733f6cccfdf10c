/** What the rows of a waterfall are: spans, and between them the lines that were logged. */
import type { UnixNanos } from '../../base/time';
import type { Mark, Row, Tree } from './tree';

export interface LogLine {
  /** None that a span has. */
  readonly id: string;
  /** In which it was written; null where nobody knows. */
  readonly spanId: string | null;
  readonly service: string;
  readonly time: UnixNanos;
  readonly level: Mark['level'];
  readonly text: string;
}

export interface Line {
  /** The span's, except where two spans came with one id: then the second has another. */
  readonly id: string;
  /** The span, or the one that a log line belongs to. */
  readonly row: Row | null;
  /** Null for a span. */
  readonly log: LogLine | null;
}

/**
 * The rows of `visible` with the logs, which are in order of time: each below
 * its span, before what began after it. Those of a folded span are folded too.
 */
export function linesOf(
  tree: Tree,
  visible: readonly number[],
  collapsed: ReadonlySet<string>,
  logs: readonly LogLine[],
): readonly Line[] {
  const logsOf = groupByRow(tree, logs);
  const lines: Line[] = [];
  const stack: Open[] = [{ row: null, end: Infinity, logs: logsOf.get(null) ?? [], told: 0 }];
  for (const index of visible) {
    const row = tree.rows[index]!;
    while (stack.at(-1)!.end < index) tell(lines, stack.pop()!, null);
    tell(lines, stack.at(-1)!, row.span.start);
    lines.push({ id: idOf(tree, row), row, log: null });
    const isFolded = collapsed.has(row.span.id);
    const own = isFolded ? [] : (logsOf.get(index) ?? []);
    stack.push({ row, end: isFolded ? index : index + row.below, logs: own, told: 0 });
  }
  for (let open = stack.pop(); open; open = stack.pop()) tell(lines, open, null);
  return lines;
}

function idOf(tree: Tree, row: Row): string {
  const { id } = row.span;
  return tree.indexOf.get(id) === row.index ? id : `${id}~${row.index}`;
}

/** A span whose rows below are being told. */
interface Open {
  readonly row: Row | null;
  readonly end: number;
  readonly logs: readonly LogLine[];
  told: number;
}

/** Its logs before a moment, or all that are left. */
function tell(lines: Line[], open: Open, before: UnixNanos | null): void {
  while (open.told < open.logs.length) {
    const log = open.logs[open.told]!;
    if (before !== null && log.time >= before) return;
    lines.push({ id: log.id, row: open.row, log });
    open.told += 1;
  }
}

function groupByRow(
  tree: Tree,
  logs: readonly LogLine[],
): ReadonlyMap<number | null, readonly LogLine[]> {
  const groups = new Map<number | null, LogLine[]>();
  for (const log of logs) {
    const index = log.spanId === null ? null : (tree.indexOf.get(log.spanId) ?? null);
    const group = groups.get(index);
    if (group) group.push(log);
    else groups.set(index, [log]);
  }
  return groups;
}
