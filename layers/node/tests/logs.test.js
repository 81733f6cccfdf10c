'use strict';
/** Log lines that say their span, through the real runtime client, where somebody has asked for it. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { Intake } = require('./support/intake.js');
const { client, folder, run } = require('./support/runtime.js');

const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';
const REQUEST = '00000000-0000-4000-8000-000000000000';
const skip = client() ? false : 'the runtime client is not installed: run a Node function in the sandbox once';

/** Lines of the handler's span and of one below it, of every method, and of all that can be said. */
const CODE = `
const { trace } = require(process.env.API);
console.log('loaded');
exports.handler = async () => {
  console.log('plain');
  await trace.getTracer('t').startActiveSpan('pay', async (span) => {
    await null;
    console.warn('%s of %d', 'part', 3, { a: 1 });
    span.end();
  });
  console.error(new RangeError('too much'));
  console.info({ order: 7, inner: { trace_id: 'theirs' } });
  const round = { name: 'round' };
  round.self = round;
  console.debug(round);
  console.log('failed', new TypeError('no card'));
  console.log();
  return JSON.stringify({ timestamp: 1, level: 2, requestId: 3, message: 4 });
};
`;
const FROZEN = 'Object.freeze(JSON); exports.handler = async () => { console.log("plain"); return 1; };';

/** The same function with the ids and without, and the spans of the one with them. */
async function both(t, source, format) {
  const intake = await new Intake().start();
  t.after(() => intake.stop());
  const code = folder({ 'index.js': source });
  const env = { AWS_LAMBDA_LOG_FORMAT: format, AWS_LAMBDA_LOG_LEVEL: 'DEBUG', THROUGHLINE_OTLP_LISTEN: `127.0.0.1:${intake.port}`, API: require.resolve('@opentelemetry/api') };
  const function_ = { code, handler: 'index.handler', events: [{}], layer: true };
  const bare = await run({ ...function_, env });
  intake.spans.length = 0;
  const told = await run({ ...function_, env: { ...env, THROUGHLINE_LOG_IDS: 'on' } });
  assert.deepEqual(told.answers, bare.answers);
  assert.equal(told.status, bare.status);
  const lines = ({ output }) => output.split('\n').filter(Boolean);
  return { bare: lines(bare), told: lines(told), spans: intake.spans };
}

/** Which of the two spans each line is of; the first is written before there is one. */
const OF = ['none', 'shop', 'pay', 'shop', 'shop', 'shop', 'shop', 'shop'];
const ids = (spans, name) => (name === 'none' ? undefined : { trace_id: TRACE, span_id: spans.find((span) => span.name === name).spanId });

describe('lines say their span', { skip, concurrency: 2 }, () => {
  test('as fields of a line of JSON, which has all that it had', async (t) => {
    const { bare, told, spans } = await both(t, CODE, 'JSON');
    const expected = bare.map((line, at) => ({ ...JSON.parse(line), ...ids(spans, OF[at]) }));
    const plain = (line) => JSON.parse(JSON.stringify(line).replace(/:\d+:\d+\)/g, ':LINE)'));
    assert.equal(bare.length, OF.length);
    assert.deepEqual(told.map((line) => plain(JSON.parse(line))), expected.map(plain));
    assert.equal(JSON.parse(told[1]).requestId, REQUEST);
  });

  test('before the words of a line of text', async (t) => {
    const { bare, told, spans } = await both(t, CODE, 'Text');
    const expected = bare.map((line, at) => {
      const wanted = ids(spans, OF[at]);
      if (!wanted) return line;
      const [time, request, level, ...words] = line.split('\t');
      return [time, request, level, `[trace_id=${wanted.trace_id} span_id=${wanted.span_id}] ${words.join('\t')}`].join('\t');
    });
    assert.equal(bare.length, OF.length);
    // Without anything to say the runtime says "undefined", with the ids as well.
    assert.deepEqual(told, expected);
  });

  test('and are as ever where they cannot', async (t) => {
    const { bare, told } = await both(t, FROZEN, 'JSON');
    assert.deepEqual(told, bare);
  });
});
