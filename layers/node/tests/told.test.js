'use strict';
/** What the invocation's span tells: what was thrown and where, payloads, answers of HTTP. */

const assert = require('node:assert/strict');
const path = require('node:path');
const { describe, test } = require('node:test');

const { readSettings } = require('../nodejs/throughline/lib/settings.js');
const { text } = require('../nodejs/throughline/lib/payload.js');
const { frame } = require('../nodejs/throughline/lib/exceptions.js');
const { folder } = require('./support/runtime.js');
const { invoke, layered } = require('./support/layered.js');

const world = layered();

describe('what was thrown', () => {
  test('has its causes and the line of the code itself', async () => {
    const code = folder({ 'index.js': 'exports.handler = async () => {\n  await null;\n  pay();\n};\nfunction pay() {\n  throw new RangeError("too much", { cause: new TypeError("no card", { cause: "text" }) });\n}\n' });
    const { error, span } = await invoke(world, require(path.join(code, 'index.js')).handler);
    const [event] = span.events;
    assert.equal(error.message, 'too much');
    assert.equal(event['exception.type'], 'RangeError');
    assert.match(event['exception.stacktrace'], /^RangeError: too much\n\s+at pay [\s\S]+\nCaused by: TypeError: no card\n[\s\S]+\nCaused by: string: text$/);
    assert.deepEqual([event['code.file.path'], event['code.line.number'], event['code.function.name']], [path.join(code, 'index.js'), 6, 'pay']);
    assert.deepEqual(span.status, { code: 2, message: 'too much' });
    assert.equal(span.attributes['error.type'], 'RangeError');
  });

  for (const [name, comment] of [['beside the code', 'index.js.map'], ['inside of it', undefined]]) {
    test(`is told by its source, with a map ${name}`, async () => {
      // The first line was the fifth of src/app.ts.
      const map = JSON.stringify({ version: 3, sources: ['src/app.ts'], names: [], mappings: 'AAIA' });
      const url = comment || `data:application/json;base64,${Buffer.from(map).toString('base64')}`;
      const code = folder({ 'index.js': `exports.handler = async () => { throw new Error("x"); };\n//# sourceMappingURL=${url}\n`, 'index.js.map': map });
      const { span } = await invoke(world, require(path.join(code, 'index.js')).handler);
      assert.deepEqual([span.events[0]['code.file.path'], span.events[0]['code.line.number']], [path.join(code, 'src/app.ts'), 5]);
    });
  }

  test('a map that is broken or missing costs nothing', async () => {
    const code = folder({ 'index.js': 'exports.handler = async () => { throw new Error("x"); };\n//# sourceMappingURL=index.js.map\n' });
    const { span } = await invoke(world, require(path.join(code, 'index.js')).handler);
    assert.deepEqual([span.events[0]['code.file.path'], span.events[0]['code.line.number']], [path.join(code, 'index.js'), 1]);
  });

  for (const thrown of [undefined, null, 0, 'text', { message: 'like an error' }, Object.create(null)]) {
    test(`even ${thrown && typeof thrown === 'object' ? Object.keys(thrown) : String(thrown)}`, async () => {
      const { span } = await invoke(world, async () => {
        throw thrown;
      });
      assert.equal(span.status.code, 2);
      assert.equal(span.events.length, 1);
    });
  }

  for (const [line, expected] of [
    ['    at pay (/var/task/index.js:6:9)', ['pay', '/var/task/index.js', 6]],
    ['    at async Object.<anonymous> (file:///var/task/a%20b.mjs:1:2)', ['Object.<anonymous>', '/var/task/a b.mjs', 1]],
    ['    at /var/task/index.js:3:4', ['', '/var/task/index.js', 3]],
    ['    at new Order [as make] (/var/task/o.js:1:2)', ['Order', '/var/task/o.js', 1]],
    ['    at Array.map (<anonymous>)', undefined],
  ]) {
    test(line, () => {
      const found = frame(line);
      assert.deepEqual(found && [found.name, found.file, found.line], expected);
    });
  }
});

describe('payloads', () => {
  const settings = readSettings({ THROUGHLINE_SCRUB_KEYS: 'customer_number', THROUGHLINE_SCRUB_ALLOW: 'session_kind' });
  for (const [name, value, expected] of [
    ['secret names', { Password: 1, 'api-key': 2, 'Set-Cookie': 3, customerNumber: 4, session_kind: 5, key: 6, nested: [{ token: 't' }] }, '{"Password":"[redacted]","api-key":"[redacted]","Set-Cookie":"[redacted]","customerNumber":"[redacted]","session_kind":5,"key":6,"nested":[{"token":"[redacted]"}]}'],
    ['a long text', { a: 'x'.repeat(5_000) }, `{"a":"${'x'.repeat(4_096)}…(+904 bytes)"}`],
    ['a letter of two halves at the cut', 'x'.repeat(4_095) + '😀', `"${'x'.repeat(4_095)}…(+4 bytes)"`],
    ['many members', Array(70).fill(1), JSON.stringify([...Array(64).fill(1), '…(+6)'])],
    ['depth', { a: { a: { a: { a: { a: { a: { a: { a: { a: 1 } } } } } } } } }, '{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":"…"}}}}}}}}'],
    ['what JSON does not have', { a: 10n, b: undefined, c: new Date(0), d: Buffer.from('abc'), e: () => 1 }, '{"a":"10","c":"1970-01-01T00:00:00.000Z","d":"(3 bytes)"}'],
  ]) {
    test(name, () => assert.equal(text(value, settings), expected));
  }

  test('are told in both directions, and the function has its own', async () => {
    const event = { password: 'hunter2', n: 1 };
    const { result, span } = await invoke(world, async (got) => ({ got, token: 't' }), event);
    assert.equal(span.attributes['throughline.payload.request'], '{"password":"[redacted]","n":1}');
    assert.equal(span.attributes['throughline.payload.response'], '{"got":{"password":"[redacted]","n":1},"token":"[redacted]"}');
    assert.deepEqual(result, { got: event, token: 't' });
    assert.equal(result.got, event);
  });

  test('an answer in a circle is left out, and the function has it', async () => {
    const circle = {};
    circle.circle = circle;
    const { result, span } = await invoke(world, async () => circle);
    assert.equal(result, circle);
    assert.ok(span);
  });

  test('a tree without an end is cut', () => {
    const tree = {};
    for (let n = 0; n < 64; n++) tree[`n${n}`] = tree;
    assert.ok(text(tree, settings).length < 100_000);
  });

  test('off', async () => {
    const quiet = layered({ THROUGHLINE_PAYLOADS: 'off', THROUGHLINE_HOOKS_OFF: 'all' });
    const { span } = await invoke(quiet, async () => 'answer', { a: 1 });
    assert.deepEqual(Object.keys(span.attributes).filter((key) => key.includes('payload')), []);
  });
});

describe('answers of HTTP', () => {
  const event = { httpMethod: 'GET', requestContext: {} };
  for (const [status, failed] of [[200, false], [404, false], [502, true]]) {
    test(String(status), async () => {
      const { span } = await invoke(world, async () => ({ statusCode: status }), event);
      assert.equal(span.attributes['http.response.status_code'], status);
      assert.equal(Boolean(span.status), failed);
    });
  }
});

describe('handlers with a callback', () => {
  const call = (handler, more = {}) => {
    world.intake.spans.length = 0;
    return new Promise((resolve) => {
      world.layer.wrap(handler)({}, { awsRequestId: 'r1', xRayTraceId: '', ...more }, (error, result) => resolve({ error, result, span: world.intake.spans[0] }));
    });
  };

  test('that succeeds later', async () => {
    const { result, span } = await call((event, context, callback) => void setTimeout(() => callback(null, 'late'), 5));
    assert.equal(result, 'late');
    assert.equal(span.attributes['throughline.payload.response'], '"late"');
  });

  test('that fails', async () => {
    const { error, span } = await call((event, context, callback) => callback(new TypeError('no')));
    assert.equal(error.message, 'no');
    assert.equal(span.attributes['error.type'], 'TypeError');
  });

  test('in the older spelling', async () => {
    const done = [];
    const { span } = await new Promise((resolve) => {
      world.intake.spans.length = 0;
      const context = { awsRequestId: 'r2', succeed: (result) => (done.push(result), resolve({ span: world.intake.spans[0] })) };
      world.layer.wrap((event, { succeed }) => succeed('old'))({}, context, () => {});
    });
    assert.deepEqual(done, ['old']);
    assert.equal(span.attributes['faas.invocation_id'], 'r2');
  });

  test('keeps its name, its number of parameters and its marks', () => {
    const mark = Symbol.for('aws.lambda.runtime.handler.streaming');
    const own = (event, stream, context) => context;
    own[mark] = 'response';
    const wrapped = world.layer.wrap(own);
    assert.deepEqual([wrapped.name, wrapped.length, wrapped[mark]], ['own', 3, 'response']);
  });
});
