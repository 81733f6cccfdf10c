// The console of the graph: queries, what completes them, rows and what they are about.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { overflow, screenshot } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const QUERY = "MATCH (f {name: 'place-order'})-[c]->(n) RETURN n, c";
const asked = () => server.posted.at(-1);
const box = () => page.getByRole('textbox', { name: 'Query' });

/** @param {string} query */
const at = (query) => `${url}/graph?q=${encodeURIComponent(query)}`;

test('a query from the palette on becomes rows and a graph', async () => {
  await page.goto(`${url}/wall`);
  await page.locator('article').first().waitFor();
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox', { name: 'Go to' }).waitFor();
  await page.keyboard.type('Graph');
  await page.getByRole('option', { name: /ask who depends on whom/ }).click();
  await page.waitForURL(/\/graph$/);
  await box().fill(QUERY);
  await page.keyboard.press('Control+Enter');
  await page.waitForURL((there) => there.searchParams.get('q') === QUERY);
  const rows = page.getByRole('region', { name: 'Rows' });
  await rows.getByRole('columnheader', { name: 'calls' }).waitFor();
  assert.equal(await rows.getByRole('row').count(), 7);
  assert.equal(asked().query, QUERY);
  assert.equal(BigInt(asked().to) - BigInt(asked().from), 3_600_000_000_000n);
  await page.getByText(/^6 rows · from \d+ nodes and \d+ relationships in 4\.20\sms$/).waitFor();
  await rows.getByText('2026-11-21 22:14 UTC').first().waitFor();

  // What is pressed is told below, and can be asked about.
  const graph = page.getByRole('group', { name: 'What the rows are about' });
  const node = graph.getByRole('button', { name: /place-order/ }).first();
  await node.click();
  await page.getByRole('link', { name: 'ask about place-order' }).waitFor();
});

test('labels, types, properties, names and times are completed', async () => {
  await page.goto(`${url}/graph`);
  await page.locator('pre').first().waitFor();
  const options = page.getByRole('listbox', { name: 'What may stand here' });
  await box().pressSequentially('MATCH (f:Fu');
  assert.deepEqual(await options.getByRole('option').allInnerTexts(), ['Function a function']);
  await page.keyboard.press('Tab');
  await box().pressSequentially('), (t:');
  await options.getByText('Endpoint').waitFor();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await box().pressSequentially(" {name: 'custo");
  await options.getByRole('option', { name: 'customers table' }).click();
  await box().pressSequentially("'})<-[:");
  await page.keyboard.press('Escape');
  assert.equal(await options.count(), 0);
  await box().pressSequentially('C');
  await page.keyboard.press('Tab');
  await box().pressSequentially(']-(f) RETURN f.ca');
  await page.keyboard.press('Tab');
  await box().pressSequentially(" DURING 'yes");
  await page.keyboard.press('Tab');
  await box().pressSequentially("'");
  assert.equal(
    await box().inputValue(),
    "MATCH (f:Function), (t:Table {name: 'customers'})<-[:CALLS]-(f) RETURN f.calls DURING 'yesterday'",
  );
  // Nothing was asked meanwhile.
  assert.equal(server.posted.length, 0);
  await page.keyboard.press('Control+Enter');
  await page.locator('td').first().waitFor();
});

test('questions that are asked often are shown as queries about somebody', async () => {
  await page.goto(`${url}/graph?node=table%3Acustomers`);
  const saved = page.getByRole('region', { name: 'Questions that are asked often' });
  const affected = saved.getByRole('listitem').filter({ hasText: 'What is affected by it?' });
  await affected.getByText("MATCH (t {name: 'customers'})").waitFor();
  await saved.getByRole('combobox', { name: 'Of the function' }).selectOption('notify');
  await saved.getByText("MATCH (f {name: 'notify'})").waitFor();
  await affected.getByRole('button', { name: 'Ask' }).click();
  await page.locator('td').first().waitFor();
  assert.match(asked().query, /^MATCH \(t \{name: 'customers'\}\)/);
  assert.match(await box().inputValue(), /customers/);
  // The others are still at hand.
  await page.getByText('Other questions').click();
  await saved.getByText('Which calls are new since yesterday?').waitFor();
});

test('a question is kept for everybody and asked again', async () => {
  await page.goto(at(QUERY));
  await page.locator('td').first().waitFor();
  const kept = page.getByRole('region', { name: 'Kept questions' });
  await kept.getByLabel('Keep it for everybody, as').fill('mine');
  await kept.getByRole('button', { name: 'Keep', exact: true }).click();
  await kept.getByRole('button', { name: 'mine', exact: true }).waitFor();
  assert.deepEqual(server.saved, [{ name: 'mine', graph: QUERY }]);
  assert.equal(await kept.getByLabel('Keep it for everybody, as').count(), 0, 'it is kept');
  await page.goto(`${url}/graph`);
  await kept.getByRole('button', { name: 'mine', exact: true }).click();
  await page.locator('td').first().waitFor();
  assert.equal(asked().query, QUERY);
  await kept.getByRole('button', { name: 'Remove mine' }).click();
  await kept.getByText('mine was removed.').waitFor();
  assert.deepEqual(server.saved, []);
  await kept.getByRole('button', { name: 'Put it back' }).click();
  await kept.getByRole('button', { name: 'mine', exact: true }).waitFor();
});

test('a mistake says where, and an answer that is cut off says so', async () => {
  await page.goto(at('MATCH (f:Tabel) RETURN f'));
  await page.getByText('did you mean `Table`? at line 1, column 10').waitFor();
  await page.goto(at('MATCH (n) RETURN n, everything'));
  await page.getByText('There are more rows than an answer may have').waitFor();
  await page.getByText('240 of 5,000 rows').waitFor();
  await page.getByText('200 of 240 rows').waitFor();
  await page.getByRole('button', { name: 'Show more' }).click();
  await page.locator('tbody tr').nth(239).waitFor({ state: 'attached' });
  await page.goto(at('MATCH (n {name: "nobody"}) RETURN n'));
  await page.getByText('Nothing is like that in this time.').waitFor();
});

test('the time of the page is what a query is about', async () => {
  await page.goto(`${at(QUERY)}&range=6h`);
  await page.locator('td').first().waitFor();
  assert.equal(BigInt(asked().to) - BigInt(asked().from), 6n * 3_600_000_000_000n);
});

test('a server that fails is told of', async () => {
  server.failing = true;
  await page.goto(at(QUERY));
  await page.getByText(/TL0208/).waitFor();
});

atWidths('the graph', [390, 1280], async (name) => {
  await page.goto(`${url}/graph`);
  await page.locator('pre').first().waitFor();
  assert.equal(await overflow(page), 0, 'the page scrolls sideways');
  await screenshot(page, `graph-questions-${name}`);
  await page.goto(at(QUERY));
  await page.locator('td').first().waitFor();
  assert.equal(await overflow(page), 0, 'the page scrolls sideways');
  await screenshot(page, `graph-${name}`);
});
