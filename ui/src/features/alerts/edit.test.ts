import { expect, test } from 'vitest';
import type { AlertRule, AlertSettings } from '../../api/model';
import {
  askedAs,
  emptyMeasure,
  FAILURES,
  percentOf,
  shareOf,
  unreadable,
  wayOf,
  withAlert,
  withAlertAt,
  withObjective,
  withObjectiveAt,
} from './edit';
import { alertWords } from './words';

const rule: AlertRule = { name: 'new alert', query: { dataset: 'spans' }, op: '>', value: 20 };

test('a question becomes an alert on one number of the last minutes', () => {
  const { alerts } = withAlert(
    { alerts: [rule] },
    {
      query: {
        dataset: 'logs',
        calculations: [{ op: 'HEATMAP', column: 'x' }, { op: 'COUNT' }, { op: 'RATE' }],
        filters: [{ column: 'service', op: '=', value: 'pay' }],
        orders: [{ op: 'COUNT', order: 'descending' }],
        limit: 20,
        start_time: 1,
        end_time: 2,
        granularity: 60,
      },
    },
  );
  expect(alerts?.[0]).toBe(rule);
  expect(alerts?.[1]?.name).toBe('new alert 2');
  expect(alerts?.[1]?.query).toEqual({
    dataset: 'logs',
    calculations: [{ op: 'COUNT' }],
    filters: [{ column: 'service', op: '=', value: 'pay' }],
    time_range: 300,
  });
});

test('an alert asks one thing', () => {
  const sql = 'select 1';
  const alert = withAlert({}, { sql }).alerts?.[0];
  expect(alert).toMatchObject({ name: 'new alert', sql, op: '>' });
  expect(alert).not.toHaveProperty('query');
  expect(wayOf(alert!)).toBe('sql');
  const graph = askedAs(alert!, 'graph');
  expect(wayOf(graph)).toBe('graph');
  expect(graph).not.toHaveProperty('sql');
  expect(wayOf(askedAs(graph, 'query'))).toBe('query');
  expect(unreadable({ alerts: [alert!] })).toEqual([]);
});

test('an alert follows a saved query by its name', () => {
  const saved = [{ name: 'errors' }, { name: 'slow' }];
  const alert = askedAs(rule, 'saved', saved);
  expect([wayOf(alert), alert.saved]).toEqual(['saved', 'errors']);
  expect(alert).not.toHaveProperty('query');
  expect(alertWords({ ...alert, for_minutes: 5 })).toBe('the answer of “errors” > 20 for 5 min');
  expect(unreadable({ alerts: [alert] })).toEqual([]);
  const none = { alerts: [askedAs(rule, 'saved')] };
  expect(unreadable(none)).toEqual([{ place: 'alerts[0].saved', why: 'choose one' }]);
  expect(askedAs(alert, 'sql')).not.toHaveProperty('saved');
});

test('objectives and alerts are added, changed and removed', () => {
  const one = withObjective({ alerts: [rule] });
  expect(one.objectives?.map((each) => each.name)).toEqual(['new objective']);
  const two = withObjective(one);
  expect(two.objectives?.[1]?.name).toBe('new objective 2');
  expect(withObjectiveAt(two, 0, null).objectives).toEqual([two.objectives?.[1]]);
  expect(withAlertAt(two, 0, { ...rule, value: 3 }).alerts?.[0]?.value).toBe(3);
});

test('what nobody has completed is said before it is sent', () => {
  const broken: AlertSettings = {
    objectives: [
      {
        name: 'a',
        target: 0.99,
        days: null as unknown as number,
        measure: emptyMeasure('actions'),
      },
      { name: 'b', target: null as unknown as number, measure: emptyMeasure('spans') },
    ],
    alerts: [{ ...rule, value: null as unknown as number, every_minutes: -1 }],
  };
  expect(unreadable(broken).map(({ place }) => place)).toEqual([
    'objectives[0].days',
    'objectives[0].measure',
    'objectives[1].target',
    'objectives[1].measure',
    'alerts[0].value',
    'alerts[0].every_minutes',
  ]);
  expect(unreadable(withAlert({}, FAILURES))).toEqual([]);
});

test('shares are written as percents and come back whole', () => {
  for (const share of [0.5, 0.999, 0.99999, 0.07, 0.29]) {
    expect(shareOf(percentOf(share))).toBe(share);
  }
  expect(percentOf(0.999)).toBe(99.9);
});
