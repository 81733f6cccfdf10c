'use strict';
/** What one service wrapped before another delivered it: a topic's notification, a bus's event, a bucket's records. */

const { getter, parsed } = require('../carriers.js');
const { hop, keyOf } = require('./path.js');

/** A text beyond this is not looked into. */
const CHARS_MAX = 256 << 10;
const NOTHING = { get: () => undefined, keys: [], hops: [] };
const lastOf = (arn, by) => String(arn || '').split(by).pop();

/**
 * @param {unknown} text the body of a queue's message, or the message of a topic
 * @returns {{get: Function, keys: string[], hops: string[]}}
 */
function enclosed(text) {
  if (typeof text !== 'string' || text.length > CHARS_MAX || !/"TopicArn"|"detail-type"|"aws:s3"/.test(text)) return NOTHING;
  const body = parsed(text);
  if (!body) return NOTHING;
  if (body.TopicArn && body.Type === 'Notification') return notification(body);
  if (body['detail-type']) {
    const { keys, hops } = onBus(body);
    return { get: getter(body.detail), keys, hops };
  }
  const records = (Array.isArray(body.Records) ? body.Records : []).filter((record) => record && record.s3);
  return { get: NOTHING.get, keys: records.flatMap(objectKeys), hops: records.slice(0, 1).map(objectHop) };
}

/** @param {any} message of a topic, as it is in events and in the bodies of queues' messages */
function notification(message) {
  const inner = enclosed(message.Message);
  const key = keyOf('sns', message.MessageId);
  return {
    get: (name) => attribute(message.MessageAttributes, name) || inner.get(name),
    keys: [key, ...inner.keys].filter(Boolean),
    hops: [...inner.hops, hop('topic', lastOf(message.TopicArn, ':'), message.Timestamp, key)],
  };
}

/** Attributes of SQS (`stringValue`) and SNS (`Value`). */
function attribute(attributes, name) {
  const found = getter(attributes)(name);
  if (!found || typeof found !== 'object') return undefined;
  return found.stringValue || found.StringValue || found.Value || found.binaryValue || found.BinaryValue;
}

const isScheduled = (event) => event['detail-type'] === 'Scheduled Event' || event.source === 'aws.scheduler';

/** An event does not tell its bus; AWS's own are on the default one, and those of a partner on one with its name. */
function onBus(event) {
  const { detail, id, source, time } = event;
  const key = keyOf('eb', id);
  if (isScheduled(event)) return { keys: [key].filter(Boolean), hops: [hop('schedule', lastOf(list(event.resources)[0], '/'), time, key)] };
  const from = String(source);
  const bus = from.startsWith('aws.partner/') ? from : from.startsWith('aws.') ? 'default' : '';
  const request = from === 'aws.s3' && detail ? keyOf('s3r', detail['request-id']) : '';
  const bucket = from === 'aws.s3' && detail && detail.bucket ? [hop('bucket', detail.bucket.name, time, request)] : [];
  if (!event['replay-name']) return { keys: [key, request].filter(Boolean), hops: [...bucket, hop('bus', bus, time, key)] };
  // Its id may be another, and its time is that of the first: who put it is found by what it says.
  const again = bus ? '' : require('../digest.js').eventKey(source, event['detail-type'], detail);
  return { keys: [key, request, again].filter(Boolean), hops: [...bucket, hop('bus', bus, undefined, again || key)] };
}

const list = (value) => (Array.isArray(value) ? value : []);

function objectKeys(record) {
  const { bucket, object } = record.s3;
  const request = keyOf('s3r', (record.responseElements || {})['x-amz-request-id']);
  const version = object.versionId ? [object.versionId] : [];
  return [request, keyOf('s3o', bucket.name, decoded(object.key), object.eTag, ...version)].filter(Boolean);
}

const objectHop = (record) => hop('bucket', record.s3.bucket.name, record.eventTime, objectKeys(record)[0]);

function decoded(key) {
  try {
    return decodeURIComponent(String(key).replace(/\+/g, ' '));
  } catch {
    return String(key);
  }
}

module.exports = { attribute, decoded, enclosed, lastOf, notification, objectHop, objectKeys, onBus };
