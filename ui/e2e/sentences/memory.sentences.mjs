// One of the seven sentences: advice on memory, applied in the account and verified. Functions have the share of a core
// that Lambda gives for their memory, so that another size changes something.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { note, program, Stage, until } from './stage.mjs';

const skip = program === '' && 'THROUGHLINE_BIN is not set';
/** Two of three calls in the shop are to this one. */
const FUNCTION = 'get-restaurants';

const stage = new Stage({ cpuShare: true, rate: 20 });

before(async () => {
  if (skip) return;
  await stage.open();
});

after(() => stage.close());

test('advice on memory, applied and verified', { skip }, async () => {
  const { shop } = stage;
  const advised = await until('advice', async () => {
    const { advice } = await shop.ask(`/api/v1/functions/${FUNCTION}/advice`);
    return advice?.recommendation ?? undefined;
  });
  const memory = advised.point.memory_mb;
  note(`${FUNCTION} ${advised.sentence}`);
  assert.match(advised.sentence, /^can (run [\d.]+x faster|cost \d+ % less)/);
  await stage.page('4-memory', `${shop.url}/functions/${FUNCTION}`, async (page) => {
    await page.getByText(advised.sentence).first().waitFor();
  });
  const before = await shop.size(FUNCTION);
  const answer = await fetch(`${shop.url}/api/v1/actions/propose`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      who: 'ada',
      action: { do: 'memory', function: FUNCTION, memory_mb: memory },
    }),
  });
  const { path } = /** @type {any} */ (await answer.json());
  await stage.page('4-memory-applied', `${shop.url}${path}`, async (page) => {
    await page.getByText('Nothing has been done yet.').waitFor();
    assert.equal(await shop.size(FUNCTION), before, 'looking does nothing');
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
  await stage.page('4-memory-verified', `${shop.url}/audit`, async (page) => {
    await page.getByText(verified).first().waitFor();
  });
});
