'use strict';
/** AWS's own SDK for JavaScript: what it signs and sends arrives with our header, and what it reads is whole. */

const assert = require('node:assert/strict');
const http = require('node:http');
const { createRequire } = require('node:module');
const { test } = require('node:test');

const { invoke, layered } = require('./support/layered.js');

const world = layered();

function sdk() {
  try {
    return createRequire(__filename)('@aws-sdk/client-sqs');
  } catch {
    return undefined;
  }
}

test('a message that AWS’s SDK sends', { skip: sdk() ? false : '@aws-sdk/client-sqs is not installed' }, async (t) => {
  const { createHash } = require('node:crypto');
  let seen;
  const server = http.createServer((request, response) => {
    seen = request.headers;
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk)).on('end', () => {
      const { MessageBody: body } = JSON.parse(Buffer.concat(chunks).toString());
      const md5 = createHash('md5').update(body).digest('hex');
      response.setHeader('content-type', 'application/x-amz-json-1.0');
      response.setHeader('x-amzn-requestid', 'q1');
      response.end(JSON.stringify({ MessageId: 'm1', MD5OfMessageBody: md5 }));
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => (server.closeAllConnections(), server.close()));
  const { SQSClient, SendMessageCommand } = sdk();
  const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'example' };
  const client = new SQSClient({ region: 'eu-west-1', credentials, endpoint: `http://127.0.0.1:${server.address().port}` });
  const { result, children } = await invoke(world, () => client.send(new SendMessageCommand({ QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/orders', MessageBody: 'hello' })));
  assert.equal(result.MessageId, 'm1');
  const [call, ...others] = children;
  assert.equal(others.length, 0);
  assert.equal(call.name, 'SQS.SendMessage');
  assert.deepEqual(call.attributes['throughline.link.out'].slice(0, 1), ['sqs:m1']);
  assert.equal(call.attributes['messaging.destination.name'], 'orders');
  assert.ok(seen['x-amzn-trace-id'].includes(`Parent=${call.spanId}`));
  // Signed as if our header were not there.
  assert.match(seen.authorization, /SignedHeaders=/);
  assert.ok(!/SignedHeaders=[^,]*x-amzn-trace-id/.test(seen.authorization));
});
