// Who is told: receivers, routes and mutes through the forms, saved, refused and tested.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Actions } from './actions.mjs';
import { becomes, fits } from './page.mjs';
import { atWidths, page, server, url } from './stage.mjs';

const main = () => page.getByRole('main');
const save = () => page.getByRole('button', { name: 'Save', exact: true });
/** @param {string} name */
const field = (name) => page.getByLabel(name, { exact: true });
const problem = () => page.getByRole('alert');
/** What the mock has if nothing was set. */
const given = async () => (await (await fetch(`${url}/api/v1/notifications`)).json()).settings;

async function open() {
  await page.goto(`${url}/notifications`);
  await page.getByRole('button', { name: 'Change team' }).waitFor();
}

/** Tab until the focus is there. @param {string} name */
async function tabTo(name) {
  const focused = () =>
    page.evaluate(() => {
      const at = /** @type {HTMLInputElement | null} */ (document.activeElement);
      return at?.labels?.[0]?.textContent?.trim() ?? at?.textContent?.trim() ?? '';
    });
  for (let step = 0; step < 60; step += 1) {
    await page.keyboard.press('Tab');
    if ((await focused()) === name) return;
  }
  assert.fail(`no Tab leads to ${name}`);
}

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

test('the link of a call that is told leads to a mute of such calls alone', async () => {
  await page.goto(`${url}/notifications?mute=function%3Apay&to=table%3Ausers&kind=new_edge`);
  await main().getByText('new_edge of function:pay → table:users').first().waitFor();
  await page.getByRole('button', { name: 'Mute it' }).first().click();
  const name = 'Tell again: new_edge of function:pay → table:users';
  await page.getByRole('button', { name }).click();
  await page.getByRole('button', { name }).waitFor({ state: 'detached' });
  assert.equal(server.notified.mutes.length, 1);
});

test('what nobody looked after is muted where it is proposed', async () => {
  await open();
  await main().getByText('was told 3 times').waitFor();
  await page.getByRole('button', { name: 'Mute it' }).click();
  await page.getByRole('button', { name: 'Tell again: silence of function:mail' }).waitFor();
  assert.deepEqual(server.notified.mutes.at(-1), { nodes: 'function:mail', kinds: 'silence' });
});

test('what actions keep from people is there, with who did it and where it is undone', async () => {
  const quiet = (/** @type {number} */ number, /** @type {object} */ action) => ({
    ...new Actions().standing(),
    id: `0199aa00bb11cc220199aa00bb11cc3${number}`,
    title: `do not tell ada@example.com of latency of function:pay for ${number} days`,
    state: 'done',
    until_unix_nanos: '1795320000000000000',
    who: 'bob',
    action,
  });
  const mute = { do: 'mute', person: 'ada@example.com', node: 'function:pay', kind: 'latency' };
  const stop = { do: 'stop', function: 'pay', hours: 1 };
  server.actions.quiet = [
    quiet(1, { ...mute, days: 1 }),
    quiet(2, stop),
    quiet(3, { ...mute, days: 3 }),
  ];
  await page.goto(`${url}/notifications`);
  const list = page.getByRole('list', { name: 'Muted by actions' });
  await list.getByText('by bob, until 2026-11-22').first().waitFor();
  assert.equal(await list.getByRole('listitem').count(), 2, 'both pages, and no other actions');
  await list.getByRole('link', { name: /^Undo/ }).last().click();
  await page.waitForURL(/\/audit\?action=/);
  await page.getByRole('button', { name: 'Show older ones in force' }).click();
  const undo = main().getByRole('listitem').filter({ hasText: 'for 3 days' });
  await undo.getByText('by bob').waitFor();
  assert.equal(await main().getByRole('button', { name: 'Undo' }).count(), 3);
  assert.equal(await page.getByRole('button', { name: 'Show older ones in force' }).count(), 0);
});

test('something is muted for some hours, while other changes wait to be saved', async () => {
  await open();
  await field('Environment').fill('staging');
  await page.getByRole('button', { name: 'Mute something' }).click();
  assert.ok(await page.getByRole('button', { name: 'Mute it now' }).isDisabled());
  await field('Of which function, table, queue…').fill('function:pay*');
  await field('To whom').selectOption('team');
  await field('For how long').selectOption('one hour');
  await field('Why (optional)').fill('deploy');
  await page.getByRole('button', { name: 'Mute it now' }).click();
  await main()
    .getByText(/^for team · until .* · deploy$/)
    .waitFor();
  const mute = server.notified.mutes.at(-1);
  const minutes = (mute.until_unix_nanos / 1e6 - Date.now()) / 60_000;
  assert.ok(minutes > 58 && minutes <= 60, `${minutes} minutes`);
  assert.equal(server.notified.environment, 'production');
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.equal(server.notified.environment, 'staging');
  assert.equal(server.notified.mutes.length, 2);
});

test('the first receiver is added with nothing but the keyboard', async () => {
  server.notified = { receivers: [], routes: [] };
  await page.goto(`${url}/notifications`);
  await main().getByText('Nobody is told of anything yet').waitFor();
  await tabTo('E-mail');
  await page.keyboard.press('Enter');
  await page.waitForFunction(() => document.activeElement?.tagName === 'INPUT');
  assert.equal(await field('Name').inputValue(), 'email');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('ops');
  await tabTo('To');
  await page.keyboard.type('ops@example.com\nada@example.com');
  await tabTo('From');
  await page.keyboard.type('t@example.com');
  await tabTo('Mail server');
  await page.keyboard.type('mail.example.com');
  await tabTo('User name (optional)');
  await page.keyboard.type('t');
  await tabTo('Password (optional)');
  await page.keyboard.type('hush');
  await tabTo('Save');
  await page.keyboard.press('Enter');
  await main().getByText('Saved.').waitFor();
  const { receivers, routes } = server.notified;
  assert.equal(receivers[0].name, 'ops');
  assert.deepEqual(receivers[0].channel, {
    type: 'email',
    to: ['ops@example.com', 'ada@example.com'],
    from: 't@example.com',
    smtp: { host: 'mail.example.com', tls: 'starttls', username: 't', password: 'hush' },
  });
  assert.deepEqual(routes, [{ name: 'everything', receivers: ['ops'], severity: 'warning' }]);
});

test('what the server refuses is said beside the field that it names', async () => {
  await open();
  await field('Environment').fill('staging');
  server.refusing =
    'receivers[1].channel.to[0]: "ada" is no mail address; ' +
    'receivers[0].channel.url: it is no address that begins with https:// or http://; ' +
    'routes[0]: it leads to no receiver';
  await save().click();
  await problem().getByText('receiver “ops”, to[0]: "ada" is no mail address').waitFor();
  const to = field('To');
  assert.equal(await to.getAttribute('aria-invalid'), 'true');
  await page.waitForFunction(() => document.activeElement?.tagName === 'TEXTAREA');
  const described = await to.evaluate((element) =>
    (element.getAttribute('aria-describedby') ?? '')
      .split(' ')
      .map((id) => document.getElementById(id)?.textContent)
      .join(' '),
  );
  assert.match(described, /"ada" is no mail address/);
  // Another one is found from the list of all.
  await problem()
    .getByRole('button', { name: /^receiver “team”, url/ })
    .click();
  const focused = page.locator(':focus');
  assert.equal(await focused.getAttribute('id'), 'field-receivers[0].channel.url');
  await page.getByRole('listitem').filter({ hasText: 'it leads to no receiver' }).waitFor();
  await to.fill('ada@example.com');
  await problem().getByText('is no mail address').waitFor({ state: 'detached' });
  assert.deepEqual([server.notified], [null]);
  server.refusing = '';
  await save().click();
  await main().getByText('Saved.').waitFor();
});

test('what is no number or time is said before it is sent', async () => {
  await open();
  await page.getByRole('button', { name: 'Change ops' }).click();
  await page.getByLabel('Collect what matters less').check();
  await field('Collected for').fill('soon');
  await save().click();
  await problem().getByText('receiver “ops”, digest.minutes').waitFor();
  assert.deepEqual([server.notified], [null]);
  await field('Collected for').fill('30');
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.deepEqual(server.notified.receivers[1].digest, { minutes: 30, up_to: 'note' });
});

test('secrets stay unless they are written again', async () => {
  await open();
  await page.getByRole('button', { name: 'Change ops' }).click();
  const password = field('Password (optional)');
  assert.equal(await password.inputValue(), '********');
  await page.locator('label', { hasText: 'Variable' }).click();
  assert.equal(await password.inputValue(), 'NOTIFY_');
  await password.fill('NOTIFY_SMTP');
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.equal(server.notified.receivers[1].channel.smtp.password, '${NOTIFY_SMTP}');
  assert.equal(server.notified.receivers[0].channel.url, '********');
});

test('a receiver that is renamed or removed is so in its routes too', async () => {
  await open();
  await page.getByRole('button', { name: 'Change team' }).click();
  await field('Name').fill('chat');
  await field('Name').press('Tab');
  await main().getByText('→ chat, ops').waitFor();
  await page.getByRole('button', { name: 'Remove ops' }).click();
  await page.waitForFunction(() => document.activeElement?.id === 'receivers');
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.deepEqual(server.notified.routes[0].receivers, ['chat']);
  assert.equal(server.notified.receivers.length, 1);
});

test('a route leads what is chosen to whom is chosen', async () => {
  await open();
  await page.getByRole('button', { name: 'Add a route' }).click();
  await field('Name').fill('nights');
  await field('What is told').selectOption('what is critical');
  await page.getByRole('group', { name: 'Who is told' }).getByLabel('team').check();
  await field('Only in these environments').fill('prod*');
  await field('Only of these owners').fill('payments\nteam-*');
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.deepEqual(server.notified.routes[1], {
    name: 'nights',
    receivers: ['team'],
    severity: 'critical',
    environments: ['prod*'],
    owners: ['payments', 'team-*'],
  });
});

test('a receiver is tested, and says what the other side said', async () => {
  await open();
  const sending = page.getByRole('button', { name: 'Send a test to team' });
  await sending.click();
  await main().getByText('taken (200 OK: ok)').waitFor();
  await page.getByRole('button', { name: 'Change team' }).click();
  await field('Clock').selectOption('UTC+02:00');
  await main().getByText('Not saved yet; a test goes to what is saved.').waitFor();
  assert.ok(await sending.isDisabled());
  await page.getByRole('button', { name: 'Discard the changes' }).click();
  assert.ok(await sending.isEnabled());
});

test('what somebody else has changed meanwhile is named, and not overwritten', async () => {
  const before = await given();
  await open();
  await field('Environment').fill('staging');
  const webhook = { type: 'webhook', url: 'https://example.com', secret: '********' };
  const receivers = [...before.receivers, { name: 'hook', channel: webhook }];
  server.notified = { ...before, receivers };
  server.edition += 1;
  await page.setViewportSize({ width: 1280, height: 400 });
  await save().click();
  await problem().getByText('receiver “hook” added (TL0221)').waitFor();
  await page.waitForFunction(() => document.activeElement?.querySelector('[role=alert]') != null);
  const box = await problem().boundingBox();
  assert.ok(box !== null && box.y >= 0 && box.y + box.height <= 400, JSON.stringify(box));
  assert.equal(server.notified.environment, 'production');
  await page.getByRole('button', { name: 'Put mine on top' }).click();
  await page.getByText('TL0221').waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'Change hook' }).waitFor();
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.equal(server.notified.environment, 'staging');
  assert.equal(server.notified.receivers.length, 3);

  await field('Environment').fill('test');
  server.notified = { ...server.notified, environment: 'theirs' };
  server.edition += 1;
  await save().click();
  await problem().getByText('environment changed (TL0221)').waitFor();
  await page.getByRole('button', { name: 'Take theirs' }).click();
  await page.getByText('TL0221').waitFor({ state: 'detached' });
  assert.equal(await field('Environment').inputValue(), 'theirs');
});

test('the same settings are a text, to be copied or written', async () => {
  await open();
  await page.locator('label', { hasText: 'As text' }).click();
  const settings = page.getByRole('textbox', { name: 'Settings' });
  const text = await settings.inputValue();
  await settings.fill('{');
  await main().getByText('This is no JSON').waitFor();
  assert.ok(await save().isDisabled());
  await settings.fill(text.replace('production', 'staging'));
  await page.locator('label', { hasText: 'Form' }).click();
  assert.equal(await field('Environment').inputValue(), 'staging');
  await save().click();
  await main().getByText('Saved.').waitFor();
  assert.equal(server.notified.environment, 'staging');
});

test('a page with changes is not left by mistake', async () => {
  await open();
  await field('Environment').fill('staging');
  await page.getByText('Changed, and not saved yet.').waitFor();
  /** @type {string[]} */
  const asked = [];
  page.once('dialog', (dialog) => {
    asked.push(dialog.message());
    void dialog.dismiss();
  });
  await page.getByRole('link', { name: 'Objectives and alerts' }).click();
  await becomes(() => asked.length, 1);
  assert.equal(new URL(page.url()).pathname, '/notifications');
  page.once('dialog', (dialog) => void dialog.accept());
  await page.getByRole('link', { name: 'Objectives and alerts' }).click();
  await page.waitForURL(/\/alerts$/);
});

test('the link of a message leads to what can be done', async () => {
  await page.setViewportSize({ width: 1280, height: 300 });
  await page.goto(`${url}/incidents/7#actions`);
  const heading = page.getByRole('heading', { name: 'What can be done' });
  await heading.waitFor();
  const box = await heading.boundingBox();
  assert.ok(box !== null && box.y >= 0 && box.y < 300, JSON.stringify(box));
});

atWidths('notifications', [390, 1280, 2560], async (name) => {
  await page.goto(`${url}/notifications?mute=function%3Apay&kind=latency`);
  await page.getByRole('button', { name: 'Change ops' }).click();
  await field('Mail server').fill('mail.example');
  await fits(page, `notifications-${name}`);
  await page.locator('label', { hasText: 'As text' }).click();
  await page.getByRole('textbox', { name: 'Settings' }).waitFor();
  await fits(page, `notifications-text-${name}`);
  server.notified = {};
  await page.goto(`${url}/notifications`);
  await main().getByText('Nobody is told of anything yet').waitFor();
  await fits(page, `notifications-first-${name}`);
});
