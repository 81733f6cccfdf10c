// Objectives and alerts: what is shown, and how a question becomes an alert.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { page, server, url } from './stage.mjs';

test('an objective shows its budget and what came too late', async () => {
  await page.goto(`${url}/incidents`);
  await page.getByRole('link', { name: 'Alerts and objectives' }).click();
  const row = page.getByRole('row').filter({ hasText: 'orders are mailed' });
  assert.match(await row.innerText(), /63 % is left, for another 1 d 7 h/);
  await row.getByRole('link', { name: '6740a1f0 came too late' }).click();
  await page.waitForURL(/\/traces\/6740a1f0/);
});

test('a question becomes an alert', async () => {
  await page.goto(`${url}/explore`);
  await page.getByRole('link', { name: 'Alert on this' }).click();
  const settings = page.getByRole('textbox', { name: 'Settings' });
  await settings.waitFor();
  const text = await settings.inputValue();
  await settings.fill(text.replace('new alert', 'too many'));
  await page.getByRole('button', { name: 'Save' }).click();
  await page.getByText('Saved.').waitFor();
  assert.equal(server.watched.alerts.at(-1).name, 'too many');
  assert.equal(server.watched.alerts.at(-1).query.time_range, 300);
  await page.getByRole('row').filter({ hasText: 'too many' }).waitFor();
});
