/** Lines that differ only in numbers, ids and names become one, with how many there are. */
import { levelOf, textOf, type Level } from '../../api/line';
import type { Log } from '../../api/model';

export interface Pattern {
  readonly service: string;
  /** The line with `…` where lines differ. */
  readonly template: string;
  readonly count: number;
  readonly level: Level;
  /** The newest of them. */
  readonly sample: Log;
}

export const GAP = '…';

export function patternsOf(logs: readonly Log[]): readonly Pattern[] {
  const groups = new Map<string, { pattern: Pattern; count: number; worst: number }>();
  for (const log of logs) {
    const template = templateOf(textOf(log));
    const key = `${log.service}\n${template}`;
    const known = groups.get(key);
    if (known) {
      known.count += 1;
      known.worst = Math.max(known.worst, log.severityNumber);
    } else {
      const pattern = {
        service: log.service,
        template,
        count: 1,
        level: 'info' as Level,
        sample: log,
      };
      groups.set(key, { pattern, count: 1, worst: log.severityNumber });
    }
  }
  return [...groups.values()]
    .map(({ pattern, count, worst }) => ({ ...pattern, count, level: levelOf(worst) }))
    .sort((a, b) => b.count - a.count);
}

/** What changes from line to line is cut out: ids, times, numbers, what stands in quotes. */
export function templateOf(line: string): string {
  const first = line.slice(0, LINE_CHARS_MAX);
  return first
    .replace(/"[^"]*"|'[^']*'/g, GAP)
    .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/gi, GAP)
    .replace(/[^\s,;()[\]{}=:"']*\d[^\s,;()[\]{}=:"']*/g, GAP)
    .replace(/…(?:[\s:.]*…)+/g, GAP)
    .replace(/\s+/g, ' ')
    .trim();
}

/** A search that finds the lines of a pattern: its longest run of fixed words. */
export function searchFor(pattern: Pattern): string {
  const runs = pattern.template
    .split(GAP)
    .map((run) => (run.match(/[\p{L}\p{N}_]+/gu) ?? []).join(' '))
    .sort((a, b) => b.length - a.length);
  return runs[0] ? `"${runs[0]}"` : '';
}

const LINE_CHARS_MAX = 400;
