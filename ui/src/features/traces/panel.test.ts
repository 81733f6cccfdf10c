import { describe, expect, it } from 'vitest';
import cases from '../../../fixtures/asynchronous.json';
import checkout from '../../../fixtures/checkout.json';
import order from '../../../fixtures/order.json';
import { decodeTrace } from '../../api/decode';
import type { Attributes, Span } from '../../api/model';
import type { WireTrace } from '../../api/wire';
import { readStack } from '../../widgets/stack';
import { buildTree } from '../../widgets/waterfall/tree';
import { codeHref, repositoryPath, templateProblem, versionOf } from './code';
import { failuresOf } from './failures';
import { groupBySpan, placeLogs } from './logs';
import { openSpan, type OpenedSpan } from './opened';
import { contributionWords, placeOnPath, shareWords } from './path';
import { absenceOf, isShape, payloadsOf, type Side } from './payload';
import { isAsynchronous, waterfallSpans } from './waterfall';
import type { DurationNanos } from '../../base/time';

const trace = decodeTrace(checkout as unknown as WireTrace);
/** As the demo recorded it. */
const recorded = decodeTrace(order as unknown as WireTrace);

/** The panel of the span with that name, after some spans were changed. */
function open(name: string, change: (span: Span) => Partial<Span> = () => ({})): OpenedSpan {
  const spans = trace.spans.map((span) => ({ ...span, ...change(span) }));
  const logs = placeLogs(spans, trace.logs);
  const logsBySpan = groupBySpan(logs);
  const tree = buildTree(waterfallSpans({ ...trace, spans }, logsBySpan));
  const known = new Map(spans.map((span) => [span.spanId, span]));
  const row = tree.rows.find(({ span }) => span.name === name);
  const opened = openSpan({ tree, spans: known, logs, logsBySpan }, row?.index ?? -1);
  if (!opened) throw new Error(`no span ${name}`);
  return opened;
}

describe('what went in and out', () => {
  it.each<[Side, Record<string, string>, string[]]>([
    ['input', { 'throughline.payload.request': '{"a":1}' }, ['Called with: {\n  "a": 1\n}']],
    ['output', { 'throughline.payload.response': '{"cut off' }, ['Answered: {"cut off']],
    ['input', { 'rpc.request.body': 'x', 'rpc.response.body': 'y' }, ['Request: x']],
    [
      'input',
      { 'db.query.text': 'select $1', 'db.query.parameter.1': '7', 'db.query.parameter.0': 'k' },
      ['Statement: select $1', 'Parameters: 0 = k\n1 = 7'],
    ],
    ['output', { 'http.route': '/' }, []],
  ])('%s of %j', (side, attributes, expected) => {
    const told = payloadsOf(attributes, side).map(({ label, text }) => `${label}: ${text}`);
    expect(told).toEqual(expected);
  });

  it.each([
    ['{"user":"string(3)","total":"number"}', true],
    ['{"items":[{"sku":"string(8)"}],"requestId":"8f4e"}', true],
    ['string(17)', true],
    ['{"user":"ann","total":3}', false],
    ['a string(3) in prose', false],
  ])('%s has lengths in place of values: %s', (text, expected) => {
    expect(isShape(text)).toBe(expected);
    expect(isShape(text.replaceAll(':', ': '))).toBe(expected);
  });

  it('an invocation shows what its handler says', () => {
    const handler = 'POST /checkout';
    const opened = open('checkout', ({ name, attributes }) =>
      name === handler ? { attributes: { 'throughline.payload.request': 'in' } } : { attributes },
    );
    expect(opened.payloads.input.map(({ text }) => text)).toEqual(['in']);
    expect(opened.payloads.output).toEqual([]);
  });

  it.each([
    ['init', {}, 'platform'],
    ['reserve', {}, 'withheld'],
    ['reserve', { inferred: true }, 'inferred'],
  ])('why nothing is known of %s %j: %s', (name, more, absence) => {
    const { span } = open(name);
    expect(absenceOf({ ...span, ...more })).toBe(absence);
  });
});

describe('where it ran', () => {
  it('has the settings of the function and what the invocation used of them', () => {
    const { facts, memory } = open('reserve').environment;
    const told = Object.fromEntries(facts.map(({ label, value }) => [label, value]));
    expect(told).toMatchObject({
      Function: 'inventory',
      Region: 'eu-central-1',
      Runtime: 'python',
      'Memory size': '256\u202fMB',
      Start: 'cold',
    });
    expect(told).not.toHaveProperty('Version of the code');
    expect(memory).toEqual({ used: 91, size: 256 });
  });

  it('says nothing of what nobody sent', () => {
    const waiting = open('reserve', ({ name }) =>
      name === 'reserve' ? { inferred: true, resource: { 'service.name': 'queue' } } : {},
    );
    expect(waiting.environment).toEqual({ facts: [], memory: null, page: null });
  });
});

describe('the link to the code', () => {
  const template = 'https://git.example/{service}/blob/{version}/{file}#L{line}';
  const resource = { 'service.name': 'shop', 'service.version': '1.4.0', 'faas.version': '7' };
  const place = { file: '/var/task/src/a b.mjs', line: 12 };

  it('is filled in', () => {
    expect(codeHref(template, place, resource)).toBe(
      'https://git.example/shop/blob/1.4.0/src/a%20b.mjs#L12',
    );
    expect(codeHref('', place, resource)).toBeNull();
    expect(codeHref(template, { file: '/opt/x.js', line: 1 }, resource)).toBeNull();
  });

  it.each([
    [{ 'vcs.ref.head.revision': '6c79', 'service.version': '1' }, '6c79'],
    [{ 'service.version': '$LATEST', 'faas.version': '12' }, '12'],
    [{ 'service.version': '$LATEST', 'faas.version': '$LATEST' }, null],
    [{}, null],
  ])('the version of %j is %s', (from, version) => {
    expect(versionOf(from)).toBe(version);
    if (version === null) expect(codeHref(template, place, from)).toContain('/HEAD/');
  });

  it.each([
    ['file:///var/task/index.mjs', 'index.mjs'],
    ['./src/basket.rs', 'src/basket.rs'],
    ['src/basket.rs', 'src/basket.rs'],
    ['/var/task/../etc/passwd', null],
    ['/usr/lib/python3.12/json.py', null],
    ['node:fs', null],
  ])('%s lies at %s', (file, path) => expect(repositoryPath(file)).toBe(path));

  it.each([
    ['', null],
    [template, null],
    ['https://x/', 'It needs {file} in it.'],
    ['https://x/{file}/{branch}', '{branch} is not known.'],
    ['javascript:alert({file})', 'It has to begin with https:// or http://.'],
    ['{file}', 'It has to begin with https:// or http://.'],
  ])('%s: %s', (text, problem) => {
    expect(templateProblem(text)).toBe(problem);
    if (problem !== null) expect(codeHref(text, place, resource)).toBeNull();
  });
});

describe('what a Python function of the demo threw', () => {
  const handler = recorded.spans.find(({ events }) => events.length > 0)!;
  const [failure] = failuresOf(handler, recorded.logs);
  const template = 'https://git.example/shop/blob/{version}/{function}/{file}#L{line}';
  const hrefs = (resource: Attributes): readonly (string | null)[] =>
    readStack(failure!.stack)
      .filter(({ place, ours }) => place !== null && ours)
      .map(({ place }) => codeHref(template, place!, resource));

  it('leads to each line of its own code', () => {
    expect(failure).toMatchObject({ type: 'KeyError', message: "'voucher'" });
    expect(hrefs(handler.resource)).toEqual([
      'https://git.example/shop/blob/HEAD/place-order/app.py#L33',
      'https://git.example/shop/blob/HEAD/place-order/app.py#L44',
      'https://git.example/shop/blob/HEAD/place-order/order.py#L25',
    ]);
    expect(failure!.place).toEqual({ file: '/var/task/order.py', line: 25, name: 'priced' });
  });

  it('at the commit that it was deployed from, where that is told', () => {
    const told = { ...handler.resource, 'vcs.ref.head.revision': '6c79f3e' };
    expect(hrefs(told)[2]).toContain('/blob/6c79f3e/place-order/order.py#L25');
  });
});

it('a failure names the line of our own code where a layer tells it', () => {
  const attributes = {
    'exception.type': 'E',
    'exception.message': 'no',
    'code.file.path': '/var/task/a.py',
    'code.line.number': 3,
    'code.function.name': 'take',
  };
  const event = { time: trace.start, name: 'exception', attributes };
  const opened = open('validate basket', ({ name, events }) => ({
    events: name === 'validate basket' ? [event] : events,
  }));
  expect(opened.failures).toEqual([
    {
      type: 'E',
      message: 'no',
      stack: '',
      place: { file: '/var/task/a.py', line: 3, name: 'take' },
    },
  ]);
});

describe('whether the parent waits', () => {
  const spanOf = ({ kind, service, invocation, event, hop }: Told): Span => ({
    ...trace.spans[0]!,
    kind: kind as Span['kind'],
    service,
    inferred: hop !== undefined,
    attributes: {
      ...(invocation ? { 'faas.invocation_id': invocation } : {}),
      ...(event ? { 'aws.lambda.invocation_type': 'Event' } : {}),
      ...(hop ? { 'throughline.hop.kind': hop } : {}),
    },
  });

  it.each(cases as readonly Case[])('$name', ({ span, above, asynchronous }) => {
    expect(isAsynchronous(spanOf(span), above && spanOf(above))).toBe(asynchronous);
  });
});

/** As `crates/insight` reads the same cases. */
interface Case {
  readonly name: string;
  readonly span: Told;
  readonly above: Told | null;
  readonly asynchronous: boolean;
}

interface Told {
  readonly kind: string;
  readonly service: string;
  readonly invocation?: string;
  readonly event?: boolean;
  readonly hop?: string;
}

describe('the critical path in words', () => {
  const nanos = (value: number): DurationNanos => BigInt(value) as DurationNanos;
  const tree = buildTree(waterfallSpans(trace, new Map()));
  const first = tree.rows[0]!.span;

  it.each([
    [0, '0\u202f%'],
    [0.004, '< 1\u202f%'],
    [0.574, '57\u202f%'],
  ])('a share of %d is %s', (share, text) => expect(shareWords(share)).toBe(text));

  it.each([
    [5, 0, 'On the critical path until the answer: 5\u202fns (50\u202f%) in it.'],
    [2, 3, /2\u202fns \(20\u202f%\) in it, 3\u202fns \(30\u202f%\) waiting for it\./],
    [0, 0, /^Not on the critical path/],
  ])('%d ns in it, %d ns before it', (own, waited, text) => {
    const told = placeOnPath({ own: nanos(own), waited: nanos(waited) }, nanos(10), 'answer');
    expect(told).toMatch(text);
  });

  it.each([
    ['checkout', 'checkout', false, 1, 'checkout itself'],
    ['inventory', 'SELECT stock', false, 3, 'SELECT stock in inventory, 3 times'],
    ['notify', 'notify', true, 1, 'waiting for notify to begin'],
  ])('%s %s', (service, name, waiting, count, words) => {
    const told = { service, name, waiting, count, spanId: first.id, duration: nanos(1), share: 1 };
    expect(contributionWords(tree, told)).toBe(words);
  });

  it('a queue is what was waited in', () => {
    const waiting = buildTree([{ ...first, waiting: true }]);
    const told = { service: 'q', name: 'queue q', waiting: true, count: 1 };
    const whole = { ...told, spanId: first.id, duration: nanos(1), share: 1 };
    expect(contributionWords(waiting, whole)).toBe('waiting in queue q');
  });
});
