'use strict';
/** Libraries are hooked when the function loads them, and never loaded for it. What a bundler has put in is not seen. */

const Module = require('module');

const faults = require('../faults.js');

/** Name of the package, the word that switches it off, the module with `install(layer, exports, from)`. */
const LIBRARIES = new Map([
  ['pg', ['pg', './libraries/pg.js']],
  ['mysql2', ['mysql2', './libraries/mysql2.js']],
  ['mysql2/promise', ['mysql2', './libraries/mysql2.js']],
  ['mongodb', ['mongodb', './libraries/mongodb.js']],
  ['ioredis', ['ioredis', './libraries/ioredis.js']],
  ['redis', ['redis', './libraries/redis.js']],
  ['@redis/client', ['redis', './libraries/redis.js']],
  ['kafkajs', ['kafkajs', './libraries/kafkajs.js']],
  ['amqplib', ['amqplib', './libraries/amqplib.js']],
  ['amqplib/callback_api', ['amqplib', './libraries/amqplib.js']],
  ['@grpc/grpc-js', ['grpc', './libraries/grpc.js']],
  ['http2', ['http2', './libraries/http2.js']],
  ['node:http2', ['http2', './libraries/http2.js']],
]);

/** AWS's clients have a hook of their own only where their input is to be changed. */
const CLIENTS = ['@smithy/core/client', '@smithy/smithy-client', '@aws-sdk/smithy-client'];

/** @param {import('../layer.js').Layer} layer */
function install(layer) {
  const { attributes, payloadContext } = layer.settings;
  if (attributes.length || payloadContext.length) CLIENTS.forEach((name) => LIBRARIES.set(name, ['aws', './libraries/smithy.js']));
  const { _load: load } = Module;
  const seen = new WeakSet();
  Module._load = function (request, parent, isMain) {
    const exports = load.call(this, request, parent, isMain);
    const name = LIBRARIES.has(request) ? request : packageOf(request);
    if (name && exports && (typeof exports === 'object' || typeof exports === 'function') && !seen.has(exports)) {
      seen.add(exports);
      const [hook, file] = LIBRARIES.get(name);
      if (layer.settings.hook(hook)) faults.guard(hook, () => require(file).install(layer, exports, { request, parent, load }));
    }
    return exports;
  };
}

/** ES modules have packages loaded by their file. */
function packageOf(request) {
  if (typeof request !== 'string' || request[0] !== '/') return undefined;
  const at = request.lastIndexOf('/node_modules/');
  if (at < 0) return undefined;
  const [first, second, ...rest] = request.slice(at + '/node_modules/'.length).split('/');
  const name = first[0] === '@' ? `${first}/${second}` : first;
  if (!LIBRARIES.has(name)) return undefined;
  // Only what a package is imported by, not the files that it is made of.
  const inner = first[0] === '@' ? rest.join('/') : [second, ...rest].join('/');
  return /^(index|promise|callback_api|channel_api|(lib|dist|built|build)(\/src)?\/index)\.(js|cjs)$/.test(inner) ? name : undefined;
}

module.exports = { install };
