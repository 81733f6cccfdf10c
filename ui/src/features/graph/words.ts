/** What the graph answers, as it is shown. */
import type {
  GraphAnswer,
  GraphCell,
  GraphLanguage,
  GraphQuestionKept,
  GraphUnit,
  MapNode,
  SavedQuery,
} from '../../api/model';
import {
  formatCount,
  formatDollars,
  formatMillis,
  formatRate,
  formatShare,
  plural,
} from '../../base/format';
import { nodeOf } from '../../base/nodes';
import { shapeOf, type MapEdgeView, type MapNodeView } from '../../widgets/map/graph';
import type { Option } from './complete';

/** A value in its unit. */
export function cellText(cell: GraphCell, unit: GraphUnit): string {
  if (cell === null) return '–';
  if (typeof cell === 'number') return numberText(cell, unit);
  if (typeof cell === 'string') return unit === 'time' ? timeText(cell) : cell;
  if (typeof cell === 'boolean') return cell ? 'yes' : 'no';
  if (isList(cell)) return cell.map((each) => cellText(each, unit)).join(', ');
  if ('node' in cell) return nodeOf(cell.node).name;
  if ('path' in cell) return cell.path.map((id) => nodeOf(id).name).join(' → ');
  return `${nodeOf(cell.from).name} → ${nodeOf(cell.to).name}: ${cell.operation || cell.type}`;
}

function numberText(number: number, unit: GraphUnit): string {
  const sign = number < 0 ? '−' : '';
  const size = Math.abs(number);
  switch (unit) {
    case 'ms':
      return sign + formatMillis(size);
    case 'usd':
      return sign + formatDollars(size);
    case 'share':
      return sign + formatShare(size);
    case 'per_second':
      return sign + formatRate(size);
    default:
      return sign + (Number.isInteger(size) ? formatCount(size) : size.toPrecision(4));
  }
}

/** Minutes are all that is known of. */
function timeText(time: string): string {
  return time.replace('T', ' ').replace(/:\d\dZ$/, ' UTC');
}

/** What a list is sorted by. */
export function compareCells(a: GraphCell, b: GraphCell): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return cellText(a, null).localeCompare(cellText(b, null), 'en');
}

export function isList(cell: GraphCell): cell is readonly GraphCell[] {
  return Array.isArray(cell);
}

/** What was found, in a line. */
export function summaryOf(answer: GraphAnswer): string {
  const { rows, total, searched, cost } = answer;
  const shown =
    rows.length === total
      ? plural(total, 'row')
      : `${formatCount(rows.length)} of ${plural(total, 'row')}`;
  const graph = `${plural(searched.nodes, 'node')} and ${plural(searched.edges, 'relationship')}`;
  return `${shown} · from ${graph} in ${formatMillis(cost.elapsed_ms)}`;
}

/** Why it is not all; empty if it is. */
export function cutWords({ cut, truncated, searched }: GraphAnswer): string {
  switch (cut) {
    case 'rows':
      return 'There are more rows than an answer may have: narrow the question, or LIMIT it.';
    case 'time':
      return 'The time was over before all was looked through: these are the rows until then.';
    case 'held':
    case 'steps':
      return 'There was too much to look through all of it: these are the rows until then.';
    default:
      return truncated
        ? `${plural(searched.left_out, 'relationship')} with few calls had no room in the graph.`
        : '';
  }
}

export interface Drawing {
  readonly nodes: readonly MapNodeView[];
  readonly edges: readonly MapEdgeView[];
}

/** The nodes and edges of an answer, one line for all operations between two. */
export function drawingOf(answer: GraphAnswer): Drawing {
  const seconds = windowSeconds(answer);
  const flows = new Map<string, GraphAnswer['edges'][number][]>();
  for (const edge of answer.edges) {
    const id = `${edge.from} ${edge.to} ${edge.asynchronous}`;
    flows.set(id, [...(flows.get(id) ?? []), edge]);
  }
  const edges = [...flows].map(([id, parts]): MapEdgeView => {
    const { from, to, asynchronous } = parts[0]!;
    const calls = sum(parts.map(({ count }) => count));
    const errors = sum(parts.map(({ error_count }) => error_count));
    const words = [
      `${nodeOf(from).name} → ${nodeOf(to).name}`,
      ...parts.slice(0, OPERATIONS_MAX).map(({ operation }) => operation),
      plural(calls, 'call'),
      ...(errors > 0 ? [`${formatCount(errors)} failed`] : []),
      ...(asynchronous ? ['nobody waits for it'] : []),
    ];
    return {
      id,
      from,
      to,
      asynchronous,
      rate: calls / seconds,
      level: errors / Math.max(1, calls) > FAILING ? 'bad' : 'normal',
      words: words.join(', '),
    };
  });
  const nodes = answer.nodes.map(({ id, name, kind }): MapNodeView => {
    const calls = sum(answer.edges.filter(({ to }) => to === id).map(({ count }) => count));
    const line = calls === 0 ? kind : `${kind} · ${plural(calls, 'call')}`;
    return { id, name, kind, shape: shapeOf(kind), level: 'normal', line };
  });
  return { nodes, edges };
}

function windowSeconds({ during }: GraphAnswer): number {
  const nanos = BigInt(during.to_unix_nanos) - BigInt(during.from_unix_nanos);
  return Math.max(1, Number(nanos / 1_000_000n) / 1000);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, each) => all + each, 0);
}

/** Names to choose from, by what questions are asked of. */
export function namesOf(nodes: readonly MapNode[]): readonly Option[] {
  const names = nodes.map(({ name, kind }): Option => ({ text: name, about: kind }));
  return names.sort((a, b) => a.text.localeCompare(b.text, 'en'));
}

/** Those that a question may be about. */
export function fitting(
  names: readonly Option[],
  about: GraphQuestionKept['about'],
): readonly string[] {
  const acts = ({ about: kind }: Option): boolean => kind === 'function' || kind === 'service';
  const mine = names.filter((name) => acts(name) === (about === 'function'));
  return [...new Set(mine.map(({ text }) => text))];
}

/** A question about somebody, as a query. */
export function queryOf({ query }: Pick<GraphQuestionKept, 'query'>, name: string): string {
  return query.replaceAll('$NAME', () => name.replaceAll(/['\\]/g, '\\$&'));
}

/** Those of the kept questions that are asked of the graph. */
export function keptOfGraph(
  queries: readonly SavedQuery[],
): readonly { readonly name: string; readonly graph: string }[] {
  return queries.flatMap(({ name, graph }) => (graph === undefined ? [] : [{ name, graph }]));
}

/** Until the server has said what there is. */
export const NO_LANGUAGE: GraphLanguage = {
  labels: [],
  types: [],
  properties: [],
  functions: [],
  questions: [],
};

const OPERATIONS_MAX = 4;
/** A share of failures that is drawn as such. */
const FAILING = 0.05;
