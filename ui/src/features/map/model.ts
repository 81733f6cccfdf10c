/** What the map shows, out of two answers of the server: the usual, and the minute looked at. */
import type { EdgeMap, MapEdge, MapNode, Operation, Wait } from '../../api/model';
import { shapeOf, worse, type Level, type Shape } from '../../widgets/map/graph';
import { deviation, type Calls, type Deviation } from './deviation';

/** All calls from one to another, whatever for. */
export interface Flow extends Deviation {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly asynchronous: boolean;
  readonly seen: Calls;
  readonly usual: Calls;
  /** The slowest of its operations. */
  readonly p99: number;
  readonly throttles: number;
  /** How long messages had waited; null where nobody tells. */
  readonly wait: Wait | null;
  readonly operations: readonly string[];
}

/** Somebody on the map, with what was asked of them. */
export interface Party extends Deviation {
  readonly id: string;
  readonly name: string;
  readonly kind: string;
  readonly shape: Shape;
  readonly service: string | null;
  readonly seen: Calls;
  readonly usual: Calls;
  readonly p99: number;
  readonly coldStarts: number;
  /** How long messages had lain in it, or for it; null where nobody tells. */
  readonly wait: Wait | null;
  /** Of a group, who is in it. */
  readonly members: readonly string[];
}

export interface Atlas {
  readonly parties: readonly Party[];
  readonly flows: readonly Flow[];
  /** The minutes that `seen` is of. */
  readonly seconds: number;
}

/** One answer of the server with the seconds that it is of. */
export interface Sample {
  readonly map: EdgeMap;
  readonly operations: readonly Operation[];
  readonly seconds: number;
}

export function buildAtlas(seen: Sample, usual: Sample, waits: readonly Wait[] = []): Atlas {
  const waitAt = new Map(waits.map((wait) => [wait.id, wait]));
  const now = group(seen);
  const before = group(usual);
  const flows = [...new Set([...before.keys(), ...now.keys()])].map((id): Flow => {
    const edges = now.get(id) ?? [];
    const others = before.get(id) ?? [];
    const first = (others[0] ?? edges[0])!;
    const calls = sum(edges, seen.seconds);
    const normal = sum(others, usual.seconds);
    return {
      id,
      from: first.from,
      to: first.to,
      asynchronous: first.asynchronous,
      seen: calls,
      usual: normal,
      p99: Math.max(0, ...edges.map((edge) => edge.p99_ms)),
      throttles: edges.reduce((all, edge) => all + edge.throttle_count, 0),
      wait: first.asynchronous ? (waitAt.get(first.to) ?? null) : null,
      operations: [...new Set([...edges, ...others].map((edge) => edge.operation))],
      ...deviation(calls, normal, seen.seconds),
    };
  });
  const nodes = new Map<string, MapNode>();
  for (const node of [...usual.map.nodes, ...seen.map.nodes]) nodes.set(node.id, node);
  const parties = [...nodes.values()].map((node) =>
    partyOf(node, flows, [seen, usual], waitAt.get(node.id) ?? null),
  );
  return { parties, flows, seconds: seen.seconds };
}

/** Everyone that the named one calls, directly or not, and everyone that calls it. */
export function reach(
  flows: readonly Flow[],
  id: string,
): { readonly up: ReadonlySet<string>; readonly down: ReadonlySet<string> } {
  return { up: spread(flows, id, 'to', 'from'), down: spread(flows, id, 'from', 'to') };
}

function spread(
  flows: readonly Flow[],
  id: string,
  here: 'from' | 'to',
  there: 'from' | 'to',
): ReadonlySet<string> {
  const next = new Map<string, string[]>();
  for (const flow of flows) {
    const known = next.get(flow[here]);
    if (known) known.push(flow[there]);
    else next.set(flow[here], [flow[there]]);
  }
  const found = new Set<string>();
  const open = [id];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    for (const other of next.get(at) ?? []) {
      if (other !== id && !found.has(other)) {
        found.add(other);
        open.push(other);
      }
    }
  }
  return found;
}

/** Together: counts add up, and the median of the whole is about the weighted mean of the medians. */
export function addUp(parts: readonly Calls[]): Calls {
  const count = parts.reduce((all, part) => all + part.count, 0);
  return {
    count,
    errors: parts.reduce((all, part) => all + part.errors, 0),
    p50: count === 0 ? 0 : parts.reduce((all, part) => all + part.p50 * part.count, 0) / count,
    rate: parts.reduce((all, part) => all + part.rate, 0),
  };
}

function partyOf(
  node: MapNode,
  flows: readonly Flow[],
  [seen, usual]: readonly [Sample, Sample],
  wait: Wait | null,
): Party {
  const incoming = flows.filter((flow) => flow.to === node.id);
  const own = ownOperation(node, seen);
  const ownUsual = ownOperation(node, usual);
  // A function knows best itself what was asked of it: not all of its callers are traced.
  const calls = own || ownUsual ? callsOf(own, seen) : addUp(incoming.map((flow) => flow.seen));
  const normal =
    own || ownUsual ? callsOf(ownUsual, usual) : addUp(incoming.map((flow) => flow.usual));
  const mine = deviation(calls, normal, seen.seconds);
  const worst = incoming.reduce<Deviation>(
    (found, flow) => (worse(found.level, flow.level) === found.level ? found : flow),
    mine,
  );
  return {
    id: node.id,
    name: node.name,
    kind: node.kind,
    shape: shapeOf(node.kind),
    service: node.service,
    seen: calls,
    usual: normal,
    p99: own?.p99_ms ?? Math.max(0, ...incoming.map((flow) => flow.p99)),
    coldStarts: own?.cold_start_count ?? 0,
    wait,
    members: [],
    level: worst.level,
    why: worst.why,
  };
}

/** The span of an invocation is the one that is named like the function; else what a service does most. */
function ownOperation(node: MapNode, sample: Sample): Operation | null {
  if (shapeOf(node.kind) !== 'function') return null;
  const served = sample.operations.filter(
    (each) =>
      each.service === (node.service ?? node.name) &&
      (each.kind === 'server' || each.kind === 'consumer'),
  );
  return (
    served.find((each) => each.name === node.name) ??
    served.reduce<Operation | null>(
      (most, each) => (most && most.count >= each.count ? most : each),
      null,
    )
  );
}

function callsOf(operation: Operation | null, sample: Sample): Calls {
  if (operation === null) return { count: 0, errors: 0, p50: 0, rate: 0 };
  return {
    count: operation.count,
    errors: operation.error_count,
    p50: operation.p50_ms,
    rate: operation.count / sample.seconds,
  };
}

function group(sample: Sample): ReadonlyMap<string, readonly MapEdge[]> {
  const groups = new Map<string, MapEdge[]>();
  for (const edge of sample.map.edges) {
    const id = `${edge.from} ${edge.to}`;
    const known = groups.get(id);
    if (known) known.push(edge);
    else groups.set(id, [edge]);
  }
  return groups;
}

function sum(edges: readonly MapEdge[], seconds: number): Calls {
  return addUp(
    edges.map((edge) => ({
      count: edge.count,
      errors: edge.error_count,
      p50: edge.p50_ms,
      rate: edge.count / seconds,
    })),
  );
}

export type { Level };
