import { describe, expect, it } from 'vitest';
import checkout from '../../../fixtures/checkout.json';
import { decodeTrace } from '../../api/decode';
import type { Attributes, Span } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import type { DurationNanos, UnixNanos } from '../../base/time';
import { buildTree } from '../../widgets/waterfall/tree';
import { graphOf, resourceOf, type TraceGraph } from './graph';
import { waterfallSpans } from './waterfall';

const trace = decodeTrace(checkout as unknown as WireTrace);

function graph(spans: readonly Span[]): TraceGraph {
  const tree = buildTree(waterfallSpans({ ...trace, spans }, new Map()));
  return graphOf(tree, new Map(spans.map((span) => [span.spanId, span])));
}

const draw = ({ nodes, edges }: TraceGraph): string[] => [
  ...nodes.map((node) =>
    [node.kind, node.name, node.line, node.level === 'normal' ? '' : node.levelWords]
      .filter(Boolean)
      .join(' | ')
      .replaceAll('\u202f', ' '),
  ),
  ...edges.map((edge) => edge.words.replaceAll('\u202f', ' ')),
];

it('a checkout: three functions, the database and a mail server', () => {
  expect(draw(graph(trace.spans))).toEqual([
    'function | checkout | 1.24 s · cold | failed because of another',
    'function | inventory | 1.12 s · cold | failed here',
    'database | sqlite | 3 calls · 142 ms',
    'function | notify | 2 calls · 634 ms · cold',
    'host | mail.example | 199 ms',
    'checkout → inventory: 1 call, 1.12 s, 1 failed',
    'inventory → sqlite: 3 calls, 142 ms',
    'checkout → notify: 1 call, 613 ms, nobody waits for it',
    'notify → mail.example: 1 call, 199 ms',
  ]);
});

it('everybody has their spans', () => {
  const { nodes, edges } = graph(trace.spans);
  const named = (ids: readonly string[]): string[] =>
    ids.map((id) => trace.spans.find((span) => span.spanId === id)!.name);
  expect(named(nodes.find((node) => node.name === 'sqlite')!.spanIds)).toEqual(
    Array(3).fill('SELECT stock'),
  );
  expect(nodes.find((node) => node.name === 'checkout')!.spanIds).toHaveLength(10);
  expect(named(edges[0]!.spanIds)).toEqual(['inventory']);
});

describe('a message', () => {
  const base = trace.spans[0]!;
  const make = (spanId: string, parent: string | null, more: Partial<Span>): Span => ({
    ...base,
    spanId,
    parentSpanId: parent,
    name: spanId,
    duration: 10n as DurationNanos,
    start: (base.start + BigInt(spanId.length)) as UnixNanos,
    attributes: {},
    resource: { 'faas.name': 'f' },
    ...more,
  });
  const queue = {
    inferred: true,
    resource: {},
    service: 'orders',
    attributes: { 'throughline.hop.kind': 'queue', 'throughline.hop.name': 'orders' },
  };
  const sends = {
    kind: 'producer' as const,
    attributes: { 'messaging.destination.name': 'orders' },
  };

  it('goes through its queue, and nobody waits for it', () => {
    const spans = [
      make('api', null, { service: 'api' }),
      make('send', 'api', { service: 'api', ...sends }),
      make('request', 'send', {
        service: 'api',
        kind: 'client',
        attributes: { 'server.address': 'sqs.amazonaws.com' },
      }),
      make('waited', 'send', queue),
      make('worker', 'waited', { service: 'worker', kind: 'consumer' }),
    ];
    expect(draw(graph(spans))).toEqual([
      'function | api | 10 ns',
      'queue | orders | waited 10 ns',
      'function | worker | 10 ns',
      'api → orders: 1 call, 10 ns, nobody waits for it',
      'orders → worker: 1 call, 10 ns, nobody waits for it',
    ]);
  });

  it('of which nothing more is known ends at the queue, once', () => {
    const request = { kind: 'client' as const, attributes: { 'server.address': 'sqs' } };
    const spans = [
      make('api', null, { service: 'api' }),
      make('send', 'api', { service: 'api', ...sends }),
      make('request', 'send', { service: 'api', ...request }),
    ];
    expect(graph(spans).edges.map((edge) => edge.to)).toEqual(['queue:orders']);
  });
});

it.each<[Attributes, string | null]>([
  [{ 'faas.invoked_name': 'pay', 'rpc.service': 'Lambda' }, 'function:pay'],
  [{ 'aws.dynamodb.table_names': ['orders', 'x'], 'server.address': 'y' }, 'table:orders'],
  [{ 'db.system.name': 'aws.dynamodb', 'db.collection.name': 'orders' }, 'table:orders'],
  [{ 'aws.s3.bucket': 'menus' }, 'bucket:menus'],
  [{ 'messaging.system': 'aws_sns', 'messaging.destination.name': 't' }, 'topic:t'],
  [{ 'messaging.system': 'aws_sqs', 'messaging.destination.name': 'q' }, 'queue:q'],
  [{ 'aws.sqs.queue.url': 'https://sqs/1/mail' }, 'queue:mail'],
  [{ 'aws.sns.topic.arn': 'arn:aws:sns:eu:1:told' }, 'topic:told'],
  [{ 'db.system.name': 'redis', 'server.address': 'cache-1' }, 'cache:cache-1'],
  [{ 'db.system.name': 'postgresql', 'db.namespace': 'shop' }, 'database:shop'],
  [{ 'url.full': 'https://api.pay.example:8443/charge?x=1' }, 'host:api.pay.example'],
  [{ 'http.route': '/' }, null],
])('%j is %s', (attributes, id) => {
  const found = resourceOf(attributes);
  expect(found === null ? null : `${found.kind}:${found.name}`).toBe(id);
});
