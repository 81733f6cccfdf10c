'use strict';
/** What is read from the event of each source, with its trace wherever it may be. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { hop } = require('../nodejs/throughline/lib/sources/path.js');
const { read } = require('../nodejs/throughline/lib/sources.js');

const T = '0af7651916cd43dd8448eb211c80319c';
const S = 'b7ad6b7169203331';
const W3C = `00-${T}-${S}-01`;
const XRAY = `Root=1-${T.slice(0, 8)}-${T.slice(8)};Parent=${S};Sampled=0`;
const OURS = `${T} ${S}`;
const DATADOG = JSON.stringify({ 'x-datadog-trace-id': '9532127138774266268', 'x-datadog-parent-id': '13235353014750950193', 'x-datadog-tags': '_dd.p.tid=0af7651916cd43dd' });
const message = (id, header) => ({ messageId: id, body: '{}', attributes: { AWSTraceHeader: header }, eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:orders' });
const INVOKED = { traceId: '1'.repeat(32), spanId: '2'.repeat(16) };
/** The same for every language. */
const SAMPLES = path.join(__dirname, '../../events');
const named = ({ traceId, spanId }) => (spanId ? `${traceId}-${spanId}` : traceId);

describe('events', () => {
  for (const file of fs.readdirSync(SAMPLES).filter((name) => name.endsWith('.json'))) {
    for (const { case: name, event, expected } of JSON.parse(fs.readFileSync(path.join(SAMPLES, file)))) {
      test(`${file}: ${name}`, () => {
        const way = read(event, { awsRequestId: 'i1' }, INVOKED);
        assert.equal(way.attributes['throughline.trigger.type'], expected.type);
        assert.equal(way.attributes['faas.trigger'], expected.trigger);
        assert.equal(way.parent === INVOKED ? null : named(way.parent), expected.parent);
        const links = way.links.map(({ context, attributes }) => ({ to: named(context), message: attributes['messaging.message.id'], keys: attributes['throughline.link.in'] || [] }));
        assert.deepEqual(JSON.parse(JSON.stringify(links)), expected.links);
        assert.deepEqual(way.keys, expected.keys);
        assert.deepEqual(way.path, expected.path);
        for (const [key, value] of Object.entries(expected.attributes || {})) assert.deepEqual(way.attributes[key], value, key);
      });
    }
  }

  test('a batch of more records than are joined', () => {
    const records = Array.from({ length: 1_500 }, (_, n) => message(`m${n}`, XRAY));
    const way = read({ Records: records }, { awsRequestId: 'i1' }, INVOKED);
    assert.equal(way.keys.length, 1_000);
    assert.equal(way.links.length, 1_000);
    assert.equal(way.path.length, 1_000);
  });
});

/** Times as events have them. */
const TIMES = [
  [1795228800, 1795228800000],
  [1795228800.9876, 1795228800988],
  ['1795228800123', 1795228800123],
  ['1795228800123456', 1795228800123],
  ['2026-11-21T02:40:00Z', 1795228800000],
  ['2026-11-21T02:40:00.1239Z', 1795228800123],
  ['2026-11-21T04:40:00.5+02:00', 1795228800500],
  ['2026-11-20T21:10:00-05:30', 1795228800000],
  ['2024-02-29T23:59:59Z', 1709251199000],
  ['Jan 1, 1970, 12:33:41 AM', undefined],
  [0, undefined],
  [-1, undefined],
  [null, undefined],
  [true, undefined],
  [{}, undefined],
];

describe('hops', () => {
  for (const [time, expected] of TIMES) {
    test(`at ${JSON.stringify(time)}`, () => assert.equal(hop('queue', 'q', time), expected === undefined ? 'queue:q' : `queue:q@${expected}`));
  }

  test('marks in a name, and a key that has one', () => {
    assert.equal(hop('broker', 'a>b@c#d', 1, 'mq:1'), 'broker:a_b_c_d@1000#mq:1');
    assert.equal(hop('broker', 'a', 1, 'mq:1>2'), 'broker:a@1000');
    assert.equal(hop('broker', 'a', 1, 'k'.repeat(1025)), 'broker:a@1000');
    assert.equal(hop('broker', 'a'.repeat(300)), `broker:${'a'.repeat(256)}`);
  });
});

/** Carriers in the headers of a request. */
const CARRIERS = [
  ['W3C before X-Ray', { traceparent: W3C, 'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793' }],
  ['Datadog', JSON.parse(DATADOG)],
  ['Elastic', { 'Elastic-Apm-Traceparent': W3C }],
  ['b3, one header', { b3: `${T}-${S}-1` }],
  ['b3, several', { 'X-B3-TraceId': T, 'X-B3-SpanId': S }],
  ['Jaeger', { 'uber-trace-id': `${T}:${S}:0:1` }],
  ['Epsagon', { 'epsagon-trace-id': `${T}:${S}:0:1` }],
  ['a broken one before a whole one', { traceparent: '00-zz', 'X-Amzn-Trace-Id': XRAY }],
];

describe('carriers', () => {
  for (const [name, headers] of CARRIERS) {
    test(name, () => {
      const { parent } = read({ version: '2.0', headers, requestContext: { http: {} } }, { awsRequestId: 'i1' }, undefined);
      assert.equal(`${parent.traceId} ${parent.spanId}`, OURS);
    });
  }

  test('of a direct call in its client context', () => {
    for (const clientContext of [{ custom: { traceparent: W3C } }, { Custom: { _datadog: DATADOG } }, { w3c: { traceparent: W3C } }]) {
      const { parent } = read({}, { awsRequestId: 'i1', clientContext }, undefined);
      assert.equal(`${parent.traceId} ${parent.spanId}`, OURS);
    }
  });

  test('a root without a parent takes the parent that the invocation has', () => {
    const invoked = { traceId: T, spanId: S };
    const { parent } = read({ version: '2.0', headers: { 'x-amzn-trace-id': XRAY.replace(/;.*/, '') }, requestContext: { http: {} } }, { awsRequestId: 'i1' }, invoked);
    assert.equal(parent, invoked);
  });
});
