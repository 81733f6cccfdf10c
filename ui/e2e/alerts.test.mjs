// Objectives and alerts: what is shown, and how they are set through the forms.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { becomes, fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const save = () => page.getByRole('button', { name: 'Save', exact: true });
/** @param {string} name */
const field = (name) => page.getByLabel(name, { exact: true });
/** @param {string} name */
const row = (name) => page.getByRole('listitem').filter({ hasText: name });

async function open() {
  await page.goto(`${url}/alerts`);
  await row('many fail').waitFor();
}

test('an objective shows its budget and what came too late', async () => {
  await page.goto(`${url}/incidents`);
  await page.getByRole('link', { name: 'Alerts and objectives' }).click();
  const objective = row('orders are mailed');
  assert.match(await objective.innerText(), /63 % is left, for another 1 d 7 h/);
  assert.match(await objective.innerText(), /firing, critical/);
  assert.match(await objective.innerText(), /Last hour\s+14\.4 times too fast/);
  await objective.getByRole('link', { name: '6740a1f0 came too late' }).click();
  await page.waitForURL(/\/traces\/6740a1f0/);
});

test('a question becomes an alert', async () => {
  await page.goto(`${url}/explore`);
  await page.getByRole('link', { name: 'Alert on this' }).click();
  await page.waitForFunction(() => document.activeElement?.id.endsWith('.name'));
  assert.equal(await field('Name').inputValue(), 'new alert');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('too many');
  await field('The bound').fill('20');
  await save().click();
  await page.getByText('Saved.').waitFor();
  await page.waitForURL(/\/alerts$/);
  const set = server.watched.alerts.at(-1);
  assert.deepEqual([set.name, set.value, set.query.time_range], ['too many', 20, 300]);
  assert.match(await row('too many').innerText(), /COUNT of spans by service over 5 min > 20/);
});

test('a statement of SQL and a question to the graph become alerts', async () => {
  const sql = 'select service, count(*) from spans group by service';
  await page.goto(`${url}/alerts?${new URLSearchParams({ sql })}`);
  await page.waitForFunction(() => document.activeElement?.id.endsWith('.name'));
  assert.equal(await field('The statement').inputValue(), sql);
  await field('Name').fill('by statement');
  await field('The bound').fill('7');
  await save().click();
  await page.getByText('Saved.').waitFor();
  const set = server.watched.alerts.at(-1);
  assert.deepEqual([set.sql, set.value, 'query' in set], [sql, 7, false]);
  assert.match(await row('by statement').innerText(), /select service, count\(\*\) .* > 7/);
  const graph = 'MATCH (t:Table) RETURN t.name, t.errors';
  await page.goto(`${url}/alerts?${new URLSearchParams({ graph })}`);
  await page.waitForFunction(() => document.activeElement?.id.endsWith('.name'));
  assert.equal(await field('The question').inputValue(), graph);
  await field('Asked as').selectOption('one calculation');
  await field('The number').waitFor();
  await page.getByRole('button', { name: 'Discard the changes' }).click();
});

test('an alert follows a saved query, which its row leads to', async () => {
  server.saved = [
    { name: 'What fails', query: { calculations: [{ op: 'COUNT' }] } },
    { name: 'by hand', sql: 'select 1' },
  ];
  await open();
  await page.getByRole('button', { name: 'Add an alert' }).click();
  await field('Name').fill('follower');
  await field('Asked as').selectOption('a saved query');
  assert.equal(await field('Which it follows').inputValue(), 'What fails');
  await page.getByRole('link', { name: 'Open What fails' }).waitFor();
  await field('Which it follows').selectOption('by hand');
  await page.getByRole('link', { name: 'Open by hand' }).waitFor();
  await field('The bound').fill('7');
  server.refusing = 'alerts[1].saved: there is no saved query "by hand"';
  await save().click();
  await page
    .getByRole('alert')
    .getByText('alert “follower”, saved: there is no saved query')
    .waitFor();
  server.refusing = '';
  await save().click();
  await page.getByText('Saved.').waitFor();
  const set = server.watched.alerts.at(-1);
  assert.deepEqual([set.saved, set.value, 'query' in set], ['by hand', 7, false]);
  assert.match(await row('follower').innerText(), /the answer of “by hand” > 7/);
  await row('follower').getByRole('link', { name: 'by hand' }).click();
  await page.waitForURL(/\/explore\?tab=sql&sql=select\+1/);
});

test('what was proposed is gone when it is discarded', async () => {
  await page.goto(`${url}/explore`);
  await page.getByRole('link', { name: 'Alert on this' }).click();
  await page.getByText('Changed, and not saved yet.').waitFor();
  await page.getByRole('button', { name: 'Discard the changes' }).click();
  await page.waitForURL(/\/alerts$/);
  await row('new alert').waitFor({ state: 'detached' });
  assert.deepEqual([server.watched], [null]);
});

test('an objective over whole user actions is set', async () => {
  await open();
  await page.getByRole('button', { name: 'Add an objective' }).click();
  await field('Name').fill('mails come');
  await field('What must be good').fill('99.5');
  await field('Of what').selectOption('Whole user actions');
  await field('Which spans they begin with: value 1').fill('checkout');
  await field('Service').fill('mail');
  // What the server names of the whole is beside its group.
  server.refusing = 'objectives[1].measure.actions: `end` needs a service and a name';
  await save().click();
  await page
    .getByRole('group', { name: 'What each must reach' })
    .getByText('`end` needs a service and a name')
    .waitFor();
  server.refusing = '';
  await field('Name of its span').fill('SendEmail');
  await save().click();
  await page.getByText('Saved.').waitFor();
  assert.deepEqual(server.watched.objectives[1], {
    name: 'mails come',
    target: 0.995,
    days: 30,
    measure: {
      actions: {
        begin: [{ column: 'service', op: '=', value: 'checkout' }],
        end: { service: 'mail', name: 'SendEmail' },
        within_ms: 5000,
      },
    },
  });
});

test('an alert is changed: its conditions, its bound, and what is no number', async () => {
  await open();
  await page.getByRole('button', { name: 'Change many fail' }).click();
  await page.getByRole('button', { name: 'Add a condition' }).click();
  await field('Which rows count: column 2').fill('duration_ms');
  await field('Which rows count: comparison 2').selectOption('>');
  await field('Which rows count: value 2').fill('0.05');
  await field('The bound').fill('x');
  await save().click();
  await page.getByRole('alert').getByText('alert “many fail”, value: it needs a number').waitFor();
  assert.equal(await page.locator(':focus').getAttribute('id'), 'field-alerts[0].value');
  assert.deepEqual([server.watched], [null]);
  await field('The bound').fill('-1.5');
  await save().click();
  await page.getByText('Saved.').waitFor();
  const [alert] = server.watched.alerts;
  assert.equal(alert.value, -1.5);
  assert.deepEqual(alert.query.filters[1], { column: 'duration_ms', op: '>', value: 0.05 });
});

test('what somebody else has changed meanwhile is not overwritten', async () => {
  await open();
  await page.getByRole('button', { name: 'Remove orders are mailed' }).click();
  const { settings } = await (await fetch(`${url}/api/v1/alerts`)).json();
  const other = { ...settings.alerts[0], name: 'theirs' };
  server.watched = { ...settings, alerts: [...settings.alerts, other] };
  await save().click();
  await page.getByRole('alert').getByText('alert “theirs” added').waitFor();
  await page.getByRole('button', { name: 'Put mine on top' }).click();
  await save().click();
  await page.getByText('Saved.').waitFor();
  assert.deepEqual(server.watched.objectives, []);
  assert.equal(server.watched.alerts.length, 2);
});

test('the standings are asked for again, but not while somebody edits', async () => {
  await page.clock.install();
  await open();
  const seen = server.watchedAsked;
  await page.clock.runFor(16_000);
  await becomes(() => server.watchedAsked, seen + 1);
  await page.getByRole('button', { name: 'Change many fail' }).click();
  await page.clock.runFor(60_000);
  assert.equal(server.watchedAsked, seen + 1);
  await page.getByRole('button', { name: 'Close many fail' }).click();
  await page.clock.runFor(16_000);
  await becomes(() => server.watchedAsked, seen + 2);
});

atWidths('alerts', [390, 1280, 2560], async (name) => {
  await open();
  await fits(page, `alerts-${name}`);
  await page.getByRole('button', { name: 'Change many fail' }).click();
  await field('The bound').fill('21');
  await fits(page, `alerts-open-${name}`);
});
