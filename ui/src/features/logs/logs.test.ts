import { describe, expect, it } from 'vitest';
import type { Log } from '../../api/model';
import type { Bounds } from '../../base/range';
import type { Condition } from '../../base/condition';
import type { UnixNanos } from '../../base/time';
import { chosenHref, chosenWords, contrastOf, hasRoom, type Chosen } from './compare';
import { readCondition, writeCondition } from './conditions';
import { aboutOf, NO_FILTERS, parseFilters, setFilters, symptomOf } from './filters';
import { barsOf, barsWithin, placedOn, totalOf } from './histogram';
import { patternsOf, searchFor, templateOf } from './patterns';
import { conditionsOf, histogramSql, termsOf } from './sql';

const BOUNDS: Bounds = {
  from: 1_795_305_600_000_000_000n as UnixNanos,
  to: 1_795_305_720_000_000_000n as UnixNanos,
};

function log(body: string, more: Partial<Log> = {}): Log {
  return {
    time: BOUNDS.from,
    severityNumber: 9,
    severityText: '',
    body,
    traceId: null,
    spanId: null,
    service: 'pay',
    scope: { name: '', version: '' },
    attributes: {},
    eventName: '',
    ...more,
  };
}

describe('address', () => {
  it.each([
    '',
    'q=timeout+-retry',
    'q=%22order+1%22&service=pay&min=17&where=a%3D1&where=b+exists',
    'range=6h&q=x',
  ])('%j says the same when read back', (search) => {
    const params = new URLSearchParams(search);
    setFilters(params, parseFilters(search));
    expect(params.toString()).toBe(search);
  });

  it.each(['min=99', 'min=soon', 'where=+'])('nonsense does not narrow: %s', (search) => {
    expect(parseFilters(search)).toEqual(NO_FILTERS);
  });
});

describe('the search as SQL', () => {
  it.each([
    ['timeout', ['(^|[^\\p{L}\\p{N}_])timeout([^\\p{L}\\p{N}_]|$)']],
    ['"order 12"', ['(^|[^\\p{L}\\p{N}_])order[^\\p{L}\\p{N}_]+12([^\\p{L}\\p{N}_]|$)']],
    ['ord-1b', ['(^|[^\\p{L}\\p{N}_])ord[^\\p{L}\\p{N}_]+1b([^\\p{L}\\p{N}_]|$)']],
    ['/took \\d{4,} ms/', ['took \\d{4,} ms']],
    ['/a\\/b/', ['a\\/b']],
    ['', []],
    ['- ""', []],
  ])('%s', (q, patterns) => expect(termsOf(q).map((term) => term.pattern)).toEqual(patterns));

  it('words do not mind capitals, regular expressions do, and what is excluded is', () => {
    expect(termsOf('Ab /Ab/ -cd')).toMatchObject([
      { not: false, exact: false },
      { not: false, exact: true },
      { not: true },
    ]);
  });

  it.each([
    ['http.route=/pay', `"http.route" = '/pay'`],
    ['http.route="/pay"', `"http.route" = '/pay'`],
    ['total>=100', `"total" >= 100`],
    ['total="100"', `"total" = '100'`],
    ['faas.coldstart=true', `"faas.coldstart" = true`],
    ['name~^(GET|POST)', `regexp_like("name", '^(GET|POST)')`],
    ['user.id contains 42', `contains("user.id", '42')`],
    ['error.type exists', `"error.type" is not null`],
    ['error.type does-not-exist', `"error.type" is null`],
    [`note='; drop`, `"note" = '''; drop'`],
    ['"odd key"=1', `"odd key" = 1`],
    ['a!=b', `("a" is null or "a" != 'b')`],
  ])('%s', (where, sql) => {
    expect(conditionsOf({ ...NO_FILTERS, where: [where] })).toEqual([sql]);
  });

  it('says so when it cannot', () => {
    expect(histogramSql({ ...NO_FILTERS, where: ['a in ["b"]'] }, BOUNDS, 60)).toBeNull();
  });

  it('has the time and the level', () => {
    const sql = histogramSql({ ...NO_FILTERS, minSeverity: 17, service: "o'x" }, BOUNDS, 30);
    expect(sql).toContain("interval '30 seconds'");
    expect(sql).toContain("time >= timestamp '2026-11-22T00:00:00.000Z'");
    expect(sql).toContain("service = 'o''x'");
  });
});

it('bars fill the time, also where nothing was written', () => {
  const table = {
    columns: [],
    rows: [
      ['2026-11-22T00:01:00Z', 'error', 2],
      ['2026-11-22T00:01:00Z', 'info', 5],
    ],
    truncated: false,
    cost: { rows: 0, bytes: 0, segments: 0, rollups: 0, elapsed_ms: 0 },
  };
  const bars = barsOf(table, BOUNDS, 60);
  expect(bars.map((bar) => bar.counts.error + bar.counts.info)).toEqual([0, 7]);
  expect(totalOf(bars)).toEqual({ error: 2, warn: 0, info: 5 });
  const begin = Number(BOUNDS.from / 1_000_000_000n);
  const moments = [-1, 0, 90, 120].map((after) => ({ time: begin + after }));
  expect(placedOn(moments, bars).map(({ at }) => at)).toEqual([0, 1.5]);
  expect(placedOn(moments, [])).toEqual([]);
  const within = (from: bigint, to: bigint) =>
    barsWithin(bars, {
      from: (BOUNDS.from + from) as UnixNanos,
      to: (BOUNDS.from + to) as UnixNanos,
    });
  expect(within(0n, 60_000_000_000n)).toEqual({ first: 0, last: 0 });
  expect(within(59_000_000_000n, 61_000_000_000n)).toEqual({ first: 0, last: 1 });
  expect(within(-5n, 0n)).toBeNull();
  expect(within(120_000_000_000n, 180_000_000_000n)).toBeNull();
});

describe('a condition', () => {
  it.each<[string, Condition]>([
    ['http.route=/pay', { column: 'http.route', op: '=', value: '/pay' }],
    ['http.route = "/pay"', { column: 'http.route', op: '=', value: '/pay' }],
    ['note="so \\"it\\" is"', { column: 'note', op: '=', value: 'so "it" is' }],
    ['code>=500', { column: 'code', op: '>=', value: 500 }],
    ['code="500"', { column: 'code', op: '=', value: '500' }],
    ['cold!=true', { column: 'cold', op: '!=', value: true }],
    ['user=', { column: 'user', op: '=', value: '' }],
    ['a=b=c', { column: 'a', op: '=', value: 'b=c' }],
    ['a=null', { column: 'a', op: '=', value: 'null' }],
    ['name ~ ^GET ', { column: 'name', op: 'matches', value: '^GET' }],
    ['id contains 42', { column: 'id', op: 'contains', value: '42' }],
    ['id starts-with "4 2"', { column: 'id', op: 'starts-with', value: '4 2' }],
    ['r in ["a", 1]', { column: 'r', op: 'in', value: ['a', 1] }],
    ['e does-not-exist', { column: 'e', op: 'does-not-exist' }],
    ['"odd key"=1', { column: 'odd key', op: '=', value: 1 }],
  ])('%s is read as by the server, and written so that it is read again', (text, condition) => {
    expect(readCondition(text)).toEqual(condition);
    expect(readCondition(writeCondition(condition))).toEqual(condition);
  });

  it.each(['', 'word', 'a like b', '=1'])('%j is none', (text) => {
    expect(readCondition(text)).toBeNull();
  });

  it('is written as people would', () => {
    const written = [
      { column: 'card', op: '=', value: 'visa' },
      { column: 'size', op: '<=', value: 2.5 },
      { column: 'odd key', op: 'exists' },
    ] as const;
    expect(written.map(writeCondition)).toEqual(['card="visa"', 'size<=2.5', '"odd key" exists']);
  });
});

describe('lines that are compared', () => {
  const SEARCH = { q: ' timeout ', service: 'pay', minSeverity: 13, where: ['total>=100'] };
  const AROUND = ['deployment.environment.name="prod"'];
  const OWN = [
    { column: 'service', op: '=', value: 'pay' },
    { column: 'severity_number', op: '>=', value: 13 },
    { column: 'total', op: '>=', value: 100 },
  ];
  const HERE = { column: 'deployment.environment.name', op: '=', value: 'prod' };
  const BEGIN = 1_795_305_600;
  const ALL = { q: '', filters: [], start_time: null, end_time: null };
  const [pattern] = patternsOf([log('took 1 ms to send', { service: 'mail' })]);
  const PATTERN: Chosen = { of: 'pattern', pattern: pattern!, q: searchFor(pattern!) };
  const STRETCH: Chosen = {
    of: 'stretch',
    within: { from: BOUNDS.from, to: (BOUNDS.from + 60_000_000_000n) as UnixNanos },
  };

  it.each<[string, Chosen, object]>([
    [
      'errors',
      { of: 'errors' },
      { ...ALL, filters: [{ column: 'severity_number', op: '>=', value: 17 }] },
    ],
    [
      'a pattern',
      PATTERN,
      { ...ALL, q: '"ms to send"', filters: [{ column: 'service', op: '=', value: 'mail' }] },
    ],
    ['a time', STRETCH, { ...ALL, start_time: BEGIN, end_time: BEGIN + 60 }],
  ])('%s are among what is searched', (_, chosen, selection) => {
    expect(contrastOf(chosen, SEARCH, AROUND, BOUNDS)).toEqual({
      dataset: 'logs',
      q: 'timeout',
      filters: [HERE, ...OWN],
      start_time: BEGIN,
      end_time: BEGIN + 120,
      selection,
    });
  });

  it('what is searched is compared with all other lines of the environment', () => {
    expect(contrastOf({ of: 'found' }, SEARCH, AROUND, BOUNDS)).toMatchObject({
      q: '',
      filters: [HERE],
      selection: { ...ALL, q: 'timeout', filters: OWN },
    });
  });

  it('cannot be asked for with a condition that cannot be read', () => {
    const search = { ...SEARCH, where: ['nonsense'] };
    expect(contrastOf({ of: 'errors' }, search, [], BOUNDS)).toBeNull();
  });

  it('have words, and lead to why it was so', () => {
    expect(chosenWords(PATTERN)).toBe('took … ms to send');
    expect(chosenWords(STRETCH)).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d to /);
    const search = (chosen: Chosen, filters = NO_FILTERS) =>
      decodeURIComponent(chosenHref(chosen, filters, BOUNDS));
    expect(search({ of: 'errors' })).toContain('symptom=error&from=2026-11-22T00:00:00');
    expect(search(PATTERN)).toContain('q=mail&from=');
    expect(search(STRETCH)).toContain('to=2026-11-22T00:01:00');
  });

  it('are narrowed only while there is room for a difference', () => {
    const where = (count: number) => Array.from({ length: count }, (_, at) => `a${at} exists`);
    expect(hasRoom({ ...NO_FILTERS, where: where(12) })).toBe(true);
    expect(hasRoom({ ...NO_FILTERS, where: where(13) })).toBe(false);
  });
});

it.each([
  [{ where: ['faas.name="pay live"'], service: 'x' }, ['function:pay live']],
  [{ where: [' faas.name = pay'] }, ['function:pay']],
  [{ where: ['faas.name!=pay'], service: 'mail' }, ['function:mail', 'service:mail']],
  [{ where: ['x.faas.name=pay'] }, []],
])('lines of %j are of %j', (filters, nodes) => {
  expect(aboutOf({ ...NO_FILTERS, ...filters }).nodes).toEqual(nodes);
});

it('only lines of errors say that something fails', () => {
  expect(symptomOf({ ...NO_FILTERS, minSeverity: 17 })).toBe('error');
  expect(symptomOf({ ...NO_FILTERS, minSeverity: 13 })).toBe('');
});

describe('patterns', () => {
  it.each([
    ['placing order ord-1b2c of user u-12', 'placing order … of user …'],
    ['took 12.5 ms for "Ann B"', 'took … ms for …'],
    ['id 7b2e1f00-1b2c-4d5e-8f90-aabbccddeeff done', 'id … done'],
    ['2026-11-22T00:01:02.003Z GET /a/17/b', '… GET …'],
    ['no numbers here', 'no numbers here'],
  ])('%s', (line, template) => expect(templateOf(line)).toBe(template));

  it('counts lines of one template, the worst level stands for all', () => {
    const found = patternsOf([
      log('took 1 ms'),
      log('took 2 ms', { severityNumber: 17 }),
      log('started'),
      log('took 3 ms', { service: 'mail' }),
    ]);
    expect(found.map(({ template, count, level }) => [template, count, level])).toEqual([
      ['took … ms', 2, 'error'],
      ['started', 1, 'info'],
      ['took … ms', 1, 'info'],
    ]);
  });

  it('is found again by its longest fixed words', () => {
    const [pattern] = patternsOf([log('user 7 (gold) was told about order 12')]);
    expect(searchFor(pattern!)).toBe('"gold was told about order"');
    expect(searchFor({ ...pattern!, template: '…' })).toBe('');
  });
});
