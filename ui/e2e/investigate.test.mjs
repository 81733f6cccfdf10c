// What is asked about the past: from the palette, an incident and the page itself.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overflow, screenshot } from './page.mjs';
import { atWidths, page, reopen, server, url } from './stage.mjs';

const SENTENCE = 'order was slow last night around 10PM';

test('a sentence in the palette becomes an answer with its evidence', async () => {
  await page.goto(`${url}/wall`);
  await page.locator('article').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type(SENTENCE);
  await page.getByRole('option', { name: `Investigate: ${SENTENCE}` }).waitFor();
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/investigate\?q=order\+was\+slow\+last\+night\+around\+10PM$/);
  await page.getByRole('heading', { name: /52 % of it from user-table table$/ }).waitFor();
  const asked = server.posted.at(-1);
  assert.equal(asked.question, SENTENCE);
  assert.equal(asked.utc_offset_minutes, 0 - new Date().getTimezoneOffset());
  const causes = page.getByRole('region', { name: 'Where it comes from' });
  assert.equal(await causes.getByRole('listitem').count(), 3);
  await causes.getByText('by way of pay function').waitFor();
  await causes.getByText('unexplained').waitFor();
  const evidence = page.getByRole('region', { name: 'Evidence' });
  assert.equal(
    await evidence.getByRole('link', { name: /^example of/ }).getAttribute('href'),
    '/traces/00000000000000000000000000000001?span=0000000000000001',
  );
  assert.match(
    String(await evidence.getByRole('link', { name: 'lines that show it' }).getAttribute('href')),
    /^\/logs\?q=%22gave\+up\+on\+card%22&service=pay&from=/,
  );
  await page.getByRole('region', { name: 'Ruled out' }).getByText('load: 1.0 times').waitFor();
  const affected = page.getByRole('region', { name: 'What else is affected' });
  assert.equal(await affected.getByRole('row').count(), 5);
  await affected.getByText('slower').first().waitFor();

  await evidence.getByRole('link', { name: 'spans that show it' }).click();
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  assert.deepEqual(server.posted.at(-1).filters, [
    { column: 'db.collection.name', op: 'ends-with', value: 'user-table' },
  ]);
});

test('each slot can be changed, and is in the address', async () => {
  await page.goto(`${url}/investigate?q=${encodeURIComponent(SENTENCE)}`);
  const chips = page.getByRole('group', { name: 'As it was understood' });
  await chips.getByText('(“last night around 10PM”)').waitFor();
  await chips.getByRole('combobox', { name: /^What/ }).selectOption('is throttled');
  await page.waitForURL(/symptom=throttle/);
  const of = chips.getByRole('combobox', { name: /^Of/ });
  await of.fill('table:orders');
  await of.press('Enter');
  await page.waitForURL(/node=table%3Aorders/);
  await chips.getByLabel(/^From/).fill('2026-11-21T21:00');
  await page.waitForURL(/from=2026-11-21T/);
  await page.waitForFunction(() => document.querySelector('main')?.ariaBusy === 'false');
  const asked = server.posted.at(-1);
  const from = BigInt(Date.parse('2026-11-21T21:00')) * 1_000_000n;
  assert.deepEqual(
    [asked.question, asked.symptom, asked.node, asked.from, asked.to],
    [SENTENCE, 'throttle', 'table:orders', String(from), undefined],
  );
  // Another sentence says all of it anew.
  await page.getByRole('searchbox').fill('what failed yesterday');
  await page.getByRole('searchbox').press('Enter');
  await page.waitForURL(/\/investigate\?q=what\+failed\+yesterday$/);
});

test('the time is of the clock of whoever asks', async () => {
  await reopen({ zone: 'Asia/Kolkata' });
  await page.goto(`${url}/investigate?q=${encodeURIComponent(SENTENCE)}`);
  // 2026-11-20T07:07:00Z.
  await page.getByText('since 2026-11-20 12:37, held against the four hours before').waitFor();
  assert.equal(server.posted.at(-1).utc_offset_minutes, 330);
});

test('an incident leads to what is asked of it', async () => {
  await page.goto(`${url}/incidents/7`);
  await page.getByRole('link', { name: 'Investigate', exact: true }).click();
  await page.waitForURL(/\/investigate\?node=function%3Aorder&symptom=slow&from=/);
  await page.getByRole('region', { name: 'Evidence' }).waitFor();
  assert.equal(server.posted.at(-1).node, 'function:order');
});

test('where nothing is found, or asked, that is said', async () => {
  await page.goto(`${url}/investigate`);
  await page.getByText('Say what was wrong, what of and when.').waitFor();
  assert.equal(server.posted.length, 0);
  await page.getByRole('searchbox').fill('nothing was slow');
  await page.getByRole('button', { name: 'Investigate' }).click();
  await page.getByRole('heading', { name: /^nothing found: order function/ }).waitFor();
  const instead = page.getByRole('region', { name: 'What shows instead' });
  await instead.getByRole('link', { name: 'mail', exact: true }).waitFor();
  assert.equal(await page.getByRole('region', { name: 'Where it comes from' }).count(), 0);
});

test('a server that fails is told of', async () => {
  server.failing = true;
  await page.goto(`${url}/investigate?q=order+was+slow`);
  await page.getByText(/TL0208/).waitFor();
});

atWidths('an investigation', [390, 1280], async (name) => {
  await page.goto(`${url}/investigate?q=${encodeURIComponent(SENTENCE)}`);
  await page.getByText('unexplained').waitFor();
  assert.equal(await overflow(page), 0, 'the page scrolls sideways');
  await screenshot(page, `investigate-${name}`);
});
