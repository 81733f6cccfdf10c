// How long somebody waits for a page that they have never opened.
import { openPage } from '../e2e/page.mjs';

const WAIT_MILLIS = 180_000;
const QUIET_MILLIS = 500;

/**
 * Milliseconds from where the address is opened until what the selector names is drawn, and until the
 * last answer of what the page asks for at first.
 * @param {import('playwright-core').Browser} browser
 * @param {string} url
 * @param {string} selector
 * @param {(page: import('playwright-core').Page) => Promise<void>} [then] with the page, before it is closed
 */
export async function opening(browser, url, selector, then = async () => {}) {
  const { page, complaints, close } = await openPage(browser);
  try {
    const quiet = watchRequests(page);
    await page.addInitScript(noteWhenShown, selector);
    await page.goto(url, { waitUntil: 'commit' });
    await page.waitForFunction(() => 'shown' in document.documentElement.dataset, null, {
      timeout: WAIT_MILLIS,
    });
    await quiet();
    const found = await page.evaluate(read);
    await then(page);
    if (complaints.length > 0) throw new Error(`${url}: ${complaints.join('; ')}`);
    return found;
  } finally {
    await close();
  }
}

/** Returns how to wait until no answer of the API is awaited for a while. @param {import('playwright-core').Page} page */
function watchRequests(page) {
  let open = 0;
  let changed = Date.now();
  /** @param {number} by */
  const count = (by) => (/** @type {import('playwright-core').Request} */ request) => {
    if (!new URL(request.url()).pathname.startsWith('/api/')) return;
    open += by;
    changed = Date.now();
  };
  page.on('request', count(1));
  page.on('requestfinished', count(-1));
  page.on('requestfailed', count(-1));
  return async () => {
    const end = Date.now() + WAIT_MILLIS;
    while (open > 0 || Date.now() - changed < QUIET_MILLIS) {
      if (Date.now() > end) throw new Error(`${page.url()} still waits for ${open} answers`);
      await new Promise((later) => setTimeout(later, 50));
    }
  };
}

/** In the page, before anything of it. @param {string} selector */
function noteWhenShown(selector) {
  requestAnimationFrame(function look() {
    if (document.querySelector(selector) === null) requestAnimationFrame(look);
    // What is there now is on the screen when the next frame begins.
    else
      requestAnimationFrame(
        () => (document.documentElement.dataset['shown'] = String(performance.now())),
      );
  });
}

/** In the page: what was noted. */
function read() {
  const entries = /** @type {PerformanceResourceTiming[]} */ (
    performance.getEntriesByType('resource')
  );
  const asked = entries.filter((each) => new URL(each.name).pathname.startsWith('/api/'));
  const slowest = asked.reduce((a, b) => (a.duration > b.duration ? a : b));
  return {
    shown: Number(document.documentElement.dataset['shown']),
    whole: Math.max(...asked.map((each) => each.responseEnd)),
    /** Of the answer that took longest: milliseconds and bytes. */
    answer: slowest.duration,
    bytes: slowest.encodedBodySize,
  };
}
