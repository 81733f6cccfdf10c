import { describe, expect, it } from 'vitest';
import type { TracePage, TraceSummary } from '../../api/model';
import type { DurationNanos, UnixNanos } from '../../base/time';
import { appendPage, mergeFresh, type Listed, type Merged } from './merge';

/** Traces named by their start: `9 8 7`, newest first; a cursor follows `>`. */
function page(text: string, spans = 1): TracePage {
  const [ids = '', cursor] = text.split('>');
  const traces = ids
    .trim()
    .split(/\s+/)
    .filter(Boolean)
    .map((id) => trace(id, spans));
  return { traces, total: traces.length, truncated: false, nextCursor: cursor?.trim() ?? null };
}

function trace(id: string, spanCount: number): TraceSummary {
  return {
    traceId: id,
    rootService: 'checkout',
    rootName: 'checkout',
    start: BigInt(id) as UnixNanos,
    duration: 1n as DurationNanos,
    spanCount,
    errorCount: 0,
    coldStartCount: 0,
    failed: false,
    services: [],
  };
}

function draw({ traces, nextCursor }: Listed): string {
  return (
    traces.map((each) => each.traceId).join(' ') + (nextCursor === null ? '' : ` > ${nextCursor}`)
  );
}

const shown = ({ listed, waiting }: Merged): string => `${draw(listed)} | ${waiting}`;

describe('a fresh page, flowing', () => {
  it.each([
    ['the first one is the list', null, '3 2 1', '3 2 1 | 0'],
    ['new traces come on top', '3 2 1 > c1', '5 4 3 > c3', '5 4 3 2 1 > c1 | 0'],
    ['nothing new changes nothing', '3 2 1 > c1', '3 2 > c2', '3 2 1 > c1 | 0'],
    ['older pages stay with their cursor', '4 3 2 1 > c1', '5 4 > c4', '5 4 3 2 1 > c1 | 0'],
    ['a gap drops what lies behind it', '3 2 1 > c1', '9 8 7 > c7', '9 8 7 > c7 | 0'],
    ['a page that is all there is replaces the list', '3 2 1', '4 3', '4 3 | 0'],
    ['a trace that grew older at its start moves', '5 4 3 > c3', '5 3 2 > c2', '5 3 2 > c2 | 0'],
  ])('%s', (_, before, fresh, after) => {
    const list = before === null ? null : page(before);
    expect(shown(mergeFresh(list, page(fresh), 'flow'))).toBe(after);
  });
});

describe('a fresh page, while the reader is on the list', () => {
  it.each([
    ['new traces wait', '3 2 1', '5 4 3', '3 2 1 | 2'],
    ['rows that went do not go yet', '3 2 1', '3', '3 2 1 | 0'],
    ['an empty list has nothing to hold', '', '2 1', '2 1 | 0'],
  ])('%s', (_, before, fresh, after) => {
    expect(shown(mergeFresh(page(before), page(fresh), 'hold'))).toBe(after);
  });

  it('rows grow in their place', () => {
    const { listed } = mergeFresh(page('2 1', 3), page('3 2', 8), 'hold');
    expect(listed.traces.map((each) => each.spanCount)).toEqual([8, 3]);
  });
});

it('an older page is added once', () => {
  expect(draw(appendPage(page('5 4 3 > c3'), page('3 2 1 > c1')))).toBe('5 4 3 2 1 > c1');
  expect(draw(appendPage(page('5 4 > c4'), page('3')))).toBe('5 4 3');
  // The total of a later page counts from that page on.
  expect(appendPage({ ...page('5 4 > c4'), total: 3 }, page('3')).total).toBe(3);
});
