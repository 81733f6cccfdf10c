import { expect, it } from 'vitest';
import { investigateHref } from './href';
import { EVERYBODY, subjectOf } from './subject';
import { unixNanosFromMillis } from './time';

const is = (column: string, value: unknown) => ({ column, op: '=' as const, value });

it('a function is known by its id, a service by its name', () => {
  const pay = { node: 'function:pay', q: '', nodes: ['function:pay'] };
  expect(subjectOf([is('service', 'pay-live'), is('faas.name', 'pay')])).toEqual(pay);
  expect(subjectOf([is('status', 'error'), is('service', 'pay')])).toEqual({
    node: '',
    q: 'pay',
    nodes: ['function:pay', 'service:pay'],
  });
});

it('other conditions are about everybody', () => {
  expect(subjectOf([])).toBe(EVERYBODY);
  expect(subjectOf([{ column: 'service', op: '!=', value: 'pay' }])).toBe(EVERYBODY);
});

it('what is not said is not in the address of an investigation', () => {
  const from = unixNanosFromMillis(Date.parse('2026-11-22T21:30:00Z'));
  const to = unixNanosFromMillis(Date.parse('2026-11-22T21:45:00.500Z'));
  expect(investigateHref({ from, to: null })).toBe(
    '/investigate?from=2026-11-22T21%3A30%3A00.000Z',
  );
  expect(
    investigateHref({ ...subjectOf([is('faas.name', 'a&b')]), symptom: 'slow', from, to }),
  ).toBe(
    '/investigate?node=function%3Aa%26b&symptom=slow&from=2026-11-22T21%3A30%3A00.000Z&to=2026-11-22T21%3A45%3A00.500Z',
  );
});
