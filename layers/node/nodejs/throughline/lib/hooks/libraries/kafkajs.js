'use strict';

const faults = require('../../faults.js');
const { traceparent } = require('../../ids.js');
const { KIND } = require('../../span.js');
const { settled, wrap } = require('../client.js');

/** @param {import('../../layer.js').Layer} layer */
function install(layer, { Kafka }) {
  wrap('kafkajs', Kafka && Kafka.prototype, 'producer', (make) => function (...args) {
    const producer = make.apply(this, args);
    faults.guard('kafkajs', () => {
      wrap('kafkajs', producer, 'send', (send) => function (record) {
        const topics = [record];
        return sent(layer, topics, () => send.call(this, topics[0]));
      });
      wrap('kafkajs', producer, 'sendBatch', (send) => function (batch) {
        const topics = [...(batch.topicMessages || [])];
        return sent(layer, topics, () => send.call(this, { ...batch, topicMessages: topics }));
      });
    });
    return producer;
  });
}

/** One span for what is sent at once; every message carries it, in a copy. */
function sent(layer, topics, send) {
  const span = faults.guard('kafkajs', () => {
    const name = topics.length === 1 ? topics[0].topic : 'several';
    const span = layer.span(`send ${name}`, KIND.PRODUCER);
    if (!span) return undefined;
    const count = topics.reduce((sum, { messages }) => sum + messages.length, 0);
    span.setAttributes({ 'messaging.system': 'kafka', 'messaging.operation.type': 'send', 'messaging.destination.name': name, 'messaging.batch.message_count': count });
    topics.forEach((record, at) => (topics[at] = { ...record, messages: record.messages.map((message) => carrying(span, message)) }));
    return span;
  });
  const result = send();
  return span ? settled(span, result, (places) => span.setAttribute('throughline.link.out', keys(topics, places))) : result;
}

function carrying(span, message) {
  const { headers = {} } = message;
  return 'traceparent' in headers ? message : { ...message, headers: { ...headers, traceparent: traceparent(span) } };
}

/** The broker names the first offset of each partition; which message went where is known where there is one partition. */
function keys(topics, places) {
  const found = [];
  for (const { topicName, partition, baseOffset } of places || []) {
    if (baseOffset === undefined || baseOffset === '-1') continue;
    const only = places.filter((place) => place.topicName === topicName).length === 1;
    const record = topics.find(({ topic }) => topic === topicName);
    const count = only && record ? Math.min(record.messages.length, 1_000) : 1;
    for (let n = 0; n < count; n++) found.push(`kafka:${topicName}/${partition}/${BigInt(baseOffset) + BigInt(n)}`);
  }
  return found.slice(0, 1_000);
}

module.exports = { install };
