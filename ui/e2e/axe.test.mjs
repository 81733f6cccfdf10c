// Every page in both themes: axe finds nothing serious.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before, test } from 'node:test';
import { launch } from './browser.mjs';
import { CHECKOUT_ID, MockServer } from './mock.mjs';
import { openPage } from './page.mjs';

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
      await page.getByRole('button', { name: /Time range/ }).click();
      await page.getByText('Show this time').waitFor();
    },
  ],
];

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {MockServer} */
let server;
/** @type {string} */
let url;

before(async () => {
  browser = await launch();
  server = new MockServer();
  url = await server.listen();
});

after(async () => {
  await browser?.close();
  await server.close();
});

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

for (const [path, ready, act] of PAGES) {
  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    test(`${path}${act ? ', opened' : ''}, ${scheme}`, async () => {
      const { page, close } = await openPage(browser, { scheme });
      try {
        await page.goto(url + path);
        await page.locator(ready).first().waitFor();
        await act?.(page);
        await page.waitForTimeout(SETTLE_MILLIS);
        assert.deepEqual(await violations(page), []);
      } finally {
        await close();
      }
    });
  }
}

for (const path of ['/', '/map', '/logs', '/explore', '/functions/inventory']) {
  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    test(`${path} without a server, ${scheme}`, async () => {
      const { page, close } = await openPage(browser, { scheme });
      server.failing = true;
      try {
        await page.goto(url + path);
        await page.getByRole('alert').waitFor();
        await page.waitForTimeout(SETTLE_MILLIS);
        assert.deepEqual(await violations(page), []);
      } finally {
        server.failing = false;
        await close();
      }
    });
  }
}

/** Colours move for a moment when something appears; contrast is looked at when they rest. */
const SETTLE_MILLIS = 300;
