// The wall of functions over made-up seconds.
import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './browser.mjs';
import { MockServer } from './mock.mjs';
import { openPage, overflow, screenshot } from './page.mjs';
import { wallOf } from './wall.mjs';

/** @type {import('playwright-core').Browser} */
let browser;
/** @type {MockServer} */
let server;
/** @type {string} */
let url;
/** @type {Awaited<ReturnType<typeof openPage>>} */
let opened;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
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
});

const cards = () => page.getByRole('article');
/** @param {number} at */
const nameOf = (at) => cards().nth(at).getAttribute('aria-label');

test('what is unusual comes first, and each second changes the cards', async () => {
  await page.goto(`${url}/wall`);
  await cards().first().waitFor();
  assert.equal(await cards().count(), 12);
  await page.getByText('12 functions, 3 unusual').waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('nobody');
  await page.getByText('No function has “nobody” in its name.').waitFor();
  await page.getByRole('searchbox').fill('');
  assert.match(String(await cards().first().textContent()), /30.0 % fail, normal is 0.2 %/);
  await screenshot(page, 'wall-1280');

  const next = wallOf(13);
  const calm = next.functions[12];
  assert.ok(calm);
  calm.function = 'a-new-one';
  server.tell(next);
  await page.getByRole('article', { name: 'a-new-one' }).waitFor();
  assert.equal(await cards().count(), 13);
});

test('order and search live in the address', async () => {
  await page.goto(`${url}/wall`);
  await cards().first().waitFor();
  await page.getByRole('radio', { name: 'Name' }).check({ force: true });
  await page.waitForURL(/order=name/);
  assert.match(String(await nameOf(0)), /^a-function/);
  await page.getByRole('searchbox').fill('function-1');
  await page.waitForURL(/q=function-1/);
  assert.equal(await cards().count(), 3, 'function-1, -10 and -11');
  await page.reload();
  await cards().first().waitFor();
  assert.equal(await cards().count(), 3);
  assert.equal(await nameOf(0), 'function-1');
});

test('a connection that breaks is joined again, and the cards stay meanwhile', async () => {
  await page.goto(`${url}/wall`);
  await cards().first().waitFor();
  server.watchers.forEach((watcher) => watcher.destroy());
  await page.getByText('What is shown is what was known last').waitFor();
  assert.equal(await cards().count(), 12);
  await page.getByText('What is shown is what was known last').waitFor({ state: 'detached' });
});

for (const [width, height, scheme] of /** @type {const} */ ([
  [390, 844, 'light'],
  [1280, 800, 'dark'],
  [2560, 1440, 'light'],
])) {
  test(`fits into ${width} pixels`, async () => {
    const narrow = await openPage(browser, { width, height, scheme });
    server.wall = wallOf(24);
    await narrow.page.goto(`${url}/wall`);
    await narrow.page.getByRole('article').first().waitFor();
    assert.equal(await overflow(narrow.page), 0);
    await screenshot(narrow.page, `wall-${width}-${scheme}`);
    assert.deepEqual(narrow.complaints, []);
    await narrow.close();
  });
}
