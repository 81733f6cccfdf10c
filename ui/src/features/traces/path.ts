/** The critical path in words. */
import { formatDuration, plural } from '../../base/format';
import type { DurationNanos } from '../../base/time';
import type { Contribution, CriticalPath, PathEnd } from '../../widgets/waterfall/critical';
import type { Tree } from '../../widgets/waterfall/tree';

/** `SELECT stock in inventory, 3 times`, `waiting in queue orders`, `waiting for notify to begin`. */
export function contributionWords(tree: Tree, told: Contribution): string {
  const { service, name, count, waiting, spanId } = told;
  const span = tree.rows[tree.indexOf.get(spanId) ?? -1]?.span;
  const often = count === 1 ? '' : `, ${plural(count, 'time')}`;
  if (waiting && span?.waiting) return `waiting in ${name}${often}`;
  if (waiting) return `waiting for ${service} to begin${often}`;
  return (name === service ? `${service} itself` : `${name} in ${service}`) + often;
}

export const PATH_WORDS: Readonly<Record<PathEnd, string>> = {
  answer: 'until the answer',
  end: 'until the end',
};

/** `452 ms until the answer`: what both the sentence of the story and that of the path say. */
export function pathWords(path: CriticalPath, end: PathEnd): string {
  return `${formatDuration(path.duration)} ${PATH_WORDS[end]}`;
}

/** `57 %`, and `< 1 %` for what is hardly anything. */
export function shareWords(share: number): string {
  if (share > 0 && share < 0.01) return '< 1\u202f%';
  return `${Math.round(share * 100)}\u202f%`;
}

/** What a span has to do with the critical path. */
export function placeOnPath(
  { own, waited }: { readonly own: DurationNanos; readonly waited: DurationNanos },
  whole: DurationNanos,
  end: PathEnd,
): string {
  const parts: string[] = [];
  const share = (time: DurationNanos): string =>
    `${formatDuration(time)} (${shareWords(whole === 0n ? 0 : Number(time) / Number(whole))})`;
  if (own > 0n) parts.push(`${share(own)} in it`);
  if (waited > 0n) parts.push(`${share(waited)} waiting for it`);
  if (parts.length === 0) return 'Not on the critical path: nothing waited for its own time.';
  return `On the critical path ${PATH_WORDS[end]}: ${parts.join(', ')}.`;
}
