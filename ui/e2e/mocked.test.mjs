// Clicks through the built page over recorded answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKOUT_ID, LARGE_ID, LONG_INTEGER } from './mock.mjs';
import { fits, screenshot } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const ROW = 'a[data-trace]';
const SPAN = '[role=treegrid] [role=row][aria-level]';
const CHECKOUT = `a[data-trace="${CHECKOUT_ID}"]`;

/** The row under the cursor of the waterfall. */
const cursorRow = () => page.locator(`${SPAN}[aria-selected=true]`);

const search = () => new URL(page.url()).search;

/** @param {string} path */
async function openList(path = '/') {
  await page.goto(url + path);
  await page.locator(ROW).first().waitFor();
}

async function openCheckout() {
  await page.goto(`${url}/traces/${CHECKOUT_ID}`);
  await page.locator(SPAN).first().waitFor();
}

test('from the list to the stack trace of the failed span, and back', async () => {
  await openList('/?status=error');
  await page.click(CHECKOUT);
  await page.locator(SPAN).first().waitFor();
  const words = await page.locator('main header').first().innerText();
  assert.match(words, /26 spans over 3 services, 4 errors, 3 cold starts/);

  await page.locator(SPAN, { hasText: 'reserve' }).click();
  const panel = page.locator('aside');
  await panel.getByText('Traceback (most recent call last)').waitFor();
  assert.match(await panel.innerText(), /warehouse\.OutOfStock\s+teapot-blue: 2 wanted, 0 left/);
  await panel.getByRole('tab', { name: 'Overview' }).click();
  assert.match(await panel.innerText(), /inventory\.sku\s+teapot-blue/);
  await panel.getByRole('tab', { name: 'Environment' }).click();
  await panel.getByText('All that it says of itself').click();
  assert.match(await panel.innerText(), /faas\.instance/);
  assert.match(search(), /^\?span=[0-9a-f]{16}$/);

  const logs = page.locator('section[aria-label=Logs]');
  assert.match(await logs.innerText(), /Logs 5 of 15/);
  await logs.getByText('Whole trace').click();
  assert.match(await logs.innerText(), /REPORT RequestId/);

  await page.getByRole('link', { name: 'Back to the list of traces' }).click();
  await page.locator(ROW).first().waitFor();
  assert.equal(search(), '?status=error');
});

test('from a span to the page of its function, in the same environment', async () => {
  await page.goto(`${url}/traces/${CHECKOUT_ID}?env=staging`);
  await page.locator(SPAN, { hasText: 'reserve' }).click();
  await page.getByRole('tab', { name: 'Environment' }).click();
  await page.getByRole('link', { name: 'All about inventory' }).click();
  await page.waitForURL(/\/functions\/inventory\?env=staging$/);
  await page.getByRole('heading', { name: 'inventory' }).first().waitFor();
});

test('the waterfall shows functions, phases, cold starts, orphans and logs', async () => {
  await openCheckout();
  const rows = await page.locator(SPAN).allInnerTexts();
  const names = rows.map((row) => row.split('\n').slice(0, -1).join(' ').trim());
  assert.equal(names[0], 'checkout invocation cold start');
  assert.equal(names.filter((name) => name === 'init').length, 3);
  assert.ok(names.some((name) => name.includes('inventory invocation cold start')));
  assert.equal((await page.locator(`${SPAN}.platform`).count()) > 0, true);
  assert.ok((await page.locator('.mark').count()) > 5);

  await page.locator('[role=treegrid]').focus();
  await page.keyboard.press('End');
  await page.getByText('parent missing').first().waitFor();
  await page.keyboard.press('Enter');
  assert.match(await page.locator('aside').innerText(), /feedfacefeedface\s+has not arrived/);
});

test('an integer of 64 bits keeps its digits', async () => {
  await openCheckout();
  await page.locator(SPAN, { hasText: 'validate basket' }).click();
  await page.locator('aside').getByText(LONG_INTEGER).waitFor();
});

test('the list by keyboard alone', async () => {
  await openList();
  await page.keyboard.press('/');
  await page.locator('input:focus[placeholder^=Operation]').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('k');
  const focused = () => page.evaluate(() => document.activeElement?.getAttribute('data-trace'));
  assert.equal(await focused(), CHECKOUT_ID);
  await page.keyboard.press('Enter');
  await page.locator(SPAN).first().waitFor();
  await page.keyboard.press('Backspace');
  await page.locator(`${CHECKOUT}:focus`).waitFor();
});

test('the trace by keyboard alone', async () => {
  await openCheckout();
  await page.keyboard.press('j');
  for (let at = 0; at < 3; at += 1) await page.keyboard.press('ArrowDown');
  assert.match(await cursorRow().innerText(), /POST \/checkout/);
  assert.equal(await cursorRow().getAttribute('aria-expanded'), 'true');
  const before = await page.locator(SPAN).count();
  await page.keyboard.press('ArrowLeft');
  await page.locator(`${SPAN}[aria-selected=true][aria-expanded=false]`).waitFor();
  assert.ok((await page.locator(SPAN).count()) < before);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  assert.match(await cursorRow().innerText(), /validate basket/);

  await page.keyboard.press('e');
  await page.locator('aside h2', { hasText: 'reserve' }).waitFor();
  await page.keyboard.press('k');
  await page.locator('aside h2', { hasText: 'response latency' }).waitFor();
  await page.keyboard.press('Escape');
  await page.locator('aside').waitFor({ state: 'detached' });
  assert.equal(search(), '');

  await page.keyboard.press('z');
  await page.getByRole('button', { name: 'Zoomed to a span' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Zoomed to a span' }).waitFor({ state: 'detached' });

  await page.keyboard.press('?');
  await page.getByRole('heading', { name: 'Keys' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('heading', { name: 'Keys' }).waitFor({ state: 'hidden' });

  await page.keyboard.press('/');
  await page.keyboard.type('select');
  await page.getByText('3 matches').waitFor();
  await page.keyboard.press('Enter');
  await page.locator(`${SPAN}[aria-selected=true]`, { hasText: 'SELECT stock' }).waitFor();
});

test('a story says in words what happened, what waited, and how it was joined', async () => {
  const trace = server.traces.get(CHECKOUT_ID);
  assert.ok(trace);
  const spans = trace.spans.map((/** @type {any} */ span, /** @type {number} */ at) =>
    at === 3
      ? { ...span, inferred: true, join: { how: 'matched', key: 'sqs:1b2c' }, attempt: 2 }
      : span,
  );
  const cost = { usd: 0.0000131, reported: 3, missing: 0 };
  /** @type {any} */
  const story = { ...trace, spans, cost, trace_ids: [CHECKOUT_ID, LARGE_ID] };
  server.traces.set(CHECKOUT_ID, story);
  await openCheckout();
  const words = await page.locator('main header').first().innerText();
  assert.match(
    words,
    /26 steps across 3 functions, .*2 traces joined, \$0\.0000131, failed in inventory/,
  );
  const row = page.locator(SPAN).nth(3);
  assert.match(await row.innerText(), /waited[\s\S]*attempt 2[\s\S]*matched/);
  await row.click();
  await page.getByRole('tab', { name: 'Overview' }).click();
  await page.getByText('Joined by what nobody else has: both have sqs:1b2c.').waitFor();
  await page.getByRole('tab', { name: 'Environment' }).click();
  await page
    .getByRole('tabpanel', { name: 'Environment' })
    .getByText('Region', { exact: true })
    .waitFor();
  await page.keyboard.press('End');
  await page.getByRole('tabpanel', { name: 'Raw' }).getByText('"inferred": true').waitFor();
  await page.keyboard.press('j');
  await page.getByRole('tabpanel', { name: 'Raw' }).getByText('"inferred": false').waitFor();
});

test('the keys go on after something was chosen with the mouse', async () => {
  await openCheckout();
  await page.getByText('Graph', { exact: true }).click();
  await page.locator('[data-node]').first().waitFor();
  await page.keyboard.press('w');
  await page.getByRole('treegrid', { name: 'Spans and logs of the trace' }).waitFor();
  await page.getByText('Compare', { exact: true }).click();
  await page.waitForURL(/view=compare/);
  await page.keyboard.press('g');
  await page.keyboard.press('5');
  await page.waitForURL(/\/explore/);
});

test('the grid points to the row under the cursor', async () => {
  await openCheckout();
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  const active = await page.locator('[role=treegrid]').getAttribute('aria-activedescendant');
  assert.equal(await cursorRow().getAttribute('id'), active);
  assert.equal(await cursorRow().getAttribute('aria-level'), '2');
  assert.equal(await page.locator('[role=treegrid]').getAttribute('aria-rowcount'), '27');
});

test('filters live in the address and survive a reload', async () => {
  await openList();
  await page.getByText('Errors', { exact: true }).click();
  await page.selectOption('select', 'storefront');
  await page.fill('input[placeholder="≥ ms"]', '0.1s');
  await page.keyboard.press('Enter');
  await page.fill('input[placeholder="attribute=value"]', 'nonsense');
  await page.keyboard.press('Enter');
  await page.getByText('Write an attribute as').waitFor();
  await page.fill('input[placeholder="attribute=value"]', 'faas.coldstart=true');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No trace matches' }).waitFor();
  assert.equal(
    search(),
    '?service=storefront&status=error&min=100ms&attribute=faas.coldstart%3Dtrue',
  );
  await page.getByRole('button', { name: 'Remove faas.coldstart=true' }).click();
  await page.locator(ROW).first().waitFor();
  await page.reload();
  await page.locator(ROW).first().waitFor();
  const rows = await page.locator('[role=row]:has(a[data-trace])').allInnerTexts();
  assert.ok(rows.every((row) => row.includes('storefront')));
  assert.equal(await page.inputValue('select'), 'storefront');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.locator(CHECKOUT).waitFor();
  assert.equal(search(), '');
});

test('an attribute of a span leads to all traces that have it', async () => {
  await openCheckout();
  await page.locator(SPAN).first().click();
  await page.locator('aside').getByTitle('Traces with faas.coldstart = true').focus();
  await page.keyboard.press('Enter');
  await page.locator(ROW).first().waitFor();
  assert.equal(search(), '?attribute=faas.coldstart%3Dtrue');
});

test('new traces come by themselves, but never under the pointer', async () => {
  await openList();
  server.arrive('a'.repeat(32));
  await page.locator(`a[data-trace="${'a'.repeat(32)}"]`).waitFor();

  await page.locator(ROW).nth(3).hover();
  const before = await page.locator(ROW).nth(3).getAttribute('data-trace');
  server.arrive('b'.repeat(32));
  const show = page.getByRole('button', { name: 'Show 1 new' });
  await show.waitFor();
  assert.equal(await page.locator(ROW).nth(3).getAttribute('data-trace'), before);
  await show.click();
  await page.locator(`a[data-trace="${'b'.repeat(32)}"]`).waitFor();
});

test('a server in trouble: what was there stays and the page says so', async () => {
  await openList();
  server.failing = true;
  await page.getByText('stored data could not be read (TL0208)').waitFor();
  assert.equal(await page.locator(ROW).count(), 50);
  server.failing = false;
  await page.getByRole('button', { name: 'Ask now' }).click();
  await page.getByText('stored data could not be read').waitFor({ state: 'detached' });
});

test('pausing stops the asking', async () => {
  await page.clock.install();
  await openList();
  let asked = 0;
  page.on('request', () => (asked += 1));
  await page.clock.runFor(2_500);
  assert.ok(asked > 0, 'it asks before it is paused');
  await page.keyboard.press('p');
  await page.getByText('Paused').waitFor();
  asked = 0;
  await page.clock.runFor(20_000);
  assert.equal(asked, 0);
});

test('older traces are loaded, and found again after a visit to one of them', async () => {
  await openList();
  await page.getByRole('button', { name: 'Load older traces' }).click();
  await page.locator(ROW).nth(80).waitFor();
  const id = await page.locator(ROW).nth(80).getAttribute('data-trace');
  await page.locator(ROW).nth(80).click();
  await page.getByRole('heading', { name: 'This trace is not here' }).waitFor();
  await page.getByRole('link', { name: 'Back to the list of traces' }).click();
  await page.locator(`a[data-trace="${id}"]:focus`).waitFor();
  const box = await page.locator(`a[data-trace="${id}"]`).boundingBox();
  assert.ok(box !== null && box.y > 0 && box.y < 800, 'the row is in sight again');
});

test('without traces it tells how to send the first, which then appears', async () => {
  const list = server.list.splice(0);
  await page.goto(url);
  await page.getByRole('heading', { name: 'No traces yet' }).waitFor();
  const text = await page.locator('main').innerText();
  for (const word of ['make demo', ':4318', '4317', 'OTEL_EXPORTER_OTLP_ENDPOINT']) {
    assert.ok(text.includes(word), word);
  }
  await fits(page, 'empty-1280-light');
  server.list.push(...list);
  await page.mouse.move(5, 5);
  await page.locator(CHECKOUT).waitFor();
});

test('a server with a key asks for it once', async () => {
  server.key = 's3cret';
  await page.goto(url);
  await page.fill('input[type=password]', 'wrong');
  await page.keyboard.press('Enter');
  await page.fill('input[type=password]', 's3cret');
  await page.keyboard.press('Enter');
  await page.locator(ROW).first().waitFor();
  await page.reload();
  await page.locator(ROW).first().waitFor();
});

test('ten thousand spans stay usable', async () => {
  server.addLarge();
  const began = performance.now();
  await page.goto(`${url}/traces/${LARGE_ID}`);
  await page.locator(SPAN).first().waitFor();
  console.log(`10,000 spans: first rows after ${Math.round(performance.now() - began)} ms`);
  assert.ok((await page.locator(SPAN).count()) < 100, 'only what is in sight is drawn');
  assert.equal(await page.locator('[role=treegrid]').getAttribute('aria-rowcount'), '10001');
  await page.locator('[role=treegrid]').focus();
  await page.keyboard.press('End');
  await page.locator(`${SPAN}[aria-rowindex="10001"][aria-selected=true]`).waitFor();
  const pressed = performance.now();
  for (let at = 0; at < 50; at += 1) await page.keyboard.press('ArrowUp');
  await page.locator(`${SPAN}[aria-rowindex="9951"][aria-selected=true]`).waitFor();
  console.log(`50 steps: ${Math.round(performance.now() - pressed)} ms`);
  await page.keyboard.press('e');
  await page.locator('aside', { hasText: 'ledger is locked' }).waitFor();
  await screenshot(page, 'large-1280-light');
});

test('the theme can be chosen and is kept', async () => {
  await openList();
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await background();
  await page.getByRole('button', { name: 'Colours: as the system' }).click();
  await page.getByRole('button', { name: 'Colours: light' }).click();
  const dark = await background();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await background(), dark);
});

atWidths('both pages', [1280, 390], async (name, width) => {
  await openList();
  await fits(page, `list-${name}`);
  await page.click(CHECKOUT);
  await page.locator(SPAN).first().waitFor();
  await fits(page, `trace-${name}`);
  await page.getByRole('button', { name: /show the cause/ }).click();
  await page.getByText('Traceback').waitFor();
  const row = await cursorRow().boundingBox();
  const panel = await page.locator('aside').boundingBox();
  assert.ok(row && panel, 'row and panel are drawn');
  const covered = row.y + row.height > panel.y + 1 && row.x + 1 > panel.x;
  assert.ok(!covered, 'the row of the open panel is in sight');
  await fits(page, `panel-${name}`);
  if (width < 500) {
    await page.keyboard.press('Escape');
    await page.locator('label', { hasText: /Logs \d+/ }).click();
    await page.getByText('checkout of basket b-1021').waitFor();
    await fits(page, `logs-${name}`);
  }
});
