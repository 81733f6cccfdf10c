// The palette and the keys, without a pointer.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CHECKOUT_ID } from './mock.mjs';
import { fits, screenshot } from './page.mjs';
import { page, reopen, url } from './stage.mjs';

const box = () => page.getByRole('combobox', { name: 'Go to' });
const option = (/** @type {string | RegExp} */ name) => page.getByRole('option', { name });

/** @param {string} typed */
async function goTo(typed) {
  await page.keyboard.press('Control+k');
  await box().waitFor();
  await page.keyboard.type(typed);
}

test('to the failing line of a function with the keyboard alone', async () => {
  await page.goto(`${url}/explore?range=6h`);
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  await goTo('inven');
  await option(/^inventory function/).waitFor();
  await screenshot(page, 'palette-1280-light');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/functions\/inventory\?range=6h$/);
  const failure = page.getByRole('link', { name: /warehouse.OutOfStock/ });
  await failure.waitFor();
  await page.keyboard.press('j');
  assert.equal(await failure.evaluate((link) => link === document.activeElement), true);
  await page.keyboard.press('Enter');
  await page.getByText('in _take').waitFor();
});

test('closes with Escape and gives the focus back', async () => {
  await page.goto(`${url}/wall`);
  const search = page.getByRole('searchbox');
  await search.focus();
  await page.keyboard.press('Control+k');
  await box().waitFor();
  await page.keyboard.press('ArrowUp');
  await option(/^Keys of this view|^Colours/)
    .first()
    .waitFor();
  await page.keyboard.press('Escape');
  await box().waitFor({ state: 'detached' });
  assert.equal(await search.evaluate((input) => input === document.activeElement), true);
});

test('opens anew right after it was closed', async () => {
  await page.goto(`${url}/wall`);
  for (const how of ['Enter', 'Escape']) {
    await goTo('colours light');
    await option(/^Colours: light/).waitFor();
    // Both keys before the browser tells that the dialog was closed, as when the machine is busy.
    await page.evaluate(async (key) => {
      const there = /** @type {HTMLElement} */ (document.activeElement);
      const init = { bubbles: true, cancelable: true };
      if (key === 'Enter') there.dispatchEvent(new KeyboardEvent('keydown', { ...init, key }));
      else there.closest('dialog')?.requestClose();
      for (let turns = 0; turns < 20; turns += 1) await null;
      window.dispatchEvent(new KeyboardEvent('keydown', { ...init, key: 'k', ctrlKey: true }));
    }, how);
    await page.waitForTimeout(50);
    await box().waitFor({ timeout: 2_000 });
    await page.keyboard.press('Escape');
    await box().waitFor({ state: 'detached' });
  }
});

test('leads to an operation, to a trace by its id, and to what was asked before', async () => {
  await page.goto(`${url}/explore`);
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  await goTo('count heatmap');
  await option(/asked before/).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/explore/);
  await goTo(CHECKOUT_ID);
  await page.keyboard.press('Enter');
  await page.waitForURL(new RegExp(`/traces/${CHECKOUT_ID}`));
  await goTo('nothing is called like this');
  await page.getByText('Nothing of that name.').waitFor();
});

test('switches the colours and tells the keys', async () => {
  await page.goto(`${url}/wall`);
  await goTo('colours dark');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.documentElement.dataset['theme'] === 'dark');
  await goTo('keys');
  await page.keyboard.press('Enter');
  const keys = page.getByRole('dialog', { name: 'Keys' });
  await keys.getByText('find a function').waitFor();
  await keys.getByText('next row of a list or table').waitFor();
  assert.match(String(await keys.textContent()), /Ctrl K/);
});

for (const [path, row] of /** @type {const} */ ([
  ['/wall', 'article a'],
  ['/map?view=table', 'td .why'],
  ['/explore', 'td button'],
  ['/logs?view=patterns', 'ol li'],
])) {
  test(`j and k go through the rows of ${path}`, async () => {
    await page.goto(url + path);
    await page.locator(row).nth(1).waitFor();
    const focused = () =>
      page.evaluate(() => {
        const rows = [...document.querySelectorAll('[data-row]')];
        return rows.findIndex((each) => each === document.activeElement);
      });
    await page.keyboard.press('j');
    assert.equal(await focused(), 0);
    await page.keyboard.press('j');
    assert.equal(await focused(), 1);
    await page.keyboard.press('k');
    assert.equal(await focused(), 0);
    await page.keyboard.press('k');
    assert.equal(await focused(), 0, 'there is nothing before the first');
  });
}

test('fits into 390 pixels', async () => {
  await reopen({ width: 390, height: 844, scheme: 'dark' });
  await page.goto(`${url}/wall`);
  await page.getByRole('button', { name: 'Go to (Ctrl K)' }).click();
  await option(/^inventory/).waitFor();
  await fits(page, 'palette-390-dark');
});

test('times are of the chosen clock, also after a reload', async () => {
  await reopen({ zone: 'Asia/Kolkata' });
  await page.goto(`${url}/functions/inventory?from=2026-11-21T22:00:00Z&to=2026-11-21T23:00:00Z`);
  const range = page.getByRole('button', { name: /Time range/ });
  await page.getByText('2026-11-22 03:30 to 04:30').waitFor();
  await page.getByRole('button', { name: 'Local' }).click();
  await page.getByText('2026-11-21 22:00 to 23:00').waitFor();
  await page.reload();
  await page.getByText('2026-11-21 22:00 to 23:00').waitFor();
  await range.click();
  await page.getByText('Times of UTC').waitFor();
  await page.getByRole('button', { name: 'Show this time' }).click();
  await page.waitForURL(/from=2026-11-21T22%3A00%3A00Z&to=2026-11-21T23%3A00%3A00Z/);
});
