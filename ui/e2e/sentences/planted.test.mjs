// What is recorded of an incident: its minutes without a gap, as one request each, and the cause that was planted.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mock, test } from 'node:test';
import { causes, recovery, write } from './planted.mjs';
import { take } from './take.mjs';

const EXAMPLE = new URL('../../../examples/big-mouth/', import.meta.url);
const read = (/** @type {string} */ path) => readFileSync(new URL(path, EXAMPLE), 'utf8');

test('every misbehaviour has a cause, which the application has or which is outside', () => {
  const traffic = read('traffic/misbehave.py').split('\nALL = {\n')[1] ?? '';
  const known = [...traffic.matchAll(/^ {4}"([a-z-]+)": /gm)].map(([, name]) => name);
  const planted = causes('host:pay.example');
  assert.deepEqual(Object.keys(planted), known);
  assert.deepEqual(planted['slow-payment'], ['host:pay.example']);
  const application = read('throughline.toml');
  const kinds = {
    table: 'AWS::DynamoDB::Table',
    queue: 'AWS::SQS::Queue',
    topic: 'AWS::SNS::Topic',
  };
  for (const node of Object.values(planted).flat()) {
    const [kind = '', name] = node.split(':');
    const type = /** @type {Record<string, string>} */ (kinds)[kind];
    if (kind === 'function') assert.ok(application.includes(`[functions.${name}]\n`), node);
    else if (kind !== 'host') {
      assert.ok(application.includes(`[resources.${name}]\ntype = "${type}"\n`), node);
    }
  }
});

test('what leaves work behind has longer to recover', () => {
  assert.equal(recovery('slow-payment'), 40_000);
  assert.equal(recovery('cost-leak'), 90_000);
});

test('requests of a path become one file, beside when it was and why', () => {
  const folder = mkdtempSync(join(tmpdir(), 'throughline-planted-'));
  try {
    const sent = [
      { path: '/v1/traces', body: Buffer.from('ab') },
      { path: '/v1/logs', body: Buffer.from('x') },
      { path: '/v1/traces', body: Buffer.from('c') },
    ];
    const place = join(folder, 'a', 'timeout');
    assert.equal(write(place, { sent, from: 5, to: 9 }, ['function:place-order']), 4);
    assert.equal(readFileSync(join(place, 'traces.binpb'), 'utf8'), 'abc');
    assert.equal(readFileSync(join(place, 'logs.binpb'), 'utf8'), 'x');
    assert.deepEqual(JSON.parse(readFileSync(join(place, 'take.json'), 'utf8')), {
      from_unix_millis: 5,
      to_unix_millis: 9,
      causes: ['function:place-order'],
    });
    const silent = sent.filter((it) => it.path !== '/v1/logs');
    assert.throws(() => write(place, { sent: silent, from: 5, to: 9 }, []), /nothing .*\/v1\/logs/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('minutes in which the machine stood still are recorded anew, after all is as it was', async () => {
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_000_000 });
  mock.method(console, 'log', () => {});
  try {
    /** @type {string[]} */
    const steps = [];
    const shop = {
      record: () => void steps.push('record'),
      recorded: () => {
        steps.push('recorded');
        return [{ path: '/v1/traces', body: Buffer.from(`${steps.length}`) }];
      },
    };
    let isDone = false;
    const taking = take(shop, 1, async () => void steps.push('again'));
    const done = taking.finally(() => (isDone = true));
    const tick = async (/** @type {number} */ millis) => {
      mock.timers.tick(millis);
      await new Promise((later) => setImmediate(later));
    };
    for (let nth = 0; nth < 20; nth += 1) await tick(500);
    await tick(10_500);
    assert.deepEqual(steps, ['record', 'recorded', 'again', 'record']);
    // A gap that is shorter does not matter.
    await tick(10_000);
    for (let nth = 0; nth < 99; nth += 1) await tick(500);
    assert.equal(isDone, false);
    await tick(500);
    assert.deepEqual(await done, {
      sent: [{ path: '/v1/traces', body: Buffer.from('5') }],
      from: 1_020_500,
      to: 1_080_500,
    });
  } finally {
    mock.restoreAll();
    mock.timers.reset();
  }
});
