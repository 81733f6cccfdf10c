import { expect, test } from 'vitest';
import { isIn, placesAround, problemsOf, rowsOf, whyAt } from './problems';

const ROOTS = ['receivers', 'routes', 'weekly_report', 'public_url'];
const MESSAGE =
  'public_url: "x; routes" is no address that begins with https:// or http://; ' +
  'receivers[0].channel.to[1]: "a" is no mail address; receivers[0].channel.to: there are 51, and at most 50 may be; ' +
  'receivers[10]: no route leads to "b", so it is never told anything';

test('a refusal names places, each with what is wrong there', () => {
  expect(problemsOf(MESSAGE, ROOTS)).toEqual([
    {
      place: 'public_url',
      why: '"x; routes" is no address that begins with https:// or http://',
    },
    { place: 'receivers[0].channel.to[1]', why: '"a" is no mail address' },
    { place: 'receivers[0].channel.to', why: 'there are 51, and at most 50 may be' },
    { place: 'receivers[10]', why: 'no route leads to "b", so it is never told anything' },
  ]);
  expect(problemsOf('invalid type: null, expected u32 at line 1 column 9', ROOTS)).toEqual([]);
});

test('a field is told of itself and of its entries, and not of its neighbours', () => {
  const problems = problemsOf(MESSAGE, ROOTS);
  expect(whyAt(problems, 'receivers[0].channel.to')).toBe(
    '"a" is no mail address; there are 51, and at most 50 may be',
  );
  expect(whyAt(problems, 'receivers[0].channel')).toBeNull();
  expect(whyAt(problems, 'receivers[1]')).toBeNull();
  expect(rowsOf(problems)).toEqual(['receivers[0]', 'receivers[10]']);
});

test('a place is in those around it', () => {
  expect(isIn('routes[1].name', 'routes[1]')).toBe(true);
  expect(isIn('routes[10]', 'routes[1]')).toBe(false);
  expect(placesAround('receivers[0].channel.to[1]')).toEqual([
    'receivers[0].channel.to[1]',
    'receivers[0].channel.to',
    'receivers[0].channel',
    'receivers[0]',
    'receivers',
  ]);
});
