import { describe, expect, it } from 'vitest';
import {
  formatAbsolute,
  formatCount,
  formatDollars,
  formatDuration,
  formatExact,
  formatMillis,
  formatOffset,
  formatRate,
  formatRelative,
  formatShare,
  formatValue,
  parseMillis,
  plural,
} from './format';
import { NANOS_PER_SECOND, type DurationNanos, type UnixNanos } from './time';

const duration = (nanos: bigint): DurationNanos => nanos as DurationNanos;
const time = (nanos: bigint): UnixNanos => nanos as UnixNanos;

/** Narrow spaces read badly in expectations. */
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

describe('formatDuration', () => {
  it.each([
    [0n, '0 ns'],
    [999n, '999 ns'],
    [1_000n, '1.00 µs'],
    [410_000n, '410 µs'],
    [999_499n, '999 µs'],
    [999_500n, '1.00 ms'],
    [9_994_999n, '9.99 ms'],
    [9_995_000n, '10.0 ms'],
    [99_950_000n, '100 ms'],
    [999_499_999n, '999 ms'],
    [999_500_000n, '1.00 s'],
    [1_241_600_000n, '1.24 s'],
    [59_949_000_000n, '59.9 s'],
    [59_950_000_000n, '1 min 00 s'],
    [187_000_000_000n, '3 min 07 s'],
    [7_500_000_000_000n, '2 h 05 min'],
    [-1_500_000n, '−1.50 ms'],
  ])('%d ns is %s', (nanos, text) => {
    expect(plain(formatDuration(duration(nanos)))).toBe(text);
  });
});

it.each([
  [0n, '0 ms'],
  [12_300_000n, '+12.3 ms'],
  [-186_400_000n, '−186 ms'],
])('an offset of %d ns is %s', (nanos, text) => {
  expect(plain(formatOffset(duration(nanos)))).toBe(text);
});

describe('formatRelative', () => {
  const now = 1_795_228_512n * NANOS_PER_SECOND;
  it.each([
    [-5n, 'now'],
    [1n, 'now'],
    [2n, '2 s ago'],
    [59n, '59 s ago'],
    [60n, '1 min ago'],
    [3_599n, '59 min ago'],
    [3_600n, '1 h ago'],
    [86_399n, '23 h ago'],
    [86_400n * 4n, '4 d ago'],
  ])('%d s before now is %s', (seconds, text) => {
    expect(plain(formatRelative(time(now - seconds * NANOS_PER_SECOND), time(now)))).toBe(text);
  });
});

it('says times exactly, and locally to the millisecond', () => {
  const at = time(1_795_228_512_045_678_901n);
  expect(formatExact(at)).toBe('2026-11-21T02:35:12.045678901Z');
  const local = new Date(1_795_228_512_045);
  expect(formatAbsolute(at)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:12\.045$/);
  expect(formatAbsolute(at)).toContain(`${String(local.getHours()).padStart(2, '0')}:`);
});

it.each([
  [0, '0'],
  [999, '999'],
  [1_000, '1,000'],
  [12_345_678, '12,345,678'],
])('%d is written %s', (count, text) => {
  expect(formatCount(count)).toBe(text);
});

it('counts one and many', () => {
  expect([plural(1, 'span'), plural(0, 'span'), plural(2, 'match', 'matches')]).toEqual([
    '1 span',
    '0 spans',
    '2 matches',
  ]);
});

it.each([
  ['250', 250],
  ['250ms', 250],
  [' 1.5 s ', 1500],
  ['2min', 120_000],
  ['800us', 0.8],
  ['', null],
  ['fast', null],
  ['-5', null],
  ['5 parsec', null],
])('"%s" is %s ms', (text, millis) => {
  expect(parseMillis(text)).toBe(millis);
});

it.each([
  ['text', 'text'],
  [7, '7'],
  [true, 'true'],
  [null, 'null'],
  [[1, 'a'], '[1,"a"]'],
  [{ a: 1 }, '{"a":1}'],
])('the value %j is shown as %s', (value, text) => {
  expect(formatValue(value)).toBe(text);
});

it.each([
  [0, '0 %'],
  [0.0042, '0.4 %'],
  [0.0996, '10 %'],
  [0.5, '50 %'],
  [1, '100 %'],
])('the share %d is %s', (share, text) => {
  expect(plain(formatShare(share))).toBe(text);
});

it.each([
  [1240, '1,240/s'],
  [12.3, '12/s'],
  [1.25, '1.3/s'],
  [0.5, '30/min'],
  [0.002, '7/h'],
  [0, 'none'],
])('%d a second is %s', (rate, text) => {
  expect(formatRate(rate)).toBe(text);
});

it('says dollars with the digits that count, and milliseconds like any duration', () => {
  expect([0, 0.0000131, 0.02, 1.239].map(formatDollars)).toEqual([
    '$0',
    '$0.0000131',
    '$0.0200',
    '$1.24',
  ]);
  expect(plain(formatMillis(12.34))).toBe('12.3 ms');
});
