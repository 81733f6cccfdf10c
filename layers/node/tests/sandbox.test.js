'use strict';
/** One click in the sandbox, with the real extension and the real server: one trace through two functions. */

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const { LAYER, client, folder } = require('./support/runtime.js');

const BIN = process.env.THROUGHLINE_BIN;
const skip = !BIN ? 'THROUGHLINE_BIN names no folder with the binaries' : !client() ? 'the runtime client is not installed' : false;
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const LIMIT_MS = 60_000;

const SHOP = `
const http = require('http');
const early = new URL(process.env.AWS_ENDPOINT_URL_LAMBDA);
const signed = { authorization: 'AWS4-HMAC-SHA256 Credential=AKID/20261121/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0' };
http.get({ hostname: early.hostname, port: early.port, path: '/2015-03-31/functions/pay', headers: signed }, (response) => response.resume());
exports.handler = async (event) => {
  console.log('order', event.rawPath);
  const url = new URL(process.env.AWS_ENDPOINT_URL_LAMBDA);
  const { authorization } = signed;
  const answer = await new Promise((resolve, reject) => {
    http.request({ hostname: url.hostname, port: url.port, method: 'POST', path: '/2015-03-31/functions/pay/invocations', headers: { authorization } }, (response) => {
      let text = '';
      response.on('data', (chunk) => (text += chunk)).on('end', () => resolve(text));
    }).on('error', reject).end(JSON.stringify({ cents: 980, password: 'hunter2' }));
  });
  return { statusCode: 200, body: answer };
};
`;
const PAY = 'exports.handler = async (event) => { console.log("pay", event.cents, "password=hunter2"); return { paid: event.cents }; };';

/** Starts a program and gives the first line of its output that `read` makes something of. */
function start(t, args, read, options = {}) {
  const child = spawn(path.join(BIN, 'throughline'), args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    await ended;
  };
  t.after(stop);
  return new Promise((resolve, reject) => {
    let said = '';
    let rest = '';
    child.stderr.on('data', (chunk) => (said += chunk));
    child.stdout.on('data', (chunk) => {
      said += chunk;
      const lines = (rest + chunk).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const found = read(line);
        if (found) resolve({ found, stop });
      }
    });
    ended.then(() => reject(new Error(`${args[0]} ended: ${said}`)));
  });
}

const json = (line) => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

test('one click is one trace in the store', { skip, timeout: LIMIT_MS }, async (t) => {
  const place = folder({ 'shop/index.js': SHOP, 'pay/index.js': PAY });
  const extensions = path.join(place, 'extensions');
  fs.mkdirSync(extensions);
  fs.copyFileSync(path.join(BIN, 'throughline-extension'), path.join(extensions, 'throughline-extension'));
  fs.cpSync(LAYER, path.join(place, 'layer'), { recursive: true, filter: (from) => !/node_modules|tests|bench/.test(path.relative(LAYER, from)) });
  const of = (name, more = '') => `[functions.${name}]\nruntime = "nodejs22.x"\nhandler = "index.handler"\ncode = "${name}"\nmemory_mb = 1769\ntimeout_seconds = 20\nlayers = ["layer"]\n${more}[functions.${name}.environment]\nAWS_LAMBDA_EXEC_WRAPPER = "/opt/throughline"\nTHROUGHLINE_LOG_IDS = "on"\n`;
  fs.writeFileSync(path.join(place, 'throughline.toml'), of('shop', 'url = "127.0.0.1:0"\n') + of('pay', 'log_format = "JSON"\n'));
  const server = await start(t, ['serve', '--json', '--data-dir', path.join(place, 'data'), '--otlp-grpc', '127.0.0.1:0', '--otlp-http', '127.0.0.1:0', '--http', '127.0.0.1:0'], json);
  const at = (name) => Object.entries(server.found).find(([key]) => key.replace(/[_-]/g, '') === name)[1];
  const address = (text) => String(text).replace(/^http:\/\//, '').replace(/\/$/, '');
  const store = address(at('otlphttp'));
  const page = address(at('http'));
  const args = ['sandbox', '--json', '--no-watch', '--app', path.join(place, 'throughline.toml'), '--api', '127.0.0.1:0', '--extension', extensions];
  const sandbox = await start(t, [...args, '--env', `THROUGHLINE_ENDPOINT=http://${store}`, '--door', `store=${store}`], (line) => {
    const event = json(line);
    return event && event.type === 'started' ? line : undefined;
  });
  const url = /http:\/\/127\.0\.0\.1:\d+\/?(?="[^}]*"?)/g;
  const urls = [...sandbox.found.matchAll(url)].map(([found]) => found);
  let answer;
  for (const candidate of urls) {
    const response = await fetch(new URL('/orders/7', candidate), { headers: { traceparent: `00-${TRACE}-b7ad6b7169203331-01` } }).catch(() => undefined);
    if (response && response.status === 200) answer = await response.text();
  }
  assert.equal(answer, '{"paid":980}', sandbox.found);
  await sandbox.stop();

  const trace = await (await fetch(`http://${page}/api/v1/traces/${TRACE}`)).json();
  const text = JSON.stringify(trace);
  assert.ok(!text.includes('hunter2'), 'no secret arrives');
  const spans = find(trace);
  const ours = spans.filter((span) => (span.scope.name || span.scope) === 'throughline.node');
  const named = (name) => ours.find((span) => span.name === name);
  const parent = (span) => spans.find((other) => other.span_id === span.parent_span_id);
  assert.deepEqual(ours.map(({ name }) => name).sort(), ['Lambda.GetFunction', 'Lambda.Invoke', 'pay', 'shop']);
  assert.equal(parent(named('Lambda.GetFunction')).name, 'init');
  assert.equal(parent(named('Lambda.Invoke')), named('shop'));
  // Between them is what the extension tells of the platform.
  assert.equal(parent(parent(named('pay'))), named('Lambda.Invoke'));
  // A line of text and one of JSON, each with its very span.
  for (const [word, name] of [['order', 'shop'], ['pay', 'pay']]) {
    const line = trace.logs.find(({ body }) => JSON.stringify(body).includes(`${word} `));
    assert.deepEqual([line.trace_id, line.span_id], [TRACE, named(name).span_id], JSON.stringify(line));
  }
});

/** The list of spans, wherever the answer has it. */
function find(value) {
  if (value === null || typeof value !== 'object') return undefined;
  if (Array.isArray(value.spans)) return value.spans;
  for (const inner of Object.values(value)) {
    const found = find(inner);
    if (found) return found;
  }
  return undefined;
}
