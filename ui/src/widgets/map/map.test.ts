import { describe, expect, it } from 'vitest';
import { fit, zoomAt } from './camera';
import { boxOf, curvesOf, lengthOf, pathOf, pointAt } from './curves';
import { NODE_HEIGHT, NODE_WIDTH, placeAll, readPlaces, writePlaces, type Link } from './layout';
import { buildSwarm, FLOATS, PARTICLES_MAX, type Stream } from './swarm';

const IDS = ['shop', 'pay', 'stock', 'table', 'mail'];
const LINKS: readonly Link[] = [
  { from: 'shop', to: 'pay' },
  { from: 'shop', to: 'stock' },
  { from: 'stock', to: 'table' },
];

function overlaps(ids: readonly string[], places: ReturnType<typeof placeAll>): string[] {
  return ids.flatMap((a, at) =>
    ids.slice(at + 1).flatMap((b) => {
      const [p, q] = [places.get(a)!, places.get(b)!];
      const apart = Math.abs(p.x - q.x) >= NODE_WIDTH || Math.abs(p.y - q.y) >= NODE_HEIGHT;
      return apart ? [] : [`${a} on ${b}`];
    }),
  );
}

describe('layout', () => {
  it('puts who is called to the right of who calls', () => {
    const places = placeAll(IDS, LINKS);
    for (const { from, to } of LINKS) expect(places.get(from)!.x).toBeLessThan(places.get(to)!.x);
    expect(overlaps(IDS, places)).toEqual([]);
  });

  it('newcomers never move those who stand', () => {
    let ids: string[] = ['shop', 'pay'];
    let links: Link[] = [LINKS[0]!];
    let places = placeAll(ids, links);
    for (let at = 0; at < 30; at += 1) {
      const before = places;
      ids = [...ids, `fn-${at}`];
      links = [...links, { from: ids[Math.floor(at / 4)]!, to: `fn-${at}` }];
      places = placeAll(ids, links, before);
      for (const [id, place] of before) expect(places.get(id)).toEqual(place);
    }
    expect(overlaps(ids, places)).toEqual([]);
  });

  it('who comes back finds the old place', () => {
    const places = placeAll(IDS, LINKS);
    const without = placeAll(['shop', 'pay'], LINKS.slice(0, 1), places);
    expect(placeAll(IDS, LINKS, without).get('table')).toEqual(places.get('table'));
  });

  it('places survive the browser, and nonsense does not', () => {
    const places = new Map([['a b', { x: 1, y: -2 }]]);
    expect(readPlaces(writePlaces(places))).toEqual(places);
    expect(readPlaces('{"a":1}').size).toBe(0);
    expect(readPlaces('[["a","b",3],[1,2]]').size).toBe(0);
    expect(readPlaces(null).size).toBe(0);
  });

  it('500 nodes with 2,000 lines stand apart, in layers', () => {
    const ids = Array.from({ length: 500 }, (_, at) => `n${at}`);
    const links = Array.from({ length: 2000 }, (_, at) => ({
      from: `n${(at * 7) % 499}`,
      to: `n${((at * 7) % 499) + 1 + ((at * 13) % (500 - ((at * 7) % 499) - 1))}`,
    }));
    const places = placeAll(ids, links);
    expect(overlaps(ids, places)).toEqual([]);
    expect(links.every(({ from, to }) => places.get(from)!.x <= places.get(to)!.x)).toBe(true);
  });

  it('circles have an end', () => {
    const ids = Array.from({ length: 200 }, (_, at) => `n${at}`);
    const ring = ids.map((from, at) => ({ from, to: ids[(at + 1) % 200]! }));
    expect(overlaps(ids, placeAll(ids, ring))).toEqual([]);
  });
});

describe('curves', () => {
  const places = new Map([
    ['a', { x: 0, y: 0 }],
    ['b', { x: 400, y: 100 }],
    ['c', { x: 400, y: -100 }],
  ]);

  it('go from the right side to the left side', () => {
    const [curve] = curvesOf([{ from: 'a', to: 'b' }], places);
    expect(pointAt(curve!, 0)).toEqual({ x: NODE_WIDTH / 2, y: 0 });
    expect(pointAt(curve!, 1)).toEqual({ x: 400 - NODE_WIDTH / 2, y: 100 });
    expect(lengthOf(curve!)).toBeGreaterThan(240);
    expect(pathOf(curve!)).toMatch(/^M86 0C/);
  });

  it('of one node leave in the order of where they go', () => {
    const [down, up] = curvesOf(
      [
        { from: 'a', to: 'b' },
        { from: 'a', to: 'c' },
      ],
      places,
    );
    expect(up![1]).toBeLessThan(down![1]);
  });

  it('without a place there is none', () => {
    expect(curvesOf([{ from: 'a', to: 'x' }], places)).toEqual([null]);
  });
});

describe('particles', () => {
  const [curve] = curvesOf(
    [{ from: 'a', to: 'b' }],
    new Map([
      ['a', { x: 0, y: 0 }],
      ['b', { x: 622, y: 0 }],
    ]),
  );
  const stream = (rate: number): Stream => ({ curve: curve!, rate, level: 'normal', dim: false });

  /** Starts within a minute, counted as the shader would. */
  function starts(data: Float32Array): number {
    let count = 0;
    for (let at = 0; at < data.length; at += FLOATS) count += 60 / data[at + 9]!;
    return count;
  }

  it.each([0.5, 2, 40])('one starts for each call: %d a second', (rate) => {
    const swarm = buildSwarm([stream(rate)]);
    expect(swarm.calls).toBe(1);
    expect(starts(swarm.data) / 60).toBeCloseTo(rate, 3);
  });

  it('what is rare shows a sign of life; what does not move has none', () => {
    expect(starts(buildSwarm([stream(0.001)]).data)).toBeCloseTo(7.5, 3);
    expect(buildSwarm([stream(0)]).count).toBe(0);
  });

  it('too many calls share particles, in a number that can be said', () => {
    const swarm = buildSwarm(Array.from({ length: 2000 }, () => stream(50)));
    expect(swarm.count).toBeLessThanOrEqual(PARTICLES_MAX);
    expect(swarm.count).toBeGreaterThan(PARTICLES_MAX / 4);
    expect(String(swarm.calls)).toMatch(/^[125]0*$/);
  });

  it('the same map has the same particles', () => {
    expect(buildSwarm([stream(3)]).data).toEqual(buildSwarm([stream(3)]).data);
  });
});

describe('camera', () => {
  it('shows all of it, in the middle', () => {
    const box = boxOf(
      [
        { x: 0, y: 0 },
        { x: 2000, y: 0 },
      ],
      0,
    );
    const camera = fit(box, 800, 600);
    expect(box.left * camera.scale + camera.x).toBeCloseTo(0);
    expect(camera.scale).toBeLessThan(0.5);
  });

  it('begins with what can be read where that is asked for, and leaves no side empty', () => {
    const box = { left: 0, top: 0, width: 3000, height: 100 };
    const at = (x: number): readonly number[] => {
      const camera = fit(box, 800, 600, { x, y: 50 }, true);
      return [camera.scale, camera.x, camera.y].map((value) => Math.round(value * 100) / 100 + 0);
    };
    expect(at(0)).toEqual([0.7, 0, 265]);
    expect(at(1000)).toEqual([0.7, -300, 265]);
    expect(at(3000)).toEqual([0.7, -1300, 265]);
  });

  it('what is below the pointer stays there', () => {
    const camera = zoomAt({ scale: 1, x: 10, y: 20 }, 2, 110, 220);
    expect((110 - camera.x) / camera.scale).toBe(100);
    expect((220 - camera.y) / camera.scale).toBe(200);
  });
});
