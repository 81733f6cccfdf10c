// The same way through the page, over a real server with the demo's traffic:
// THROUGHLINE_URL=http://127.0.0.1:4300 npm run e2e
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { launch } from './browser.mjs';
import { openPage, screenshot } from './page.mjs';

const url = process.env['THROUGHLINE_URL'] ?? '';
const FUNCTIONS = ['checkout', 'inventory', 'notify'];
const SPAN = '[role=treegrid] [role=row][aria-level]';
const WAIT_MILLIS = 60_000;

/** @param {(page: import('playwright-core').Page) => Promise<void>} story */
async function inBrowser(story) {
  const browser = await launch();
  const { page, complaints } = await openPage(browser);
  try {
    await story(page);
    assert.deepEqual(complaints, [], 'the page complained');
  } finally {
    await browser.close();
  }
}

const options = { skip: url === '' && 'THROUGHLINE_URL is not set' };

test('one click of the demo is one trace', options, () =>
  inBrowser(async (page) => {
    await page.goto(`${url}/?attribute=${encodeURIComponent('faas.coldstart=true')}`);
    const row = FUNCTIONS.reduce(
      (rows, name) => rows.filter({ has: page.locator('.services', { hasText: name }) }),
      page.locator('[role=row]:has(a[data-trace])'),
    );
    await row.first().waitFor({ timeout: WAIT_MILLIS });
    await screenshot(page, 'server-list');
    await row.first().locator('a[data-trace]').click();
    await page.locator(SPAN).first().waitFor();

    const names = (await page.locator(SPAN).allInnerTexts()).map((text) =>
      text.replaceAll('\n', ' '),
    );
    for (const name of FUNCTIONS) {
      const isIts = (/** @type {string} */ row) => row.includes(name) && row.includes('invocation');
      assert.ok(names.some(isIts), `no invocation of ${name} in ${names.join(', ')}`);
    }
    assert.ok(
      names.some((row) => row.startsWith('init')),
      'no init phase',
    );
    assert.ok(
      names.some((row) => row.includes('cold start')),
      'no cold start',
    );
    await page.locator('section[aria-label=Logs] li').first().waitFor();
    await screenshot(page, 'server-trace');

    await page.locator(SPAN).first().click();
    await page.locator('aside', { hasText: 'faas.invocation_id' }).waitFor();
    await screenshot(page, 'server-panel');
  }),
);

test('an error of the demo is shown with its stack trace', options, () =>
  inBrowser(async (page) => {
    await page.goto(`${url}/?status=error`);
    await page.locator('a[data-trace]').first().waitFor({ timeout: WAIT_MILLIS });
    await page.locator('a[data-trace]').first().click();
    await page.getByRole('button', { name: /show the cause/ }).click();
    await page.locator('aside figure', { hasText: 'Stack trace' }).waitFor();
    await screenshot(page, 'server-error');
  }),
);
