import { describe, expect, it } from 'vitest';
import { placedIn, placesOf, pressed, type Cursor } from './cursor';
import { boxOf, frameOf, gridOf, heat, heatTicks, spotAt } from './heat';
import { unixNanosFromMillis } from '../../base/time';
import { lonely, shortNumber } from './lines';
import { chartMarks, within } from './marks';
import { wholeSteps } from './stretch';

describe('heat map', () => {
  const grid = gridOf(
    [
      { time: 600, upTo: 8, count: 3 },
      { time: 660, upTo: 16, count: 40 },
      { time: 660, upTo: 0, count: 2 },
    ],
    610,
    720,
    60,
  );

  it('has a column for each step and a row for each bucket between the ends', () => {
    expect([grid.times, grid.rows, grid.most]).toEqual([2, 5, 40]);
  });

  it('says what is at a place', () => {
    expect(spotAt(grid, 0.75, 0.05)).toMatchObject({ from: 660, to: 720, count: 40 });
    expect(spotAt(grid, 0.75, 0.05)!.upTo).toBeCloseTo(16);
    expect(spotAt(grid, 0.25, 0.95)).toMatchObject({ from: 600, count: 3 });
    expect(spotAt(grid, 1.2, 0.5)).toBeNull();
  });

  it('a rectangle has the cells that it touches, from whichever corner it is drawn', () => {
    const box = boxOf(grid, { x: 0.9, y: 0.05 }, { x: 0.6, y: 0.55 })!;
    expect([box.from, box.to]).toEqual([660, 720]);
    expect(box.upTo).toBeCloseTo(16);
    expect(box.above).toBeCloseTo(2 ** ((14 - 1) / 4));
    expect(boxOf(grid, { x: 0.6, y: 0.55 }, { x: 0.9, y: 0.05 })).toEqual(box);
    const frame = frameOf(grid, box);
    expect([frame.left, frame.wide]).toEqual([0.5, 0.5]);
    expect(frame.top).toBeCloseTo(0);
    expect(frame.high).toBeCloseTo(3 / 5);
  });

  it('a rectangle that leaves the map has its edge', () => {
    const all = boxOf(grid, { x: -1, y: 2 }, { x: 3, y: -0.2 })!;
    expect([all.from, all.to]).toEqual([600, 720]);
    expect(frameOf(grid, all).high).toBeCloseTo(1);
  });

  it('one among many is still seen', () => {
    expect(heat(0, 10_000)).toBe(0);
    expect(heat(1, 10_000)).toBeGreaterThan(0.15);
    expect(heat(10_000, 10_000)).toBe(1);
  });

  it('has round values at its side', () => {
    expect(heatTicks(grid).map((tick) => tick.value)).toEqual([10]);
  });

  it('of nothing is empty', () => {
    expect(gridOf([], 0, 60, 60).rows).toBe(0);
  });
});

it.each([
  [0, '0'],
  [0.042, '0.042'],
  [3.25, '3.3'],
  [7, '7'],
  [1234, '1234'],
  [23_400, '23.4k'],
  [5_000_000, '5M'],
])('%d is %s', (value, text) => expect(shortNumber(value)).toBe(text));

it('a value without any beside it is found', () => {
  expect(lonely([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  expect(lonely([null, 0, undefined])).toEqual([1]);
});

it('an incident is marked where it began, and where it had ended', () => {
  const mark = {
    id: 7,
    title: 'pay is slower',
    severity: 'warning' as const,
    since: unixNanosFromMillis(600_000),
    until: unixNanosFromMillis(1_500_000),
    nodes: [],
  };
  const both = chartMarks([mark]);
  expect(both.map(({ time, word, isEnd }) => [time, word, isEnd])).toEqual([
    [600, 'warning', false],
    [1500, 'over', true],
  ]);
  expect(within(both, [900, 2000]).map(({ words }) => words)).toEqual([
    'the end of: warning incident: pay is slower',
  ]);
  expect(chartMarks([{ ...mark, until: null }])).toHaveLength(1);
});

describe('a stretch of time', () => {
  it.each([
    ['around points', 590, 770, 600, 780],
    ['from one point to another', 600, 720, 600, 780],
    ['between two points', 610, 640, 600, 660],
    ['at a point', 660, 660, 660, 720],
  ])('%s has whole steps', (_, from, to, first, end) => {
    expect(wholeSteps({ from, to }, 60)).toEqual({ from: first, to: end });
  });
});

describe('a cursor that keys move', () => {
  const PLACES = 20;
  const press = (keys: string, from: Cursor = { at: 19, anchor: null }) => {
    let cursor = from;
    for (const key of keys.split(' ')) {
      const done = pressed(cursor, keyOf(key), PLACES);
      if (done === null) return null;
      if ('chosen' in done) return done.chosen;
      cursor = done.cursor;
    }
    return cursor;
  };
  const keyOf = (text: string) => ({
    key: text.replace('Shift+', ''),
    shiftKey: text.startsWith('Shift+'),
    ctrlKey: false,
    altKey: false,
    metaKey: false,
  });

  it.each<[string, Cursor]>([
    ['ArrowLeft', { at: 18, anchor: null }],
    ['ArrowRight', { at: 19, anchor: null }],
    ['ArrowDown ArrowUp', { at: 19, anchor: null }],
    ['PageDown', { at: 9, anchor: null }],
    ['PageDown PageDown', { at: 0, anchor: null }],
    ['Home End', { at: 19, anchor: null }],
    ['ArrowLeft Shift+ArrowLeft Shift+ArrowLeft', { at: 16, anchor: 18 }],
    ['Shift+Home', { at: 0, anchor: 19 }],
    ['Shift+ArrowLeft ArrowLeft', { at: 17, anchor: null }],
    ['Shift+ArrowLeft Escape', { at: 18, anchor: null }],
  ])('%s', (keys, cursor) => expect(press(keys)).toEqual(cursor));

  it('chooses what is between its ends, and one place where nothing is', () => {
    expect(press('ArrowLeft Shift+ArrowLeft Shift+ArrowLeft Enter')).toEqual({
      first: 16,
      last: 18,
    });
    expect(press('Home Shift+ArrowRight Enter')).toEqual({ first: 0, last: 1 });
    expect(press('ArrowLeft Enter')).toEqual({ first: 18, last: 18 });
  });

  it('leaves other keys alone', () => {
    expect(press('Escape')).toBeNull();
    expect(press('j')).toBeNull();
    const withCtrl = { ...keyOf('ArrowLeft'), ctrlKey: true };
    expect(pressed({ at: 3, anchor: null }, withCtrl, PLACES)).toBeNull();
    expect(pressed({ at: 0, anchor: null }, keyOf('ArrowLeft'), 0)).toBeNull();
  });

  it('stays where there are places', () => {
    expect(placedIn({ at: 19, anchor: 12 }, 15)).toEqual({ at: 14, anchor: 12 });
    expect(placesOf({ at: 3, anchor: 7 })).toEqual({ first: 3, last: 7 });
    expect(placesOf({ at: 3, anchor: null })).toEqual({ first: 3, last: 3 });
  });
});
