// The living map over made-up answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIncident, overIncident } from './incidents.mjs';
import { becomes, fits, screenshot } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const NODE = 'button[data-node]';
const CUSTOMERS = '[data-node="table:customers"]';
const MAP_WORK_MILLIS_MAX = 4;

/** @param {string} path */
async function openMap(path = '/map') {
  await page.goto(url + path);
  await page.locator(NODE).first().waitFor();
}

/** Where every node stands, in the map's own units. */
const places = () =>
  page
    .locator('li:has(> button[data-node])')
    .evaluateAll((items) =>
      Object.fromEntries(
        items.map((item) => [
          item.querySelector('button')?.dataset['node'],
          item.getAttribute('style') ?? '',
        ]),
      ),
    );

test('what is unlike usual stands out, and a click says why and what else is affected', async () => {
  await openMap();
  await page.getByText('are unlike usual').waitFor();
  assert.match(await page.locator(CUSTOMERS).innerText(), /(59|60).% fail/);
  await page.locator(CUSTOMERS).click();
  const panel = page.getByRole('complementary', { name: 'About customers' });
  await panel.getByText('very unusual').waitFor();
  const text = await panel.innerText();
  assert.match(text, /(59|60).% fail, usually 0.%/);
  assert.match(text, /Affected, however far away 3/);
  await panel.getByRole('link', { name: /./ }).first().waitFor();
  assert.match(page.url(), /select=table%3Acustomers/);

  await page.reload();
  await panel.getByText('very unusual').waitFor();
  await panel.getByRole('button', { name: 'notify', exact: true }).click();
  await page.getByRole('complementary', { name: 'About notify' }).waitFor();
  await page.keyboard.press('Escape');
  await page.getByRole('complementary', { name: /About/ }).waitFor({ state: 'detached' });
});

test('a node and its panel have what goes on with it now, and no other has', async () => {
  server.incidents = 0;
  server.open = [openIncident(59, 'critical', 'table:customers')];
  server.over = [overIncident(57, 'critical', 'function:notify', [40, 25])];
  await openMap('/map?select=function%3Anotify');
  const flags = page.locator(NODE).getByRole('img', { name: /incident/ });
  const words = 'critical incident: table:customers fails more: 0.1 % → 12 %';
  await page.locator(CUSTOMERS).getByRole('img', { name: words, exact: true }).waitFor();
  assert.equal(await flags.count(), 1);
  const incidents = page.getByRole('complementary').locator('a[href^="/incidents/"]');
  await page.getByRole('complementary', { name: 'About notify' }).waitFor();
  assert.equal(await incidents.count(), 0, 'of another, or over');

  await page.locator(CUSTOMERS).click();
  const panel = page.getByRole('complementary', { name: 'About customers' });
  await panel.getByRole('link', { name: /^customers.* fails more: 0.1 % → 12 %$/ }).waitFor();
  assert.equal(await incidents.getAttribute('href'), '/incidents/59');

  await page
    .locator('section[aria-label="Time on the map"] svg rect')
    .first()
    .waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL(/at=/);
  await flags.waitFor({ state: 'detached' });
  assert.equal(await incidents.count(), 0, 'what goes on now says nothing of a minute before');
  await page.getByRole('button', { name: 'Live' }).click();
  await incidents.click();
  await page.waitForURL(/\/incidents\/59$/);
});

test('a queue is fuller the longer messages had waited, and says how long', async () => {
  await openMap();
  const queue = page.locator('[data-node="queue:user-notify"]');
  assert.match(await queue.innerText(), /up to 6\.40\ss old/);
  assert.equal(await queue.locator('svg rect').count(), 1);
  const filled = page.locator('[data-edge="function:notify-restaurant function:notify"] .age');
  assert.ok(Number(await filled.getAttribute('height')) > 4);
  await queue.click();
  const panel = page.getByRole('complementary', { name: 'About user-notify' });
  await panel.getByText('half of 40 messages waited').waitFor();
  await page.keyboard.press('Escape');
  await page.keyboard.press('t');
  await page.getByRole('columnheader', { name: 'Waited' }).waitFor();
  assert.equal(await page.getByRole('cell', { name: /^6\.50\ss$/ }).count(), 1);
});

test('a failing trace is two clicks away, and the way back leads to the map', async () => {
  await openMap();
  await page.locator(CUSTOMERS).click();
  const panel = page.getByRole('complementary', { name: 'About customers' });
  await panel.locator('a[data-row]').first().click();
  await page.getByRole('link', { name: 'Back to where you came from' }).click();
  await page.getByRole('complementary', { name: 'About customers' }).waitFor();
});

test('a minute is replayed, by keyboard and in the address', async () => {
  await openMap();
  await page.getByLabel('Minute that the map shows').waitFor();
  await page
    .locator('section[aria-label="Time on the map"] svg rect')
    .first()
    .waitFor({ state: 'attached' });
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL(/at=/);
  const later = new URL(page.url()).searchParams.get('at');
  await page.keyboard.press('ArrowLeft');
  await page.waitForURL((address) => address.searchParams.get('at') !== later);
  const at = Date.parse(new URL(page.url()).searchParams.get('at') ?? '');
  assert.equal(at % 60_000, 0);
  await page.getByText('the minute from').waitFor();
  const minute = () => server.asked.findLast((asked) => asked.pathname === '/api/v1/edges');
  await becomes(() => minute()?.searchParams.get('from'), `${at}000000`);
  assert.equal(minute()?.searchParams.get('to'), `${at + 60_000}000000`);
  await page.getByRole('button', { name: 'Live' }).click();
  await page.waitForURL((address) => !address.search.includes('at='));
});

test('everything is also a row of a table', async () => {
  await openMap();
  const nodes = await page.locator(NODE).count();
  assert.equal(nodes, 12);
  await page.keyboard.press('t');
  const rows = page.getByRole('region', { name: 'The map as a table' }).locator('tbody tr');
  await rows.first().waitFor();
  assert.equal(await rows.count(), 10);
  assert.match(await rows.first().innerText(), /notify[\s\S]*customers[\s\S]*fail, usually/);
});

test('a newcomer moves nobody, also after a reload', async () => {
  await openMap();
  const before = await places();
  server.newNode = 'table:brand-new';
  await page.locator('[data-node="table:brand-new"]').waitFor();
  const after = await places();
  for (const [id, place] of Object.entries(before)) assert.equal(after[id], place, id);
  await page.reload();
  await page.locator('[data-node="table:brand-new"]').waitFor();
  assert.deepEqual(await places(), after);
});

test('a layer can be left out, and somebody found', async () => {
  await openMap();
  await page.getByRole('button', { name: 'Outside' }).click();
  await page.locator('[data-node="host:mail.example.net"]').waitFor({ state: 'detached' });
  await page.keyboard.press('/');
  await page.keyboard.type('custom');
  await page.keyboard.press('Enter');
  await page.getByRole('complementary', { name: 'About customers' }).waitFor();
});

test('who asks for less motion gets lines without particles', async () => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await openMap();
  assert.equal(await page.locator('canvas').count(), 0);
});

test('the chosen time goes along to the traces and back', async () => {
  await openMap();
  await page.getByRole('button', { name: /Time range/ }).click();
  await page.getByRole('button', { name: 'Last 6 h' }).click();
  await page.waitForURL(/range=6h/);
  await page.getByRole('link', { name: 'Traces' }).click();
  await page.waitForURL(/\/\?range=6h/);
  await page.locator('a[data-trace]').first().waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('2');
  await page.waitForURL(/\/map\?range=6h/);
});

test('completeness names what is missing first, and why', async () => {
  await page.goto(`${url}/map`);
  await page.getByRole('link', { name: 'Completeness' }).click();
  const rows = page
    .getByRole('region', { name: 'Completeness of each function' })
    .locator('tbody tr');
  await rows.first().waitFor();
  assert.match(
    await rows.first().innerText(),
    /notify\s+99\.67 %\s+12,400\s+12,360\s+16 buffer full/,
  );
  await page.getByText('1 entry').click();
  await page.getByText('printed to CloudWatch Logs').waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await fits(page, 'completeness-390');
});

test('500 nodes, 2,000 edges and their particles leave the main thread alone', async () => {
  server.large = true;
  await openMap();
  await page.locator('canvas[data-work]').waitFor();
  assert.equal(await page.locator(NODE).count(), 500);
  const frames = await page.evaluate(async () => {
    const canvas = document.querySelector('canvas');
    /** @type {number[]} */
    const work = [];
    const began = performance.now();
    while (performance.now() - began < 4000) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      work.push(Number(canvas?.dataset['work']));
    }
    work.sort((a, b) => a - b);
    return {
      count: work.length,
      median: work[work.length >> 1] ?? 0,
      most: work[Math.floor(work.length * 0.99)] ?? 0,
    };
  });
  const particles = await page.locator('canvas').getAttribute('data-particles');
  console.log(
    `map of 500 nodes, 2,000 edges, ${particles} particles, software GL: ` +
      `${(frames.count / 4).toFixed(0)} frames a second, script ${frames.median} ms a frame, 99th ${frames.most} ms`,
  );
  await screenshot(page, 'map-large');
  assert.ok(Number(particles) > 10_000, 'there are many particles');
  assert.ok(frames.median <= MAP_WORK_MILLIS_MAX, `${frames.median} ms of script a frame`);
});

atWidths('the map', [390, 1280, 2560], async (name) => {
  await openMap();
  await fits(page, `map-${name}`);
  await openMap('/map?select=table%3Acustomers');
  await page.getByText('Affected, however far away').waitFor();
  await fits(page, `map-panel-${name}`);
});
