/** Who calls a function and whom it calls, each counted whatever for. */
import type { EdgeMap, MapNode } from '../../api/model';

export interface Neighbour {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly asynchronous: boolean;
  readonly operations: readonly string[];
  readonly count: number;
  readonly rate: number;
  readonly errorShare: number;
  readonly throttles: number;
  /** Milliseconds: the mean of its operations' medians, by their calls. */
  readonly p50: number;
  /** Of the slowest of its operations. */
  readonly p99: number;
  /** As the map calls the line between the two. */
  readonly flow: string;
}

export interface Neighbours {
  /** As the map calls the function itself; null if it is on no line. */
  readonly self: string | null;
  readonly callers: readonly Neighbour[];
  readonly callees: readonly Neighbour[];
}

export function neighboursOf(map: EdgeMap, name: string): Neighbours {
  const nodes = new Map(map.nodes.map((node) => [node.id, node]));
  const self =
    map.nodes.find((node) => node.kind === 'function' && node.name === name) ??
    map.nodes.find((node) => node.kind === 'service' && node.name === name);
  if (!self) return { self: null, callers: [], callees: [] };
  return {
    self: self.id,
    callers: gather(map, nodes, self.id, 'to', 'from'),
    callees: gather(map, nodes, self.id, 'from', 'to'),
  };
}

/** The page of a neighbour: its own if it has code, else its place on the map. */
export function hrefOf(neighbour: Neighbour): string {
  const hasCode = neighbour.kind === 'function' || neighbour.kind === 'service';
  return hasCode
    ? `/functions/${encodeURIComponent(neighbour.name)}`
    : `/map?${new URLSearchParams({ select: neighbour.id })}`;
}

function gather(
  map: EdgeMap,
  nodes: ReadonlyMap<string, MapNode>,
  self: string,
  here: 'from' | 'to',
  there: 'from' | 'to',
): readonly Neighbour[] {
  const groups = new Map<string, EdgeMap['edges'][number][]>();
  for (const edge of map.edges) {
    if (edge[here] !== self) continue;
    const key = `${edge[there]} ${edge.asynchronous}`;
    const known = groups.get(key);
    if (known) known.push(edge);
    else groups.set(key, [edge]);
  }
  const found = [...groups.values()].map((edges): Neighbour => {
    const first = edges[0]!;
    const node = nodes.get(first[there]);
    const sum = (of: (edge: (typeof edges)[number]) => number): number =>
      edges.reduce((all, edge) => all + of(edge), 0);
    const count = sum((edge) => edge.count);
    return {
      id: first[there],
      name: node?.name ?? first[there],
      kind: node?.kind ?? '',
      asynchronous: first.asynchronous,
      operations: [...new Set(edges.map((edge) => edge.operation))].filter((each) => each !== ''),
      count,
      rate: sum((edge) => edge.rate),
      errorShare: count === 0 ? 0 : sum((edge) => edge.error_count) / count,
      throttles: sum((edge) => edge.throttle_count),
      p50: count === 0 ? 0 : sum((edge) => edge.p50_ms * edge.count) / count,
      p99: Math.max(...edges.map((edge) => edge.p99_ms)),
      flow: `${first.from} ${first.to}`,
    };
  });
  return found.sort((a, b) => b.count - a.count || (a.name < b.name ? -1 : 1));
}
