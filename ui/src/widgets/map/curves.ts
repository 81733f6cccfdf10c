/** The lines between nodes: cubic curves from the right side of one to the left side of the other. */
import { NODE_HEIGHT, NODE_WIDTH, type Link, type Place, type Places } from './layout';

/** Start, two control points, end: x and y of each. */
export type Curve = readonly [number, number, number, number, number, number, number, number];

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** One curve for each link, in their order; null where an end has no place. */
export function curvesOf(links: readonly Link[], places: Places): readonly (Curve | null)[] {
  const leaving = ports(links, 'from', 'to', places);
  const arriving = ports(links, 'to', 'from', places);
  return links.map((link, at) => {
    const [from, to] = [places.get(link.from), places.get(link.to)];
    if (!from || !to) return null;
    return curve(from, to, leaving[at] ?? 0, arriving[at] ?? 0);
  });
}

export function pathOf(curve: Curve): string {
  const [ax, ay, bx, by, cx, cy, dx, dy] = curve.map((value) => Math.round(value * 10) / 10);
  return `M${ax} ${ay}C${bx} ${by} ${cx} ${cy} ${dx} ${dy}`;
}

/** The point at a share of the way, from 0 to 1. */
export function pointAt(curve: Curve, share: number): Place {
  const [a, b, c, d] = weights(share);
  return {
    x: a * curve[0] + b * curve[2] + c * curve[4] + d * curve[6],
    y: a * curve[1] + b * curve[3] + c * curve[5] + d * curve[7],
  };
}

/** About how long it is. */
export function lengthOf(curve: Curve): number {
  let length = 0;
  let last = pointAt(curve, 0);
  for (let step = 1; step <= 8; step += 1) {
    const next = pointAt(curve, step / 8);
    length += Math.hypot(next.x - last.x, next.y - last.y);
    last = next;
  }
  return length;
}

/** What all of it takes, with a margin. */
export function boxOf(places: Iterable<Place>, margin: number): Box {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const { x, y } of places) {
    left = Math.min(left, x - NODE_WIDTH / 2);
    right = Math.max(right, x + NODE_WIDTH / 2);
    top = Math.min(top, y - NODE_HEIGHT / 2);
    bottom = Math.max(bottom, y + NODE_HEIGHT / 2);
  }
  if (left > right) return { left: 0, top: 0, width: 1, height: 1 };
  return {
    left: left - margin,
    top: top - margin,
    width: right - left + 2 * margin,
    height: bottom - top + 2 * margin,
  };
}

function curve(from: Place, to: Place, leave: number, arrive: number): Curve {
  const [ax, ay] = [from.x + NODE_WIDTH / 2, from.y + leave];
  const [dx, dy] = [to.x - NODE_WIDTH / 2, to.y + arrive];
  // Back to an earlier layer, the line swings out on both sides.
  const bend = dx > ax ? (dx - ax) / 2 : Math.min(220, 70 + (ax - dx) / 3);
  return [ax, ay, ax + bend, ay, dx - bend, dy, dx, dy];
}

/** Lines at one side of a node are set apart, in the order of their other ends. */
function ports(
  links: readonly Link[],
  here: 'from' | 'to',
  there: 'from' | 'to',
  places: Places,
): readonly number[] {
  const sides = new Map<string, number[]>();
  links.forEach((link, at) => {
    const side = sides.get(link[here]);
    if (side) side.push(at);
    else sides.set(link[here], [at]);
  });
  const offsets = new Array<number>(links.length).fill(0);
  for (const side of sides.values()) {
    const heightOf = (at: number): number => places.get(links[at]![there])?.y ?? 0;
    side.sort((a, b) => heightOf(a) - heightOf(b));
    const gap = Math.min(8, (NODE_HEIGHT - 12) / Math.max(1, side.length - 1));
    side.forEach((at, place) => (offsets[at] = (place - (side.length - 1) / 2) * gap));
  }
  return offsets;
}

function weights(share: number): readonly [number, number, number, number] {
  const rest = 1 - share;
  return [rest ** 3, 3 * rest ** 2 * share, 3 * rest * share ** 2, share ** 3];
}
