// From an incident to what is done about it, and back.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';
import { Actions, LINK } from './actions.mjs';

const main = () => page.getByRole('main');

test('an unexpected write is shut down, and undone', async () => {
  server.actions = new Actions();
  await page.goto(`${url}/incidents/7`);
  const panel = page.getByRole('region', { name: 'What can be done' });
  const first = panel.getByRole('button', { name: 'Look at it' }).first();
  assert.equal(await first.isDisabled(), true, 'nobody has said who they are');
  await panel.getByLabel('Your name').fill('ada');
  await panel.getByLabel(/^hours of/).fill('2');
  await first.click();
  await page.waitForURL(/\/act\/[0-9a-f]+\?k=/);
  assert.equal(server.actions.entries[0].action.hours, 2);
  await main().getByText('Nothing has been done yet.').waitFor();
  await main().getByText('dynamodb:PutItem: allowed → explicitDeny').waitFor();
  await main().getByText('service:web, by way of function:order').waitFor();
  assert.equal(server.actions.state, 'proposed', 'looking does nothing');
  const button = page.getByRole('button', { name: 'Do it' });
  assert.equal(await button.isDisabled(), true);
  await page.getByLabel(/^Type pay/).fill('pai');
  assert.equal(await button.isDisabled(), true);
  await page.getByLabel(/^Type pay/).fill('pay');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Undo it' }).waitFor();
  assert.match(await page.getByRole('status').innerText(), /^done, until 2026/);
  await page.getByRole('button', { name: 'Undo it' }).click();
  await page.getByRole('status').getByText('undone').waitFor();
  await page.getByRole('link', { name: 'The audit log' }).click();
  await main().getByText('iam:DeleteRolePolicy').waitFor();
  assert.equal(await main().locator('ol li').count(), 4);
});

test('the switch stops all of them, and says who threw it', async () => {
  server.actions = new Actions();
  await page.goto(`${url}/audit`);
  await page.getByLabel('Your name').fill('eve');
  await page.getByLabel('why').fill('game day');
  await page.getByRole('button', { name: 'Stop all actions' }).click();
  await main().getByText('eve has stopped all actions: game day').first().waitFor();
  await page.getByRole('button', { name: 'Let them be done again' }).click();
  await page.getByRole('button', { name: 'Stop all actions' }).waitFor();
});

test('a server that may not act says so, and can still ignore', async () => {
  server.actions = new Actions();
  server.actions.place = 'off';
  await page.goto(`${url}/incidents/7`);
  await main().getByText('--actions off').waitFor();
  await page.getByLabel('Your name').fill('ada');
  const look = main().getByRole('button', { name: 'Look at it' });
  assert.equal(await look.first().isDisabled(), true);
  assert.equal(await look.last().isDisabled(), false);
});

/** @param {string} id @param {string} name @param {boolean} enabled */
const source = (id, name, enabled = true) => ({ id, name, source_arn: '', enabled });

test('the one event source that a function has is disabled by its name', async () => {
  server.actions = new Actions();
  server.actions.sources = [
    source('u-1', 'SQS notifications'),
    source('u-2', 'SQS notifications-old', false),
  ];
  await page.goto(`${url}/incidents/7`);
  const panel = page.getByRole('region', { name: 'What can be done' });
  const row = panel.getByRole('listitem').filter({ hasText: 'disable the event source' });
  await row.getByText(/SQS notifications\s+of notify-restaurant/).waitFor();
  const look = row.getByRole('button', { name: 'Look at it' });
  assert.equal(await look.isDisabled(), true, 'nobody has said who they are');
  await panel.getByLabel('Your name').fill('ada');
  await row.getByLabel(/^hours/).fill('2');
  await look.click();
  await page.waitForURL(/\/act\/[0-9a-f]+\?k=/);
  assert.deepEqual(server.actions.entries[0].action, {
    do: 'disable',
    function: 'notify-restaurant',
    source: 'u-1',
    hours: 2,
  });
});

test('of several event sources one is chosen', async () => {
  server.actions = new Actions();
  server.actions.sources = [source('u-1', 'SQS notifications'), source('u-2', 'Kinesis clicks')];
  await page.goto(`${url}/incidents/7`);
  await page.getByLabel('Your name').fill('ada');
  const choice = page.getByRole('combobox', { name: 'Event source of notify-restaurant' });
  const row = page.getByRole('listitem').filter({ has: choice });
  const look = row.getByRole('button', { name: 'Look at it' });
  assert.equal(await look.isDisabled(), true, 'none is chosen');
  await choice.selectOption('Kinesis clicks');
  await fits(page, 'sources');
  await look.click();
  await page.waitForURL(/\/act\/[0-9a-f]+\?k=/);
  assert.equal(server.actions.entries[0].action.source, 'u-2');
});

test('the event source that is meant is proposed, and another can be chosen', async () => {
  server.actions = new Actions();
  server.actions.sources = [source('u-1', 'SQS notifications'), source('u-2', 'Kinesis clicks')];
  server.actions.proposed = 'u-1';
  await page.goto(`${url}/incidents/7`);
  const panel = page.getByRole('region', { name: 'What can be done' });
  const rows = panel.getByRole('listitem');
  const other = rows.filter({ hasText: 'disable the event source' });
  await other.getByText(/Kinesis clicks\s+of notify-restaurant/).waitFor();
  assert.equal(await panel.getByText('stop notify-restaurant').count(), 0);
  const meant = rows.filter({ hasText: 'disable event source SQS notifications' });
  assert.equal(await meant.count(), 1);
  await panel.getByLabel('Your name').fill('ada');
  await meant.getByLabel(/^hours of/).fill('2');
  await meant.getByRole('button', { name: 'Look at it' }).click();
  await page.waitForURL(/\/act\/[0-9a-f]+\?k=/);
  assert.deepEqual(server.actions.entries[0].action, {
    do: 'disable',
    function: 'notify-restaurant',
    source: 'u-1',
    hours: 2,
  });
});

test('where nothing may be changed no event source is asked for', async () => {
  server.actions = new Actions();
  server.actions.place = 'off';
  server.actions.sources = [source('u-1', 'SQS notifications')];
  await page.goto(`${url}/incidents/7`);
  await main().getByText('stop notify-restaurant').waitFor();
  assert.equal(await main().getByText('disable the event source').count(), 0);
});

test('a link of a message that has expired says so, and leads to the incident', async () => {
  server.actions = new Actions();
  server.actions.isForgotten = true;
  await page.goto(`${url}${LINK}&incident=7`);
  await main().getByText('nobody confirmed it within a day').waitFor();
  assert.equal(await page.getByRole('button', { name: 'Do it' }).count(), 0);
  await page.getByRole('link', { name: 'The incident' }).click();
  await page.getByRole('region', { name: 'What can be done' }).waitFor();
});

atWidths('actions', [390, 1280], async (name) => {
  server.actions = new Actions();
  await page.goto(url + LINK);
  await page.getByRole('button', { name: 'Do it' }).waitFor();
  await fits(page, `act-${name}`);
  await page.goto(`${url}/audit`);
  await page.getByText('Nobody has proposed anything so far.').waitFor();
  await fits(page, `audit-${name}`);
});
