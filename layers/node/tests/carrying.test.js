'use strict';
/** Ways out that a user asks for: attributes of messages, members of payloads, comments in queries. */

const assert = require('node:assert/strict');
const { createHash, createHmac } = require('node:crypto');
const http = require('node:http');
const { createRequire } = require('node:module');
const { describe, test } = require('node:test');

const { put } = require('../nodejs/throughline/lib/carrying.js');
const { commented } = require('../nodejs/throughline/lib/hooks/client.js');
const { readSettings } = require('../nodejs/throughline/lib/settings.js');
const { invoke, layered } = require('./support/layered.js');

const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';
const CARRIER = `00-${TRACE}-2be948a625588e32-01`;
const ASKED = { THROUGHLINE_ATTRIBUTES: 'sqs, SNS', THROUGHLINE_PAYLOAD_CONTEXT: 'bus:shop,stream:clicks,function:pay,bus:default', THROUGHLINE_SQLCOMMENTER: 'on' };
/** Before the SDK is loaded. */
const world = layered(ASKED);
const ATTRIBUTE = { DataType: 'String', StringValue: CARRIER };
const attributes = (count, more) => ({ ...Object.fromEntries(Array.from({ length: count }, (_, n) => [`a${n}`, { DataType: 'String', StringValue: 'x' }])), ...more });
const member = `{"traceparent":"${CARRIER}"`;

/** Operation, input, what is changed of it; nothing if it goes out as it came. */
const EDITS = [
  ['SendMessage', { MessageBody: 'x' }, { MessageAttributes: { traceparent: ATTRIBUTE } }],
  ['SendMessage', { MessageBody: 'x', MessageAttributes: attributes(8) }, { MessageAttributes: attributes(8, { traceparent: ATTRIBUTE }) }],
  ['SendMessage', { MessageBody: 'x', MessageAttributes: attributes(9) }],
  ['SendMessage', { MessageBody: 'x', MessageAttributes: { Traceparent: ATTRIBUTE } }],
  ['SendMessage', { MessageBody: 'ä'.repeat(122_880) }],
  ['SendMessageBatch', { Entries: [{ MessageBody: 'x' }, { MessageBody: 'y', MessageAttributes: attributes(10) }] }, { Entries: [{ MessageBody: 'x', MessageAttributes: { traceparent: ATTRIBUTE } }, { MessageBody: 'y', MessageAttributes: attributes(10) }] }],
  ['SendMessageBatch', { Entries: [{ MessageBody: 'x'.repeat(200_000) }, { MessageBody: 'x'.repeat(50_000) }] }],
  ['Publish', { TopicArn: 't', Message: 'x' }, { MessageAttributes: { traceparent: ATTRIBUTE } }],
  ['PublishBatch', { PublishBatchRequestEntries: [{ Message: 'x' }] }, { PublishBatchRequestEntries: [{ Message: 'x', MessageAttributes: { traceparent: ATTRIBUTE } }] }],
  ['PutEvents', { Entries: [{ EventBusName: 'arn:aws:events:eu:1:event-bus/shop', Detail: '{"n": 1.10}' }, { EventBusName: 'other', Detail: '{}' }, { Detail: '{}' }] }, { Entries: [{ EventBusName: 'arn:aws:events:eu:1:event-bus/shop', Detail: `${member},"n": 1.10}` }, { EventBusName: 'other', Detail: '{}' }, { Detail: `${member}}` }] }],
  ['PutRecord', { StreamName: 'clicks', Data: Buffer.from(' {"n":1}') }, { Data: Buffer.from(` ${member},"n":1}`) }],
  ['PutRecord', { StreamName: 'clicks', Data: Buffer.from('[1]') }],
  ['PutRecord', { StreamName: 'clicks', Data: Buffer.from('{broken') }],
  ['PutRecord', { StreamName: 'clicks', Data: Buffer.from('{"traceparent":1}') }],
  ['PutRecord', { StreamName: 'others', Data: Buffer.from('{}') }],
  ['PutRecord', { DeliveryStreamName: 'clicks', Record: { Data: Buffer.from('{}') } }],
  ['PutRecords', { StreamARN: 'arn:aws:kinesis:eu:1:stream/clicks', Records: [{ Data: Buffer.from('{}') }] }, { Records: [{ Data: Buffer.from(`${member}}`) }] }],
  ['Invoke', { FunctionName: 'arn:aws:lambda:eu:1:function:pay:live', Payload: '{}' }, { Payload: `${member}}` }],
  ['Invoke', { FunctionName: 'pay' }],
  ['Invoke', { FunctionName: 'ship', Payload: '{}' }],
  ['GetItem', { TableName: 't' }],
];

describe('edits', () => {
  for (const [operation, input, changed] of EDITS) {
    test(`${operation} ${JSON.stringify(input).slice(0, 100)}`, () => {
      const before = JSON.stringify(input);
      const found = put(operation, input, CARRIER, readSettings(ASKED));
      if (changed) assert.deepEqual(found.input, { ...input, ...changed });
      else assert.ok(!found || JSON.stringify(found.input) === before);
      assert.equal(JSON.stringify(input), before);
      assert.equal(put(operation, input, CARRIER, readSettings({})), undefined);
    });
  }
});

const COMMENT = ` /*traceparent='${CARRIER}'*/`;
const QUERIES = [
  ['SELECT 1', `SELECT 1${COMMENT}`],
  ['SELECT 1 ;\n', `SELECT 1${COMMENT};`],
  ['SELECT 1 -- one', 'SELECT 1 -- one'],
  ['/* mine */ SELECT 1', '/* mine */ SELECT 1'],
  ['PREPARE p AS SELECT 1', 'PREPARE p AS SELECT 1'],
  ['  ', '  '],
];

describe('comments', () => {
  const span = { traceId: TRACE, spanId: '2be948a625588e32' };
  for (const [query, expected] of QUERIES) {
    test(JSON.stringify(query), () => {
      assert.equal(commented({ settings: readSettings(ASKED) }, query, span), expected);
      assert.equal(commented({ settings: readSettings({}) }, query, span), query);
    });
  }

  test('pg and mysql2 comment what is not prepared', async () => {
    const sent = [];
    class Client {
      query(query) {
        sent.push(query.text || query);
      }
    }
    class Connection {
      query(query) {
        sent.push(query.sql || query);
      }
      execute(query) {
        sent.push(query);
      }
    }
    require('../nodejs/throughline/lib/hooks/libraries/pg.js').install(world.layer, { Client });
    require('../nodejs/throughline/lib/hooks/libraries/mysql2.js').install(world.layer, { Connection });
    const kept = { text: 'SELECT 2' };
    await invoke(world, async () => {
      new Client().query('SELECT 1');
      new Client().query(kept);
      new Client().query({ name: 'mine', text: 'SELECT 3' });
      new Connection().query({ sql: 'SELECT 4' });
      new Connection().query({ sql: 'SELECT 5', on() {} });
      new Connection().execute('SELECT 6');
    });
    assert.deepEqual(sent.map((text) => text.includes('/*traceparent=')), [true, true, false, true, true, false]);
    assert.deepEqual(kept, { text: 'SELECT 2' });
  });
});

const SDK = '@aws-sdk/client-sqs';
const inTests = createRequire(__filename);
function isThere() {
  try {
    return Boolean(inTests.resolve(SDK));
  } catch {
    return false;
  }
}

/** The signature that a request should have. */
function signature({ method, url, headers, body }, secret) {
  const [, scope, names] = /Credential=[^/]+\/(\S+), SignedHeaders=([^,]+)/.exec(headers.authorization);
  const hash = (text) => createHash('sha256').update(text).digest('hex');
  const canonical = [method, url, '', ...names.split(';').map((name) => `${name}:${headers[name]}`), '', names, hash(body)].join('\n');
  const text = ['AWS4-HMAC-SHA256', headers['x-amz-date'], scope, hash(canonical)].join('\n');
  const parts = [...scope.split('/'), text];
  return parts.reduce((key, part) => createHmac('sha256', key).update(part).digest(), `AWS4${secret}`).toString('hex');
}

test('what AWS’s SDK sends has the attribute, and is signed', { skip: isThere() ? false : `${SDK} is not installed` }, async (t) => {
  const seen = [];
  const server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const body = Buffer.concat(chunks).toString();
      seen.push({ method: request.method, url: request.url, headers: request.headers, body });
      const md5 = createHash('md5').update(JSON.parse(body).MessageBody).digest('hex');
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.end(JSON.stringify({ MessageId: 'm1', MD5OfMessageBody: md5 }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const { SQSClient, SendMessageCommand } = inTests(SDK);
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' };
  const client = new SQSClient({ region: 'eu-west-1', credentials, endpoint: `http://127.0.0.1:${server.address().port}`, cacheMiddleware: true });
  const command = new SendMessageCommand({ QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/orders', MessageBody: 'hello' });
  const { result, children } = await invoke(world, async () => [await client.send(command), await client.send(command)]);
  assert.deepEqual(result.map(({ MessageId }) => MessageId), ['m1', 'm1']);
  assert.equal(seen.length, 2);
  assert.equal(command.input.MessageAttributes, undefined);
  seen.forEach((request, at) => {
    const { traceparent } = JSON.parse(request.body).MessageAttributes;
    assert.equal(traceparent.StringValue, `00-${TRACE}-${children[at].spanId}-01`);
    assert.ok(request.headers['x-amzn-trace-id'].includes(`Parent=${children[at].spanId}`));
    assert.equal(/Signature=(\w+)/.exec(request.headers.authorization)[1], signature(request, 'example'));
  });
});
