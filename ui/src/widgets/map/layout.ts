/**
 * Where nodes stand: in layers from left to right. Who stands somewhere stays
 * there; newcomers are placed around them.
 */
import { graphlib, layout } from '@dagrejs/dagre';
import { layered } from './layered';

export interface Place {
  readonly x: number;
  readonly y: number;
}

/** The middle of each node, by its id. */
export type Places = ReadonlyMap<string, Place>;

export interface Link {
  readonly from: string;
  readonly to: string;
}

export const NODE_WIDTH = 172;
export const NODE_HEIGHT = 44;
const LAYER_GAP = 110;
const ROW_GAP = 26;

export function placeAll(
  ids: readonly string[],
  links: readonly Link[],
  held: Places = new Map(),
): Places {
  const known = ids.filter((id) => held.has(id));
  if (known.length === 0) return layOut(ids, links);
  const places = new Map(held);
  if (known.length === ids.length) return places;
  const fresh = layOut(ids, links);
  const newcomers = ids
    .filter((id) => !held.has(id))
    .sort((a, b) => fresh.get(a)!.x - fresh.get(b)!.x || fresh.get(a)!.y - fresh.get(b)!.y);
  for (const id of newcomers) places.set(id, freePlace(wanted(id, links, places, fresh), places));
  return places;
}

/** What the browser kept of the last visit; anything else is as if there were none. */
export function readPlaces(text: string | null): Places {
  const places = new Map<string, Place>();
  try {
    for (const [id, x, y] of JSON.parse(text ?? '[]') as unknown[][]) {
      if (typeof id === 'string' && Number.isFinite(x) && Number.isFinite(y))
        places.set(id, { x: x as number, y: y as number });
    }
  } catch {
    return new Map();
  }
  return places;
}

export function writePlaces(places: Places): string {
  const rows = [...places].slice(-KEPT_MAX);
  return JSON.stringify(rows.map(([id, { x, y }]) => [id, Math.round(x), Math.round(y)]));
}

// Nodes that are gone keep their place for when they come back, up to a limit.
const KEPT_MAX = 2_000;

// 500 nodes with 2,000 lines took 15 s; below these limits it is some tenths of a second.
const DAGRE_NODES_MAX = 150;
const DAGRE_LINKS_MAX = 400;

function layOut(ids: readonly string[], links: readonly Link[]): Places {
  if (ids.length > DAGRE_NODES_MAX || links.length > DAGRE_LINKS_MAX)
    return layered(ids, links, NODE_WIDTH + LAYER_GAP, NODE_HEIGHT + ROW_GAP);
  const graph = new graphlib.Graph({ multigraph: false });
  graph.setGraph({ rankdir: 'LR', ranksep: LAYER_GAP, nodesep: ROW_GAP });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const id of ids) graph.setNode(id, { width: NODE_WIDTH, height: NODE_HEIGHT });
  const isKnown = new Set(ids);
  for (const { from, to } of links) {
    if (from !== to && isKnown.has(from) && isKnown.has(to)) graph.setEdge(from, to);
  }
  layout(graph);
  return new Map(
    ids.map((id) => {
      const { x, y } = graph.node(id) as Place;
      return [id, { x, y }];
    }),
  );
}

/** Beside a neighbour that already has a place; else where a fresh layout would put it. */
function wanted(id: string, links: readonly Link[], places: Places, fresh: Places): Place {
  for (const { from, to } of links) {
    const caller = to === id ? places.get(from) : undefined;
    if (caller) return { x: caller.x + NODE_WIDTH + LAYER_GAP, y: caller.y };
    const callee = from === id ? places.get(to) : undefined;
    if (callee) return { x: callee.x - NODE_WIDTH - LAYER_GAP, y: callee.y };
  }
  return fresh.get(id) ?? { x: 0, y: 0 };
}

/** The nearest row, up or down, where nobody stands. */
function freePlace(place: Place, places: Places): Place {
  const near = [...places.values()].filter(
    (other) => Math.abs(other.x - place.x) < NODE_WIDTH + ROW_GAP,
  );
  const isFree = (y: number): boolean =>
    near.every((other) => Math.abs(other.y - y) >= NODE_HEIGHT + ROW_GAP / 2);
  const step = NODE_HEIGHT + ROW_GAP;
  for (let away = 0; away <= near.length; away += 1) {
    if (isFree(place.y + away * step)) return { x: place.x, y: place.y + away * step };
    if (isFree(place.y - away * step)) return { x: place.x, y: place.y - away * step };
  }
  return place;
}
