'use strict';
/** Calls of gRPC, by the usual client and by HTTP/2 alone, of a server that says which context arrived. */

const assert = require('node:assert/strict');
const { createRequire } = require('node:module');
const { after, before, describe, test } = require('node:test');

const { invoke, layered } = require('./support/layered.js');

const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';
const world = layered();
/** Loaded with the hooks in place, as a function's own would be. */
const load = createRequire(__filename);
const http2 = load('node:http2');
let grpc;
try {
  grpc = load('@grpc/grpc-js');
} catch {
  // Not installed.
}

const header = ({ spanId }) => `00-${TRACE}-${spanId}-01`;
const told = ({ attributes, name }) => [name, attributes['rpc.response.status_code'], attributes['error.type']];
const contextOf = ({ metadata }) => Buffer.from(metadata.get('traceparent').join());

const plain = (value) => value;
const method = (name, requestStream = false, responseStream = false) => ({
  path: `/shop.Orders/${name}`, requestStream, responseStream,
  requestSerialize: plain, requestDeserialize: plain, responseSerialize: plain, responseDeserialize: plain,
});
const service = { Get: method('Get'), List: method('List', false, true), Count: method('Count', true), Echo: method('Echo', true, true) };

const handlers = {
  Get(call, answer) {
    if (String(call.request) === 'missing') answer({ code: grpc.status.NOT_FOUND, details: 'no such order' });
    else answer(null, contextOf(call));
  },
  List(call) {
    for (let n = 0; n < 3; n++) call.write(contextOf(call));
    const request = String(call.request);
    if (request === 'missing') call.emit('error', { code: grpc.status.NOT_FOUND, details: 'no such order' });
    else if (request !== 'slow') call.end();
  },
  Count(call, answer) {
    let count = 0;
    call.on('data', () => (count += 1));
    call.on('end', () => answer(null, Buffer.from(`${count} ${contextOf(call)}`)));
  },
  Echo(call) {
    call.on('data', (data) => call.write(data));
    call.on('end', () => call.end());
  },
};

describe('gRPC', { skip: grpc ? false : '@grpc/grpc-js is not installed' }, () => {
  let client;
  let Orders;
  let port;
  let server;

  before(async () => {
    server = new grpc.Server();
    server.addService(service, handlers);
    port = await new Promise((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    Orders = grpc.makeGenericClientConstructor(service, 'Orders');
    client = new Orders(`127.0.0.1:${port}`, grpc.credentials.createInsecure());
  });
  after(() => {
    client.close();
    server.forceShutdown();
  });

  const get = (request, ...rest) => new Promise((resolve, reject) => {
    client.Get(Buffer.from(request), ...rest, (error, answer) => (error ? reject(error) : resolve(String(answer))));
  });
  const all = async (stream) => {
    const found = [];
    for await (const one of stream) found.push(String(one));
    return found;
  };

  test('one answer', async () => {
    const metadata = new grpc.Metadata();
    metadata.set('a', 'b');
    const { children, result, span } = await invoke(world, () => Promise.all([get('7'), get('7', metadata)]));
    assert.deepEqual(children.map(told), Array(2).fill(['shop.Orders/Get', 'OK', undefined]));
    assert.deepEqual(result, children.map(header));
    assert.deepEqual(metadata.getMap(), { a: 'b' });
    const { attributes, kind, parentSpanId } = children[0];
    assert.deepEqual([kind, parentSpanId], [3, span.spanId]);
    assert.deepEqual(
      [attributes['rpc.system.name'], attributes['rpc.method'], attributes['server.address'], attributes['server.port']],
      ['grpc', 'shop.Orders/Get', '127.0.0.1', port],
    );
  });

  test('errors', async () => {
    const { children, result } = await invoke(world, () => Promise.all([
      get('missing'), all(client.List(Buffer.from('missing'))), all(client.List(Buffer.from('slow'), { deadline: Date.now() + 200 })),
    ].map((call) => call.catch((error) => error.code))));
    assert.deepEqual(result, [5, 5, 4]);
    assert.deepEqual(children.map((span) => told(span).slice(1)).sort(), [['DEADLINE_EXCEEDED', 'DEADLINE_EXCEEDED'], ['NOT_FOUND', 'NOT_FOUND'], ['NOT_FOUND', 'NOT_FOUND']]);
    const missing = children.find(({ name }) => name === 'shop.Orders/Get');
    assert.deepEqual(missing.status, { code: 2, message: 'no such order' });
  });

  test('streams', async () => {
    const { children, result } = await invoke(world, async () => {
      const several = await all(client.List(Buffer.from('7')));
      const count = await new Promise((resolve, reject) => {
        const call = client.Count((error, answer) => (error ? reject(error) : resolve(String(answer))));
        call.write(Buffer.from('a'));
        call.end(Buffer.from('b'));
      });
      const echo = client.Echo();
      echo.end(Buffer.from('a'));
      return [several, count, await all(echo)];
    });
    const [several, count] = children;
    assert.deepEqual(children.map(told), ['List', 'Count', 'Echo'].map((name) => [`shop.Orders/${name}`, 'OK', undefined]));
    assert.deepEqual(result, [Array(3).fill(header(several)), `2 ${header(count)}`, ['a']]);
  });

  test('a stream that is given up ends', async () => {
    const { children } = await invoke(world, async () => {
      const call = client.List(Buffer.from('slow'));
      await new Promise((resolve) => call.once('data', resolve));
      call.on('error', () => {});
      call.cancel();
      await new Promise((resolve) => call.on('status', resolve));
    });
    assert.deepEqual(children.map(told), [['shop.Orders/List', 'CANCELLED', 'CANCELLED']]);
  });

  test('calls of a callback are below the invocation that they were made in', async (t) => {
    // Both wait for its connection, which only one of them makes.
    const fresh = new Orders(`localhost:${port}`, grpc.credentials.createInsecure(), { 'grpc.use_local_subchannel_pool': 1 });
    t.after(() => fresh.close());
    const twice = () => new Promise((resolve, reject) => {
      fresh.Get(Buffer.from('7'), () => fresh.Get(Buffer.from('7'), (error, answer) => (error ? reject(error) : resolve(String(answer)))));
    });
    world.intake.spans.length = 0;
    await Promise.all(['01', '02'].map((id) => world.layer.wrap(twice)({}, { awsRequestId: id, xRayTraceId: `Root=1-5f35ae12-0c0fec141ab77a00bc0400${id};Parent=2be948a625588e32` })));
    const calls = world.intake.spans.filter(({ kind }) => kind === 3);
    assert.deepEqual(calls.map(({ traceId }) => traceId.slice(-2)).sort(), ['01', '01', '02', '02']);
  });

  test('a context of its own stays', async () => {
    const own = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
    const metadata = new grpc.Metadata();
    metadata.set('traceparent', own);
    const { children, result } = await invoke(world, () => get('7', metadata));
    assert.equal(result, own);
    assert.deepEqual(children.map(told), [['shop.Orders/Get', 'OK', undefined]]);
  });

  /** As clients do it whose code is bundled. */
  const called = (message, path = '/shop.Orders/Get') => new Promise((resolve, reject) => {
    const session = http2.connect(`http://127.0.0.1:${port}`);
    const stream = session.request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc+proto', te: 'trailers' });
    const chunks = [];
    stream.on('data', (chunk) => chunks.push(chunk));
    stream.on('error', reject);
    stream.on('close', () => {
      session.close();
      resolve(Buffer.concat(chunks).subarray(5).toString());
    });
    const head = Buffer.alloc(5);
    head.writeUInt32BE(message.length, 1);
    stream.end(Buffer.concat([head, Buffer.from(message)]));
  });

  test('by HTTP/2 alone', async () => {
    const { children, result } = await invoke(world, async () => [await called('7'), await called('missing'), await called('7', '/shop.Orders/Nothing')]);
    const codes = ['OK', 'NOT_FOUND', 'UNIMPLEMENTED'];
    assert.deepEqual(children.map((span) => told(span)[1]), codes);
    assert.deepEqual([result[0], children[0].name, children[0].attributes['server.port']], [header(children[0]), 'shop.Orders/Get', port]);
    assert.deepEqual(children[1].status, { code: 2, message: 'no such order' });
    assert.ok(!('http.response.status_code' in children[0].attributes));
  });

  test('switched off, nothing of it is told or carried', async (t) => {
    const { hook } = world.layer.settings;
    world.layer.settings.hook = (name) => name !== 'grpc' && hook(name);
    t.after(() => (world.layer.settings.hook = hook));
    const { children, result } = await invoke(world, () => called('7'));
    assert.deepEqual([children, result], [[], '']);
  });
});
