import { describe, expect, it } from 'vitest';
import type { FunctionCard } from '../../api/model';
import { arrange, perSecond, radius, sparkline, throttleWords } from './wall';

function card(name: string, change: Partial<FunctionCard> = {}): FunctionCard {
  return {
    function: name,
    service: `${name}-service`,
    window: {
      seconds: 10,
      count: 10,
      error_count: 0,
      cold_start_count: 0,
      timeout_count: 0,
      throttle_count: null,
      rate: 1,
      concurrency: 0.1,
    },
    seconds: [],
    mean_ms: 10,
    p50_ms: 10,
    p90_ms: 10,
    p99_ms: 10,
    p995_ms: 10,
    cost_usd_per_second: null,
    normal: null,
    deviation: 'none',
    why: [],
    ...change,
  };
}

describe('the order of cards', () => {
  const cards = [
    card('b', { p50_ms: 5 }),
    card('a', { deviation: 'unknown', p50_ms: 50 }),
    card('c', { deviation: 'strong' }),
    card('d', { deviation: 'slight', cost_usd_per_second: 1 }),
  ];
  const named = (order: Parameters<typeof arrange>[2], text = ''): string =>
    arrange(cards, text, order)
      .map((each) => each.function)
      .join('');
  it.each([
    ['deviation', 'cdba'],
    ['name', 'abcd'],
    ['p50', 'acdb'],
    ['cost', 'dabc'],
  ] as const)('by %s', (order, expected) => expect(named(order)).toBe(expected));
  it('finds by function and by service', () => {
    expect(named('name', 'B')).toBe('b');
    expect(named('name', 'service')).toBe('abcd');
    expect(named('name', 'nobody')).toBe('');
  });
});

it('what nobody tells of is not nothing', () => {
  const told = (name: string, throttle_count: number | null): FunctionCard =>
    card(name, { window: { ...card(name).window, throttle_count } });
  const order = arrange([told('a', null), told('b', 0), told('c', 2)], '', 'throttles');
  expect(order.map((each) => each.function).join('')).toBe('cba');
  expect(throttleWords(null)).toContain('Not known');
  expect(throttleWords(0)).not.toContain('Not known');
});

describe('the line of two minutes', () => {
  it('begins at zero and not at the least', () => {
    const { path, most } = sparkline([...Array(60).fill(9), ...Array(60).fill(10)], 100, 40);
    expect(most).toBe(10);
    expect(path.startsWith('M0.0 4.0L')).toBe(true);
    expect(path.endsWith('100.0 0.0')).toBe(true);
  });
  it('has a gap where not everything was seen', () => {
    const { path } = sparkline([...Array(110).fill(null), ...Array(10).fill(0)], 100, 40);
    expect(path).toBe('M95.7 40.0L100.0 40.0');
  });
});

it('the area of a circle grows with the rate, up to a limit', () => {
  expect(radius(0)).toBe(4);
  expect(radius(100) - 4).toBeCloseTo((radius(400) - 4) / 2);
  expect(radius(4000)).toBe(radius(400));
});

it('says rates with the digits that count', () => {
  expect([0, 0.34, 12.4, 1240].map(perSecond)).toEqual(['0.0', '0.3', '12', '1,240']);
});
