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

  await page.getByRole('link', { name: 'Wall' }).click();
  await page.getByRole('article').first().waitFor();
  assert.equal(await select.isDisabled(), true, 'the wall shows all of them');
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
