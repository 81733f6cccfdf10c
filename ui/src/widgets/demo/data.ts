/** What the tables, charts and maps of the demo show. */
import type { Contrast } from '../../base/contrast';
import type { Mark } from '../../base/marks';
import { unixNanosFromMillis } from '../../base/time';
import type { HeatCell } from '../chart/heat';
import type { ChartLine } from '../chart/lines';
import type { MapEdgeView, MapNodeView } from '../map/graph';

const MINUTE = 60;
const START = 1_795_228_500;

export const SAMPLE_TIMES: readonly number[] = Array.from(
  { length: 30 },
  (_, at) => START + at * MINUTE,
);

export const SAMPLE_LINES: readonly ChartLine[] = [
  { name: 'calls', values: SAMPLE_TIMES.map((_, at) => 20 + 8 * Math.sin(at / 4)) },
  // Nothing is known of some minutes.
  { name: 'errors', values: SAMPLE_TIMES.map((_, at) => (at > 10 && at < 14 ? null : at % 5)) },
];

/** One that goes on, and one that is over. */
export const SAMPLE_MARKS: readonly Mark[] = [
  mark(1, 'warning', 'function:pay fails more: 0.1 % → 12 %', 4, 11),
  mark(2, 'critical', 'function:pay is slower: p99 41 ms → 433 ms', 21, null),
];

export const SAMPLE_HEAT: readonly HeatCell[] = SAMPLE_TIMES.flatMap((time, at) =>
  [16, 32, 64].map((upTo, row) => ({ time, upTo, count: 1 + ((at * (row + 3)) % 9) })),
);

export const SAMPLE_COLUMNS = [
  { name: 'service', type: 'string' },
  { name: 'count', type: 'integer' },
];

export const SAMPLE_ROWS: readonly (readonly (string | number | null)[])[] = [
  ['checkout', 1240],
  ['inventory', 31],
  [null, 2],
];

const pair = (before: number, after: number) => ({ before, after });

export const SAMPLE_CONTRAST: Contrast = {
  differences: [
    {
      filters: [{ column: 'card', op: '=', value: 'visa' }],
      selection: { hits: 90, of: 120, share: 0.75 },
      rest: { hits: 12, of: 1080, share: 0.0111 },
      alike: [[{ column: 'bank', op: '=', value: 'north' }]],
    },
    {
      filters: [{ column: 'user.id', op: 'does-not-exist' }],
      selection: { hits: 60, of: 120, share: 0.5 },
      rest: { hits: 108, of: 1080, share: 0.1 },
      alike: [],
    },
  ],
  selection: { count: 120, sampled: 120 },
  rest: { count: 1080, sampled: 1080 },
  compared: 64,
  truncated: false,
};
export const SAMPLE_AFFECTED = [
  {
    node: 'function:checkout',
    path: ['table:user', 'function:pay', 'function:checkout'],
    worse: ['error', 'slow'],
    calls_per_minute: pair(42, 40),
    failed: pair(0, 0.38),
    mean_ms: pair(120, 3060),
    throttle_count: 92,
  },
];

export const SAMPLE_NODES: readonly MapNodeView[] = [
  {
    id: 'function:pay',
    name: 'pay',
    kind: 'function',
    shape: 'function',
    level: 'bad',
    line: '12.0 % fail · 2.1/s',
  },
  {
    id: 'queue:mails',
    name: 'mails',
    kind: 'queue',
    shape: 'queue',
    level: 'normal',
    line: 'up to 6.4 s old · 2.0/s',
    fill: 0.5,
  },
  {
    id: 'table:orders',
    name: 'orders',
    kind: 'table',
    shape: 'store',
    level: 'unusual',
    line: '2.0/s',
  },
  {
    id: 'host:api.example',
    name: 'api.example',
    kind: 'host',
    shape: 'outside',
    level: 'silent',
    line: 'no calls',
  },
];

export const SAMPLE_EDGES: readonly MapEdgeView[] = [
  edge('function:pay', 'queue:mails', { asynchronous: true, fill: 0.5 }),
  edge('function:pay', 'table:orders', { level: 'unusual' }),
  edge('function:pay', 'host:api.example', { level: 'silent' }),
];

function mark(
  id: number,
  severity: Mark['severity'],
  title: string,
  since: number,
  until: number | null,
): Mark {
  const at = (minute: number) => unixNanosFromMillis((START + minute * MINUTE) * 1000);
  const end = until === null ? null : at(until);
  return { id, severity, title, since: at(since), until: end, nodes: ['function:pay'] };
}

function edge(from: string, to: string, more: Partial<MapEdgeView>): MapEdgeView {
  const id = `${from} ${to}`;
  const words = `${from} calls ${to}`;
  return { id, from, to, rate: 2, level: 'normal', asynchronous: false, words, ...more };
}
