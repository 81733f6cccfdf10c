// Questions of the builder and of SQL over made-up answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomes, drag, fits, minutesChosen, screenshot } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const GROUPS = 'Groups';

/** @param {string} path */
async function openExplore(path = '/explore') {
  await page.goto(url + path);
  await page.getByRole('region', { name: GROUPS }).waitFor();
}

const posted = () => server.posted.at(-1);

test('a question is built, asked, and the same after a reload', async () => {
  await openExplore();
  const more = page.getByLabel('Filter by one more');
  await more.focus();
  await more.fill('http.route');
  await more.press('Tab');
  const value = page.getByLabel('Value to compare with');
  await value.focus();
  await page.locator('datalist option[value="/pay"]').waitFor({ state: 'attached' });
  await value.fill('/pay');
  await value.press('Tab');
  await page.waitForURL(/%2Fpay/);
  await page.getByRole('button', { name: 'Add a calculation' }).click();
  await page.waitForURL(/P99/);
  await page.reload();
  await page.getByRole('region', { name: GROUPS }).waitFor();
  await becomes(() => posted().filters, [{ column: 'http.route', op: '=', value: '/pay' }]);
  const spec = posted();
  assert.deepEqual(spec.calculations.at(-1), { op: 'P99', column: 'duration_ms' });
  assert.deepEqual(spec.breakdowns, ['service']);
  assert.equal(await page.getByLabel('Value to compare with').inputValue(), '/pay');
});

test('a place on the heat map shows examples that lead to their traces', async () => {
  await openExplore();
  const field = page.locator('.field');
  await field.scrollIntoViewIfNeeded();
  const box = await field.boundingBox();
  assert.ok(box);
  await page.mouse.click(box.x + box.width * 0.5, box.y + box.height * 0.5);
  await page.getByText('12 rows', { exact: true }).waitFor();
  const [above, below] = posted().filters;
  assert.equal(above.column, 'duration_ms');
  assert.ok(above.value < below.value && below.value / above.value < 1.2);
  await page.getByRole('link', { name: 'found 3' }).click();
  await page.locator('[role=treegrid]').waitFor();
  assert.match(page.url(), /span=0000000000000003/);
  await page.keyboard.press('Backspace');
  await page.getByRole('region', { name: GROUPS }).waitFor();
});

test('a group of the table shows its rows, by keyboard', async () => {
  await openExplore();
  await page.getByRole('region', { name: GROUPS }).getByRole('button', { name: 'error' }).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Examples of error' }).waitFor();
  await becomes(() => posted().filters, [{ column: 'service', op: '=', value: 'error' }]);
});

test('dragging over a line is the new time', async () => {
  await openExplore();
  const chart = page.locator('.u-over').first();
  await chart.waitFor();
  await drag(page, chart, [0.5, 0.5], [0.75, 0.5]);
  await page.waitForURL(/from=.*&to=/);
  const minutes = minutesChosen(page);
  assert.ok(minutes > 12 && minutes < 18, `${minutes} min`);
});

test('SQL is asked with Ctrl-Enter, and what was asked before is there again', async () => {
  await openExplore();
  await page.getByRole('radio', { name: 'SQL' }).check({ force: true });
  await page.getByLabel('Statement of SQL').fill('select 1');
  await page.keyboard.press('Control+Enter');
  await page.waitForURL(/sql=select\+1/);
  await page.getByRole('region', { name: 'Answer' }).waitFor();
  await page.getByRole('button', { name: 'Questions' }).click();
  const before = page.getByRole('region', { name: 'Asked before' });
  await before.getByRole('link', { name: 'select 1' }).waitFor();
  await before.getByRole('link', { name: 'COUNT, HEATMAP(duration_ms) by service' }).click();
  await page.getByRole('region', { name: GROUPS }).waitFor();
});

/** Draws a rectangle over the middle of the heat map. */
async function drawBox() {
  await drag(page, page.locator('.field'), [0.4, 0.2], [0.6, 0.7]);
  await page.getByRole('heading', { name: 'Why is this different?' }).waitFor();
}

test('a rectangle of the heat map says why it is different, and a difference becomes a filter', async () => {
  await openExplore();
  await drawBox();
  const why = page.getByRole('region', { name: 'Why is this different?' });
  await why.getByText('408 spans against 1,992 others').waitFor();
  const { selection, start_time, end_time } = posted();
  assert.ok(start_time <= selection.start_time && selection.end_time <= end_time);
  const [above, below] = selection.filters;
  assert.deepEqual([above.column, above.op, below.op], ['duration_ms', '>', '<=']);
  assert.ok(below.value / above.value > 1.5, 'several rows');
  const first = why.getByRole('listitem').first();
  await first.getByText('98 %').waitFor();
  await why.getByText('also faas.name = payment').waitFor();
  await screenshot(page, 'explore-why');
  await first.getByRole('button').click();
  await page.waitForURL(/visa/);
  await why.waitFor({ state: 'detached' });
  assert.deepEqual(posted().filters, [
    { column: 'card', op: '=', value: 'visa' },
    { column: 'faas.version', op: '=', value: '42' },
  ]);
});

test('the time of a rectangle becomes the time of the page', async () => {
  await openExplore();
  await drawBox();
  await page.getByRole('button', { name: 'Zoom to this time' }).click();
  await page.waitForURL(/from=.*&to=/);
  assert.equal(await page.locator('.box').count(), 0);
});

test('errors are compared without a pointer, and nothing is said where nothing differs', async () => {
  server.differs = false;
  await openExplore();
  await page.getByRole('button', { name: 'Why are errors different?' }).focus();
  await page.keyboard.press('Enter');
  await page.getByText('Nothing that spans say of themselves').waitFor();
  assert.deepEqual(posted().selection.filters, [{ column: 'status', op: '=', value: 'error' }]);
  server.failing = true;
  await page.getByRole('button', { name: 'Why are errors different?' }).click();
  await page.getByText(/TL0208/).waitFor();
});

atWidths('questions', [390, 1280, 2560], async (name) => {
  await openExplore();
  await page.locator('.u-over').first().waitFor();
  await fits(page, `explore-${name}`);
  await drawBox();
  await page.getByText('408 spans against').waitFor();
  await fits(page, `explore-why-${name}`);
});
