'use strict';
/** Functions of every style through the real runtime client: the same with the layer and without, and one span each. */

const assert = require('node:assert/strict');
const { after, before, describe, test } = require('node:test');

const { Intake } = require('./support/intake.js');
const { PARENT, client, folder, run } = require('./support/runtime.js');

const TRACE = '5f35ae120c0fec141ab77a00bc047aa2';
const skip = client() ? false : 'the runtime client is not installed: run a Node function in the sandbox once';

const TYPED = `
import { basename } from 'node:path';
interface Order { n: number; words?: string[] }
enum Kind { Small = 'small', Large = 'large' }
export const handler = async ({ n, words = [] }: Order): Promise<unknown> => {
  await null;
  if (n > 9) throw new RangeError(Kind.Large);
  return { kind: Kind.Small, of: basename('/a/b'), last: words.at(-1) ?? null };
};
`;

/** What a tool makes of the same source; nothing where it is not installed. */
function made(name, tool, make) {
  try {
    return { [name]: make(require(tool)) };
  } catch {
    return undefined;
  }
}

const compiled = made('index.js', 'typescript', ({ ModuleKind, ScriptTarget, transpileModule }) =>
  transpileModule(TYPED, { compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2020 } }).outputText);
const bundle = (format) => ({ buildSync }) =>
  buildSync({ stdin: { contents: TYPED, loader: 'ts' }, bundle: true, minify: true, platform: 'node', format, write: false }).outputFiles[0].text;

/** Name, files, handler, event, and what the span must have. */
const STYLES = [
  ['compiled by TypeScript', compiled, 'index.handler', { n: 1, words: ['a'] }],
  ['compiled by TypeScript, and failing', compiled, 'index.handler', { n: 10 }, 'RangeError'],
  ['bundled by esbuild', made('index.js', 'esbuild', bundle('cjs')), 'index.handler', { n: 1 }],
  ['bundled by esbuild as an ES module', made('index.mjs', 'esbuild', bundle('esm')), 'index.handler', { n: 1 }],
  ['generator', { 'index.js': 'exports.handler = function* (event) { yield event; };' }, 'index.handler', { n: 1 }],
  ['async generator', { 'index.mjs': 'export async function* handler(event) { yield event; }' }, 'index.handler', { n: 1 }],
  ['CommonJS async', { 'index.js': 'exports.handler = async (event) => ({ got: event.n });' }, 'index.handler', { n: 1 }],
  ['CommonJS sync', { 'index.js': 'exports.handler = (event) => event.n + 1;' }, 'index.handler', { n: 1 }],
  ['nothing answered', { 'index.js': 'exports.handler = async () => {};' }, 'index.handler', {}],
  ['ES module', { 'index.mjs': 'export const handler = async (event, context) => [event, context.functionName, process.env._HANDLER];' }, 'index.handler', { n: 1 }],
  ['ES module by package.json', { 'package.json': '{"type":"module"}', 'src/app.js': 'export async function main() { return import.meta.url.split("/").pop(); }' }, 'src/app.main', {}],
  ['top-level await', { 'index.mjs': 'const word = await Promise.resolve("late"); export const handler = async () => word;' }, 'index.handler', {}],
  ['nested export', { 'index.js': 'exports.deep = { handler: async () => "deep" };' }, 'index.deep.handler', {}],
  ['default export', { 'index.mjs': 'export default { handler: async () => "default" };' }, 'index.handler', {}],
  ['bundled', { 'index.js': '"use strict";var d=Object.defineProperty;var e={};d(e,"handler",{enumerable:true,get:()=>h});module.exports=e;var h=async()=>"bundled";' }, 'index.handler', {}],
  ['custom thenable', { 'index.js': 'exports.handler = () => ({ then(resolve) { resolve("then"); } });' }, 'index.handler', {}],
  ['logs', { 'index.js': 'exports.handler = async () => { console.log("one\\ntwo", { a: 1 }); await null; console.error("told"); return 1; };' }, 'index.handler', {}],
  ['callback, which the client refuses', { 'index.js': 'exports.handler = (event, context, callback) => callback(null, 1);' }, 'index.handler', {}, 'init'],
  ['thrown in async', { 'index.js': 'class Refused extends Error { name = "Refused" }\nconst pay = async () => { await null; throw new Refused("no money", { cause: new Error("why") }); };\nexports.handler = async () => { await pay(); };' }, 'index.handler', {}, 'Refused'],
  ['thrown in sync', { 'index.js': 'exports.handler = () => { null.x; };' }, 'index.handler', {}, 'TypeError'],
  ['rejected with no error', { 'index.js': 'exports.handler = async () => { throw "text"; };' }, 'index.handler', {}, 'string'],
  ['answer that is no JSON', { 'index.js': 'exports.handler = async () => { const a = {}; a.a = a; return a; };' }, 'index.handler', {}],
  ['failing import', { 'index.mjs': 'import "./missing.mjs"; export const handler = 1;' }, 'index.handler', {}, 'init'],
  ['failing require', { 'index.js': 'require("not-installed"); exports.handler = async () => 1;' }, 'index.handler', {}, 'init'],
  ['thrown at import', { 'index.mjs': 'throw new RangeError("at import");' }, 'index.handler', {}, 'init'],
  ['syntax error', { 'index.js': 'exports.handler = async () => {' }, 'index.handler', {}, 'init'],
  ['no such file', {}, 'index.handler', {}, 'init'],
  ['no such export', { 'index.js': 'exports.other = 1;' }, 'index.handler', {}, 'init'],
  ['export that is no function', { 'index.js': 'exports.handler = 1;' }, 'index.handler', {}, 'init'],
  ['malformed handler', { 'index.js': '' }, 'handler', {}, 'init'],
  ['exits', { 'index.js': 'exports.handler = async () => { process.exit(3); };' }, 'index.handler', {}, 'exit'],
  ['uncaught', { 'index.js': 'exports.handler = () => new Promise(() => { setTimeout(() => { throw new Error("uncaught"); }, 1); });' }, 'index.handler', {}, 'Error'],
  ['streaming', { 'index.mjs': 'export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.setContentType("text/plain"); stream.write("a"); stream.end("b"); });' }, 'index.handler', {}],
  ['streaming that fails', { 'index.mjs': 'export const handler = awslambda.streamifyResponse(async (event, stream) => { stream.write("a"); await null; throw new TypeError("in the middle"); });' }, 'index.handler', {}, 'TypeError'],
];

/** What an import throws has frames of who imported: the runtime, or the layer in its place. A stack has ten frames. */
function withoutRuntime({ answers, output, status }) {
  const own = (line) => !/^\s+at .*(aws-lambda-ric|layers\/node|node:internal|<anonymous>)/.test(line);
  const told = answers.map(({ path, body }) => {
    const { trace, ...rest } = JSON.parse(body);
    return { path, ...rest, trace: trace.filter(own) };
  });
  return { told, status, output: output.split(/\\n|\n|\r|","/).filter(own).map((line) => line.replace(/^\[|"?\]?}?$/g, '')) };
}

/** A function without a name is called what the runtime's object calls it, which then is the layer's. */
function withoutLabel(result) {
  return JSON.parse(JSON.stringify(result).replaceAll('Processor.<anonymous>', 'Processor.handler'));
}

describe('with the layer and without', { skip, concurrency: 2 }, () => {
  for (const [name, files, handler, event, error] of STYLES) {
    test(name, { skip: files ? false : 'what makes it is not installed' }, async (t) => {
      const intake = await new Intake().start();
      t.after(() => intake.stop());
      const code = folder(files);
      const env = { THROUGHLINE_OTLP_LISTEN: `127.0.0.1:${intake.port}` };
      const bare = await run({ code, handler, events: [event], layer: false, env });
      const layered = await run({ code, handler, events: [event], layer: true, env });
      const same = error === 'init' || name === 'thrown in sync' ? withoutRuntime : withoutLabel;
      assert.deepEqual(same(layered), same(bare));
      if (error === 'init') {
        assert.equal(intake.spans.length, 0);
      } else {
        const [span, ...others] = await intake.until(1);
        assert.equal(others.length, 0);
        assert.equal(span.traceId, TRACE);
        assert.equal(span.parentSpanId, PARENT);
        assert.equal(span.name, 'shop');
        assert.equal(span.kind, 2);
        assert.equal(span.attributes['faas.invocation_id'], '00000000-0000-4000-8000-000000000000');
        assert.equal(span.attributes['faas.coldstart'], true);
        assert.equal(span.attributes['cloud.resource_id'], 'arn:aws:lambda:us-east-1:123456789012:function:shop');
        assert.equal(span.attributes['error.type'], error === 'exit' ? undefined : error);
        assert.equal(span.attributes['throughline.unfinished'], error === 'exit' || name === 'uncaught' ? true : undefined);
        assert.equal(span.status && span.status.code, error && error !== 'exit' ? 2 : undefined);
      }
    });
  }
});

describe('a process of several invocations', { skip }, () => {
  let intake;
  before(async () => (intake = await new Intake().start()));
  after(() => intake.stop());

  test('each is a span over one connection, and the first one is cold', async () => {
    const code = folder({ 'index.js': 'exports.handler = async (event) => process.env._X_AMZN_TRACE_ID;' });
    const env = { THROUGHLINE_OTLP_LISTEN: `127.0.0.1:${intake.port}` };
    const { answers } = await run({ code, handler: 'index.handler', events: [1, 2, 3], layer: true, env });
    const spans = await intake.until(3);
    assert.deepEqual(spans.map((span) => span.attributes['faas.coldstart']), [true, false, false]);
    assert.equal(intake.connections, 1);
    // What AWS's SDKs send is our trace, below the span of the invocation, with everything else kept.
    const named = answers.map(({ body }) => JSON.parse(body));
    assert.deepEqual(named, spans.map((span) => `Root=1-5f35ae12-0c0fec141ab77a00bc047aa2;Parent=${span.spanId};Sampled=0;Lineage=1:a:0`));
  });
});

test('without an extension nothing is sent and nothing is said', { skip }, async () => {
  const code = folder({ 'index.js': 'exports.handler = async () => { await new Promise((r) => setTimeout(r, 20)); return process.env._X_AMZN_TRACE_ID; };' });
  const { answers, output } = await run({ code, handler: 'index.handler', events: [1, 2], layer: true, env: { THROUGHLINE_OTLP_LISTEN: '127.0.0.1:1' } });
  assert.equal(answers.length, 2);
  assert.equal(output, '');
});

test('the kill switch leaves the runtime alone', { skip }, async () => {
  const code = folder({ 'index.js': 'exports.handler = async () => [process.env.THROUGHLINE_HANDLER ?? null, Object.keys(require.cache).filter((name) => name.includes("throughline/lib")).length];' });
  const { answers } = await run({ code, handler: 'index.handler', events: [1], layer: true, env: { THROUGHLINE_LAYER: 'off' } });
  assert.equal(answers[0].body, '[null,0]');
});

test('what is loaded when it is needed is there, also when packed', { skip }, async (t) => {
  const intake = await new Intake().start();
  t.after(() => intake.stop());
  const code = folder({
    'node_modules/pg/package.json': '{"name":"pg","main":"index.js"}',
    'node_modules/pg/index.js': 'exports.Client = class Client { async query() { return 1; } };',
    'index.mjs': `import pg from 'pg';
      export const handler = async () => {
        globalThis[Symbol.for('opentelemetry.js.api.1')].trace.getTracer('t').startSpan('own').end();
        return new pg.Client().query('SELECT a FROM orders');
      };`,
  });
  const { answers } = await run({ code, handler: 'index.handler', events: [1], layer: true, env: { THROUGHLINE_OTLP_LISTEN: `127.0.0.1:${intake.port}` } });
  assert.equal(answers[0].body, '1');
  const spans = await intake.until(3);
  assert.deepEqual(spans.map(({ name }) => name), ['shop', 'SELECT orders', 'own']);
});

test('what is open shortly before the deadline is sent as unfinished, once', { skip }, async () => {
  const intake = await new Intake().start();
  const code = folder({ 'index.js': 'exports.handler = async () => { await new Promise((r) => setTimeout(r, 390)); return 1; };' });
  const env = { THROUGHLINE_OTLP_LISTEN: `127.0.0.1:${intake.port}` };
  await run({ code, handler: 'index.handler', events: [1, 2], layer: true, env, timeoutMs: 400 });
  const spans = await intake.until(2);
  assert.deepEqual(spans.map((span) => span.attributes['throughline.unfinished']), [true, true]);
  assert.equal(intake.spans.length, 2);
  await intake.stop();
});
