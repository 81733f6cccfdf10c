// A browser page that remembers what went wrong in it.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual } from 'node:util';

const RESULTS = new URL('../test-results/', import.meta.url);

/**
 * @param {import('playwright-core').Browser} browser
 * @param {{ width?: number, height?: number, scheme?: 'light' | 'dark', zone?: string }} [how]
 */
export async function openPage(browser, how = {}) {
  const { width = 1280, height = 800, scheme = 'light', zone = 'UTC' } = how;
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme: scheme,
    hasTouch: width < 500,
    timezoneId: zone,
  });
  context.setDefaultTimeout(10_000);
  const page = await context.newPage();
  /** @type {string[]} */
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // The browser itself reports each refused request; the tests refuse some on purpose.
    const isRefusal = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isRefusal) complaints.push(message.text());
  });
  return { page, complaints, close: () => context.close() };
}

/** @param {import('playwright-core').Page} page @param {string} name */
export async function screenshot(page, name) {
  mkdirSync(RESULTS, { recursive: true });
  await page.screenshot({ path: fileURLToPath(new URL(`${name}.png`, RESULTS)) });
}

/** How far the page is wider than the window. @param {import('playwright-core').Page} page */
export function overflow(page) {
  return page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
}

/** Nothing sticks out at the side; a picture of it is kept. @param {import('playwright-core').Page} page @param {string} name */
export async function fits(page, name) {
  assert.equal(await overflow(page), 0, `${name} scrolls sideways`);
  await screenshot(page, name);
}

/**
 * Drags from one place to another, both in shares of its width and height.
 * @param {import('playwright-core').Page} page
 * @param {import('playwright-core').Locator} target
 * @param {readonly [number, number]} from
 * @param {readonly [number, number]} to
 */
export async function drag(page, target, [fromX, fromY], [toX, toY]) {
  await target.scrollIntoViewIfNeeded();
  const box = await target.boundingBox();
  assert.ok(box, 'it is drawn');
  await page.mouse.move(box.x + box.width * fromX, box.y + box.height * fromY);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * toX, box.y + box.height * toY, { steps: 6 });
  await page.mouse.up();
}

/** How long the time in the address is. @param {import('playwright-core').Page} page */
export function minutesChosen(page) {
  const search = new URL(page.url()).searchParams;
  const at = (/** @type {string} */ name) => Date.parse(search.get(name) ?? '');
  return (at('to') - at('from')) / 60_000;
}

/**
 * What is read becomes what is expected within five seconds; else the difference is told. For what
 * the server was asked: what is on the screen may be of the page before.
 * @template T
 * @param {() => T} read
 * @param {T} expected
 */
export async function becomes(read, expected) {
  const end = Date.now() + 5_000;
  while (!isDeepStrictEqual(read(), expected) && Date.now() < end) {
    await new Promise((later) => setTimeout(later, 20));
  }
  assert.deepEqual(read(), expected);
}
