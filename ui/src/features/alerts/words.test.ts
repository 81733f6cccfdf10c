import { expect, test } from 'vitest';
import type { AlertNow, AlertRule, ObjectiveNow } from '../../api/model';
import {
  alertFacts,
  alertWords,
  budgetWords,
  burnWords,
  changeWords,
  goodWords,
  objectiveFacts,
  objectiveWords,
  placeWords,
  timeWords,
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

test('what is watched is said in one line', () => {
  const of = [{ column: 'service', op: '=' as const, value: 'orders' }];
  const good = [{ column: 'status', op: '!=' as const, value: 'error' }];
  expect(
    objectiveWords({ name: 'a', target: 0.999, measure: { spans: { filters: of, good } } }),
  ).toBe('99.9 % of 30 days: service = orders; good if status != error');
  const end = { service: 'mail', name: 'SendEmail' };
  expect(
    objectiveWords({
      name: 'a',
      target: 0.99,
      days: 7,
      measure: { actions: { begin: of, end, within_ms: 5000 } },
    }),
  ).toBe(
    '99 % of 7 days: service = orders; good if it reaches SendEmail of mail within 5.00\u202fs',
  );
  expect(alertWords(rule)).toBe('COUNT of spans over 1 min > 20');
  const query = {
    dataset: 'logs' as const,
    calculations: [{ op: 'P99', column: 'duration_ms' }],
    filters: [...of, ...good],
    filter_combination: 'OR' as const,
    breakdowns: ['name'],
    time_range: 300,
  };
  expect(alertWords({ ...rule, query, for_minutes: 5 })).toBe(
    'P99(duration_ms) of logs where service = orders or status != error by name over 5 min > 20 for 5 min',
  );
});

test('an alert on a text says how that begins', () => {
  const { query: _query, ...rest } = rule;
  const sql = `select service,\n  count(*) from logs ${'x'.repeat(200)}`;
  const words = alertWords({ ...rest, sql, for_minutes: 5 });
  expect(words).toMatch(/^select service, count\(\*\) from logs x+… > 20 for 5 min$/);
  expect(alertWords({ ...rest, graph: 'MATCH (n) RETURN n.calls' })).toBe(
    'MATCH (n) RETURN n.calls > 20',
  );
});

test('what is not a number yet is none in words', () => {
  const measure = {
    actions: { begin: [], end: { service: 'a', name: 'b' }, within_ms: NaN },
  };
  const words = objectiveWords({
    name: 'a',
    target: NaN,
    days: null as unknown as number,
    measure,
  });
  expect(words).toMatch(/^\? % of \? days: .* within \?$/);
  expect(alertWords({ ...rule, value: NaN, query: { time_range: null } })).toBe(
    'COUNT of spans over ? > ?',
  );
});

test('places and changes are called by what is in them', () => {
  const settings = { alerts: [rule] };
  expect(placeWords(settings, 'alerts[0].query')).toBe('alert “many fail”, query');
  expect(placeWords(settings, 'objectives[3]')).toBe('objective');
  expect(placeWords(settings, 'objectives')).toBe('objectives');
  expect(changeWords({ field: 'alerts', name: 'many fail', how: 'added' })).toBe(
    'alert “many fail” added',
  );
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

test('how it does is said fact by fact', () => {
  const facts = objectiveFacts(objective).map(({ name, text, bad }) => [name, text, bad ?? false]);
  expect(facts).toEqual([
    ['State', 'firing, critical', true],
    ['Good', '99.833 % of 12,000 were good', false],
    ['Budget', '63 % is left, for another 1 d 7 h', false],
    ['Last hour', '14.4 times too fast', false],
  ]);
  expect(alertFacts(alert)).toEqual([
    { name: 'State', text: 'all right', bad: false },
    { name: 'Number', text: '34' },
  ]);
  const firing = { ...alert, state: 'firing' as const, value: null, groups: ['pay', 'mail'] };
  expect(alertFacts(firing).map(({ text }) => text)).toEqual([
    'firing, warning',
    'no answer',
    'pay; mail',
  ]);
});

test('times are short', () => {
  expect(timeWords(59)).toBe('0 min');
  expect(timeWords(3 * 3600 + 300)).toBe('3 h 5 min');
  expect(timeWords(2 * 86_400 + 4 * 3600)).toBe('2 d 4 h');
});
