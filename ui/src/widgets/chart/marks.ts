/** Moments on a chart: lines from top to bottom, with a word beside them. */
import type uPlot from 'uplot';
import { markWords, type Mark } from '../../base/marks';

export interface ChartMark {
  /** Seconds since 1970. */
  readonly time: number;
  /** Beside the line. */
  readonly word: string;
  /** All of it, for those who do not see it. */
  readonly words: string;
  /** A token of the style sheet. */
  readonly colour: string;
}

/** When incidents began. */
export function chartMarks(marks: readonly Mark[]): readonly ChartMark[] {
  return marks.map((mark) => ({
    time: Number(mark.since / 1_000_000_000n),
    word: mark.severity,
    words: markWords([mark]),
    colour: COLOURS[mark.severity],
  }));
}

/** Those within the times of a chart. */
export function within(
  marks: readonly ChartMark[],
  times: readonly number[],
): readonly ChartMark[] {
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined) return [];
  return marks.filter(({ time }) => first <= time && time <= last);
}

export function drawMarks(
  chart: uPlot,
  marks: readonly ChartMark[],
  colourOf: (token: string) => string,
): void {
  const { ctx, bbox } = chart;
  ctx.save();
  ctx.font = `${11 * devicePixelRatio}px sans-serif`;
  for (const { time, word, colour } of marks) {
    const x = Math.round(chart.valToPos(time, 'x', true));
    ctx.strokeStyle = ctx.fillStyle = colourOf(colour);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    ctx.setLineDash([5 * devicePixelRatio, 3 * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // On the side where there is room.
    const wide = ctx.measureText(word).width + 4 * devicePixelRatio;
    const fits = x + wide < bbox.left + bbox.width;
    ctx.fillText(
      word,
      fits ? x + 4 * devicePixelRatio : x - wide,
      bbox.top + 11 * devicePixelRatio,
    );
  }
  ctx.restore();
}

const COLOURS: Readonly<Record<Mark['severity'], string>> = {
  critical: 'error',
  warning: 'warn',
  note: 'cold',
};
