import { describe, expect, it } from 'vitest';
import type { Log } from '../../api/model';
import type { Bounds } from '../../base/range';
import type { UnixNanos } from '../../base/time';
import { aboutOf, NO_FILTERS, parseFilters, setFilters, symptomOf } from './filters';
import { barsOf, placedOn, totalOf } from './histogram';
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
