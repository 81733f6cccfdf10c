// Every page in both themes: axe finds nothing serious.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { CHECKOUT_ID } from './mock.mjs';
import { page, server, url } from './stage.mjs';

const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2 AA and what axe's authors recommend beside it. */
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
const BAD = ['serious', 'critical'];

/** Path, what is there when it is ready, and what is done then. */
/** @type {readonly (readonly [string, string, ((page: import('playwright-core').Page) => Promise<void>)?])[]} */
const PAGES = [
  ['/', 'a[data-trace]'],
  ['/?service=nobody', 'main'],
  [`/traces/${CHECKOUT_ID}`, '[role=treegrid] [role=row][aria-level]'],
  [`/traces/${CHECKOUT_ID}?span=7973bfe9f7fb734c`, 'aside'],
  ['/traces/none', 'main p'],
  ['/wall', 'article'],
  ['/map', '[role=group]'],
  ['/map?select=function%3Anotify', 'aside table'],
  ['/map?view=table', 'td'],
  ['/logs', 'main'],
  ['/logs?view=patterns', 'ol li'],
  ['/explore', 'td'],
  ['/explore?tab=sql&sql=select+1', 'textarea'],
  ['/incidents', 'li a'],
  ['/incidents?show=open', 'li a'],
  ['/incidents/7', 'article'],
  ['/incidents/8', '[role=alert], main p'],
  ['/investigate', 'main p'],
  ['/investigate?q=order+was+slow', 'table'],
  ['/investigate?q=nothing+was+slow', 'h2'],
  ['/graph', 'pre'],
  ['/graph?q=MATCH+%28a%29+RETURN+a', 'td'],
  ['/functions/inventory', 'dl dd'],
  ['/functions/nobody', 'main p'],
  ['/no-such-page', '.lost'],
  [
    '/wall',
    'article',
    async (page) => {
      await page.keyboard.press('Control+k');
      await page.getByRole('option', { name: /^inventory/ }).waitFor();
    },
  ],
  [
    '/wall',
    'article',
    async (page) => {
      await page.keyboard.press('?');
      await page.getByRole('dialog').waitFor();
    },
  ],
  [
    '/explore',
    'td',
    async (page) => {
      await page.getByRole('button', { name: 'Why are errors different?' }).click();
      await page.getByText('408 spans against').waitFor();
    },
  ],
  [
    '/explore',
    'td',
    async (page) => {
      await page.keyboard.press('q');
      await page.getByLabel('Keep what is asked now, as').fill('All of it');
      await page.keyboard.press('Enter');
      await page.getByRole('link', { name: 'All of it' }).waitFor();
    },
  ],
  [
    '/graph',
    'pre',
    async (page) => {
      await page.getByRole('textbox', { name: 'Query' }).pressSequentially('MATCH (f:');
      await page.getByRole('option').first().waitFor();
      await page.keyboard.press('ArrowDown');
    },
  ],
  [
    '/explore',
    'td',
    async (page) => {
      await page.getByRole('button', { name: /Time range/ }).click();
      await page.getByText('Show this time').waitFor();
    },
  ],
];

/** What axe has against the page, in words. @param {import('playwright-core').Page} page */
async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async (tags) => {
    const axe = /** @type {any} */ (window).axe;
    const { violations } = await axe.run({ runOnly: tags });
    return violations.map((/** @type {any} */ each) => ({
      impact: each.impact,
      words: `${each.id}: ${each.help}`,
      nodes: each.nodes.slice(0, 5).map(
        (/** @type {any} */ node) =>
          node.html.slice(0, 160) +
          ' ' +
          node.any
            .map((/** @type {any} */ any) => any.message)
            .join('; ')
            .slice(0, 160),
      ),
    }));
  }, TAGS);
  return found
    .filter((/** @type {any} */ each) => BAD.includes(each.impact))
    .map((/** @type {any} */ each) => [each.words, ...each.nodes].join('\n    '));
}

for (const scheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [path, ready, act] of PAGES) {
    test(`${path}${act ? ', opened' : ''}, ${scheme}`, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(url + path);
      await page.locator(ready).first().waitFor();
      await act?.(page);
      await page.waitForTimeout(SETTLE_MILLIS);
      assert.deepEqual(await violations(page), []);
    });
  }

  for (const path of ['/', '/map', '/logs', '/explore', '/functions/inventory']) {
    test(`${path} without a server, ${scheme}`, async () => {
      server.failing = true;
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(url + path);
      await page.getByRole('alert').waitFor();
      await page.waitForTimeout(SETTLE_MILLIS);
      assert.deepEqual(await violations(page), []);
    });
  }
}

/** Colours move for a moment when something appears; contrast is looked at when they rest. */
const SETTLE_MILLIS = 300;
