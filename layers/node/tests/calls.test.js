'use strict';
/** Calls over http and fetch: their spans, what they carry, and what the function sees of it: nothing. */

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { entryKey, eventKey, itemKey, keysKey } = require('../nodejs/throughline/lib/digest.js');
const { invoke, layered } = require('./support/layered.js');

const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';
const world = layered();
let server;
let host;
let answer;

before(async () => {
  server = http.createServer((request, response) => {
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      const [status, headers, body] = answer || [200, {}, undefined];
      response.writeHead(status, headers);
      response.end(body === undefined ? JSON.stringify({ headers: request.headers, body: Buffer.concat(chunks).toString() }) : body);
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  host = `127.0.0.1:${server.address().port}`;
});
after(() => (server.closeAllConnections(), server.close()));

/** A request as a client makes it; gives the answer's body. */
function request(options, body, read = byData) {
  const [name, port] = host.split(':');
  return new Promise((resolve, reject) => {
    const sent = http.request({ hostname: name, port, ...options }, (response) => read(response).then(resolve, reject));
    sent.on('error', reject);
    sent.end(body);
  });
}

async function byData(response) {
  const chunks = [];
  response.on('data', (chunk) => chunks.push(chunk));
  await new Promise((resolve) => response.on('end', resolve));
  return Buffer.concat(chunks).toString();
}

async function byIteration(response) {
  let text = '';
  for await (const chunk of response) text += chunk;
  return text;
}

const signed = (service, more) => ({ authorization: `AWS4-HMAC-SHA256 Credential=AKID/20261121/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`, ...more });

describe('calls of somebody', () => {
  test('carry traceparent, and a span has where to without its query', async () => {
    const { result, span, children } = await invoke(world, () => request({ path: '/a?token=secret&b=2', headers: { 'x-own': '1' } }));
    const { headers } = JSON.parse(result);
    const [call] = children;
    assert.equal(headers.traceparent, `00-${TRACE}-${call.spanId}-01`);
    assert.equal(headers['x-amzn-trace-id'], undefined);
    assert.equal(headers['x-own'], '1');
    assert.equal(call.parentSpanId, span.spanId);
    assert.equal(call.traceId, TRACE);
    assert.equal(call.kind, 3);
    assert.equal(call.name, 'GET');
    assert.equal(call.attributes['url.full'], `http://${host}/a?token=…&b=…`);
    assert.equal(call.attributes['server.address'], '127.0.0.1');
    assert.equal(call.attributes['http.response.status_code'], 200);
  });

  test('a traceparent of the function itself stays', async () => {
    const { result } = await invoke(world, () => request({ headers: { traceparent: '00-11111111111111111111111111111111-2222222222222222-01' } }));
    assert.match(JSON.parse(result).headers.traceparent, /^00-1{32}/);
  });

  test('headers given as a list', async () => {
    const { result, children } = await invoke(world, () => request({ headers: ['host', host, 'x-own', '1'] }));
    assert.equal(JSON.parse(result).headers.traceparent, `00-${TRACE}-${children[0].spanId}-01`);
  });

  test('a body written in pieces, an answer read by iteration', async () => {
    const { result } = await invoke(world, () => {
      const [name, port] = host.split(':');
      return new Promise((resolve, reject) => {
        const sent = http.request({ hostname: name, port, method: 'POST' }, (response) => byIteration(response).then(resolve, reject));
        sent.write('one,');
        sent.write(Buffer.from('two,'));
        sent.end('three');
      });
    });
    assert.equal(JSON.parse(result).body, 'one,two,three');
  });

  test('an answer that nobody asked for is let go, as without the layer', async () => {
    const { children } = await invoke(world, () => new Promise((resolve) => {
      const [name, port] = host.split(':');
      http.get({ hostname: name, port }).on('close', resolve);
    }));
    assert.equal(children[0].attributes['http.response.status_code'], 200);
  });

  test('an answer whose body nobody reads', async () => {
    const { children } = await invoke(world, async () => {
      const byFetch = await fetch(`http://${host}/`);
      const [name, port] = host.split(':');
      const status = await new Promise((resolve) => http.get({ hostname: name, port }, (response) => resolve(response.statusCode)));
      return [byFetch.status, status];
    });
    assert.deepEqual(children.map(({ attributes }) => attributes['http.response.status_code']), [200, 200]);
    assert.ok(children.every((call) => call.attributes['throughline.unfinished'] === undefined));
  });

  test('an error answer', async () => {
    answer = [503, {}, 'busy'];
    const { result, children } = await invoke(world, () => request({}));
    answer = undefined;
    assert.equal(result, 'busy');
    assert.deepEqual([children[0].status.code, children[0].attributes['error.type']], [2, '503']);
  });

  test('nobody there', async () => {
    const { error, children } = await invoke(world, () => request({ port: 1 }));
    assert.equal(error.code, 'ECONNREFUSED');
    assert.equal(children[0].status.code, 2);
    assert.equal(children[0].attributes['error.type'], 'Error');
    assert.match(children[0].events[0]['exception.message'], /ECONNREFUSED/);
  });

  test('fetch', async () => {
    const { result, children, span } = await invoke(world, async () => (await fetch(`http://${host}/f?a=1`, { method: 'POST', body: 'x' })).json());
    assert.equal(children.length, 1);
    assert.equal(result.headers.traceparent, `00-${TRACE}-${children[0].spanId}-01`);
    assert.equal(children[0].parentSpanId, span.spanId);
    assert.equal(children[0].attributes['url.full'], `http://${host}/f?a=…`);
    assert.equal(children[0].attributes['http.response.status_code'], 200);
  });

  test('two invocations at once keep their own', async () => {
    const both = await Promise.all([1, 2].map((n) => world.layer.wrap(async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return JSON.parse(await request({})).headers.traceparent;
    })({}, { awsRequestId: `r${n}`, xRayTraceId: `Root=1-5f35ae12-0c0fec141ab77a00bc04000${n};Parent=2be948a625588e32` })));
    assert.deepEqual(both.map((header) => header.slice(3, 35)), ['5f35ae120c0fec141ab77a00bc040001', '5f35ae120c0fec141ab77a00bc040002']);
  });

  test('outside of an invocation nothing is carried', async () => {
    const { headers } = JSON.parse(await world.layer.wrap(() => 1)({}, { awsRequestId: 'x' }) && await request({}));
    assert.equal(headers.traceparent, undefined);
  });
});

const json = (target) => ({ method: 'POST', path: '/', headers: { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target } });
const ID = { 'x-amzn-requestid': 'q1' };

/** Name, options, what is sent, what comes back, the span's name and kind, attributes, keys. */
const OPERATIONS = [
  ['dynamodb', json('DynamoDB_20120810.UpdateItem'), { TableName: 'orders', Key: { id: { N: '7' } } }, [200, ID, '{}'], 'DynamoDB.UpdateItem', 3, { 'aws.dynamodb.table_names': ['orders'], 'db.system.name': 'aws.dynamodb', 'aws.request_id': 'q1', 'cloud.region': 'eu-west-1', 'rpc.system': 'aws-api', 'rpc.service': 'DynamoDB', 'rpc.method': 'UpdateItem' }, [keysKey('orders', { id: { N: '7' } })]],
  ['dynamodb', json('DynamoDB_20120810.TransactWriteItems'), { TransactItems: [{ Put: { TableName: 'a', Item: { id: { S: '1' } } } }, { Delete: { TableName: 'b', Key: { id: { S: '2' } } } }] }, [200, ID, '{}'], 'DynamoDB.TransactWriteItems', 3, { 'aws.dynamodb.table_names': ['a', 'b'] }, [itemKey('a', { id: { S: '1' } }), keysKey('b', { id: { S: '2' } })]],
  ['dynamodb', json('DynamoDB_20120810.BatchWriteItem'), { RequestItems: { a: [{ PutRequest: { Item: { id: { S: '1' } } } }] } }, [200, ID, '{}'], 'DynamoDB.BatchWriteItem', 3, { 'db.collection.name': 'a' }, [itemKey('a', { id: { S: '1' } })]],
  ['dynamodb', json('DynamoDB_20120810.GetItem'), { TableName: 'orders', Key: { id: { N: '7' } } }, [400, ID, '{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}'], 'DynamoDB.GetItem', 3, { 'error.type': 'ResourceNotFoundException' }, undefined],
  ['sqs', json('AmazonSQS.SendMessage'), { QueueUrl: 'https://sqs.eu-west-1.amazonaws.com/1/orders', MessageBody: '{}' }, [200, ID, '{"MessageId":"m1","MD5OfMessageBody":"d1"}'], 'SQS.SendMessage', 4, { 'messaging.destination.name': 'orders', 'messaging.system': 'aws_sqs', 'messaging.operation.type': 'send' }, ['sqs:m1', 'sqsbody:d1']],
  ['sqs', json('AmazonSQS.SendMessageBatch'), { QueueUrl: 'http://127.0.0.1/1/orders', Entries: [{}, {}] }, [200, ID, '{"Successful":[{"MessageId":"m1"},{"MessageId":"m2"}],"Failed":[]}'], 'SQS.SendMessageBatch', 4, { 'messaging.batch.message_count': 2 }, ['sqs:m1', 'sqs:m2']],
  ['sqs', { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'Action=SendMessage&QueueUrl=http%3A%2F%2Fq%2F1%2Forders', [200, {}, '<R><MessageId>m1</MessageId></R>'], 'SQS.SendMessage', 4, { 'messaging.destination.name': 'orders' }, ['sqs:m1']],
  ['sns', { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'Action=Publish&TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A1%3Aorders', [200, ID, '<PublishResponse><PublishResult><MessageId>n1</MessageId></PublishResult></PublishResponse>'], 'SNS.Publish', 4, { 'aws.sns.topic.arn': 'arn:aws:sns:eu-west-1:1:orders', 'messaging.destination.name': 'orders' }, ['sns:n1']],
  ['sns', { method: 'POST', path: '/', headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 'Action=Publish', [404, ID, '<ErrorResponse><Error><Code>NotFound</Code><Message>Topic does not exist</Message></Error></ErrorResponse>'], 'SNS.Publish', 4, { 'error.type': 'NotFound' }, undefined],
  ['events', json('AWSEvents.PutEvents'), { Entries: [{ EventBusName: 'shop', Source: 'shop', DetailType: 'sold', Detail: '{"n": 1}' }, { Source: 'shop', DetailType: 'sold', Detail: '{"n": 2}' }] }, [200, ID, '{"FailedEntryCount":1,"Entries":[{"EventId":"e1"},{"ErrorCode":"x"}]}'], 'EventBridge.PutEvents', 4, { 'messaging.destination.name': 'shop' }, ['eb:e1', eventKey('shop', 'sold', { n: 1 })]],
  ['events', json('AWSEvents.PutEvents'), { Entries: [{ Source: 'shop', DetailType: 'sold', Detail: `{"n":"${'x'.repeat(16 << 10)}"}` }] }, [200, ID, '{"Entries":[{"EventId":"e2"}]}'], 'EventBridge.PutEvents', 4, { 'messaging.destination.name': 'default' }, ['eb:e2']],
  ['kinesis', json('Kinesis_20131202.PutRecords'), { StreamName: 'orders' }, [200, ID, '{"Records":[{"ShardId":"shardId-0","SequenceNumber":"5"}]}'], 'Kinesis.PutRecords', 4, { 'aws.kinesis.stream_name': 'orders' }, ['kin:orders/shardId-0/5']],
  ['firehose', json('Firehose_20150804.PutRecord'), { DeliveryStreamName: 'd' }, [200, ID, '{"RecordId":"f1"}'], 'Firehose.PutRecord', 4, {}, ['fh:f1']],
  ['states', json('AWSStepFunctions.StartExecution'), { stateMachineArn: 'arn:m' }, [200, ID, '{"executionArn":"arn:x"}'], 'SFN.StartExecution', 3, { 'aws.step_functions.state_machine.arn': 'arn:m' }, ['sfn:arn:x']],
  ['lambda', { method: 'POST', path: '/2015-03-31/functions/arn%3Aaws%3Alambda%3Aeu-west-1%3A1%3Afunction%3Apay%3Alive/invocations', headers: {} }, '{}', [200, ID, '{}'], 'Lambda.Invoke', 3, { 'faas.invoked_name': 'pay', 'faas.invoked_region': 'eu-west-1' }, ['lam:q1']],
  ['s3', { method: 'PUT', path: '/receipts/a%20b/c?x-id=PutObject', headers: { expect: '100-continue' } }, 'x', [200, { 'x-amz-request-id': 'S1', 'x-amz-id-2': 'long', etag: '"e1"' }, ''], 'S3.PutObject', 3, { 'aws.s3.bucket': 'receipts', 'aws.s3.key': 'a b/c', 'aws.extended_request_id': 'long' }, ['s3r:S1', 's3o:receipts/a b/c/e1']],
  ['s3', { method: 'GET', path: '/k', headers: { host: 'receipts.s3.eu-west-1.amazonaws.com' } }, undefined, [200, {}, 'body'], 'S3.GetObject', 3, { 'aws.s3.bucket': 'receipts', 'aws.s3.key': 'k' }, undefined],
  ['s3', { method: 'GET', path: '/receipts?list-type=2', headers: {} }, undefined, [200, {}, ''], 'S3.ListObjectsV2', 3, { 'aws.s3.bucket': 'receipts' }, undefined],
  ['secretsmanager', json('secretsmanager.GetSecretValue'), { SecretId: 'pay' }, [200, ID, '{"SecretString":"hunter2"}'], 'SecretsManager.GetSecretValue', 3, { 'aws.secretsmanager.secret.arn': 'pay' }, undefined],
  ['ssm', json('AmazonSSM.GetParameter'), { Name: '/pay/key' }, [200, ID, '{}'], 'SSM.GetParameter', 3, { 'aws.ssm.parameter': '/pay/key' }, undefined],
  ['monitoring', { method: 'POST', path: '/service/GraniteServiceVersion20100801/operation/PutMetricData', headers: {} }, Buffer.from([1]), [200, ID, ''], 'CloudWatch.PutMetricData', 3, {}, undefined],
];

describe('what an event says', () => {
  test('has the same name where it is put and where it comes again', () => {
    const samples = JSON.parse(fs.readFileSync(path.join(__dirname, '../../events/eventbridge.json')));
    const { event, expected } = samples.find(({ case: name }) => name === 'a replay');
    const entry = { Source: event.source, DetailType: event['detail-type'], Detail: ` ${JSON.stringify(event.detail, undefined, 2)}` };
    assert.deepEqual(expected.keys.slice(2), [entryKey(entry)]);
    for (const other of [{ Source: 'x' }, { DetailType: 'x' }, { Detail: '{}' }]) assert.notEqual(entryKey({ ...entry, ...other }), entryKey(entry));
  });

  test('numbers that writers write in their own way', () => {
    const keys = (details) => new Set(details.map((Detail) => entryKey({ Source: 's', DetailType: 't', Detail })));
    assert.equal(keys(['{"n":100}', '{"n":100.0}', '{"n":1e2}', '{ "n": 1E+2 }']).size, 1);
    assert.equal(keys(['{"n":0}', '{"n":-0}', '{"n":-0.0}']).size, 1);
    assert.equal(keys(['{"n":0.1}', '{"n":1e-1}', '{"n":0.10000000000000000001}', '{"n":9007199254740993}', '{"n":1e400}']).size, 1);
    assert.equal(keys(['{"n":1}', '{"n":-1}', '{"n":"1"}', '{"n":null}', '{"n":true}', '{"n":1.5}', '{"n":[1]}']).size, 7);
  });

  test('members of sets are in the order of their JSON', () => {
    assert.equal(itemKey('t', { s: { SS: ['red', 'red wine'] } }), 'ddbi:t/63a9b60c640d3c1d0170635d5f0386f1');
  });

  test('what cannot be read has none', () => {
    const deep = `${'['.repeat(8_000)}${']'.repeat(8_000)}`;
    for (const Detail of ['{', '', undefined, 7, deep]) assert.equal(entryKey({ Source: 's', DetailType: 't', Detail }), '');
    assert.equal(entryKey({ DetailType: 't', Detail: '{}' }), '');
  });
});

describe('calls of AWS', () => {
  for (const [service, options, sent, answered, name, kind, attributes, keys] of OPERATIONS) {
    test(`${name} ${keys || ''}`, async () => {
      answer = answered;
      let seen;
      server.once('request', (got) => (seen = got.headers));
      const headers = signed(service, { 'x-amzn-trace-id': 'Root=1-00000000-000000000000000000000001;Sampled=0;Lineage=2:b:1', ...options.headers });
      const body = sent === undefined || typeof sent === 'string' || Buffer.isBuffer(sent) ? sent : JSON.stringify(sent);
      const { result, children } = await invoke(world, () => request({ ...options, headers }, body));
      answer = undefined;
      assert.equal(result, answered[2]);
      const [call, ...others] = children;
      assert.equal(others.length, 0);
      assert.equal(call.name, name);
      assert.equal(call.kind, kind);
      for (const [key, value] of Object.entries(attributes)) assert.deepEqual(call.attributes[key], value, key);
      assert.deepEqual(call.attributes['throughline.link.out'], keys);
      assert.equal(seen['x-amzn-trace-id'], `Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=${call.spanId};Sampled=0;Lineage=2:b:1`);
      assert.equal(seen.traceparent, undefined);
      assert.ok(!JSON.stringify(call).includes('hunter2'));
    });
  }

  test("somebody's own API behind AWS's signature is not AWS", async () => {
    const { result, children } = await invoke(world, () => request({ headers: signed('execute-api') }));
    assert.equal(children[0].name, 'GET');
    assert.ok(JSON.parse(result).headers.traceparent);
  });
});
