'use strict';
/** Libraries as functions load them, real where they are installed, against servers that speak just enough. */

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const http2 = require('node:http2');
const net = require('node:net');
const { describe, test } = require('node:test');

const { sql } = require('../nodejs/throughline/lib/hooks/client.js');
const { invoke, layered } = require('./support/layered.js');

const world = layered();
const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';

function load(name) {
  try {
    return createRequire(__filename)(name);
  } catch {
    return undefined;
  }
}

/** Loaded with the hooks in place, as a function's own would be. */
const packages = Object.fromEntries(['pg', 'mysql2', 'ioredis', 'redis', 'kafkajs', 'amqplib', 'mongodb'].map((name) => [name, load(name)]));
const needs = (name) => ({ skip: packages[name] ? false : `${name} is not installed` });

async function listen(onConnection, t) {
  const sockets = new Set();
  const server = net.createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    onConnection(socket);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.address().port;
}

describe('statements are told without their values', () => {
  for (const [statement, operation, table, text] of [
    ["SELECT * FROM orders WHERE name = 'O''Hara' AND n = 42", 'SELECT', 'orders', 'SELECT * FROM orders WHERE name = ? AND n = ?'],
    ['insert into "shop.orders" (id, a1) values ($1, -3.5)', 'INSERT', 'shop.orders', 'insert into "shop.orders" (id, a1) values ($1, ?)'],
    ['UPDATE `t2` SET a = 1', 'UPDATE', 't2', 'UPDATE `t2` SET a = ?'],
    ['BEGIN', 'BEGIN', '', 'BEGIN'],
  ]) {
    test(statement, () => assert.deepEqual(sql(statement), { operation, table, text }));
  }
});

/** A Postgres that lets everybody in, answers every statement with nothing, and `FAIL` with an error. */
function postgres(socket) {
  const message = (type, body) => {
    const head = Buffer.alloc(5);
    head.write(type);
    head.writeInt32BE(body.length + 4, 1);
    return Buffer.concat([head, body]);
  };
  const ready = message('Z', Buffer.from('I'));
  let begun = false;
  socket.on('data', (data) => {
    if (!begun) {
      begun = true;
      return void socket.write(Buffer.concat([message('R', Buffer.alloc(4)), ready]));
    }
    if (data[0] !== 'Q'.charCodeAt(0)) return;
    const answer = data.includes('FAIL') ? message('E', Buffer.from('SERROR\0C42601\0Mno such thing\0\0')) : message('C', Buffer.from('SELECT 0\0'));
    socket.write(Buffer.concat([answer, ready]));
  });
}

describe('pg', needs('pg'), () => {
  const { Client, Pool } = packages.pg || {};
  const settings = (port) => ({ host: '127.0.0.1', port, user: 'u', database: 'shop', ssl: false });

  test('a query by promise, by callback, and one that fails', async (t) => {
    const port = await listen(postgres, t);
    const { children, error, span } = await invoke(world, async () => {
      const client = new Client(settings(port));
      await client.connect();
      await client.query("SELECT * FROM orders WHERE name = 'ann'");
      await new Promise((resolve, reject) => client.query('SELECT 1', (failed, result) => (failed ? reject(failed) : resolve(result))));
      try {
        await client.query('FAIL');
      } finally {
        client.end();
      }
    });
    assert.equal(error.message, 'no such thing');
    const [first, second, third] = children;
    assert.deepEqual([first.name, first.kind, first.parentSpanId, first.attributes['db.query.text']], ['SELECT orders', 3, span.spanId, 'SELECT * FROM orders WHERE name = ?']);
    assert.deepEqual([first.attributes['db.namespace'], first.attributes['server.port'], first.attributes['db.system.name']], ['shop', port, 'postgresql']);
    assert.equal(second.name, 'SELECT');
    assert.equal(third.status.message, 'no such thing');
  });

  test('a pool keeps each caller below its own invocation', async (t) => {
    const port = await listen(postgres, t);
    const pool = new Pool({ ...settings(port), max: 1 });
    world.intake.spans.length = 0;
    const one = (n) => world.layer.wrap(async () => {
      await pool.query(`SELECT * FROM t${n}`);
    })({}, { awsRequestId: `r${n}`, xRayTraceId: `Root=1-5f35ae12-0c0fec141ab77a00bc04000${n};Parent=2be948a625588e32` });
    await Promise.all([one(1), one(2), one(3)]);
    const queries = world.intake.spans.filter((span) => span.kind === 3);
    assert.deepEqual(queries.map((span) => [span.name, span.traceId.at(-1)]).sort(), [['SELECT t1', '1'], ['SELECT t2', '2'], ['SELECT t3', '3']]);
    await pool.end();
  });
});

describe('redis', () => {
  const answer = (socket) => socket.on('data', (data) => {
    const words = data.toString().split('\r\n');
    const count = words.filter((word) => word.startsWith('*')).length;
    const failing = data.includes('incr') || data.includes('INCR');
    socket.write(failing ? '-ERR not a number\r\n' : '+OK\r\n'.repeat(count));
  });

  test('ioredis', needs('ioredis'), async (t) => {
    const port = await listen(answer, t);
    const { children, error, span } = await invoke(world, async () => {
      const client = new packages.ioredis(port, '127.0.0.1', { enableReadyCheck: false, maxRetriesPerRequest: 0 });
      await client.set('order:7', 'secret');
      await client.incr('order:7').finally(() => client.disconnect());
    });
    assert.match(error.message, /not a number/);
    const [set, incr] = children.filter(({ name }) => name !== 'INFO' && name !== 'CLIENT');
    assert.deepEqual([set.name, set.parentSpanId, set.attributes['db.system.name'], set.attributes['server.port']], ['SET', span.spanId, 'redis', port]);
    assert.equal(incr.status.code, 2);
    assert.ok(!JSON.stringify(children).includes('secret'));
  });

  test('node-redis', needs('redis'), async (t) => {
    const port = await listen(answer, t);
    const { children } = await invoke(world, async () => {
      const client = packages.redis.createClient({ url: `redis://127.0.0.1:${port}` });
      client.on('error', () => {});
      await client.connect();
      await client.set('a', 'b');
      client.destroy();
    });
    const set = children.find(({ name }) => name === 'SET');
    assert.equal(set.attributes['server.port'], port);
  });
});

test('kafkajs: every message carries the span, and the offsets are its keys', needs('kafkajs'), async () => {
  const { Kafka } = packages.kafkajs;
  const producer = new Kafka({ brokers: ['127.0.0.1:1'], logLevel: 0, retry: { retries: 0 } }).producer();
  const messages = [{ value: 'a' }, { value: 'b', headers: { own: '1' } }];
  const { children, error } = await invoke(world, () => producer.send({ topic: 'orders', messages }));
  assert.ok(error, 'no broker is there');
  assert.deepEqual([children[0].name, children[0].kind, children[0].attributes['messaging.batch.message_count']], ['send orders', 4, 2]);
  // What the function holds in its hands is as it was.
  assert.deepEqual(messages, [{ value: 'a' }, { value: 'b', headers: { own: '1' } }]);
});

test('kafkajs, as it answers', async () => {
  const { install } = require('../nodejs/throughline/lib/hooks/libraries/kafkajs.js');
  let seen;
  class Kafka {
    producer() {
      return { send: async (record) => ((seen = record), [{ topicName: 'orders', partition: 2, baseOffset: '40' }]) };
    }
  }
  install(world.layer, { Kafka });
  const { children } = await invoke(world, () => new Kafka().producer().send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }] }));
  assert.deepEqual(children[0].attributes['throughline.link.out'], ['kafka:orders/2/40', 'kafka:orders/2/41']);
  assert.deepEqual(seen.messages.map(({ headers }) => headers.traceparent), Array(2).fill(`00-${TRACE}-${children[0].spanId}-01`));
});

test('amqplib: a message has the span in its headers, and the options stay as they were', needs('amqplib'), async () => {
  const { Channel } = createRequire(__filename)('amqplib/lib/channel_model.js');
  const sent = [];
  const channel = Object.create(Channel.prototype, { sendMessage: { value: (fields, properties) => sent.push(properties) } });
  const options = { messageId: 'm1', headers: { own: 1 } };
  const { children } = await invoke(world, async () => void channel.sendToQueue('orders', Buffer.from('x'), options));
  assert.deepEqual([children[0].name, children[0].attributes['throughline.link.out']], ['send orders', ['mq:m1']]);
  const headers = {};
  // The package puts them behind an object of its own.
  for (const name in sent[0].headers) headers[name] = sent[0].headers[name];
  assert.deepEqual(headers, { traceparent: `00-${TRACE}-${children[0].spanId}-01`, own: 1 });
  assert.deepEqual(options, { messageId: 'm1', headers: { own: 1 } });
});

test('mongodb: an operation on a collection', needs('mongodb'), async () => {
  const { MongoClient } = packages.mongodb;
  const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 50 });
  const { children, error } = await invoke(world, () => client.db('shop').collection('orders').insertOne({ a: 1 }));
  await client.close();
  assert.ok(error);
  assert.deepEqual([children[0].name, children[0].attributes['db.namespace'], children[0].status.code], ['insertOne orders', 'shop', 2]);
});

describe('mongodb: a cursor', needs('mongodb'), () => {
  const asked = [];

  /** The driver's own cursor over a server that has five documents and gives two at a time. */
  function cursor(kind = 'find', fails = false) {
    const { MongoClient, BSON } = packages.mongodb;
    const orders = new MongoClient('mongodb://127.0.0.1:1').db('shop').collection('orders');
    const made = kind === 'find' ? orders.find({}, { batchSize: 2 }) : orders.aggregate([], { batchSize: 2 });
    const left = [1, 2, 3, 4, 5];
    asked.length = 0;
    made.fetchBatch = async function () {
      // As the driver's own, which does not ask about a cursor that is read to its end.
      if (this.isDead) return;
      asked.push(left.length);
      await null;
      if (fails && left.length < 5) throw new Error('no primary');
      const batch = left.splice(0, 2);
      this.documents = { get length() { return batch.length; }, shift: () => batch.shift() ?? null, clear() {} };
      this.cursorId = left.length ? BSON.Long.fromNumber(7) : BSON.Long.fromNumber(0);
    };
    made.readBufferedDocuments = function () {
      const all = [];
      while (this.documents.length) all.push(this.documents.shift());
      return all;
    };
    made.cleanup = async function () {};
    return made;
  }

  const BATCHES = ['find orders', 'getMore orders', 'getMore orders'];
  const names = ({ children }) => children.map(({ name }) => name);

  for (const [way, read] of [
    ['next', async (orders) => { const all = []; for (let one; (one = await orders.next()) !== null;) all.push(one); return all; }],
    ['hasNext and next', async (orders) => { const all = []; while (await orders.hasNext()) all.push(await orders.next()); return all; }],
    ['tryNext', async (orders) => [await orders.tryNext(), await orders.tryNext(), await orders.tryNext(), await orders.tryNext(), await orders.tryNext()]],
    ['for await', async (orders) => { const all = []; for await (const one of orders) all.push(one); return all; }],
    ['forEach', async (orders) => { const all = []; await orders.forEach((one) => { all.push(one); }); return all; }],
    ['a stream', async (orders) => { const all = []; for await (const one of orders.stream()) all.push(one); return all; }],
  ]) {
    test(`read by ${way} has a span for each time that the server is asked`, async () => {
      const invoked = await invoke(world, () => read(cursor()));
      assert.equal(invoked.error, undefined);
      assert.deepEqual(invoked.result, [1, 2, 3, 4, 5]);
      assert.deepEqual(names(invoked), BATCHES);
      assert.equal(asked.length, 3);
      assert.ok(invoked.children.every(({ attributes, parentSpanId }) => attributes['db.namespace'] === 'shop' && parentSpanId === invoked.span.spanId));
    });
  }

  test('of an aggregation says so', async () => {
    assert.deepEqual(names(await invoke(world, async () => { for await (const one of cursor('aggregate')) if (one === 3) break; })), ['aggregate orders', 'getMore orders']);
  });

  test('read by toArray has one', async () => {
    const invoked = await invoke(world, () => cursor().toArray());
    assert.deepEqual([invoked.result, names(invoked)], [[1, 2, 3, 4, 5], ['find orders']]);
  });

  test('that fails says so', async () => {
    const { children, error } = await invoke(world, async () => { for await (const one of cursor('find', true)) void one; });
    assert.equal(error.message, 'no primary');
    assert.deepEqual(children.map(({ name, status }) => [name, status && status.code]), [['find orders', undefined], ['getMore orders', 2]]);
  });
});

test('mysql2: nobody there', needs('mysql2'), async () => {
  const { children, error } = await invoke(world, () => new Promise((resolve, reject) => {
    const connection = packages.mysql2.createConnection({ host: '127.0.0.1', port: 1, database: 'shop' });
    connection.on('error', () => {});
    connection.query("SELECT a FROM orders WHERE b = 'x'", (failed, rows) => (failed ? reject(failed) : resolve(rows)));
  }));
  assert.equal(error.code, 'ECONNREFUSED');
  assert.deepEqual([children[0].name, children[0].attributes['db.system.name'], children[0].attributes['db.query.text']], ['SELECT orders', 'mysql', 'SELECT a FROM orders WHERE b = ?']);
});

test('HTTP/2, as the SDK calls Kinesis', async (t) => {
  const server = http2.createServer();
  let seen;
  server.on('stream', (stream, headers) => {
    seen = headers;
    stream.resume().on('end', () => {
      stream.respond({ ':status': 200, 'x-amzn-requestid': 'q1' });
      stream.end('{"ShardId":"shardId-0","SequenceNumber":"5"}');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const { connect } = createRequire(__filename)('node:http2');
  const { children, result } = await invoke(world, async () => {
    const session = connect(`http://127.0.0.1:${server.address().port}`);
    const stream = session.request({
      ':method': 'POST',
      ':path': '/',
      'x-amz-target': 'Kinesis_20131202.PutRecord',
      'content-type': 'application/x-amz-json-1.1',
      authorization: 'AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/kinesis/aws4_request, SignedHeaders=host, Signature=0',
    });
    stream.end('{"StreamName":"orders"}');
    let text = '';
    for await (const chunk of stream) text += chunk;
    session.close();
    return text;
  });
  assert.match(result, /SequenceNumber/);
  assert.equal(children[0].name, 'Kinesis.PutRecord');
  assert.equal(seen['x-amzn-trace-id'].split(';').slice(0, 2).join(';'), `Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=${children[0].spanId}`);
  assert.deepEqual(children[0].attributes['throughline.link.out'], ['kin:orders/shardId-0/5']);
});
