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
  const groups = page.getByRole('region', { name: GROUPS });
  await groups.getByRole('button', { name: 'error', exact: true }).focus();
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

const why = () => page.getByRole('region', { name: 'Why is this different?' });

/** Draws a rectangle over the middle of the heat map. */
async function drawBox() {
  await drag(page, page.locator('.field'), [0.4, 0.2], [0.6, 0.7]);
  await page.getByRole('heading', { name: 'Why is this different?' }).waitFor();
}

test('a rectangle of the heat map says why it is different, and a difference becomes a filter', async () => {
  await openExplore();
  await drawBox();
  await why().getByText('408 spans against 1,992 others').waitFor();
  const { selection, start_time, end_time } = posted();
  assert.ok(start_time <= selection.start_time && selection.end_time <= end_time);
  const [above, below] = selection.filters;
  assert.deepEqual([above.column, above.op, below.op], ['duration_ms', '>', '<=']);
  assert.ok(below.value / above.value > 1.5, 'several rows');
  const first = why().getByRole('listitem').first();
  await first.getByText('98 %').waitFor();
  await why().getByText('also faas.name = payment').waitFor();
  await screenshot(page, 'explore-why');
  await first.getByRole('button').click();
  await page.waitForURL(/visa/);
  await why().waitFor({ state: 'detached' });
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

test('a group of the table is compared with all others, by keyboard', async () => {
  const filters = [{ column: 'http.route', op: '=', value: '/pay' }];
  await openExplore(`/explore?query=${encodeURIComponent(JSON.stringify({ filters }))}`);
  await page.getByRole('button', { name: 'Compare error with all others' }).focus();
  await page.keyboard.press('Enter');
  await why().getByText('408 spans against 1,992 others').waitFor();
  await why().getByText('service = error', { exact: true }).waitFor();
  const { selection, start_time, end_time, filters: asked } = posted();
  const group = [{ column: 'service', op: '=', value: 'error' }];
  assert.deepEqual(selection, { filters: group, start_time: null, end_time: null });
  assert.deepEqual(asked, filters);
  assert.ok(end_time - start_time >= 3600, 'all of the time that is shown');
  assert.equal(await why().getByRole('button', { name: 'Zoom to this time' }).count(), 0);
  const link = why().getByRole('link', { name: 'Investigate this time' });
  assert.match(String(await link.getAttribute('href')), /^\/investigate\?q=error&from=/);
  await why().getByRole('button', { name: 'Close' }).click();
  await why().waitFor({ state: 'detached' });
});

test('lines are compared as spans are', async () => {
  const query = { dataset: 'logs', calculations: [{ op: 'COUNT', column: '' }] };
  await openExplore(`/explore?query=${encodeURIComponent(JSON.stringify(query))}`);
  await page.getByRole('button', { name: 'Why are errors different?' }).click();
  await why().getByText('408 lines against 1,992 others').waitFor();
  const { dataset, selection } = posted();
  assert.equal(dataset, 'logs');
  assert.deepEqual(selection.filters, [{ column: 'severity_number', op: '>=', value: 17 }]);
  await page.getByRole('button', { name: 'Compare error with all others' }).click();
  await why().getByText('service = error', { exact: true }).waitFor();
  const group = [{ column: 'service', op: '=', value: 'error' }];
  await becomes(() => posted().selection.filters, group);
});

test('what has no rows is in no group that is compared', async () => {
  const query = { dataset: 'metrics', calculations: [{ op: 'COUNT', column: '' }] };
  await openExplore(`/explore?query=${encodeURIComponent(JSON.stringify(query))}`);
  await page.getByRole('button', { name: 'error', exact: true }).waitFor();
  assert.equal(await page.getByRole('button', { name: /^Compare/ }).count(), 0);
  const chart = page.locator('.u-over').first();
  await chart.waitFor();
  await page.keyboard.down('Shift');
  await drag(page, chart, [0.5, 0.5], [0.75, 0.5]);
  await page.keyboard.up('Shift');
  await page.waitForURL(/from=.*&to=/);
});

test('a time on a line is compared with the rest of what is shown, and zoomed to from there', async () => {
  await openExplore();
  const chart = page.locator('.u-over').first();
  await chart.waitFor();
  await page.keyboard.down('Shift');
  await drag(page, chart, [0.5, 0.5], [0.75, 0.5]);
  await page.keyboard.up('Shift');
  await why().getByText('408 spans against 1,992 others').waitFor();
  assert.doesNotMatch(page.url(), /from=/);
  const { selection, start_time, end_time } = posted();
  assert.deepEqual(selection.filters, []);
  assert.ok(start_time < selection.start_time && selection.end_time < end_time);
  // Points are a minute apart, from where what is shown begins.
  const offsets = [selection.start_time, selection.end_time].map((at) => (at - start_time) % 60);
  assert.deepEqual(offsets, [0, 0], 'whole points');
  const minutes = (selection.end_time - selection.start_time) / 60;
  assert.ok(minutes > 12 && minutes < 18, `${minutes} min`);
  await why()
    .getByText(/^\d\d:\d\d:(\d\d) to \d\d:\d\d:\1$/)
    .waitFor();
  await screenshot(page, 'explore-why-time');
  await why().getByRole('button', { name: 'Zoom to this time' }).click();
  await page.waitForURL(/from=.*&to=/);
  assert.equal(minutesChosen(page), minutes);
  await why().waitFor({ state: 'detached' });
});

test('a time on a line is chosen and compared by keyboard', async () => {
  await openExplore();
  await page.locator('.u-over').first().waitFor();
  const chart = page.getByRole('slider', { name: /^Choose a time: COUNT/ });
  await chart.focus();
  const last = Number(await chart.getAttribute('aria-valuemax'));
  assert.ok(last > 10, `${last} points`);
  assert.equal(await chart.getAttribute('aria-valuenow'), String(last));
  await page.locator('p', { hasText: /Enter compares$/ }).waitFor();
  for (let press = 0; press < 5; press += 1) await page.keyboard.press('ArrowLeft');
  const told = async () => (await chart.getAttribute('aria-valuetext')) ?? '';
  assert.match(await told(), /^\d\d:\d\d(:\d\d)?, unset 300/);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  assert.match(await told(), /^[\d:]{5,8} to [\d:]{5,8} is chosen$/);
  await page.keyboard.press('Escape');
  assert.match(await told(), /^\d\d:\d\d(:\d\d)?, unset 300/);
  await page.keyboard.press('Shift+ArrowLeft');
  await page.keyboard.press('Shift+ArrowLeft');
  await screenshot(page, 'explore-keys');
  await page.keyboard.press('Enter');
  await why().getByText('408 spans against 1,992 others').waitFor();
  const { selection, start_time, end_time } = posted();
  assert.ok(start_time < selection.start_time && selection.end_time < end_time);
  const step = server.posted.findLast(({ granularity }) => granularity !== undefined).granularity;
  assert.equal(selection.end_time - selection.start_time, 3 * step, 'three points');
  assert.equal((selection.start_time - start_time) % step, 0, 'whole ones');
  assert.ok(await chart.evaluate((it) => it === document.activeElement), 'it keeps the focus');
});

atWidths('questions', [390, 1280, 2560], async (name) => {
  await openExplore();
  await page.locator('.u-over').first().waitFor();
  await fits(page, `explore-${name}`);
  await drawBox();
  await page.getByText('408 spans against').waitFor();
  await fits(page, `explore-why-${name}`);
});
