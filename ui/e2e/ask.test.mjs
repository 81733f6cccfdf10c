// From where one asks why it was so: charts and what was dragged over on them, functions, the map,
// traces; and what incidents leave on charts once they are over.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actions } from './actions.mjs';
import { violations } from './axe.mjs';
import { overIncident } from './incidents.mjs';
import { CHECKOUT_ID } from './mock.mjs';
import { drag, fits, minutesChosen } from './page.mjs';
import { atWidths, page, reopen, server, url } from './stage.mjs';

const link = (/** @type {string | RegExp} */ name) => page.getByRole('link', { name });
const chart = (/** @type {RegExp} */ name) => page.getByRole('img', { name });

/** What an investigation is asked, once it is answered; times in minutes before now. */
async function asked() {
  await page.waitForURL(/\/investigate\?/);
  await page.getByRole('region', { name: 'Evidence' }).waitFor();
  const { q, node, symptom, from, to } = Object.fromEntries(new URL(page.url()).searchParams);
  const posted = server.posted.findLast((each) => 'utc_offset_minutes' in each);
  const told = [q ?? '', node, symptom].map((text) => (text === '' ? undefined : text));
  assert.deepEqual([posted.question || undefined, posted.node, posted.symptom], told);
  const ago = (/** @type {string | undefined} */ at) =>
    Math.round((Date.now() - Date.parse(at ?? '')) / 60_000);
  return { q, node, symptom, from: ago(from), to: ago(to) };
}

/** Two of inventory and one of notify, within the last hour. */
function someAreOver() {
  server.over = [
    overIncident(203, 'critical', 'function:inventory', [40, 25]),
    overIncident(202, 'note', 'function:inventory', [300, 200]),
    overIncident(201, 'note', 'function:notify', [20, 5]),
  ];
}

test('what was dragged over on a chart of a function is zoomed to, and asked about', async () => {
  await page.goto(`${url}/functions/inventory`);
  const errors = chart(/^Errors/);
  await errors.waitFor();
  await drag(page, errors, [0.5, 0.5], [0.8, 0.5]);
  await page.waitForURL(/from=.*&to=/);
  const minutes = minutesChosen(page);
  await page.waitForFunction(() => !document.querySelector('.stale'));
  const ask = link('Investigate this time: Errors of inventory');
  await ask.focus();
  await page.keyboard.press('Enter');
  const { node, symptom, from, to } = await asked();
  assert.deepEqual([node, symptom], ['function:inventory', 'error']);
  assert.ok(Math.abs(from - to - minutes) <= 2, `${from - to} of ${minutes} min`);
  await page.goBack();
  assert.equal(minutesChosen(page), minutes, 'the way back is to what was chosen');
});

test('a finger selects as a mouse does', async () => {
  await reopen({ width: 390, height: 844 });
  someAreOver();
  await page.goto(`${url}/functions/inventory`);
  // Charts are drawn anew until all of it is there.
  await chart(/^Cost.*critical incident/).waitFor();
  const errors = page.locator('.u-over').nth(1);
  await errors.scrollIntoViewIfNeeded();
  const box = await errors.boundingBox();
  assert.ok(box);
  const finger = await page.context().newCDPSession(page);
  const touch = (/** @type {'touchStart' | 'touchMove' | 'touchEnd'} */ type, share = 0) => {
    const at = { x: box.x + box.width * share, y: box.y + box.height / 2 };
    const touchPoints = type === 'touchEnd' ? [] : [at];
    return finger.send('Input.dispatchTouchEvent', { type, touchPoints });
  };
  await touch('touchStart', 0.5);
  for (const share of [0.55, 0.65, 0.75]) await touch('touchMove', share);
  await touch('touchEnd');
  await page.waitForURL(/from=.*&to=/);
  const minutes = minutesChosen(page);
  assert.ok(minutes > 12 && minutes < 18, `${minutes} min`);
  await page.waitForFunction(() => !document.querySelector('.stale'));
  const ask = link('Investigate this time: Errors of inventory');
  // Charts are drawn anew, and their links with them, once the answers to the new question are there.
  await page.waitForFunction(() => {
    const asks = [...document.querySelectorAll('a[href^="/investigate?"]')];
    const from = (/** @type {Element} */ it) =>
      new URL(/** @type {HTMLAnchorElement} */ (it).href).searchParams.get('from');
    return asks.every((it) => Date.now() - Date.parse(from(it) ?? '') < 45 * 60_000);
  });
  await ask.click();
  const { symptom, from, to } = await asked();
  assert.equal(symptom, 'error');
  assert.ok(Math.abs(from - to - minutes) <= 2, `${from - to} of ${minutes} min`);
});

test('each chart of a function says what would be wrong', async () => {
  await page.goto(`${url}/functions/inventory?range=6h`);
  await link(/^Investigate this time: Cost/).waitFor();
  const wrong = async (/** @type {string} */ title) => {
    const ask = link(`Investigate this time: ${title} of inventory`);
    const href = String(await ask.getAttribute('href'));
    return new URLSearchParams(href.split('?')[1]).get('symptom');
  };
  const titles = ['Calls', 'Errors', 'Duration', 'Cold starts', 'Memory', 'Cost'];
  assert.deepEqual(await Promise.all(titles.map(wrong)), [
    null,
    'error',
    'slow',
    'cold_start',
    null,
    'expensive',
  ]);
  const more = page.getByRole('navigation', { name: /More about/ });
  await more.getByRole('link', { name: 'Investigate' }).click();
  const all = await asked();
  assert.deepEqual([all.node, all.symptom, all.to], ['function:inventory', undefined, 0]);
  // Charts begin at a whole step.
  assert.ok(all.from >= 360 && all.from <= 371, `${all.from} minutes ago`);
});

test('a chart of Explore is asked about with whom and what it is of', async () => {
  const is = (/** @type {string} */ column, /** @type {string} */ value) => ({
    column,
    op: '=',
    value,
  });
  const filters = [is('service', 'checkout'), is('status', 'error')];
  const query = encodeURIComponent(JSON.stringify({ filters }));
  await page.goto(`${url}/explore?query=${query}`);
  await page.locator('.u-over').first().waitFor();
  await drag(page, page.locator('.u-over').first(), [0.25, 0.5], [0.75, 0.5]);
  await page.waitForURL(/from=.*&to=/);
  const minutes = minutesChosen(page);
  await page.waitForFunction(() => !document.querySelector('.stale'));
  await link(/^Investigate this time/)
    .first()
    .click();
  const { q, node, symptom, from, to } = await asked();
  assert.deepEqual([q, node, symptom], ['checkout', undefined, 'error']);
  assert.ok(Math.abs(from - to - minutes) <= 2, `${from - to} of ${minutes} min`);
});

test('a rectangle of a heat map is compared, and asked about', async () => {
  await page.goto(`${url}/explore`);
  await link('Investigate this time: HEATMAP(duration_ms)').waitFor();
  await drag(page, page.locator('.field'), [0.4, 0.2], [0.6, 0.7]);
  const why = page.getByRole('region', { name: 'Why is this different?' });
  await why.getByText('408 spans against').waitFor();
  await why.getByRole('link', { name: 'Investigate this time' }).click();
  const { q, node, symptom, from, to } = await asked();
  assert.deepEqual([q, node, symptom], [undefined, undefined, 'slow']);
  assert.ok(from - to >= 11 && from - to <= 15, `${from - to} min`);
});

test('errors that are compared are asked about as such', async () => {
  await page.goto(`${url}/explore`);
  await page.getByRole('button', { name: 'Why are errors different?' }).click();
  const why = page.getByRole('region', { name: 'Why is this different?' });
  await why.getByRole('link', { name: 'Investigate this time' }).click();
  assert.equal((await asked()).symptom, 'error');
});

test('logs are asked about with whose they are', async () => {
  await page.goto(`${url}/logs?min=17&where=${encodeURIComponent('faas.name="inventory"')}`);
  await drag(page, page.locator('figure svg'), [0.25, 0.5], [0.5, 0.5]);
  await page.waitForURL(/from=.*&to=/);
  const minutes = minutesChosen(page);
  await link(/^Investigate this time: lines/).click();
  const { node, symptom, from, to } = await asked();
  assert.deepEqual([node, symptom], ['function:inventory', 'error']);
  assert.ok(Math.abs(from - to - minutes) <= 2, `${from - to} of ${minutes} min`);
});

test('a node of the map is asked about, around the minute that is shown', async () => {
  const minute = new Date(Math.floor(Date.now() / 60_000) * 60_000 - 7_200_000);
  const at = minute.toISOString();
  await page.goto(`${url}/map?select=table%3Acustomers&range=6h`);
  const panel = page.getByRole('complementary', { name: 'About customers' });
  await panel.getByRole('link', { name: 'Investigate' }).click();
  const live = await asked();
  assert.deepEqual([live.node, live.from, live.to], ['table:customers', 360, 0]);
  await page.goto(`${url}/map?select=table%3Acustomers&range=6h&at=${at}`);
  await panel.getByRole('link', { name: 'Investigate' }).click();
  const { from, to } = await asked();
  assert.ok(Math.abs(from - 150) <= 1 && Math.abs(to - 90) <= 1, `${from} to ${to} minutes ago`);
});

test('a trace is asked about: why it failed, of whom that began with', async () => {
  await page.goto(`${url}/traces/${CHECKOUT_ID}`);
  await link('Investigate why it failed').click();
  const { node, symptom, from, to } = await asked();
  assert.deepEqual([node, symptom], ['function:inventory', 'error']);
  assert.ok(Math.abs(from - 30) <= 1 && Math.abs(to + 30) <= 1, `${from} to ${to} minutes ago`);
});

test('incidents that are over are on the charts of whom they were of', async () => {
  someAreOver();
  await page.goto(`${url}/functions/inventory`);
  const words = /critical incident: function:inventory fails more/;
  await chart(/^Errors.*critical incident: .*; the end of: critical incident: /).waitFor();
  const label = String(await chart(/^Duration/).getAttribute('aria-label'));
  assert.match(label, words);
  assert.doesNotMatch(label, /notify|note incident/, 'of another, or of another time');
  const over = page.getByRole('list', { name: 'Over by now' });
  assert.equal(await over.getByRole('link').count(), 1);

  await page.goto(`${url}/explore?query=${encodeURIComponent('{"filters":[]}')}`);
  await chart(/^COUNT over time.*the end of: critical incident/).waitFor();
  const said = String(await chart(/^COUNT over time/).getAttribute('aria-label'));
  assert.doesNotMatch(said, /notify/, 'notes of everybody are too many');

  await page.goto(`${url}/logs?service=notify`);
  await page.getByRole('figure', { name: /the end of: note incident/ }).waitFor();
  assert.equal(await page.locator('figure svg line').count(), 2);
  const beside = page.getByRole('list', { name: 'Incidents in this time' });
  await beside.getByRole('link', { name: /^notify/ }).click();
  await page.waitForURL(/\/incidents\/201$/);
});

test('the wall and the map have those alone that go on', async () => {
  someAreOver();
  await page.goto(`${url}/wall`);
  await page.locator('article').first().waitFor();
  await page.goto(`${url}/map`);
  await page.locator('button[data-node]').first().waitFor();
  const states = server.asked
    .filter(({ pathname }) => pathname === '/api/v1/incidents')
    .map(({ searchParams }) => searchParams.get('state'));
  assert.deepEqual([...new Set(states)], ['open']);
});

test('what was done about an incident is in its timeline, with who', async () => {
  server.actions = new Actions();
  server.actions.note('ada', 'proposed', { id: 'x' });
  server.actions.act({ k: 'AQAAAABq_ZhA', seen: 'abc', typed: 'pay', who: 'ada' });
  await page.goto(`${url}/incidents/7`);
  const timeline = page.getByRole('region', { name: 'Timeline' });
  await timeline.getByText('done by ada: deny pay writing to audit').waitFor();
  const panel = page.getByRole('region', { name: 'What can be done' });
  await panel.getByLabel('Your name').fill('bob');
  await panel.getByRole('button', { name: 'Undo' }).click();
  await timeline.getByText('undone by bob: deny pay writing to audit').waitFor();
  const last = await timeline.getByRole('listitem').last().innerText();
  assert.match(last, /undone by bob/, 'in the order of time');
});

for (const scheme of /** @type {const} */ (['light', 'dark'])) {
  test(`marks and links are clear to all, ${scheme}`, async () => {
    await reopen({ scheme });
    someAreOver();
    for (const path of ['/functions/inventory', '/explore', '/logs?service=notify']) {
      await page.goto(url + path);
      await page.getByRole('list', { name: /Over by now|Incidents in/ }).waitFor();
      assert.deepEqual(await violations(page), [], path);
    }
  });
}

atWidths('what is asked about', [390, 1440], async (name) => {
  someAreOver();
  await page.goto(`${url}/functions/inventory`);
  await link('Investigate this time: Duration of inventory').scrollIntoViewIfNeeded();
  await page.locator('.u-over').nth(3).waitFor();
  await fits(page, `ask-function-${name}`);
  await page.goto(`${url}/explore`);
  await page.locator('.u-over').first().scrollIntoViewIfNeeded();
  await fits(page, `ask-explore-${name}`);
  await page.goto(`${url}/logs`);
  await page.locator('figure svg line').first().waitFor({ state: 'attached' });
  await fits(page, `ask-logs-${name}`);
  await page.goto(`${url}/traces/${CHECKOUT_ID}`);
  await link('Investigate why it failed').waitFor();
  await fits(page, `ask-trace-${name}`);
  await page.goto(`${url}/map?select=function%3Anotify`);
  await link('Investigate').waitFor();
  await fits(page, `ask-map-${name}`);
});
