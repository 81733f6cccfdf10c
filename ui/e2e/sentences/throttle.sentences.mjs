// One of the seven sentences: a throttled table with all that it affects; and the way from the mail about it to the line
// that fails.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { linkIn, program, Stage } from './stage.mjs';

const skip = program === '' && 'THROUGHLINE_BIN is not set';

const stage = new Stage();
/** The incident's page, as the mail says. */
let whole = '';

before(async () => {
  if (skip) return;
  await stage.open();
  await stage.remember(await stage.usual());
  await stage.begin('throttled-user-table');
  await stage.watch();
});

after(() => stage.close());

test('a throttled table with all that it affects', { skip }, async () => {
  const throttled = /table:users.* is throttled, \d+ times/;
  const { incident, mail, slack } = await stage.told(
    '3-throttle',
    (it) =>
      it.nodes.includes('table:users') &&
      it.findings.some((/** @type {any} */ one) => one.kind === 'throttles'),
    throttled,
  );
  for (const text of [mail.text, slack]) {
    assert.match(text, throttled);
    assert.match(text, /function:place-order.* fails more: .* → \d+ % of \d+ calls/);
    assert.match(text, /Most likely cause, \d+ % of it: table:users/);
    assert.match(text, /Affected: .*function:place-order .*fails: .* → \d+ %/);
  }
  whole = linkIn(mail, /The whole incident/) ?? '';
  const page = await stage.read('3-throttle', `${stage.shop.url}/incidents/${incident.id}`);
  assert.match(page, /Who else is affected[\s\S]*place-order\s+function\s[^\n]*fails more/);
});

test('from the link in the mail to the failing line', { skip }, async () => {
  await stage.page('3-throttle-line', whole, async (page) => {
    const unusual = page.getByRole('region', { name: 'What is unusual' });
    const failing = unusual
      .getByRole('article')
      .filter({ hasText: /place-order[\s\S]{0,20}fails/ });
    await failing
      .getByRole('link', { name: /^example of/ })
      .first()
      .click();
    const panel = page.locator('aside');
    await panel.getByText('Stack trace', { exact: true }).waitFor();
    const text = await panel.innerText();
    assert.match(text, /ProvisionedThroughputExceeded/);
    assert.match(text, /app\.py/);
    assert.match(text, /in place\b/);
  });
});
