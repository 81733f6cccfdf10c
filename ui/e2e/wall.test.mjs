// The wall of functions over made-up seconds.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openIncident, overIncident } from './incidents.mjs';
import { fits, screenshot } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';
import { wallOf } from './wall.mjs';

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

test('a card is marked with what goes on with its function, and no other is', async () => {
  server.incidents = 0;
  server.open = [
    openIncident(60, 'warning', 'function:function-1'),
    openIncident(59, 'critical', 'function:function-1'),
    openIncident(58, 'critical', 'table:function-4'),
  ];
  server.over = [overIncident(57, 'critical', 'function:function-3', [40, 25])];
  await page.goto(`${url}/wall`);
  const card = page.getByRole('article', { name: 'function-1', exact: true });
  const words = 'critical incident: function:function-1 fails more: 0.1 % → 12 %, and 1 more';
  const mark = card.getByRole('link', { name: words, exact: true });
  await mark.waitFor();
  assert.equal(await mark.innerText(), '2');
  assert.equal(await cards().locator('a[href^="/incidents/"]').count(), 1);
  await mark.focus();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/incidents\/59$/);
  await page.getByText('HighLatency').first().waitFor();
});

test('a card keeps its place for five seconds, and the focus when it gets another', async () => {
  server.wall = wallOf(12);
  await page.goto(`${url}/wall?order=rate`);
  await cards().first().waitFor();
  const first = await nameOf(0);
  /** @param {number} second */
  const tell = (second) => {
    const wall = wallOf(12, second);
    const calm = wall.functions[0];
    assert.ok(calm);
    calm.window.rate = 9000 + second;
    server.tell(wall);
  };
  const busy = page.getByRole('article', { name: 'function-0', exact: true });
  await busy.getByRole('link').focus();
  tell(4);
  await busy.getByText('9,004/s').waitFor();
  assert.equal(await nameOf(0), first);
  tell(5);
  await busy.getByText('9,005/s').waitFor();
  assert.equal(await nameOf(0), 'function-0');
  assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'function-0');
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

test('of hundreds of cards those in sight are drawn, and the others keep their room', async () => {
  server.wall = wallOf(300);
  await page.goto(`${url}/wall`);
  await cards().nth(299).waitFor({ state: 'attached' });
  const drawn = () =>
    cards().evaluateAll(
      (all) => all.filter((card) => card.checkVisibility({ contentVisibilityAuto: true })).length,
    );
  assert.ok((await drawn()) < 60, `${await drawn()} are drawn`);
  const height = () => page.locator('main').evaluate((main) => main.scrollHeight);
  const before = await height();
  await cards().nth(150).scrollIntoViewIfNeeded();
  // With the next frame, which a busy machine has later.
  await page.waitForFunction(
    (card) => card?.checkVisibility({ contentVisibilityAuto: true }),
    await cards().nth(150).elementHandle(),
  );
  assert.equal(await height(), before, 'nothing moves when cards come into sight');
});

test('a card out of sight takes the numbers of now when it comes into sight', async () => {
  server.wall = wallOf(300);
  await page.goto(`${url}/wall?order=name`);
  await cards().nth(299).waitFor({ state: 'attached' });
  const last = cards().nth(299);
  const skipped = () =>
    last.evaluate((card) => !card.checkVisibility({ contentVisibilityAuto: true }));
  for (let tries = 0; !(await skipped()) && tries < 100; tries += 1) await page.waitForTimeout(20);
  const rate = async () => (await last.locator('.rates dd').first().textContent()) ?? '';
  const before = await rate();
  const next = wallOf(300, 1);
  const name = await last.getAttribute('aria-label');
  for (const card of next.functions) card.window.rate = card.function === name ? 777 : 1;
  server.tell(next);
  await cards().first().getByText('1.0/s', { exact: true }).waitFor();
  assert.equal(await rate(), before, 'nobody sees it');
  await last.scrollIntoViewIfNeeded();
  await last.getByText('777/s').waitFor();
});

atWidths('the wall', [390, 1280, 2560], async (name) => {
  server.wall = wallOf(24);
  await page.goto(`${url}/wall`);
  await cards().first().waitFor();
  await fits(page, `wall-${name}`);
});
