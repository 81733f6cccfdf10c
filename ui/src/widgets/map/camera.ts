/** What part of the map is in sight. */
import type { Box } from './curves';
import type { Place } from './layout';
import type { Camera } from './particles';

const FIT_MAX = 1.5;
const READABLE = 0.7;
const PHONE_WIDTH = 600;
export const SCALE_MAX = 2.5;
const SCALE_MIN = 0.05;

/**
 * All of it, in the middle. Where that would be too small to read, as on a
 * phone, the part around `focus`; on wide screens only if it is to be `readable`.
 */
export function fit(
  box: Box,
  width: number,
  height: number,
  focus: Place | null = null,
  readable = false,
): Camera {
  const scale = clampScale(Math.min(FIT_MAX, width / box.width, height / box.height));
  if (focus !== null && (readable || width < PHONE_WIDTH) && scale < READABLE) {
    return {
      scale: READABLE,
      x: inSight(width / 2 - focus.x * READABLE, box.left, box.width, width),
      y: inSight(height / 2 - focus.y * READABLE, box.top, box.height, height),
    };
  }
  return {
    scale,
    x: (width - box.width * scale) / 2 - box.left * scale,
    y: (height - box.height * scale) / 2 - box.top * scale,
  };
}

/** Nearer or farther, with what is below the pointer staying there. */
export function zoomAt(camera: Camera, factor: number, x: number, y: number): Camera {
  const scale = clampScale(camera.scale * factor);
  const share = scale / camera.scale;
  return { scale, x: x - (x - camera.x) * share, y: y - (y - camera.y) * share };
}

/** No emptier than it must be: an edge of the map is at the edge of the window, or beyond it. */
function inSight(at: number, begin: number, length: number, window: number): number {
  const [first, last] = [-begin * READABLE, window - (begin + length) * READABLE];
  if (first < last) return (first + last) / 2;
  return Math.min(first, Math.max(last, at));
}

function clampScale(scale: number): number {
  return Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale));
}
