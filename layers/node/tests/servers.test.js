'use strict';
/**
 * Drivers against real servers: THROUGHLINE_SERVERS names the interpreter that has them, THROUGHLINE_KAFKA Kafka's broker,
 * THROUGHLINE_DEBIAN the folder with MariaDB and RabbitMQ, THROUGHLINE_MONGO the one with what speaks MongoDB's protocol.
 */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { createRequire } = require('node:module');
const path = require('node:path');
const { after, before, describe, test } = require('node:test');

const { invoke, layered } = require('./support/layered.js');

const { THROUGHLINE_DEBIAN: DEBIAN, THROUGHLINE_KAFKA: KAFKA, THROUGHLINE_MONGO: MONGO, THROUGHLINE_SERVERS: PYTHON } = process.env;
const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';
/** A broker that is just starting takes its time. */
const LIMIT_MS = 120_000;
const world = layered({ THROUGHLINE_SQLCOMMENTER: 'on' });
const ports = {};
let servers;

function load(name) {
  try {
    return createRequire(__filename)(name);
  } catch {
    return undefined;
  }
}

/** Loaded with the hooks in place, as a function's own would be. */
const packages = Object.fromEntries(['pg', 'ioredis', 'redis', 'kafkajs', 'mysql2', 'amqplib', 'amqplib/callback_api', 'mongodb'].map((name) => [name, load(name)]));
const skip = (name, isThere = true) => (!isThere ? 'its server is not there' : packages[name] ? false : `${name} is not installed`);

const named = (children) => children.map(({ name }) => name);
/** Starting and connecting take longer than an invocation usually has. */
const invoked = (handler) => invoke(world, handler, {}, { getRemainingTimeInMillis: () => LIMIT_MS });

/** Hooks of a suite are waited for, those of a file are not by every version of Node. */
describe('real servers', { skip: PYTHON ? false : 'there are none', timeout: LIMIT_MS }, () => {
  before(async () => {
    const names = ['redis', 'postgres', ...(KAFKA ? ['kafka'] : []), ...(DEBIAN ? ['mariadb', 'rabbitmq'] : []), ...(MONGO ? ['mongodb'] : [])];
    servers = spawn(PYTHON, [path.join(__dirname, '../../servers.py'), ...names], { stdio: ['pipe', 'pipe', 'inherit'] });
    for await (const line of servers.stdout) {
      Object.assign(ports, JSON.parse(line));
      break;
    }
  });
  after(async () => {
    const ended = new Promise((resolve) => servers.on('close', resolve));
    servers.stdin.end();
    await ended;
  });

  describe('Postgres', { skip: skip('pg') }, () => {
    const connected = async (work) => {
      const client = new packages.pg.Client({ host: '127.0.0.1', port: ports.postgres, user: 'postgres', database: 'postgres' });
      await client.connect();
      try {
        return await work(client);
      } finally {
        await client.end();
      }
    };

    test('queries, parameters, and one that fails', async () => {
      const { children, error, span } = await invoked(() => connected(async (client) => {
        await client.query('CREATE TEMP TABLE orders (id int, name text)');
        await client.query('INSERT INTO orders VALUES ($1, $2)', [7, 'ann']);
        const { rows } = await client.query({ text: 'SELECT name FROM orders WHERE id = $1', values: [7] });
        assert.deepEqual(rows, [{ name: 'ann' }]);
        await client.query('SELECT * FROM nowhere');
      }));
      assert.equal(error.code, '42P01');
      assert.deepEqual(named(children), ['CREATE orders', 'INSERT orders', 'SELECT orders', 'SELECT nowhere']);
      assert.equal(children[3].status.code, 2);
      assert.ok(children.every((child) => child.parentSpanId === span.spanId && child.attributes['server.port'] === ports.postgres));
    });

    test('a comment arrives, and is never prepared', async () => {
      const own = 'SELECT query FROM pg_stat_activity WHERE pid = pg_backend_pid()';
      const { children, result } = await invoked(() => connected(async (client) => {
        const { rows } = await client.query(own);
        await client.query({ name: 'mine', text: 'SELECT 1' });
        const prepared = await client.query('SELECT statement FROM pg_prepared_statements');
        return [rows[0].query, prepared.rows.map(({ statement }) => statement)];
      }));
      assert.deepEqual(result, [`${own} /*traceparent='00-${TRACE}-${children[0].spanId}-01'*/`, ['SELECT 1']]);
    });

    test('a pool, many at once', async () => {
      const pool = new packages.pg.Pool({ host: '127.0.0.1', port: ports.postgres, user: 'postgres', database: 'postgres', max: 3 });
      const { children, result } = await invoked(() => Promise.all(Array.from({ length: 20 }, async (_, n) => (await pool.query('SELECT $1::int AS n', [n])).rows[0].n)));
      await pool.end();
      assert.deepEqual(result, Array.from({ length: 20 }, (_, n) => n));
      assert.equal(children.filter(({ name }) => name === 'SELECT').length, 20);
    });
  });

  describe('Redis', () => {
    test('ioredis', { skip: skip('ioredis') }, async () => {
      const { children, error } = await invoked(async () => {
        const client = new packages.ioredis(ports.redis, '127.0.0.1');
        await client.set('order', 'secret');
        assert.equal(await client.get('order'), 'secret');
        await client.incr('order').finally(() => client.disconnect());
      });
      assert.match(error.message, /not an integer/);
      const calls = children.filter(({ name }) => ['SET', 'GET', 'INCR'].includes(name));
      assert.deepEqual(named(calls), ['SET', 'GET', 'INCR']);
      assert.equal(calls[2].status.code, 2);
      assert.ok(!JSON.stringify(children).includes('secret'));
    });

    test('node-redis', { skip: skip('redis') }, async () => {
      const { children } = await invoked(async () => {
        const client = packages.redis.createClient({ url: `redis://127.0.0.1:${ports.redis}` });
        await client.connect();
        await client.set('a', 'b');
        assert.equal(await client.get('a'), 'b');
        client.destroy();
      });
      const calls = children.filter(({ name }) => ['SET', 'GET'].includes(name));
      assert.deepEqual(calls.map(({ name, attributes }) => [name, attributes['server.port']]), [['SET', ports.redis], ['GET', ports.redis]]);
    });
  });

  describe('MariaDB', { skip: skip('mysql2', Boolean(DEBIAN)) }, () => {
    const settings = () => ({ host: '127.0.0.1', port: ports.mariadb, user: 'root', database: 'shop' });

    test('queries, parameters, what is prepared, and one that fails', async () => {
      const connection = packages.mysql2.createConnection(settings());
      const ask = (method, ...rest) => new Promise((resolve, reject) => connection[method](...rest, (error, rows) => (error ? reject(error) : resolve(rows))));
      const { children, error, span } = await invoked(async () => {
        await ask('query', 'CREATE TEMPORARY TABLE orders (id int, name text)');
        await ask('query', 'INSERT INTO orders VALUES (?, ?)', [7, 'ann']);
        const [row] = await ask('execute', 'SELECT name FROM orders WHERE id = ?', [7]);
        assert.equal(row.name, 'ann');
        await ask('query', 'SELECT * FROM nowhere').finally(() => connection.end());
      });
      assert.equal(error.code, 'ER_NO_SUCH_TABLE');
      assert.deepEqual(named(children), ['CREATE orders', 'INSERT orders', 'SELECT orders', 'SELECT nowhere']);
      assert.equal(children[3].status.code, 2);
      assert.ok(children.every((child) => child.parentSpanId === span.spanId && child.attributes['server.port'] === ports.mariadb));
      assert.ok(!JSON.stringify(children).includes('ann'));
    });

    test('a comment arrives, by promises and by a pool', async () => {
      const own = 'SELECT info FROM information_schema.processlist WHERE id = connection_id()';
      const pool = packages.mysql2.createPool(settings()).promise();
      const { children, result } = await invoked(async () => (await pool.query(own))[0][0].info);
      await pool.end();
      assert.equal(result, `${own} /*traceparent='00-${TRACE}-${children[0].spanId}-01'*/`);
    });
  });

  describe('MongoDB’s protocol', { skip: skip('mongodb', Boolean(MONGO)) }, () => {
    test('operations on collections, and one that fails', async () => {
      const client = await new packages.mongodb.MongoClient(`mongodb://127.0.0.1:${ports.mongodb}`).connect();
      const orders = client.db('shop').collection('orders');
      await orders.createIndex({ number: 1 }, { unique: true });
      const { children, error, span } = await invoked(async () => {
        await orders.insertOne({ number: 7, name: 'ann' });
        assert.deepEqual(await orders.find({ number: 7 }, { projection: { _id: 0 } }).toArray(), [{ number: 7, name: 'ann' }]);
        assert.equal((await orders.updateOne({ number: 7 }, { $set: { name: 'bob' } })).modifiedCount, 1);
        await orders.insertOne({ number: 7 }).finally(() => client.close());
      });
      assert.equal(error.code, 11000);
      assert.deepEqual(named(children), ['insertOne orders', 'find orders', 'updateOne orders', 'insertOne orders']);
      assert.equal(children[3].status.code, 2);
      assert.ok(children.every((child) => child.parentSpanId === span.spanId && child.attributes['db.namespace'] === 'shop'));
      assert.ok(!JSON.stringify(children).includes('ann'));
    });
  });

  describe('A cursor of MongoDB’s protocol', { skip: skip('mongodb', Boolean(MONGO)) }, () => {
    test('has a span for each time that the server is asked', async () => {
      const client = await new packages.mongodb.MongoClient(`mongodb://127.0.0.1:${ports.mongodb}`).connect();
      const lines = client.db('shop').collection('lines');
      await lines.insertMany(Array.from({ length: 5 }, (_, number) => ({ number })));
      const { children, result } = await invoked(async () => {
        const numbers = [];
        for await (const { number } of lines.find({}, { batchSize: 2, sort: { number: 1 } })) numbers.push(number);
        const { number } = await lines.find({ number: 3 }).next();
        return [...numbers, number, (await lines.aggregate([{ $match: { number: { $lt: 2 } } }]).toArray()).length];
      });
      await client.close();
      assert.deepEqual(result, [0, 1, 2, 3, 4, 3, 2]);
      assert.deepEqual(named(children), ['find lines', 'getMore lines', 'getMore lines', 'find lines', 'aggregate lines']);
    });
  });

  describe('RabbitMQ', { skip: skip('amqplib', Boolean(DEBIAN)) }, () => {
    const url = () => `amqp://127.0.0.1:${ports.rabbitmq}`;
    const header = ({ spanId }) => ({ traceparent: `00-${TRACE}-${spanId}-01` });
    /** The package puts them behind an object of its own. */
    const own = (message) => Object.assign({}, message.properties.headers);

    test('what arrives names its span', async () => {
      const connection = await packages.amqplib.connect(url());
      const channel = await connection.createConfirmChannel();
      await channel.assertQueue('by-promise');
      const { children } = await invoked(async () => {
        channel.sendToQueue('by-promise', Buffer.from('x'), { messageId: 'm', headers: { a: 'b' } });
        channel.publish('', 'by-promise', Buffer.from('y'));
        await channel.waitForConfirms();
      });
      const got = [await channel.get('by-promise'), await channel.get('by-promise')];
      await connection.close();
      assert.deepEqual(named(children), ['send by-promise', 'send by-promise']);
      assert.deepEqual(got.map(own), [{ a: 'b', ...header(children[0]) }, header(children[1])]);
      assert.deepEqual(children[0].attributes['throughline.link.out'], ['mq:m']);
    });

    test('by callbacks', async () => {
      const called = (target, method, ...rest) => new Promise((resolve, reject) => target[method](...rest, (error, value) => (error ? reject(error) : resolve(value))));
      const connection = await called(packages['amqplib/callback_api'], 'connect', url());
      const channel = await called(connection, 'createChannel');
      await called(channel, 'assertQueue', 'by-callback', {});
      const { children } = await invoked(async () => void channel.sendToQueue('by-callback', Buffer.from('x')));
      const got = await called(channel, 'get', 'by-callback', {});
      await called(connection, 'close');
      assert.deepEqual(own(got), header(children[0]));
    });
  });

  describe('Kafka', { skip: skip('kafkajs', Boolean(KAFKA)) }, () => {
    test('what arrives names its span, and the span names its place', async () => {
      const kafka = new packages.kafkajs.Kafka({ brokers: [`127.0.0.1:${ports.kafka}`], logLevel: 0 });
      const admin = kafka.admin();
      await admin.connect();
      await admin.createTopics({ topics: [{ topic: 'orders', numPartitions: 1 }], waitForLeaders: true });
      await admin.disconnect();
      const { children } = await invoked(async () => {
        const producer = kafka.producer();
        await producer.connect();
        await producer.send({ topic: 'orders', messages: [{ value: 'a' }, { value: 'b' }] });
        await producer.disconnect();
      });
      const [sent] = children;
      assert.deepEqual(sent.attributes['throughline.link.out'], ['kafka:orders/0/0', 'kafka:orders/0/1']);
      const consumer = kafka.consumer({ groupId: 'g' });
      await consumer.connect();
      await consumer.subscribe({ topic: 'orders', fromBeginning: true });
      const seen = await new Promise((resolve) => {
        const found = [];
        consumer.run({ eachMessage: async ({ message }) => found.push(String(message.headers.traceparent)) === 2 && resolve(found) });
      });
      await consumer.disconnect();
      assert.deepEqual(seen, Array(2).fill(`00-${TRACE}-${sent.spanId}-01`));
    });
  });
});
