// One of the seven sentences: advice on memory, applied in the account and verified. Functions have the share of a core
// that Lambda gives for their memory, so that another size changes something.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { linkIn, note, program, Stage, until } from './stage.mjs';

const skip = program === '' && 'THROUGHLINE_BIN is not set';
/** Two of three calls in the shop are to this one, which mostly waits for its table. */
const FUNCTION = 'get-restaurants';
/** Much more than it needs. */
const MEMORY_MB = 1024;

const stage = new Stage({ cpuShare: true, rate: 20, memory: { [FUNCTION]: MEMORY_MB } });

before(async () => {
  if (skip) return;
  await stage.open();
  await stage.tellBoth();
});

after(() => stage.close());

test('advice on memory, applied and verified', { skip }, async () => {
  const { shop } = stage;
  const sentence = new RegExp(
    `function:${FUNCTION} can (run [\\d.]+x faster|cost \\d+ % less) .*MB`,
  );
  const { mail, slack } = await stage.messages('4-memory', `/functions/${FUNCTION}`, sentence);
  for (const text of [mail.text, slack]) {
    assert.match(text, sentence);
    assert.match(text, new RegExp(`Update setting: give ${FUNCTION} [\\d,]+ MB of memory`));
  }
  const choice = linkIn(mail, /Update setting/) ?? '';
  const memory = Number(/Update setting: give \S+ (\d+) MB/.exec(mail.text)?.[1]);
  note(mail.subject);
  await stage.page('4-memory', `${shop.url}/functions/${FUNCTION}`, async (page) => {
    await page
      .getByText(/^can (run [\d.]+x faster|cost \d+ % less)/i)
      .first()
      .waitFor();
  });
  await stage.page('4-memory-applied', choice, async (page) => {
    await page.getByText('Nothing has been done yet.').waitFor();
    assert.equal(await shop.size(FUNCTION), MEMORY_MB, 'looking does nothing');
    await page.getByLabel('Your name').fill('ada');
    await page.getByRole('button', { name: 'Do it' }).click();
    await page.getByRole('button', { name: 'Undo it' }).waitFor();
  });
  assert.equal(await shop.size(FUNCTION), memory, 'in the account');
  await shop.resize(FUNCTION);
  const verified =
    /(as|better than|slower than) predicted: .* → .*, for (the same cost|\d+ % (less|more))/;
  await until('what came of it', async () => {
    const log = JSON.stringify(await shop.ask('/api/v1/audit'));
    return verified.test(log) ? log : undefined;
  });
  const told = await stage.messages('4-memory-verified', `/functions/${FUNCTION}`, verified);
  for (const text of [told.mail.text, told.slack]) assert.match(text, verified);
  await stage.page('4-memory-verified', `${shop.url}/audit`, async (page) => {
    await page.getByText(verified).first().waitFor();
  });
});
