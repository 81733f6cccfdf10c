// Sends what the event asks for by every medium there is, to the functions of all languages; or tells which of these
// messages it got. What it sends by is loaded when it is needed, since whoever only gets needs none of it.
const { AWS_ENDPOINT_URL, FUNCTION_URLS = '{}', KAFKA, API, SECRET } = process.env;
const { MARIADB, MONGODB, POSTGRES, RABBITMQ, REDIS } = process.env;
const urls = JSON.parse(FUNCTION_URLS);
const consumers = ['node', 'python', 'rust'];
const made = new Map();

/** Makes a call of AWS. */
async function aws(service, operation, input, options = {}) {
  const sdk = await import(`@aws-sdk/client-${service}`);
  const [name] = Object.keys(sdk).filter((name) => new RegExp(`^${service}Client$`, 'i').test(name));
  if (!made.has(service)) made.set(service, new sdk[name](options));
  return made.get(service).send(new sdk[`${operation}Command`](input));
}

const queue = (name) => `${AWS_ENDPOINT_URL}/123456789012/${name}`;
const each = (call) => Promise.all(consumers.map(call));
const get = async (url) => (await fetch(url, { headers: { authorization: `Bearer ${SECRET}` } })).text();
const invoke = (Payload, InvocationType) => each((to) => aws('lambda', 'Invoke', { FunctionName: `to-${to}`, InvocationType, Payload }));
const send = (name, MessageBody) => aws('sqs', 'SendMessage', { QueueUrl: queue(name), MessageBody });
const publish = (topic, Message) => aws('sns', 'Publish', { TopicArn: `arn:aws:sns:us-east-1:123456789012:${topic}`, Message });
const put = (Source, Detail, EventBusName) => aws('eventbridge', 'PutEvents', { Entries: [{ EventBusName, Source, DetailType: 'cell', Detail }] });

const media = {
  url: (cell) => each((to) => get(`${urls[to]}/${cell}`)),
  api: (cell) => each((to) => get(`${API}/to-${to}/${cell}`)),
  invoke: (cell, body) => invoke(body, 'RequestResponse'),
  event: (cell, body) => invoke(body, 'Event'),
  sqs: (cell, body) => each((to) => send(`one-${to}`, body)),
  redriven: (cell, body) => each((to) => send(`poison-${to}`, body)),
  ten: (cell) => {
    const Entries = Array.from({ length: 10 }, (_, n) => ({ Id: `${n}`, MessageBody: `${cell}.${n}` }));
    return each((to) => aws('sqs', 'SendMessageBatch', { QueueUrl: queue(`ten-node-${to}`), Entries }));
  },
  sns: (cell, body) => publish('told', body),
  'sns-sqs': (cell, body) => publish('queued', body),
  bus: (cell, body) => put('told', body),
  'bus-sqs': (cell, body) => put('queued', body),
  replayed: (cell, body) => put('kept', body, 'kept'),
  kinesis: async (cell, body) => {
    // It would speak HTTP/2, which moto does not.
    const { NodeHttpHandler } = await import('@smithy/node-http-handler');
    const record = { StreamName: 'stream', PartitionKey: cell, Data: Buffer.from(body) };
    await aws('kinesis', 'PutRecord', record, { requestHandler: new NodeHttpHandler() });
  },
  table: (cell, body, { password }) => aws('dynamodb', 'PutItem', { TableName: 'table', Item: { id: { S: cell }, password: { S: password } } }),
  bucket: (cell, Body) => each((to) => aws('s3', 'PutObject', { Bucket: 'bucket', Key: `${to}/${cell}`, Body }, { forcePathStyle: true })),
  kafka: async (cell, value) => {
    const { Kafka, logLevel } = await import('kafkajs');
    const producer = new Kafka({ brokers: [KAFKA], logLevel: logLevel.NOTHING }).producer();
    await producer.connect();
    await producer.send({ topic: 'topic', messages: [{ value }] });
    await producer.disconnect();
  },
  amqp: async (cell, body) => {
    const { connect } = await import('amqplib');
    const connection = await connect(`amqp://${RABBITMQ}`);
    const channel = await connection.createConfirmChannel();
    for (const to of consumers) channel.sendToQueue(`cells-${to}`, Buffer.from(body));
    await channel.waitForConfirms();
    await connection.close();
  },
  postgres: async (cell, body, { password }) => {
    const { default: pg } = await import('pg');
    const client = new pg.Client(`postgres://postgres@${POSTGRES}/postgres`);
    await client.connect();
    await client.query(`SELECT '${cell}' AS cell, '${password}' AS password`);
    await client.end();
  },
  mariadb: async (cell, body, { password }) => {
    const { default: mysql } = await import('mysql2');
    const connection = mysql.createConnection(`mysql://root@${MARIADB}/shop`).promise();
    await connection.query('SELECT ? AS cell, ? AS password', [cell, password]);
    await connection.end();
  },
  mongodb: async (cell, body, { password }) => {
    const { MongoClient } = await import('mongodb');
    const client = await new MongoClient(`mongodb://${MONGODB}`).connect();
    await client.db('shop').collection('cells').insertOne({ cell, password });
    await client.close();
  },
  redis: async (cell, body, { password }) => {
    const { createClient } = await import('redis');
    const client = await createClient({ url: `redis://${REDIS}` }).connect();
    await client.set(cell, password);
    client.destroy();
  },
  crowd: (cell, body) => Promise.all([send('crowd', body), publish('crowd', body)]),
};

// Of records that come as base64 too.
const cells = (text) => [...new Set(text.match(/cell\.[a-z-]+\.[a-z]+(\.\d+)?/g) ?? [])];
const inner = (text) => [...text.matchAll(/"(?:data|value)":"([A-Za-z0-9+/=]+)"/g)].map(([, data]) => Buffer.from(data, 'base64').toString());

export async function handler(event) {
  if (event.send) {
    console.log(`sending ${event.cell} with password=${event.password} and ${SECRET}`);
    await media[event.send](event.cell, JSON.stringify({ cell: event.cell, password: event.password }), event);
    return { sent: event.cell, password: event.password };
  }
  const text = JSON.stringify(event);
  // What was put back comes by way of another queue.
  if (text.includes(':poison-')) {
    console.log('POISON');
    throw new Error('cannot be worked on');
  }
  // What is replayed is worked on then, and not before.
  if (event.source === 'kept' && !event['replay-name']) return 'not yet';
  console.log(`GOT ${cells([text, ...inner(text)].join(' ')).join(' ')}`);
  return { statusCode: 200, body: 'got' };
}
