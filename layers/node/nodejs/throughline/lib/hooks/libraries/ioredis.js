'use strict';

const faults = require('../../faults.js');
const { KIND } = require('../../span.js');
const { wrap } = require('../client.js');

/** @param {import('../../layer.js').Layer} layer */
function install(layer, ioredis) {
  const Redis = ioredis.default || ioredis.Redis || ioredis;
  wrap('ioredis', Redis.prototype, 'sendCommand', (send) => function (command, ...rest) {
    faults.guard('ioredis', () => follow(layer, this.options || {}, command));
    return send.call(this, command, ...rest);
  });
}

/** Neither keys nor values are told. A command that waits for a connection is sent twice, and told once. */
function follow(layer, { db, host, port }, command) {
  if (!command || !command.name || command.followed) return;
  const name = String(command.name).toUpperCase();
  const span = layer.span(name, KIND.CLIENT);
  if (!span) return;
  Object.defineProperty(command, 'followed', { value: true });
  span.setAttributes({ 'db.system.name': 'redis', 'db.operation.name': name, 'db.namespace': String(db || 0), 'server.address': host });
  if (port) span.setAttribute('server.port', Number(port));
  const { resolve, reject } = command;
  command.resolve = function (value) {
    span.end();
    return resolve.call(this, value);
  };
  command.reject = function (error) {
    span.fail(error);
    span.end();
    return reject.call(this, error);
  };
}

module.exports = { install };
