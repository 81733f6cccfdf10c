// One of the seven sentences: a poison message with its dead-letter queue.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tellDepths } from './depths.mjs';
import { has, program, Stage } from './stage.mjs';

const skip = program === '' && 'THROUGHLINE_BIN is not set';

const stage = new Stage();
let stop = () => {};

before(async () => {
  if (skip) return;
  await stage.open();
  stop = tellDepths(stage.shop);
  await stage.remember(await stage.usual());
  await stage.begin('poison-message');
  await stage.watch();
});

after(async () => {
  stop();
  await stage.close();
});

test('a poison message with its dead-letter queue', { skip }, async () => {
  const grown = /undeliverable[\s\S]{0,20}has grown by \d+ messages/;
  const { incident, mail, slack } = await stage.told(
    '5-poison',
    (it) => has(it, 'dead_letters', 'queue:undeliverable'),
    grown,
  );
  const page = await stage.read('5-poison', `${stage.shop.url}/incidents/${incident.id}`);
  for (const text of [mail.text, slack, page]) {
    assert.match(text, /notify-restaurant[\s\S]{0,20}fails/);
    assert.match(text, /invalid type/, 'what cannot be read');
    assert.match(text, grown, 'the dead-letter queue');
  }
});
