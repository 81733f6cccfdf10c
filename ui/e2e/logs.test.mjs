// The logs over made-up answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomes, drag, fits, minutesChosen, screenshot } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const LINE = 'button[data-log]';

/** @param {string} path */
async function openLogs(path = '/logs') {
  await page.goto(url + path);
  await page.locator(LINE).first().waitFor();
}

const why = () => page.getByRole('region', { name: 'Why is this different?' });
const posted = () => server.posted.at(-1);
const lines = () => page.locator(LINE).count();
const asked = () => server.asked.filter(({ pathname }) => pathname === '/api/v1/logs').at(-1);

test('a search lives in the address, and says the same after a reload', async () => {
  await openLogs();
  assert.equal(await lines(), 200);
  await page.keyboard.press('/');
  await page.keyboard.type('refused');
  await page.keyboard.press('Enter');
  await page.waitForURL(/q=refused/);
  await page.getByText('45 of 45 lines').waitFor();
  await page.getByRole('radio', { name: 'Errors' }).check({ force: true });
  await page.waitForURL(/min=17/);
  await page.getByPlaceholder('order.total>=100').fill('order.total>=100');
  await page.keyboard.press('Enter');
  await page.waitForURL(/where=/);
  await page.reload();
  await page.locator(LINE).first().waitFor();
  const search = () => asked()?.searchParams;
  await becomes(() => search()?.get('q'), 'refused');
  await becomes(() => search()?.get('min_severity'), '17');
  await becomes(() => search()?.getAll('where'), ['order.total>=100']);
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.waitForURL((address) => address.search === '');
});

test('from a line to its trace, and back to the same search', async () => {
  await openLogs('/logs?q=refused');
  await page.getByRole('link', { name: 'Trace', exact: true }).first().click();
  await page.locator('[role=treegrid]').waitFor();
  await page.keyboard.press('Backspace');
  await page.locator(LINE).first().waitFor();
  assert.match(page.url(), /q=refused/);
});

test('older lines are loaded until there are none', async () => {
  await openLogs();
  await page.getByRole('button', { name: 'Load older lines' }).click();
  await page.getByText('400 of 450 lines').waitFor();
  await page.getByRole('button', { name: 'Load older lines' }).click();
  await page.getByText('450 of 450 lines').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Load older lines' }).count(), 0);
});

test('new lines come while one follows, but never under the eyes of a reader', async () => {
  await openLogs();
  await page.keyboard.press('f');
  await page.getByRole('button', { name: 'Following' }).waitFor();
  while (server.followers.length === 0) await page.waitForTimeout(20);
  server.write('the first line that came');
  await page.getByText('the first line that came').waitFor();
  await page.locator(LINE).nth(3).click();
  const before = await page.locator(LINE).nth(3).innerText();
  server.write('a line while reading');
  await page.getByRole('button', { name: 'Show 1 new line' }).waitFor();
  assert.equal(await page.locator(LINE).nth(3).innerText(), before);
  await page.getByRole('button', { name: 'Show 1 new line' }).click();
  await page.getByText('a line while reading').waitFor();
  await page.keyboard.press('f');
  await page.getByRole('button', { name: 'Follow', exact: true }).waitFor();
});

test('an unfolded line offers its attributes as conditions', async () => {
  await openLogs();
  await page.locator(LINE).nth(2).focus();
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'order.total=2' }).click();
  await page.waitForURL(/where=order.total%3D2/);
  await page.getByRole('button', { name: 'Remove order.total=2' }).waitFor();
});

test('lines of one pattern are one, and lead to the lines', async () => {
  await openLogs();
  await page.getByRole('radio', { name: 'Patterns' }).check({ force: true });
  await page.getByText('2 patterns in 450 lines').waitFor();
  await page.getByText('sending mail … for order …').waitFor();
  await page.getByRole('button', { name: 'Lines' }).last().click();
  await page.waitForURL(/q=%22was\+refused\+mailbox\+is\+full%22/);
  await page.getByText('45 of 45 lines').waitFor();
});

test('dragging over the histogram is the new time', async () => {
  await openLogs();
  await drag(page, page.locator('figure svg'), [0.25, 0.5], [0.5, 0.5]);
  await page.waitForURL(/from=.*&to=/);
  const minutes = minutesChosen(page);
  assert.ok(minutes > 13 && minutes < 18, `${minutes} min`);
  await becomes(() => asked()?.searchParams.has('to'), true);
});

test('errors are compared with the other lines of a search, and what tells them apart is added', async () => {
  await openLogs('/logs?q=refused&where=order.total%3E%3D1');
  await page.getByRole('button', { name: 'Why are errors different?' }).focus();
  await page.keyboard.press('Enter');
  await why().getByText('408 lines against 1,992 others').waitFor();
  const { dataset, q, filters, selection, start_time, end_time } = posted();
  assert.deepEqual([dataset, q], ['logs', 'refused']);
  assert.deepEqual(filters, [{ column: 'order.total', op: '>=', value: 1 }]);
  assert.deepEqual(selection, {
    q: '',
    filters: [{ column: 'severity_number', op: '>=', value: 17 }],
    start_time: null,
    end_time: null,
  });
  assert.equal(Math.round(end_time - start_time), 3600);
  await screenshot(page, 'logs-why-errors');
  await why().getByRole('button', { name: 'card = visa and faas.version = "42"' }).click();
  await page.waitForURL(/card/);
  const conditions = ['order.total>=1', 'card="visa"', 'faas.version="42"'];
  assert.deepEqual(new URL(page.url()).searchParams.getAll('where'), conditions);
  await becomes(() => asked()?.searchParams.getAll('where'), conditions);
  await why().waitFor({ state: 'detached' });
});

test('what is searched is compared with all other lines', async () => {
  await openLogs();
  assert.equal(await page.getByRole('button', { name: 'Why are these different?' }).count(), 0);
  await openLogs('/logs?q=refused&min=17');
  assert.equal(await page.getByRole('button', { name: 'Why are errors different?' }).count(), 0);
  await page.getByRole('button', { name: 'Why are these different?' }).click();
  await why().getByText('408 lines against 1,992 others').waitFor();
  const { q, filters, selection } = posted();
  assert.deepEqual([q, filters, selection.q], ['', [], 'refused']);
  assert.deepEqual(selection.filters, [{ column: 'severity_number', op: '>=', value: 17 }]);
  await why().getByRole('button', { name: 'Close' }).click();
  await why().waitFor({ state: 'detached' });
});

test('a pattern is compared with all other lines', async () => {
  await openLogs();
  await page.getByRole('radio', { name: 'Patterns' }).check({ force: true });
  await page.getByText('2 patterns in 450 lines').waitFor();
  await page.getByRole('button', { name: /^Compare .*mailbox is full/ }).click();
  await why().getByText('408 lines against 1,992 others').waitFor();
  assert.equal(posted().selection.q, '"was refused mailbox is full"');
  assert.equal(posted().selection.filters[0].column, 'service');
});

test('a time is compared with the rest of what is shown, and zoomed to from there', async () => {
  await openLogs();
  await page.keyboard.down('Shift');
  await drag(page, page.locator('figure svg'), [0.25, 0.5], [0.5, 0.5]);
  await page.keyboard.up('Shift');
  await why().getByText('408 lines against 1,992 others').waitFor();
  assert.doesNotMatch(page.url(), /from=/);
  const { selection, start_time, end_time } = posted();
  assert.deepEqual(selection.filters, []);
  assert.ok(start_time < selection.start_time && selection.end_time < end_time);
  const minutes = (selection.end_time - selection.start_time) / 60;
  assert.ok(minutes > 13 && minutes < 18, `${minutes} min`);
  await page.locator('figure svg rect.picked').waitFor({ state: 'attached' });
  await why().getByRole('button', { name: 'Zoom to this time' }).click();
  await page.waitForURL(/from=.*&to=/);
  assert.equal(minutesChosen(page), minutes);
  await why().waitFor({ state: 'detached' });
});

test('a time is chosen and compared by keyboard, and lines are not moved through meanwhile', async () => {
  await openLogs();
  const chart = page.getByRole('slider', { name: 'Choose a time: lines by time and level' });
  await chart.focus();
  await page.keyboard.press('Home');
  assert.equal(await chart.getAttribute('aria-valuenow'), '0');
  await page.keyboard.press('PageUp');
  await page.keyboard.press('Shift+ArrowUp');
  assert.match((await chart.getAttribute('aria-valuetext')) ?? '', / to .* is chosen$/);
  assert.ok(await chart.evaluate((it) => it === document.activeElement), 'it keeps the focus');
  await page.keyboard.press('Enter');
  await why().getByText('408 lines against 1,992 others').waitFor();
  const { selection } = posted();
  const step = Number(/interval '(\d+) seconds'/.exec(server.stated.at(-1) ?? '')?.[1]);
  assert.equal(selection.end_time - selection.start_time, 2 * step, 'two bars');
});

atWidths('the logs', [390, 1280, 2560], async (name) => {
  await openLogs();
  await page.locator('figure svg rect').first().waitFor({ state: 'attached' });
  await page.locator(LINE).nth(1).click();
  await fits(page, `log-search-${name}`);
  await page.getByRole('button', { name: 'Why are errors different?' }).click();
  await why().getByText('408 lines against').waitFor();
  await fits(page, `log-why-${name}`);
});
