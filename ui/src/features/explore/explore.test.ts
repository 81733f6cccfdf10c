import { describe as group, expect, it } from 'vitest';
import { valueOf } from '../../base/condition';
import type { Bounds } from '../../base/range';
import type { UnixNanos } from '../../base/time';
import { aboutOf, askHref, symptomOf } from './asked';
import {
  describe,
  formatDraft,
  fromFilter,
  inEnvironment,
  isWhole,
  parseDraft,
  START,
  toFilters,
  toSpec,
  type Draft,
} from './draft';
import { cellsOf, chartsOf } from './results';

const BOUNDS: Bounds = {
  from: 1_795_305_615_000_000_000n as UnixNanos,
  to: 1_795_309_215_500_000_000n as UnixNanos,
};

const FULL: Draft = {
  dataset: 'logs',
  calculations: [
    { op: 'COUNT', column: '' },
    { op: 'P99', column: 'order.total' },
  ],
  breakdowns: ['service', 'http.route'],
  filters: [
    { column: 'severity_number', op: '>=', value: '17' },
    { column: 'user.id', op: 'in', value: 'a, 2' },
    { column: 'error.type', op: 'exists', value: '' },
  ],
  any: true,
  order: 'P99(order.total)',
  ascending: true,
  limit: 50,
  step: 300,
};

group('the address', () => {
  it('says nothing at the start, and all of a full question', () => {
    expect(formatDraft(START)).toBe('');
    expect(parseDraft('')).toEqual(START);
    expect(parseDraft(formatDraft(FULL))).toEqual(FULL);
  });

  it.each([
    [17, 17],
    [0.000001, 0.000001],
    [true, true],
    ['visa', 'visa'],
    [
      [500, 'x'],
      [500, 'x'],
    ],
  ])('a value may be written as what it is: %j', (written, asked) => {
    const op = Array.isArray(written) ? 'in' : '=';
    const { filters } = parseDraft(
      JSON.stringify({ filters: [{ column: 'a', op, value: written }] }),
    );
    expect(toFilters(filters)).toEqual([{ column: 'a', op, value: asked }]);
  });

  it('an emptied list stays empty', () => {
    const none = { ...START, breakdowns: [], calculations: [] };
    expect(parseDraft(formatDraft(none))).toEqual(none);
  });

  it.each(['{', '[]', 'null', '{"dataset":"secrets","limit":-4,"filters":[null],"step":"x"}'])(
    'nonsense asks for nothing strange: %s',
    (text) => {
      const draft = parseDraft(text);
      expect(draft.dataset).toBe('spans');
      expect(draft.limit).toBe(START.limit);
      expect(draft.step).toBe(0);
    },
  );
});

group('the question', () => {
  it('becomes the query of the server', () => {
    expect(toSpec(FULL, BOUNDS)).toEqual({
      dataset: 'logs',
      calculations: [{ op: 'COUNT' }, { op: 'P99', column: 'order.total' }],
      breakdowns: ['service', 'http.route'],
      filters: [
        { column: 'severity_number', op: '>=', value: 17 },
        { column: 'user.id', op: 'in', value: ['a', 2] },
        { column: 'error.type', op: 'exists' },
      ],
      filter_combination: 'OR',
      orders: [{ op: 'P99', column: 'order.total', order: 'ascending' }],
      limit: 50,
      start_time: 1_795_305_600,
      end_time: 1_795_309_215.5,
      granularity: 300,
    });
  });

  it('points are as long as fits the time', () => {
    expect(toSpec(START, BOUNDS).granularity).toBe(60);
    expect(
      toSpec(START, { ...BOUNDS, from: (BOUNDS.to - 60_000_000_000n) as UnixNanos }).granularity,
    ).toBe(1);
  });

  it.each<[string, Partial<Draft>, unknown]>([
    ['a heat map has no order', { order: 'HEATMAP(duration_ms)' }, undefined],
    ['a breakdown that is gone', { order: 'gone' }, undefined],
    ['a breakdown', { order: 'service' }, [{ column: 'service', order: 'descending' }]],
  ])('order: %s', (_, part, orders) =>
    expect(toSpec({ ...START, ...part }, BOUNDS).orders).toEqual(orders),
  );

  it.each<[string, unknown]>([
    ['17', 17],
    ['-0.5', -0.5],
    ['true', true],
    ['"17"', '17'],
    ['1e5', '1e5'],
    ['12345678901234567890', '12345678901234567890'],
    ['/pay', '/pay'],
  ])('the value %s', (text, value) => expect(valueOf(text)).toBe(value));

  it('half of a question is not asked', () => {
    expect(isWhole({ ...START, calculations: [{ op: 'P99', column: '' }] })).toBe(false);
    expect(isWhole(START)).toBe(true);
  });

  it('in words', () => {
    expect(describe(FULL)).toBe(
      'COUNT, P99(order.total) of logs by service, http.route where severity_number >= 17 or user.id in a, 2 or error.type exists',
    );
  });
});

group('answers', () => {
  const cost = { rows: 0, bytes: 0, segments: 0, rollups: 0, elapsed_ms: 0 };
  const table = (names: string[], rows: (string | number | null)[][]) => ({
    columns: names.map((name) => ({ name, type: 'text' as const })),
    rows,
    truncated: false,
    cost,
  });

  it('a chart for each calculation, a line for each group, in the order of the table', () => {
    const series = table(
      ['time', 'service', 'COUNT', 'P99(duration_ms)'],
      [
        ['2026-11-22T00:01:00Z', 'pay', 4, 10],
        ['2026-11-22T00:00:00Z', null, 2, 7],
        ['2026-11-22T00:00:00Z', 'pay', 3, 9],
      ],
    );
    const results = table(
      ['service', 'COUNT'],
      [
        ['pay', 7],
        [null, 2],
      ],
    );
    const [count, p99] = chartsOf(series, 1, results);
    expect(count?.times).toHaveLength(2);
    expect(count?.lines).toEqual([
      { name: 'pay', values: [3, 4] },
      { name: '(none)', values: [2, 0] },
    ]);
    // A percentile of nothing is none, not nought.
    expect(p99?.lines[1]).toEqual({ name: '(none)', values: [7, null] });
  });

  it('cells of a heat map', () => {
    expect(cellsOf(table(['time', 'up_to', 'rows'], [['2026-11-22T00:00:00Z', 8, 3]]))).toEqual([
      { time: 1_795_305_600, upTo: 8, count: 3 },
    ]);
  });
});

group('within one environment', () => {
  const here = { column: 'deployment.environment.name', op: '=' as const, value: 'prod' };
  const fast = { column: 'duration_ms', op: '<' as const, value: 5 };
  const slow = { column: 'duration_ms', op: '>' as const, value: 500 };

  it('holds beside all other conditions', () => {
    expect(inEnvironment({ filters: [fast] }, 'prod')).toEqual({ filters: [fast, here] });
    expect(inEnvironment({}, 'prod')).toEqual({ filters: [here] });
    expect(inEnvironment({ filters: [fast] }, '')).toEqual({ filters: [fast] });
  });
  it('one of a single condition is that condition', () => {
    const either = { filters: [fast], filter_combination: 'OR' as const };
    expect(inEnvironment(either, 'prod')).toEqual({ filters: [fast, here] });
  });
  it('cannot be asked beside one of several, rather than be asked wrongly', () => {
    const either = { filters: [fast, slow], filter_combination: 'OR' as const };
    expect(inEnvironment(either, 'prod')).toBeNull();
    expect(inEnvironment(either, '')).toBe(either);
  });
});

group('what the server says as a filter', () => {
  it.each([
    [{ column: 'card', op: '=', value: 'visa' } as const, 'visa'],
    [{ column: 'version', op: '=', value: '42' } as const, '"42"'],
    [{ column: 'cold', op: '=', value: 'true' } as const, '"true"'],
    [{ column: 'cold', op: '=', value: true } as const, 'true'],
    [{ column: 'size', op: '<=', value: 2_500_000.25 } as const, '2500000.25'],
    [{ column: 'user', op: 'does-not-exist' } as const, ''],
  ])('%j is asked again as it is', (filter, value) => {
    const own = fromFilter(filter);
    expect(own.value).toBe(value);
    expect(toFilters([own])).toEqual([filter]);
  });
});

group('a question about the past', () => {
  const where = (column: string, value: string, more: Partial<Draft> = {}): Draft => ({
    ...START,
    filters: [{ column, op: '=', value }],
    ...more,
  });

  it.each([
    [START, 'P99(duration_ms)', 'slow'],
    [START, 'HEATMAP(duration_ms)', 'slow'],
    [START, 'SUM(throughline.cost.usd)', 'expensive'],
    [START, 'COUNT', ''],
    [where('status', 'error'), 'COUNT', 'error'],
    [where('faas.coldstart', 'true'), 'COUNT', 'cold_start'],
    [where('error.type', 'ProvisionedThroughputExceededException'), 'COUNT', 'throttle'],
    [where('http.response.status_code', '429'), 'P50(duration_ms)', 'throttle'],
    [where('http.response.status_code', '500'), 'COUNT', ''],
  ] as const)('%j by %s is %s', (draft, calculation, symptom) => {
    expect(symptomOf(draft, calculation)).toBe(symptom);
  });

  it('is of whom all of its rows are', () => {
    expect(aboutOf(where('faas.name', 'pay')).nodes).toEqual(['function:pay']);
    const either = where('faas.name', 'pay', { any: true });
    expect(aboutOf(either).node).toBe('function:pay');
    const another = { column: 'status', op: '=', value: 'error' } as const;
    const oneOf = { ...either, filters: [...either.filters, another] };
    expect([aboutOf(oneOf).nodes, symptomOf(oneOf, 'COUNT')]).toEqual([[], '']);
    expect(askHref(where('service', 'pay'), 'error', BOUNDS)).toMatch(
      /^\/investigate\?q=pay&symptom=error&from=2026-11-22T\S+&to=2026-11-22T\S+$/,
    );
  });
});
