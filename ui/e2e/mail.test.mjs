// From the mail about an incident to the line that fails: a server that has known a function for three days, and calls of
// it that begin to fail. THROUGHLINE_BIN=.../throughline npm run e2e.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { fits, openPage } from './page.mjs';
import { MailCatcher } from './sentences/catchers.mjs';
import { start } from './sentences/player.mjs';
import { linkIn } from './sentences/stage.mjs';

const program = process.env['THROUGHLINE_BIN'] ?? '';
const skip = program === '' && 'THROUGHLINE_BIN is not set';

const FUNCTION = 'place-order';
const TRACE = [
  'Traceback (most recent call last):',
  '  File "/var/task/app.py", line 42, in place',
  '    price = PRICES[order["dish"]]',
  "KeyError: 'laksa'",
].join('\n');
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
/** Between two calls. */
const APART = 3 * SECOND;
/** A minute is judged when it has been over for two, and what is wrong in two of them is told. */
const PATIENCE = 6 * MINUTE;
const CALLS_A_REQUEST = 2_000;

/** @type {Awaited<ReturnType<typeof start>>} */
let server;
/** @type {import('playwright-core').Browser} */
let browser;
const mails = new MailCatcher();
const data = mkdtempSync(join(tmpdir(), 'throughline-mail-'));
let calls = 0;

before(async () => {
  if (skip) return;
  await mails.listen();
  browser = await launch();
  await serve();
  await remember(Date.now());
  // It learns from what is stored, and judges what comes.
  await server.stop();
  rmSync(join(data, 'detection'), { recursive: true, force: true });
  await serve();
  const email = {
    type: 'email',
    to: ['ops@example.com'],
    from: 'Throughline <throughline@example.com>',
    smtp: { host: '127.0.0.1', port: mails.port, tls: 'none' },
  };
  await put('/api/v1/notifications', {
    receivers: [{ name: 'ops', channel: email }],
    routes: [{ name: 'everything', receivers: ['ops'], severity: 'note' }],
  });
});

after(async () => {
  await browser?.close();
  await server?.stop();
  mails.stop();
  rmSync(data, { recursive: true, force: true });
});

test('the link in a mail leads to the line that fails', { skip }, async () => {
  const mail = await toldWhileFailing();
  assert.match(mail.text, /place-order.* fails (more|in a new way)/);
  const { page, complaints, close } = await openPage(browser, { height: 1000 });
  try {
    await page.goto(linkIn(mail, /The whole incident/) ?? '');
    const unusual = page.getByRole('region', { name: 'What is unusual' });
    await unusual
      .getByRole('link', { name: /^example of/ })
      .first()
      .click();
    const panel = page.locator('aside');
    await panel.getByText('Stack trace', { exact: true }).waitFor();
    const text = await panel.innerText();
    assert.match(text, /KeyError/);
    assert.match(text, /app\.py:42|app\.py", line 42/);
    await fits(page, 'mail-failing-line');
    assert.deepEqual(complaints, [], 'the page complained');
  } finally {
    await close();
  }
});

async function serve() {
  const anywhere = ['--http', '--otlp-http', '--otlp-grpc'].flatMap((it) => [it, '127.0.0.1:0']);
  server = await start(program, ['serve', '--json', '--data-dir', data, ...anywhere]);
}

/** The hours of this time of day on each of three days before, and the last two, in which all is well. @param {number} now */
async function remember(now) {
  const ends = [now - 3 * MINUTE, ...[1, 2, 3].map((days) => now - days * DAY + 2 * HOUR)];
  for (const [nth, end] of ends.toReversed().entries()) {
    const begin = end - (nth === ends.length - 1 ? 2 : 4) * HOUR;
    const times = Array.from({ length: (end - begin) / APART }, (_, at) => begin + at * APART);
    while (times.length > 0) await send(times.splice(0, CALLS_A_REQUEST), false);
  }
}

/** Every second call fails, from two minutes ago on, until there is a mail about an incident. */
async function toldWhileFailing() {
  let from = Date.now() - 2 * MINUTE;
  for (const end = Date.now() + PATIENCE; Date.now() < end;) {
    const times = [];
    for (; from < Date.now(); from += APART) times.push(from);
    if (times.length > 0) await send(times, true);
    const mail = mails.mails.find((it) => /\/incidents\/\d+/.test(it.text));
    if (mail) return mail;
    await new Promise((later) => setTimeout(later, APART));
  }
  return assert.fail('no mail comes');
}

/** Calls that begin at these times. @param {number[]} times @param {boolean} fails whether every second one fails */
async function send(times, fails) {
  const spans = times.map((time) => {
    calls += 1;
    const took = 20 + ((calls * 7) % 10);
    const nanos = (/** @type {number} */ millis) => `${Math.round(millis)}000000`;
    const call = {
      traceId: calls.toString(16).padStart(32, '0'),
      spanId: calls.toString(16).padStart(16, '0'),
      name: FUNCTION,
      kind: 2,
      startTimeUnixNano: nanos(time),
      endTimeUnixNano: nanos(time + took),
    };
    if (!fails || calls % 2 === 0) return call;
    const attributes = {
      'exception.type': 'KeyError',
      'exception.message': "'laksa'",
      'exception.stacktrace': TRACE,
    };
    const event = {
      name: 'exception',
      timeUnixNano: nanos(time + took),
      attributes: valued(attributes),
    };
    const status = { code: 2, message: "'laksa'" };
    return { ...call, status, events: [event], attributes: valued({ 'error.type': 'KeyError' }) };
  });
  const resource = { attributes: valued({ 'service.name': FUNCTION, 'faas.name': FUNCTION }) };
  const body = JSON.stringify({ resourceSpans: [{ resource, scopeSpans: [{ spans }] }] });
  const headers = { 'content-type': 'application/json' };
  const url = `http://${server.first.otlp_http}/v1/traces`;
  const answer = await fetch(url, { method: 'POST', headers, body });
  assert.equal(answer.status, 200, await answer.text());
}

/** @param {Record<string, string>} attributes */
function valued(attributes) {
  return Object.entries(attributes).map(([key, text]) => ({ key, value: { stringValue: text } }));
}

/** @param {string} path @param {unknown} body */
async function put(path, body) {
  const url = `http://${server.first.http}${path}`;
  const answer = await fetch(url, { method: 'PUT', body: JSON.stringify(body) });
  assert.ok(answer.ok, `${answer.status} ${await answer.text()}`);
}
