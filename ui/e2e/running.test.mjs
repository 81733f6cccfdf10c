// Every view over the running demo, from the orders of real users to what a person sees of them:
// THROUGHLINE_BIN=.../throughline npm run e2e. It needs the functions of big-mouth, and moto.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { violations } from './axe.mjs';
import { launch } from './browser.mjs';
import { startDemo } from './demo.mjs';
import { fits, openPage, screenshot } from './page.mjs';

const program = process.env['THROUGHLINE_BIN'] ?? '';
const skip = program === '' && 'THROUGHLINE_BIN is not set';
const RATE = 30;
const ORDER = 'my-order-1';
const WAIT_MILLIS = 60_000;
/** What the platform reports of an invocation comes with the next one of its environment. */
const REPORT = { timeout: 30_000 };
/** The functions that an order comes through. */
const FUNCTIONS = [
  'accept-order',
  'notify-restaurant',
  'notify-user',
  'place-order',
  'update-stats',
];
const SPAN = '[role=treegrid] [role=row][aria-level]';

/** @type {Awaited<ReturnType<typeof startDemo>>} */
let demo;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
  if (skip) return;
  demo = await startDemo(program, RATE);
  browser = await launch();
  assert.equal(await demo.order(ORDER), 201);
  await fail();
  await until('its mail', async () => (await demo.mails()).includes(ORDER) || 'no mail of it');
  // What an environment has to tell of its last invocation comes with its next one at the latest; the one that was used
  // last is used first, so that those of several are used by as many orders at once.
  let others = 0;
  const more = () => demo.order(`another-order-${(others += 1)}`);
  /** @param {string} path @param {RequestInit} [how] */
  const ask = async (path, how) => {
    assert.deepEqual(await Promise.all([more(), more(), more(), more()]), [201, 201, 201, 201]);
    const answer = await fetch(`${demo.url}/api/v1/${path}`, how);
    return answer.ok ? /** @type {any} */ (await answer.json()) : undefined;
  };
  await until('all of its story', async () => {
    const told = await ask(`traces/${ORDER}?anywhere=true`);
    if (told === undefined) return 'nothing of it';
    if (told.services.length >= FUNCTIONS.length && told.cost.reported > 0) return true;
    const steps = told.spans.map((/** @type {any} */ { service, name }) => `${service} ${name}`);
    return `${told.cost.reported} reports, ${steps.join(', ')}`;
  });
  await until('the line of the failure', async () => {
    const failed = `select name, "code.file.path" from spans where service = 'place-order' and status = 'error'`;
    const headers = { accept: 'application/json', 'content-type': 'application/json' };
    const body = JSON.stringify({ sql: failed });
    const told = JSON.stringify((await ask('sql', { method: 'POST', headers, body }))?.rows);
    return told?.includes('app.py') || told;
  });
});

after(async () => {
  await browser?.close();
  await demo?.stop();
});

/** @param {string} what @param {() => Promise<true | string>} look whether it is here, or what is instead */
async function until(what, look) {
  const end = Date.now() + WAIT_MILLIS;
  for (let seen = await look(); seen !== true; seen = await look()) {
    assert.ok(Date.now() < end, `${what} does not come: ${seen}`);
    await new Promise((later) => setTimeout(later, 2_000));
  }
}

/** An app that forgets to say who orders: nobody has thought of that in place-order. */
async function fail() {
  assert.equal(await demo.order('nobodys-order', { user: undefined }), 500);
}

/**
 * @param {string} title
 * @param {(page: import('playwright-core').Page) => Promise<void>} story
 * @param {Parameters<typeof openPage>[1]} [how]
 */
function view(title, story, how = {}) {
  test(title, { skip }, async () => {
    const { page, complaints, close } = await openPage(browser, how);
    try {
      await story(page);
      assert.deepEqual(complaints, [], 'the page complained');
      assert.deepEqual(await violations(page), []);
    } finally {
      await screenshot(page, `running-${title.replaceAll(/\W+/g, '-')}`);
      await close();
    }
  });
}

/** What the failing line looks like, once it is reached. @param {import('playwright-core').Page} page */
async function seeLine(page) {
  const panel = page.locator('aside');
  await panel.getByText('Stack trace', { exact: true }).waitFor();
  const text = await panel.innerText();
  assert.match(text, /KeyError/);
  assert.match(text, /app\.py/);
  assert.match(text, /in place\b/);
}

/** @param {import('playwright-core').Page} page */
const failure = (page) => page.getByRole('link', { name: /KeyError/ }).first();

view('from the wall to the failing line in two clicks', async (page) => {
  await page.goto(`${demo.url}/wall`);
  await page.getByRole('link', { name: 'place-order', exact: true }).click();
  await failure(page).click();
  await seeLine(page);
});

view('the same with the keyboard alone', async (page) => {
  await page.goto(`${demo.url}/`);
  await page.locator('a[data-trace]').first().waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('1');
  await page.getByRole('article').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('place-order');
  await page.waitForURL(/q=place-order/);
  await page.keyboard.press('Tab');
  for (let nth = 0; nth < 20; nth += 1) {
    if ((await page.evaluate(() => document.activeElement?.textContent)) === 'place-order') break;
    await page.keyboard.press('Tab');
  }
  await page.keyboard.press('Enter');
  await failure(page).waitFor();
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await seeLine(page);
});

view(
  'the same at 390 px',
  async (page) => {
    await page.goto(`${demo.url}/wall`);
    await page.getByRole('link', { name: 'place-order', exact: true }).tap();
    await failure(page).waitFor();
    await fits(page, 'running-function-390');
    await failure(page).tap();
    await seeLine(page);
    await fits(page, 'running-trace-390');
  },
  { width: 390, height: 844 },
);

view('the map', async (page) => {
  await page.goto(`${demo.url}/map`);
  for (const id of [
    ...FUNCTIONS.map((name) => `function:${name}`),
    'table:users',
    'stream:accepted',
  ])
    await page.locator(`[data-node="${id}"]`).waitFor();
  await page.locator('[data-node="function:place-order"]').click();
  const panel = page.getByRole('complementary', { name: 'About place-order' });
  await panel.getByRole('link').first().waitFor();
  assert.match(await panel.innerText(), /users/);
});

view('the list of traces', async (page) => {
  await page.goto(`${demo.url}/`);
  const row = page.locator('[role=row]:has(a[data-trace])');
  const order = row
    .filter({ hasText: 'place-order' })
    .filter({ hasText: 'notify-restaurant' })
    .filter({ hasText: 'accept-order' });
  await order.first().waitFor();
  await page.getByText('Errors', { exact: true }).click();
  await page.fill('input[placeholder="attribute=value"]', 'error.type=KeyError');
  await page.keyboard.press('Enter');
  await page.waitForURL(/status=error.*attribute=error.type/);
  await order.first().waitFor({ state: 'detached' });
  await row.first().locator('a[data-trace]').click();
  await page.getByRole('button', { name: /show the cause/ }).click();
  await seeLine(page);
});

view('the story of an order', async (page) => {
  await page.goto(`${demo.url}/wall`);
  await page.getByRole('article').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type(ORDER);
  await page.keyboard.press('Enter');
  const header = page.locator('main header').first();
  // The page asks again while spans may come late.
  await header
    .getByText(/steps across 5 functions, .* until the answer, .* until the end/)
    .waitFor(REPORT);
  const rows = (await page.locator(SPAN).allInnerTexts()).map((text) => text.replaceAll('\n', ' '));
  for (const what of ['POST', 'DynamoDB.PutItem', 'queue notifications', 'bus big-mouth'])
    assert.ok(
      rows.some((row) => row.includes(what)),
      `${what} in ${rows.join(' | ')}`,
    );
  await page.getByText(`order=${ORDER}`).first().waitFor();
  await page.getByRole('radio', { name: 'Graph' }).check({ force: true });
  await page.locator('[data-node]').first().waitFor();
});

view('a function', async (page) => {
  await page.goto(`${demo.url}/functions/place-order`);
  const main = page.getByRole('main');
  await main.getByText(/at most \d+\sMB of 256\sMB/).waitFor(REPORT);
  await main.getByText(/a million calls/).waitFor(REPORT);
  assert.match(await failure(page).innerText(), /app\.py:\d+/);
  const callees = main.getByRole('region', { name: 'Calls' });
  await callees.getByText('orders-placed').waitFor();
  await main.getByText('us-east-1', { exact: true }).first().waitFor();
});

view('explore', async (page) => {
  await page.goto(`${demo.url}/explore`);
  const groups = page.getByRole('region', { name: 'Groups' });
  await groups.getByText('place-order').waitFor();
  await page.locator('.u-over').first().waitFor();
  await page.getByRole('button', { name: 'Why are errors different?' }).click();
  await page
    .getByText(/spans against/)
    .first()
    .waitFor();
});

view('the logs', async (page) => {
  await page.goto(`${demo.url}/logs`);
  await page.locator('button[data-log]').first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type(`"order=${ORDER}"`);
  // Others are placed as well.
  const found = page.waitForResponse((it) => it.url().includes(ORDER));
  await page.keyboard.press('Enter');
  await found;
  await page
    .getByText(/order placed/)
    .first()
    .waitFor();
  await page.getByRole('link', { name: 'Trace', exact: true }).first().click();
  await page.getByText(/steps across 5 functions/).waitFor(REPORT);
});

view('completeness', async (page) => {
  await page.goto(`${demo.url}/completeness`);
  const rows = page
    .getByRole('region', { name: 'Completeness of each function' })
    .locator('tbody tr');
  await rows.first().waitFor();
  const told = (await rows.allTextContents()).map((text) => text.replaceAll(/\s+/g, ' ').trim());
  for (const name of FUNCTIONS) {
    const row = told.find((text) => text.startsWith(name)) ?? '';
    // An environment may still have some; nothing is dropped, and nothing is gone without a word.
    assert.match(row, /[\d.]+ %.*none/, `${name} in ${told.join(' | ')}`);
    assert.doesNotMatch(row, /nothing says why|was not heard of|printed/);
  }
});

view('incidents', async (page) => {
  await page.goto(`${demo.url}/incidents`);
  await page.getByText(/^\d+ found$/).waitFor();
  await page
    .getByText('Nothing unusual was found so far.')
    .or(page.getByRole('main').locator('li a'))
    .first()
    .waitFor();
});

view('investigate', async (page) => {
  await page.goto(`${demo.url}/investigate`);
  await page
    .getByRole('searchbox', { name: 'What is asked' })
    .fill('what failed in the last 10 minutes?');
  await page.keyboard.press('Enter');
  const asked = page.getByRole('group', { name: 'As it was understood' });
  await asked.getByText('fails').first().waitFor({ state: 'attached' });
  await page.getByRole('heading', { level: 2 }).first().waitFor();
  assert.equal(await page.getByRole('alert').count(), 0);
});

view('the graph', async (page) => {
  await page.goto(`${demo.url}/graph`);
  await page
    .getByRole('textbox', { name: 'Query' })
    .fill("MATCH (f {name: 'place-order'})-[c]->(n) RETURN n, c");
  await page.keyboard.press('Control+Enter');
  const rows = page.getByRole('region', { name: 'Rows' });
  for (const name of ['users', 'orders', 'orders-placed'])
    await rows.getByText(name, { exact: true }).first().waitFor();
});

// Last, so that the failures above are no longer among those of the last ten seconds.
view('the wall', async (page) => {
  await page.goto(`${demo.url}/wall`);
  const card = page.getByRole('article', { name: 'place-order', exact: true });
  await card.waitFor();
  const errors = card.locator('.counts .bad');
  await errors.waitFor({ state: 'detached', timeout: 15_000 });
  await fail();
  const answered = Date.now();
  await errors.waitFor();
  console.log(`a failure was on the wall ${Date.now() - answered} ms after its answer`);
  const names = await page
    .getByRole('article')
    .evaluateAll((cards) => cards.map((each) => each.getAttribute('aria-label')));
  for (const name of FUNCTIONS) assert.ok(names.includes(name), `${name} in ${names}`);
  assert.match(await card.innerText(), /median\s+\d[\d.]*\s(ms|s)/);
  await card.getByText(/^\$0\.\d+\/s$/).waitFor(REPORT);
});
