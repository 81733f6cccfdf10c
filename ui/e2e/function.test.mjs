// The page of one function, over made-up answers.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actions } from './actions.mjs';
import { drag, fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';
import { wallOf } from './wall.mjs';

const failure = () => page.getByRole('link', { name: /warehouse.OutOfStock/ });

test('from the wall to the failing line in two clicks', async () => {
  const wall = wallOf(3);
  const card = wall.functions[1];
  assert.ok(card);
  card.function = 'inventory';
  server.wall = wall;
  await page.goto(`${url}/wall`);
  await page.getByRole('link', { name: 'inventory' }).click();
  await failure().waitFor();
  assert.match(String(await failure().textContent()), /309×/, 'both messages are one kind');
  assert.match(String(await failure().textContent()), /warehouse\.py:44/);
  await failure().click();
  await page.waitForURL(/\/traces\/\w+\?span=7973bfe9f7fb734c/);
  await page.getByText('in _take').waitFor();
  await page.goBack();
  await failure().waitFor();
});

test('says how it does, what it costs, who calls it and how it is set up', async () => {
  await page.goto(`${url}/functions/inventory`);
  const main = page.getByRole('main');
  await main.getByText('at most 246 MB of 256 MB').waitFor();
  await main.getByText('a million calls').waitFor();
  assert.equal(await main.getByRole('img', { name: /over time/ }).count(), 6);
  const versions = main.getByRole('region', { name: 'Versions' });
  await versions.getByRole('row', { name: /^41 1 h ago/ }).waitFor();
  await main.getByRole('button', { name: 'Look 7 days back' }).click();
  await versions.getByRole('row', { name: /^41 4 d ago/ }).waitFor();
  await main
    .getByRole('region', { name: 'Called by' })
    .getByRole('link', { name: 'checkout', exact: true })
    .waitFor();
  const callees = main.getByRole('region', { name: 'Calls' });
  assert.equal(
    await callees.getByRole('link', { name: 'stock on the map' }).getAttribute('href'),
    '/map?select=function%3Ainventory+table%3Astock',
  );
  await main.getByText('python 3.13.v7').waitFor();
  await callees.getByRole('link', { name: 'notify', exact: true }).click();
  await page.getByRole('heading', { name: 'notify', level: 1 }).waitFor();
});

test('says what goes on, in words and as lines in the charts', async () => {
  await page.goto(`${url}/functions/inventory`);
  const going = page.getByRole('region', { name: 'Going on' });
  await going
    .getByRole('link', { name: 'order function is slower: p50 52 ms → 433 ms' })
    .first()
    .waitFor();
  assert.equal(await going.getByRole('listitem').count(), 2);
  await going.getByRole('link').last().click();
  await page.waitForURL(/\/incidents\/\d+$/);
});

test('says which memory it should have, and what came of the last change', async () => {
  await page.goto(`${url}/functions/inventory`);
  const memory = page.getByRole('region', { name: 'Memory' });
  await memory.getByText('Can run 2.9x faster for 31 % more with 1,728 MB.').waitFor();
  await memory.getByText('442 MB instead of 256 MB came as predicted').waitFor();
  await memory.getByRole('row', { name: /^1,728.MB .* recommended, fastest/ }).waitFor();
  await memory.getByRole('img', { name: /2.9x faster/ }).waitFor();
  await memory.getByText('on arm64 the same time costs 20 % less').waitFor();
});

test('a size that is named is applied from its row', async () => {
  server.actions = new Actions();
  await page.goto(`${url}/functions/inventory`);
  const memory = page.getByRole('region', { name: 'Memory', exact: true });
  const row = memory.getByRole('row', { name: /^1,728.MB .* recommended, fastest/ });
  const apply = row.getByRole('button', { name: 'Apply' });
  assert.equal(await apply.isDisabled(), true, 'nobody has said who they are');
  await memory.getByLabel('Your name').fill('ada');
  const now = memory.getByRole('row', { name: /^442.MB .* now/ });
  assert.equal(await now.getByRole('button').count(), 0, 'it has that already');
  await apply.click();
  await page.waitForURL(/\/act\/[0-9a-f]+\?k=/);
  const { action, who } = server.actions.entries[0];
  assert.deepEqual(
    [who, action],
    ['ada', { do: 'memory', function: 'inventory', memory_mb: 1728 }],
  );
  // It is tried for a week, or kept by whoever confirms it.
  const tried = page.getByRole('radio', { name: 'Try it for 7 days' });
  assert.equal(await tried.isChecked(), true);
  await page.getByText('Keep it', { exact: true }).click();
  await page.getByRole('button', { name: 'Do it' }).click();
  await page.getByRole('status').getByText('kept by ada').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Keep it' }).count(), 0);
});

test('a size that is tried can be kept where it is seen', async () => {
  server.actions = new Actions();
  server.actions.resized = 'done';
  await page.goto(`${url}/functions/inventory`);
  const applied = page.getByRole('list', { name: 'Sizes that were applied' });
  await applied.getByText('until 2026').waitFor();
  const keep = applied.getByRole('button', { name: 'Keep it' });
  assert.equal(await keep.isDisabled(), true, 'nobody has said who they are');
  await page.getByRole('region', { name: 'Memory' }).getByLabel('Your name').fill('bob');
  await keep.click();
  await applied.getByText('done, kept by bob').waitFor();
  assert.equal(await keep.count(), 0);
  assert.equal(await applied.getByRole('button', { name: 'Undo' }).count(), 1);
});

test('a size that came out worse can be undone where it is seen', async () => {
  server.actions = new Actions();
  server.actions.resized = 'done';
  await page.goto(`${url}/functions/inventory`);
  const applied = page.getByRole('list', { name: 'Sizes that were applied' });
  await applied.getByText('slower than predicted: 902 ms → 880 ms').waitFor();
  await applied.getByText('undo it?').waitFor();
  await page.getByRole('region', { name: 'Memory' }).getByLabel('Your name').fill('ada');
  await applied.getByRole('button', { name: 'Undo' }).click();
  await applied.getByText('undone').waitFor();
  assert.equal(await applied.getByText('undo it?').count(), 0);
});

test('where nothing may be changed no size can be applied', async () => {
  server.actions = new Actions();
  server.actions.place = 'off';
  await page.goto(`${url}/functions/inventory`);
  const memory = page.getByRole('region', { name: 'Memory' });
  await memory.getByText('A size is applied from here where').waitFor();
  assert.equal(await memory.getByRole('button', { name: 'Apply' }).first().isDisabled(), true);
});

test('looks at the time that is chosen, and hands it on', async () => {
  await page.goto(`${url}/functions/inventory?range=6h`);
  await failure().waitFor();
  for (const [name, href] of /** @type {const} */ ([
    ['Traces', '/?attribute=faas.name%3Dinventory&range=6h'],
    ['Logs', '/logs?where=faas.name%3D%22inventory%22&range=6h'],
    ['On the map', '/map?select=function%3Ainventory&range=6h'],
  ])) {
    const link = page.getByRole('navigation', { name: /More about/ }).getByRole('link', { name });
    assert.equal(await link.getAttribute('href'), href);
  }
  await drag(page, page.getByRole('img', { name: /^Calls/ }), [0.5, 0.5], [0.8, 0.5]);
  await page.waitForURL(/from=.*&to=/);
});

test('a name that nobody sent says what to do next', async () => {
  await page.goto(`${url}/functions/nobody`);
  await page.getByText('Nothing of nobody is here in this time.').waitFor();
  await page.getByRole('link', { name: 'how to send the first traces' }).waitFor();
});

test('when the server fails, what was known stays, and it can be asked again', async () => {
  await page.goto(`${url}/functions/inventory`);
  await failure().waitFor();
  server.failing = true;
  await page.keyboard.press('r');
  await page.getByRole('alert').getByText('What you see is what was here before').waitFor();
  assert.equal(await failure().count(), 1);
  server.failing = false;
  await page.getByRole('button', { name: 'Ask now' }).click();
  await page.getByRole('alert').waitFor({ state: 'detached' });
});

atWidths('a function', [390, 1280, 1920], async (name) => {
  await page.goto(`${url}/functions/inventory`);
  await page.getByText('python 3.13.v7').waitFor();
  await fits(page, `function-${name}`);
});
