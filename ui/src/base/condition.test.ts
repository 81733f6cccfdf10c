import { expect, test } from 'vitest';
import { describeConditions, fromTyped, toTyped, type Condition } from './condition';

test('a condition is typed as it is read', () => {
  const all: readonly Condition[] = [
    { column: 'service', op: '=', value: 'pay' },
    { column: 'duration_ms', op: '<=', value: 0.5 },
    { column: 'faas.coldstart', op: '=', value: true },
    { column: 'version', op: '=', value: '42' },
    { column: 'version', op: 'in', value: ['42', 43, 'true', 'x'] },
    { column: 'note', op: '=', value: '"so"' },
    { column: 'error', op: 'exists' },
  ];
  for (const condition of all) expect(fromTyped(toTyped(condition))).toEqual(condition);
  expect(toTyped(all[4]!).value).toBe('"42", 43, "true", x');
});

test('conditions are told in one line', () => {
  expect(
    describeConditions([
      { column: 'card', op: '=', value: 'visa' },
      { column: 'version', op: '=', value: '42' },
      { column: 'user', op: 'exists' },
    ]),
  ).toBe('card = visa and version = "42" and user exists');
});
