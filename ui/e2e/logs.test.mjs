// The logs over made-up answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomes, drag, fits, minutesChosen } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const LINE = 'button[data-log]';

/** @param {string} path */
async function openLogs(path = '/logs') {
  await page.goto(url + path);
  await page.locator(LINE).first().waitFor();
}

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

atWidths('the logs', [390, 1280, 2560], async (name) => {
  await openLogs();
  await page.locator('figure svg rect').first().waitFor({ state: 'attached' });
  await page.locator(LINE).nth(1).click();
  await fits(page, `log-search-${name}`);
});
