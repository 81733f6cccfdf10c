import { describe, expect, it } from 'vitest';
import { ALL, boundsOf, LAST_HOUR, parseRange, sameRange, setRange, stepSeconds } from './range';
import type { UnixNanos } from './time';

const NOW = 1_795_300_000_000_000_000n as UnixNanos;

describe('the range in the address', () => {
  it.each([
    '',
    '?range=15m',
    '?range=7d',
    '?from=2026-11-22T00%3A00%3A00Z&to=2026-11-22T01%3A30%3A00.250Z',
  ])('%j survives a round trip', (search) => {
    const params = new URLSearchParams('q=kept');
    setRange(params, parseRange(search, LAST_HOUR), LAST_HOUR);
    const text = params.toString().replace(/^q=kept&?/, '');
    expect(text === '' ? '' : `?${text}`).toBe(search);
  });

  it.each([
    '?range=0h',
    '?range=soon',
    '?from=2026-11-22T00:00:00Z',
    '?from=b&to=a',
    '?from=9&to=8',
  ])('what is no range is the default: %s', (search) =>
    expect(parseRange(search, ALL)).toEqual(ALL),
  );

  it('a new range replaces the old one', () => {
    const params = new URLSearchParams('?from=2026-11-22T00:00:00Z&to=2026-11-22T01:00:00Z');
    setRange(params, { kind: 'last', text: '6h' }, LAST_HOUR);
    expect(params.toString()).toBe('range=6h');
  });
});

it('bounds of the last quarter of an hour', () => {
  const bounds = boundsOf({ kind: 'last', text: '15m' }, NOW);
  expect(bounds.to - bounds.from).toBe(900_000_000_000n);
});

it.each([
  ['15m', 120, 10],
  ['1h', 120, 30],
  ['24h', 100, 900],
  ['7d', 200, 3600],
])('%s in about %i points is steps of %i s', (text, points, step) => {
  expect(stepSeconds(boundsOf({ kind: 'last', text }, NOW), points)).toBe(step);
});

it('ranges are compared by what they say', () => {
  expect(sameRange(LAST_HOUR, { kind: 'last', text: '1h' })).toBe(true);
  expect(sameRange(LAST_HOUR, ALL)).toBe(false);
});
