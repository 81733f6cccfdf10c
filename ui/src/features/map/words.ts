/** Numbers of the map in words, the same on it, beside it and in the table. */
import { LEVEL_WORDS, type MapEdgeView, type MapNodeView } from '../../widgets/map/graph';
import { markWords, type Mark } from '../../base/marks';
import { formatMillis, formatRate, formatShare } from '../../base/format';
import type { Calls } from './deviation';
import type { Flow, Party } from './model';
import { ageLine, fillOf, waitWords } from './waits';

/** A group has the marks of nobody: who is in it shows when it is unfolded. */
export function nodeView(party: Party, marks: readonly Mark[] = []): MapNodeView {
  const [first] = marks;
  if (first === undefined) return plainView(party);
  const mark = { words: markWords(marks), severity: first.severity };
  return { ...plainView(party), mark };
}

function plainView(party: Party): MapNodeView {
  const { id, name, kind, shape, level, wait } = party;
  const calls = callLine(party.seen);
  if (wait === null || shape !== 'queue') return { id, name, kind, shape, level, line: calls };
  const line = `${ageLine(wait)} · ${calls}`;
  return { id, name, kind, shape, level, line, fill: fillOf(wait) };
}

export function edgeView(flow: Flow, nameOf: (id: string) => string): MapEdgeView {
  const { id, from, to, level, asynchronous } = flow;
  const about = flow.why === '' ? LEVEL_WORDS[level] : `${LEVEL_WORDS[level]}: ${flow.why}`;
  const waited = flow.wait === null ? '' : `; ${waitWords(flow.wait)}`;
  const words = `${nameOf(from)} → ${nameOf(to)}: ${callLine(flow.seen)}; ${about}${waited}`;
  const fill = fillOf(flow.wait);
  return { id, from, to, rate: flow.seen.rate, level, asynchronous, fill, words };
}

/** `3.0 % fail · 2.1/s · 41 ms`: what is worst comes first, because lines are cut at their end. */
export function callLine(calls: Calls): string {
  if (calls.count === 0) return 'no calls';
  const parts = calls.errors > 0 ? [`${formatShare(calls.errors / calls.count)} fail`] : [];
  parts.push(formatRate(calls.rate));
  if (calls.p50 > 0) parts.push(formatMillis(calls.p50));
  return parts.join(' · ');
}
