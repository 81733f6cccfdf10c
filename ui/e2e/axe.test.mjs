// Every page in both themes: axe finds nothing serious.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { violations } from './axe.mjs';
import { LINK } from './actions.mjs';
import { CHECKOUT_ID } from './mock.mjs';
import { page, server, url } from './stage.mjs';

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
  [LINK, 'pre'],
  ['/audit', 'h2'],
  ['/alerts', 'h2'],
  ['/notifications', 'h2'],
  ['/notifications?mute=function%3Apay&kind=latency', 'h2'],
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
    '/notifications',
    'h2',
    async (page) => {
      await page.getByRole('button', { name: 'Change ops' }).click();
      await page.getByLabel('Environment', { exact: true }).fill('staging');
      await page.getByText('Changed, and not saved yet.').waitFor();
    },
  ],
  [
    '/notifications',
    'h2',
    async (page) => {
      await page.locator('label', { hasText: 'As text' }).click();
      await page.getByRole('textbox', { name: 'Settings' }).fill('{');
      await page.getByText('This is no JSON').waitFor();
    },
  ],
  [
    '/alerts',
    'h2',
    async (page) => {
      await page.getByRole('button', { name: 'Add an objective' }).click();
      await page.getByRole('button', { name: 'Save' }).click();
      await page.getByText('a condition is not complete').first().waitFor();
      await page.getByRole('button', { name: 'Change many fail' }).click();
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

for (const scheme of /** @type {const} */ (['light', 'dark'])) {
  for (const [path, ready, act] of PAGES) {
    test(`${path}${act ? ', opened' : ''}, ${scheme}`, async () => {
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(url + path);
      await page.locator(ready).first().waitFor();
      await act?.(page);
      assert.deepEqual(await violations(page), []);
    });
  }

  for (const path of ['/', '/map', '/logs', '/explore', '/functions/inventory']) {
    test(`${path} without a server, ${scheme}`, async () => {
      server.failing = true;
      await page.emulateMedia({ colorScheme: scheme });
      await page.goto(url + path);
      await page.getByRole('alert').waitFor();
      assert.deepEqual(await violations(page), []);
    });
  }
}
