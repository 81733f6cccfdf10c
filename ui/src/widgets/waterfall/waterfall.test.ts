import { describe, expect, it } from 'vitest';
import type { DurationNanos, UnixNanos } from '../../base/time';
import { extentOf, placeMarks, ticksOf, type View } from './scale';
import { scrollFor, sliceOf } from './scroll';
import {
  ancestorsOf,
  buildTree,
  isWithin,
  originsOfFailure,
  ownTime,
  visibleRows,
  type Mark,
  type Tree,
  type WaterfallSpan,
} from './tree';

/** `id<parent start+duration`, an exclamation mark for a failure: `b<a 10+5 !`. */
function span(text: string): WaterfallSpan {
  const match = /^(\w+)(?:<(\w+))? (\d+)\+(\d+)( !)?$/.exec(text);
  if (!match) throw new Error(`not a span: ${text}`);
  const [, id, parentId, start, duration, failed] = match;
  return {
    id: id!,
    parentId: parentId ?? null,
    name: id!,
    service: 'service',
    start: BigInt(start!) as UnixNanos,
    duration: BigInt(duration!) as DurationNanos,
    phase: 'code',
    failed: failed !== undefined,
    coldStart: false,
    marks: [],
  };
}

const tree = (...spans: string[]): Tree => buildTree(spans.map(span));

/** The rows as they would be read: indented names. */
function draw(from: Tree, collapsed: readonly string[] = []): string[] {
  return visibleRows(from, new Set(collapsed)).map((at) => {
    const row = from.rows[at]!;
    return '  '.repeat(row.depth) + row.span.id + (row.orphan ? ' (orphan)' : '');
  });
}

describe('tree', () => {
  it('nests children under parents, siblings by start, whatever the order of arrival', () => {
    const rows = draw(tree('d<b 30+5', 'c<a 50+5', 'b<a 20+20', 'a 10+100', 'e<b 25+1'));
    expect(rows).toEqual(['a', '  b', '    e', '    d', '  c']);
  });

  it('puts the longer of two that start together first', () => {
    expect(draw(tree('a 0+9', 'short<a 1+1', 'long<a 1+5'))).toEqual(['a', '  long', '  short']);
  });

  it('shows a span whose parent is missing as a marked root, in its place in time', () => {
    const rows = draw(tree('a 0+10', 'lost<gone 5+1', 'child<lost 6+1', 'z 9+1'));
    expect(rows).toEqual(['a', 'lost (orphan)', '  child', 'z']);
  });

  it('takes an invocation whose parent is never sent for the entry, unless there is a root', () => {
    const invocation = { ...span('a<lambda 5+9'), phase: 'invoke' as const };
    const entries = (...spans: WaterfallSpan[]): string[] =>
      buildTree(spans)
        .rows.filter((row) => row.entry)
        .map((row) => row.span.id);
    expect(entries(invocation, span('b<a 6+1'), span('lost<gone 7+1'))).toEqual(['a']);
    expect(entries(invocation, span('root 6+1'))).toEqual(['root']);
    expect(entries(span('lost<gone 1+1'), invocation)).toEqual([]);
  });

  it('cuts circles and spans that are their own parent', () => {
    expect(draw(tree('a<b 0+1', 'b<a 1+1', 'self<self 2+1'))).toEqual([
      'a (orphan)',
      '  b',
      'self (orphan)',
    ]);
  });

  it('keeps every span when two have one id', () => {
    const doubled = tree('a 0+10', 'x<a 1+5', 'x<a 2+2', 'y<x 3+1');
    expect(draw(doubled)).toEqual(['a', '  x', '    y', '  x']);
    expect(doubled.indexOf.get('x')).toBe(1);
  });

  it('is empty for no spans', () => {
    expect(draw(buildTree([]))).toEqual([]);
  });

  it('has bounds from the first start to the last end', () => {
    const { start, end } = tree('a 10+5', 'late<a 12+90', 'early<a 3+1');
    expect([start, end]).toEqual([3n, 102n]);
  });

  it('folds subtrees, also inside each other', () => {
    const full = tree('a 0+9', 'b<a 1+5', 'c<b 2+1', 'd<a 7+1');
    expect(draw(full, ['b'])).toEqual(['a', '  b', '  d']);
    expect(draw(full, ['a', 'b'])).toEqual(['a']);
    expect(draw(full, ['c'])).toEqual(['a', '  b', '    c', '  d']);
  });

  it('counts what lies below, and its failures', () => {
    const { rows } = tree('a 0+9', 'b<a 1+5 !', 'c<b 2+1 !', 'd<a 7+1');
    expect(rows.map((row) => [row.span.id, row.below, row.failedBelow])).toEqual([
      ['a', 3, 2],
      ['b', 1, 1],
      ['c', 0, 0],
      ['d', 0, 0],
    ]);
    expect(rows.map((row) => [row.position, row.siblings])).toEqual([
      [1, 1],
      [1, 2],
      [1, 1],
      [2, 2],
    ]);
  });

  it('finds where failures began', () => {
    const failing = tree('a 0+9 !', 'b<a 1+5 !', 'c<b 2+1 !', 'd<a 7+1 !', 'e<d 7+1');
    expect(originsOfFailure(failing).map((row) => row.span.id)).toEqual(['c', 'd']);
  });

  it('knows what is above and within', () => {
    const full = tree('a 0+9', 'b<a 1+5', 'c<b 2+1', 'd<a 7+1');
    expect(ancestorsOf(full, 2).map((row) => row.span.id)).toEqual(['b', 'a']);
    expect([0, 1, 2, 3].map((at) => isWithin(full, 1, at))).toEqual([false, true, true, false]);
  });

  it('takes ten thousand spans in one chain', () => {
    const chain = Array.from({ length: 10_000 }, (_, at) =>
      span(at === 0 ? 's0 0+99999' : `s${at}<s${at - 1} ${at}+1`),
    );
    const deep = buildTree(chain.reverse());
    expect(deep.rows.at(-1)?.depth).toBe(9_999);
    expect(deep.rows[0]?.below).toBe(9_999);
    expect(visibleRows(deep, new Set(['s5000']))).toHaveLength(5_001);
  });
});

describe('own time', () => {
  it.each([
    ['without children', ['a 0+100'], 100n],
    ['gaps between children', ['a 0+100', 'b<a 10+20', 'c<a 50+20'], 60n],
    ['overlapping children count once', ['a 0+100', 'b<a 10+40', 'c<a 30+40'], 40n],
    ['a child inside another adds nothing', ['a 0+100', 'b<a 10+80', 'c<a 20+10'], 20n],
    ['grandchildren do not count', ['a 0+100', 'b<a 10+10', 'c<b 12+80'], 90n],
    ['a child that goes on after the end', ['a 0+100', 'b<a 90+500'], 90n],
    ['a child that began before, as init does', ['a 50+100', 'b<a 0+60'], 90n],
    ['a child all of it before', ['a 50+100', 'b<a 0+10'], 100n],
  ])('%s', (_, spans, own) => {
    const built = tree(...spans);
    expect(ownTime(built, built.indexOf.get('a')!)).toBe(own);
  });
});

describe('scale', () => {
  const view: View = { start: 1000n as UnixNanos, end: 2000n as UnixNanos };
  const extent = (start: bigint, duration: bigint) =>
    extentOf(view, start as UnixNanos, duration as DurationNanos);

  it.each([
    [1000n, 1000n, { left: 0, width: 1, visible: true }],
    [1250n, 500n, { left: 0.25, width: 0.5, visible: true }],
    [500n, 750n, { left: 0, width: 0.25, visible: true }],
    [1900n, 9000n, { left: 0.9, width: 0.1, visible: true }],
    [1500n, 0n, { left: 0.5, width: 0, visible: true }],
    [100n, 50n, { left: 0, width: 0, visible: false }],
    [3000n, 50n, { left: 1, width: 0, visible: false }],
  ])('a span at %d for %d', (start, duration, expected) => {
    const { left, width, visible } = extent(start, duration);
    expect(visible).toBe(expected.visible);
    expect(left).toBeCloseTo(expected.left);
    expect(width).toBeCloseTo(expected.width);
  });

  it('does not divide by nothing', () => {
    const nothing: View = { start: 5n as UnixNanos, end: 5n as UnixNanos };
    expect(extentOf(nothing, 5n as UnixNanos, 0n as DurationNanos).left).toBe(0);
    expect(ticksOf(nothing, nothing.start, 5)).toEqual([]);
  });

  it.each([
    [1_000n, 5, [0n, 200n, 400n, 600n, 800n, 1_000n]],
    [1_000n, 4, [0n, 500n, 1_000n]],
    [1_999n, 4, [0n, 500n, 1_000n, 1_500n]],
    [3n, 10, [0n, 1n, 2n, 3n]],
    [7_200_000_000_000n, 3, [0n, 5_000_000_000_000n]],
  ])('an axis of %d ns with room for %d has round ticks', (length, room, offsets) => {
    const axis: View = { start: 7n as UnixNanos, end: (7n + length) as UnixNanos };
    expect(ticksOf(axis, axis.start, room).map((tick) => tick.offset)).toEqual(offsets);
  });

  it('counts ticks of a zoomed view from the start of the trace', () => {
    const zoomed: View = { start: 1_130n as UnixNanos, end: 1_230n as UnixNanos };
    const ticks = ticksOf(zoomed, 1_000n as UnixNanos, 2);
    expect(ticks).toEqual([
      { at: 0.2, offset: 150n },
      { at: 0.7, offset: 200n },
    ]);
  });

  const mark = (time: bigint, level: Mark['level'], text: string): Mark => ({
    time: time as UnixNanos,
    level,
    text,
  });

  it('joins marks that would lie on each other; the worst one speaks', () => {
    const marks = [mark(1500n, 'info', 'a'), mark(1501n, 'error', 'b'), mark(1508n, 'warn', 'c')];
    expect(placeMarks(view, view, [...marks, mark(1750n, 'info', 'd')])).toEqual([
      { at: 0.5, level: 'error', text: 'b', count: 2 },
      { at: 0.51, level: 'warn', text: 'c', count: 1 },
      { at: 0.75, level: 'info', text: 'd', count: 1 },
    ]);
  });

  it('puts marks from outside the trace at its edge, and leaves out what is not in view', () => {
    const bounds: View = { start: 0n as UnixNanos, end: 2000n as UnixNanos };
    const marks = [mark(500n, 'info', 'not in view'), mark(9_999n, 'info', 'report')];
    expect(placeMarks(view, bounds, marks)).toEqual([
      { at: 1, level: 'info', text: 'report', count: 1 },
    ]);
  });

  it('draws a bounded number of marks however many there are', () => {
    const many = Array.from({ length: 50_000 }, (_, at) =>
      mark(1000n + BigInt(at % 1000), 'info', ''),
    );
    const placed = placeMarks(view, view, many);
    expect(placed.length).toBeLessThanOrEqual(201);
    expect(placed.reduce((sum, each) => sum + each.count, 0)).toBe(50_000);
  });
});

describe('scroll', () => {
  const at = (scrollTop: number) => ({ scrollTop, height: 260, rowHeight: 26 });

  it.each([
    [0, 10_000, { first: 0, end: 12 }],
    [2_600, 10_000, { first: 98, end: 112 }],
    [259_740, 10_000, { first: 9_988, end: 10_000 }],
    [0, 3, { first: 0, end: 3 }],
    [5_000, 3, { first: 3, end: 3 }],
    [0, 0, { first: 0, end: 0 }],
  ])('at %d of %d rows', (scrollTop, count, slice) => {
    expect(sliceOf(count, at(scrollTop), 2)).toEqual(slice);
  });

  it.each([
    ['a row in sight does not move', 5, 0, 0],
    ['one above comes to the top', 5, 400, 130],
    ['one below comes to the bottom', 20, 0, 286],
    ['one cut off at the bottom is pulled in', 10, 5, 26],
  ])('%s', (_, row, scrollTop, expected) => {
    expect(scrollFor(row, at(scrollTop))).toBe(expected);
  });
});
