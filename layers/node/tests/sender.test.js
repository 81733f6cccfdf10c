'use strict';
/** The connection to the extension. */

const assert = require('node:assert/strict');
const { once } = require('node:events');
const net = require('node:net');
const { test } = require('node:test');

const { Sender } = require('../nodejs/throughline/lib/sender.js');
const { Intake } = require('./support/intake.js');

const BODY = JSON.stringify({
  resourceSpans: [{ resource: { attributes: [] }, scopeSpans: [{ scope: {}, spans: [{ name: 'first', attributes: [] }] }] }],
});

/** A port that nobody listens on. */
async function unheard() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** A sender whose first connection was refused. */
async function refused(port, begin) {
  const sender = new Sender({ host: '127.0.0.1', port });
  begin(sender);
  const { socket } = sender;
  socket.ref();
  await new Promise((resolve) => socket.once('close', resolve)); // its error is expected
  return sender;
}

test('an extension that listens only after the function was loaded gets what is sent', async () => {
  const port = await unheard();
  const sender = await refused(port, (it) => it.open());
  assert.equal(sender.isOff, false);
  const intake = await new Intake().start(port);
  assert.equal(sender.send(BODY), true);
  assert.equal((await intake.until(1))[0].name, 'first');
  await intake.stop();
});

test('where nobody listens when something is sent nothing is sent any more', async () => {
  const sender = await refused(await unheard(), (it) => it.send(BODY));
  assert.equal(sender.isOff, true);
  assert.equal(sender.dropped, 1);
  assert.equal(sender.send(BODY), false);
});
