'use strict';
/** Code written against the real `@opentelemetry/api` makes our spans. */

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const { describe, test } = require('node:test');

const { invoke, layered } = require('./support/layered.js');

const world = layered();

/** The package, where `make test-layers` or the example has installed it. */
function find() {
  for (const place of [__filename, require('node:path').resolve(__dirname, '../../../examples/checkout/notify/index.mjs')]) {
    try {
      return createRequire(place)('@opentelemetry/api');
    } catch {
      // The next place.
    }
  }
  return undefined;
}

const api = find();
const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';

describe('@opentelemetry/api', { skip: api ? false : 'the package is not installed' }, () => {
  test('spans are below the invocation and below each other, across awaits', async () => {
    const tracer = api.trace.getTracer('shop', '2.0');
    const { span, children, result } = await invoke(world, () =>
      tracer.startActiveSpan('outer', { attributes: { a: 1 } }, async (outer) => {
        await null;
        const ids = await tracer.startActiveSpan('inner', { kind: api.SpanKind.CLIENT }, async (inner) => {
          await new Promise((resolve) => setTimeout(resolve, 1));
          inner.addEvent('told', { n: 2 });
          inner.setStatus({ code: api.SpanStatusCode.ERROR, message: 'no' });
          inner.recordException(new TypeError('x'));
          inner.end();
          return api.trace.getActiveSpan().spanContext();
        });
        outer.setAttribute('b', ['x', 'y']).updateName('renamed').end();
        return ids;
      }),
    );
    const [inner, outer] = children;
    assert.equal(result.traceId, TRACE);
    assert.deepEqual([outer.name, outer.parentSpanId, outer.scope, outer.kind], ['renamed', span.spanId, 'shop', 1]);
    assert.deepEqual([inner.name, inner.parentSpanId, inner.kind, inner.status], ['inner', outer.spanId, 3, { code: 2, message: 'no' }]);
    assert.deepEqual(outer.attributes, { a: 1, b: ['x', 'y'] });
    assert.deepEqual(inner.events.map(({ name }) => name), ['told', 'exception']);
    assert.equal(inner.events[1]['exception.type'], 'TypeError');
  });

  test('the active span is the invocation, and takes attributes', async () => {
    const { span } = await invoke(world, async () => void api.trace.getActiveSpan().setAttribute('order', 7));
    assert.equal(span.attributes.order, 7);
  });

  test('values of a context go along', async () => {
    const key = api.createContextKey('user');
    const { result } = await invoke(world, () => api.context.with(api.context.active().setValue(key, 'ann'), async () => {
      await null;
      return [api.context.active().getValue(key), api.trace.getActiveSpan().spanContext().traceId];
    }));
    assert.deepEqual(result, ['ann', TRACE]);
  });

  test('a context is injected and extracted', async () => {
    const { result, span, children } = await invoke(world, async () => {
      const carrier = {};
      api.propagation.inject(api.context.active(), carrier);
      const remote = api.propagation.extract(api.ROOT_CONTEXT, { traceparent: '00-11111111111111111111111111111111-2222222222222222-01' });
      api.trace.getTracer('t').startSpan('below', {}, remote).end();
      return carrier;
    });
    assert.equal(result.traceparent, `00-${TRACE}-${span.spanId}-01`);
    assert.deepEqual([children[0].traceId, children[0].parentSpanId], ['1'.repeat(32), '2'.repeat(16)]);
  });

  test('outside of an invocation spans are let go', () => {
    const span = api.trace.getTracer('t').startSpan('nowhere');
    assert.equal(span.isRecording(), false);
    span.setAttribute('a', 1).end();
  });

  test('a span with no end is not sent with its invocation', async () => {
    const { children } = await invoke(world, async () => void api.trace.getTracer('t').startSpan('open'));
    assert.equal(children.length, 0);
  });

  test('beyond the limit spans are counted', async () => {
    const { span, children } = await invoke(world, async () => {
      for (let n = 0; n < 1_010; n++) api.trace.getTracer('t').startSpan(`n${n}`).end();
    });
    assert.equal(children.length, 999);
    assert.equal(span.attributes['throughline.dropped.spans'], 11);
  });

  // The last one: what is registered stays.
  test('an SDK that registers itself takes the place', async () => {
    const said = [];
    api.diag.setLogger({ error: (text) => said.push(text), warn() {}, info() {}, debug() {}, verbose() {} });
    assert.equal(api.trace.getActiveSpan(), undefined);
    const { result } = await invoke(world, async () => api.trace.getActiveSpan().spanContext().traceId);
    assert.equal(result, TRACE);
    const theirs = { getTracer: () => ({ startSpan: () => 'theirs' }) };
    assert.equal(api.trace.setGlobalTracerProvider(theirs), true);
    assert.equal(api.trace.getTracer('t').startSpan('x'), 'theirs');
    assert.deepEqual(said, []);
  });
});
