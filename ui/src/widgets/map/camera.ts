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
 * phone, the part around `focus`.
 */
export function fit(box: Box, width: number, height: number, focus: Place | null = null): Camera {
  const scale = clampScale(Math.min(FIT_MAX, width / box.width, height / box.height));
  if (focus !== null && width < PHONE_WIDTH && scale < READABLE) {
    return {
      scale: READABLE,
      x: width / 2 - focus.x * READABLE,
      y: height / 2 - focus.y * READABLE,
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

function clampScale(scale: number): number {
  return Math.min(SCALE_MAX, Math.max(SCALE_MIN, scale));
}
