/** Where things stand on the time axis: shares of the width, from 0 to 1. */
import type { DurationNanos, UnixNanos } from '../../base/time';
import type { Mark } from './tree';

/** The stretch of time that the axis shows. */
export interface View {
  readonly start: UnixNanos;
  readonly end: UnixNanos;
}

export interface Extent {
  readonly left: number;
  readonly width: number;
  /** False when nothing of it lies inside the view. */
  readonly visible: boolean;
}

export interface Tick {
  readonly at: number;
  readonly offset: DurationNanos;
}

export interface PlacedMark {
  readonly at: number;
  readonly level: Mark['level'];
  readonly text: string;
  /** How many records this mark stands for. */
  readonly count: number;
}

export function extentOf(view: View, start: UnixNanos, duration: DurationNanos): Extent {
  const left = shareOf(view, start);
  const right = shareOf(view, (start + duration) as UnixNanos);
  const from = clamp(left);
  return { left: from, width: clamp(right) - from, visible: right >= 0 && left <= 1 };
}

/** At most `count` round steps (1, 2 or 5 times a power of ten), as offsets from `origin`. */
export function ticksOf(view: View, origin: UnixNanos, count: number): readonly Tick[] {
  const length = view.end - view.start;
  if (length <= 0n || count < 1) return [];
  const step = roundStep(length, count);
  const first = view.start - origin;
  const ticks: Tick[] = [];
  for (let offset = ceilTo(first, step); offset <= first + length; offset += step) {
    const at = shareOf(view, (origin + offset) as UnixNanos);
    ticks.push({ at, offset: offset as DurationNanos });
  }
  return ticks;
}

/**
 * Marks close together become one, so that a chatty invocation costs no more
 * to draw than a quiet one; the worst level wins and gives its text. A mark
 * outside of the trace's own `bounds`, such as a report that is written when
 * all is over, stands at their edge; one outside of the view is left out.
 */
export function placeMarks(
  view: View,
  bounds: View,
  marks: readonly Mark[],
): readonly PlacedMark[] {
  const places = new Map<number, PlacedMark>();
  for (const mark of marks) {
    const at = shareOf(view, within(bounds, mark.time));
    if (at < 0 || at > 1) continue;
    const place = Math.round(at * MARK_PLACES);
    const held = places.get(place);
    const worse = held === undefined || RANK[mark.level] > RANK[held.level];
    places.set(place, {
      at: place / MARK_PLACES,
      level: worse ? mark.level : held.level,
      text: worse ? mark.text : held.text,
      count: (held?.count ?? 0) + 1,
    });
  }
  return [...places.values()].sort((a, b) => a.at - b.at);
}

// About as many as can be told apart on a common screen.
const MARK_PLACES = 200;

const RANK: Record<Mark['level'], number> = { info: 0, warn: 1, error: 2 };

/** Exact up to 104 days, beyond which a number rounds by a nanosecond or two. */
function shareOf(view: View, time: UnixNanos): number {
  const length = Number(view.end - view.start);
  return length <= 0 ? 0 : Number(time - view.start) / length;
}

function roundStep(length: bigint, count: number): bigint {
  const least = (length + BigInt(count) - 1n) / BigInt(count);
  for (let power = 1n; ; power *= 10n) {
    for (const factor of [1n, 2n, 5n]) if (factor * power >= least) return factor * power;
  }
}

function ceilTo(value: bigint, step: bigint): bigint {
  const rest = value % step;
  if (rest === 0n) return value;
  return rest > 0n ? value - rest + step : value - rest;
}

function within(bounds: View, time: UnixNanos): UnixNanos {
  if (time < bounds.start) return bounds.start;
  return time > bounds.end ? bounds.end : time;
}

function clamp(share: number): number {
  return Math.min(1, Math.max(0, share));
}
