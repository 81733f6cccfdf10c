import { expect, test } from 'vitest';
import type { AlertNow, AlertRule, ObjectiveNow } from '../../api/model';
import {
  budgetWords,
  burnWords,
  goodWords,
  settingsOf,
  textOf,
  timeWords,
  valueWords,
  withAlert,
} from './words';

const objective: ObjectiveNow = {
  name: 'orders are mailed',
  state: 'firing',
  severity: 'critical',
  since_unix_nanos: '1',
  until_unix_nanos: '2',
  good: 11_980,
  bad: 20,
  left: 0.634,
  burn: 14.42,
  lasts_seconds: 112_000,
  rules: [],
  left_out: 0,
  late: [],
  error: null,
};
const rule: AlertRule = {
  name: 'many fail',
  query: { dataset: 'spans' },
  op: '>',
  value: 20,
};
const alert: AlertNow = {
  name: 'many fail',
  state: 'ok',
  severity: 'warning',
  since_unix_nanos: null,
  until_unix_nanos: null,
  value: 34.00049,
  groups: [],
  error: null,
};

test('what is edited is what was shown', () => {
  const settings = { objectives: [], alerts: [rule] };
  expect(settingsOf(textOf(settings))).toEqual({ settings });
  expect(settingsOf('{')).toHaveProperty('wrong');
});

test('a question becomes an alert on one number of the last minutes', () => {
  const { alerts } = withAlert(
    { alerts: [rule] },
    {
      dataset: 'logs',
      calculations: [{ op: 'HEATMAP', column: 'x' }, { op: 'COUNT' }, { op: 'RATE' }],
      filters: [{ column: 'service', op: '=', value: 'pay' }],
      orders: [{ op: 'COUNT', order: 'descending' }],
      limit: 20,
      start_time: 1,
      end_time: 2,
      granularity: 60,
    },
  );
  expect(alerts?.[0]).toBe(rule);
  expect(alerts?.[1]?.query).toEqual({
    dataset: 'logs',
    calculations: [{ op: 'COUNT' }],
    filters: [{ column: 'service', op: '=', value: 'pay' }],
    time_range: 300,
  });
});

test('an objective says what is left of its budget and how quickly it goes', () => {
  expect(budgetWords(objective)).toBe('63 % is left, for another 1 d 7 h');
  expect(budgetWords({ ...objective, lasts_seconds: null })).toBe('63 % is left');
  expect(budgetWords({ ...objective, left: -0.2 })).toBe('nothing is left');
  expect(budgetWords({ ...objective, left: null })).toBe('nothing is counted yet');
  expect(goodWords(objective)).toBe('99.833 % of 12,000 were good');
  expect(goodWords({ ...objective, good: 0, bad: 0 })).toBe('nothing happened');
  expect(burnWords(objective)).toBe('14.4 times too fast');
  expect(burnWords({ ...objective, burn: 0.3 })).toBe('no faster than it may');
  expect(burnWords({ ...objective, burn: null })).toBe('nothing happened');
});

test('an alert says its number and its bound', () => {
  expect(valueWords(alert, rule)).toBe('34; > 20 is told');
  expect(valueWords({ ...alert, value: null }, rule)).toBe('no answer; > 20 is told');
});

test('times are short', () => {
  expect(timeWords(59)).toBe('0 min');
  expect(timeWords(3 * 3600 + 300)).toBe('3 h 5 min');
  expect(timeWords(2 * 86_400 + 4 * 3600)).toBe('2 d 4 h');
});
