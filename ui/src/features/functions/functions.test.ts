import { describe, expect, it } from 'vitest';
import type { EdgeMap, Found, Table } from '../../api/model';
import { unixNanosFromMillis } from '../../base/time';
import { callFigures, stepWords } from './charts';
import { groupFailures, placesOf, templateOf } from './failures';
import { hrefOf, neighboursOf } from './neighbours';
import { readCalls, readReports, readVersions } from './read';
import { setupOf } from './setup';
import { callsSql, failedSpansSql, own, type Within } from './sql';
import { callTiles, reportTiles } from './tiles';

const BEGIN = Date.parse('2026-11-22T01:00:30Z');
const bounds: Within = {
  environment: '',
  from: unixNanosFromMillis(BEGIN),
  to: unixNanosFromMillis(BEGIN + 120_000),
};
const at = (minute: number): string => `2026-11-22T01:0${minute}:00Z`;
const plain = (text: string): string => text.replaceAll('\u202f', ' ');

function table(rows: Table['rows']): Table {
  const cost = { rows: 0, bytes: 0, segments: 0, rollups: 0, elapsed_ms: 0 };
  return { columns: [], rows, truncated: false, cost };
}

describe('statements', () => {
  it('a quote in a name stays in the name', () => {
    const sql = callsSql("it's", bounds, 60);
    expect(sql).toContain(`"faas.name" = 'it''s'`);
    expect(sql).toContain(`service = 'it''s'`);
    expect(failedSpansSql(["'"], bounds)).toContain("trace_id in ('''')");
  });
  it('ask for whole steps of the time that is shown', () => {
    const sql = callsSql('pay', bounds, 60);
    expect(sql).toContain("date_bin(interval '60 seconds', time)");
    expect(sql).toContain("time >= timestamp '2026-11-22T01:00:30.000Z'");
    expect(sql).toContain("time < timestamp '2026-11-22T01:02:30.000Z'");
  });
  it('ask for one environment where one is chosen', () => {
    const condition = `and "deployment.environment.name" = 'it''s'`;
    expect(callsSql('pay', { ...bounds, environment: "it's" }, 60)).toContain(condition);
    expect(callsSql('pay', bounds, 60)).not.toContain('deployment.environment');
  });
  it('a call is what the extension, a handler or a service says', () => {
    expect(own({ name: 'pay', calls: 'invocation' })).toBe(
      `"faas.name" = 'pay' and "throughline.phase" = 'invoke'`,
    );
    expect(own({ name: 'pay', calls: 'handler' })).toContain(`"faas.name" = 'pay' and kind in`);
    expect(own({ name: 'pay', calls: 'service' })).toContain("service = 'pay' and kind in");
  });
});

describe('calls', () => {
  const series = readCalls(
    table([
      [at(0), 'invocation', 10, 1, 2, 0, 5, 8, 9],
      [at(2), 'invocation', 4, 0, 0, 0, 6, 7, 8],
      [null, 'invocation', 14, 1, 2, 1, 5.5, 8, 9],
      [at(0), 'service', 99, 0, 0, 0, 1, 1, 1],
      [null, 'service', 99, 0, 0, 0, 1, 1, 1],
    ]),
    bounds,
    60,
  );
  it('are those of the extension where it runs, with a point for each step', () => {
    expect(series.calls).toBe('invocation');
    expect(series.times).toEqual([0, 60, 120].map((later) => Date.parse(at(0)) / 1000 + later));
    expect(series.points.map((point) => point.count)).toEqual([10, 0, 4]);
    expect(series.points[1]?.p99).toBeNull();
  });
  it('nobody of that name was called', () => {
    const none = readCalls(table([]), bounds, 60);
    expect([none.calls, none.total.count, none.points.length]).toEqual([null, 0, 3]);
  });
  it('are summed up in words', () => {
    const words = callTiles(series).map(({ label, value, more }) =>
      plain(`${label}: ${value}, ${more}`),
    );
    expect(words).toEqual([
      'Calls: 7/min, 14 in all',
      'Errors: 7.1 %, 1 failed, 1 timeout',
      'Duration: 5.50 ms, 90th 8.00 ms, 99th 9.00 ms',
      'Cold starts: 14 %, 2 in all',
    ]);
  });
  it('what is not over yet is not counted as less', () => {
    const counted = callFigures(series).find((figure) => figure.title === 'Calls');
    expect(counted?.lines[0]?.values).toEqual([10, 0, null]);
  });
  it('say what is wrong where they are not as usual', () => {
    const symptoms = callFigures(series).map(({ title, symptom }) => [title, symptom]);
    expect(symptoms).toEqual([
      ['Calls', ''],
      ['Errors', 'error'],
      ['Duration', 'slow'],
      ['Cold starts', 'cold_start'],
    ]);
  });
  it('without calls there is no share of failures', () => {
    const errors = callFigures(series).find((figure) => figure.title === 'Errors');
    expect(errors?.lines[0]?.values).toEqual([10, null, 0]);
  });
});

describe('reports', () => {
  const reports = readReports(
    table([
      [at(1), 120, 100, 128, 0.0002, 10, 900, 300],
      [null, 120, 100, 128, 0.0002, 10, 900, 300],
    ]),
    bounds,
    60,
  );
  it('say what memory was used of what there is, and what it costs', () => {
    const words = reportTiles(reports).map(({ label, value, more, tone }) =>
      plain(`${label}: ${value}, ${more} (${tone})`),
    );
    expect(words).toEqual([
      'Memory: 94 %, at most 120 MB of 128 MB, mean 100 MB (warn)',
      'Cost, estimated: $0.000200, $0.144 a day, $20.00 a million calls (plain)',
    ]);
  });
  it('may be none', () => {
    const none = reportTiles(readReports(table([]), bounds, 60));
    expect(none.map((tile) => tile.value)).toEqual(['–', '–']);
  });
});

it('versions have their share of the calls', () => {
  const versions = readVersions(
    table([
      ['2', at(1), at(2), 30, 3, 5, 9],
      ['1', at(0), at(1), 10, 0, 5, 8],
    ]),
  );
  expect(versions.map(({ name, share, errorShare }) => [name, share, errorShare])).toEqual([
    ['2', 0.75, 0.1],
    ['1', 0.25, 0],
  ]);
});

describe('failures', () => {
  it.each([
    ['order 1234 is gone', 'order 5 is gone'],
    ['no "thai" here', 'no "pizza" here'],
    [
      'request 0192d4e0-7f1a-7c3b-9a55-0f6f2f0f9b11 timed out',
      'request 0192d4e0-7f1a-7c3b-9a55-0f6f2f0f9b12 timed out',
    ],
    ['hash deadbeef01 differs', 'hash 00ff differs'],
  ])('"%s" is like "%s"', (one, other) => expect(templateOf(one)).toBe(templateOf(other)));

  it('words are told apart', () => {
    expect(templateOf('the table is gone')).not.toBe(templateOf('the queue is gone'));
  });

  const groups = groupFailures(
    table([
      ['Error', 'order 1 is gone', 2, at(1), 't1', 'a1'],
      ['Error', 'order 2 is gone', 3, at(2), 't2', 'a2'],
      ['Timeout', 'order 3 is gone', 1, at(0), 't3', 'a3'],
    ]),
  );
  it('of one kind are one group, which leads to the last of them', () => {
    expect(
      groups.map(({ kind, message, count, traceId }) => [kind, message, count, traceId]),
    ).toEqual([
      ['Error', 'order 2 is gone', 5, 't2'],
      ['Timeout', 'order 3 is gone', 1, 't3'],
    ]);
  });
  it('broke where the innermost span of the same service failed', () => {
    const places = placesOf(
      groups,
      table([
        ['t2', 'a2', null, at(0), 'pay', 'pay', null, null],
        ['t2', 'h', 'a2', at(0), 'pay', 'handler', '/var/task/app.py', '42'],
        ['t2', 'early', 'h', at(0), 'pay', 'survived', null, null],
        ['t2', 'late', 'h', at(1), 'pay', 'GetItem', null, null],
        ['t2', 'far', 'late', at(2), 'bank', 'bank', 'bank.js', '1'],
        ['t1', 'x', 'a2', at(2), 'pay', 'of another trace', null, null],
      ]),
    );
    expect(places.get('a2')).toEqual({
      spanId: 'late',
      service: 'pay',
      name: 'GetItem',
      line: 'app.py:42',
    });
    expect(places.has('a3')).toBe(false);
  });
  it('spans in a circle do not stop the page', () => {
    const places = placesOf(
      groups,
      table([
        ['t2', 'a2', 'b', at(0), 'pay', 'a', null, null],
        ['t2', 'b', 'a2', at(0), 'pay', 'b', null, null],
      ]),
    );
    expect(places.get('a2')?.spanId).toBe('b');
  });
});

describe('neighbours', () => {
  const edge = (from: string, to: string, operation: string, count: number, errors = 0) => ({
    from,
    to,
    operation,
    asynchronous: to.startsWith('queue'),
    count,
    error_count: errors,
    throttle_count: 0,
    rate: count / 60,
    sum_ms: count,
    p50_ms: count,
    p99_ms: count * 2,
  });
  const node = (id: string) => {
    const [kind = '', name = ''] = id.split(':');
    return { id, kind: kind as EdgeMap['nodes'][number]['kind'], name, service: null };
  };
  const map = {
    nodes: ['function:pay', 'function:shop', 'table:orders', 'queue:mail'].map(node),
    edges: [
      edge('function:shop', 'function:pay', 'pay', 60, 6),
      edge('function:pay', 'table:orders', 'GetItem', 30),
      edge('function:pay', 'table:orders', 'PutItem', 10, 4),
      edge('function:pay', 'queue:mail', 'send', 5),
    ],
  } as unknown as EdgeMap;
  it('are those on both sides, whatever the operations', () => {
    const found = neighboursOf(map, 'pay');
    expect(found.self).toBe('function:pay');
    expect(found.callers.map(({ name, errorShare }) => [name, errorShare])).toEqual([
      ['shop', 0.1],
    ]);
    expect(found.callees.map(({ name, count, p50, p99 }) => [name, count, p50, p99])).toEqual([
      ['orders', 40, 25, 60],
      ['mail', 5, 5, 10],
    ]);
    expect(found.callees[0]?.operations).toEqual(['GetItem', 'PutItem']);
  });
  it('with code have a page, others a place on the map', () => {
    const { callers, callees } = neighboursOf(map, 'pay');
    expect([...callers, ...callees].map(hrefOf)).toEqual([
      '/functions/shop',
      '/map?select=table%3Aorders',
      '/map?select=queue%3Amail',
    ]);
  });
  it('nobody knows whom nobody called', () => {
    expect(neighboursOf(map, 'other')).toEqual({ self: null, callers: [], callees: [] });
  });
});

it('the setup is what the newest call and the library in it say', () => {
  const found = (resource: object, scope: string): Found =>
    ({ attributes: {}, resource, scope: { name: scope, version: '0.1.0' } }) as unknown as Found;
  const setup = setupOf(
    found({ 'faas.max_memory': 268_435_456, 'cloud.region': 'eu-west-1' }, 'throughline.platform'),
    found({ 'telemetry.sdk.name': 'opentelemetry', 'telemetry.sdk.version': '1.2' }, 'x'),
  );
  expect(setup.facts.map(({ label, value }) => plain(`${label}: ${value}`))).toEqual([
    'Memory: 256 MB',
    'Region: eu-west-1',
    'Traced by: opentelemetry 1.2',
    'Extension: 0.1.0',
  ]);
  expect(setupOf(null, null).facts).toEqual([]);
});

it.each([
  [10, '10 s'],
  [300, '5 min'],
  [7200, '2 h'],
  [86_400, '1 d'],
])('a step of %d s is %s', (step, words) => expect(plain(stepWords(step))).toBe(words));
