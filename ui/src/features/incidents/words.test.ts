import { describe, expect, it } from 'vitest';
import type { Finding, Incident } from '../../api/model';
import { setZone } from '../../base/zone';
import {
  amount,
  beforeOf,
  investigateHref,
  measure,
  costFactors,
  messageHref,
  nodesOf,
  spansHref,
  stateWords,
  timeline,
  timeOf,
  whoseWords,
} from './words';

const MINUTE = 60_000_000_000n;
const BEGIN = 1_795_132_800_000_000_000n;
const at = (minute: number): string => String(BEGIN + BigInt(minute) * MINUTE);

const FINDING: Finding = {
  kind: 'latency',
  title: 'function:pay is slower: p50 52 ms → 433 ms',
  subject: { node: 'function:pay', operation: null, to: null },
  unit: 'ms',
  before: null,
  before_when: null,
  after: { value: 433, low: 420, high: 440, of: 160 },
  severity: 'critical',
  confidence: 1,
  since_unix_nanos: at(2),
  seen_unix_nanos: at(9),
  goes_on: true,
  change: {
    node: 'function:pay',
    what: 'version 42',
    before: 'version 41',
    at_unix_nanos: at(1),
  },
  detail: { quantile: 0.5 },
  filters: [
    { column: 'faas.name', op: '=', value: 'pay' },
    { column: 'kind', op: 'in', value: ['server', 'consumer'] },
    { column: 'duration_ms', op: '>=', value: 420 },
  ],
  examples: [],
};

const INCIDENT: Incident = {
  id: 7,
  state: 'closed',
  severity: 'critical',
  title: FINDING.title,
  since_unix_nanos: at(2),
  opened_unix_nanos: at(5),
  closed_unix_nanos: at(16),
  merged_into: null,
  nodes: ['function:pay'],
  finding_count: 2,
  environments: [],
  owners: [],
  findings: [FINDING, { ...FINDING, title: 'table:user is slower', since_unix_nanos: at(3) }],
  callers: [],
  callees: [],
  cause: null,
  affected: null,
};

describe('what something was before', () => {
  it('says which time that was, if it is known', () => {
    const told = (of: Partial<Finding>): string | undefined =>
      beforeOf({ ...FINDING, ...of })?.replaceAll('\u202f', ' ');
    const before = { value: 52, low: 49, high: 55, of: 1180 };
    expect(told({})).toBeUndefined();
    expect(told({ before })).toBe('52.0 ms (49.0 ms to 55.0 ms, of 1,180)');
    expect(told({ before, before_when: 'the same hour of the day before' })).toBe(
      '52.0 ms (49.0 ms to 55.0 ms, of 1,180), the same hour of the day before',
    );
  });
});

describe('what a cost is for', () => {
  it('says each part of it', () => {
    const why = [
      { factor: 'duration', usd_per_hour: 0.0416 },
      { factor: 'retries', usd_per_hour: 0 },
      { factor: 'calls', usd_per_hour: -0.0001 },
    ];
    expect(costFactors({ ...FINDING, kind: 'cost', detail: { why } })).toEqual([
      { factor: 'the duration of calls', usd: '+$0.0416 an hour' },
      { factor: 'calls', usd: '−$0.000100 an hour' },
    ]);
    expect(costFactors({ ...FINDING, kind: 'cold_starts', detail: { why: 'change' } })).toEqual([]);
  });
});

describe('the message that a finding names', () => {
  it.each([
    ['retries', { message: 'sqs:m-1', times: 3, is_failed: true }, '/traces/sqs%3Am-1'],
    [
      'dead_letters',
      { worst: { function: 'function:mail', message: 'sqs:m-2', times: 3 }, lost: 0 },
      '/traces/sqs%3Am-2',
    ],
    ['dead_letters', { worst: null, lost: 2 }, null],
    ['latency', { quantile: 0.5 }, null],
  ] as const)('of %s', (kind, detail, expected) => {
    expect(messageHref({ ...FINDING, kind, detail })).toBe(expected);
  });
});

describe('numbers', () => {
  it.each([
    ['ms', 1470, '1.47 s'],
    ['share', 0.25, '25 %'],
    ['bytes', 3 * 2 ** 20, '3 MB'],
    ['usd_per_hour', 2.1, '$2.10 an hour'],
    ['count', 1204, '1,204'],
  ] as const)('%s', (unit, value, text) => {
    expect(amount(unit, value).replaceAll('\u202f', ' ')).toBe(text);
  });

  it('have their interval, where there is one', () => {
    const plain = (text: string): string => text.replaceAll('\u202f', ' ');
    expect(plain(measure('ms', FINDING.after))).toBe('433 ms (420 ms to 440 ms, of 160)');
    expect(measure('count', { value: 3, low: 3, high: 3, of: 3 })).toBe('3 (of 3)');
  });
});

describe('an incident', () => {
  it('tells what happened in its order, each once', () => {
    expect(timeline(INCIDENT).map(({ what }) => what)).toEqual([
      'function:pay: version 42',
      FINDING.title,
      'table:user is slower',
      'noticed',
      'over',
    ]);
  });

  it('tells what was done about it among the rest', () => {
    const done = { time: timeOf(at(9)), what: 'done by ada: stop pay for 1 hour', nodes: [] };
    expect(timeline(INCIDENT, [done]).map(({ what }) => what)).toEqual([
      'function:pay: version 42',
      FINDING.title,
      'table:user is slower',
      'noticed',
      done.what,
      'over',
    ]);
  });

  it('says where it is and whose, where that is known', () => {
    expect(whoseWords(INCIDENT)).toBe('');
    expect(whoseWords({ ...INCIDENT, owners: ['payments'] })).toBe('owned by payments');
    const environments = ['production', 'staging'];
    expect(whoseWords({ ...INCIDENT, environments })).toBe('in production, staging');
    expect(whoseWords({ ...INCIDENT, environments, owners: ['payments', 'shop'] })).toBe(
      'in production, staging · owned by payments, shop',
    );
  });

  it('names its nodes and what was changed, each once', () => {
    const change = { ...FINDING.change!, node: 'function:ship' };
    const incident = { ...INCIDENT, findings: [FINDING, { ...FINDING, change }] };
    expect(nodesOf(incident)).toEqual(['function:pay', 'function:ship']);
  });

  it('says when it was and how long', () => {
    setZone('utc');
    const now = timeOf(at(60));
    const plain = (text: string): string => text.replaceAll('\u202f', ' ');
    expect(plain(stateWords(INCIDENT, now))).toBe('2026-11-20 00:02, for 14 min 00 s');
    const open = { ...INCIDENT, state: 'open', closed_unix_nanos: null } as const;
    expect(plain(stateWords(open, now))).toBe('since 2026-11-20 00:02, for 58 min 00 s');
  });
});

describe('links', () => {
  it('lead to the spans that show it', () => {
    const href = spansHref(FINDING)!;
    const search = new URL(href, 'http://page').searchParams;
    expect(JSON.parse(search.get('query')!)).toEqual({
      filters: [
        { column: 'faas.name', op: '=', value: 'pay' },
        { column: 'kind', op: 'in', value: 'server, consumer' },
        { column: 'duration_ms', op: '>=', value: '420' },
      ],
    });
    expect(search.get('from')).toBe('2026-11-20T00:02:00.000Z');
    expect(spansHref({ ...FINDING, filters: null })).toBeNull();
    const told = spansHref({
      ...FINDING,
      filters: [
        { column: 'error.type', op: 'does-not-exist' },
        { column: 'service.version', op: '=', value: '42' },
        { column: 'aws.dynamodb.table_names', op: 'starts-with', value: '["users"' },
      ],
    })!;
    expect(JSON.parse(new URL(told, 'http://page').searchParams.get('query')!).filters).toEqual([
      { column: 'error.type', op: 'does-not-exist', value: '' },
      { column: 'service.version', op: '=', value: '"42"' },
      { column: 'aws.dynamodb.table_names', op: 'starts-with', value: '["users"' },
    ]);
  });

  it('lead to what is asked of it', () => {
    const asked = (incident: Incident): Record<string, string> =>
      Object.fromEntries(new URL(investigateHref(incident), 'http://page').searchParams);
    const times = { from: '2026-11-19T23:32:00.000Z', to: '2026-11-20T00:16:00.000Z' };
    expect(asked(INCIDENT)).toEqual({ node: 'function:pay', symptom: 'slow', ...times });
    const cause = {
      node: 'function:order',
      symptom: 'error' as const,
      before: 0,
      after: 1,
      causes: [],
      beside: [],
      ruled_out: [],
      unexplained: 1,
      load: 1,
    };
    const open = { ...INCIDENT, closed_unix_nanos: null, cause };
    expect(asked(open)).toEqual({ node: 'function:order', symptom: 'error', from: times.from });
    const leak = { ...INCIDENT, findings: [{ ...FINDING, kind: 'leak' as const }] };
    expect(asked(leak)).toEqual({ node: 'function:pay', ...times });
    const subject = { ...FINDING.subject, node: 'alert:Watchdog' };
    const outer = { ...FINDING, kind: 'prometheus' as const, subject };
    expect(asked({ ...INCIDENT, findings: [outer] })).toEqual(times);
  });
});
