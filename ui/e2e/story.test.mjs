// The story of one trace: what it waited for, what a span says of itself, its logs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkoutTrace } from '../fixtures/checkout.mjs';
import { CHECKOUT_ID } from './mock.mjs';
import { fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const SPAN = '[role=treegrid] [role=row][aria-level]';

/** @param {string} [search] */
async function openCheckout(search = '') {
  await page.goto(`${url}/traces/${CHECKOUT_ID}${search}`);
  await page.locator(SPAN).first().waitFor();
}

const panel = () => page.locator('aside');
/** @param {string} name */
const tabPanel = (name) => page.getByRole('tabpanel', { name });
const search = () => new URL(page.url()).search;

test('the header says where the time went, and leads there', async () => {
  await openCheckout();
  const where = page.getByRole('region', { name: 'Where the time went' });
  assert.match(await where.innerText(), /Where the 2\.00\ss until the end went/);
  const parts = await where.getByRole('button').allInnerTexts();
  assert.equal(parts.length, 3);
  assert.match(String(parts[0]), /35\s%\s+init in inventory\s+702\sms/);
  await where.getByRole('button').first().click();
  await panel().locator('h2', { hasText: 'init' }).waitFor();
  await panel()
    .getByText(/On the critical path until the end: 702\sms \(35\s%\) in it\./)
    .waitFor();
});

test('the critical path goes to the end, to the answer, or is not drawn', async () => {
  await openCheckout();
  const drawn = () => page.locator('.way').count();
  const mail = page.locator(SPAN, { hasText: 'render template' });
  assert.ok((await drawn()) > 10);
  assert.equal(await mail.locator('.way').count(), 1);
  await page.keyboard.press('c');
  await page.getByText(/Where the 1\.43\ss until the answer went/).waitFor();
  assert.equal(await mail.locator('.way').count(), 0);
  await page.keyboard.press('c');
  assert.equal(await drawn(), 0);
  await page.locator('label', { hasText: 'to the end' }).click();
  assert.equal(await mail.locator('.way').count(), 1);
  await page.locator('[role=treegrid]').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowLeft');
  assert.ok((await page.locator(`${SPAN}[aria-expanded=false] .way`).count()) > 0, 'folded');
});

test('the tabs of a span by keyboard, kept from span to span, each says why it is empty', async () => {
  await openCheckout();
  await page.locator(SPAN, { hasText: 'validate basket' }).click();
  await page.getByRole('tab', { name: 'Overview' }).focus();
  await page.keyboard.press('ArrowRight');
  await tabPanel('Input').getByText('Nothing is known of what it was given').waitFor();
  await tabPanel('Input').getByText('THROUGHLINE_PAYLOADS=on-error').waitFor();
  await page.keyboard.press('k');
  await panel().locator('h2', { hasText: 'POST /checkout' }).waitFor();
  await page.keyboard.press('ArrowRight');
  await tabPanel('Output').getByText('Nothing is known of what it answered').waitFor();
  await page.keyboard.press('k');
  await tabPanel('Output').getByText('This is a phase of Lambda itself').waitFor();
  await page.keyboard.press('ArrowRight');
  await tabPanel('Error').getByText('It did not fail.').waitFor();
  await page.keyboard.press('ArrowRight');
  await tabPanel('Environment').getByText('42 of 256 MB').waitFor();
  await tabPanel('Environment').getByText('eu-central-1').first().waitFor();
  await page.keyboard.press('ArrowRight');
  await tabPanel('Logs').getByText('Nothing was logged in this span').waitFor();
  await page.keyboard.press('Home');
  await tabPanel('Overview').getByText('Own time', { exact: true }).waitFor();
});

test('a payload of which only the shape left says how to keep the values', async () => {
  const trace = server.traces.get(CHECKOUT_ID);
  const handler = trace?.spans.find((/** @type {any} */ span) => span.name === 'reserve');
  handler.attributes['throughline.payload.request'] = '{"sku":"string(11)","quantity":"number"}';
  await openCheckout();
  // The invocation shows what its handler was given.
  await page.locator(`${SPAN}.invoke`, { hasText: 'inventory' }).click();
  await page.getByRole('tab', { name: 'Input' }).click();
  await tabPanel('Input').getByText('"sku": "string(11)"').waitFor();
  await tabPanel('Input').getByText('THROUGHLINE_PAYLOADS=metadata').waitFor();
});

test('the cause of an error, and from its line to the code', async () => {
  await openCheckout();
  await page.getByRole('button', { name: /show the cause/ }).click();
  const error = tabPanel('Error');
  await error.getByText('warehouse.OutOfStock', { exact: true }).waitFor();
  assert.deepEqual(await error.locator('.cause').allInnerTexts(), [
    '  File "/var/task/warehouse.py", line 44, in _take',
    '    raise OutOfStock(f"{sku}: {quantity} wanted, {self.stock[sku]} left")',
  ]);
  assert.equal(await error.locator('pre a').count(), 0);

  await error.getByRole('button', { name: 'Link to the code' }).click();
  const dialog = page.getByRole('dialog');
  const address = dialog.getByLabel('Address with placeholders');
  await address.fill('https://git.example/{branch}/{file}');
  await dialog.getByText('{branch} is not known.').waitFor();
  assert.ok(await dialog.getByRole('button', { name: 'Keep' }).isDisabled());
  await address.fill('https://git.example/blob/{version}/{file}#L{line}');
  await dialog.getByText('https://git.example/blob/HEAD/').waitFor();
  await page.keyboard.press('Enter');
  const links = await error
    .locator('pre a')
    .evaluateAll((all) => all.map((each) => each.getAttribute('href')));
  assert.deepEqual(links, [
    'https://git.example/blob/HEAD/opentelemetry/trace/__init__.py#L573',
    'https://git.example/blob/HEAD/handler.py#L61',
    'https://git.example/blob/HEAD/warehouse.py#L27',
    'https://git.example/blob/HEAD/warehouse.py#L44',
  ]);
  await page.reload();
  await error.locator('pre a').first().waitFor();
});

test('logs between the spans, of one component and level, in the address', async () => {
  await openCheckout();
  await page.keyboard.press('w');
  await page.waitForURL(/view=between/);
  const grid = page.getByRole('treegrid', { name: 'Spans and logs of the trace' });
  const lines = () => grid.getByRole('row').filter({ hasText: /0 left of/ });
  await lines().first().waitFor();
  assert.equal(await lines().count(), 3);
  assert.equal(await grid.getAttribute('aria-rowcount'), '42');
  const reserve = grid.getByRole('row', { name: /reserve/ }).first();
  const [above, below] = [await reserve.boundingBox(), await lines().first().boundingBox()];
  assert.ok(above && below && below.y > above.y);

  await lines().first().click();
  await panel().locator('h2', { hasText: 'reserve' }).waitFor();
  assert.equal(await page.getByRole('tab', { name: 'Logs' }).getAttribute('aria-selected'), 'true');
  await page.keyboard.press('Escape');
  await page.locator('label', { hasText: 'Errors' }).click();
  await lines().first().waitFor({ state: 'detached' });
  assert.equal(await grid.getAttribute('aria-rowcount'), '29');
  await page.getByLabel('Logs of', { exact: true }).selectOption('checkout');
  assert.equal(await grid.getAttribute('aria-rowcount'), '28');
  await grid.getByText('basket b-1021 could not be reserved').waitFor();
  await page.reload();
  await lines().first().waitFor();
  await page.keyboard.press('w');
  await page.getByRole('treegrid', { name: 'Spans of the trace' }).waitFor();
  assert.equal(search(), '');
});

test('who took part, as a graph; their spans are found in the waterfall', async () => {
  await openCheckout();
  await page.locator('label', { hasText: 'Graph' }).click();
  await page.waitForURL(/view=graph/);
  const node = (/** @type {string} */ id) => page.locator(`[data-node="${id}"]`);
  await node('database:sqlite').waitFor();
  assert.equal(await page.locator('[data-node]').count(), 5);
  assert.match(await node('function:inventory').innerText(), /1\.12\ss · cold/);
  assert.equal(await node('function:inventory').getByLabel('failed here').count(), 1);
  await node('database:sqlite').focus();
  await page.keyboard.press('Enter');
  const spans = page.getByRole('region', { name: 'Spans of the selection' });
  assert.equal(await spans.getByRole('listitem').count(), 3);
  await spans.getByRole('button', { name: 'SELECT stock' }).nth(1).click();
  await panel().locator('h2', { hasText: 'SELECT stock' }).waitFor();
  await spans.getByRole('button', { name: 'Show them in the waterfall' }).click();
  await page.locator(SPAN).first().waitFor();
  assert.equal(await page.locator(`${SPAN}:not(.faded)`).count(), 3);
  await page.getByRole('button', { name: 'Only sqlite, database' }).click();
  assert.equal(await page.locator(`${SPAN}.faded`).count(), 0);
});

test('copied as Markdown, as JSON, and as a link to a span', async () => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await openCheckout();
  await page.getByRole('button', { name: 'Markdown' }).click();
  await page.getByText('Copied story as Markdown').waitFor({ state: 'attached' });
  const text = await copied();
  assert.match(text, /^## checkout\n\n26 steps across 3 functions/);
  assert.match(text, /━{3,}/);
  const [, failed = ''] = /\[reserve in inventory\]\(([^)]+)\)/.exec(text) ?? [];
  await page.getByRole('button', { name: 'JSON' }).click();
  await page.getByText('Copied story as JSON').waitFor({ state: 'attached' });
  assert.equal(JSON.parse(await copied()).traceId, CHECKOUT_ID);

  await page.goto(failed);
  await panel().locator('h2', { hasText: 'reserve' }).waitFor();
  await page.getByRole('button', { name: 'Copy link to this span' }).click();
  await page.getByRole('button', { name: 'Copied link to this span' }).waitFor();
  assert.equal(await copied(), failed);
});

const OTHER_ID = 'c'.repeat(32);

/** Another checkout, which found all in stock at once. */
function addOther() {
  const other = checkoutTrace(BigInt(Date.now() - 60_000) * 1_000_000n, OTHER_ID);
  const isLater = (/** @type {any} */ span) => span.attributes['retry.attempt'] > 1;
  other.spans = other.spans.filter((span) => !isLater(span) && span.name !== 'audit.write');
  for (const span of other.spans) {
    if (span.name === 'reserve') Object.assign(span, { status: 'unset', name: 'reserve at once' });
  }
  const { spans: _spans, logs: _logs, resources: _resources, ...summary } = other;
  server.traces.set(OTHER_ID, other);
  server.list = [server.list[0], summary];
}

test('compared with the typical trace of its kind, and with one by its id', async () => {
  addOther();
  await openCheckout();
  await page.locator('label', { hasText: 'Compare' }).click();
  await page.waitForURL(/view=compare/);
  await page.getByText('the median duration of 1 recent trace that begins').waitFor();
  await page.getByText('3 steps are only here, 2 only there').waitFor();
  const steps = page.getByRole('region', { name: 'Steps of both traces' });
  assert.match(
    await steps.locator('tr.missing').first().innerText(),
    /only there\s+reserve at once/,
  );
  assert.match(await steps.locator('tr.added').first().innerText(), /only here\s+reserve/);
  await steps.getByRole('button', { name: 'reserve', exact: true }).click();
  await panel().locator('h2', { hasText: 'reserve' }).waitFor();

  await page.getByLabel('Id of another trace').fill(CHECKOUT_ID);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`compare=${CHECKOUT_ID}`));
  await page.getByText('Both took as long, with the same steps.').waitFor();
  await page.goto(`${url}/traces/${CHECKOUT_ID}?compare=${OTHER_ID}`);
  await page.getByText('3 steps are only here, 2 only there').waitFor();
  await page.getByRole('link', { name: 'reserve at once' }).click();
  await page.waitForURL(new RegExp(`/traces/${OTHER_ID}`));
  await page.locator(`${SPAN}[aria-selected=true]`, { hasText: 'reserve at once' }).waitFor();
});

test('a trace that is the only one of its kind says so, and an unknown id is told', async () => {
  server.list = [server.list[0]];
  await page.goto(`${url}/traces/${CHECKOUT_ID}?view=compare`);
  await page.getByText('No other recent trace begins with checkout of checkout').waitFor();
  await page.goto(`${url}/traces/${CHECKOUT_ID}?compare=${'d'.repeat(32)}`);
  await page.getByText('no such trace is stored').waitFor();
});

atWidths('the story', [390, 1280, 1920], async (at) => {
  const name = `story-${at}`;
  await openCheckout();
  await fits(page, name);
  await openCheckout('?view=between');
  await page.getByText('0 left of').first().waitFor();
  await fits(page, `${name}-between`);
  await page.goto(`${url}/traces/${CHECKOUT_ID}?view=graph`);
  await page.locator('[data-node="function:inventory"]').click();
  await fits(page, `${name}-graph`);
  addOther();
  await page.goto(`${url}/traces/${CHECKOUT_ID}?view=compare`);
  await page.getByText('3 steps are only here').waitFor();
  await fits(page, `${name}-compare`);
  await openCheckout();
  await page.getByRole('button', { name: /show the cause/ }).click();
  await page.getByText('Traceback').waitFor();
  await fits(page, `${name}-error`);
  await page.getByRole('tab', { name: 'Environment' }).click();
  await page.getByText('Memory used').waitFor();
  await fits(page, `${name}-environment`);
});
