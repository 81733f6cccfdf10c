import { expect, it } from 'vitest';
import type { FunctionCompleteness } from '../../api/model';
import { worstFirst } from './completeness.svelte';

it('who misses something comes first, and the rest by name', () => {
  const of = (name: string, complete: string): FunctionCompleteness => ({
    function: name,
    environments: 1,
    environments_open: 0,
    open: [],
    accepted: '10',
    received: '10',
    complete,
    missing: [],
    missing_total: 0,
    dropped: {},
  });
  const sorted = worstFirst([
    of('b', '100.00'),
    of('c', '9.50'),
    of('a', '100.00'),
    of('d', '99.99'),
  ]);
  expect(sorted.map((each) => each.function)).toEqual(['c', 'd', 'a', 'b']);
});
