import { expect, test } from 'vitest';
import { changesOf, merged } from './changes';

const [a, b, c] = [
  { name: 'a', to: 1 },
  { name: 'b', to: 1 },
  { name: 'c', to: 1 },
];
const other = { name: 'a', to: 2 };

test('what differs is said by name', () => {
  const before = { place: 'x', things: [a, b], mutes: [{ of: 1 }] };
  const after = { place: 'y', things: [other, c], mutes: [{ of: 1 }] };
  expect(changesOf(before, after)).toEqual([
    { field: 'place', name: '', how: 'changed' },
    { field: 'things', name: 'a', how: 'changed' },
    { field: 'things', name: 'b', how: 'removed' },
    { field: 'things', name: 'c', how: 'added' },
  ]);
  expect(changesOf(before, before)).toEqual([]);
  expect(changesOf({ things: [a, b] }, { things: [b, a] })).toEqual([
    { field: 'things', name: '', how: 'changed' },
  ]);
});

test('what two have changed becomes one, and mine where both changed the same', () => {
  const base = { place: 'x', things: [a, b], report: ['a'] };
  const mine = { place: 'mine', things: [a, { name: 'b', to: 3 }, c], report: ['a'] };
  const theirs = { place: 'theirs', things: [other, b], report: ['a', 'b'] };
  expect(merged(base, mine, theirs)).toEqual({
    place: 'mine',
    things: [other, { name: 'b', to: 3 }, c],
    report: ['a', 'b'],
  });
});

test('what one has removed is gone, unless the other has changed it', () => {
  const base = { things: [a, b, c] };
  expect(merged(base, { things: [b, c] }, { things: [a, b] })).toEqual({ things: [b] });
  expect(merged(base, { things: [other, b, c] }, { things: [b, c] })).toEqual({
    things: [b, c, other],
  });
});
