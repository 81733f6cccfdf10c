// One of the seven sentences: an unexpected write with its choices, shut down and undone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { has, linkIn, note, program, Stage } from './stage.mjs';

const skip = program === '' && 'THROUGHLINE_BIN is not set';

const stage = new Stage();

before(async () => {
  if (skip) return;
  await stage.open();
  await stage.remember(await stage.usual());
  stage.shop.begin('unexpected-write');
  note('update-stats writes to the table of users');
  await stage.watch();
});

after(() => stage.close());

test('an unexpected write with three choices, shut down and undone', { skip }, async () => {
  const { incident, mail, slack } = await stage.told('2-write', (it) =>
    has(it, 'new_edge', 'function:update-stats'),
  );
  const page = await stage.read('2-write', `${stage.shop.url}/incidents/${incident.id}`);
  for (const text of [mail.text, slack]) {
    assert.match(text, /function:update-stats → table:users \S*PutItem is new, /);
    for (const choice of [
      /Ignore from now on/,
      /Don't bother me again/,
      /Shut it down: .*deny.*/i,
    ]) {
      const line = text.split('\n').find((it) => choice.test(it));
      assert.match(line ?? '', /\/act\/[0-9a-f]+\?k=/, `${choice}`);
    }
  }
  assert.match(
    page,
    /update-stats[\s\S]{0,20}→[\s\S]{0,20}users[\s\S]{0,20}PutItem[\s\S]{0,20}is new/,
  );
  assert.equal(await stage.shop.writes(), 'written', 'before anything is done');
  const choice = linkIn(mail, /Shut it down/) ?? '';
  await stage.page('2-write-shut-down', choice, async (it) => {
    await it.getByLabel('Your name').fill('ada');
    await it.getByText('Nothing has been done yet.').waitFor();
    assert.equal(await stage.shop.writes(), 'written', 'looking does nothing');
    await it.getByLabel(/^Type update-stats/).fill('update-stats');
    await it.getByRole('button', { name: 'Do it' }).click();
    await it.getByRole('button', { name: 'Undo it' }).waitFor();
  });
  assert.match(await stage.shop.writes(), /AccessDenied/, 'after it was shut down');
  await stage.page('2-write-undone', `${stage.shop.url}/incidents/${incident.id}`, async (it) => {
    const panel = it.getByRole('region', { name: 'What can be done' });
    await panel.getByLabel('Your name').fill('ada');
    await panel.getByRole('button', { name: /^Undo/ }).first().click();
    await panel.getByText('undone').first().waitFor();
  });
  assert.equal(await stage.shop.writes(), 'written', 'after it was undone');
});
