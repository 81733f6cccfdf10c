/** Which particles there are. Where each is, the graphics card works out from the time. */
import type { Curve } from './curves';
import { lengthOf } from './curves';
import { LEVELS, type Level } from './graph';

export interface Stream {
  readonly curve: Curve;
  /** Calls a second. */
  readonly rate: number;
  readonly level: Level;
  /** Dimmed because something else is selected. */
  readonly dim: boolean;
}

export interface Swarm {
  /** `FLOATS` numbers for each particle. */
  readonly data: Float32Array;
  readonly count: number;
  /** How many calls one particle stands for. */
  readonly calls: number;
}

/**
 * Per particle: four points of the curve; seconds of delay, from one start to
 * the next, and of travel; lane beside the line; level; strength.
 */
export const FLOATS = 14;
export const PARTICLES_MAX = 20_000;

/** World units a second. */
const SPEED = 90;
/** Something happens there: without a sign of life one would look in vain for a minute. */
const SECONDS_BETWEEN_MAX = 8;
const LANE_WIDTH = 5;

export function buildSwarm(streams: readonly Stream[], max = PARTICLES_MAX): Swarm {
  const flows = streams
    .filter((stream) => stream.rate > 0)
    .map((stream) => ({ stream, travel: Math.max(0.5, lengthOf(stream.curve) / SPEED) }));
  const wanted = flows.reduce((sum, { stream, travel }) => sum + stream.rate * travel, 0);
  const calls = roundCalls(wanted / Math.max(1, max - flows.length));
  const groups = flows.map(({ stream, travel }) => {
    const rate = Math.max(stream.rate / calls, 1 / SECONDS_BETWEEN_MAX);
    return { stream, travel, rate, particles: Math.max(1, Math.ceil(rate * travel)) };
  });
  const count = Math.min(
    max,
    groups.reduce((sum, group) => sum + group.particles, 0),
  );
  const data = new Float32Array(count * FLOATS);
  const random = randomFrom(42);
  let at = 0;
  for (const { stream, travel, rate, particles } of groups) {
    const level = LEVELS.indexOf(stream.level);
    for (let nth = 0; nth < particles && at < count; nth += 1) {
      // Each starts anew after `particles` others, so that starts are 1/rate apart.
      const period = particles / rate;
      const delay = (nth + random() * 0.8) / rate;
      const lane = (random() + random() - 1) * LANE_WIDTH;
      data.set(
        [...stream.curve, delay, period, travel, lane, level, stream.dim ? 0.12 : 1],
        at * FLOATS,
      );
      at += 1;
    }
  }
  return { data, count, calls };
}

/** 1, 2, 5, 10, 20 and so on: a number that can be said in the legend. */
function roundCalls(share: number): number {
  if (share <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(share));
  return power * ([1, 2, 5, 10].find((step) => step * power >= share) ?? 10);
}

/** The same swarm for the same map: particles do not jump when nothing has changed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
