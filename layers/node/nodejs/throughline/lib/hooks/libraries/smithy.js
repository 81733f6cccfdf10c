'use strict';

const context = require('../../context.js');
const faults = require('../../faults.js');
const { put } = require('../../carrying.js');
const { newSpanId, traceparent } = require('../../ids.js');
const { wrap } = require('../client.js');

/**
 * The class of all of AWS's clients. Only here a request has not been signed yet; the span of the call, which begins
 * with its request, is given its id in advance.
 * @param {import('../../layer.js').Layer} layer
 */
function install(layer, { Client }) {
  wrap('aws', Client && Client.prototype, 'send', (send) => function (command, ...rest) {
    const going = faults.guard('aws', () => carrying(layer, command));
    return going ? context.storage.run(going.store, () => send.call(this, going.command, ...rest)) : send.call(this, command, ...rest);
  });
}

function carrying(layer, command) {
  const store = layer.sender.isOff ? undefined : layer.current();
  if (!store || !store.span.traceId) return undefined;
  const spanId = newSpanId();
  const operation = command.constructor.name.replace(/Command$/, '');
  const changed = put(operation, command.input, traceparent({ traceId: store.span.traceId, spanId }), layer.settings);
  if (!changed) return undefined;
  const input = { value: changed.input, configurable: true, enumerable: true, writable: true };
  return { command: Object.create(command, { input }), store: { ...store, promised: { operation, spanId } } };
}

module.exports = { install };
