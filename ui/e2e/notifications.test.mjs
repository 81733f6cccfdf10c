// Who is told: from the link of a message to a mute, a test of a receiver, and saved settings.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const main = () => page.getByRole('main');
const settings = () => page.getByRole('textbox', { name: 'Settings' });

test('the link of a message leads to a mute, for one person or for all', async () => {
  await page.goto(`${url}/notifications?mute=function%3Apay&kind=latency`);
  await page.getByLabel('Do not bother').selectOption('ada@example.com');
  assert.deepEqual([server.notified], [null], 'a link changes nothing');
  await page.getByRole('button', { name: 'Mute it' }).first().click();
  await main().getByText('for ada@example.com').waitFor();
  await page.waitForURL(/\/notifications$/);
  const muted = { nodes: 'function:pay', kinds: 'latency', person: 'ada@example.com' };
  assert.deepEqual(server.notified.mutes.at(-1), muted);
  await page.getByRole('button', { name: 'Tell again: latency of function:pay' }).click();
  await main().getByText('for ada@example.com').waitFor({ state: 'detached' });
  assert.equal(server.notified.mutes.length, 1);
});

test('what nobody looked after is muted where it is proposed', async () => {
  await page.goto(`${url}/notifications`);
  await main().getByText('was told 3 times').waitFor();
  await page.getByRole('button', { name: 'Mute it' }).click();
  await page.getByRole('button', { name: 'Tell again: silence of function:mail' }).waitFor();
  assert.deepEqual(server.notified.mutes.at(-1), { nodes: 'function:mail', kinds: 'silence' });
});

test('a receiver is tested, and says what the other side said', async () => {
  await page.goto(`${url}/notifications`);
  await page.getByRole('button', { name: 'Send a test to team' }).click();
  await main().getByText('taken (200 OK: ok)').waitFor();
});

test('settings are saved, and not over those of somebody else', async () => {
  await page.goto(`${url}/notifications`);
  const text = await settings().inputValue();
  await settings().fill('{');
  await main().getByText('This is no JSON').waitFor();
  const save = page.getByRole('button', { name: 'Save' });
  assert.equal(await save.isDisabled(), true);
  await settings().fill(text.replace('production', 'staging'));
  await save.click();
  await main().getByText('Saved.').waitFor();
  assert.equal(server.notified.environment, 'staging');
  await settings().fill(text);
  server.edition += 1;
  await save.click();
  await page.getByText('TL0221').waitFor();
  assert.equal(server.notified.environment, 'staging');
  await page.getByRole('button', { name: 'Read them again' }).click();
  await page.getByText('TL0221').waitFor({ state: 'detached' });
  assert.match(await settings().inputValue(), /staging/);
});

test('the link of a message leads to what can be done', async () => {
  await page.setViewportSize({ width: 1280, height: 300 });
  await page.goto(`${url}/incidents/7#actions`);
  const heading = page.getByRole('heading', { name: 'What can be done' });
  await heading.waitFor();
  const box = await heading.boundingBox();
  assert.ok(box !== null && box.y >= 0 && box.y < 300, JSON.stringify(box));
});

atWidths('notifications', [390, 1280], async (name) => {
  await page.goto(`${url}/notifications?mute=function%3Apay&kind=latency`);
  await settings().waitFor();
  await fits(page, `notifications-${name}`);
});
