// Sends what the event asks for by every medium there is, to the functions of all languages; or tells which of these
// messages it got.
import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import { KinesisClient, PutRecordCommand } from '@aws-sdk/client-kinesis';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { SendMessageBatchCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { NodeHttpHandler } from '@smithy/node-http-handler';

const { AWS_ENDPOINT_URL, FUNCTION_URLS = '{}', KAFKA, API, SECRET } = process.env;
const urls = JSON.parse(FUNCTION_URLS);
const consumers = ['node', 'python', 'rust'];
const made = new Map();
const client = (Kind, options = {}) => made.get(Kind) ?? made.set(Kind, new Kind(options)).get(Kind);
const queue = (name) => `${AWS_ENDPOINT_URL}/123456789012/${name}`;
const each = (call) => Promise.all(consumers.map(call));
const invoke = (cell, InvocationType) =>
  each((to) => client(LambdaClient).send(new InvokeCommand({ FunctionName: `to-${to}`, InvocationType, Payload: JSON.stringify({ cell }) })));
const get = async (url) => (await fetch(url, { headers: { authorization: `Bearer ${SECRET}` } })).text();
const put = (cell, Source) =>
  client(EventBridgeClient).send(new PutEventsCommand({ Entries: [{ Source, DetailType: 'cell', Detail: JSON.stringify({ cell }) }] }));
const publish = (topic, cell) =>
  client(SNSClient).send(new PublishCommand({ TopicArn: `arn:aws:sns:us-east-1:123456789012:${topic}`, Message: cell }));

const media = {
  url: (cell) => each((to) => get(`${urls[to]}/${cell}`)),
  api: (cell) => each((to) => get(`${API}/to-${to}/${cell}`)),
  invoke: (cell) => invoke(cell, 'RequestResponse'),
  event: (cell) => invoke(cell, 'Event'),
  sqs: (cell) => each((to) => client(SQSClient).send(new SendMessageCommand({ QueueUrl: queue(`one-${to}`), MessageBody: cell }))),
  ten: (cell) =>
    each((to) => {
      const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: `${cell}.${n}` }));
      return client(SQSClient).send(new SendMessageBatchCommand({ QueueUrl: queue(`ten-node-${to}`), Entries }));
    }),
  sns: (cell) => publish('told', cell),
  'sns-sqs': (cell) => publish('queued', cell),
  bus: (cell) => put(cell, 'told'),
  'bus-sqs': (cell) => put(cell, 'queued'),
  kinesis: (cell) =>
    // It would speak HTTP/2, which moto does not.
    client(KinesisClient, { requestHandler: new NodeHttpHandler() }).send(new PutRecordCommand({ StreamName: 'stream', PartitionKey: cell, Data: Buffer.from(cell) })),
  table: (cell) => client(DynamoDBClient).send(new PutItemCommand({ TableName: 'table', Item: { id: { S: cell }, n: { N: '7' } } })),
  bucket: (cell) => each((to) => client(S3Client, { forcePathStyle: true }).send(new PutObjectCommand({ Bucket: 'bucket', Key: `${to}/${cell}`, Body: 'x' }))),
  kafka: async (cell) => {
    const { Kafka, logLevel } = await import('kafkajs');
    const producer = new Kafka({ brokers: [KAFKA], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: 'topic', messages: [{ value: cell }] });
    await producer.disconnect();
  },
};

// Of records that come as base64 too.
const cells = (text) => [...new Set(text.match(/cell\.[a-z-]+\.[a-z]+(\.\d+)?/g) ?? [])];
const inner = (text) => [...text.matchAll(/"(?:data|value)":"([A-Za-z0-9+/=]+)"/g)].map(([, data]) => Buffer.from(data, 'base64').toString());

export async function handler(event) {
  if (event.send) {
    console.log(`sending with password=${event.password} and ${SECRET}`);
    await media[event.send](event.cell);
    return { sent: event.cell, password: event.password };
  }
  const text = JSON.stringify(event);
  console.log(`GOT ${cells([text, ...inner(text)].join(' ')).join(' ')}`);
  return { statusCode: 200, body: 'got' };
}
