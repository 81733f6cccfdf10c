// What is unusual: the list, one of them, and where it leads.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const rows = () => page.getByRole('main').getByRole('listitem');

test('the list has the newest first, older ones when asked, and those that go on alone', async () => {
  await page.goto(`${url}/incidents`);
  await page.getByText('60 found').waitFor();
  assert.equal(await rows().count(), 50);
  await page.getByRole('button', { name: 'Show older ones' }).click();
  await page.waitForFunction(() => document.querySelectorAll('main li').length === 60);
  assert.equal(await page.getByRole('button', { name: 'Show older ones' }).count(), 0);
  await page.getByRole('radio', { name: 'Going on' }).check({ force: true });
  await page.waitForURL(/show=open/);
  await page.getByText('3 found').waitFor();
  assert.equal(await rows().count(), 3);
});

test('one says how bad it is, where it comes from, and leads to its spans', async () => {
  await page.goto(`${url}/incidents?show=open`);
  await rows().last().getByRole('link').click();
  await page.waitForURL(/incidents\/7/);
  const cause = page.getByRole('region', { name: 'Most likely cause' });
  await cause.getByRole('link', { name: 'user', exact: true }).waitFor();
  await cause.getByText('94 %').waitFor();
  await page.getByText('in production, staging · owned by payments').waitFor();
  await cause.getByText(/by way of\s+pay\s+function/).waitFor();
  const unusual = page.getByRole('region', { name: 'What is unusual' });
  await unusual.getByText('433 ms (420 ms to 441 ms, of 160)').first().waitFor();
  assert.equal(
    await page.getByRole('region', { name: 'Timeline' }).getByRole('listitem').count(),
    6,
  );
  assert.equal(
    await unusual
      .getByRole('link', { name: /^example of/ })
      .first()
      .getAttribute('href'),
    '/traces/00000000000000000000000000000001?span=0000000000000001',
  );
  assert.doesNotMatch(
    await page.getByRole('main').innerText(),
    /(function|table|queue|host|service):\w/,
  );
  await unusual.getByRole('link', { name: 'Spans that show it' }).first().click();
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  assert.deepEqual(server.posted.at(-1).filters, [
    { column: 'faas.name', op: '=', value: 'order' },
  ]);
});

test('an alert of another program says who told it, and leads there', async () => {
  await page.goto(`${url}/incidents/59`);
  const unusual = page.getByRole('region', { name: 'What is unusual' });
  await unusual.getByText('function_name="pay"').waitFor();
  const there = unusual.getByRole('link', { name: 'open it there' });
  assert.match((await there.getAttribute('href')) ?? '', /^http:\/\/prometheus\.example:9090\//);
  assert.equal(await there.getAttribute('rel'), 'noopener noreferrer');
  assert.equal(await unusual.getByText('(of 1)').count(), 0, 'there is nothing that was measured');
  await page.getByRole('region', { name: 'Most likely cause' }).getByText('94 %').waitFor();
  await fits(page, 'incident-outer');
});

test('where there is nothing, or none of that number, it says so', async () => {
  server.incidents = 0;
  await page.goto(`${url}/incidents`);
  await page.getByText('Nothing unusual was found so far.').waitFor();
  await page.goto(`${url}/incidents/8`);
  await page.getByText(/TL0213/).waitFor();
});

test('a server that fails is told of, and asked again', async () => {
  server.failing = true;
  await page.goto(`${url}/incidents`);
  await page.getByText(/TL0208/).waitFor();
  server.failing = false;
  await page.getByRole('button', { name: 'Ask now' }).click();
  await page.getByText('60 found').waitFor();
});

test('the palette leads to it', async () => {
  await page.goto(`${url}/wall`);
  await page.locator('article').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.keyboard.type('incid');
  await page.getByRole('option', { name: /^Incidents/ }).click();
  await page.waitForURL(/\/incidents$/);
});

atWidths('incidents', [390, 1280], async (name) => {
  await page.goto(`${url}/incidents`);
  await page.getByText('60 found').waitFor();
  await fits(page, `incidents-${name}`);
  await page.goto(`${url}/incidents/7`);
  await page.getByText(/by way of\s+pay\s+function/).waitFor();
  await fits(page, `incident-${name}`);
});
