'use strict';

const faults = require('../../faults.js');
const { KIND } = require('../../span.js');
const { settled, wrap } = require('../client.js');

const FOLLOWED = Symbol('followed');

/** Of node-redis 5, whose commands all go through one method of the client. */
function install(layer, redis) {
  const create = redis.createClient;
  if (typeof create !== 'function' || create[FOLLOWED]) return;
  const following = function (...args) {
    const client = create.apply(this, args);
    faults.guard('redis', () => follow(layer, Object.getPrototypeOf(client), args[0] || {}));
    return client;
  };
  following[FOLLOWED] = true;
  Object.defineProperty(redis, 'createClient', { value: following, configurable: true, enumerable: true, writable: true });
}

function follow(layer, prototype, { url }) {
  let owner = prototype;
  while (owner && !Object.prototype.hasOwnProperty.call(owner, 'sendCommand')) owner = Object.getPrototypeOf(owner);
  if (!owner || owner.sendCommand[FOLLOWED]) return;
  const host = /^rediss?:\/\/(?:[^@/]*@)?([^:/?]+)(?::(\d+))?/.exec(url || '') || [];
  wrap('redis', owner, 'sendCommand', (send) => function (words, ...rest) {
    const span = faults.guard('redis', () => begin(layer, words, host));
    const result = send.call(this, words, ...rest);
    return span && result && typeof result.then === 'function' ? settled(span, result) : (span && span.end(), result);
  });
  owner.sendCommand[FOLLOWED] = true;
}

function begin(layer, words, [, host = 'localhost', port = 6379]) {
  const name = String(words[0]).toUpperCase();
  const span = layer.span(name, KIND.CLIENT);
  if (span) span.setAttributes({ 'db.system.name': 'redis', 'db.operation.name': name, 'server.address': host, 'server.port': Number(port) });
  return span;
}

module.exports = { install };
