import { describe, expect, it } from 'vitest';
import type { DurationNanos, UnixNanos } from '../../base/time';
import { linesOf, type LogLine } from './lines';
import { buildTree, visibleRows, type WaterfallSpan } from './tree';

const span = (id: string, parentId: string | null, start: number): WaterfallSpan => ({
  id,
  parentId,
  name: id,
  service: 'service',
  start: BigInt(start) as UnixNanos,
  duration: 100n as DurationNanos,
  phase: 'code',
  failed: false,
  coldStart: false,
  marks: [],
});

const log = (spanId: string | null, time: number): LogLine => ({
  id: `log-${time}`,
  spanId,
  service: 'service',
  time: BigInt(time) as UnixNanos,
  level: 'info',
  text: '',
});

const tree = buildTree([
  span('a', null, 10),
  span('b', 'a', 20),
  span('c', 'b', 30),
  span('d', 'a', 40),
]);

function draw(logs: readonly LogLine[], folded: readonly string[] = []): string {
  const collapsed = new Set(folded);
  const lines = linesOf(tree, visibleRows(tree, collapsed), collapsed, logs);
  return lines
    .map((line) => (line.log ? `${line.id}<${line.row?.span.id ?? ''}` : line.id))
    .join(' ');
}

describe('logs between spans', () => {
  it.each([
    ['none', [], 'a b c d'],
    [
      'before and after a child',
      [log('a', 15), log('a', 25), log('a', 50)],
      'a log-15<a b c log-25<a d log-50<a',
    ],
    ['deep inside', [log('c', 31), log('b', 32)], 'a b c log-31<c log-32<b d'],
    ['at the moment that a child begins', [log('a', 20)], 'a b c log-20<a d'],
    ['before their own span began', [log('d', 1)], 'a b c d log-1<d'],
    ['of nobody', [log(null, 5), log('gone', 99)], 'log-5< a b c d log-99<'],
  ])('%s', (_, logs, expected) => expect(draw(logs)).toBe(expected));

  it('of folded spans are folded with them', () => {
    expect(draw([log('c', 31), log('b', 32), log('a', 50)], ['b'])).toBe('a b d log-50<a');
    expect(draw([log('c', 31), log('a', 50)], ['a'])).toBe('a');
  });

  it('two spans of one id are two lines', () => {
    const twice = buildTree([span('a', null, 1), span('b', 'a', 2), span('b', 'a', 3)]);
    const ids = linesOf(twice, [0, 1, 2], new Set(), []).map(({ id }) => id);
    expect(ids).toEqual(['a', 'b', 'b~2']);
  });

  it('without spans are lines all the same', () => {
    const empty = buildTree([]);
    expect(linesOf(empty, [], new Set(), [log(null, 1)]).map(({ id }) => id)).toEqual(['log-1']);
  });
});
