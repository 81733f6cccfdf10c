// What every test over made-up answers stands on: one browser for the file, and for each test a
// mock of the server and a page, which after it have nothing to complain of. To import it is
// enough: each file of tests runs in a process of its own.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './browser.mjs';
import { MockServer } from './mock.mjs';
import { openPage } from './page.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {Awaited<ReturnType<typeof openPage>>} */
let opened;
/** @type {MockServer} */
export let server;
/** Where the mock listens. @type {string} */
export let url;
/** @type {import('playwright-core').Page} */
export let page;

/** The windows that pages are tried in. */
const HEIGHTS = /** @type {const} */ ({ 390: 844, 1280: 800, 1440: 900, 1920: 1080, 2560: 1300 });

before(async () => {
  const dist = new URL('../dist/index.html', import.meta.url);
  assert.ok(existsSync(dist), 'ui/dist is not built: run npm run build first');
  browser = await launch();
});

after(() => browser?.close());

beforeEach(async () => {
  server = new MockServer();
  url = await server.listen();
  opened = await openPage(browser);
  page = opened.page;
});

afterEach(async () => {
  await opened.close();
  await server.close();
  assert.deepEqual(opened.complaints, [], 'the page complained');
  assert.deepEqual(server.refused, [], 'the page asked for what the server does not know');
});

/** A new page in place of the one that was opened. @param {Parameters<typeof openPage>[1]} how */
export async function reopen(how) {
  await opened.close();
  opened = await openPage(browser, how);
  page = opened.page;
}

/**
 * One test for each width and theme.
 * @param {string} title
 * @param {readonly (keyof typeof HEIGHTS)[]} widths
 * @param {(name: string, width: number) => Promise<void>} story with a name for its pictures
 */
export function atWidths(title, widths, story) {
  for (const scheme of /** @type {const} */ (['light', 'dark'])) {
    for (const width of widths) {
      test(`${title} at ${width} px in ${scheme}`, async () => {
        await reopen({ width, height: HEIGHTS[width], scheme });
        await story(`${width}-${scheme}`, width);
      });
    }
  }
}
