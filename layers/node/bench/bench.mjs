/**
 * What the layer costs a function, beside the bare runtime client and what others offer: `node bench.mjs OUT.json`.
 *
 * Each set-up is started RUNS times in turn; the minimum counts, since whatever else the machine does only adds to it.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { sizes } from './sizes.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const PACKED = path.join(os.tmpdir(), `throughline-bench-${process.pid}`);
const packed = spawnSync(process.execPath, [path.join(HERE, '../pack.mjs'), PACKED]);
if (packed.status !== 0) throw new Error(String(packed.stderr));
process.env.THROUGHLINE_LAYER_FOLDER = path.join(PACKED, 'node');
const { run } = require('../tests/support/runtime.js');
const { Intake } = require('../tests/support/intake.js');

const RUNS = Number(process.env.BENCH_RUNS ?? 20);
const CALLS = 20;
const INVOCATIONS = 40;
/** The first invocations load what is loaded late and are compiled; they do not count. */
const WARM = 15;

const otel = path.join(HERE, 'node_modules/@opentelemetry/auto-instrumentations-node/build/src/register.js');
const xray = path.join(HERE, 'node_modules/aws-xray-sdk-core');

const intake = await new Intake().start();
intake.keep = () => {};
const fake = http.createServer((request, response) => {
  request.resume().on('end', () => {
    response.setHeader('x-amzn-requestid', '5f35ae12-0c0f-4ec1-81ab-77a00bc047aa');
    response.setHeader('content-type', 'application/x-amz-json-1.0');
    response.end('{"Item":{"id":{"N":"7"},"name":{"S":"kettle"}}}');
  });
});
await new Promise((resolve) => fake.listen(0, '127.0.0.1', resolve));

const env = {
  FAKE_AWS: `http://127.0.0.1:${fake.address().port}`,
  THROUGHLINE_OTLP_LISTEN: `127.0.0.1:${intake.port}`,
  OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${intake.port}`,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
  OTEL_METRICS_EXPORTER: 'none',
  OTEL_LOGS_EXPORTER: 'none',
  OTEL_NODE_RESOURCE_DETECTORS: 'none',
};
const SET_UPS = {
  bare: { layer: false, env },
  throughline: { layer: true, env },
  opentelemetry: { layer: false, env: { ...env, NODE_OPTIONS: `--require ${otel}` } },
  'aws-xray-sdk-core': { layer: false, env: { ...env, NODE_OPTIONS: `--require ${xray}`, AWS_XRAY_CONTEXT_MISSING: 'IGNORE_ERROR' } },
};

const code = path.join(HERE, 'function');
const once = async (set, events) => {
  const { answers, output } = await run({ code, handler: 'index.handler', events, timeoutMs: 60_000, ...set });
  if (answers.length !== events.length || answers.some((answer) => answer.path !== 'response')) throw new Error(output);
  return answers.map(({ body }) => JSON.parse(body));
};
const least = (values) => Math.min(...values);
const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const found = Object.fromEntries(Object.keys(SET_UPS).map((name) => [name, { cpu: [], wall: [], callsWall: [], callsCpu: [] }]));
for (let n = 0; n < RUNS; n++) {
  for (const [name, set] of Object.entries(SET_UPS)) {
    const [init] = await once(set, [{}]);
    found[name].cpu.push(init.cpu);
    found[name].wall.push(init.wall);
  }
}
for (let n = 0; n < RUNS; n++) {
  for (const [name, set] of Object.entries(SET_UPS)) {
    const all = (await once(set, Array(INVOCATIONS).fill({ calls: CALLS }))).slice(WARM);
    found[name].callsWall.push(median(all.map(({ wall }) => wall)));
    found[name].callsCpu.push(all.reduce((sum, { cpu }) => sum + cpu, 0) / all.length);
  }
}
await intake.stop();
fake.closeAllConnections();
fake.close();

const zipKib = statSync(path.join(PACKED, 'node.zip')).size / 1024;
rmSync(PACKED, { recursive: true });

const above = (name, what) => least(found[name][what]) - least(found.bare[what]);
const rivalsKib = Object.fromEntries(Object.entries(sizes()).map(([name, kib]) => [name, Math.round(kib)]));
const others = (what) => Object.fromEntries(['opentelemetry', 'aws-xray-sdk-core'].map((name) => [name, round(above(name, what))]));
const round = (value) => Math.round(value * 100) / 100;
const figure = (name, value, unit, goal, met, beside, note) => ({ name, value: round(value), unit, goal, met, beside, note });
const initCpu = above('throughline', 'cpu');
const ratio = above('opentelemetry', 'cpu') / Math.max(initCpu, 0.01);
const note = `minimum of ${RUNS} above the bare client, which takes`;
const figures = [
  figure('node_init_cpu', initCpu, 'ms', '<= 10', initCpu <= 10, others('cpu'), `${note} ${round(least(found.bare.cpu))} ms`),
  figure('node_init_wall', above('throughline', 'wall'), 'ms', '', true, others('wall'), `${note} ${round(least(found.bare.wall))} ms`),
  figure('node_init_times_below_opentelemetry', ratio, 'x', '>= 10', ratio >= 10, {}, ''),
  figure('node_20_calls_wall', above('throughline', 'callsWall'), 'ms', '', true, others('callsWall'), `added to an invocation with ${CALLS} calls of DynamoDB, median of ${INVOCATIONS - WARM}, least of ${RUNS}; bare: ${round(least(found.bare.callsWall))} ms`),
  figure('node_20_calls_cpu', above('throughline', 'callsCpu'), 'ms', '', true, others('callsCpu'), `bare: ${round(least(found.bare.callsCpu))} ms`),
  figure('node_zip', zipKib, 'KiB', '<= 150', zipKib <= 150, rivalsKib, 'beside it: what npm installs, in a zip made alike'),
];
for (const { name, value, unit, goal, met, beside } of figures) {
  const rest = Object.entries(beside).map(([other, theirs]) => `${other} ${theirs}`).join(', ');
  console.log(`${name.padEnd(38)} ${String(value).padStart(8)} ${unit.padEnd(4)} ${(goal && `${goal} ${met ? 'met' : 'MISSED'}`).padEnd(14)} ${rest}`);
}

const out = process.argv[2] ?? 'target/bench/layers.json';
mkdirSync(path.dirname(out), { recursive: true });
let kept = [];
try {
  kept = JSON.parse(readFileSync(out, 'utf8')).figures.filter(({ name }) => !name.startsWith('node_'));
} catch {
  // The first language of the two.
}
const git = (...words) => String(spawnSync('git', words, { cwd: HERE }).stdout).trim();
const machine = `${os.cpus().length} cores, ${os.cpus()[0].model}, Node ${process.versions.node}`;
writeFileSync(out, `${JSON.stringify({ bench: 'layers', commit: git('rev-parse', '--short', 'HEAD'), date: new Date().toISOString(), machine, figures: [...kept, ...figures] }, null, 2)}\n`);
