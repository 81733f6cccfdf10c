import { describe, expect, it } from 'vitest';
import { gridOf, heat, heatTicks, spotAt } from './heat';
import { lonely, shortNumber } from './lines';

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
