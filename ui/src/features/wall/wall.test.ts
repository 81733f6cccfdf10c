import { describe, expect, it } from 'vitest';
import type { FunctionCard } from '../../api/model';
import { arrange, perSecond, place, radius, sparkline, throttleWords, type Placed } from './wall';

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

describe('the places of cards', () => {
  const rated = (name: string, rate: number, change: Partial<FunctionCard> = {}): FunctionCard =>
    card(name, { window: { ...card(name).window, rate }, ...change });
  const told = (
    before: Placed | null,
    second: number,
    functions: FunctionCard[],
    text = '',
  ): Placed =>
    place(
      before,
      { at_unix_nanos: `${1_795_305_600 + second}000000000`, functions, left_out: 0 },
      text,
      'rate',
    );
  const shown = ({ cards }: Placed): string =>
    cards.map((each) => `${each.function}${each.window.rate}`).join(' ');
  const first = told(null, 0, [rated('a', 2), rated('b', 1)]);
  const risen = [rated('a', 2), rated('b', 3)];

  it('are for five seconds, with the numbers of each', () => {
    expect(shown(first)).toBe('a2 b1');
    expect(shown(told(first, 4, risen))).toBe('a2 b3');
    expect(shown(told(first, 5, risen))).toBe('b3 a2');
    const later = told(told(first, 4, risen), 5, risen);
    expect(shown(told(later, 9, [rated('a', 4), rated('b', 3)]))).toBe('b3 a4');
  });
  it('change at once when somebody comes, goes or is unusual', () => {
    expect(shown(told(first, 1, [...risen, rated('c', 9)]))).toBe('c9 b3 a2');
    expect(shown(told(first, 1, [rated('b', 3)]))).toBe('b3');
    expect(shown(told(first, 1, [rated('c', 4), rated('b', 5)]))).toBe('b5 c4');
    const unusual = rated('b', 3, { deviation: 'strong' });
    expect(shown(told(first, 1, [rated('a', 2), unusual]))).toBe('b3 a2');
  });
  it('are those of what is asked for', () => {
    expect(shown(told(first, 1, risen, 'shop'))).toBe('');
    expect(shown(told(first, 1, risen, 'service'))).toBe('b3 a2');
  });
  it('are given anew when the clock of the server went back', () => {
    expect(shown(told(first, -60, risen))).toBe('b3 a2');
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
