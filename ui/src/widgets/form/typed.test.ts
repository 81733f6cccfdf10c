import { expect, test } from 'vitest';
import { entriesOf, inVariable, numberOf, secretKind, shownOf, variableOf } from './typed';

test('a number is one only if all of it is', () => {
  expect([' 12 ', '-1.5', '', ' '].map(numberOf)).toEqual([12, -1.5, null, null]);
  expect(['1e3', '1.', '12a'].map(numberOf)).toEqual([NaN, NaN, NaN]);
});

test('entries stand one a line or between commas', () => {
  expect(entriesOf('a@b, c@d\n\n e@f,')).toEqual(['a@b', 'c@d', 'e@f']);
});

test('what is typed stays as it is typed while it means what is set', () => {
  const shown = (typed: string | null, value: readonly string[]): string =>
    shownOf(typed, value, entriesOf, (all) => all.join('\n'));
  expect(shown('a, ', ['a'])).toBe('a, ');
  expect(shown('a, ', ['b'])).toBe('b');
  expect(shown(null, ['a', 'b'])).toBe('a\nb');
});

test('a secret is kept, in a variable, or typed', () => {
  const kinds = ['********', '${NOTIFY_KEY}', '${', ''].map((each) => secretKind(each, '********'));
  expect(kinds).toEqual(['kept', 'variable', 'text', 'text']);
  expect(variableOf('${NOTIFY_KEY}')).toBe('NOTIFY_KEY');
  expect(variableOf(inVariable(' NOTIFY_A '))).toBe('NOTIFY_A');
});
