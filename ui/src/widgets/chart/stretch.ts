/** A part of the time of a chart, in seconds since 1970. */
import type uPlot from 'uplot';

export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * The time of the points within it, each of which stands for all until the next one. Between two
 * points it is the time of the one before.
 */
export function wholeSteps({ from, to }: Stretch, step: number): Stretch {
  const [first, last] = [Math.ceil(from / step), Math.floor(to / step)];
  if (last < first) return { from: last * step, to: first * step };
  return { from: first * step, to: (last + 1) * step };
}

/** Shades it, as far as it is on the chart. */
export function drawStretch(chart: uPlot, { from, to }: Stretch, colour: string): void {
  const { ctx, bbox } = chart;
  const place = (time: number): number =>
    Math.min(bbox.left + bbox.width, Math.max(bbox.left, chart.valToPos(time, 'x', true)));
  const left = place(from);
  ctx.save();
  ctx.globalAlpha = OPACITY;
  ctx.fillStyle = colour;
  ctx.fillRect(left, bbox.top, place(to) - left, bbox.height);
  ctx.restore();
}

const OPACITY = 0.15;
