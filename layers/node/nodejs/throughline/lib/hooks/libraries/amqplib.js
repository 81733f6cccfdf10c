'use strict';

const path = require('path');

const faults = require('../../faults.js');
const { traceparent } = require('../../ids.js');
const { KIND } = require('../../span.js');
const { wrap } = require('../client.js');

/** Both ways of using it make channels of their own, whose classes it does not export. */
function install(layer, exports, { request, parent, load }) {
  const file = path.isAbsolute(request) ? request : require('module')._resolveFilename(request, parent);
  const name = file.endsWith('callback_api.js') ? 'callback_model.js' : 'channel_model.js';
  const model = load(path.join(path.dirname(file), 'lib', name), parent, false);
  for (const kind of ['Channel', 'ConfirmChannel']) {
    const target = model[kind] && model[kind].prototype;
    if (!target || !Object.prototype.hasOwnProperty.call(target, 'publish')) continue;
    // `sendToQueue` publishes.
    wrap('amqplib', target, 'publish', (publish) => function (exchange, key, content, options, ...rest) {
      const span = faults.guard('amqplib', () => begin(layer, exchange, key, content, options));
      if (!span) return publish.call(this, exchange, key, content, options, ...rest);
      const carrying = { ...options, headers: { traceparent: traceparent(span), ...(options && options.headers) } };
      try {
        return publish.call(this, exchange, key, content, carrying, ...rest);
      } catch (error) {
        span.fail(error);
        throw error;
      } finally {
        span.end();
      }
    });
  }
}

function begin(layer, exchange, key, content, options) {
  if (options && options.headers && options.headers.traceparent) return undefined;
  const name = exchange || key;
  const span = layer.span(`send ${name}`, KIND.PRODUCER);
  if (!span) return undefined;
  span.setAttributes({ 'messaging.system': 'rabbitmq', 'messaging.operation.type': 'send', 'messaging.destination.name': name, 'messaging.rabbitmq.destination.routing_key': key });
  if (content) span.setAttribute('messaging.message.body.size', content.length);
  const id = options && (options.messageId || options.correlationId);
  if (id) span.setAttribute('throughline.link.out', [`mq:${id}`]);
  return span;
}

module.exports = { install };
