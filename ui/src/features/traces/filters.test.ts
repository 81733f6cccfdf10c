import { describe, expect, it } from 'vitest';
import type { UnixNanos } from '../../base/time';
import {
  countNarrowing,
  describeFilters,
  formatFilters,
  NO_FILTERS,
  parseFilters,
  toQuery,
  type Filters,
} from './filters';

const FULL: Filters = {
  service: 'checkout',
  operation: 'POST /a b',
  status: 'error',
  minMillis: 1500,
  attributes: ['faas.coldstart=true', 'note=a=b&c'],
  range: { kind: 'last', text: '1h' },
};

describe('address', () => {
  it('is empty when nothing narrows', () => {
    expect(formatFilters(NO_FILTERS)).toBe('');
    expect(parseFilters('')).toEqual(NO_FILTERS);
  });

  it.each([
    ['all of them', FULL],
    ['one', { ...NO_FILTERS, status: 'ok' as const }],
    ['a fraction of a millisecond', { ...NO_FILTERS, minMillis: 0.8 }],
    ['a trailing space, as it is being typed', { ...NO_FILTERS, operation: 'POST ' }],
  ])('says the same when read back: %s', (_, filters) => {
    expect(parseFilters(formatFilters(filters))).toEqual(filters);
  });

  it.each([
    '?status=broken',
    '?range=7y',
    '?min=fast',
    '?min=-3',
    '?attribute=nokey&attribute==x',
    '?unknown=1',
  ])('does not narrow by what it does not understand: %s', (search) => {
    expect(parseFilters(search)).toEqual(NO_FILTERS);
  });

  it('takes each attribute once, and no more than the server does', () => {
    expect(parseFilters('?attribute=a=1&attribute=a=1').attributes).toEqual(['a=1']);
    const many = Array.from({ length: 30 }, (_, at) => `attribute=k${at}=v`).join('&');
    expect(parseFilters(`?${many}`).attributes).toHaveLength(16);
  });
});

it('becomes a question with a start in time', () => {
  const now = 7_200_000_000_000n as UnixNanos;
  expect(toQuery(FULL, now)).toEqual({
    service: 'checkout',
    operation: 'POST /a b',
    status: 'error',
    minDuration: 1_500_000_000n,
    attributes: ['faas.coldstart=true', 'note=a=b&c'],
    from: 3_600_000_000_000n,
  });
  expect(toQuery({ ...NO_FILTERS, operation: ' x ' }, now)).toEqual({
    service: '',
    operation: 'x',
    attributes: [],
  });
});

it('counts and names what narrows', () => {
  expect(countNarrowing(NO_FILTERS)).toBe(0);
  expect(countNarrowing(FULL)).toBe(7);
  expect(describeFilters(FULL)).toEqual([
    'service checkout',
    'operation POST /a b',
    'with errors',
    'at least 1.50\u202fs',
    'faas.coldstart=true',
    'note=a=b&c',
    'in the last 1 h',
  ]);
});
