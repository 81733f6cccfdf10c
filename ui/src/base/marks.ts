/** Incidents, as marks on whatever they are of. */
import type { UnixNanos } from './time';

export interface Mark {
  readonly id: number;
  /** What is unusual, in one line. */
  readonly title: string;
  readonly severity: Severity;
  readonly since: UnixNanos;
  /** When it had ended; null while it goes on. */
  readonly until: UnixNanos | null;
  /** The nodes that it is of, by their ids on the map. */
  readonly nodes: readonly string[];
}

export type Severity = 'note' | 'warning' | 'critical';

/** Those of a node, the gravest first, and of these the newest. */
export function marksAt(marks: readonly Mark[], node: string): readonly Mark[] {
  return byGravity(marks.filter(({ nodes }) => nodes.includes(node)));
}

/** The gravest first, and of these the newest. */
export function byGravity(marks: readonly Mark[]): readonly Mark[] {
  return [...marks].sort(
    (a, b) => RANK[b.severity] - RANK[a.severity] || Number(b.since - a.since),
  );
}

/** What is wrong, for those who point at it: the gravest, and how many others there are. */
export function markWords(marks: readonly Mark[]): string {
  const [first] = marks;
  if (first === undefined) return '';
  const others = marks.length - 1;
  const more = others === 0 ? '' : `, and ${others} more`;
  return `${first.severity} incident: ${first.title}${more}`;
}

export function markHref({ id }: Mark): string {
  return `/incidents/${id}`;
}

const RANK: Readonly<Record<Severity, number>> = { note: 0, warning: 1, critical: 2 };
