// One environment is chosen once, and all pages that can look at it alone.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomes, fits } from './page.mjs';
import { page, reopen, server, url } from './stage.mjs';

/** The last question to this path. @param {string} path */
const asked = (path) => server.asked.findLast((each) => each.pathname === `/api/v1${path}`);

test('what is chosen goes along, and is asked for everywhere', async () => {
  server.environments = ['production', 'staging'];
  await page.goto(`${url}/`);
  await page.locator('a[data-trace]').first().waitFor();
  const select = page.getByRole('combobox', { name: 'Environment' });
  await select.selectOption('staging');
  await page.waitForURL(/[?&]env=staging/);
  await page.waitForFunction(() => !document.querySelector('a[data-trace]'));
  await becomes(
    () => asked('/traces')?.searchParams.getAll('attribute'),
    ['deployment.environment.name=staging'],
  );

  await page.getByRole('link', { name: 'Logs', exact: true }).click();
  await page.waitForURL(/\/logs\?env=staging/);
  await becomes(
    () => asked('/logs')?.searchParams.getAll('where'),
    ['deployment.environment.name="staging"'],
  );

  await page.getByRole('link', { name: 'Explore' }).click();
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  await becomes(
    () => server.posted.at(-1)?.filters,
    [{ column: 'deployment.environment.name', op: '=', value: 'staging' }],
  );

  await page.getByRole('link', { name: 'Incidents' }).click();
  await page.getByText('60 found').waitFor();
  assert.equal(await select.isDisabled(), true, 'incidents are of all of them');
  await page.goto(`${url}/functions/inventory?env=staging`);
  await page.getByText('at most 246 MB').waitFor();
  const about = () => server.stated.filter((sql) => sql.includes("= 'inventory'"));
  await becomes(() => about().length >= 4, true);
  assert.deepEqual(
    about().filter((sql) => !sql.includes(`"deployment.environment.name" = 'staging'`)),
    [],
  );

  await select.selectOption('All environments');
  await page.waitForURL((address) => !address.searchParams.has('env'));
});

test('the wall has the functions of one alone', async () => {
  server.environments = ['production', 'staging'];
  server.functionsIn = { staging: ['function-1', 'function-4'] };
  await page.goto(`${url}/wall`);
  const cards = page.getByRole('article');
  await cards.first().waitFor();
  assert.equal(await cards.count(), 12);
  await page.getByRole('combobox', { name: 'Environment' }).selectOption('staging');
  await page.getByText(/^2 functions/).waitFor();
  assert.equal(await cards.count(), 2);
  assert.equal(asked('/live')?.searchParams.get('environment'), 'staging');
  await page.getByRole('combobox', { name: 'Environment' }).selectOption('production');
  await page.getByText(/was called in production/).waitFor();
});

test('the map has what the functions of one call', async () => {
  server.environments = ['production', 'staging'];
  server.functionsIn = {
    production: ['get-index', 'get-restaurants', 'notify'],
    staging: ['place-order', 'notify-restaurant', 'notify'],
  };
  await page.goto(`${url}/map`);
  const node = (/** @type {string} */ id) => page.locator(`[data-node="${id}"]`);
  await node('function:get-index').waitFor();
  await page.getByRole('combobox', { name: 'Environment' }).selectOption('staging');
  await page.waitForURL(/env=staging/);
  await node('function:get-index').waitFor({ state: 'detached' });
  await node('host:api.payments.example').waitFor();
  assert.equal(await node('cache:menu-cache').count(), 0, 'only another one calls it');
  assert.equal(asked('/operations')?.searchParams.get('environment'), 'staging');
  const minutes = server.posted.findLast((each) => each.breakdowns[0] === 'status');
  assert.deepEqual(minutes.filters, [
    { column: 'deployment.environment.name', op: '=', value: 'staging' },
  ]);
  await node('table:customers').click();
  await page.getByRole('complementary', { name: 'About customers' }).waitFor();
  await becomes(
    () => asked('/traces')?.searchParams.getAll('attribute'),
    ['deployment.environment.name=staging'],
  );
  await fits(page, 'environment-map-light');
});

test('where nobody says one, there is nothing to choose', async () => {
  await page.goto(`${url}/explore`);
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  assert.equal(await page.getByRole('combobox', { name: 'Environment' }).count(), 0);
});

test('fits into 390 pixels beside the time', async () => {
  server.environments = ['production'];
  await reopen({ width: 390, height: 844 });
  await page.goto(
    `${url}/explore?env=production&from=2026-11-21T22:00:00Z&to=2026-11-22T23:00:00Z`,
  );
  await page.getByRole('region', { name: 'Groups' }).waitFor();
  await fits(page, 'environment-390-light');
});
