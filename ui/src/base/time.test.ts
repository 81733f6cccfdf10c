import { expect, it } from 'vitest';
import {
  after,
  before,
  between,
  compareNanos,
  durationFromMillis,
  parseDurationNanos,
  parseUnixNanos,
  toDate,
  toMillis,
  unixNanosFromMillis,
} from './time';

it('keeps every nanosecond, where a number would not', () => {
  const text = '1795228512345678901';
  expect(String(parseUnixNanos(text))).toBe(text);
  expect(String(Number(text))).not.toBe(text);
});

it.each(['', '-1', '1.5', '1e9', ' 1', '0x10', '123456789012345678901', 5, null, undefined])(
  'does not take %j for a time',
  (text) => {
    expect(parseUnixNanos(text)).toBeNull();
    expect(parseDurationNanos(text)).toBeNull();
  },
);

it('counts between moments', () => {
  const start = parseUnixNanos('1000')!;
  const end = parseUnixNanos('4000')!;
  expect(between(start, end)).toBe(3000n);
  expect(between(end, start)).toBe(-3000n);
  expect(after(start, between(start, end))).toBe(end);
  expect(before(end, between(start, end))).toBe(start);
});

it('goes to dates and milliseconds and back', () => {
  const time = unixNanosFromMillis(1_795_228_512_345.7);
  expect(time).toBe(1_795_228_512_345_000_000n);
  expect(toDate(time).toISOString()).toBe('2026-11-21T02:35:12.345Z');
  expect(durationFromMillis(0.25)).toBe(250_000n);
  expect(toMillis(durationFromMillis(1.5))).toBe(1.5);
});

it('orders times that differ by one nanosecond', () => {
  const times = [3n, 1_795_228_512_345_678_902n, 1_795_228_512_345_678_901n];
  expect(times.sort(compareNanos)).toEqual([
    3n,
    1_795_228_512_345_678_901n,
    1_795_228_512_345_678_902n,
  ]);
});
