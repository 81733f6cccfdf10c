import { describe, expect, it } from 'vitest';
import type { EdgeMap, MapEdge, Wait } from '../../api/model';
import { collapse, hideLayers } from './collapse';
import { deviation, type Calls } from './deviation';
import { countMinutes, granularityOf, MapStore, MINUTE, type MapApi } from './map.svelte';
import { buildAtlas, reach, type Sample } from './model';
import type { UnixNanos } from '../../base/time';
import { fillOf, waitTogether, waitWords } from './waits';
import { callLine, edgeView, nodeView } from './words';

const COST = { rows: 0, bytes: 0, segments: 0, rollups: 0, elapsed_ms: 0 };

function edge(from: string, to: string, more: Partial<MapEdge> = {}): MapEdge {
  return {
    from,
    to,
    operation: 'get',
    asynchronous: false,
    count: 60,
    error_count: 0,
    throttle_count: 0,
    rate: 1,
    sum_ms: 600,
    p50_ms: 10,
    p99_ms: 20,
    ...more,
  };
}

function sample(edges: readonly MapEdge[], seconds: number): Sample {
  const ids = [...new Set(edges.flatMap((each) => [each.from, each.to]))];
  const map: EdgeMap = {
    from_unix_nanos: '0',
    to_unix_nanos: '60000000000',
    nodes: ids.map((id) => {
      const [kind = '', name = ''] = id.split(':');
      return { id, kind: kind as 'function', name, service: kind === 'function' ? name : null };
    }),
    edges,
    total: edges.length,
    truncated: false,
    other_count: 0,
    cost: COST,
  };
  return { map, operations: [], seconds };
}

const EDGES = [
  edge('function:shop', 'function:pay'),
  edge('function:pay', 'table:ledger'),
  edge('function:shop', 'queue:mail', { asynchronous: true }),
];

describe('what is unlike usual', () => {
  const calls = (count: number, errors: number, p50: number, rate: number): Calls => ({
    count,
    errors,
    p50,
    rate,
  });
  const usual = calls(3600, 20, 30, 1);

  it.each<[string, Calls, string]>([
    ['the same again', calls(60, 0, 31, 1), 'normal'],
    ['one failure among sixty', calls(60, 1, 30, 1), 'normal'],
    ['some more failures', calls(60, 4, 30, 1), 'unusual'],
    ['many failures', calls(60, 20, 30, 1), 'bad'],
    ['twice as slow', calls(60, 0, 60, 1), 'unusual'],
    ['four times as slow', calls(60, 0, 130, 1), 'bad'],
    ['two slow calls say nothing', calls(2, 0, 130, 1), 'normal'],
    ['nobody calls any more', calls(0, 0, 0, 0), 'silent'],
  ])('%s', (_, seen, level) => {
    const found = deviation(seen, usual, 60);
    expect(found.level).toBe(level);
    expect(found.why === '').toBe(level === 'normal');
  });

  it('five in a hundred is news for one and no news for another', () => {
    const seen = calls(200, 10, 30, 3);
    expect(deviation(seen, calls(3600, 180, 30, 1), 60).level).toBe('normal');
    expect(deviation(seen, calls(3600, 4, 30, 1), 60).level).not.toBe('normal');
  });

  it('who is rarely called is not silent', () => {
    expect(deviation(calls(0, 0, 0, 0), calls(60, 0, 30, 1 / 60), 60).level).toBe('normal');
  });

  it('what began in this minute has no usual', () => {
    expect(deviation(calls(60, 30, 5, 1), calls(60, 30, 5, 1), 60).why).toContain(
      'nothing is known',
    );
  });
});

describe('the atlas', () => {
  it('adds up the operations between two', () => {
    const twice = [
      EDGES[0]!,
      edge('function:shop', 'function:pay', { operation: 'put', p50_ms: 30 }),
    ];
    const { flows } = buildAtlas(sample(twice, 60), sample(twice, 3600));
    expect(flows).toHaveLength(1);
    expect(flows[0]?.seen).toMatchObject({ count: 120, p50: 20, rate: 2 });
    expect(flows[0]?.operations).toEqual(['get', 'put']);
  });

  it('keeps who is silent now in its place, and shows who is new', () => {
    const seen = sample([edge('function:new', 'table:ledger')], 60);
    const atlas = buildAtlas(seen, sample(EDGES, 60));
    expect(atlas.parties.map((party) => party.id).sort()).toEqual(
      ['function:new', 'function:pay', 'function:shop', 'queue:mail', 'table:ledger'].sort(),
    );
    expect(atlas.flows.find((flow) => flow.to === 'function:pay')?.level).toBe('silent');
  });

  it('a party is as bad as what is asked of it', () => {
    const failing = [{ ...EDGES[1]!, error_count: 40 }];
    const before = [{ ...EDGES[1]!, count: 3600 }];
    const atlas = buildAtlas(sample(failing, 60), sample(before, 3600));
    const ledger = atlas.parties.find((party) => party.id === 'table:ledger');
    expect(ledger).toMatchObject({ level: 'bad', shape: 'store' });
    expect(ledger?.why).toContain('67');
  });

  it('a function knows best itself how often it ran', () => {
    const own = {
      service: 'shop',
      name: 'shop',
      kind: 'server' as const,
      count: 600,
      error_count: 6,
      cold_start_count: 2,
      sum_ms: 1,
      p50_ms: 12,
      p99_ms: 50,
    };
    const seen = { ...sample(EDGES, 60), operations: [own] };
    const shop = buildAtlas(seen, seen).parties.find((party) => party.id === 'function:shop');
    expect(shop?.seen).toEqual({ count: 600, errors: 6, p50: 12, rate: 10 });
    expect(shop?.coldStarts).toBe(2);
  });

  it('finds who is affected by a table, however far away', () => {
    const { flows } = buildAtlas(sample(EDGES, 60), sample(EDGES, 3600));
    expect([...reach(flows, 'table:ledger').up].sort()).toEqual(['function:pay', 'function:shop']);
    expect(reach(flows, 'table:ledger').down.size).toBe(0);
    const circle = buildAtlas(
      sample([...EDGES, edge('table:ledger', 'function:shop')], 60),
      sample([], 60),
    );
    expect(reach(circle.flows, 'function:pay').up.size).toBe(2);
  });
});

describe('too many to draw', () => {
  const many = Array.from({ length: 120 }, (_, at) =>
    edge(`function:app${at % 4}-fn${at}`, `table:app${at % 4}-t${at}`),
  );
  const atlas = buildAtlas(sample([...many, ...EDGES], 60), sample([...many, ...EDGES], 3600));

  it('become one for each first word', () => {
    const small = collapse(atlas, new Set());
    expect(small.parties.length).toBeLessThan(12);
    expect(small.parties.find((party) => party.id === 'group:app0')?.members).toHaveLength(60);
    // Inside of a group there is nothing to draw.
    expect(small.flows.every((flow) => flow.from !== flow.to)).toBe(true);
  });

  it('an opened group shows its members, and lines still have both ends', () => {
    const opened = collapse(atlas, new Set(['group:app1']));
    const ids = new Set(opened.parties.map((party) => party.id));
    expect(ids.has('function:app1-fn1')).toBe(true);
    expect(opened.flows.every((flow) => ids.has(flow.from) && ids.has(flow.to))).toBe(true);
  });

  it('few stay as they are', () => {
    const few = buildAtlas(sample(EDGES, 60), sample(EDGES, 60));
    expect(collapse(few, new Set())).toBe(few);
  });

  it('a hidden layer takes its lines along', () => {
    const few = hideLayers(
      buildAtlas(sample(EDGES, 60), sample(EDGES, 60)),
      new Set(['resources']),
    );
    expect(few.flows.map((flow) => flow.id)).toEqual(['function:shop function:pay']);
  });
});

describe('words', () => {
  it('a line says the worst first', () => {
    expect(callLine({ count: 4, errors: 1, p50: 12, rate: 2 })).toBe(
      '25\u202f% fail · 2.0/s · 12.0\u202fms',
    );
    const { flows } = buildAtlas(sample(EDGES, 60), sample(EDGES, 60));
    expect(edgeView(flows[0]!, (id) => id).words).toContain('as usual');
  });
});

describe('how long messages had waited', () => {
  const wait = (id: string, longest_ms: number, count = 10): Wait => ({
    id,
    count,
    p50_ms: longest_ms / 4,
    longest_ms,
  });
  const seen = sample([...EDGES, edge('function:mail', 'function:pay')], 60);
  const waits = [wait('queue:mail', 6400), wait('function:pay', 900)];
  const { parties, flows } = buildAtlas(seen, seen, waits);

  it('stands at the queue, and on lines that nobody waits for', () => {
    const told = parties.filter((party) => party.wait !== null).map((party) => party.id);
    expect(told.sort()).toEqual(['function:pay', 'queue:mail']);
    const flow = flows.find((each) => each.wait !== null)!;
    expect(flow.to).toBe('queue:mail');
    expect(edgeView(flow, (id) => id).words).toContain(
      'half of 10 messages waited 1.60\u202fs at most, the longest 6.40\u202fs',
    );
    const queue = parties.find((party) => party.id === 'queue:mail')!;
    expect(nodeView(queue).line).toMatch(/^up to 6\.40\u202fs old · /);
    expect(nodeView(queue).fill).toBeCloseTo(0.457, 2);
  });

  it.each([
    [0, 0],
    [100, 0],
    [9_487, 0.5],
    [900_000, 1],
    [86_400_000, 1],
  ])('a queue of %d ms is %d full', (millis, fill) => {
    expect(fillOf(wait('queue:mail', millis))).toBeCloseTo(fill, 2);
  });

  it('of several together the longest is told, and nothing of none', () => {
    const both = waitTogether([wait('a', 400, 30), null, wait('b', 4000, 10)])!;
    expect([both.count, both.p50_ms, both.longest_ms]).toEqual([40, 325, 4000]);
    expect(waitTogether([null])).toBeNull();
    expect(waitWords(wait('a', 400, 1))).toBe('1 message waited 400\u202fms');
  });
});

it('minutes have their failures', () => {
  const table = { columns: [], truncated: false, cost: COST };
  const rows = [
    ['2026-11-22T00:01:00Z', 'error', 3],
    ['2026-11-22T00:00:00Z', 'unset', 10],
    ['2026-11-22T00:01:00Z', 'unset', 9],
  ];
  expect(countMinutes({ ...table, rows }).map(({ count, errors }) => [count, errors])).toEqual([
    [10, 0],
    [12, 3],
  ]);
});

it.each([
  [1, 60],
  [6, 300],
  [24, 900],
  [24 * 7, 3600],
])('%i hours are drawn in steps of %i s', (hours, seconds) => {
  const to = BigInt(hours) * 3_600_000_000_000n;
  expect(granularityOf(0n as UnixNanos, to as UnixNanos)).toBe(seconds);
});

it('what is asked about the past is the range, or half an hour around the chosen minute', () => {
  const minute = 1_795_305_600_000_000_000n as UnixNanos;
  const now = (minute + 10n * MINUTE) as UnixNanos;
  const around = (moment: 'live' | UnixNanos) => {
    const api = {} as unknown as MapApi;
    const { from, to } = new MapStore(api, { kind: 'last', text: '6h' }, moment).around(now);
    return [(now - from) / MINUTE, (to - now) / MINUTE].map(Number);
  };
  expect(around('live')).toEqual([360, 0]);
  expect(around(minute)).toEqual([40, 0]);
  expect(around((minute - 60n * MINUTE) as UnixNanos)).toEqual([100, -40]);
});
