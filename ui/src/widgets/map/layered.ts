/**
 * A quick layout for maps of hundreds, for which dagre takes many seconds:
 * layers by the longest way from a start, rows by where the neighbours are.
 */
import type { Link, Place, Places } from './layout';

export function layered(
  ids: readonly string[],
  links: readonly Link[],
  width: number,
  height: number,
): Places {
  const layerOf = layers(ids, links);
  const rows = new Map<number, string[]>();
  for (const id of ids) {
    const layer = layerOf.get(id)!;
    const row = rows.get(layer);
    if (row) row.push(id);
    else rows.set(layer, [id]);
  }
  const neighbours = neighboursOf(links);
  const heightOf = new Map<string, number>();
  const settle = (row: readonly string[]): void =>
    row.forEach((id, at) => heightOf.set(id, (at - (row.length - 1) / 2) * height));
  for (const row of rows.values()) settle(row);
  const order = [...rows.keys()].sort((a, b) => a - b);
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    for (const layer of sweep % 2 === 0 ? order : [...order].reverse()) {
      const row = rows.get(layer)!;
      const wish = new Map(row.map((id) => [id, middle(neighbours.get(id), heightOf, id)]));
      row.sort((a, b) => wish.get(a)! - wish.get(b)!);
      settle(row);
    }
  }
  const place = (id: string): Place => ({ x: layerOf.get(id)! * width, y: heightOf.get(id)! });
  return new Map(ids.map((id) => [id, place(id)]));
}

/** The longest way from somebody whom nobody calls; a circle is cut where it closes. */
function layers(ids: readonly string[], links: readonly Link[]): ReadonlyMap<string, number> {
  const callers = new Map<string, string[]>(ids.map((id) => [id, []]));
  for (const { from, to } of links) if (callers.has(from)) callers.get(to)?.push(from);
  const found = new Map<string, number>();
  const open = new Set<string>();
  const visit = (id: string): number => {
    const known = found.get(id);
    if (known !== undefined) return known;
    open.add(id);
    let layer = 0;
    for (const caller of callers.get(id)!) {
      if (!open.has(caller)) layer = Math.max(layer, visit(caller) + 1);
    }
    open.delete(id);
    // A chain of hundreds would be a line; beyond this it folds back.
    const bounded = Math.min(layer, LAYERS_MAX - 1);
    found.set(id, bounded);
    return bounded;
  };
  for (const id of ids) visit(id);
  return found;
}

function neighboursOf(links: readonly Link[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (id: string, other: string): void => {
    const known = found.get(id);
    if (known) known.push(other);
    else found.set(id, [other]);
  };
  for (const { from, to } of links) {
    add(from, to);
    add(to, from);
  }
  return found;
}

function middle(
  neighbours: readonly string[] | undefined,
  heightOf: ReadonlyMap<string, number>,
  id: string,
): number {
  const heights = (neighbours ?? []).flatMap((other) => heightOf.get(other) ?? []);
  if (heights.length === 0) return heightOf.get(id) ?? 0;
  return heights.reduce((sum, each) => sum + each, 0) / heights.length;
}

const SWEEPS = 6;
const LAYERS_MAX = 40;
