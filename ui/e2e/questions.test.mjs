// Questions of Explore that the server keeps: given a name, opened, renamed, removed, and taken along.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomes, fits } from './page.mjs';
import { atWidths, page, reopen, server, url } from './stage.mjs';

const ERRORS = encodeURIComponent(
  JSON.stringify({ filters: [{ column: 'status', op: '=', value: 'error' }] }),
);
const dialog = () => page.getByRole('dialog', { name: 'Questions' });
const kept = () => dialog().getByRole('region', { name: 'Kept' });
const names = () => kept().getByRole('link').allInnerTexts();

/** @param {string} search */
async function openExplore(search = '') {
  await page.goto(`${url}/explore${search}`);
  await page.getByRole('region', { name: 'Groups' }).waitFor();
}

/** Gives a name to what is asked. @param {string} name */
async function keep(name) {
  await page.keyboard.press('q');
  await dialog().getByLabel('Keep what is asked now, as').fill(name);
  await page.keyboard.press('Enter');
  await kept().getByRole('link', { name }).waitFor();
}

test('a question is kept under a name and asked again, with the keyboard alone', async () => {
  await openExplore(`?query=${ERRORS}`);
  await page.keyboard.press('q');
  await kept().getByText('None yet.').waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  await keep('What fails');
  assert.equal(await dialog().getByLabel('Keep what is asked now, as').count(), 0, 'it is kept');
  await page.keyboard.press('Escape');
  await openExplore('?range=6h');
  await page.keyboard.press('q');
  await kept().getByRole('link', { name: 'What fails' }).waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForURL(/range=6h.*query=/);
  await dialog().waitFor({ state: 'hidden' });
  await becomes(
    () => server.posted.at(-1)?.filters,
    [{ column: 'status', op: '=', value: 'error' }],
  );
  await page.keyboard.press('Control+k');
  await page.keyboard.type('what fails');
  await page.getByRole('option', { name: /kept question/ }).waitFor();
});

test('renamed, removed and put back', async () => {
  await openExplore();
  await keep('All of it');
  await page.keyboard.press('Escape');
  await openExplore(`?query=${ERRORS}`);
  await keep('What fails');
  const first = kept().getByRole('link').first();
  await first.focus();
  await page.keyboard.press('F2');
  await page.keyboard.type('thrown away');
  await page.keyboard.press('Escape');
  await first.waitFor();
  await page.keyboard.press('F2');
  await page.keyboard.type('Errors');
  await page.keyboard.press('Enter');
  await kept().getByRole('link', { name: 'Errors' }).waitFor();
  assert.equal(await first.evaluate((link) => link === document.activeElement), true);

  await page.keyboard.press('Delete');
  await kept().getByText('Errors was removed.').waitFor();
  assert.equal((await names()).length, 1);
  assert.equal(await first.evaluate((link) => link === document.activeElement), true);
  await kept().getByRole('button', { name: 'Put it back' }).click();
  await kept().getByRole('link', { name: 'Errors' }).waitFor();
  assert.match(String((await names())[0]), /^Errors/);
  await kept().getByRole('button', { name: 'Remove All of it' }).click();
  await kept().getByText('All of it was removed.').waitFor();
  assert.deepEqual(
    server.saved.map(({ name }) => name),
    ['Errors'],
  );
  await page.reload();
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  await page.keyboard.press('q');
  await kept().getByRole('link', { name: 'Errors' }).waitFor();
  assert.equal((await names()).length, 1);

  const before = dialog().getByRole('region', { name: 'Asked before' });
  assert.equal(await before.getByRole('link').count(), 2);
  await before
    .getByRole('button', { name: /^Remove COUNT/ })
    .first()
    .click();
  assert.equal(await before.getByRole('link').count(), 1);
  await before.getByRole('button', { name: 'Forget them' }).click();
  await before.getByText('What is asked on this page').waitFor();
});

test('what colleagues keep meanwhile stays, and what an alert follows does as well', async () => {
  await openExplore(`?query=${ERRORS}`);
  await page.keyboard.press('q');
  await kept().getByText('None yet.').waitFor();
  server.saved = [{ name: 'theirs', graph: 'MATCH (t:Table) RETURN t' }];
  server.savedEdition += 1;
  await dialog().getByLabel('Keep what is asked now, as').fill('What fails');
  await page.keyboard.press('Enter');
  await kept().getByRole('link', { name: 'What fails' }).waitFor();
  const [mine, theirs] = server.saved;
  assert.deepEqual([mine.name, theirs.name, server.saved.length], ['What fails', 'theirs', 2]);
  assert.deepEqual(mine.query.filters, [{ column: 'status', op: '=', value: 'error' }]);
  assert.ok(!('start_time' in mine.query), 'it is of no time');

  server.refusing =
    'queries: the alert "many" follows "What fails": change or remove the alert first';
  await kept().getByRole('button', { name: 'Remove What fails' }).click();
  await dialog().getByText('the alert "many" follows "What fails"').waitFor();
  assert.equal((await names()).length, 2);
  server.refusing = '';
  await kept().getByRole('link', { name: 'theirs' }).click();
  await page.waitForURL(/\/graph\?.*q=MATCH/);
});

test('what this browser kept before is offered to everybody once', async () => {
  await openExplore();
  const old = JSON.stringify([{ words: 'Old one', search: `query=${ERRORS}` }]);
  await page.evaluate((list) => localStorage.setItem('throughline.explore.kept', list), old);
  await openExplore();
  await page.keyboard.press('q');
  const own = dialog().getByRole('region', { name: 'Of this browser' });
  await own.getByText('1 question that no colleague sees').waitFor();
  await own.getByRole('button', { name: 'Keep them for everybody' }).click();
  await kept().getByRole('link', { name: 'Old one' }).waitFor();
  await own.waitFor({ state: 'detached' });
  assert.deepEqual(
    server.saved.map(({ name }) => name),
    ['Old one'],
  );
  await openExplore();
  await page.keyboard.press('q');
  await kept().getByRole('link', { name: 'Old one' }).waitFor();
  assert.equal(await own.count(), 0);
});

test('what has no room with the server stays in this browser', async () => {
  await openExplore();
  const old = ['one', 'two'].map((words) => ({ words, search: `tab=sql&sql=select+'${words}'` }));
  await page.evaluate(
    (list) => localStorage.setItem('throughline.explore.kept', list),
    JSON.stringify(old),
  );
  server.saved = Array.from({ length: 199 }, (_, at) => ({
    name: `q${at}`,
    sql: `select ${at}`,
  }));
  await openExplore();
  await page.keyboard.press('q');
  const own = dialog().getByRole('region', { name: 'Of this browser' });
  await own.getByText('There is no room for 1 question of them').waitFor();
  await own.getByRole('button', { name: 'Keep them for everybody' }).click();
  await kept().getByRole('link', { name: 'one' }).waitFor();
  await own.getByText('has kept 1 question that no colleague sees').waitFor();
  assert.equal(await own.getByRole('button', { name: 'Keep them for everybody' }).count(), 0);
  assert.equal(server.saved.length, 200);
  const left = await page.evaluate(() => localStorage.getItem('throughline.explore.kept'));
  assert.deepEqual(
    JSON.parse(left ?? '[]').map((/** @type {{ words: string }} */ each) => each.words),
    ['two'],
  );
});

test('a link takes the kept questions to another server', async () => {
  await page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
  await openExplore(`?query=${ERRORS}`);
  await keep('What fails');
  await kept().getByRole('button', { name: 'Link to all of them' }).click();
  await kept().getByText('Copied link').waitFor({ state: 'attached' });
  const link = await page.evaluate(() => navigator.clipboard.readText());
  assert.match(link, /\/explore#questions=/);

  server.saved = [];
  server.savedEdition += 1;
  await reopen({});
  await page.goto(link);
  const offered = dialog().getByRole('region', { name: 'From the link' });
  await offered.getByText('1 of them new').waitFor();
  await offered.getByRole('button', { name: 'Keep 1' }).click();
  await offered.waitFor({ state: 'detached' });
  await page.waitForURL(`${url}/explore`);
  await page.goto(link);
  await offered.getByText('none of them new').waitFor();
  await page.keyboard.press('Escape');
  await dialog().waitFor({ state: 'hidden' });
  await page.keyboard.press('q');
  await kept().getByRole('link', { name: 'What fails' }).click();
  await page.waitForURL(/query=/);
  assert.ok(!server.asked.some(({ href }) => href.includes('questions')), 'no server is told');
});

atWidths('kept questions', [390, 1280], async (name) => {
  await openExplore(`?query=${ERRORS}`);
  await keep('What fails');
  await page.keyboard.press('Escape');
  await openExplore();
  await page.keyboard.press('q');
  await kept().getByRole('link', { name: 'What fails' }).waitFor();
  await fits(page, `questions-${name}`);
});
