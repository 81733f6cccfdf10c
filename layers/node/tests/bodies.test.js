'use strict';
/** Bodies of calls: kept where the payload mode wants them, without what is secret, and nowhere else. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { createRequire } = require('node:module');
const { describe, test } = require('node:test');
const { gzipSync } = require('node:zlib');

const { Kept, ROOM_CHARS, show } = require('../nodejs/throughline/lib/bodies.js');
const { plain, text } = require('../nodejs/throughline/lib/payload.js');
const { readSettings } = require('../nodejs/throughline/lib/settings.js');
const { invoke, layered } = require('./support/layered.js');

const JSON_BODY = '{"order":7,"password":"hunter2"}';
const JSON_SHOWN = '{"order":7,"password":"[redacted]"}';
const world = layered({ THROUGHLINE_PAYLOADS: 'all' });
const settings = readSettings({});

async function server(t, type, answer, head = {}) {
  const seen = [];
  const made = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      seen.push(Buffer.concat(chunks).toString());
      response.writeHead(200, { 'content-type': type, ...head });
      response.end(answer);
    });
  });
  await new Promise((resolve) => made.listen(0, '127.0.0.1', resolve));
  t.after(() => (made.closeAllConnections(), made.close()));
  return { port: made.address().port, seen };
}

const call = (port, send, headers = { 'content-type': 'application/json' }, path = '/') => new Promise((resolve, reject) => {
  const request = http.request({ port, host: '127.0.0.1', method: 'POST', path, headers }, (response) => {
    let got = '';
    response.setEncoding('utf8').on('data', (chunk) => (got += chunk)).on('end', () => resolve(got));
  });
  request.on('error', reject);
  send(request);
});

const WAYS = [
  ['at once', (request) => request.end(JSON_BODY)],
  ['in bytes', (request) => request.end(Buffer.from(JSON_BODY))],
  ['written, then ended', (request) => (request.write(JSON_BODY), request.end())],
  ['in pieces', (request) => (request.write(JSON_BODY.slice(0, 5)), request.write(JSON_BODY.slice(5, 9)), request.end(JSON_BODY.slice(9)))],
];

describe('what is sent and answered', () => {
  for (const [name, send] of WAYS) {
    test(name, async (t) => {
      const { port, seen } = await server(t, 'application/json; charset=utf-8', '{"paid":true,"token":"hunter2"}');
      const { children, result } = await invoke(world, () => call(port, send));
      assert.equal(result, '{"paid":true,"token":"hunter2"}');
      assert.deepEqual(seen, [JSON_BODY]);
      assert.equal(children[0].attributes['http.request.body'], JSON_SHOWN);
      assert.equal(children[0].attributes['http.response.body'], '{"paid":true,"token":"[redacted]"}');
    });
  }

  const OPERATIONS = [
    ['dynamodb', 'DynamoDB_20120810.GetItem', '{"TableName":"orders"}', '{"Item":{"token":"[redacted]"}}'],
    ['secretsmanager', 'secretsmanager.GetSecretValue', '[withheld]', '[withheld]'],
    ['ssm', 'AmazonSSM.GetParametersByPath', '[withheld]', '[withheld]'],
    ['ssm', 'AmazonSSM.ListDocuments', '{"TableName":"orders"}', '{"Item":{"token":"[redacted]"}}'],
  ];
  for (const [service, target, sent, answered] of OPERATIONS) {
    test(`of ${target}`, async (t) => {
      const { port } = await server(t, 'application/x-amz-json-1.0', '{"Item":{"token":{"S":"hunter2"}}}');
      const authorization = `AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
      const headers = { authorization, 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' };
      const { children } = await invoke(world, () => call(port, (request) => request.end('{"TableName":"orders"}'), headers));
      assert.equal(children[0].attributes['rpc.request.body'], sent);
      assert.equal(children[0].attributes['rpc.response.body'], answered);
    });
  }

  test('by undici, whose newer versions tell of it', { skip: isThere('undici') ? false : 'undici is not installed' }, async (t) => {
    const { port, seen } = await server(t, 'application/json', '{"paid":true}');
    const { fetch } = createRequire(__filename)('undici');
    const { children, result } = await invoke(world, async () => (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body: JSON_BODY, headers: { 'content-type': 'application/json' } })).json());
    assert.deepEqual([result, seen], [{ paid: true }, [JSON_BODY]]);
    assert.equal(children[0].attributes['http.request.body'], JSON_SHOWN);
    assert.equal(children[0].attributes['http.response.body'], '{"paid":true}');
  });

  test('an invocation has room for so much', async (t) => {
    const { port } = await server(t, 'text/plain', '');
    const { children } = await invoke(world, async () => {
      for (let n = 0; n < 20; n++) await call(port, (request) => request.end('x'.repeat(30_000)), { 'content-type': 'text/plain' });
    });
    const sent = children.map(({ attributes }) => attributes['http.request.body']);
    assert.equal(sent[0].slice(8_192), '…(+21808 bytes)');
    assert.equal(sent[19], '…');
    assert.ok(sent.join('').length <= ROOM_CHARS + 20);
  });
});

test('without the mode nothing is kept', async () => {
  for (const mode of ['off', 'metadata', '']) assert.equal(readSettings({ THROUGHLINE_PAYLOADS: mode }).bodies, false);
});

const SHAPES = [
  ['application/problem+json', JSON_BODY, JSON_SHOWN],
  ['', JSON_BODY, JSON_SHOWN],
  ['application/x-www-form-urlencoded', 'a=1&password=hunter2', '{"a":"1","password":"[redacted]"}'],
  ['text/xml', '<a><Secret>hunter2</Secret><n>1</n></a>', '<a><Secret>[redacted]</Secret><n>1</n></a>'],
  ['text/xml', '<a><x:Password kind="b">hunter2</x:Password></a>', '<a><x:Password kind="b">[redacted]</x:Password></a>'],
  ['text/plain', 'user=ann password: hunter2, n=1', 'user=ann password: [redacted], n=1'],
  ['image/png', 'x'.repeat(10), '(10 bytes)'],
  ['application/json', `["${'x'.repeat(70_000)}"]`, '(70004 bytes)'],
  ['application/json', '{"inner":"{\\"pin\\":\\"1234\\",\\"n\\":1}"}', '{"inner":"{\\"pin\\":\\"[redacted]\\",\\"n\\":1}"}'],
  ['application/json', gzipSync('{"a":1}'), '{"a":1}', 'gzip'],
  ['text/plain', gzipSync('x'.repeat(100_000)), `(${gzipSync('x'.repeat(100_000)).length} bytes)`, 'gzip'],
  ['text/plain', 'abc', '(3 bytes)', 'zstd'],
];

describe('shapes', () => {
  for (const [type, body, expected, encoding] of SHAPES) {
    test(`${type} ${String(body).slice(0, 20)}`, () => {
      const kept = new Kept();
      kept.add(body);
      assert.equal(show(kept, { type, encoding }, settings), expected);
    });
  }

  test('long texts take no time', () => {
    for (const long of ['a', '<a', 'a ', 'a=', '<a>']) plain(long.repeat(50_000), settings);
  });

  test('an event’s body has no secrets, and is as it was if it never had', () => {
    assert.equal(text({ body: '{"password":"x","n":1}' }, settings), JSON.stringify({ body: '{"password":"[redacted]","n":1}' }));
    assert.equal(text({ body: '{"n": 1.10}' }, settings), JSON.stringify({ body: '{"n": 1.10}' }));
  });
});

function isThere(name) {
  try {
    return Boolean(createRequire(__filename).resolve(name));
  } catch {
    return false;
  }
}
