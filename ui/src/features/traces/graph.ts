/** One trace as a graph: who took part, and who called whom. */
import type { Attributes, Json, Span } from '../../api/model';
import { formatDuration, plural } from '../../base/format';
import type { DurationNanos } from '../../base/time';
import { shapeOf, type MapEdgeView, type MapNodeView } from '../../widgets/map/graph';
import type { Row, Tree } from '../../widgets/waterfall/tree';

export interface GraphNode extends MapNodeView {
  /** Of a function or service those that it sent; of a resource the calls of it. */
  readonly spanIds: readonly string[];
}

export interface GraphEdge extends MapEdgeView {
  readonly spanIds: readonly string[];
}

export interface TraceGraph {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
}

export function graphOf(tree: Tree, spans: ReadonlyMap<string, Span>): TraceGraph {
  const parties = new Map<string, Party>();
  const flows = new Map<string, Flow>();
  const functions = functionsIn(spans);
  const partyOf = ({ span }: Row): Party => {
    const told = spans.get(span.id);
    const named = told?.inferred ? hopOf(told) : null;
    const kind = functions.has(span.service) ? 'function' : 'service';
    return meet(parties, named ?? { kind, name: span.service });
  };
  for (const row of tree.rows) {
    const party = partyOf(row);
    party.spanIds.push(row.span.id);
    if (row.span.coldStart) party.coldStarts += 1;
    if (row.span.failed) party.failure = row.failedBelow > 0 ? (party.failure ?? 'passed') : 'here';
    const above = row.parent === null ? null : tree.rows[row.parent]!;
    if (above === null || partyOf(above) !== party) visit(party, row);
    if (above !== null && partyOf(above) !== party) flow(flows, partyOf(above), party, row);
    const resource = resourceCalled(tree, row, spans, (other) => partyOf(other) === party);
    if (resource === null) continue;
    const callee = meet(parties, resource);
    callee.spanIds.push(row.span.id);
    visit(callee, row);
    flow(flows, party, callee, row);
  }
  return {
    nodes: [...parties.values()].map(nodeView),
    edges: [...flows.values()].map(edgeView),
  };
}

interface Named {
  readonly kind: string;
  readonly name: string;
}

interface Party extends Named {
  readonly id: string;
  readonly spanIds: string[];
  calls: number;
  duration: bigint;
  coldStarts: number;
  failure: 'here' | 'passed' | null;
}

interface Flow {
  readonly from: Party;
  readonly to: Party;
  readonly spanIds: string[];
  duration: bigint;
  failed: number;
  asynchronous: boolean;
}

function meet(parties: Map<string, Party>, { kind, name }: Named): Party {
  const id = `${kind}:${name}`;
  const known = parties.get(id);
  if (known) return known;
  const counts = { calls: 0, duration: 0n, coldStarts: 0, failure: null };
  const party: Party = { id, kind, name, spanIds: [], ...counts };
  parties.set(id, party);
  return party;
}

function visit(party: Party, { span }: Row): void {
  party.calls += 1;
  party.duration += span.duration;
}

function flow(flows: Map<string, Flow>, from: Party, to: Party, { span }: Row): void {
  const id = edgeId(from, to);
  const known = flows.get(id) ?? {
    from,
    to,
    spanIds: [],
    duration: 0n,
    failed: 0,
    asynchronous: false,
  };
  known.spanIds.push(span.id);
  known.duration += span.duration;
  known.failed += span.failed ? 1 : 0;
  known.asynchronous ||= span.asynchronous === true;
  flows.set(id, known);
}

function nodeView(party: Party): GraphNode {
  const { id, name, kind, spanIds, calls, duration, coldStarts, failure } = party;
  const shape = shapeOf(kind);
  const parts = [formatDuration(duration as DurationNanos)];
  if (calls > 1) parts.unshift(plural(calls, 'call'));
  if (shape === 'queue') parts[parts.length - 1] = `waited ${parts.at(-1)}`;
  if (coldStarts > 0) parts.push(coldStarts === 1 ? 'cold' : `${coldStarts} cold`);
  return {
    id,
    name,
    kind,
    shape,
    spanIds,
    line: parts.join(' · '),
    level: failure === 'here' ? 'bad' : failure === 'passed' ? 'unusual' : 'normal',
    levelWords: failure === 'here' ? 'failed here' : 'failed because of another',
  };
}

function edgeView({ from, to, spanIds, duration, failed, asynchronous }: Flow): GraphEdge {
  const count = spanIds.length;
  const words = [
    `${from.name} → ${to.name}: ${plural(count, 'call')}`,
    formatDuration(duration as DurationNanos),
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(asynchronous ? ['nobody waits for it'] : []),
  ];
  return {
    id: edgeId(from, to),
    from: from.id,
    to: to.id,
    spanIds,
    // Lines are as wide as if these were the calls of a minute.
    rate: count / 60,
    level: failed > 0 ? 'bad' : 'normal',
    asynchronous,
    words: words.join(', '),
  };
}

function edgeId(from: Party, to: Party): string {
  return `${from.id} ${to.id}`;
}

/** What a call ended in, where nobody there has sent a span of it. */
function resourceCalled(
  tree: Tree,
  row: Row,
  spans: ReadonlyMap<string, Span>,
  isSame: (row: Row) => boolean,
): Named | null {
  const span = spans.get(row.span.id);
  if (!span || (span.kind !== 'client' && span.kind !== 'producer')) return null;
  for (let at = row.index + 1; at <= row.index + row.below; at += 1 + tree.rows[at]!.below)
    if (!isSame(tree.rows[at]!)) return null;
  // The request of a call is the same call.
  const above = row.parent === null ? null : tree.rows[row.parent]!;
  const caller = above !== null && isSame(above) ? spans.get(above.span.id) : undefined;
  const isInner = caller?.kind === 'client' || caller?.kind === 'producer';
  return isInner && resourceOf(caller.attributes) !== null ? null : resourceOf(span.attributes);
}

/** The same, in the same order, as the map of the server has it. */
export function resourceOf(attributes: Attributes): Named | null {
  const system = text(attributes['messaging.system']);
  const database = text(attributes['db.system.name']) || text(attributes['db.system']);
  const isDynamo = database.includes('dynamodb');
  const found: readonly (readonly [kind: string, name: string])[] = [
    ['function', text(attributes['faas.invoked_name'])],
    ['table', first(attributes['aws.dynamodb.table_names'])],
    ['table', isDynamo ? text(attributes['db.collection.name']) : ''],
    ['bucket', text(attributes['aws.s3.bucket'])],
    ['stream', text(attributes['aws.kinesis.stream_name'])],
    [MESSAGING[system] ?? 'queue', text(attributes['messaging.destination.name'])],
    ['queue', lastPart(text(attributes['aws.sqs.queue.url']), '/')],
    ['topic', lastPart(text(attributes['aws.sns.topic.arn']), ':')],
    [CACHES.has(database) ? 'cache' : 'database', databaseName(attributes, database)],
    ['service', text(attributes['service.peer.name']) || text(attributes['rpc.service'])],
    ['host', text(attributes['server.address']) || hostOf(text(attributes['url.full']))],
  ];
  const [kind, name] = found.find(([, each]) => each !== '') ?? ['', ''];
  return name === '' ? null : { kind, name };
}

function databaseName(attributes: Attributes, system: string): string {
  if (system === '') return '';
  return text(attributes['db.namespace']) || text(attributes['server.address']) || system;
}

function hopOf(span: Span): Named {
  const kind = text(span.attributes['throughline.hop.kind']) || 'service';
  return { kind, name: text(span.attributes['throughline.hop.name']) || kind };
}

function functionsIn(spans: ReadonlyMap<string, Span>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { service, resource } of spans.values())
    if (resource['faas.name'] !== undefined) found.add(service);
  return found;
}

function hostOf(url: string): string {
  return /^[a-z]+:\/\/([^/:?#]+)/.exec(url)?.[1] ?? '';
}

function lastPart(value: string, separator: string): string {
  return value.slice(value.lastIndexOf(separator) + 1);
}

function first(value: Json | undefined): string {
  return text(Array.isArray(value) ? value[0] : value);
}

function text(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

const MESSAGING: Readonly<Record<string, string>> = {
  aws_sns: 'topic',
  'aws.sns': 'topic',
  'aws.eventbridge': 'bus',
  aws_eventbridge: 'bus',
  eventbridge: 'bus',
  kafka: 'topic',
  kinesis: 'stream',
  aws_kinesis: 'stream',
};
const CACHES: ReadonlySet<string> = new Set(['redis', 'valkey', 'memcached']);
