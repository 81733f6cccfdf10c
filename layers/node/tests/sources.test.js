'use strict';
/** What is read from the event of each source, with its trace wherever it may be. */

const assert = require('node:assert/strict');
const { describe, test } = require('node:test');

const { itemKey, keysKey } = require('../nodejs/throughline/lib/dynamo.js');
const { read } = require('../nodejs/throughline/lib/sources.js');

const T = '0af7651916cd43dd8448eb211c80319c';
const S = 'b7ad6b7169203331';
const W3C = `00-${T}-${S}-01`;
const XRAY = `Root=1-${T.slice(0, 8)}-${T.slice(8)};Parent=${S};Sampled=0`;
const OURS = `${T} ${S}`;
const DATADOG = JSON.stringify({ 'x-datadog-trace-id': '9532127138774266268', 'x-datadog-parent-id': '13235353014750950193', 'x-datadog-tags': '_dd.p.tid=0af7651916cd43dd' });
const base64 = (text) => Buffer.from(text).toString('base64');
const bytes = (text) => [...Buffer.from(text)];
const ARN = 'arn:aws:sqs:us-east-1:123456789012:orders';
const message = (id, more) => ({ messageId: id, body: '{}', attributes: {}, messageAttributes: {}, eventSource: 'aws:sqs', eventSourceARN: ARN, ...more });
const notification = JSON.stringify({ Type: 'Notification', MessageId: 'n1', TopicArn: 'arn:t', MessageAttributes: { traceparent: { Type: 'String', Value: W3C } } });

/** Name, event, `TRACE SPAN` of the parent, keys, some attributes, number of links. */
const EVENTS = [
  ['REST API', { resource: '/orders/{id}', path: '/orders/7', httpMethod: 'GET', headers: { Traceparent: W3C, 'User-Agent': 'curl' }, requestContext: { requestId: 'r1', extendedRequestId: 'x1', protocol: 'HTTP/1.1', domainName: 'shop.example.com', identity: { sourceIp: '10.0.0.1' } } }, OURS, ['apigw:r1', 'apigw:x1'], { 'faas.trigger': 'http', 'http.route': '/orders/{id}', 'http.request.method': 'GET', 'user_agent.original': 'curl', 'client.address': '10.0.0.1', 'network.protocol.version': '1.1' }],
  ['REST API, several values', { resource: '/', path: '/', httpMethod: 'GET', headers: null, multiValueHeaders: { 'X-Amzn-Trace-Id': [XRAY] }, requestContext: { requestId: 'r1' } }, OURS, ['apigw:r1'], { 'throughline.trigger.type': 'rest-api' }],
  ['HTTP API', { version: '2.0', routeKey: 'GET /orders/{id}', rawPath: '/orders/7', headers: { traceparent: W3C, 'x-amzn-trace-id': 'Root=1-5759e988-bd862e3fe1be46a994272793' }, requestContext: { http: { method: 'GET', path: '/orders/7', protocol: 'HTTP/1.1', sourceIp: '::1' }, requestId: 'r2', domainName: 'id.execute-api.us-east-1.amazonaws.com' } }, OURS, ['apigw:r2'], { 'http.route': '/orders/{id}', 'url.path': '/orders/7', 'throughline.trigger.type': 'http-api' }],
  ['function URL', { version: '2.0', routeKey: '$default', rawPath: '/', headers: { 'x-amzn-trace-id': XRAY }, requestContext: { http: { method: 'POST', path: '/' }, requestId: 'r3', domainName: 'abc.lambda-url.us-east-1.on.aws' } }, OURS, ['apigw:r3'], { 'throughline.trigger.type': 'function-url' }],
  ['WebSocket API', { headers: { traceparent: W3C }, requestContext: { connectionId: 'c1', requestId: 'r4', routeKey: '$connect' } }, OURS, ['ws:c1', 'apigw:r4'], { 'http.route': '$connect' }],
  ['ALB', { httpMethod: 'GET', path: '/', headers: { 'x-amzn-trace-id': `Self=1-67891234-12456789abcdef012345678a;${XRAY}` }, requestContext: { elb: { targetGroupArn: 'arn' } } }, OURS, [], { 'throughline.trigger.type': 'alb' }],
  ['VPC Lattice', { version: '2.0', path: '/a?b=1', method: 'GET', headers: { traceparent: [W3C] }, requestContext: { serviceNetworkArn: 'arn' } }, OURS, [], { 'url.path': '/a' }],
  ['authorizer', { type: 'REQUEST', methodArn: 'arn', headers: { traceparent: W3C } }, OURS, [], { 'throughline.trigger.type': 'authorizer' }],
  ['AppSync', { info: { fieldName: 'order', parentTypeName: 'Query' }, request: { headers: { traceparent: W3C, 'x-amzn-requestid': 'r5' } } }, OURS, ['apigw:r5'], { 'graphql.operation.name': 'order' }],
  ['AppSync, batch', [{ info: { fieldName: 'order' }, request: { headers: { traceparent: W3C } } }], OURS, [], {}],
  ['S3 Object Lambda', { xAmzRequestId: 'q1', getObjectContext: {}, userRequest: { headers: { Traceparent: W3C } } }, OURS, ['s3r:q1'], {}],
  ['SQS, header', { Records: [message('m1', { attributes: { AWSTraceHeader: XRAY }, md5OfBody: 'abc' })] }, OURS, ['sqs:m1', 'sqsbody:abc'], { 'faas.trigger': 'pubsub', 'messaging.system': 'aws_sqs', 'messaging.destination.name': 'orders', 'messaging.batch.message_count': 1 }, 1],
  ['SQS, attribute', { Records: [message('m1', { messageAttributes: { traceparent: { stringValue: W3C, dataType: 'String.custom' } } })] }, OURS, ['sqs:m1'], {}, 1],
  ['SQS, all of one trace', { Records: [message('m1', { attributes: { AWSTraceHeader: XRAY } }), message('m2', { attributes: { AWSTraceHeader: XRAY.replace(S, 'aaaaaaaaaaaaaaaa') } })] }, OURS, ['sqs:m1', 'sqs:m2'], {}, 2],
  ['SQS, of two traces', { Records: [message('m1', { attributes: { AWSTraceHeader: XRAY } }), message('m2', { attributes: { AWSTraceHeader: XRAY.replace('0af7', '1af7') } })] }, 'invoked', ['sqs:m1', 'sqs:m2'], {}, 2],
  ['SQS, one record without', { Records: [message('m1', { attributes: { AWSTraceHeader: XRAY } }), message('m2')] }, 'invoked', ['sqs:m1', 'sqs:m2'], {}, 1],
  ['SQS, Datadog as text', { Records: [message('m1', { messageAttributes: { _datadog: { stringValue: DATADOG } } })] }, OURS, ['sqs:m1'], {}, 1],
  ['SQS, Datadog in binary', { Records: [message('m1', { messageAttributes: { _datadog: { binaryValue: base64(DATADOG) } } })] }, OURS, ['sqs:m1'], {}, 1],
  ['SNS in SQS', { Records: [message('m1', { body: notification })] }, OURS, ['sqs:m1', 'sns:n1'], {}, 1],
  ['EventBridge in SQS', { Records: [message('m1', { body: JSON.stringify({ id: 'e1', 'detail-type': 'order', source: 'shop', detail: { traceparent: W3C } }) })] }, OURS, ['sqs:m1', 'eb:e1'], {}, 1],
  ['SNS', { Records: [{ EventSource: 'aws:sns', Sns: { MessageId: 'n1', TopicArn: 'arn:aws:sns:us-east-1:1:orders', MessageAttributes: { traceparent: { Type: 'String', Value: W3C } } } }] }, OURS, ['sns:n1'], { 'messaging.destination.name': 'orders', 'messaging.system': 'aws.sns' }, 1],
  ['EventBridge', { id: 'e1', 'detail-type': 'order', source: 'shop', detail: { _datadog: DATADOG } }, OURS, ['eb:e1'], { 'faas.trigger': 'pubsub' }],
  ['schedule', { id: 'e2', 'detail-type': 'Scheduled Event', source: 'aws.events', time: '2026-11-21T00:00:00Z', resources: ['arn:rule/tidy'], detail: {} }, 'invoked', ['eb:e2'], { 'faas.trigger': 'timer', 'faas.time': '2026-11-21T00:00:00Z' }],
  ['Kinesis', { Records: [{ eventSource: 'aws:kinesis', eventID: 'shardId-000000000000:495', eventSourceARN: 'arn:aws:kinesis:us-east-1:1:stream/orders', kinesis: { sequenceNumber: '495', data: base64(JSON.stringify({ traceparent: W3C })) } }] }, OURS, ['kin:orders/shardId-000000000000/495'], { 'aws.kinesis.stream_name': 'orders' }, 1],
  ['Kinesis, data that says nothing', { Records: [{ eventSource: 'aws:kinesis', eventID: 'shardId-000000000000:495', eventSourceARN: 'arn:aws:kinesis:us-east-1:1:stream/orders', kinesis: { data: 'AAAA' } }] }, 'invoked', ['kin:orders/shardId-000000000000/495'], {}],
  ['DynamoDB', { Records: [{ eventSource: 'aws:dynamodb', eventSourceARN: 'arn:aws:dynamodb:us-east-1:1:table/orders/stream/x', dynamodb: { Keys: { id: { N: '7' } }, NewImage: { id: { N: '7' }, traceparent: { S: W3C } } } }] }, OURS, [keysKey('orders', { id: { N: '7' } }), itemKey('orders', { traceparent: { S: W3C }, id: { N: '7' } })], { 'faas.trigger': 'datasource', 'faas.document.collection': 'orders' }, 1],
  ['S3', { Records: [{ eventSource: 'aws:s3', eventName: 'ObjectCreated:Put', responseElements: { 'x-amz-request-id': 'Q1' }, s3: { bucket: { name: 'receipts' }, object: { key: 'a+b%2Fc', eTag: 'e', versionId: 'v' } } }] }, 'invoked', ['s3r:Q1', 's3o:receipts/a b/c/e/v'], { 'faas.document.name': 'a b/c', 'faas.document.operation': 'insert' }],
  ['SES', { Records: [{ eventSource: 'aws:ses', ses: { mail: { messageId: 's1', headers: [{ name: 'Traceparent', value: W3C }] } } }] }, OURS, ['ses:s1'], {}],
  ['CloudFront', { Records: [{ cf: { config: { requestId: 'f1' }, request: { uri: '/', method: 'GET', headers: { traceparent: [{ key: 'Traceparent', value: W3C }] } } } }] }, OURS, ['cf:f1'], {}],
  ['Kafka', { eventSource: 'aws:kafka', records: { 't-0': [{ topic: 't', partition: 0, offset: 15, headers: [{ traceparent: bytes(W3C) }] }] } }, OURS, ['kafka:t/0/15'], { 'messaging.system': 'kafka' }, 1],
  ['Kafka, bytes as decimal text', { eventSource: 'SelfManagedKafka', records: { 't-0': [{ topic: 't', partition: 0, offset: 15, headers: [{ traceparent: bytes(W3C).map(String) }] }] } }, OURS, ['kafka:t/0/15'], {}, 1],
  ['RabbitMQ', { rmqMessagesByQueue: { 'q::/': [{ basicProperties: { messageId: 'b1', correlationId: null, headers: { traceparent: { bytes: bytes(W3C) } } } }] } }, OURS, ['mq:b1'], { 'messaging.destination.name': 'q' }, 1],
  ['ActiveMQ', { eventSource: 'aws:mq', messages: [{ messageID: 'ID:1', destination: { physicalName: 'q' }, properties: { traceparent: W3C } }] }, OURS, ['mq:ID:1'], {}, 1],
  ['Firehose', { deliveryStreamArn: 'arn:aws:firehose:us-east-1:1:deliverystream/d', sourceKinesisStreamArn: 'arn:aws:kinesis:us-east-1:1:stream/orders', records: [{ recordId: 'f1', data: base64(JSON.stringify({ traceparent: W3C })), kinesisRecordMetadata: { shardId: 'shardId-0', sequenceNumber: '5' } }] }, OURS, ['fh:f1', 'kin:orders/shardId-0/5'], {}, 1],
  ['DocumentDB', { eventSource: 'aws:docdb', events: [{ event: { operationType: 'insert', ns: { db: 'shop', coll: 'orders' }, fullDocument: { traceparent: W3C } } }] }, OURS, [], { 'faas.document.collection': 'orders' }, 1],
  ['Cognito', { triggerSource: 'PreSignUp_SignUp', userPoolId: 'p', request: { clientMetadata: { traceparent: W3C } } }, OURS, [], {}],
  ['CloudWatch Logs', { awslogs: { data: 'H4sI' } }, 'invoked', [], { 'throughline.trigger.type': 'logs' }],
  ['Step Functions', { Execution: { Id: 'arn:aws:states:us-east-1:1:execution:m:x' }, State: { Name: 'Pay' }, _datadog: DATADOG }, OURS, ['sfn:arn:aws:states:us-east-1:1:execution:m:x'], { 'aws.step_functions.state.name': 'Pay' }],
  ['durable execution', { DurableExecutionArn: 'arn:d', InitialExecutionState: { Operations: [{ Name: '_datadog_0', Payload: DATADOG }] } }, OURS, [], { 'throughline.durable.execution': 'arn:d' }],
  ['direct, in the event', { traceparent: W3C }, OURS, [], { 'throughline.trigger.type': 'invoke' }],
  ['direct, nothing', { order: 7 }, 'invoked', [], { 'faas.trigger': 'other' }],
  ['an event that is no object', 'text', 'invoked', [], {}],
  ['null', null, 'invoked', [], {}],
  ['an event of a strange shape', { Records: [{ eventSource: 'aws:sqs' }, null] }, 'invoked', [], {}],
];

const INVOKED = { traceId: '11111111111111111111111111111111', spanId: '2222222222222222' };

describe('events', () => {
  for (const [name, event, parent, keys, attributes, links = 0] of EVENTS) {
    test(name, () => {
      const way = read(event, { awsRequestId: 'i1' }, INVOKED);
      assert.equal(way.parent === INVOKED ? 'invoked' : `${way.parent.traceId} ${way.parent.spanId}`, parent);
      assert.deepEqual(way.keys, ['lam:i1', ...keys]);
      for (const [key, value] of Object.entries(attributes)) assert.equal(way.attributes[key], value, key);
      assert.equal(way.links.length, links);
    });
  }

  test('a batch of more records than are joined', () => {
    const records = Array.from({ length: 1_500 }, (_, n) => message(`m${n}`, { attributes: { AWSTraceHeader: XRAY } }));
    const way = read({ Records: records }, { awsRequestId: 'i1' }, INVOKED);
    assert.equal(way.keys.length, 1_000);
    assert.equal(way.links.length, 1_000);
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
