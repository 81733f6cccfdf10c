/** Moments on a chart: lines from top to bottom, with a word beside them. */
import type uPlot from 'uplot';
import { markWords, type Mark } from '../../base/marks';
import { NANOS_PER_SECOND, type UnixNanos } from '../../base/time';

export interface ChartMark {
  /** Seconds since 1970. */
  readonly time: number;
  /** Beside the line. */
  readonly word: string;
  /** All of it, for those who do not see it. */
  readonly words: string;
  /** A token of the style sheet. */
  readonly colour: string;
  /** Drawn fainter than a beginning. */
  readonly isEnd: boolean;
}

/** When incidents began, and when those that are over had ended. */
export function chartMarks(marks: readonly Mark[]): readonly ChartMark[] {
  return marks.flatMap((mark) => {
    const [colour, words] = [COLOURS[mark.severity], markWords([mark])];
    const begin = { time: secondsOf(mark.since), word: mark.severity, words, colour, isEnd: false };
    if (mark.until === null) return [begin];
    const end = { time: secondsOf(mark.until), word: 'over', words: `the end of: ${words}` };
    return [begin, { ...end, colour, isEnd: true }];
  });
}

function secondsOf(time: UnixNanos): number {
  return Number(time / NANOS_PER_SECOND);
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
  const inOrder = [...marks].sort((a, b) => a.time - b.time);
  // As the axes were drawn last, words would stand across their lines.
  ctx.textAlign = 'left';
  // Words that would lie upon the ones before are left out.
  let written = -Infinity;
  for (const { time, word, colour, isEnd } of inOrder) {
    const x = Math.round(chart.valToPos(time, 'x', true));
    ctx.strokeStyle = ctx.fillStyle = colourOf(colour);
    ctx.lineWidth = 1.5 * devicePixelRatio;
    const [dash, gap] = isEnd ? [2, 4] : [5, 3];
    ctx.setLineDash([dash * devicePixelRatio, gap * devicePixelRatio]);
    ctx.beginPath();
    ctx.moveTo(x, bbox.top);
    ctx.lineTo(x, bbox.top + bbox.height);
    ctx.stroke();
    // On the side where there is room.
    const wide = ctx.measureText(word).width + 4 * devicePixelRatio;
    const fits = x + wide < bbox.left + bbox.width;
    const left = fits ? x + 4 * devicePixelRatio : x - wide;
    if (left < written) continue;
    ctx.fillText(word, left, bbox.top + 11 * devicePixelRatio);
    written = left + wide;
  }
  ctx.restore();
}

const COLOURS: Readonly<Record<Mark['severity'], string>> = {
  critical: 'error',
  warning: 'warn',
  note: 'cold',
};
